"""Answers that fit a classmate's data and not one's own: for a human to judge.

Every student has data of their own, so two right answers differ. An answer that is none of those that a student's own
data give, right or mistaken, but equals, in all digits typed, one that a classmate's data give, may have come from
there. One such answer means nothing: among a hundred classmates somebody's number is near. So each pair of students
gets the number of such answers, and a bound on how probable they were by chance:

    P(pair) ≤ C(w, m) · ∏_k min(1, c_k p_k),      p_k = max(2 h_k f_k, a_k)

where w of the student's answers fit nothing of their own and m of these fit the classmate; c_k is how many numbers
(right answers and mistakes) the k-th of these was compared with, 2 h_k the width of what rounds to it, a_k the share of
the other classmates that it fits as well, and f_k the density of the classmates' numbers at it, *given* that the
answers before it fit: answers of one student hang together, an intraclass correlation with the shrinkage that follows
from it. f_k is estimated from all other classmates by linear regression (the Cholesky factor of their correlations)
with Student's t on 3 degrees of freedom for the residual, whose tails are heavier than those of most data, so that the
bound errs to the side of the student. C(w, m) and c_k pay for having looked at all subsets and numbers (Bonferroni).

A pair is listed where P(pair) times the number of pairs that were compared is below `RATE`: in a class where everybody
worked alone that happens in less than one of 1 / `RATE` assignments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
RATE: Final = 0.05  # classes in which a pair is listed although everybody worked alone
FEWEST_ANSWERS: Final = 2  # that fit the classmate, for a pair to be listed
FEWEST_STUDENTS: Final = 12  # in a smaller class chance cannot be told
_SHOWN: Final = 6  # significant digits that a gradebook keeps of an answer
_SAME: Final = 2e-6  # relative: the same computation on another machine


class Pairs(NamedTuple):
    """What was compared, and what came out.

    Attributes
    ----------
    fits : students × classmates: how many of the student's answers fit the classmate's data and not the student's own.
    listed : the pairs for a human to judge: ``student, classmate, answers`` (numbers given), ``own`` (that fit the
        student's own data), ``fit`` (that fit the classmate's and not those), ``questions`` (which), ``by_chance``
        (how many one would expect to fit a classmate by chance), ``classes`` (in how many classes of honest students
        one would find such a pair at most); the strangest first.
    compared : number of pairs of which the student gave an answer that fits nothing of their own.
    """

    fits: pd.DataFrame
    listed: pd.DataFrame
    compared: int


_COLUMNS: Final = ["student", "classmate", "answers", "own", "fit", "questions", "by_chance", "classes"]


def half_units(texts: Sequence[str]) -> Floats:
    """Half a unit of the last digit of each number as it stands there; NaN for what is no number.

    Of a number with six digits, which is all that a gradebook keeps, the sixth counts.

    Examples
    --------
    >>> half_units(["0.32", "12", "1.5e-07", "0.316612", "?"])
    array([5.0e-03, 5.0e-01, 5.0e-09, 5.0e-07,     nan])
    """
    return np.array([_half_unit(text) for text in texts], dtype=np.float64)


def _half_unit(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return math.nan
    if not math.isfinite(number):
        return math.nan
    mantissa, _, exponent = text.strip().lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    place = int(exponent or 0) - decimals
    finest = math.floor(math.log10(abs(number))) - _SHOWN + 1 if number else place
    return 0.5 * 10.0 ** max(place, finest)


def copied_answers(given: pd.DataFrame, targets: pd.DataFrame, *, leave_out: frozenset[str] = frozenset()) -> Pairs:
    """Compare every student's numbers with what every classmate's data give.

    Parameters
    ----------
    given : index: student; one column a question; the answers as text, "" or anything else for none.
    targets : what each one's data give, right and mistaken: index: student; columns: (question, name). It may have
        more students than `given`: classmates who handed in nothing have data too.
    leave_out : questions that are not compared, because their answers are simulated.
    """
    named: list[Any] = targets.columns.to_list()
    columns = [column for column in named if column[0] in given.columns and column[0] not in leave_out]
    questions = list(dict.fromkeys(question for question, _ in columns))
    known = targets[columns].to_numpy(dtype=np.float64)  # classmates × numbers
    texts = given.reindex(columns=questions)
    number = np.array([pd.to_numeric(texts[q], errors="coerce") for q in questions], dtype=np.float64).T
    half = np.array([half_units(texts[q].astype(str).to_list()) for q in questions], dtype=np.float64).T
    shape = (len(given), len(questions))
    number, half = number.reshape(shape), half.reshape(shape)
    half = half + _SAME * np.abs(number)
    at = np.array([questions.index(question) for question, _ in columns], dtype=np.intp)
    own_rows = targets.index.get_indexer(given.index)
    fits = np.abs(number[:, None, at] - known[None]) <= half[:, None, at]  # students × classmates × numbers
    own = _any_of(fits[np.arange(len(given)), own_rows], at, len(questions))
    foreign = ~own & np.isfinite(number)
    fits &= foreign[:, None, at]
    per_question = _any_of(fits, at, len(questions))
    counts = per_question.sum(axis=2)
    compared = int(foreign.any(axis=1).sum()) * (len(targets) - 1)
    scene = _Scene(known, at, number, half, fits, own_rows)
    listed = _listed(scene, counts, foreign, compared) if len(targets) >= FEWEST_STUDENTS else []
    rows = [
        {
            "student": given.index[i],
            "classmate": targets.index[j],
            "answers": int(np.isfinite(number[i]).sum()),
            "own": int((own[i] & np.isfinite(number[i])).sum()),
            "fit": int(counts[i, j]),
            "questions": ", ".join(questions[q] for q in np.flatnonzero(per_question[i, j])),
            "by_chance": _by_chance(per_question[i], {int(own_rows[i]), j}),
            "classes": bound,
        }
        for i, j, bound in listed
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS).sort_values("classes", kind="stable", ignore_index=True)
    return Pairs(pd.DataFrame(counts, index=given.index, columns=targets.index), table, compared)


def _any_of(fits: Flags, at: NDArray[np.intp], questions: int) -> Flags:
    """For each question whether any of its numbers fits; the last axis goes from numbers to questions."""
    found = np.zeros((*fits.shape[:-1], questions), dtype=np.bool_)
    for question in range(questions):
        found[..., question] = fits[..., at == question].any(axis=-1)
    return found


def _by_chance(fits: Flags, involved: set[int]) -> float:
    """How many of a student's answers fit a classmate's data on average, over all classmates but those involved."""
    others = np.ones(len(fits), dtype=np.bool_)
    others[list(involved)] = False
    return float(fits[others].sum(axis=1).mean())


class _Scene(NamedTuple):
    known: Floats
    belongs: NDArray[np.intp]  # the question of each number
    number: Floats
    half: Floats
    fits: Flags
    own_rows: NDArray[np.intp]


def _listed(scene: _Scene, counts: NDArray[np.int64], foreign: Flags, compared: int) -> list[tuple[int, int, float]]:
    """The pairs that chance hardly explains; only those with several fitting answers need the bound, and are few."""
    found = []
    for i, j in zip(*np.nonzero(counts >= FEWEST_ANSWERS), strict=True):
        ways = math.comb(int(foreign[i].sum()), int(counts[i, j]))
        classes = compared * ways * _bound(scene, int(i), int(j))
        if classes < RATE:
            found.append((int(i), int(j), classes))
    return found


def _bound(scene: _Scene, i: int, j: int) -> float:
    """∏ min(1, c_k p_k) for one pair."""
    others = np.ones(len(scene.known), dtype=np.bool_)
    others[[scene.own_rows[i], j]] = False
    hits = np.flatnonzero(scene.fits[i, j])
    # One number a question: that which lies nearest to the answer.
    off = np.abs(scene.number[i, scene.belongs[hits]] - scene.known[j, hits])
    order = hits[np.lexsort((off, scene.belongs[hits]))]
    chosen = order[np.unique(scene.belongs[order], return_index=True)[1]]
    values = scene.known[np.ix_(others, chosen)]
    answer, half = scene.number[i, scene.belongs[chosen]], scene.half[i, scene.belongs[chosen]]
    choices = np.bincount(scene.belongs)[scene.belongs[chosen]]
    as_well = scene.fits[i][np.ix_(others, chosen)].mean(axis=0)
    chance = np.maximum(2 * half * _densities(values, answer), as_well)
    return float(np.prod(np.minimum(1.0, choices * chance)))


def _densities(values: Floats, at: Floats) -> Floats:
    """Density of each column at `at`, given that the columns before it have the values `at`.

    The columns that vary least beyond what others say of them come in any order: the product is the same but for the
    tails. A column that does not vary at all has an infinite density: its probability is cut at 1.
    """
    values = np.where(np.isnan(values), np.nanmean(values, axis=0), values)  # a mistake that not everybody can make
    sd = values.std(axis=0, ddof=1)
    varies = sd > 1e-9 * np.abs(values).max(axis=0)
    density = np.full(len(at), np.inf)
    if varies.any():
        z = (values[:, varies] - values[:, varies].mean(axis=0)) / sd[varies]
        own = (at[varies] - values[:, varies].mean(axis=0)) / sd[varies]
        correlation = z.T @ z / (len(z) - 1) + 1e-8 * np.eye(int(varies.sum()))
        factor = np.linalg.cholesky(correlation)
        w = np.linalg.solve(factor, own)
        density[varies] = 2 / (math.pi * math.sqrt(3)) / (1 + w * w / 3) ** 2 / (np.diag(factor) * sd[varies])
    return density
