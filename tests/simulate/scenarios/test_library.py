"""Every scenario of the library, whatever it is about."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.errors import PopulationError
from mixedsim.simulate.lesson import shows_lesson
from mixedsim.simulate.scenarios.scenario import scenario_of

NAMES = ms.scenarios.names()
POPULATIONS = {name: ms.scenarios.load(name) for name in NAMES}
PARTS = ("Story:", "Questions:", "Equations", "Truth:", "Fit:", "Examples")


def test_there_are_at_least_24_and_none_twice() -> None:
    assert len(NAMES) >= 24
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) | {"info", "list", "load", "names"} == set(ms.scenarios.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_a_population_of_its_name_whose_columns_are_told(name: str) -> None:
    population = POPULATIONS[name]
    assert population.name == name
    data = population.draw(seed=1).data
    assert [column for column in data if column not in population.about] == []
    assert all(len(words) > 3 for words in population.about.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_comes_back_from_its_file(name: str) -> None:
    population = POPULATIONS[name]
    again = ms.Population.from_yaml(population.to_yaml())
    assert again == population
    assert (again.about, again.lesson, again.name) == (population.about, population.lesson, population.name)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_data_and_another_one_others(name: str) -> None:
    population = POPULATIONS[name]
    response = population.plan.response.name
    one, again, other = (population.draw(seed).data[response].tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize("name", [name for name in NAMES if POPULATIONS[name].lesson])
def test_a_lesson_shows_in_at_least_1_of_20_draws(name: str) -> None:
    shown = [shows_lesson(POPULATIONS[name].draw(seed)) for seed in range(20)]
    assert np.mean(shown) >= 0.5  # far enough above 1/20 that no seed is refused
    assert POPULATIONS[name].draw(1, lesson=True).truth.skipped <= 20


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_tells_what_it_must(name: str) -> None:
    told = scenario_of(name)
    text = inspect.getdoc(getattr(ms.scenarios, name)) or ""
    assert [part for part in PARTS if f"\n{part}" not in text] == []
    assert "What the naive" in text
    assert len(told.questions) >= 2
    assert told.title.endswith((".", "?"))
    assert "\n" not in told.title


@pytest.mark.parametrize("name", [name for name in NAMES if name != "simpson"])
def test_the_parameters_stand_in_the_docstring(name: str) -> None:
    population, text = POPULATIONS[name], scenario_of(name).told
    sds = [sd for entry in population.ranef.values() for sd in entry["sd"]]
    numbers = [*population.fixef.values(), *sds, *([population.sigma] if isinstance(population.sigma, float) else [])]
    assert [number for number in numbers if f"{abs(number):.6g}" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_recommended_model_speaks_of_columns_in_the_data(name: str) -> None:
    model = scenario_of(name).model
    columns = set(POPULATIONS[name].draw(1).data)
    words = {
        word for word in model.replace("~", " ").replace("(", " ").replace(")", " ").split() if word.isidentifier()
    }
    assert words
    assert words <= columns


def test_the_list_has_a_row_for_each() -> None:
    table = ms.scenarios.list()
    assert table["name"].tolist() == NAMES
    assert table.columns.tolist() == ["name", "story", "rows", "clusters", "outcome", "model", "level"]
    assert (table != "").all().all()
    assert set(table["level"]) == {"★", "★★", "★★★"}
    rows = table.set_index("name")["rows"]
    assert rows["ferns"] == 1200
    assert rows["training_volume"] == 150


def test_info_tells_the_story_the_units_and_the_model() -> None:
    text = ms.scenarios.info("ferns")
    for part in (
        "ferns ★★★: Ferns under three lights",
        "Story:",
        "Questions:",
        "Fit: ``height",
        "height of the seedling",
    ):
        assert part in text
    assert "Parameters" not in text
    assert ">>>" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_load_takes_the_sizes() -> None:
    assert ms.scenarios.load("wolves", parks=9) == ms.scenarios.wolves(parks=9)


@pytest.mark.parametrize("ask", [ms.scenarios.load, ms.scenarios.info])
def test_a_name_that_nobody_knows(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(PopulationError, match=r"^there is no scenario 'fern': did you mean 'ferns'\?$"):
        ask("fern")


def test_sizes_are_what_the_stories_say() -> None:
    data = {name: POPULATIONS[name].draw(1).data for name in ("ferns", "primary_schools", "essay_ratings", "two_legs")}
    assert data["ferns"].groupby("light", observed=True)["tray"].nunique().tolist() == [4, 4, 4]
    children = data["primary_schools"].dropna()
    siblings = children.groupby("family", observed=True)
    assert set(siblings.size()) == {2}
    assert set(siblings["class"].nunique()) == {2}
    assert set(data["essay_ratings"].groupby("teacher", observed=True).size()) == {18}
    legs = data["two_legs"].groupby("participant", observed=True)["sets"]
    assert set(legs.nunique()) == {2}
