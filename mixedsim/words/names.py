"""What the name of a column says about it, where its numbers alone cannot: 1 … 20 are items as well as days."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Things of which a study has many, in the singular: their column holds which one a row belongs to.
_UNITS = _words(
    """
    animal batch block cask center centre child city class classroom client clinic clinician cluster
    community company condominium country county couple department dept district doctor dog donor dyad employee
    family farm field firm gene herd hospital house household id individual infant institution interviewer item
    judge lab laboratory lecturer litter machine manager mother mouse neighborhood neighbourhood nurse observer
    operator organisation organization pair parent participant patient person physician plant plate player plot
    practice prefecture province pupil rat rater reader region respondent sample school section sentence sire
    site speaker species specimen state station stimulus store student subj subject supervisor surgeon teacher
    team therapist town tree twin unit village ward word worker
    """
)
_CODES = frozenset({"id", "ids", "nr", "no", "num", "number", "code"})
# Units that every level of another group meets: item 1 is the same item for everybody.
_SHARED = frozenset({"item", "judge", "rater", "reader", "sentence", "stimulus", "word", "observer", "speaker"})
# Where in time a row stands: 0, 1, 2, … are amounts and not names.
_TIMES = _words(
    """
    age date day days grade hour hours minute minutes month months occasion order period position quarter round
    second seconds session sessions time timepoint trial trials visit visits wave waves week weeks year years
    """
)
_OUTCOMES = frozenset({"y", "outcome", "response", "score"})


def words_of(name: str) -> list[str]:
    """``"schoolID"`` and ``"school_id"`` are both ``["school", "id"]``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word.casefold() for word in re.split(r"[\W_\d]+", apart) if word]


def names_unit(name: str) -> bool:
    """Whether the name says "which one": ``school``, ``k_id``, ``patientNr``; not ``school_size``, ``students``."""
    words = words_of(name)
    if not words or (words[0] in ("n", "number", "num") and len(words) > 1 and words[-1] not in _CODES):
        return False
    last = words[-1]
    if last in _CODES:
        return last in ("id", "ids", "code") or len(words) > 1
    return last in _UNITS or (last.endswith("id") and last[:-2] in _UNITS)


def names_shared(name: str) -> bool:
    """Whether the name is of something that every level of another group meets, such as an item."""
    return bool(_SHARED.intersection(words_of(name)))


def names_time(name: str) -> bool:
    """Whether the name is of a time, an age or an order."""
    words = words_of(name)
    return bool(words) and words[-1] in _TIMES


def names_outcome(name: str) -> bool:
    """Whether the name is that of an outcome."""
    return name.casefold() in _OUTCOMES
