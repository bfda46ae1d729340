"""One sequence of random numbers for all parts of a population, which take their turns as in an R script.

Everywhere else each part has a stream of its own, so that nobody minds who is drawn first, and the truth of a sample
is drawn again part by part. Here a part begins where the one before it has ended. So a draw is rehearsed once, in the
order of `RSeed`, and it is noted where each part began: from then on a part can be drawn again by itself, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np

from mixedsim.errors import nearest
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.fields import FieldError
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.layout import lay_out
from mixedsim.simulate.making import make_variables
from mixedsim.simulate.outcome import draw_effects
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.replay.numbers import RNumbers
from mixedsim.simulate.replay.words import Words
from mixedsim.simulate.rseed import RSeed
from mixedsim.simulate.streams import Streams

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

Part = tuple[str, ...]


class RStreams(Streams):
    """The random numbers of an `RSeed`: a part that is new begins where the one before it has ended."""

    def __init__(self, seed: RSeed) -> None:
        super().__init__(seed.seed)
        self._words = Words(seed.seed)
        self._began: dict[Part, Words] = {}
        self._turn: Part | None = None

    def generator(self, *part: str) -> np.random.Generator:
        """The part's numbers under NumPy's names; it has its turn when it first asks for one."""
        own: list[Words] = []

        def words() -> Words:
            if not own:
                own.append(self._begin(part))
            assert own[0] is not self._words or self._turn == part, f"{part} goes on after {self._turn} has begun"
            return own[0]

        return cast(np.random.Generator, RNumbers(words, ".".join(part)))  # what parts ask of a generator, it has

    def _begin(self, part: Part) -> Words:
        if part in self._began:
            return self._began[part].copy()
        self._began[part] = self._words.copy()
        self._turn = part
        return self._words


@lru_cache(maxsize=4)
def rehearsed(population: Population, seed: RSeed, draw: Callable[[Population, Streams], object]) -> Streams:
    """The sequence of a seed after all parts of a population have had their turns.

    Parameters
    ----------
    draw : draws the whole population; what the order of the seed does not settle follows as it asks for it.
    """
    plan, sequence = population.plan, RStreams(seed)
    layout = lay_out(plan.structure, sequence)
    so_far: list[str] = []
    for group, names in _in_turn(plan, seed):
        so_far += names
        variables = {name: plan.variables[name] for name in so_far}
        make_variables(variables, plan.levels, layout, sequence)
        if group is not None:
            draw_effects(_alone(plan, group), covariances(population.ranef), layout, sequence)
    draw(population, sequence)
    return sequence


def _in_turn(plan: Plan, seed: RSeed) -> Iterator[tuple[str | None, list[str]]]:
    """The variables before each grouping factor's effects, and (None) those after the last."""
    waiting: list[str] = []
    for name in _order(plan, seed):
        if name in plan.effects:
            yield name, waiting
            waiting = []
        else:
            waiting.append(name)
    yield None, waiting


def _order(plan: Plan, seed: RSeed) -> list[str]:
    """Variables and grouping factors in the order in which they are drawn: each variable after those that it reads."""
    known = [*plan.variables, *plan.effects]
    for name in seed.order:
        if name not in known:
            problem = f"names {name!r}, which is no variable and no grouping factor: {nearest(name, known)}"
            raise FieldError(("RSeed", "order"), problem)
    rows = [name for name in plan.variables if plan.levels[name] is None]
    order: dict[str, None] = {}

    def place(name: str) -> None:
        if name in plan.variables and name not in order:
            reads = frozenset().union(*plan.variables[name].reads().values())
            for other in plan.variables:
                if other in reads:
                    place(other)
        order[name] = None

    for name in (*seed.order, *rows, *plan.effects, *plan.variables):
        place(name)
    return list(order)


def _alone(plan: Plan, group: str) -> Plan:
    """The plan with the random effects of one grouping factor only."""
    terms = tuple(term for term in plan.terms if term.group == group)
    return replace(plan, effects=Frozen({group: plan.effects[group]}), terms=terms)
