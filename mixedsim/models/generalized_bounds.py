"""Predictions of a generalised model with an interval: for the mean of a row, or for a new response.

The interval of a mean is laid on the scale of the link, where errors are nearly normal, and taken back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from mixedsim.engine.glm_links import predictor_of
from mixedsim.errors import DataError
from mixedsim.formula import unquote
from mixedsim.frame import as_frame
from mixedsim.inference.effect_sizes import standardised
from mixedsim.inference.glm_average import WITHOUT_MEAN, Average, inverse_slope
from mixedsim.inference.glm_distribution import Law
from mixedsim.inference.glm_prediction import predictor_variance
from mixedsim.inference.glm_predictive import predictive
from mixedsim.inference.glm_responses import means
from mixedsim.inference.prediction_variance import Rows
from mixedsim.measurements import calculated, numbers_of
from mixedsim.models.generalized_covariance import joint_covariance
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.prediction_rows import Target, named, row_numbers
from mixedsim.reading import read_column
from mixedsim.response import quotient

Floats = NDArray[np.float64]
COLUMNS = ["estimate", "se", "df", "lower", "upper"]


def of_mean(fit: GeneralizedEstimates, target: Target, eta: Floats, scale: str, level: float) -> pd.DataFrame:
    """Means with their interval; `eta` are the predictors, NaN where a row has none."""
    se = _errors(fit, target, eta, observation=False)
    half = float(ndtri(0.5 + level / 2.0)) * se
    if scale == "link":
        return _table(target, eta, se, eta - half, eta + half)
    return _table(target, means(fit.family, fit.link, eta), *_on_response(fit, eta, se, half))


def of_average(
    fit: GeneralizedEstimates, target: Target, eta: Floats, found: Average, scale: str, level: float
) -> pd.DataFrame:
    """Means of the population with their interval; `found` has them with their derivatives."""
    usable = np.isfinite(eta)
    rows = _standardised_rows(fit, target, usable, observation=False)
    by_theta = _variance_slopes(fit, rows.z)
    slopes = np.full((len(eta), by_theta.shape[1] + rows.x.shape[1]), np.nan)
    slopes[usable] = np.hstack(
        [found.by_variance[usable, None] * fit.sigma**2 * by_theta, found.by_eta[usable, None] * rows.x]
    )
    with np.errstate(all="ignore"):  # a mean of 1 to all digits (separation) has no predictor: its interval is NaN
        marginal = predictor_of(fit.link, found.mean)
        slopes /= inverse_slope(fit.family, fit.link, marginal)[:, None]
    se = np.sqrt(np.einsum("nk,kl,nl->n", slopes, joint_covariance(fit), slopes).clip(min=0.0))
    half = float(ndtri(0.5 + level / 2.0)) * se
    if scale == "link":
        return _table(target, marginal, se, marginal - half, marginal + half)
    return _table(target, found.mean, *_on_response(fit, marginal, se, half))


def of_response(
    fit: GeneralizedEstimates,
    target: Target,
    eta: Floats,
    mean: Floats,
    new: Any,
    weights: str | ArrayLike | None,
    level: float,
) -> pd.DataFrame:
    """Means with the interval of a new response; numbers of successes come as shares, as the means do."""
    law = _law(fit, new, weights, len(eta))
    se = _errors(fit, target, eta, observation=True)
    size = np.broadcast_to(law.trials, len(eta))
    usable = np.flatnonzero(np.isfinite(se) & np.isfinite(size) & np.isfinite(np.broadcast_to(law.precision, len(eta))))
    ends = np.full((3, len(eta)), np.nan)
    found = predictive(_part(law, usable), fit.link, eta[usable], se[usable], level)
    ends[:, usable] = np.array([found.sd, found.lower, found.upper]) / size[usable]
    if fit.link in WITHOUT_MEAN:
        ends[0] = np.nan  # 1/η has no variance: ends it has
    return _table(target, mean, *ends)


def _table(target: Target, estimate: Floats, se: Floats, lower: Floats, upper: Floats) -> pd.DataFrame:
    values = [estimate, se, np.where(np.isfinite(se), np.inf, np.nan), lower, upper]
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)), index=target.index)


def _on_response(fit: GeneralizedEstimates, eta: Floats, se: Floats, half: Floats) -> tuple[Floats, Floats, Floats]:
    """Standard error by the delta method, and the ends taken back; where they leave the link's range there is none."""
    with np.errstate(all="ignore"):
        slope = np.abs(inverse_slope(fit.family, fit.link, eta))
        ends = np.array([means(fit.family, fit.link, eta - half), means(fit.family, fit.link, eta + half)])
    return slope * se, ends.min(axis=0), ends.max(axis=0)


