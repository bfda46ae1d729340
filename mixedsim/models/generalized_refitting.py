"""A fitted generalised model fitted again: another formula, response, family or optimiser gives another object."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.design import Design, Response
from mixedsim.engine import Control
from mixedsim.errors import DataError, MixedsimError, shown
from mixedsim.formula import parse, unquote
from mixedsim.frame import as_frame
from mixedsim.models.fitting import Request, settle_control, without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_family import Kind, settle_kind
from mixedsim.models.generalized_fitting import GlmParts, check_control, fit_design, fit_generalized
from mixedsim.models.refitting import KEEP, Keep, UsedControl, changed, new_response, theta_names
from mixedsim.response import amounts, counted, counts, quotient, shares
from mixedsim.update_formula import update_formula

Floats = NDArray[np.float64]


class GeneralizedRefitting(GeneralizedEstimates):
    """The same model once more, and how the optimiser came to it."""

    @cached_property
    def control(self) -> UsedControl:
        """How the optimiser was told to work; ``control.trace`` tabulates where it went."""
        own = self.request.control
        return UsedControl(own.tolerance, own.max_iterations, own.snap, own.optimizer, own.start, trace(self),
                           self.optimum.evaluations)  # fmt: skip

    def update(
        self,
        formula: str | None = None,
        *,
        data: Any = None,
        family: str | tuple[str, str] | None = None,
        nagq: int | None = None,
        weights: str | ArrayLike | Keep | None = KEEP,
        offset: str | ArrayLike | Keep | None = KEEP,
        control: Control | Keep | None = KEEP,
    ) -> Self:
        """Another model, fitted with everything that is not named here as it was.

        Parameters
        ----------
        formula : a change such as ``". ~ . + price - (1 | school)"`` (see `mixedsim.update_formula`), or a formula.
        data, family, nagq, weights, offset, control : as in `glmer`; ``weights=None`` takes the weights away.

        Raises
        ------
        FormulaError, DataError
            As `glmer` does, and where a term is to be removed that is not there.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.update(nagq=9).loglik > fit.loglik
        True
        """
        known = (self.family, self.link) if family is None else family
        kind = settle_kind(known, self.nagq if nagq is None else nagq)
        return type(self)(**update(self, formula, data, kind, weights, offset, control))

    def refit(self, y: Any) -> Self:
        """The same model fitted to another response on the same rows.

        Parameters
        ----------
        y : n values of the kind that the response holds, one for each row that was fitted (or that was given): numbers
            of successes for ``successes / trials``. A Series is matched by its index.

        Raises
        ------
        DataError
            If the values do not fit the rows or the family.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> other = fit.refit(fit.simulate(1, seed=1)[0])
        >>> other.nobs, bool(other.loglik == fit.loglik)
        (56, False)
        """
        return type(self)(**refit(self, y))

    def trace(self) -> pd.DataFrame:
        """The optimiser's path: one row a step with θ in lme4's units, coefficients, deviance and largest gradient."""
        return self.control.trace


def trace(fit: GeneralizedEstimates) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.trace`."""
    path = fit.optimum.trace
    linear, (at_theta, at_beta, at_extra) = fit.problem.linear, fit.objective.parts()
    names = theta_names(fit.problem.layout.size)
    table = pd.DataFrame([linear.theta(row[at_theta]) for row in path], columns=names)
    if not fit.objective.profiled:
        table[list(fit.coefficient_names)] = linear.fixef(path[:, at_beta].T.copy()).T
    if fit.objective.family.extra:
        table["tau"] = np.exp(path[:, at_extra.start])
    return table.assign(deviance=path[:, -2], gradient=path[:, -1]).rename_axis("step")


