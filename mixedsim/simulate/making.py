"""Making the variables of one draw, each from its own stream, in the order in which they were declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Values
from mixedsim.simulate.layout import Layout
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.variables import Variable
from mixedsim.simulate.variables.variable import ROUNDING


def make_variables(
    variables: Mapping[str, Variable], levels: Mapping[str, str | None], layout: Layout, streams: Streams
) -> dict[str, Values]:
    """Every variable at its own level: one value a row, or one a unit of its cluster."""
    made: dict[str, Values] = {}
    for name, variable in variables.items():
        if name not in made:  # those that are drawn together are all made with the first of them
            made |= variable.make_all(_Site(name, levels[name], layout, streams, levels, dict(made)))
    return made


def to_rows(values: Values, level: str | None, layout: Layout) -> Values:
    """A variable with one value for every row; the same array if it has that already."""
    return layout.spread(values, level, None)


@dataclass(eq=False)
class _Site:
    """What a variable may look at while it is made."""

    name: str
    level: str | None
    layout: Layout
    streams: Streams
    levels: Mapping[str, str | None]
    made: Mapping[str, Values]

    def __post_init__(self) -> None:
        self.rng = self.generator("variables", self.name)

    @property
    def size(self) -> int:
        return self.layout.size_of(self.level)

    def generator(self, *part: str) -> np.random.Generator:
        return self.streams.generator(*part)

    def size_of(self, cluster: str) -> int:
        return self.layout.size_of(cluster)

    def read(self, name: str) -> Values:
        return self.layout.spread(self.made[name], self.levels[name], self.level)

    def rows(self, name: str) -> Values:
        return to_rows(self.made[name], self.levels[name], self.layout)

    def mean_by(self, name: str, cluster: str) -> NDArray[np.float64]:
        values: Any = self.rows(name)
        means = self.layout.mean_of(values, cluster)
        empty = np.isnan(means)
        if empty.any():  # units without a row: no row will show what they get, but it must be a number
            means[empty] = values.mean()
        return self.spread(means, cluster)

    def sd_by(self, name: str, cluster: str) -> NDArray[np.float64]:
        values: Any = self.rows(name)
        codes = self.layout.codes(cluster)
        rows = np.bincount(codes, minlength=self.layout.units[cluster])
        means = self.layout.mean_of(values, cluster)
        squares = np.bincount(codes, weights=(values - means[codes]) ** 2, minlength=len(rows))
        sds = np.sqrt(squares / np.maximum(rows - 1, 1))
        sds[sds <= ROUNDING * np.abs(means)] = 0.0
        return self.spread(sds, cluster)

    def units(self, cluster: str | None) -> NDArray[np.integer[Any]]:
        if cluster is None:
            sizes = self.layout.sizes
            cells = self.layout.rows // sizes if isinstance(sizes, int) else len(sizes)
            return np.repeat(np.arange(cells), sizes)
        if self.level is None:
            return self.layout.codes(cluster)
        units: Any = self.layout.spread(np.arange(self.layout.units[cluster]), cluster, self.level)
        return units  # type: ignore[no-any-return]

    def spread(self, values: NDArray[np.float64], cluster: str) -> NDArray[np.float64]:
        spread: Any = self.layout.spread(values, cluster, self.level)
        return spread  # type: ignore[no-any-return]
