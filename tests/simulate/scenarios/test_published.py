"""Three published studies: designs, and in their twins the estimates and standard errors of the tables."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import mixedsim as ms

# What the articles print: estimates, standard errors, sds of what varies and of the residual, to so many digits.
PRINTED = {
    "leg_press": {
        "estimate": [273.93, 77.10, 7.61, -39.43],
        "se": [19.68, 11.26, 28.37, 16.61],
        "sd": [67.79, 28.79],
    },
    "training_volume": {
        "estimate": [182.46, 14.16, 0.44, 13.76],
        "se": [8.56, 4.38, 4.25, 6.13],
        "sd": [50.07, 18.76],
    },
    "packed_cell_volume": {"estimate": [34.64, -0.345], "se": [0.394, 0.039], "sd": [0.1159, 2.768]},
}
ROWS = {"leg_press": 51, "training_volume": 150, "packed_cell_volume": 168}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PRINTED)
def test_a_twin_has_the_published_table(name, seed):
    population = getattr(ms.scenarios, name)()
    twin = ms.twin(population, seed=seed)
    fit = ms.lmer(population.formula, twin.data)
    printed = PRINTED[name]
    table = fit.coefficients()
    assert fit.nobs == len(twin.data) == ROWS[name]
    np.testing.assert_allclose(table["estimate"], printed["estimate"], rtol=1e-6)
    np.testing.assert_allclose([fit.varcorr["sd_or_corr"][0], fit.sigma], printed["sd"], rtol=1e-6)
    decimals = 3 if name == "packed_cell_volume" else 2
    np.testing.assert_allclose(table["se"], printed["se"], rtol=0, atol=0.5 * 10.0**-decimals)
    assert not fit.singular


def test_fourteen_press_heavily_and_thirteen_lightly_and_three_come_once():
    data = ms.scenarios.leg_press().draw(seed=1).data
    people = data.groupby("participant", observed=True).agg(group=("group", "first"), tests=("time", "size"))
    assert people["group"].value_counts().to_dict() == {"RM10": 14, "RM30": 13}
    assert people.groupby("group", observed=True)["tests"].value_counts().to_dict() == {
        ("RM10", 2): 13, ("RM10", 1): 1, ("RM30", 2): 11, ("RM30", 1): 2,
    }  # fmt: skip
    assert data.groupby("participant", observed=True)["time"].first().eq("pre").all()


def test_everybody_trains_both_legs_and_chance_chooses_the_side():
    data = ms.scenarios.training_volume().draw(seed=1).data
    legs = data.drop_duplicates("leg").groupby("participant", observed=True)["sets"].apply(list)
    assert {tuple(sides) for sides in legs} == {("single", "multiple"), ("multiple", "single")}
    assert data.groupby(["sets", "time"], observed=True).size().to_dict() == {
        ("single", "pre"): 39, ("single", "post"): 36, ("multiple", "pre"): 39, ("multiple", "post"): 36,
    }  # fmt: skip
    assert data.groupby("participant", observed=True).size().value_counts().to_dict() == {4: 36, 2: 3}


def test_twelve_animals_are_tested_on_the_same_fourteen_days():
    data = ms.scenarios.packed_cell_volume().draw(seed=1).data
    days = data.groupby("animal", observed=True)["day"].apply(tuple)
    assert len(days) == 12
    assert days.nunique() == 1
    assert len(set(days.iloc[0])) == 14
    assert (min(days.iloc[0]), max(days.iloc[0])) == (0, 35)


@pytest.mark.parametrize("name", PRINTED)
def test_a_docstring_tells_what_it_must(name):
    text = inspect.getdoc(getattr(ms.scenarios, name)) or ""
    for part in ("Story:", "Equations", "Truth:", "What the naive model shows:", "Fit:", "Examples"):
        assert part in text
    population = getattr(ms.scenarios, name)()
    assert population.name == name
    sds = [sd for entry in population.ranef.values() for sd in entry["sd"]]
    for number in (*population.fixef.values(), population.sigma, *sds):
        assert f"{abs(number):.6g}".rstrip("0") in text


def test_the_numbers_of_the_docstrings():
    total = np.hypot(67.79, 28.79)
    assert round(67.79**2 / total**2, 2) == 0.85
    assert round(total * np.sqrt(1 / 14 + 2 / 13 + 1 / 11), 1) == 41.4
    assert round(np.sqrt(2) * 28.79 * np.sqrt(1 / 13 + 1 / 11), 2) == 16.68
    total, cells = np.hypot(50.07, 18.76), np.sqrt(2 / 39 + 2 / 36)
    assert round(50.07**2 / total**2, 2) == 0.88
    assert round(total * cells, 1) == 17.5
    assert round(18.76 * cells, 2) == 6.13
    assert round((total / 18.76) ** 2) == 8
    days = ms.scenarios.packed_cell_volume().variables["day"].values
    squares = 14 * np.var(days)
    alone = 2.768 / np.sqrt(12 * squares)
    assert round(squares) == 1636
    assert round(alone, 4) == 0.0198
    assert round(np.hypot(alone, 0.1159 / np.sqrt(12)), 4) == 0.0389
    assert [round(0.345 - 1.96 * 0.1159, 2), round(0.345 + 1.96 * 0.1159, 2)] == [0.12, 0.57]
