"""What every variable has in common: a level, whether it is observed, and a way to be made.

`Variable` is what a population stores. `Drawn` is a variable whose values come from a distribution; a new
distribution is a frozen dataclass with parameters, `sample` and `equation`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter, Values, evaluate, names_in, parameter
from mixedsim.simulate.fields import FieldError, shown

Array = NDArray[np.float64]
Interval = tuple[float, float]


class Site(Protocol):
    """Where one variable is being made: its random numbers, how many values it needs, what is there already."""

    @property
    def name(self) -> str:
        """The variable's name."""

    @property
    def rng(self) -> np.random.Generator:
        """Its own random numbers."""

    @property
    def size(self) -> int:
        """How many values it needs."""

    def read(self, name: str) -> Values:
        """An earlier variable, one value for every unit of this variable's level."""

    def mean_of(self, name: str) -> Array:
        """An earlier variable, averaged over the rows of every unit of this variable's level."""


class Variable(ABC):
    """One column of a population, observed or not."""

    level: str | None
    observed: bool

    @abstractmethod
    def reads(self) -> Mapping[str, frozenset[str]]:
        """For each field that mentions earlier variables, their names."""

    @abstractmethod
    def make(self, site: Site) -> Values:
        """The variable's values, one for every unit of its level."""

    @abstractmethod
    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        """Relation and right-hand side for print: ``("~", "Normal(5, sd 2)")``; `write` writes parameters."""

    def placed(self, clusters: tuple[str, ...]) -> Variable:
        """The variable as it is in a population with these clusters: what was left to be understood is written out."""
        return self

    def categories(self) -> tuple[str, ...] | None:
        """The levels of a categorical variable, None for a numeric one."""
        return None

    def _settle(self, **fields: Any) -> None:
        """Store checked fields while a frozen dataclass is being made."""
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def _settle_level(self) -> None:
        kind = type(self).__name__
        if self.level is not None and not isinstance(self.level, str):
            raise FieldError((kind, "level"), f"must be the name of a cluster, found {shown(self.level)}.")
        if not isinstance(self.observed, bool):
            raise FieldError((kind, "observed"), f"must be true or false, found {shown(self.observed)}.")


class Drawn(Variable):
    """A variable drawn from a distribution whose parameters may depend on earlier variables."""

    limits: ClassVar[Mapping[str, Interval]]  # every parameter that may be an expression, and where it may lie

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for field, (low, high) in self.limits.items():
            self._settle(**{field: parameter(getattr(self, field), (kind, field), low=low, high=high)})
        self._settle_level()

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, float | Array]) -> Values:
        """`size` values; `given` holds each parameter as one number, or as one number a value."""

    def reads(self) -> Mapping[str, frozenset[str]]:
        texts = {field: getattr(self, field) for field in self.limits}
        return {field: names_in(text) for field, text in texts.items() if isinstance(text, str)}

    def make(self, site: Site) -> Values:
        given = {
            field: evaluate(getattr(self, field), site.read, ("variables", site.name, field), low=low, high=high)
            for field, (low, high) in self.limits.items()
        }
        try:
            return self.sample(site.rng, site.size, given)
        except FieldError as error:
            raise error.under("variables", site.name) from None