def _errors(fit: GeneralizedEstimates, target: Target, eta: Floats, *, observation: bool) -> Floats:
    """Standard deviations of the predictors' errors; NaN where there is no predictor."""
    usable = np.isfinite(eta)
    rows = _standardised_rows(fit, target, usable, observation=observation)
    variance = predictor_variance(fit.objective, fit.at, joint_covariance(fit), fit.sigma**2, rows)
    out = np.full(len(eta), np.nan)
    out[usable] = np.sqrt(variance.clip(min=0.0))
    return out


def _standardised_rows(
    fit: GeneralizedEstimates, target: Target, usable: NDArray[np.bool_], *, observation: bool
) -> Rows:
    """The usable rows in the columns of the engine.

    A factor that takes no part has an effect of zero in a mean, but a new response still comes from some level of it.
    """
    problem, n = fit.problem.linear, len(target.index)
    kept = [target.x.columns[j] for j in problem.fixed.kept]
    x = standardised(kept, problem.fixed.transform, n)
    z, unknown = [], []
    for transform, columns, new, taken in zip(problem.varying, target.z, target.new, target.part, strict=True):
        own = standardised(columns, transform, n) if columns else np.zeros((n, len(transform)))
        z.append(own[usable])
        unknown.append(new[usable] if taken else np.full(int(usable.sum()), observation))
    return Rows(x[usable], z, [codes[usable] for codes in target.codes], unknown, np.zeros(int(usable.sum())))


def _variance_slopes(fit: GeneralizedEstimates, z: list[Floats]) -> Floats:
    """Derivatives of ``z'ΛΛ'z`` by the standardised θ: n × K."""
    layout = fit.problem.layout
    out = np.zeros((len(z[0]), layout.size))
    for own, lam, mine in zip(z, fit.at.lambdas, layout.of_factor, strict=True):
        half = own @ lam
        out[:, mine] = 2.0 * own[:, layout.row[mine]] * half[:, layout.column[mine]]
    return out


# ---- how a new response varies about its mean


def _law(fit: GeneralizedEstimates, new: Any, weights: str | ArrayLike | None, rows: int) -> Law:
    """The distribution of a new response of every row."""
    weights = named(weights, fit.request.weights, new)
    if fit.family == "binomial":
        return Law("binomial", trials=_trials(fit, new, weights, rows))
    if not fit.kind.scaled:
        return Law(fit.family, tau=fit.tau)
    return Law(fit.family, precision=_weights(fit, new, weights, rows) / fit.sigma**2)


def _part(law: Law, where: NDArray[np.intp]) -> Law:
    trials, precision = (
        value[where] if isinstance(value, np.ndarray) else value for value in (law.trials, law.precision)
    )
    return Law(law.kind, trials, precision, law.tau)


def _trials(fit: GeneralizedEstimates, new: Any, weights: str | ArrayLike | None, rows: int) -> Floats:
    """Numbers of trials of the rows that are predicted."""
    design = fit.design
    if new is None or design.trials is None:
        return np.ones(rows) if design.trials is None else design.trials
    frame = as_frame(new)
    sides = quotient(design.formula)
    if sides is None:
        if weights is None:
            raise DataError(
                "the response is a share of trials, and where a new one will lie depends on how many there are: pass "
                "weights=, a column of the new data or one number of trials a row."
            )
        values = row_numbers("weights", weights, frame)
    else:
        values = _denominator(sides[1], frame, rows)
    odd = (values < 1) | (values != np.round(values))
    if (odd & np.isfinite(values)).any():
        raise DataError("the trials of new rows must be whole numbers of at least 1: mend or drop the others.")
    return values


def _denominator(text: str, frame: pd.DataFrame, rows: int) -> Floats:
    """The right side of ``successes / trials`` in the new data."""
    name = unquote(text)
    if name in frame.columns:
        return np.asarray(numbers_of(name, read_column(name, frame[name])), dtype=np.float64)
    try:
        return np.full(rows, float(text))
    except ValueError:
        pass
    if name.isidentifier():
        raise DataError(
            f"where a new response will lie depends on its number of trials, and the new data have no column {name!r}: "
            "add it, or ask for interval='confidence', which is that of the mean."
        )
    return calculated(text, {column: read_column(column, frame[column]) for column in frame.columns})


def _weights(fit: GeneralizedEstimates, new: Any, weights: str | ArrayLike | None, rows: int) -> Floats:
    """Prior weights of the rows that are predicted."""
    own = fit.design.weights
    if new is None or own is None:
        return np.ones(rows) if own is None else own
    if weights is None:
        raise DataError(
            "the model was fitted with weights, which a prediction interval for new rows needs too: pass weights=, a "
            "column of the new data or one positive number a row."
        )
    values = row_numbers("weights", weights, as_frame(new))
    if (values <= 0).any():
        raise DataError("weights of new rows must be positive: a weight of zero is a row with an infinite variance.")
    return values
