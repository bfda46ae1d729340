"""What a population's names mean in words: ``{"anxiety": "score in points, 0–20; higher is worse"}``.

The words say what a column is and in which unit; they are for codebooks, and no part of what the population means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixedsim.errors import nearest
from mixedsim.simulate.contents import Contents
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.frozen import Frozen

_LONGEST = 500  # characters


class Kept(Frozen[str, str]):
    """Words that were true of another population: what they say of names that are gone goes with these."""


def settled_about(given: Any, contents: Contents) -> Frozen[str, str]:
    """The `about` field in its one form: name → words without outer blanks.

    Raises
    ------
    FieldError
        If a name is no cluster, variable or response, or what is said of it is no text.
    """
    if not isinstance(given, Mapping):
        raise FieldError(("about",), f"must hold words by name, as in {{'x': 'weight in kg'}}, found {shown(given)}.")
    known = (*contents.clusters, *contents.kinds)
    if isinstance(given, Kept):
        return Frozen({name: given[name] for name in given if name in known})
    for name in given:
        if name not in known:
            problem = f"is no cluster, variable or response of this population: {nearest(str(name), known)}"
            raise FieldError(("about", str(name)), problem)
    return Frozen({name: _words(words, ("about", name)) for name, words in given.items()})


def _words(given: Any, field: tuple[str, str]) -> str:
    if not isinstance(given, str) or not given.strip():
        raise FieldError(field, f"must be text such as 'weight in kg', found {shown(given)}.")
    words = " ".join(given.split())
    if len(words) > _LONGEST:
        raise FieldError(field, f"must be at most {_LONGEST} characters long, found {len(words)}.")
    return words
