"""A seed that replays R: what it may be, in which order parts are drawn, and that R's scripts give the same data.

tests/simulate/data/script.csv was written by r_draws.R beside it, with R 4.2.2; the therapists' data, also R's, lie
outside the repository, and the tests that need them skip where they are absent.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.simulate.replay.sequence import rehearsed
from mixedsim.simulate.streams import settle_seed
from tests.models.reference import REFERENCE

PUBLISHED = pytest.mark.skipif(not (REFERENCE / "data").is_dir(), reason=f"R's data are not at {REFERENCE}")
TEN_DIGITS = 5.001e-10  # relative: the files hold ten significant digits
SCRIPT = Path(__file__).parent / "data" / "script.csv"

SCHOOLS = ms.Population(
    "passed ~ ability + solved + absences + arm + (1 + ability || school) + (1 | class:school)",
    clusters={"school": 15, "class": {"in": "school", "n": (2, 4)}},
    size=(3, 8),
    variables={
        "grade": ms.Integers(1, 6, level="school"),
        "fee": ms.Uniform(10, 40, level="class", decimals=0),
        "ability": ms.Normal(0.1, 1),
        "arm": ms.Categorical(["none", "book", "tutor"], probs=[0.5, 0.25, 0.25]),
        "solved": ms.Binomial(20, "logistic(ability)"),
        "absences": ms.Poisson("exp(1 + 0.6 * ability)"),
        "minutes": ms.LogNormal(3, 0.4),
    },
    fixef={"Intercept": 0, "ability": 0.2, "solved": 0.05, "absences": -0.1, "arm[T.book]": 0, "arm[T.tutor]": 0.3},
    ranef={"school": {"sd": [2, 0.5]}, "class:school": {"sd": 1}},
    family="binomial",
)
# A row's variable that reads a cluster's, effects of two factors, and something that goes wrong.
WARD = ms.Population(
    "pain ~ age + dose + (1 | nurse) + (1 | item)",
    clusters={"nurse": 8, "item": 5},
    size=2,
    variables={
        "region": ms.Normal(0, 1, level="nurse", observed=False),
        "rank": ms.Integers(1, 3, level="nurse"),
        "age": ms.Normal("50 + region", 9),
        "dose": ms.Bernoulli("logistic(rank - 2)"),
        "copy": ms.Normal("age", 0),
    },
    fixef={"Intercept": 5, "age": 0.1, "dose": -1},
    ranef={"nurse": {"sd": 1}, "item": {"sd": 0.5}},
    sigma=2,
    problems=[ms.Missing("pain", 0.2), ms.Outliers("age", 0.1, 3)],
)


@PUBLISHED
@pytest.mark.parametrize(
    ("file", "scenario", "columns"),
    [
        ("null", "therapist_plain", {}),
        ("confounder", "therapist_price", {"price": "price"}),
        ("context", "therapist_context", {"x1_mean": "depression_mean"}),
    ],
)
def test_the_published_therapists_come_back(file: str, scenario: str, columns: dict[str, str]) -> None:
    published = pd.read_csv(REFERENCE / "data" / f"therapist_{file}.csv")
    sample = getattr(ms.scenarios, scenario)().draw(seed=ms.RSeed(123))
    data = sample.data.assign(k_effect=sample.truth.ranef["therapist"].loc[sample.data["therapist"]].to_numpy())
    names = {"x1": "depression", "x2": "sex", "k_effect": "k_effect", "y": "anxiety", **columns}
    assert set(published) - set(names) == {"k_id", "N_id"}
    assert data["therapist"].astype(str).tolist() == published["k_id"].astype(str).tolist()
    for theirs, ours in names.items():
        np.testing.assert_allclose(data[ours], published[theirs], rtol=TEN_DIGITS, atol=0)


@PUBLISHED
def test_the_published_intervention_comes_back_if_it_is_said_as_the_script_says_it() -> None:
    # The script draws the intervention by sample(0:2, 100, replace = TRUE, prob = rep(1/3, 3)), before the effects.
    scenario = ms.scenarios.therapist_intervention()
    kinds = ["No Intv", "Mindfulness", "CBT"]
    variables = {
        "depression": scenario.variables["depression"],
        "sex": scenario.variables["sex"],
        "kind": ms.Categorical(kinds, level="therapist"),
        "intervention": ms.Derived("(kind == 'Mindfulness') + 2 * (kind == 'CBT')"),
    }
    seed = ms.RSeed(123, order=["depression", "sex", "kind", "therapist"])
    data = scenario.with_(variables=variables).draw(seed).data
    published = pd.read_csv(REFERENCE / "data" / "therapist_slopes.csv")
    assert data["kind"].astype(str).tolist() == published["interv_label"].tolist()
    names = {"x1_c": "depression", "x2": "sex", "interv": "intervention", "y": "anxiety"}
    for theirs, ours in names.items():
        np.testing.assert_allclose(data[ours], published[theirs], rtol=TEN_DIGITS, atol=0)


def test_a_script_with_nested_clusters_and_every_verb() -> None:
    script = pd.read_csv(SCRIPT, dtype={"school": str, "class": str})
    sample = SCHOOLS.draw(seed=ms.RSeed(42))
    data = sample.data.assign(predictor=sample.truth.linear_predictor)
    assert list(data[["school", "class"]].itertuples(index=False)) == list(
        script[["school", "class"]].itertuples(index=False)
    )
    for name in ("grade", "fee", "solved", "absences", "passed", "arm"):
        assert data[name].tolist() == script[name].tolist(), name
    for name in ("ability", "minutes", "predictor"):
        np.testing.assert_allclose(data[name], script[name], rtol=1e-13, err_msg=name)


def by_hand(order: list[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """WARD drawn with R's verbs, part after part: its parts, and the residuals, which are last."""
    r = ms.RSeed(7).generator()
    nurse, rows = np.repeat(np.arange(8), 10), 80
    made: dict[str, np.ndarray] = {}
    draw = {
        "region": lambda: r.rnorm(8),
        "rank": lambda: r.sample(3, 8, replace=True),
        "age": lambda: r.rnorm(rows, 50 + made["region"][nurse], 9),
        "dose": lambda: r.rbinom(rows, 1, 1 / (1 + np.exp(2 - made["rank"][nurse]))),
        "nurse": lambda: r.rnorm(8),
        "item": lambda: r.rnorm(5, 0, 0.5),
    }
    for part in order:
        made[part] = draw[part]()
    return made, r.rnorm(rows, 0, 2)


