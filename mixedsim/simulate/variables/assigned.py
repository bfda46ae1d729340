"""What the designer of a study decides: values that are given out, not drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter, Values
from mixedsim.simulate.fields import FieldError, number, shown
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.turns import turns
from mixedsim.simulate.variables.variable import Site, Variable

if TYPE_CHECKING:
    from mixedsim.simulate.structure import Structure

WHOLE = "whole dataset"  # no cluster can have a name with a space in it
_MOST = 10_000
_WRITTEN = 6  # so many values are written out in print


@dataclass(frozen=True)
class Assigned(Variable):
    """Values that the designer gives out in turn: days, phases, conditions, arms of a trial.

    In every unit of `within` the first unit of `level` gets the first value, the second the second, and after the last
    the first again. So each value occurs equally often there, or once more than another where the numbers do not work
    out. To give one value twice as often as another, name it twice.

    With ``shuffle=True`` the same is done in random order: a randomisation in blocks, which are the units of `within`.
    Which values are the ones that occur once more is random too, so that every unit gets every value with the same
    probability.

    - ``Assigned(range(10))``: the ten rows of a subject are its days 0 to 9.
    - ``Assigned(["pre", "post"])``: of two rows the first is before, the second after.
    - ``Assigned(["usual", "new"], level="clinic", shuffle=True)``: half of the clinics are treated, and chance says
      which. Where clinics lie in regions, each region has its half; with ``within="whole dataset"`` only all of them.
    - ``Assigned(["one set", "three sets"], level="leg", shuffle=True)``, legs nested in people: everyone does both, on
      sides that chance chooses.
    - ``Assigned([1, 2, 3, 4], level="clinic", shuffle=True)`` as ``step``: a stepped wedge, in which
      ``Derived("time >= step")`` says who is treated already.
    - Subjects who meet all items, half of them in each condition, and every item in both (a Latin square):
      ``Assigned([0, 1], level="subject")`` as ``list``, ``Assigned([0, 1], level="item")`` as ``half``, and
      ``Derived("list == half")`` as the condition. ``Assigned([0, 1], within="subject")`` alone would give every item
      the same condition for all subjects.

    Parameters
    ----------
    values : at least two different ones: numbers, or texts, which make a categorical variable with the first of them as
        its reference.
    level : whose units get them: a cluster's, or rows (None).
    within : where to begin anew: in every unit of this cluster, which holds several units of `level`; or
        ``"whole dataset"``. If left out, the cluster around `level`; for a cluster that lies in no other, the whole
        dataset; for rows the innermost cluster, and where clusters are crossed each combination of theirs.
    shuffle : whether chance decides who gets which.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If the values are not of one kind or all the same, or `within` does not lie around `level`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Assigned(["usual", "new"], level="clinic", within="region", shuffle=True)
    Assigned(values=('usual', 'new'), level='clinic', within='region', shuffle=True, observed=True)
    """

    values: Sequence[float] | Sequence[str]
    level: str | None = None
    within: str | None = None
    shuffle: bool = False
    observed: bool = True

    def __post_init__(self) -> None:
        self._settle(values=_checked_values(self.values))
        self._check_cluster("level")
        if self.within != WHOLE:
            self._check_cluster("within")
        self._check_switch("shuffle")
        self._check_switch("observed")

    def categories(self) -> tuple[str, ...] | None:
        texts = tuple(dict.fromkeys(one for one in self.values if isinstance(one, str)))
        return texts or None

    def reads(self) -> Mapping[str, frozenset[str]]:
        return {}

    def placed(self, structure: Structure) -> Self:
        """The same variable with `within` written out; None is left for the cells of crossed clusters."""
        if self.within is not None or (self.level is not None and self.level not in structure.names):
            return self
        if self.level is None:
            leaves = structure.leaves()
            return replace(self, within=leaves[0] if len(leaves) == 1 else None)
        return replace(self, within=structure.cluster(self.level).within or WHOLE)

    def level_in(self, place: Place) -> str | None:
        place.check_cluster("level", self.level)
        if self.within is not None and self.within != WHOLE:
            place.check_around("within", self.within, self.level)
        leaves = place.structure.leaves()
        one_row = self.level is None and place.structure.size == 1
        if one_row and (self.within is None or (self.within,) == leaves):
            cell, leaf = " × ".join(leaves), leaves[-1]
            problem = f"must be a larger cluster: each {cell} has one row, and all rows would get the first value"
            larger = f"within={leaves[0]!r}, shuffle=True" if len(leaves) > 1 else "size=2 or more"
            problem = f"{problem}; write {larger}, or level={leaf!r} for one value a unit of {leaf}."
            raise FieldError(("Assigned", "within"), problem)
        return self.level

    def make(self, site: Site) -> Values:
        groups = np.zeros(site.size, dtype=np.int8) if self.within == WHOLE else site.units(self.within)
        order = turns(groups, site.rng.random(site.size) if self.shuffle else None)
        place = order.place
        if self.shuffle:
            place = place + site.rng.integers(len(self.values), size=order.groups)[order.group]
        dealt = np.empty(site.size, dtype=np.intp)
        dealt[order.units] = place % len(self.values)
        names = self.categories()
        if names is None:
            return np.array(self.values)[dealt]
        codes = np.array([names.index(str(one)) for one in self.values])
        return pd.Categorical.from_codes(codes[dealt], categories=pd.Index(names), validate=False)

    def support(self) -> str:
        return ", ".join(dict.fromkeys(one if isinstance(one, str) else f"{one:g}" for one in self.values))

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        named = [one if isinstance(one, str) else write(one) for one in self.values]
        if len(named) > _WRITTEN:
            named = [*named[:3], "…", named[-1]]
        where = {None: "in each cell", WHOLE: "in the whole dataset"}.get(self.within, f"in each {self.within}")
        if self.shuffle:
            return "~", f"{', '.join(named)}, shuffled {where}"
        return "=", f"{', '.join(named)} in turn {where}"


def _checked_values(given: Any) -> tuple[float, ...] | tuple[int, ...] | tuple[str, ...]:
    """The values in their one form: texts, whole numbers as integers, or floats."""
    field = ("Assigned", "values")
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise FieldError(field, f"must be a list of numbers or texts, found {shown(given)}.")
    values = list(islice(given, _MOST + 1))
    if len(values) > _MOST:
        raise FieldError(field, f"must be at most {_MOST:,}.")
    texts = [one for one in values if isinstance(one, str)]
    if texts and len(texts) < len(values):
        other = next(one for one in values if not isinstance(one, str))
        raise FieldError(field, f"must be all numbers or all texts, found {shown(texts[0])} and {shown(other)}.")
    if "" in texts:
        raise FieldError(field, "must not hold an empty text.")
    numbers: NDArray[np.float64] = np.array([] if texts else [number(one, field) for one in values])
    if len(set(texts or numbers.tolist())) < 2:
        raise FieldError(field, f"must hold at least two different ones, found {shown(values)}.")
    if texts:
        return tuple(texts)
    whole = np.all(numbers == np.rint(numbers)) and np.abs(numbers).max() <= 2**53
    return tuple(numbers.astype(np.int64).tolist()) if whole else tuple(numbers.tolist())
