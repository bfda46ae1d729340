"""Marginal means of a population beside those of a group in its middle, and their comparison.

Standard errors count what is not known of the random effects' variances, by the delta method on (θ, β); a dispersion
is taken as known. Intervals are laid on the scale of the link and taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from mixedsim.columns import model_columns
from mixedsim.design import VaryingTerm
from mixedsim.engine.glm_links import predictor_of
from mixedsim.formula import variables_of
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.glm_average import average, check_average, inverse_slope
from mixedsim.models.generalized_covariance import joint_covariance
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_means import exponential, on_response, ratio_of
from mixedsim.models.mean_rows import MeanRows, mean_rows, pair_labels, pair_positions

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Both:
    """Means of a middle group and of the population, m each, on the scale of the link.

    Attributes
    ----------
    conditional, marginal : m predictors.
    by_conditional, by_marginal : their derivatives by the standardised (θ, β): m × (K + p).
    by_mean : those of the population's means themselves.
    covariance : that of (θ, β).
    """

    conditional: Floats
    marginal: Floats
    by_conditional: Floats
    by_marginal: Floats
    by_mean: Floats
    covariance: Floats


@dataclass(frozen=True, eq=False)
class _Made:
    """What a table of population means was made from."""

    fit: GeneralizedEstimates
    own: MeanRows
    both: _Both
    level: float


class PopulationMeans(pd.DataFrame):
    """Means of a middle group (conditional) and of the population (marginal); `pairs` compares them.

    Whatever is selected or computed from it is an ordinary DataFrame.
    """

    _metadata = ["_made"]  # noqa: RUF012 (pandas' own name for attributes that a subclass adds)
    _made: _Made

    def pairs(self) -> pd.DataFrame:
        """Comparisons of all pairs within each ``by`` group, conditional and marginal, each with its interval.

        Ratios (of odds for the logit, hazards for cloglog, means for the log), or differences on the scale of another
        link; then the ``difference`` of the population's means. Intervals are those of single comparisons.

        Examples
        --------
        The odds ratio of the population lies nearer to 1 than that within a herd.

        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> table = fit.marginal_means("period").pairs()
        >>> table[["conditional", "marginal", "difference"]].round(2).head(1)
                  conditional  marginal  difference
        contrast
        1 / 2             2.7      2.56        0.12
        """
        return _pairs(self._made)


def marginal_means(
    fit: GeneralizedEstimates,
    of: str | Sequence[str],
    by: str | Sequence[str] | None,
    level: float,
    at: Mapping[str, Any] | None,
) -> PopulationMeans:
    """The table behind `GeneralizedLinearMixedModel.marginal_means`."""
    check_level(level)
    check_average(fit.link)
    own = mean_rows(fit.design, fit.problem.linear, of, by, at)
    both = _both(fit, own)
    columns: dict[str, Floats] = {}
    for name, eta, by_parameters in (
        ("conditional", both.conditional, both.by_conditional),
        ("marginal", both.marginal, both.by_marginal),
    ):
        half = _half(by_parameters, both.covariance, level)
        ends = np.column_stack([on_response(fit, eta - half), on_response(fit, eta + half)])
        columns[name] = on_response(fit, eta)
        columns[f"{name}_lower"], columns[f"{name}_upper"] = ends.min(axis=1), ends.max(axis=1)
    table = PopulationMeans(columns, index=own.index)
    table._made = _Made(fit, own, both, level)
    return table


def _both(fit: GeneralizedEstimates, own: MeanRows) -> _Both:
    linear, size = fit.problem.linear, fit.sigma**2
    standard = own.rows @ linear.fixed.transform
    offset = 0.0 if fit.design.offset is None else float(fit.design.offset.mean())
    eta = standard @ fit.at.beta + offset
    variance, by_theta = _variances(fit, own)
    found = average(fit.family, fit.link, eta, size * variance)
    by_mean = np.hstack([found.by_variance[:, None] * size * by_theta, found.by_eta[:, None] * standard])
    with np.errstate(all="ignore"):  # a mean of 1 to all digits (separation) has no predictor: its interval is NaN
        marginal = predictor_of(fit.link, found.mean)
        by_marginal = by_mean / inverse_slope(fit.family, fit.link, marginal)[:, None]
    return _Both(
        conditional=eta,
        marginal=marginal,
        by_conditional=np.hstack([np.zeros_like(by_theta), standard]),
        by_marginal=by_marginal,
        by_mean=by_mean,
        covariance=joint_covariance(fit),
    )


def _variances(fit: GeneralizedEstimates, own: MeanRows) -> tuple[Floats, Floats]:
    """z'ΛΛ'z of every mean and its derivatives by the standardised θ: m, and m × K."""
    layout, count = fit.problem.layout, len(own.rows)
    total, by_theta = np.zeros(count), np.zeros((count, layout.size))
    for factor, transform, lam, mine in zip(
        fit.design.factors, fit.problem.linear.varying, fit.at.lambdas, layout.of_factor, strict=True
    ):
        z = np.hstack([_effects(own, term, count) for term in factor.terms]) @ transform
        half = z @ lam
        total += (half**2).sum(axis=1)
        by_theta[:, mine] = 2.0 * z[:, layout.row[mine]] * half[:, layout.column[mine]]
    return total, by_theta


def _effects(own: MeanRows, term: VaryingTerm, count: int) -> Floats:
    """The columns of one term, averaged over the cells of each mean (m × q); over the rows for a variable that stands
    in no fixed effect."""
    spec = term.columns.spec
    if not variables_of(spec.rhs) <= set(own.cells.columns):
        return np.tile(term.columns.matrix().mean(axis=0), (count, 1))
    columns = model_columns(spec.rhs, own.cells, spec).matrix()
    return np.asarray(columns.reshape(count, -1, columns.shape[1]).mean(axis=1))


def _half(by_parameters: Floats, covariance: Floats, level: float) -> Floats:
    variance = np.einsum("ij,jk,ik->i", by_parameters, covariance, by_parameters)
    return np.asarray(float(ndtri(0.5 + level / 2.0)) * np.sqrt(np.maximum(variance, 0.0)))


def _pairs(made: _Made) -> pd.DataFrame:
    own, both = made.own, made.both
    left, right = pair_positions(own)
    log = ratio_of(made.fit) is not None
    columns: dict[str, Floats] = {}
    for name, values, by_parameters in (
        ("conditional", both.conditional, both.by_conditional),
        ("marginal", both.marginal, both.by_marginal),
        ("difference", on_response(made.fit, both.marginal), both.by_mean),
    ):
        gap = values[left] - values[right]
        half = _half(by_parameters[left] - by_parameters[right], both.covariance, made.level)
        turn = exponential if log and name != "difference" else np.asarray
        columns |= {name: turn(gap), f"{name}_lower": turn(gap - half), f"{name}_upper": turn(gap + half)}
    labels = pair_labels(own, left, right, "/" if log else "-")
    return pd.DataFrame(columns, index=labels)
