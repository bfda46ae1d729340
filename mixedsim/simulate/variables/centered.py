"""A variable measured from its mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.variables.computed import Computed
from mixedsim.simulate.variables.variable import ROUNDING, Array, Site


@dataclass(frozen=True)
class Centered(Computed):
    """An earlier variable minus its mean over all rows, as drawn; divided by its standard deviation if one likes.

    Mean and standard deviation (with n − 1) are those of the column of data: ``data[of] - data[of].mean()``. So a
    variable of clusters counts each cluster as often as it has rows. The mean depends on the sample; where the
    population's own mean is meant, write ``Derived("x - 5")``.

    Parameters
    ----------
    of : name of an earlier numeric variable.
    scale : whether to divide by the standard deviation; a column without any spread stays 0.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If `of` is categorical or no earlier variable.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Centered("age", scale=True)
    Centered(of='age', scale=True, observed=True)
    """

    of: str
    scale: bool = False
    observed: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_switch("scale")

    def make(self, site: Site) -> Array:
        rows: Any = site.rows(self.of)
        values: Any = site.read(self.of)
        centered: Array = values - rows.mean()
        spread = np.std(rows, ddof=1) if self.scale and len(rows) > 1 else 0.0
        if spread > ROUNDING * abs(rows).max():
            centered /= spread
        elif self.scale:
            centered[:] = 0.0
        return centered

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        name = write(self.of)
        return "=", f"({name} − its mean) / its sd" if self.scale else f"{name} − its mean"
