"""Predictors imitated one by one: the level at which each lives, what kind it is, how it is distributed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError
from mixedsim.formula import Formula, column_of, fixed_terms, variables_of
from mixedsim.models import lmer
from mixedsim.simulate import Assigned, Bernoulli, Categorical, Derived, LogNormal, Normal, Variable
from mixedsim.simulate.variables.assigned import WHOLE
from mixedsim.study.like_clusters import Codes, Found
from mixedsim.study.like_design import Pattern, dealt_out, given_out

Floats = NDArray[np.float64]
_FEW = 10  # so many different numbers are a scale with steps, whose shares are imitated one by one
_SHARES = 200  # values that stand for those shares
_SKEWED = 1.0  # skewness from which a positive variable may be lognormal
_NOTHING = 0.03  # share of the variance below which clusters do not matter
_GRIDS = (1.0, 0.5, 0.1, 0.05, 0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Column:
    """A predictor at its own level.

    ``units`` holds one value a unit of `level` (None: rows), ``codes`` the unit of each cluster around it.
    """

    name: str
    units: Any
    level: str | None
    codes: Mapping[str, Codes]


def imitations(
    columns: Mapping[str, Any], found: Found, formula: Formula, taken: set[str]
) -> dict[str, Variable]:
    """Variables that imitate the predictors, in the same order, each after the hidden ones that it needs.

    Parameters
    ----------
    columns : name → numbers or a Categorical, one value a row.
    taken : names that hidden variables may not have.
    """
    placed = [_placed(name, values, found) for name, values in columns.items()]
    patterns = given_out({one.name: one.units for one in placed if one.level is None}, found)
    writer = _Writer(found, formula, taken | set(found.structure.names))
    for one in placed:
        writer.write(one, patterns.get(one.name))
    return writer.variables


def _placed(name: str, values: Any, found: Found) -> Column:
    """The column at the coarsest cluster in whose units it is constant."""
    codes = values.codes if isinstance(values, pd.Categorical) else np.unique(values, return_inverse=True)[1]
    for cluster in sorted(found.structure.names, key=found.units):
        own = found.codes[cluster]
        first = np.zeros(found.units(cluster), dtype=np.intp)
        first[own[::-1]] = np.arange(len(own))[::-1]
        if (codes[first][own] == codes).all():
            around = found.structure.chain_of(cluster)[:-1]
            return Column(name, values[first], cluster, {outer: found.codes[outer][first] for outer in around})
    return Column(name, values, None, found.codes)


class _Writer:
    """Writes one variable after the other, and the hidden ones that they need."""

    def __init__(self, found: Found, formula: Formula, taken: set[str]) -> None:
        self.found, self.formula, self.taken = found, formula, taken
        self.variables: dict[str, Variable] = {}

    def write(self, column: Column, pattern: Pattern | None) -> None:
        """Add the variable that imitates `column`; `pattern` says how its values are given out, if they are."""
        values = column.units
        if pattern is not None:
            self._assigned(column.name, pattern)
        elif (blocked := self._blocked(column)) is not None:
            self.variables[column.name] = blocked
        elif isinstance(values, pd.Categorical):
            self._categories(column)
        elif len(np.unique(values)) <= _FEW:
            self._steps(column)
        else:
            self._continuous(column)

    def _assigned(self, name: str, pattern: Pattern) -> None:
        """Values by design; where the reference does not come first, by way of their numbers."""
        levels = pattern.levels
        values = pattern.sequence if levels is None else [levels[code] for code in pattern.sequence]
        if levels is None or list(dict.fromkeys(pattern.sequence)) == sorted(set(pattern.sequence)):
            self.variables[name] = Assigned(values, within=pattern.within, shuffle=pattern.shuffle)
            return
        hidden = self._hidden(name, "number")
        self.variables[hidden] = Assigned(
            pattern.sequence, within=pattern.within, shuffle=pattern.shuffle, observed=False
        )
        self.variables[name] = Categorical(levels, probs=[f"{hidden} == {code}" for code in range(len(levels))])

    def _blocked(self, column: Column) -> Variable | None:
        """Values that are the same in the units of every parent, as the arms of a trial in every region."""
        if column.level is None or not column.codes:
            return None
        parent = self.found.structure.cluster(column.level).within
        assert parent is not None
        values = dealt_out(column.units, column.codes[parent])
        return None if values is None else Assigned(values, level=column.level, shuffle=True)

    def _categories(self, column: Column) -> None:
        """Shares of named levels: exactly those among the units of a cluster, by chance among rows."""
        levels = tuple(map(str, column.units.categories))
        counts = np.bincount(column.units.codes, minlength=len(levels))
        if column.level is None:
            self.variables[column.name] = Categorical(levels, probs=(counts / counts.sum()).tolist())
            return
        values = [levels[code] for code in _spread_evenly(counts)]
        self.variables[column.name] = Assigned(values, level=column.level, within=WHOLE, shuffle=True)

    def _steps(self, column: Column) -> None:
        """Shares of a few numbers."""
        numbers, counts = np.unique(np.asarray(column.units, dtype=np.float64), return_counts=True)
        if column.level is None and numbers.tolist() == [0.0, 1.0]:
            self.variables[column.name] = Bernoulli(_short(counts[1] / counts.sum()))
            return
        values = numbers[_spread_evenly(counts)]
        self.variables[column.name] = Assigned(values.tolist(), level=column.level, within=WHOLE, shuffle=True)

    def _continuous(self, column: Column) -> None:
        """Normal or lognormal, with a part for every cluster around; rounded and kept in its range where it has one."""
        values = np.asarray(column.units, dtype=np.float64)
        logarithm = _is_lognormal(values)
        scale = np.log(values) if logarithm else values
        parts, within = _parts(scale, column.codes)
        names = []
        for cluster, sd in parts.items():
            names.append(self._hidden(column.name, cluster))
            self.variables[names[-1]] = Normal(0, _short(sd), level=cluster, observed=False)
        mean = " + ".join([f"{_short(float(scale.mean())):.12g}", *names]) if names else _short(float(scale.mean()))
        grid = _grid(values)
        kept = not logarithm and (values.min() >= 0 or self._is_transformed(column.name))
        kind = LogNormal if logarithm else Normal
        if grid is None and not kept:
            self.variables[column.name] = kind(mean, _short(within), level=column.level)
            return
        raw = self._hidden(column.name, "exact")
        self.variables[raw] = kind(mean, _short(within), level=column.level, observed=False)
        bounds = (float(values.min()), float(values.max())) if kept or grid else None
        self.variables[column.name] = Derived(_on_grid(raw, grid, bounds))

    def _is_transformed(self, name: str) -> bool:
        """Whether the formula has the variable inside a function, which may not take every number."""
        sides = (self.formula.fixed, *(term.effects for term in self.formula.terms))
        factors = [factor for side in sides for term in fixed_terms(side) for factor in term.factors]
        return any(column_of(one) is None and name in variables_of(one.expr) for one in factors)

    def _hidden(self, name: str, part: str) -> str:
        """A name for a hidden variable that nothing else has."""
        hidden = f"{name}_{part}"
        while hidden in self.taken or hidden in self.variables:
            hidden += "_"
        self.taken.add(hidden)
        return hidden


def _spread_evenly(counts: Codes) -> list[int]:
    """Numbers of levels, each as often as its share says, in turn: all once, then wherever one is most behind.

    Many units are stood for by fewer values; a level that occurs at all has one at least.
    """
    total = int(counts.sum())
    often = counts if total <= _SHARES else np.maximum(np.rint(counts * _SHARES / total), 1).astype(np.intp)
    order = [(-1.0, level) for level in range(len(often)) if often[level]]
    order += [((turn + 0.5) / n, level) for level, n in enumerate(often.tolist()) for turn in range(1, n)]
    return [level for _, level in sorted(order)]


def _parts(values: Floats, codes: Mapping[str, Codes]) -> tuple[dict[str, float], float]:
    """Standard deviation between the units of every cluster that matters, and within them, by a model of intercepts."""
    usable = {name: own for name, own in codes.items() if 1 < own.max() + 1 < len(own)}
    total = float(values.std(ddof=1))
    if not usable:
        return {}, total
    frame = pd.DataFrame({"value": values, **{f"g{i}": own for i, own in enumerate(usable.values())}})
    try:
        fit = lmer("value ~ 1 + " + " + ".join(f"(1 | g{i})" for i in range(len(usable))), frame)
    except DataError:  # two clusters that group the rows alike, say
        return {}, total
    sds = {name: float(np.sqrt(fit.covariances[f"g{i}"].to_numpy()[0, 0])) for i, name in enumerate(usable)}
    return {name: sd for name, sd in sds.items() if sd**2 > _NOTHING * total**2}, fit.sigma


def _is_lognormal(values: Floats) -> bool:
    """Whether a variable is positive and skewed, and its logarithm less so."""
    if values.min() <= 0:
        return False
    skewness = _skewness(values)
    return bool(skewness > _SKEWED and abs(_skewness(np.log(values))) < skewness)


def _skewness(values: Floats) -> float:
    away = values - values.mean()
    return float((away**3).mean() / (away**2).mean() ** 1.5)


def _grid(values: Floats) -> float | None:
    """The coarsest step of which all values are multiples; None if they have none."""
    for step in _GRIDS:
        if np.abs(values / step - np.rint(values / step)).max() < 1e-6:
            return step
    return None


def _on_grid(name: str, grid: float | None, bounds: tuple[float, float] | None) -> str:
    """An expression that rounds a variable and keeps it within bounds."""
    text = name
    if grid is not None:
        decimals = {1.0: 0, 0.1: 1, 0.01: 2, 0.001: 3}.get(grid)
        if decimals is None:
            text = f"round({text} * {1 / grid:g}) / {1 / grid:g}"
        else:
            text = f"round({text}, {decimals})" if decimals else f"round({text})"
    return text if bounds is None else f"min(max({text}, {bounds[0]:.12g}), {bounds[1]:.12g})"


def _short(value: float) -> float:
    return float(f"{value:.5g}")
