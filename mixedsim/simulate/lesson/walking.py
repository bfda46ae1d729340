"""Drawing until the lesson shows, and refusing where it hardly ever does.

Data that contradict the text are a nuisance; data that were picked from thousands are a lie. So a population is tried
out first, on the seeds 0 to 99, and refused if fewer than 5 of these draws show the lesson: the verdict belongs to the
population and not to anybody's seed, and whoever doubts it can count for himself. A lesson that holds in p of all draws
is refused with probability P(Binomial(100, p) < 5): 0.44 at p = 0.05, 0.02 at p = 0.10; and let through with the rest:
0.05 at p = 0.02, 0.003 at p = 0.01.

The walk then goes from the given seed in steps of a thousand million. In steps of one, neighbouring seeds would end at
the same sample (if 1 and 2 do not show the lesson, both end at 3), and a class would copy its neighbours' data without
knowing it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mixedsim.simulate.contents import Contents, contents_of
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.lesson.check import canonical
from mixedsim.simulate.lesson.showing import shows
from mixedsim.simulate.rseed import RSeed

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population
    from mixedsim.simulate.sample import Sample

Lesson = str | Callable[["Sample"], bool] | None
Draw = Callable[["Population", Any], "Sample"]  # the sample of a seed

STRIDE = 1_000_000_000
_TRIED = 100
_FEWEST = 5  # 1 in 20 of those
_MOST = 1000  # candidates from one seed; after the trial nobody gets here


def settled_lesson(given: Any, contents: Contents) -> Lesson:
    """The `lesson` field in its one form: text in its one spelling, a function, or None."""
    if given is None or callable(given):
        function: Callable[[Sample], bool] | None = given
        return function
    if not isinstance(given, str):
        raise FieldError(
            ("lesson",), f"must be text such as 'pooled(x) < 0 < within(x)', or a function, found {shown(given)}."
        )
    return canonical(given, contents)


def lesson_text(lesson: Lesson) -> str:
    """A lesson as a file can hold it, or `FieldError` if it is a function."""
    if not isinstance(lesson, str):
        raise FieldError(
            ("lesson",),
            "is a Python function, which a file cannot hold: write it as text such as 'pooled(x) < 0 < within(x)', or "
            "take it off, with_(lesson=None).",
        )
    return lesson


def shows_lesson(sample: Sample) -> bool:
    """Whether a sample shows the lesson of its population.

    Raises
    ------
    FieldError
        If the lesson is a function that does not answer with true or false.
    """
    population = sample.population
    lesson = population.lesson
    if isinstance(lesson, str):
        return shows(lesson, sample.data, contents_of(population.plan, population.family))
    assert lesson is not None
    answer: Any = lesson(sample)
    if not isinstance(answer, bool | np.bool_):
        raise FieldError(("lesson",), f"must be a function that returns True or False, found {shown(answer)}.")
    return bool(answer)


def drawn(population: Population, seed: int | RSeed, draw: Draw, *, lesson: bool) -> Sample:
    """The sample of a seed; with `lesson`, the first one from the seed on that shows the lesson.

    Parameters
    ----------
    draw : makes the sample of a population and a seed.

    Raises
    ------
    FieldError
        If the population has no lesson, or one that fewer than 5 of the 100 draws of the trial show.
    """
    if not isinstance(lesson, bool):
        raise FieldError(("lesson",), f"is True or False in a draw, and text in the population; found {shown(lesson)}.")
    if not lesson:
        return draw(population, seed)
    if isinstance(seed, RSeed):
        raise FieldError(("seed",), f"must be an integer where lesson=True walks on from it, found {seed!r}.")
    if population.lesson is None:
        raise FieldError(
            ("lesson",), "is missing: say what a sample must show, as in lesson='pooled(x) < 0 < within(x)'."
        )
    _refuse_if_rare(population, draw)
    for skipped in range(_MOST):
        sample = draw(population, seed + skipped * STRIDE)
        if shows_lesson(sample):
            return replace(sample, truth=replace(sample.truth, skipped=skipped))
    raise FieldError(("lesson",), f"shows in none of {_MOST:,} draws from seed {seed} on: change it or the population.")


@lru_cache(maxsize=64)
def _refuse_if_rare(population: Population, draw: Draw) -> None:
    """Raise `FieldError` unless enough draws show the lesson; a population that passed is not tried again."""
    found = 0
    for seed in range(_TRIED):
        found += shows_lesson(draw(population, seed))
        if found == _FEWEST:
            return
    lesson = f" {population.lesson!r}" if isinstance(population.lesson, str) else ""
    raise FieldError(
        ("lesson",),
        f"shows in only {found} of the {_TRIED} draws of the seeds 0 to {_TRIED - 1}, and fewer than 1 in 20 would be "
        f"picked, not drawn: change the population or the lesson{lesson}.",
    )
