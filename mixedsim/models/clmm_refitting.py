"""A fitted cumulative-link mixed model fitted again: another formula, response or link gives another object."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.engine import Control
from mixedsim.errors import DataError, shown
from mixedsim.formula import unquote
from mixedsim.inference.glm_thresholds import family_of_categories
from mixedsim.models import generalized_refitting
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.fitting import without_start
from mixedsim.models.generalized_family import settle_ordinal
from mixedsim.models.generalized_fitting import GlmParts, fit_design
from mixedsim.models.refitting import KEEP, Keep, UsedControl, new_response, theta_names
from mixedsim.ordered_response import ordered

Floats = NDArray[np.float64]


class ClmmRefitting(ClmmEstimates):
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
        link: str | None = None,
        nagq: int | None = None,
        weights: str | ArrayLike | Keep | None = KEEP,
        offset: str | ArrayLike | Keep | None = KEEP,
        control: Control | Keep | None = KEEP,
    ) -> Self:
        """Another model, fitted with everything that is not named here as it was.

        Parameters
        ----------
        formula : a change such as ``". ~ . + price - (1 | school)"`` (see `mixedsim.update_formula`), or a formula.
        data, link, nagq, weights, offset, control : as in `clmm`; ``weights=None`` takes the weights away.

        Raises
        ------
        FormulaError, DataError
            As `clmm` does, and where a term is to be removed that is not there.
        """
        kind = settle_ordinal(self.link if link is None else link, self.nagq if nagq is None else nagq)
        return type(self)(**generalized_refitting.update(self, formula, data, kind, weights, offset, control))

    def refit(self, y: Any) -> Self:
        """The same model fitted to another response on the same rows.

        Parameters
        ----------
        y : n categories, one for each row that was fitted (or that was given). A Series is matched by its index.

        Raises
        ------
        DataError
            If the values do not fit the rows, or are none of the model's categories.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> other = fit.refit(fit.simulate(1, seed=1)[0])
        >>> other.nobs == fit.nobs, other.loglik == fit.loglik
        (True, False)
        """
        return type(self)(**refit(self, y))

    def trace(self) -> pd.DataFrame:
        """The optimiser's path: one row a step with θ in lme4's units, coefficients, thresholds, deviance, gradient."""
        return self.control.trace


def trace(fit: ClmmEstimates) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.trace`."""
    path = fit.optimum.trace
    linear, (at_theta, at_beta, at_extra) = fit.problem.linear, fit.objective.parts()
    assert linear.intercept is not None
    table = pd.DataFrame([linear.theta(row[at_theta]) for row in path], columns=theta_names(fit.problem.layout.size))
    beta = linear.fixef(path[:, at_beta].T.copy()).T
    cuts = np.array([family_of_categories(fit.objective).cuts(row[at_extra]) for row in path])
    table[list(fit.coefficient_names)] = np.delete(beta, linear.intercept, axis=1)
    table[list(fit.threshold_names)] = cuts - beta[:, [linear.intercept]]
    return table.assign(deviance=path[:, -2], gradient=path[:, -1]).rename_axis("step")


def refit(fit: ClmmEstimates, y: Any) -> GlmParts:
    """The parts behind `CumulativeLinkMixedModel.refit`."""
    design = fit.design
    name = unquote(design.formula.response)
    codes = new_response(design, _coded(fit, y)).astype(np.intp)
    labels = pd.Index(list(fit.categories))
    values = pd.Categorical.from_codes(codes, categories=labels, ordered=True)
    response = ordered(name, values, design.index, design.weights)
    told = tuple(said for said in design.messages if not said.startswith(f"the response {name!r}"))
    new = replace(design, y=response.y, categories=response.categories, messages=(*told, *response.messages))
    request = replace(fit.request, control=without_start(fit.request.control), response=response.y)
    return fit_design(new, request, fit.kind)


def _coded(fit: ClmmEstimates, y: Any) -> Any:
    """Categories as their codes."""
    values = y if isinstance(y, pd.Series) else pd.Series(np.asarray(y))
    odd = values[~values.isin(list(fit.categories)) & values.notna()]
    if len(odd):
        known = ", ".join(map(shown, fit.categories))
        raise DataError(
            f"the new response holds {shown(odd.iloc[0])} where the model was fitted to {known}: use these categories."
        )
    codes = {label: float(k) for k, label in enumerate(fit.categories)}
    coded = values.astype(object).map(codes).astype(float)
    return coded if isinstance(y, pd.Series) else coded.to_numpy()
