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


def make_variables(
    variables: Mapping[str, Variable], levels: Mapping[str, str | None], layout: Layout, streams: Streams
) -> dict[str, Values]:
    """Every variable at its own level: one value a row, or one a unit of its cluster."""
    made: dict[str, Values] = {}
    for name, variable in variables.items():
        site = _Site(name, levels[name], streams.generator("variables", name), layout, levels, made)
        made[name] = variable.make(site)
    return made


def to_rows(values: Values, level: str | None, layout: Layout) -> Values:
    """A variable with one value for every row; the same array if it has that already."""
    return layout.spread(values, level, None)


@dataclass(eq=False)
class _Site:
    """What a variable may look at while it is made."""

    name: str
    level: str | None
    rng: np.random.Generator
    layout: Layout
    levels: Mapping[str, str | None]
    made: Mapping[str, Values]

    @property
    def size(self) -> int:
        return self.layout.size_of(self.level)

    def read(self, name: str) -> Values:
        return self.layout.spread(self.made[name], self.levels[name], self.level)

    def mean_of(self, name: str) -> NDArray[np.float64]:
        assert self.level is not None
        values: Any = to_rows(self.made[name], self.levels[name], self.layout)
        return self.layout.mean_of(values, self.level)
