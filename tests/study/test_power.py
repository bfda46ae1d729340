"""Power curves and the search for a size: against the exact noncentral t, and against the replicates they stand on."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.study.power_line import Line
from mixedsim.study.varying import changed

SD, SIGMA, ROWS, EFFECT = 1.0, 2.0, 10, 2.0


def trial(groups: int = 12, **others: Any) -> ms.Population:
    """Half of the groups are treated: the t test then has J − 2 degrees of freedom, exactly."""
    given: dict[str, Any] = {
        "clusters": {"group": groups},
        "size": ROWS,
        "variables": {"treated": ms.Assigned([0, 1], level="group")},
        "fixef": {"Intercept": 1, "treated": EFFECT},
        "ranef": {"group": {"sd": [SD]}},
        "sigma": SIGMA,
    }
    return ms.Population("y ~ treated + (1 | group)", **{**given, **others})


def exact(groups: int, alpha: float = 0.05, rows: int = ROWS) -> float:
    away = EFFECT / np.sqrt((SD**2 + SIGMA**2 / rows) * 4 / groups)
    critical = stats.t.ppf(1 - alpha / 2, groups - 2)
    return float(stats.nct.sf(critical, groups - 2, away) + stats.nct.cdf(-critical, groups - 2, away))


@cache
def curve() -> ms.study.PowerCurve:
    return ms.power_curve(trial(), "group", [6, 12, 24], n=1500, seed=1)


def test_a_curve_is_that_of_the_exact_t_test() -> None:
    table = curve().table.set_index("group")
    for groups, row in table.iterrows():
        truth = exact(int(groups))
        assert abs(row["power"] - truth) < 4 * np.sqrt(truth * (1 - truth) / 1500)
        assert abs(row["false_positive"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1500)
        assert row["lower"] < row["power"] < row["upper"]
    assert table["n"].eq(1500).all()


def test_a_point_is_the_study_of_that_population() -> None:
    found = ms.study(trial(6), n=1500, seed=1).replicates
    mine = found[found["parameter"] == "treated"]
    row = curve().table.set_index("group").loc[6]
    known = mine["p"].notna()
    assert row["power"] == pytest.approx((mine.loc[known, "p"] < 0.05).mean())
    assert row["failed"] == (~known).sum()
    assert row["singular"] == mine["singular"].sum()


def test_the_false_positives_are_those_without_the_effect() -> None:
    without = ms.power_curve(trial(fixef={"Intercept": 1, "treated": 0}), "group", [6, 12], n=300, seed=5).table
    beside = ms.power_curve(trial(), "group", [6, 12], n=300, seed=5).table
    assert np.allclose(beside["false_positive"], without["power"])
    assert np.allclose(without["power"], without["false_positive"])


def test_where_columns_have_errors_the_null_is_simulated() -> None:
    pop = ms.Population(
        "y ~ x + (1 | group)", clusters={"group": 10}, size=8, variables={"x": ms.Normal(0, 1)},
        fixef={"Intercept": 0, "x": 1}, ranef={"group": {"sd": [1]}}, sigma=1,
        problems=[ms.MeasurementError("x", sd=1)],
    )  # fmt: skip
    row = ms.power_curve(pop, "group", [10], n=400, seed=1).table.iloc[0]
    assert row["power"] > 0.9
    # measured against the true slope the attenuated one would nearly always be "significantly different"
    assert abs(row["false_positive"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 400)


X = ms.Population(
    "y ~ x * z + (1 | group)", clusters={"group": 10}, size=6,
    variables={"x": ms.Uniform(1, 5), "z": ms.Normal(1, 1)},
    fixef={"Intercept": 50, "x": 0.8, "z": 0.5, "x:z": 0.3}, ranef={"group": {"sd": 1}}, sigma=2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("analysis", "parameter"),
    [
        ("y ~ z * x + (1 | group)", "x:z"),
        (ms.Analysis("y ~ x * z + (1 | group)", ddf="kenward-roger"), "x"),
        (ms.Analysis("y ~ x * z + (1 | group)", reml=False), "z"),
        ("y ~ x * z + group", "x:z"),
        ("log(y) ~ x * z + (1 | group)", "x:z"),
        (ms.Analysis("y ~ x * z", aggregate="group"), "x:z"),
        (lambda data: ms.lmer("y ~ x * z + (1 | group)", data).coefficients(), "x:z"),
    ],
)
def test_false_positives_are_those_without_the_effect_in_every_analysis(analysis: Any, parameter: str) -> None:
    asked = {"n": 60, "seed": 3, "analyses": analysis, "parameter": parameter}
    without = X.with_(fixef={**X.fixef, parameter: 0.0})
    (beside,) = ms.power_curve(X, "sigma", [2], **asked).table["false_positive"]
    (alone,) = ms.power_curve(without, "sigma", [2], **asked).table["power"]
    assert beside == pytest.approx(alone)


def test_a_coefficient_that_means_something_else_has_no_false_positives() -> None:
    (row,) = ms.power_curve(
        X, "sigma", [2], analyses="y ~ x * center(z) + (1 | group)", parameter="x", n=20, seed=1
    ).table.to_dict("records")
    assert np.isnan(row["truth"])
    assert np.isnan(row["false_positive"])
    assert row["power"] > 0.5


def test_an_analysis_without_the_coefficient_is_told() -> None:
    coded = "y ~ C(treated) + (1 | group)"
    with pytest.raises(ms.MixedsimError, match=r"no analysis has a coefficient 'treated' to be tested: did you mean"):
        ms.power_curve(trial(), "group", [6], analyses=coded, n=10, seed=1)
    with pytest.raises(ms.MixedsimError, match=r"no analysis has a coefficient 'treated' to be tested: did you mean"):
        ms.find_size(trial(), "group", analysis=coded, seed=1)
    found = ms.power_curve(
        trial(), "group", [6], analyses={"own": "y ~ treated", "coded": coded}, parameter="treated", n=10, seed=1
    )
    assert found.table["analysis"].tolist() == ["own"]
    assert "coded has no coefficient treated." in found.notes


def test_a_grid_has_every_pair_and_two_analyses() -> None:
    analyses = {"naive": "y ~ treated", "mixed": "y ~ treated + (1 | group)"}
    found = ms.power_curve(trial(), ("group", "size"), ([8, 16], [2, 20]), analyses=analyses, n=200, seed=1)
    pairs = found.table[["group", "size"]].drop_duplicates().to_numpy().tolist()
    assert pairs == [[8, 2], [8, 20], [16, 2], [16, 20]]
    rates = found.table.set_index(["analysis", "group", "size"])["false_positive"]
    assert rates["naive", 16, 20] > 0.2
    (note,) = found.notes
    assert note.startswith("naive finds effects that are not there:")
    assert "naive" in str(found)
    assert "false positives" in found._repr_html_()


@pytest.mark.parametrize(
    ("name", "value", "get"),
    [
        ("treated", 3.0, lambda p: p.fixef["treated"]),
        ("sigma", 5.0, lambda p: p.sigma),
        ("sd(Intercept | group)", 2.5, lambda p: p.ranef["group"]["sd"][0]),
        ("size", 3, lambda p: p.size),
        ("group", 7, lambda p: p.clusters["group"]),
    ],
)
def test_what_can_be_varied(name: str, value: float, get: Any) -> None:
    assert get(changed(trial(), {name: value})) == value


def test_correlations_and_fields_of_variables_can_be_varied() -> None:
    pop = ms.Population(
        "y ~ x + (x | g)", clusters={"g": 5}, size=4, variables={"x": ms.Normal(0, 1)}, fixef={"Intercept": 0, "x": 1},
        ranef={"g": {"sd": [1, 2], "corr": 0.3, "shape": "skewed"}}, sigma=1,
    )  # fmt: skip
    other = changed(pop, {"corr(Intercept, x | g)": -0.5, "variables.x.sd": 4})
    assert other.ranef["g"]["corr"][0][1] == -0.5
    assert other.ranef["g"]["shape"] == pop.ranef["g"]["shape"]
    assert other.variables["x"] == ms.Normal(0, 4)
    assert changed(pop, {"corr(Intercept, x | g)": 0.3}) == pop
    assert changed(pop, {"corr(Intercept, x | g)": 0}).ranef["g"]["sd"] == (1.0, 2.0)


def test_power_from_a_fit_says_that_its_population_is_an_imitation() -> None:
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    found = ms.power_curve(fit, "Subject", [4, 18], n=60, seed=1)
    powers = found.table["power"].to_numpy()
    assert powers[1] > 0.9
    assert powers[0] < powers[1]
    assert "from_fit" in str(found)


def test_the_size_is_that_of_the_exact_t_test() -> None:
    truth = next(groups for groups in range(6, 100) if exact(groups) >= 0.8)
    found = ms.find_size(trial(8), power=0.8, seed=1, precision=0.015)
    assert found.settled
    assert abs(found.size - truth) <= 1
    assert found.lower - 1 < truth < found.upper + 1
    assert found.power_lower - 0.01 < exact(found.size) < found.power_upper + 0.01  # 95 % intervals, and a curve
    assert found.table["n"].sum() == found.replicates
    assert "The same test finds an effect where there is none in" in str(found)


def test_the_same_seed_finds_the_same_size() -> None:
    one, two = (ms.find_size(trial(8), power=0.6, seed=9, precision=0.05) for _ in range(2))
    assert one.size == two.size
    pd.testing.assert_frame_equal(one.table, two.table)


def test_a_search_says_when_more_of_it_does_not_help() -> None:
    hopeless = trial(6, ranef={"group": {"sd": [4]}})
    with pytest.raises(ms.MixedsimError, match=r"no size up to .* gives the test of treated a power of 90 %"):
        ms.find_size(hopeless, "size", power=0.9, seed=1, most=1500)


def crossed(effect: float) -> ms.Population:
    return ms.Population(
        "y ~ x + (1 | subject) + (1 | item)", clusters={"subject": 12, "item": 8}, size=1,
        variables={"x": ms.Assigned([0, 1], level="item")}, fixef={"Intercept": 0, "x": effect},
        ranef={"subject": {"sd": 0.5}, "item": {"sd": 0.3}}, sigma=1,
    )  # fmt: skip


def nested(effect: float) -> ms.Population:
    return ms.Population(
        "y ~ x + (1 | school / class)", clusters={"school": 12, "class": {"in": "school", "n": 4}}, size=5,
        variables={"x": ms.Normal(0, 1, level="class")}, fixef={"Intercept": 0, "x": effect},
        ranef={"school": {"sd": 0.5}, "class:school": {"sd": 0.3}}, sigma=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "along", "least"),
    [
        (trial(3, fixef={"Intercept": 0, "treated": 60}), "group", 3),
        (trial(24, fixef={"Intercept": 0, "treated": 60}), "group", 3),
        (trial(24, fixef={"Intercept": 0, "treated": 9}), "size", 2),
        (crossed(4), "size", 1),
        (nested(3), "class", 2),
    ],
)
def test_the_smallest_size_may_be_enough(source: ms.Population, along: str, least: int) -> None:
    found = ms.find_size(source, along, seed=1)
    assert found.size == least
    assert found.settled
    assert np.isnan([found.lower, found.upper]).all()
    assert found.power_lower > 0.8
    assert "nothing smaller was tried" in str(found)


def test_sizes_at_which_nothing_can_be_tested_are_no_answer() -> None:
    names = [f"x{k}" for k in range(6)]
    many = ms.Population(
        f"y ~ {' + '.join(names)} + (1 | group)", clusters={"group": 20}, size=5,
        variables={name: ms.Normal(0, 1, level="group") for name in names},
        fixef={"Intercept": 0, **dict.fromkeys(names, 60.0)}, ranef={"group": {"sd": 1}}, sigma=1,
    )  # fmt: skip
    found = ms.find_size(many, "group", parameter="x0", seed=1)
    assert found.size == 8  # seven coefficients, and one degree of freedom
    assert found.table.loc[5, "failed"] == found.table.loc[5, "n"]


def test_a_flat_curve_has_a_wide_interval() -> None:
    flat = trial(20, ranef={"group": {"sd": [1]}}, sigma=6, fixef={"Intercept": 0, "treated": 1.5})
    found = ms.find_size(flat, "size", seed=7001)  # power cannot exceed 0.86, however many rows a group has
    assert found.lower < 128 < found.upper
    assert found.upper - found.lower > 20


def test_the_interval_of_a_size_is_where_the_curve_may_reach_the_power() -> None:
    curve = Line(-1.0, 0.3, np.array([[0.02, -0.004], [-0.004, 0.001]]))
    for end in curve.sizes(0.84):
        probit, error = curve.at(end)
        assert abs(probit - 0.84) == pytest.approx(stats.norm.ppf(0.975) * error)
    steep, uncertain = Line(-1.0, 0.3, np.zeros((2, 2))), Line(-1.0, 0.3, np.diag([1.0, 1.0]))
    assert steep.sizes(0.84) == pytest.approx((steep.root(0.84) ** 2,) * 2)
    assert uncertain.sizes(0.84)[1] == np.inf


def test_a_search_that_finds_no_bracket_in_time_says_so() -> None:
    with pytest.raises(ms.MixedsimError, match=r"100 replicates do not show what group gives .* allow more with most="):
        ms.find_size(trial(8), power=0.8, seed=1, most=100)


def test_a_search_that_runs_out_says_so() -> None:
    found = ms.find_size(trial(8), power=0.8, seed=1, precision=0.001, most=800)
    assert not found.settled
    assert "They were not enough" in str(found)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"along": "groups"}, "nothing called 'groups' that could be varied (a variable's field is written variables."),
        ({"along": "groups"}, "did you mean 'group'?"),
        ({"along": None}, "along must be one name or two different ones, found None."),
        ({"sizes": [1]}, "at group = 1, the analysis 'mixed' fails in every replicate, in the first because"),
        ({"parameter": []}, "parameter is empty: known are 'treated'."),
        ({"parameter": 1}, "the population has no coefficient 1: known are 'treated'."),
        ({"out": 5}, "out must be the name of a folder, found 5."),
        ({"out": "kept", "seed": None}, "out= needs a seed: without one every call is another study"),
        ({"along": ["group", "group"]}, "along must be one name or two different ones, found ['group', 'group']."),
        ({"sizes": []}, "sizes must list values of group, such as [10, 20, 40], found []."),
        ({"sizes": "10"}, "sizes must list values of group, such as [10, 20, 40], found '10'."),
        ({"sizes": [0]}, "clusters.group"),
        ({"parameter": "treat"}, "the population has no coefficient 'treat': did you mean 'treated'?"),
        ({"n": 0}, "n must"),
        ({"alpha": 2}, "alpha must lie between 0 and 1, such as 0.05, found 2."),
        ({"source": "pop"}, "power_curve needs a Population or a fitted model, found str."),
        ({"analyses": "y ~ dose + (1 | group)"}, "dose"),
    ],
)
def test_power_curves_refuse_in_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    given = {"source": trial(), "along": "group", "sizes": [6], "n": 5, "seed": 1, **arguments}
    with pytest.raises(ms.MixedsimError) as error:
        ms.power_curve(**given)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"power": 80}, "power must lie between 0 and 1, found 80."),
        ({"power": 0.05}, "power must be above alpha, which every size has: found 0.05 and 0.05."),
        ({"along": "sigma"}, "find_size varies how many there are of something, not 'sigma'"),
        ({"source": trial(fixef={"Intercept": 1, "treated": 0})}, "the true effect of treated is 0 in this population"),
        ({"analysis": {"a": "y ~ treated", "b": "y ~ 1"}}, "find_size follows one analysis, found 2: choose one."),
    ],
)
def test_searches_refuse_in_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ms.MixedsimError) as error:
        ms.find_size(**{"source": trial(), **arguments})
    assert sentence in str(error.value)
