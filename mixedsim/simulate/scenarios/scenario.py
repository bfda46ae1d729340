"""What a scenario is: a function that makes a population, and its docstring, which tells the story.

The docstring is the one place where a story stands. Its first line is the title; paragraphs that begin with
``Questions:`` or ``Fit:`` are found again by that word. Units stand in the population (its field `about`). What neither
can say stands in the decorator: how hard it is.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mixedsim.errors import PopulationError, nearest
from mixedsim.simulate.population import Population

_Make = TypeVar("_Make", bound=Callable[..., Population])

_KNOWN: dict[str, Scenario] = {}


@dataclass(frozen=True)
class Scenario:
    """A function that makes a population, and what is told about it.

    Attributes
    ----------
    name : of the function.
    make : the function.
    stars : how hard it is, from 1 (a first model) to 3.
    """

    name: str
    make: Callable[..., Population]
    stars: int

    @property
    def title(self) -> str:
        """The story in one line."""
        return self._text.partition("\n")[0]

    @property
    def told(self) -> str:
        """The docstring as far as it is told to everybody: without parameters and examples."""
        return re.split(r"\n(?:Parameters|Raises|Examples)\n-", self._text)[0].strip()

    @property
    def questions(self) -> tuple[str, ...]:
        """Typical questions."""
        return tuple(f"{one.strip()}?" for one in self._paragraph("Questions").split("?") if one.strip())

    @property
    def model(self) -> str:
        """The formula of the model to recommend."""
        found = re.search(r"``(.+?)``", self._paragraph("Fit"))
        return found[1] if found else ""

    @property
    def _text(self) -> str:
        return inspect.getdoc(self.make) or ""

    def _paragraph(self, head: str) -> str:
        """The paragraph that begins with this word, on one line."""
        found = re.search(rf"^{head}: (.+?)(?:\n\n|\Z)", self.told, flags=re.MULTILINE | re.DOTALL)
        return " ".join(found[1].split()) if found else ""


def scenario(stars: int) -> Callable[[_Make], _Make]:
    """Decorator that puts a function into the library; the function stays what it is, and its examples are run."""

    def known(make: _Make) -> _Make:
        _KNOWN[make.__name__] = Scenario(make.__name__, make, stars)
        return make

    return known


def scenario_of(name: str) -> Scenario:
    """The scenario of that name, or `PopulationError`."""
    if name not in _KNOWN:
        raise PopulationError(f"there is no scenario {name!r}: {nearest(name, _KNOWN)}")
    return _KNOWN[name]
