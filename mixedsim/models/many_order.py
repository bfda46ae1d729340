"""The same parameters in another order.

Grouping factors stand in the order of their numbers of levels. Where these are drawn anew in every data set, one factor
is the larger in some and the other in others: the models are the same, and so are the parameters, told in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.many_estimates import Estimates
from mixedsim.models.many_portion import Portion, Symbol

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reordered:
    """A `Portion` with its grouping factors in the order of `symbols`."""

    portion: Portion
    symbols: tuple[Symbol, ...]

    @property
    def replicates(self) -> NDArray[np.intp]:
        return self.portion.replicates

    @property
    def theta(self) -> Floats:
        return self.portion.theta[:, _places(_of_theta(self.portion.symbols), _of_theta(self.symbols))]

    @property
    def sigma(self) -> Floats:
        return self.portion.sigma

    @property
    def loglik(self) -> Floats:
        return self.portion.loglik

    @property
    def converged(self) -> NDArray[np.bool_]:
        return self.portion.converged

    @property
    def singular(self) -> NDArray[np.bool_]:
        return self.portion.singular

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        """s × p arrays; coefficients are in the order of the formula in any case."""
        return self.portion.coefficients(ddf, level)

    def parameters(self, ddf: Ddf, level: float) -> Estimates:
        """s × m arrays."""
        found = self.portion.parameters(ddf, level)
        places = _places(self.portion.symbols, self.symbols)
        return Estimates(*(getattr(found, one.name)[:, places] for one in fields(found)))


def ordered(portion: Portion, symbols: tuple[Symbol, ...]) -> Portion | None:
    """The portion with its parameters in this order; None if it has others."""
    if portion.symbols == symbols:
        return portion
    fixed = [[one for one in each if one[0] == "fixed"] for each in (portion.symbols, symbols)]
    if fixed[0] != fixed[1] or sorted(portion.symbols) != sorted(symbols):
        return None
    return Reordered(portion, symbols)


def _of_theta(symbols: Sequence[Symbol]) -> list[tuple[str, int]]:
    """For every element of θ its factor, and its number there: as many as standard deviations and correlations."""
    groups = [group for kind, group, _ in symbols if kind in ("sd", "corr")]
    return [(group, k) for group in dict.fromkeys(groups) for k in range(groups.count(group))]


def _places(own: Sequence[Any], wanted: Sequence[Any]) -> list[int]:
    known = {one: place for place, one in enumerate(own)}
    return [known[one] for one in wanted]