@pytest.mark.parametrize(
    ("order", "drawn"),
    [
        ([], ["region", "age", "rank", "dose", "nurse", "item"]),
        (["item", "rank"], ["item", "rank", "region", "age", "dose", "nurse"]),
        (["dose", "nurse", "region"], ["rank", "dose", "nurse", "region", "age", "item"]),
    ],
)
def test_parts_are_drawn_in_turn_each_after_what_it_reads(order: list[str], drawn: list[str]) -> None:
    made, residuals = by_hand(drawn)
    truth = WARD.draw(seed=ms.RSeed(7, order=order)).truth
    complete = truth.complete
    np.testing.assert_allclose(truth.residuals, residuals, rtol=1e-15)
    np.testing.assert_allclose(truth.hidden["region"].iloc[::10], made["region"], rtol=1e-15)
    np.testing.assert_allclose(truth.ranef["nurse"]["Intercept"], made["nurse"], rtol=1e-15)
    np.testing.assert_allclose(truth.ranef["item"]["Intercept"], made["item"], rtol=1e-15)
    np.testing.assert_allclose(complete["age"], made["age"], rtol=1e-15)
    assert complete["dose"].tolist() == made["dose"].tolist()
    assert complete["rank"].iloc[::10].tolist() == made["rank"].tolist()
    assert complete["copy"].equals(complete["age"].rename("copy"))


@pytest.mark.parametrize("part", ["ranef", "hidden", "residuals", "linear_predictor", "complete", "problems"])
def test_a_part_of_the_truth_is_the_same_whichever_is_asked_for_first(part: str) -> None:
    rehearsed.cache_clear()
    truth = WARD.draw(seed=ms.RSeed(3)).truth
    rehearsed.cache_clear()
    asked = getattr(truth, part)
    assert repr(getattr(truth, part)) == repr(asked)
    sample = WARD.draw(seed=ms.RSeed(3))
    assert repr(getattr(sample.truth, part)) == repr(asked)
    np.testing.assert_allclose(truth.linear_predictor + truth.residuals, truth.complete["pain"], rtol=1e-13)
    problems = truth.problems
    lost = problems[problems["problem"] == "Missing"]["row"].tolist()
    assert sorted(lost) == np.flatnonzero(sample.data["pain"].isna()).tolist()
    assert len(lost) > 0


def test_seeds_give_the_same_data_again_and_other_seeds_other_data() -> None:
    one = WARD.draw(ms.RSeed(1))
    pd.testing.assert_frame_equal(WARD.draw(one.truth.seed).data, one.data, check_exact=True)
    assert not WARD.draw(ms.RSeed(2)).data.equals(one.data)
    assert not WARD.draw(1).data.equals(one.data)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(one)).truth.complete, one.truth.complete)


