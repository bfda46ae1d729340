"""What the variables have in common that are computed from one earlier variable, in clusters or in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Variable

if TYPE_CHECKING:
    from mixedsim.simulate.structure import Structure


class Computed(Variable):
    """A variable computed from `of`, an earlier numeric variable."""

    of: str

    def __post_init__(self) -> None:
        given: object = self.of
        if not isinstance(given, str):
            kind = type(self).__name__
            raise FieldError((kind, "of"), f"must be the name of a variable, found {shown(given)}.")
        self._check_switch("observed")

    def reads(self) -> Mapping[str, frozenset[str]]:
        return {"of": frozenset({self.of})}

    def level_in(self, place: Place) -> str | None:
        place.check_earlier("of", self.of)
        place.check_numeric("of", self.of)
        return place.levels[self.of]


class ComputedWithin(Computed):
    """A variable computed from `of` in every unit of the cluster `by`, which is understood where there is only one."""

    by: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_cluster("by")

    @property
    def cluster(self) -> str:
        """The cluster `by`, in a population."""
        assert self.by is not None  # once the variable is placed
        return self.by

    def placed(self, structure: Structure) -> Self:
        """The same variable with its cluster named: the only one there is, if nothing else was said."""
        if self.by is not None:
            return self
        if len(structure.names) > 1:
            which = ", ".join(structure.names)
            raise FieldError((type(self).__name__, "by"), f"must be given: which of {which}?")
        return replace(self, by=structure.names[0])  # type: ignore[type-var]

    def level_in(self, place: Place) -> str | None:
        place.check_cluster("by", self.by)
        return super().level_in(place)
