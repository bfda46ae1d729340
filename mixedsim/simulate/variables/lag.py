"""What a variable was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter, evaluate, names_in, parameter
from mixedsim.simulate.fields import whole
from mixedsim.simulate.variables.computed import ComputedWithin
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.turns import turns
from mixedsim.simulate.variables.variable import Site


@dataclass(frozen=True)
class Lag(ComputedWithin):
    """The value of an earlier variable n rows before, in the same unit of the cluster.

    Rows follow each other as they do in the data. The lag of a variable that belongs to a cluster counts that cluster's
    units instead of rows: with visits nested in patients, the lag of a variable of visits by patient is its value n
    visits before.

    It looks back at finished columns. A variable whose next value grows out of its last one (x_t = 0.7 x_{t−1} + …)
    is none; `Custom` can make one.

    Parameters
    ----------
    of : name of an earlier numeric variable that varies within the cluster.
    by : the cluster in which to look back; may be left out where the population has only one.
    n : how far to look back, at least 1.
    first : what the first n of each unit get, which have nothing before them: a number, or an expression in earlier
        variables (``"x"``, their own value).
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If `of` is categorical or constant in every unit of the cluster, `by` is needed and missing, or ``n`` is not a
        whole number of at least 1.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Lag("treated", by="patient")
    Lag(of='treated', by='patient', n=1, first=0.0, observed=True)
    """

    of: str
    by: str | None = None
    n: int = 1
    first: Parameter = 0.0
    observed: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle(n=whole(self.n, ("Lag", "n"), low=1), first=parameter(self.first, ("Lag", "first")))

    def reads(self) -> Mapping[str, frozenset[str]]:
        first = {"first": names_in(self.first)} if isinstance(self.first, str) else {}
        return {**super().reads(), **first}

    def level_in(self, place: Place) -> str | None:
        level = super().level_in(place)
        place.check_varies("of", self.of, self.cluster, "it was always the same")
        place.check_around("by", self.cluster, level)
        if isinstance(self.first, str):
            place.check_read("first", [self.first], level)
        return level

    def make(self, site: Site) -> NDArray[Any]:
        values: Any = site.read(self.of)
        first = np.asarray(evaluate(self.first, site.read, ("variables", site.name, "first")))
        order = turns(site.units(self.by))
        late = np.flatnonzero(order.place >= self.n)
        whole_numbers = values.dtype.kind in "iu" and np.all(first == np.rint(first))
        lagged = np.empty(site.size, dtype=values.dtype if whole_numbers else np.float64)
        lagged[:] = first
        lagged[order.units[late]] = values[order.units[late - self.n]]
        return lagged

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        steps = "one" if self.n == 1 else f"{self.n}"
        return "=", f"{write(self.of)} {steps} before in its {self.by or 'cluster'}, at first {write(self.first)}"