def test_effects_have_their_covariance() -> None:
    sleep = ms.Population(
        "y ~ x + (1 + x | g)",
        clusters={"g": 20_000},
        size=1,
        variables={"x": ms.Normal(0, 1)},
        fixef={"Intercept": 0, "x": 0},
        ranef={"g": {"sd": [2, 1], "corr": -0.6}},
        sigma=1,
    )
    effects = sleep.draw(ms.RSeed(1)).truth.ranef["g"].to_numpy()
    assert abs(np.corrcoef(effects.T)[0, 1] + 0.6) < 4 * (1 - 0.36) / np.sqrt(20_000)
    assert (abs(effects.std(axis=0) / [2, 1] - 1) < 4 / np.sqrt(2 * 20_000)).all()


def test_weights_that_differ_from_row_to_row_are_rs_too() -> None:
    wards = WARD.with_(
        variables={**WARD.variables, "arm": ms.Categorical(["a", "b", "c"], probs=[1, "exp(dose)", "2 + dose"])},
        problems=[],
    )
    data = wards.draw(ms.RSeed(7, order=["region", "age", "rank", "dose", "arm"])).data
    r = ms.RSeed(7).generator()
    r.rnorm(8)
    r.rnorm(80)
    r.sample(3, 8, replace=True)
    r.runif(80)
    weights = np.column_stack([np.ones(80), np.exp(data["dose"]), 2 + data["dose"]])
    assert data["arm"].tolist() == [r.sample(["a", "b", "c"], 1, prob=row)[0] for row in weights]


def test_an_rseed_is_a_value() -> None:
    assert ms.RSeed(123) == ms.RSeed(np.int64(123)) == ms.RSeed(123.0)
    assert len({ms.RSeed(1), ms.RSeed(1, order=[]), ms.RSeed(1, order=("x",)), ms.RSeed(1, order=["x"])}) == 2
    assert ms.RSeed(1) != 1
    assert repr(ms.RSeed(-5)) == "RSeed(-5)"
    assert repr(ms.RSeed(1, order=("x", "g"))) == "RSeed(1, order=['x', 'g'])"
    with pytest.raises(AttributeError):
        ms.RSeed(1).seed = 2  # type: ignore[misc]
    assert "seed RSeed(1)" in repr(WARD.draw(ms.RSeed(1)))


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ("1", "RSeed.seed must be a number, found '1'."),
        (1.5, "RSeed.seed must be a whole number, found 1.5."),
        (True, "RSeed.seed must be a number, found True."),
        (None, "RSeed.seed must be a number, found None."),
        (float("nan"), "RSeed.seed must be a finite number, found nan."),
        (2**31, "RSeed.seed must lie between -2147483647 and 2147483647, as R's integers do, found 2147483648."),
        (-(2**31), "RSeed.seed must lie between -2147483647 and 2147483647, as R's integers do, found -2147483648."),
    ],
)
def test_other_seeds_are_refused(seed: object, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.RSeed(seed)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("age", "RSeed.order must be a list of names, found 'age'."),
        ([1], "RSeed.order must be a list of names, found [1]."),
        (["age", "age"], "RSeed.order names 'age' twice."),
        (["agee"], "RSeed.order names 'agee', which is no variable and no grouping factor: did you mean 'age'?"),
    ],
)
def test_other_orders_are_refused(order: object, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        WARD.draw(ms.RSeed(1, order=order))  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_what_cannot_be_replayed_is_refused_by_name() -> None:
    replayed = "RSeed replays R's rnorm, runif, rbinom, rpois, rexp, rlnorm and sample, and "
    odd = WARD.with_(variables={**WARD.variables, "share": ms.Beta(2, 3)})
    with pytest.raises(ms.PopulationError) as caught:
        odd.draw(ms.RSeed(1))
    assert str(caught.value) == replayed + "variables.share needs beta: take an integer as the seed."
    with pytest.raises(ms.PopulationError) as caught:
        WARD.with_(residual={"shape": {"kind": "t", "df": 5}}).draw(ms.RSeed(1))
    assert str(caught.value) == replayed + "residual needs standard_t: take an integer as the seed."


def test_elsewhere_a_seed_is_an_integer() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        settle_seed(ms.RSeed(1))
    assert str(caught.value) == "seed must be an integer here, found RSeed(1): only Population.draw replays R."
