"""A number for a meaning: the same in every process, another one for every other meaning.

Python's own `hash` is salted anew whenever it starts, and no key for files or databases.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from mixedsim.errors import PopulationError
from mixedsim.simulate.fields import shown


def fingerprint(meaning: Any) -> str:
    """The SHA-256 of a value made of tuples, mappings, dataclasses, texts and numbers, in 64 hexadecimal digits.

    Values that are equal have the same; the order of a mapping's keys does not count, that of a tuple does.

    Raises
    ------
    PopulationError
        If there is something else in it: a function, which is Python and no data.

    Examples
    --------
    >>> from mixedsim.simulate.fingerprint import fingerprint
    >>> fingerprint({"a": 1, "b": (2.5, None)}) == fingerprint({"b": (2.5, None), "a": 1.0})
    True
    """
    return hashlib.sha256(json.dumps(_plain(meaning), ensure_ascii=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A value in lists and texts, every kind of thing marked as what it is."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return ["number", _digits(value)]
    if isinstance(value, tuple):
        return ["tuple", *map(_plain, value)]
    if isinstance(value, Mapping):
        return ["mapping", *sorted([json.dumps(_plain(key)), _plain(entry)] for key, entry in value.items())]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *([f.name, _plain(getattr(value, f.name))] for f in fields(value) if f.compare)]
    raise PopulationError(f"{shown(value)} has no fingerprint: it is Python and no data.")


def _digits(value: float) -> str:
    """Equal numbers in equal digits, as Python has 1 == 1.0 == True and 0 == -0."""
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(float(value))
