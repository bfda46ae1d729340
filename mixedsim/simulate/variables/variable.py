"""What every variable has in common: whether it is observed, where it lives, and a way to be made.

`Variable` is what a population stores. `Drawn` is a variable whose values come from a distribution; a new
distribution is a frozen dataclass with parameters, `sample`, `at_scores` and `equation`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter, Values, evaluate, names_in, parameter
from mixedsim.simulate.fields import FieldError, Path, shown
from mixedsim.simulate.replay.numbers import RNumbers, replaying
from mixedsim.simulate.variables.place import Place

if TYPE_CHECKING:
    from mixedsim.simulate.structure import Structure

Array = NDArray[np.float64]
Interval = tuple[float, float]
ROUNDING = 1e-12  # what varies by less, relative to its size, is constant but for rounding


@contextmanager
def addressed(*path: str) -> Iterator[None]:
    """Whatever complains of a field inside names it as the population does: ``variables.x.sd``, not ``Normal.sd``."""
    try:
        yield
    except FieldError as error:
        if error.field[0] == "variables":
            raise
        raise error.under(*path) from None


class Site(Protocol):
    """Where one variable is being made: its random numbers, how many values it needs, what is there already."""

    @property
    def name(self) -> str:
        """The variable's name."""

    @property
    def level(self) -> str | None:
        """The cluster at which the variable lives; None for rows."""

    @property
    def rng(self) -> np.random.Generator:
        """Its own random numbers."""

    @property
    def size(self) -> int:
        """How many values it needs."""

    def generator(self, *part: str) -> np.random.Generator:
        """Random numbers of another part of the population."""

    def size_of(self, cluster: str) -> int:
        """How many units a cluster has."""

    def read(self, name: str) -> Values:
        """An earlier variable, one value for every unit of this variable's level."""

    def rows(self, name: str) -> Values:
        """An earlier variable, one value a row."""

    def mean_by(self, name: str, cluster: str) -> Array:
        """An earlier variable's mean in the unit of `cluster` that holds each unit of this variable's level."""

    def sd_by(self, name: str, cluster: str) -> Array:
        """As `mean_by`, the standard deviation over its rows, with n − 1; 0 where the variable does not vary there."""

    def units(self, cluster: str | None) -> NDArray[np.integer[Any]]:
        """The unit of `cluster` (None: the cell) in which every unit of this variable's level lies, from 0."""

    def spread(self, values: Array, cluster: str) -> Array:
        """One value for every unit of `cluster` → one for every unit of this variable's level."""


class Variable(ABC):
    """One column of a population, observed or not."""

    observed: bool

    @abstractmethod
    def reads(self) -> Mapping[str, frozenset[str]]:
        """For each field that mentions earlier variables, their names."""

    @abstractmethod
    def level_in(self, place: Place) -> str | None:
        """The cluster at which the variable lives, None for rows, once it is sure that it can live there.

        Raises
        ------
        FieldError
            If it reads what is not there yet, or what is not constant at its level.
        """

    @abstractmethod
    def make(self, site: Site) -> Values:
        """The variable's values, one for every unit of its level."""

    @abstractmethod
    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        """Relation and right-hand side for print: ``("~", "Normal(5, sd 2)")``; `write` writes parameters."""

    def further_equations(self, write: Callable[[Parameter], str]) -> list[tuple[str, str]]:
        """Left- and right-hand sides of what else must be said of it: how it is correlated with others."""
        return []

    def make_all(self, site: Site) -> dict[str, Values]:
        """Its values and those of the variables that are drawn together with it, by name."""
        return {site.name: self.make(site)}

    def placed(self, structure: Structure) -> Self:
        """The variable as it is in a population with these clusters: what was left to be understood is written out."""
        return self

    def address(self, name: str) -> Path:
        """Where it stands in a specification, if it is called `name`."""
        return ("variables", name)

    def categories(self) -> tuple[str, ...] | None:
        """The levels of a categorical variable, None for a numeric one."""
        return None

    def support(self) -> str:
        """The values it can have, for a codebook: ``"0 to 5"``; of a categorical one its levels. "" if who knows.

        What it reads is not told here, since a codebook for students must not give away what is hidden.
        """
        return ", ".join(self.categories() or ())

    def _settle(self, **fields: Any) -> None:
        """Store checked fields while a frozen dataclass is being made."""
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def _check_cluster(self, field: str) -> None:
        """Raise `FieldError` unless a field holds a cluster's name or None."""
        value = getattr(self, field)
        if value is not None and not isinstance(value, str):
            raise FieldError((type(self).__name__, field), f"must be the name of a cluster, found {shown(value)}.")

    def _check_switch(self, field: str) -> None:
        """Raise `FieldError` unless a field is True or False."""
        value = getattr(self, field)
        if not isinstance(value, bool):
            raise FieldError((type(self).__name__, field), f"must be true or false, found {shown(value)}.")


class Drawn(Variable):
    """A variable drawn from a distribution whose parameters may depend on earlier variables."""

    level: str | None
    limits: ClassVar[Mapping[str, Interval]]  # every parameter that may be an expression, and where it may lie

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for field, (low, high) in self.limits.items():
            self._settle(**{field: parameter(getattr(self, field), (kind, field), low=low, high=high)})
        self._check_cluster("level")
        self._check_switch("observed")

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> Values:
        """`size` values; `given` holds each parameter as one number, or as one number a value."""

    @abstractmethod
    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> Values:
        """The values that lie in this distribution where `scores` lie in the standard normal one.

        The value for score z is the quantile at Φ(z), so that standard normal scores give a sample.
        """

    def replay(self, rng: RNumbers, size: int, given: Mapping[str, Any]) -> Values:
        """As `sample`, from R's numbers: by the verb that an R script would use."""
        return self.sample(cast(np.random.Generator, rng), size, given)

    def expressions(self) -> Mapping[str, tuple[str, ...]]:
        """For each field that holds expressions, these."""
        texts = {field: getattr(self, field) for field in self.limits}
        return {field: (text,) for field, text in texts.items() if isinstance(text, str)}

    def reads(self) -> Mapping[str, frozenset[str]]:
        return {field: frozenset().union(*map(names_in, texts)) for field, texts in self.expressions().items()}

    def level_in(self, place: Place) -> str | None:
        place.check_cluster("level", self.level)
        for field, texts in self.expressions().items():
            place.check_read(field, texts, self.level)
        return self.level

    def given(self, name: str, read: Callable[[str], Values]) -> Mapping[str, Any]:
        """Every parameter of the variable called `name`, as one number or as one for every unit of its level."""
        return {
            field: evaluate(getattr(self, field), read, ("variables", name, field), low=low, high=high)
            for field, (low, high) in self.limits.items()
        }

    def make(self, site: Site) -> Values:
        given = self.given(site.name, site.read)
        with addressed("variables", site.name):
            if rng := replaying(site.rng):
                return self.replay(rng, site.size, given)
            return self.sample(site.rng, site.size, given)