def update(
    fit: GeneralizedEstimates,
    formula: str | None,
    data: Any,
    kind: Kind,
    weights: str | ArrayLike | Keep | None,
    offset: str | ArrayLike | Keep | None,
    control: Control | Keep | None,
) -> GlmParts:
    """The parts behind `GeneralizedLinearMixedModel.update`, and that of ordered categories."""
    text = fit.formula if formula is None else update_formula(fit.design.formula, formula)
    asked = fit.request.control if isinstance(control, Keep) else check_control(settle_control(control))
    alike = kind.family == fit.family  # what is read of the response depends on the family alone
    if data is None and formula is None and alike and weights is KEEP and offset is KEEP:
        return fit_design(fit.design, replace(fit.request, control=asked), kind)
    if control is KEEP:
        asked = without_start(asked)
    given = _with_response(fit) if data is None else replace(fit.request, data=data, response=None)
    return fit_generalized(parse(text), changed(given, weights, offset, asked), kind)


def _with_response(fit: GeneralizedEstimates) -> Request:
    """The request with data that hold the response which was fitted."""
    return fit.request if fit.request.response is None else on_rows(fit)


def on_rows(fit: GeneralizedEstimates) -> Request:
    """The request for the rows that were used and no others, whatever values they lack in other columns."""
    design = fit.design
    frame = as_frame(fit.request.data).iloc[design.used]
    if fit.request.response is not None:
        sides = quotient(design.formula)
        name = unquote(design.formula.response if sides is None else sides[0])
        if name not in frame.columns:
            raise MixedsimError(
                f"the model was refitted to other values of {name!r}, which is no column of the data: add them as a "
                "column and fit that, or pass data=."
            )
        frame = frame.assign(**{name: in_units_of_data(design, fit.request.response)})
    weights = design.trials if design.shares else design.weights
    return Request(frame, weights=weights, offset=design.offset, control=without_start(fit.request.control))


def refit(fit: GeneralizedEstimates, y: Any) -> GlmParts:
    """The parts behind `GeneralizedLinearMixedModel.refit`."""
    design = fit.design
    response = _read_again(design, fit.kind, new_response(design, _coded(design, y)))
    told = tuple(message for message in design.messages if message not in _said_of(design, fit.kind))
    new = replace(design, y=response.y, messages=(*told, *response.messages))
    request = replace(fit.request, control=without_start(fit.request.control), response=response.y)
    return fit_design(new, request, fit.kind)


def _said_of(design: Design, kind: Kind) -> tuple[str, ...]:
    """What was said of the old response."""
    return _read_again(design, kind, in_numbers(design, design.y)).messages


def _read_again(design: Design, kind: Kind, y: Floats) -> Response:
    """A response in the units of the data, held against what the family allows."""
    name, weights = design.formula.response, design.weights
    if kind.family == "binomial":
        if design.trials is None or design.shares:
            weights = design.trials if design.shares else weights
            return shares(name, y, design.index, weights, design.categories)
        return counted(design.formula, y, design.trials, design.index, weights)
    return (amounts if kind.scaled else counts)(name, y, design.index, weights)


def in_numbers(design: Design, y: Floats) -> Floats:
    """Responses (rows, or rows × r) as the data hold them, categories as 0 and 1: shares where those are given."""
    if not design.shares or design.trials is None:
        return y
    return y / (design.trials if y.ndim == 1 else design.trials[:, None])


def in_units_of_data(design: Design, y: Floats) -> Any:
    """One response as the data hold it, categories and truth values included."""
    numbers = in_numbers(design, y)
    if design.categories is None:
        return numbers
    labels = list(design.categories)
    if labels == [False, True]:
        return numbers.astype(bool)
    return pd.Categorical.from_codes(numbers.astype(np.intp), categories=pd.Index(labels), ordered=len(labels) > 2)


def _coded(design: Design, y: Any) -> Any:
    """Categories and truth values as 0 and 1; numbers as they are."""
    if design.categories is None:
        return y
    values = y if isinstance(y, pd.Series) else pd.Series(np.asarray(y))
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return y
    odd = values[~values.isin(list(design.categories)) & values.notna()]
    if len(odd):
        known = " and ".join(map(shown, design.categories))
        raise DataError(
            f"the new response holds {shown(odd.iloc[0])} where the model was fitted to {known}: use these categories."
        )
    coded = values.map(dict(zip(design.categories, (0.0, 1.0), strict=True))).astype(float)
    return coded if isinstance(y, pd.Series) else coded.to_numpy()
