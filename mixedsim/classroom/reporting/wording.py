"""How pages say what the grader found: an outcome in words and as a sign, points, stars, where to read on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mixedsim.classroom.marking import MISCONCEPTIONS, Misconception
from mixedsim.classroom.marking.verdict import Outcome
from mixedsim.classroom.reporting.pages import Html, tag, together

OUTCOME_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "right": ("✓", "Right"),
        "rounded": ("≈", "Right, but to fewer digits than asked"),
        "partly": ("◐", "Partly right"),
        "wrong": ("✗", "Not right"),
        "unreadable": ("?", "Not in the form that was asked for"),
        "missing": ("–", "No answer"),
    }
)
LEVELS: Final = 3


def outcome_words(outcome: Outcome | str) -> Html:
    """Sign and words; the sign is for eyes alone."""
    sign, words = OUTCOME_WORDS[outcome]
    return together(tag("span", sign, aria_hidden="true"), " ", words)


def points_of(points: float, maximum: float) -> str:
    """``"1.5 of 2 points"``."""
    return f"{round(points, 2):g} of {maximum:g} {'point' if maximum == 1 else 'points'}"


def stars(level: int) -> Html:
    """The level of a question, as the workbook shows it."""
    shown = "★" * level + "☆" * (LEVELS - level)
    return tag("span", shown, class_="stars", role="img", aria_label=f"level {level} of {LEVELS}")


def title_of(name: str) -> str:
    """A mistake in a few words; its name, if a later version of the keys knows it no more."""
    return MISCONCEPTIONS[name].title if name in MISCONCEPTIONS else name


def pointer(known: Misconception, book: str) -> Html:
    """Where the book treats a mistake; a link if `book` says where the built book is."""
    words = f"chapter {int(known.chapter[:2])}, “{known.section}”"
    if not book:
        return together(f"See {words}.")
    address = f"{book.rstrip('/')}/{known.chapter}.html#{anchor(known.section)}"
    return together("See ", tag("a", words, href=address), ".")


def without_pointer(feedback: str, name: str) -> str:
    """Feedback without the last sentence that `Misconception.advice` adds, where a page has its own."""
    known = MISCONCEPTIONS.get(name)
    return feedback.replace(known.advice, known.tells) if known else feedback


def anchor(heading: str) -> str:
    """What a heading is called in the address of its section, in the pages that Sphinx writes.

    Examples
    --------
    >>> anchor("Why: luck and skill"), anchor("What moves λ")
    ('why-luck-and-skill', 'what-moves')
    """
    plain = unicodedata.normalize("NFKD", heading.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
