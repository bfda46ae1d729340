"""Estimated marginal means: what the model expects at each level of some variables, averaged over the others.

The model is asked for its mean on a reference grid: every combination of the levels of all factors, numeric variables
at their means. Averaging over the grid counts each level alike, however many rows it has (Searle, Speed & Milliken
1980, The American Statistician 34:216). Random effects are at their mean, zero: these are means of the population.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations as pairs_of
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.columns import model_columns
from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import Combinations, two_sided
from mixedsim.inference.hypotheses import dependence
from mixedsim.inference.studentized_range import range_probability, range_quantile
from mixedsim.models.combinations import combinations
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.tables import half_width, t_table

Floats = NDArray[np.float64]
Adjust = Literal["holm", "bonferroni", "tukey"]
_MOST_CELLS = 1_000_000  # of the reference grid


@dataclass(frozen=True, eq=False)
class _Means:
    """What a table of marginal means was made from.

    Attributes
    ----------
    fit, ddf, level : as they were asked for.
    rows : m × p, each mean as a linear combination of the coefficients; NaN where the data cannot tell.
    outer : how many of the index's names are ``by`` variables; they stand first.
    families : how many combinations of their values there are, each with equally many means.
    """

    fit: LinearEstimates
    ddf: str
    level: float
    rows: Floats
    outer: int
    families: int


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
        return _pairs(self, self._means, adjust)


def marginal_means(
    fit: LinearEstimates,
    of: str | Sequence[str],
    by: str | Sequence[str] | None,
    ddf: str,
    level: float,
    at: Mapping[str, Any] | None,
) -> MarginalMeans:
    """The table behind `LinearMixedModel.emmeans`."""
    inner, outer = _names(of), _names(by)
    if not inner:
        raise MixedsimError("no variable is given whose means are wanted: name one of the fixed part.")
    grid = reference_grid(fit, {} if at is None else at)
    for name in [*outer, *inner]:
        if name not in grid:
            tail = nearest(name, grid) if grid else "the fixed part has no variables."
            raise MixedsimError(f"{name!r} is no variable of the fixed part: {tail}")
        if [*outer, *inner].count(name) > 1:
            raise MixedsimError(f"{name!r} is given twice: name each variable once.")
    shown = [*outer, *inner]
    rows = _averages(fit, grid, shown)
    found = _combined(fit, rows, ddf)
    index = pd.MultiIndex.from_product([grid[name] for name in shown], names=shown)
    centre = found.estimate + (0.0 if fit.design.offset is None else float(fit.design.offset.mean()))
    half = half_width(found, level)
    table = MarginalMeans(
        {"emmean": centre, "se": found.se, "df": found.df, "lower": centre - half, "upper": centre + half},
        index=index if len(shown) > 1 else index.get_level_values(0),
    )
    families = int(np.prod([len(grid[name]) for name in outer], dtype=int))
    table._means = _Means(fit, ddf, level, rows, len(outer), families)
    return table


def reference_grid(fit: LinearEstimates, at: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each variable of the fixed part that the grid combines: {variable: values}.

    Levels of a factor (both values of a boolean one), all values of a number that the formula makes a factor, the mean
    of any other number; `at` replaces them.
    """
    variables = fit.design.variables
    if not isinstance(at, Mapping):
        raise MixedsimError(f"at must map variables to values, as in {{'x': [0, 1]}}, found {at!r}.")
    unknown = [name for name in at if name not in variables]
    if unknown:
        tail = nearest(unknown[0], variables) if variables else "the fixed part has no variables."
        raise MixedsimError(f"at names {unknown[0]!r}, which is no variable of the fixed part: {tail}")
    made_factors = _numbers_made_factors(fit)
    grid: dict[str, list[Any]] = {}
    for name, values in variables.items():
        if name in at:
            grid[name] = _chosen(name, at[name], values)
        elif isinstance(values, pd.Categorical):
            grid[name] = list(values.categories)
        elif values.dtype == np.bool_:
            grid[name] = [False, True]
        elif name in made_factors:
            grid[name] = np.unique(values).tolist()
        else:
            grid[name] = [float(np.mean(values))]
    return grid


def _chosen(name: str, given: Any, values: Any) -> list[Any]:
    """Values that somebody chose for a variable."""
    chosen = [given] if isinstance(given, str) or np.ndim(given) == 0 else list(given)
    if isinstance(values, pd.Categorical):
        unseen = [level for level in chosen if level not in values.categories]
        if unseen:
            tail = nearest(str(unseen[0]), values.categories)
            raise MixedsimError(f"at names a level {unseen[0]!r}, which {name!r} does not have: {tail}")
    elif not all(isinstance(v, int | float | np.number | np.bool_) and np.isfinite(v) for v in chosen):
        raise MixedsimError(f"at must give finite numbers for {name!r}, found {given!r}.")
    if not chosen or len(set(chosen)) < len(chosen):
        raise MixedsimError(f"at must give at least one value for {name!r}, and each only once.")
    return chosen


