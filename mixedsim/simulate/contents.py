"""What a data file has in it and what lies behind it, by name: for everything that speaks of columns by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixedsim.simulate.families import family_of
from mixedsim.simulate.ordinal import Ordinal
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.response import TRIALS
from mixedsim.simulate.structure import Structure


@dataclass(frozen=True)
class Contents:
    """The columns of a population's data, and the variables that only the truth knows.

    Attributes
    ----------
    structure : the clusters; each has a column of ids.
    kinds : every variable and the response, with its labels if it is categorical, else None.
    observed : those of them that are in the data, in the order of the columns.
    levels : for every variable the cluster at which it lives, None for rows; the response has no entry.
    response : name of the response.
    """

    structure: Structure
    kinds: Mapping[str, tuple[str, ...] | None]
    observed: tuple[str, ...]
    levels: Mapping[str, str | None]
    response: str

    @property
    def clusters(self) -> tuple[str, ...]:
        """The names of the clusters."""
        return self.structure.names


def contents_of(plan: Plan, family: object) -> Contents:
    """The `Contents` of a population with this plan and this entry in its field `family`."""
    outcome = family_of(family)
    labels = tuple(outcome.labels or ()) if isinstance(outcome, Ordinal) else None
    counted: dict[str, None] = {TRIALS: None} if isinstance(plan.response.trials, int) else {}
    own = {**counted, plan.response.name: labels}
    return Contents(
        structure=plan.structure,
        kinds={**{name: variable.categories() for name, variable in plan.variables.items()}, **own},
        observed=(*(name for name, variable in plan.variables.items() if variable.observed), *own),
        levels=plan.levels,
        response=plan.response.name,
    )
