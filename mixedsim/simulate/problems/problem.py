"""What every problem has in common: something it befalls, random numbers of its own, a check, a sentence.

A new problem is a frozen dataclass with `strike` and `equation`, and `settled` if it names anything of the population.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from mixedsim.simulate.contents import Contents
from mixedsim.simulate.expression import Parameter, names_in, parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.problems import checks
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval

PROBABILITY: Interval = (0.0, 1.0)
ANYWHERE: Interval = (-math.inf, math.inf)


class Problem(ABC):
    """Something that goes wrong between the world and the data file."""

    limits: ClassVar[Mapping[str, Interval]] = {}  # every parameter that may be an expression, and where it may lie
    optional: ClassVar[tuple[str, ...]] = ()  # those of them that may be None

    def __post_init__(self) -> None:
        for field, (low, high) in self.limits.items():
            value = getattr(self, field)
            if value is not None or field not in self.optional:
                self._settle(**{field: parameter(value, self._path(field), low=low, high=high)})

    @property
    @abstractmethod
    def target(self) -> str:
        """What it befalls: a column, a cluster, or ``"row"``; part of the name of its random numbers."""

    @abstractmethod
    def strike(self, scene: Scene) -> None:
        """Spoil the data: `scene` has the random numbers, the true values, and the verbs."""

    @abstractmethod
    def equation(self, write: Callable[[Parameter], str]) -> str:
        """What becomes of the target, for print: ``"missing, with probability 0.1"``; `write` writes parameters."""

    def settled(self, contents: Contents) -> Self:
        """The problem in its one form, once it is sure that the population has what it names, or `FieldError`."""
        checks.readable(self.expressions(), type(self).__name__, contents)
        return self

    def expressions(self) -> dict[str, str]:
        """The fields that are expressions, and what they say."""
        return {field: text for field in self.limits if isinstance(text := getattr(self, field), str)}

    def reads(self) -> frozenset[str]:
        """The names that its expressions read."""
        return frozenset().union(*map(names_in, self.expressions().values()))

    def _path(self, field: str) -> tuple[str, str]:
        return type(self).__name__, field

    def _settle(self, **fields: Any) -> None:
        """Store checked fields while a frozen dataclass is being made."""
        for field, value in fields.items():
            object.__setattr__(self, field, value)


class ColumnProblem(Problem):
    """A problem of one column."""

    column: str

    numeric: ClassVar[bool] = True  # whether the column must hold numbers

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.column, str):
            raise FieldError(self._path("column"), f"must be the name of a column, found {shown(self.column)}.")

    @property
    def target(self) -> str:
        return self.column

    def settled(self, contents: Contents) -> Self:
        self._check_column(contents)
        return super().settled(contents)

    def _check_column(self, contents: Contents) -> None:
        checks.column(self.column, self._path("column"), contents, numeric=self.numeric)


class CellProblem(ColumnProblem):
    """A problem that some values of a column have and others have not.

    It strikes at the level of its column: a price that all patients of a therapist share is missing in all of his
    rows or in none. With another `level` it strikes all rows of that unit together.
    """

    level: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.level is not None and not isinstance(self.level, str):
            raise FieldError(self._path("level"), f"must be the name of a cluster, found {shown(self.level)}.")

    def settled(self, contents: Contents) -> Self:
        self._check_column(contents)
        own = contents.levels.get(self.column)
        if self.level is not None:
            checks.cluster(self.level, self._path("level"), contents)
        checks.readable(self.expressions(), type(self).__name__, contents, self.column, self.level or own)
        # What is understood anyway makes no other population when it is said.
        return replace(self, level=None) if own and self.level == own else self  # type: ignore[type-var]
