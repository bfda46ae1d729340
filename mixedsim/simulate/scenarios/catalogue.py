"""The library as a whole: which scenarios there are, and what each is about."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd

from mixedsim.simulate.counts import words
from mixedsim.simulate.families import family_of
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.clinics import blood_cells, gp_visits, growth_curves
from mixedsim.simulate.scenarios.laboratory import lab_batches, null, shop_prices
from mixedsim.simulate.scenarios.nature import ferns, split_plot, wolves
from mixedsim.simulate.scenarios.paradox import simpson
from mixedsim.simulate.scenarios.people import daily_diary, reading_times, satisfaction, sleep_like
from mixedsim.simulate.scenarios.published import leg_press, packed_cell_volume, training_volume
from mixedsim.simulate.scenarios.scenario import Scenario, scenario_of
from mixedsim.simulate.scenarios.schools import essay_ratings, primary_schools, school
from mixedsim.simulate.scenarios.sports import baseball, training_trial, two_legs
from mixedsim.simulate.scenarios.therapists import (
    therapist_confounder,
    therapist_context,
    therapist_intervention,
    therapist_plain,
    therapist_price,
)
from mixedsim.simulate.scenarios.trials import cluster_trial, dropout_trial, multisite_trial, stepped_wedge

# In the order in which a course would tell them: by what they teach, and there the easier one first.
_SCENARIOS = (
    *(therapist_plain, therapist_price, therapist_confounder, therapist_context, therapist_intervention),
    *(null, simpson, school, primary_schools, essay_ratings),
    *(sleep_like, daily_diary, growth_curves, reading_times),
    *(leg_press, training_trial, training_volume, two_legs, packed_cell_volume),
    *(cluster_trial, multisite_trial, stepped_wedge, dropout_trial),
    *(ferns, split_plot, wolves, lab_batches, shop_prices),
    *(baseball, blood_cells, gp_visits, satisfaction),
)
_WIDTH = 100


def names() -> list[str]:
    """Names of all scenarios, in the order in which a course would tell them.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.scenarios.names()[:2]
    ['therapist_plain', 'therapist_price']
    """
    return [make.__name__ for make in _SCENARIOS]


def table() -> pd.DataFrame:
    """The library as a table, one row a scenario.

    Returns
    -------
    A frame with ``name``, ``story`` (in one line), ``rows`` (on average), ``clusters``, ``outcome`` with its kind,
    ``model`` (the formula to recommend) and ``level``, from ★ (a first model) to ★★★.

    Examples
    --------
    >>> import mixedsim as ms
    >>> library = ms.scenarios.list()
    >>> library.loc[library["name"] == "wolves", ["clusters", "outcome", "model"]].squeeze().tolist()
    ['6 park, 10 year', 'flood (gaussian)', 'flood ~ wolves + (1 | park) + (1 | year)']
    """
    return pd.DataFrame([_row(scenario_of(name)) for name in names()])


def info(name: str) -> str:
    """What a scenario is about: story, questions, equations, truth, model, and the columns with their units.

    Parameters
    ----------
    name : one of `names`.

    Raises
    ------
    PopulationError
        If there is no such scenario.

    Examples
    --------
    >>> import mixedsim as ms
    >>> print(ms.scenarios.info("wolves").splitlines()[0])
    wolves ★★: Wolves and floods in the same parks in the same years: two groupings that cross.
    """
    this = scenario_of(name)
    population = this.make()
    hidden = [column for column, variable in population.variables.items() if not variable.observed]
    width = max(map(len, population.about), default=0)
    columns = [
        f"  {column:<{width}}  {what}{' (not in the data)' * (column in hidden)}"
        for column, what in population.about.items()
    ]
    lines = [textwrap.fill(line, _WIDTH, subsequent_indent=" " * (width + 4)) for line in columns]
    return "\n".join([f"{this.name} {'★' * this.stars}: {this.told}", "", "Columns:", "", *lines])


def load(name: str, **sizes: Any) -> Population:
    """The population of a scenario by its name: ``load("ferns", trays=24)`` is ``ferns(trays=24)``.

    Parameters
    ----------
    name : one of `names`.
    sizes : what the scenario's function takes.

    Raises
    ------
    PopulationError
        If there is no such scenario.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.scenarios.load("ferns", trays=24) == ms.scenarios.ferns(trays=24)
    True
    """
    return scenario_of(name).make(**sizes)


def _row(this: Scenario) -> dict[str, Any]:
    population = this.make()
    structure = population.plan.structure
    clusters = (
        f"{words(one.n)} {one.name}" + (f" in each {one.within}" if one.within else "") for one in structure.clusters
    )
    return {
        "name": this.name,
        "story": this.title,
        "rows": round(structure.expected_rows()),
        "clusters": ", ".join(clusters),
        "outcome": f"{population.plan.response.name} ({family_of(population.family).kind})",
        "model": this.model,
        "level": "★" * this.stars,
    }
