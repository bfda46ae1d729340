"""Estimated marginal means: what the model expects at each level of some variables, averaged over the others.

The model is asked for its mean on a reference grid (`mean_rows`: Searle, Speed & Milliken 1980, The American
Statistician 34:216). Random effects are at their mean, zero: in a linear model these are means of the population.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.design import Design
from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import Combinations, two_sided
from mixedsim.inference.studentized_range import range_probability, range_quantile
from mixedsim.models.combinations import combinations
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.mean_rows import MeanRows, mean_rows, pair_labels, pair_positions
from mixedsim.models.tables import half_width, t_table

Floats = NDArray[np.float64]
Adjust = Literal["holm", "bonferroni", "tukey"]


@dataclass(frozen=True, eq=False)
class _Means:
    """What a table of marginal means was made from: the rows, what combines them, the level that was asked for."""

    own: MeanRows
    combine: Callable[[Floats], Combinations]
    level: float


class MarginalMeans(pd.DataFrame):
    """Estimated marginal means: a DataFrame with columns emmean, se, df, lower, upper, and the method `pairs`.

    Whatever is selected or computed from it is an ordinary DataFrame.
    """

    _metadata = ["_means"]  # noqa: RUF012 (pandas' own name for attributes that a subclass adds)
    _means: _Means

    def pairs(self, adjust: Adjust | None = "holm") -> pd.DataFrame:
        """Differences between all pairs of means within each ``by`` group: estimate, se, df, t, p, lower, upper.

        Parameters
        ----------
        adjust : p-values and intervals for all pairs of a group at once: ``"holm"`` (Holm 1979, Scand. J. Stat. 6:65;
            intervals are Bonferroni's, as Holm's method has none), ``"bonferroni"``, ``"tukey"`` (studentised range,
            exact for equal standard errors); None takes each pair on its own.

        Raises
        ------
        MixedsimError
            For another `adjust`, or fewer than two means in a group.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))
        >>> fit.emmeans("recipe").pairs()[["estimate", "se", "p"]].round(2)
                  estimate    se    p
        contrast
        A - B         1.48  2.46  1.0
        A - C         1.52  2.46  1.0
        B - C         0.04  2.46  1.0
        """
        return compare(self._means, adjust)


def marginal_means(
    fit: LinearEstimates,
    of: str | Sequence[str],
    by: str | Sequence[str] | None,
    ddf: str,
    level: float,
    at: Mapping[str, Any] | None,
) -> MarginalMeans:
    """The table behind `LinearMixedModel.emmeans`."""
    own = mean_rows(fit.design, fit.problem, of, by, at)
    return mean_table(own, lambda rows: combinations(fit, rows, ddf), level, fit.design)


def mean_table(
    own: MeanRows, combine: Callable[[Floats], Combinations], level: float, design: Design
) -> MarginalMeans:
    """The means with their intervals, an offset at its mean."""
    found = combined(combine, own.rows)
    centre = found.estimate + (0.0 if design.offset is None else float(design.offset.mean()))
    half = half_width(found, level)
    table = MarginalMeans(
        {"emmean": centre, "se": found.se, "df": found.df, "lower": centre - half, "upper": centre + half},
        index=own.index,
    )
    table._means = _Means(own, combine, level)
    return table


def combined(combine: Callable[[Floats], Combinations], rows: Floats) -> Combinations:
    """Linear combinations; those that cannot be told are NaN."""
    known = ~np.isnan(rows).any(axis=1)
    found = combine(rows[known])
    if known.all():
        return found
    estimate, df = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    covariance = np.full((len(rows), len(rows)), np.nan)
    estimate[known], df[known] = found.estimate, found.df
    covariance[np.ix_(known, known)] = found.covariance
    return Combinations(estimate, covariance, df)


def compare(means: _Means, adjust: Adjust | None, sign: str = "-") -> pd.DataFrame:
    """The table behind `MarginalMeans.pairs`; `sign` stands between the names of the two means."""
    if adjust is not None and adjust not in get_args(Adjust):
        raise MixedsimError(f"adjust must be 'holm', 'bonferroni', 'tukey' or None, found {adjust!r}.")
    own_rows, families = means.own.rows, means.own.families
    left, right = pair_positions(means.own)
    found = combined(means.combine, own_rows[left] - own_rows[right])
    out = t_table(found, pair_labels(means.own, left, right, sign), means.level)
    if adjust is None:
        return out
    known = ~np.isnan(own_rows).any(axis=1).reshape(families, -1)
    count = len(left) // families
    for family, several in enumerate(known.sum(axis=1)):
        own = slice(family * count, (family + 1) * count)
        p, half = _adjusted(out["t"].to_numpy()[own], found.df[own], int(several), means.level, adjust)
        half = half * found.se[own]
        out.iloc[own, out.columns.get_loc("p")] = p  # type: ignore[index]
        out.iloc[own, out.columns.get_loc("lower")] = found.estimate[own] - half  # type: ignore[index]
        out.iloc[own, out.columns.get_loc("upper")] = found.estimate[own] + half  # type: ignore[index]
    return out


def _adjusted(t: Floats, df: Floats, size: int, level: float, adjust: Adjust) -> tuple[Floats, Floats]:
    """p-values of all pairs of `size` means together, and half the width of their intervals in standard errors."""
    if adjust == "tukey":
        return range_probability(np.sqrt(2.0) * np.abs(t), size, df), range_quantile(level, size, df) / np.sqrt(2.0)
    count = size * (size - 1) // 2
    p = two_sided(t, df)
    half = special.stdtrit(df, 1.0 - (1.0 - level) / (2.0 * max(count, 1)))
    return (_holm(p) if adjust == "holm" else np.minimum(p * count, 1.0)), np.asarray(half)


def _holm(p: Floats) -> Floats:
    """Holm's step-down adjustment; NaN stays NaN and counts for nothing."""
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    out = np.full(len(p), np.nan)
    out[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return out
