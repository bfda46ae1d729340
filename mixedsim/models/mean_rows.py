"""What marginal means are: linear combinations of the coefficients, found on a reference grid.

The grid holds every combination of the levels of all factors, numeric variables at their means. Averaging over it
counts each level alike, however many rows it has (Searle, Speed & Milliken 1980, The American Statistician 34:216).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations as pairs_of
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.design import Design
from mixedsim.engine import Problem
from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.hypotheses import dependence

Floats = NDArray[np.float64]
_MOST_CELLS = 1_000_000  # of the reference grid


@dataclass(frozen=True, eq=False)
class MeanRows:
    """Marginal means as linear combinations of the coefficients.

    Attributes
    ----------
    rows : m × p; NaN where the data cannot tell.
    index : the values that each mean belongs to.
    outer : how many of the index's names are ``by`` variables; they stand first.
    families : how many combinations of their values there are, each with equally many means.
    cells : the reference grid, in the order of the means: equally many cells each.
    """

    rows: Floats
    index: pd.Index[Any]
    outer: int
    families: int
    cells: pd.DataFrame


def mean_rows(
    design: Design,
    problem: Problem,
    of: str | Sequence[str],
    by: str | Sequence[str] | None,
    at: Mapping[str, Any] | None,
) -> MeanRows:
    """The means that were asked for, as linear combinations of the coefficients."""
    inner, outer = _names(of), _names(by)
    if not inner:
        raise MixedsimError("no variable is given whose means are wanted: name one of the fixed part.")
    grid = reference_grid(design, {} if at is None else at)
    for name in [*outer, *inner]:
        if name not in grid:
            tail = nearest(name, grid) if grid else "the fixed part has no variables."
            raise MixedsimError(f"{name!r} is no variable of the fixed part: {tail}")
        if [*outer, *inner].count(name) > 1:
            raise MixedsimError(f"{name!r} is given twice: name each variable once.")
    shown = [*outer, *inner]
    index = pd.MultiIndex.from_product([grid[name] for name in shown], names=shown)
    cells = _cells(design, grid, shown)
    return MeanRows(
        rows=_averages(design, problem, cells, len(index)),
        index=index if len(shown) > 1 else index.get_level_values(0),
        outer=len(outer),
        families=int(np.prod([len(grid[name]) for name in outer], dtype=int)),
        cells=cells,
    )


def reference_grid(design: Design, at: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each variable of the fixed part that the grid combines: {variable: values}.

    Levels of a factor (both values of a boolean one), all values of a number that the formula makes a factor, the mean
    of any other number; `at` replaces them.
    """
    variables = design.variables
    if not isinstance(at, Mapping):
        raise MixedsimError(f"at must map variables to values, as in {{'x': [0, 1]}}, found {at!r}.")
    unknown = [name for name in at if name not in variables]
    if unknown:
        tail = nearest(unknown[0], variables) if variables else "the fixed part has no variables."
        raise MixedsimError(f"at names {unknown[0]!r}, which is no variable of the fixed part: {tail}")
    made_factors = _numbers_made_factors(design)
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


def _numbers_made_factors(design: Design) -> set[str]:
    """Numeric variables that stand in the formula as C(...)."""
    model = design.x.spec.model_spec
    if model is None:
        return set()
    return {
        str(name)
        for factor in model.factor_contrasts
        for name in model.factor_variables.get(factor, ())
        if name in design.variables
    }


def _cells(design: Design, grid: Mapping[str, list[Any]], shown: Sequence[str]) -> pd.DataFrame:
    """Every combination of the grid's values, those of the variables shown changing slowest."""
    order = [*shown, *(name for name in grid if name not in shown)]
    sizes = [len(grid[name]) for name in order]
    cells = int(np.prod(sizes, dtype=float))
    if cells > _MOST_CELLS:
        raise MixedsimError(
            f"the reference grid has {cells:,} cells, beyond the limit of {_MOST_CELLS:,}: "
            "hold some variables at one value with at={...}."
        )
    where = np.indices(sizes).reshape(len(sizes), -1)
    return pd.DataFrame(
        {name: np.array(grid[name], dtype=_dtype(design, name))[where[i]] for i, name in enumerate(order)}
    )


def _averages(design: Design, problem: Problem, cells: pd.DataFrame, count: int) -> Floats:
    """Each mean as weights of the coefficients that could be estimated: m × p, NaN where it cannot be told."""
    spec = design.x.spec
    columns = model_columns(spec.rhs, cells, spec).matrix()
    means = columns.reshape(count, -1, columns.shape[1]).mean(axis=1)
    kept, dropped = list(problem.fixed.kept), list(problem.fixed.dropped)
    rows = means[:, kept]
    if dropped:
        # a mean can be told if its weights on the dropped columns follow from those on the others, as X's own do
        implied = rows @ dependence(design, problem)[:, dropped]
        size = np.abs(implied).max(axis=1, initial=1.0)
        rows[(np.abs(implied - means[:, dropped]) > 1e-6 * size[:, None]).any(axis=1)] = np.nan
    return np.asarray(rows)


def _dtype(design: Design, name: str) -> Any:
    values = design.variables[name]
    if isinstance(values, pd.Categorical):
        return object
    return values.dtype if values.dtype == np.bool_ or name in _numbers_made_factors(design) else np.float64


def pair_positions(own: MeanRows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which means are compared: all pairs within each combination of the ``by`` variables.

    Raises
    ------
    MixedsimError
        If there is one mean in each.
    """
    size = len(own.rows) // own.families
    if size < 2:
        raise MixedsimError("there is one mean in each group, so there are no pairs to compare.")
    first, second = np.array(list(pairs_of(range(size), 2))).T
    starts = np.arange(own.families)[:, None] * size
    return (starts + first).ravel(), (starts + second).ravel()


def pair_labels(means: MeanRows, left: NDArray[np.intp], right: NDArray[np.intp], sign: str = "-") -> pd.Index[Any]:
    """``a - b`` for every pair, below the values of the ``by`` variables."""
    index, outer = means.index, means.outer
    keys = [key if isinstance(key, tuple) else (key,) for key in index]
    own = [" ".join(map(_text, key[outer:])) for key in keys]
    labels = [f"{own[i]} {sign} {own[j]}" for i, j in zip(left, right, strict=True)]
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
