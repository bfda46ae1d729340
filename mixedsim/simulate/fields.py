"""What a field of a description may hold, and the one-sentence error when it holds something else.

A field is named by its path, ``("variables", "depression", "sd")``. The path stays on the error, so that whoever
read the description from a file can add the line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field
from enum import Enum
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import PopulationError, nearest

Path = tuple[str, ...]


class Absent(Enum):
    """The default of a field that must be given, so that we and not Python say that it is missing."""

    ABSENT = "absent"


ABSENT: Any = Absent.ABSENT

_LARGEST = 1e300  # so that a number times a random one is a number too


class FieldError(PopulationError):
    """A field of a description is missing, unknown or impossible.

    Attributes
    ----------
    field : path of the culprit, ``("ranef", "therapist", "corr")``.
    problem : the rest of the sentence, ``"must be 2×2: …"``.
    """

    def __init__(self, field: Path, problem: str) -> None:
        super().__init__(f"{'.'.join(field)} {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[FieldError], tuple[Path, str]]:
        return type(self), (self.field, self.problem)

    def under(self, *owner: str) -> FieldError:
        """The same complaint with the path of the whole description: ``sd`` → ``variables.depression.sd``."""
        return FieldError((*owner, *self.field[1:]), self.problem)


def shown(value: object) -> str:
    """A value as an error sentence quotes it: short, and without NumPy's type names."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.integer | np.floating):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


# Texts that were meant as numbers or expressions, and how to mend them.
_MISSPELT = {
    r"^[-+\u2212]?\d+,\d+$": "decimals take a point, not a comma, as in 0.5",
    r"^[-+]?[\d.]+ ?%$": "a share lies between 0 and 1, so write 3% as 0.03",
    r"[\u2212\u2013]": "the minus sign is the hyphen of the keyboard, as in -0.5",  # print has the other
    r"[^=<>!]=[^=]": "that two things are equal is written ==",
}


def is_needed(field: Field[Any]) -> bool:
    """Whether a field of a description has to be given."""
    return field.default is ABSENT or (field.default is MISSING and field.default_factory is MISSING)


def mend(text: object) -> str:
    """The tail of an error sentence that says how to write a text that is no number; "" if nobody knows."""
    hints = (hint for pattern, hint in _MISSPELT.items() if isinstance(text, str) and re.search(pattern, text.strip()))
    return next((f": {hint}" for hint in hints), "")


def number(value: Any, field: Path, *, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a finite float within [low, high], or raise `FieldError`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise FieldError(field, f"must be a number, found {shown(value)}{mend(value)}.")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise FieldError(field, f"must be a finite number, found {shown(result)}.")
    if not low <= result <= high:
        raise FieldError(field, f"{within(low, high)}, found {shown(result)}.")
    if abs(result) > _LARGEST:
        raise FieldError(field, f"must lie between -{_LARGEST:g} and {_LARGEST:g}, found {shown(result)}.")
    return result


def within(low: float, high: float) -> str:
    """The words for an interval: ``"must not be negative"``, ``"must lie between 0 and 1"``."""
    if math.isfinite(high):
        return f"must lie between {low:g} and {high:g}"
    return "must not be negative" if low == 0 else f"must be at least {low:g}"


def whole(value: Any, field: Path, *, low: int | None = None) -> int:
    """Return `value` as an int (a float such as 50.0 passes), or raise `FieldError`."""
    result = number(value, field)
    if result != int(result):
        raise FieldError(field, f"must be a whole number, found {shown(value)}.")
    if low is not None and result < low:
        raise FieldError(field, f"must be at least {low}, found {int(result)}.")
    return int(value)


def is_list(value: object) -> TypeGuard[Sequence[Any] | NDArray[Any]]:
    """Whether a value holds several, in order: a list, a tuple, an array; not text."""
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def identifier(value: Any, field: Path) -> str:
    """Return `value` if it can name a column in formulas and expressions, or raise `FieldError`."""
    if not isinstance(value, str) or not value.isidentifier():
        raise FieldError(field, f"must be a name of letters, digits and underscores, found {shown(value)}.")
    return value


def only(given: Iterable[object], known: Iterable[str], field: Path, *, needed: Iterable[str] = ()) -> None:
    """Raise `FieldError` if a key of a mapping is unknown, or if a needed one is missing."""
    given, known = list(given), list(known)
    for key in given:
        if key not in known and str(key).isdigit():  # YAML reads {p: 0,5} as p: 0 and a field called 5
            raise FieldError((*field, str(key)), "is not a field: decimals take a point, not a comma, as in 0.5.")
        if key not in known:
            raise FieldError((*field, str(key)), f"is not a field: {nearest(str(key), known)}")
    for key in needed:
        if key not in given:
            raise FieldError((*field, key), "is missing.")
