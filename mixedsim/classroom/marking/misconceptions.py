"""The usual mistakes: what each is called, what to tell who makes it, and where the book treats it.

A question's key says which wrong answer each of them leads to on a student's own data; an answer that equals it is the
mark of that mistake.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mixedsim.errors import MixedsimError, nearest


@dataclass(frozen=True)
class Misconception:
    """A mistake that many make.

    Attributes
    ----------
    name : what keys and reports call it.
    title : a few words, for the instructor's table: "31 of 187 took z for t".
    tells : one or two sentences for the student: what was done, and what that answers instead.
    chapter : the file in ``book/`` that treats it, without ``.md``.
    section : the heading there.
    """

    name: str
    title: str
    tells: str
    chapter: str
    section: str

    @property
    def advice(self) -> str:
        """What the student reads."""
        return f"{self.tells} See chapter {int(self.chapter[:2])}, “{self.section}”."


def _read() -> Mapping[str, Misconception]:
    """The catalogue, a table for each, stands in the file beside this one: it is text, and long."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return MappingProxyType({name: Misconception(name, **fields) for name, fields in tomllib.loads(text).items()})


MISCONCEPTIONS: Final[Mapping[str, Misconception]] = _read()


def misconception(name: str) -> Misconception:
    """The misconception of that name; raises `MixedsimError` if there is none."""
    if name not in MISCONCEPTIONS:
        raise MixedsimError(f"there is no misconception {name!r}; {nearest(name, list(MISCONCEPTIONS))}")
    return MISCONCEPTIONS[name]