def _numbers_made_factors(fit: LinearEstimates) -> set[str]:
    """Numeric variables that stand in the formula as C(...)."""
    model = fit.design.x.spec.model_spec
    if model is None:
        return set()
    return {
        str(name)
        for factor in model.factor_contrasts
        for name in model.factor_variables.get(factor, ())
        if name in fit.design.variables
    }


def _averages(fit: LinearEstimates, grid: Mapping[str, list[Any]], shown: Sequence[str]) -> Floats:
    """Each mean as weights of the coefficients that could be estimated: m × p, NaN where it cannot be told."""
    order = [*shown, *(name for name in grid if name not in shown)]
    sizes = [len(grid[name]) for name in order]
    cells = int(np.prod(sizes, dtype=float))
    if cells > _MOST_CELLS:
        raise MixedsimError(
            f"the reference grid has {cells:,} cells, beyond the limit of {_MOST_CELLS:,}: "
            "hold some variables at one value with at={...}."
        )
    where = np.indices(sizes).reshape(len(sizes), -1)
    data = {name: np.array(grid[name], dtype=_dtype(fit, name))[where[i]] for i, name in enumerate(order)}
    spec = fit.design.x.spec
    columns = model_columns(spec.rhs, pd.DataFrame(data), spec).matrix()
    means = columns.reshape(int(np.prod(sizes[: len(shown)], dtype=int)), -1, columns.shape[1]).mean(axis=1)
    kept, dropped = list(fit.problem.fixed.kept), list(fit.problem.fixed.dropped)
    rows = means[:, kept]
    if dropped:
        # a mean can be told if its weights on the dropped columns follow from those on the others, as X's own do
        implied = rows @ dependence(fit.design, fit.problem)[:, dropped]
        size = np.abs(implied).max(axis=1, initial=1.0)
        rows[(np.abs(implied - means[:, dropped]) > 1e-6 * size[:, None]).any(axis=1)] = np.nan
    return np.asarray(rows)


def _dtype(fit: LinearEstimates, name: str) -> Any:
    values = fit.design.variables[name]
    if isinstance(values, pd.Categorical):
        return object
    return values.dtype if values.dtype == np.bool_ or name in _numbers_made_factors(fit) else np.float64


def _combined(fit: LinearEstimates, rows: Floats, ddf: str) -> Combinations:
    """Linear combinations; those that cannot be told are NaN."""
    known = ~np.isnan(rows).any(axis=1)
    found = combinations(fit, rows[known], ddf)
    if known.all():
        return found
    estimate, df = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    covariance = np.full((len(rows), len(rows)), np.nan)
    estimate[known], df[known] = found.estimate, found.df
    covariance[np.ix_(known, known)] = found.covariance
    return Combinations(estimate, covariance, df)


def _pairs(table: pd.DataFrame, means: _Means, adjust: Adjust | None) -> pd.DataFrame:
    if adjust is not None and adjust not in get_args(Adjust):
        raise MixedsimError(f"adjust must be 'holm', 'bonferroni', 'tukey' or None, found {adjust!r}.")
    size = len(means.rows) // means.families
    if size < 2:
        raise MixedsimError("there is one mean in each group, so there are no pairs to compare.")
    first, second = np.array(list(pairs_of(range(size), 2))).T
    starts = np.arange(means.families)[:, None] * size
    left, right = (starts + first).ravel(), (starts + second).ravel()
    found = _combined(means.fit, means.rows[left] - means.rows[right], means.ddf)
    out = t_table(found, _pair_labels(table.index, left, right, means.outer), means.level)
    if adjust is None:
        return out
    known = ~np.isnan(means.rows).any(axis=1).reshape(means.families, size)
    for family, several in enumerate(known.sum(axis=1)):
        own = slice(family * len(first), (family + 1) * len(first))
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


def _pair_labels(
    index: pd.Index[Any], left: NDArray[np.intp], right: NDArray[np.intp], outer: int
) -> pd.Index[Any]:
    """``a - b`` for every pair, below the values of the ``by`` variables."""
    keys = [key if isinstance(key, tuple) else (key,) for key in index]
    own = [" ".join(map(_text, key[outer:])) for key in keys]
    labels = [f"{own[i]} - {own[j]}" for i, j in zip(left, right, strict=True)]
    if not outer:
        return pd.Index(labels, name="contrast")
    above = [keys[i][:outer] for i in left]
    return pd.MultiIndex.from_tuples(
        [(*key, label) for key, label in zip(above, labels, strict=True)], names=[*index.names[:outer], "contrast"]
    )


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _names(given: str | Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    if not np.iterable(given):
        raise MixedsimError(f"variables are given by name, found {given!r}.")
    return [given] if isinstance(given, str) else list(given)
