"""The same model again: another formula, another response, another criterion, another optimiser."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.design import Design
from mixedsim.engine import Control, Objective, Optimum, minimise
from mixedsim.engine.optimise import OPTIMIZERS
from mixedsim.errors import DataError, MixedsimError
from mixedsim.formula import parse, unquote
from mixedsim.frame import as_frame
from mixedsim.models.fitting import Parts, Request, fit_formula, fit_problem, settle_control, settle_flag, without_start
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.ranges import check_range
from mixedsim.scaling import scale_response
from mixedsim.update_formula import update_formula

Floats = NDArray[np.float64]


class Keep(Enum):
    """The default of an argument that stays as it was, where None means something else."""

    AS_IT_WAS = "as it was"


KEEP = Keep.AS_IT_WAS


@dataclass(frozen=True)
class UsedControl(Control):
    """How the optimiser was told to work, and where it went.

    Attributes
    ----------
    trace : one row an iteration: θ in lme4's units (`theta1` ...), the deviance, and its largest absolute derivative
        by the standardised θ (`gradient`).
    evaluations : how often the deviance was computed.
    """

    trace: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)
    evaluations: int = 0


def used_control(fit: LinearEstimates) -> UsedControl:
    """The control of a fit with the optimiser's trace."""
    path = fit.optimum.trace
    size = fit.problem.layout.size
    thetas = np.array([fit.problem.theta(row[:size]) for row in path]).reshape(-1, size)
    trace = pd.DataFrame(thetas, columns=theta_names(size))
    trace["deviance"] = path[:, size] + fit.problem.deviance_shift(fit.reml)
    trace["gradient"] = path[:, size + 1]
    trace.index.name = "iteration"
    own = fit.request.control
    return UsedControl(own.tolerance, own.max_iterations, own.snap, own.optimizer, own.start, trace,
                       fit.optimum.evaluations)  # fmt: skip


def theta_names(size: int) -> list[str]:
    """Names of the elements of θ in tables."""
    return [f"theta{k + 1}" for k in range(size)]


def update(
    fit: LinearEstimates,
    formula: str | None,
    data: Any,
    reml: bool | None,
    weights: str | ArrayLike | Keep | None,
    offset: str | ArrayLike | Keep | None,
    control: Control | Keep | None,
) -> Parts:
    """The parts behind `LinearMixedModel.update`."""
    text = fit.formula if formula is None else update_formula(fit.design.formula, formula)
    reml = fit.reml if reml is None else settle_flag("reml", reml)
    asked = fit.request.control if isinstance(control, Keep) else settle_control(control)
    if data is None and formula is None and weights is KEEP and offset is KEEP:
        return fit_problem(fit.design, fit.problem, replace(fit.request, control=asked), reml)
    if control is KEEP:
        asked = without_start(asked)
    given = _with_response(fit) if data is None else replace(fit.request, data=data, response=None)
    return fit_formula(parse(text), changed(given, weights, offset, asked), reml)


def changed(
    given: Request, weights: str | ArrayLike | Keep | None, offset: str | ArrayLike | Keep | None, control: Control
) -> Request:
    """The request with another control, and with the weights and the offset that are not to stay as they were."""
    return replace(
        given,
        weights=given.weights if isinstance(weights, Keep) else weights,
        offset=given.offset if isinstance(offset, Keep) else offset,
        control=control,
    )


def _with_response(fit: LinearEstimates) -> Request:
    """The request with data that hold the response which was fitted."""
    return fit.request if fit.request.response is None else on_rows(fit)


def on_rows(fit: LinearEstimates) -> Request:
    """The request for the rows that were used and no others, whatever values they lack in other columns."""
    frame = as_frame(fit.request.data).iloc[fit.design.used]
    if fit.request.response is not None:
        name = unquote(fit.design.formula.response)
        if name not in frame.columns:
            raise MixedsimError(
                f"the model was refitted to other values of {name!r}, which is no column of the data: add them as a "
                "column and fit that, or pass data=."
            )
        frame = frame.assign(**{name: fit.request.response})
    control = without_start(fit.request.control)
    return Request(frame, weights=fit.design.weights, offset=fit.design.offset, control=control)


def refit(fit: LinearEstimates, y: Any) -> Parts:
    """The parts behind `LinearMixedModel.refit`: only what depends on the response is computed again."""
    response = new_response(fit.design, y)
    design = replace(fit.design, y=response)
    centred = fit.problem.intercept is not None
    rest = response if design.offset is None else response - design.offset
    if float(rest.max()) == float(rest.min()):
        raise DataError(f"the new response is constant ({rest[0]:g} in all rows), so there is nothing to model.")
    standard, scaling = scale_response(rest, centred)
    cp = fit.rows.products(standard[:, None], fit.problem.cp)
    problem = replace(fit.problem, cp=cp, response=scaling)
    request = replace(fit.request, control=without_start(fit.request.control), response=response)
    return fit_problem(design, problem, request, fit.reml)


def new_response(design: Design, y: Any) -> Floats:
    """New responses, one for each row that was used."""
    if isinstance(y, pd.Series) and not y.index.equals(design.index):
        if not y.index.is_unique or len(design.index.difference(y.index)):
            raise DataError("the new response is a Series whose index is not that of the rows: pass its values.")
        y = y.loc[design.index]
    try:
        if np.asarray(y).dtype.kind not in "iufO" or pd.api.types.infer_dtype(np.ravel(y)) in ("boolean", "string"):
            raise TypeError
        values = np.array(y, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"the new response must be numbers, one a row, found {_kind(y)}.") from None
    if values.shape == (design.rows_given,):
        values = values[design.used]
    if values.shape != (design.rows,):
        raise DataError(
            f"the new response must have one value for each of the {design.rows} rows that were fitted, found "
            f"{'shape ' + str(values.shape) if values.ndim != 1 else len(values)}."
        )
    bad = ~np.isfinite(values)
    if bad.any():
        label, count = design.index[int(np.argmax(bad))], int(bad.sum())
        raise DataError(
            f"the new response must be finite numbers: row {label} holds {values[bad][0]:g} ({count} such "
            f"row{'s' if count > 1 else ''}); to leave rows out, use update(data=...)."
        )
    check_range("the new response holds", values)
    return values


def _kind(y: Any) -> str:
    dtype = getattr(y, "dtype", None)
    return type(y).__name__ if dtype is None else f"{type(y).__name__} of {dtype}"


def all_optimizers(fit: LinearEstimates, optimizers: Sequence[str] | None) -> pd.DataFrame:
    """The table behind `LinearMixedModel.all_optimizers`."""
    se = np.sqrt(np.diag(fit.vcov))
    rows = []
    names = list(OPTIMIZERS if optimizers is None else optimizers)
    for name in names:
        control = Control(fit.request.control.tolerance, optimizer=name)  # type: ignore[arg-type]
        began = time.perf_counter()
        optimum: Optimum = minimise(Objective(fit.problem.cp, fit.problem.layout, fit.reml), control=control)
        seconds = time.perf_counter() - began
        beta = fit.problem.fixef(optimum.profile.beta.copy())
        rows.append(
            {
                "loglik": -0.5 * (optimum.profile.deviance + fit.problem.deviance_shift(fit.reml)),
                "fixef_difference": float((np.abs(beta - fit.fixef.to_numpy()) / se).max(initial=0.0)),
                "evaluations": optimum.evaluations,
                "converged": optimum.converged,
                "seconds": seconds,
            }
        )
    return pd.DataFrame(rows, index=pd.Index(names, name="optimizer"))
