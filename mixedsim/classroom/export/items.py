"""A question for one student in a form that belongs to no learning platform yet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mixedsim.errors import MixedsimError

FILES: Final = "mixedsim-files:/"  # what stands in a text for the place where a platform keeps the files


@dataclass(frozen=True, kw_only=True)
class Item:
    """What all kinds have in common.

    Attributes
    ----------
    assignment, question, student : whose it is.
    heading, text : HTML; links to files begin with `FILES`.
    kind, level, points : as in the key.
    otherwise : what a wrong answer is told that has no feedback of its own; HTML.
    files : names of the files that the text links to.
    """

    assignment: str
    question: str
    student: str
    heading: str
    text: str
    kind: str
    level: int
    points: float
    otherwise: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the platform's lists call it."""
        return f"{self.assignment} {self.question} {self.student}"

    def at(self, place: str) -> str:
        """The text, with links to files in `place`."""
        return self.text.replace(FILES, place)


@dataclass(frozen=True)
class Value:
    """A number that gets points or feedback.

    Attributes
    ----------
    number, tolerance : every number as near as the tolerance counts as this one.
    share : of the points, from 0 to 1.
    feedback : HTML.
    mistake : the misconception that it is the mark of; ``""`` for none.
    """

    number: float
    tolerance: float
    share: float
    feedback: str
    mistake: str = ""

    def overlaps(self, other: Value) -> bool:
        """Whether some number counts as both."""
        return abs(self.number - other.number) <= self.tolerance + other.tolerance


@dataclass(frozen=True, kw_only=True)
class NumberItem(Item):
    """A number is typed. The first of `values` that it counts as says what it gets; none, no points.

    Attributes
    ----------
    values : all that are right, then those rounded too far, then the marks of mistakes.
    dropped : mistakes that cannot be told from a right answer or from each other on this student's data.

    Raises
    ------
    MixedsimError
        If a number is not finite, a tolerance not more than 0, or a mistake overlaps a right answer.
    """

    values: tuple[Value, ...]
    dropped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for value in self.values:
            if not (math.isfinite(value.number) and math.isfinite(value.tolerance) and value.tolerance > 0):
                raise MixedsimError(f"{self.name}: {value.number} ± {value.tolerance} is no answer that can be marked.")
        if any(mistake.overlaps(right) for mistake in self.mistakes for right in self.right):
            raise MixedsimError(f"{self.name}: the mark of a mistake overlaps a right answer.")

    @property
    def right(self) -> tuple[Value, ...]:
        """Those that get all points."""
        return tuple(value for value in self.values if value.share == 1)

    @property
    def mistakes(self) -> tuple[Value, ...]:
        """Those that name a misconception."""
        return tuple(value for value in self.values if value.mistake)


@dataclass(frozen=True)
class Option:
    """One of the words to choose from: plain text, whether it is right, and what is said of it (HTML)."""

    word: str
    right: bool
    feedback: str
    mistake: str = ""


@dataclass(frozen=True, kw_only=True)
class ChoiceItem(Item):
    """One of a few words is chosen; exactly one is right."""

    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        if sum(option.right for option in self.options) != 1:
            raise MixedsimError(f"{self.name}: one of the words must be right, and no other.")


@dataclass(frozen=True, kw_only=True)
class MatchItem(Item):
    """Each of several things gets a word; each in its place gets its share of the points.

    Attributes
    ----------
    pairs : thing and right word, plain text.
    words : all words, also those that belong to nothing.
    """

    pairs: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
