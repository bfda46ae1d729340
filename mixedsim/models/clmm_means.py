"""Marginal means of a cumulative-link mixed model: on the latent scale, and as probabilities of the categories.

On the latent scale a mean is ``x'β`` less the mean of the thresholds. Probabilities are those at this mean, with the
standard error of the delta method: with the ends h = α_k − η and l = α_{k−1} − η of category k,
``dp = p (∂ℓ/∂h dh + ∂ℓ/∂l dl)`` (see `glm_intervals`). Their intervals are laid on the log odds of each category.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from mixedsim.errors import MixedsimError
from mixedsim.formula import unquote
from mixedsim.inference.contrasts import Combinations, check_level
from mixedsim.inference.glm_thresholds import intervals
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.emmeans import mean_table
from mixedsim.models.mean_rows import MeanRows, mean_rows

Floats = NDArray[np.float64]
Scale = Literal["link", "probability"]


def emmeans(
    fit: ClmmEstimates,
    of: str | Sequence[str],
    by: str | Sequence[str] | None,
    level: float,
    scale: str,
    at: Mapping[str, Any] | None,
) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.emmeans`."""
    if scale not in get_args(Scale):
        raise MixedsimError(f"scale must be 'link' or 'probability', found {scale!r}.")
    own = mean_rows(fit.design, fit.problem.linear, of, by, at)
    if scale == "link":
        return mean_table(own, lambda rows: _combinations(fit, rows), level, fit.design)
    return _probabilities(fit, own, level)


def _combinations(fit: ClmmEstimates, rows: Floats) -> Combinations:
    """Combinations of the intercept and the coefficients, with minus the mean threshold for the intercept."""
    count = len(fit.threshold_names)
    matrix = _of_located(fit, rows, np.full(count, -1.0 / count))
    covariance = matrix @ fit.located.covariance @ matrix.T
    return Combinations(matrix @ fit.located.estimates, covariance, np.full(len(rows), np.inf))


def _of_located(fit: ClmmEstimates, rows: Floats, intercept: Floats) -> Floats:
    """Rows of p coefficients as rows of thresholds and coefficients; `intercept` is what one of it stands for."""
    where = fit.problem.linear.intercept
    assert where is not None
    return np.hstack([rows[:, [where]] * intercept, np.delete(rows, where, axis=1)])


def _probabilities(fit: ClmmEstimates, own: MeanRows, level: float) -> pd.DataFrame:
    check_level(level)
    count = len(fit.threshold_names)
    rows = _of_located(fit, own.rows, np.zeros(count))
    eta = rows @ fit.located.estimates + (0.0 if fit.design.offset is None else float(fit.design.offset.mean()))
    found = intervals(fit.link, eta, fit.located.thresholds)
    share = np.exp(found.log_share)
    by_lower = -found.score - found.by_upper
    no_end = np.zeros((1, rows.shape[1]))
    ends = np.hstack([np.eye(count), np.zeros((count, rows.shape[1] - count))])  # thresholds as rows of all parameters
    upper, lower = np.vstack([ends, no_end]), np.vstack([no_end, ends])
    slopes = share[..., None] * (
        found.by_upper[..., None] * upper + by_lower[..., None] * lower + found.score[..., None] * rows[:, None, :]
    )
    variance = np.einsum("mki,ij,mkj->mk", slopes, fit.located.covariance, slopes)
    se = np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(all="ignore"):  # a probability of 0 or 1 to all digits has no odds
        half = float(ndtri(0.5 + level / 2.0)) * se / (share * (1.0 - share))
        lower_end, upper_end = expit(logit(share) - half), expit(logit(share) + half)
    columns = {"probability": share, "se": se, "df": np.full_like(share, np.inf)}
    table = {name: values.reshape(-1) for name, values in (columns | {"lower": lower_end, "upper": upper_end}).items()}
    return pd.DataFrame(table, index=_index(fit, own))


def _index(fit: ClmmEstimates, own: MeanRows) -> pd.MultiIndex:
    """The values of each mean, and the category."""
    means = [one if isinstance(one, tuple) else (one,) for one in own.index]
    names = [*own.index.names, unquote(fit.design.formula.response)]
    return pd.MultiIndex.from_tuples([(*one, label) for one in means for label in fit.categories], names=names)
