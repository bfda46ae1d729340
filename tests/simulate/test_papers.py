"""What an instructor hands out: words, codebook, answer key."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

import mixedsim as ms

WARDS = ms.Population(
    "pain ~ dose * arm + age + (1 | ward)",
    clusters={"hospital": 3, "ward": {"in": "hospital", "n": 5}},
    size=20,
    variables={
        "wealth": ms.Normal(0, 1, level="hospital", observed=False),
        "age": ms.Uniform(18, 90, decimals=0),
        "dose": ms.Normal("2 + wealth", 1),
        "arm": ms.Categorical(["usual", "new"], level="ward"),
        "dose_mean": ms.ClusterMean("dose", by="ward"),
    },
    fixef={"Intercept": 50, "dose": -2, "arm[T.new]": -5, "dose:arm[T.new]": 1, "age": 0.1},
    ranef={"ward": {"sd": 3}},
    sigma=4,
    problems=[ms.Missing("dose", "logistic(wealth - 2)"), ms.Duplicated(0.05), ms.Dropout(0.02, by="ward")],
    lesson="pooled(dose) < 0",
    about={"pain": "points from 0 to 100; higher is worse", "dose": "  mg a\n day ", "wealth": "of the region"},
    name="wards",
)


def test_words_are_no_part_of_the_meaning() -> None:
    bare = WARDS.with_(about={})
    assert bare == WARDS
    assert hash(bare) == hash(WARDS)
    assert bare.fingerprint == WARDS.fingerprint


def test_words_come_back_from_yaml_without_the_blanks_around_them() -> None:
    assert dict(ms.Population.from_yaml(WARDS.to_yaml()).about) == dict(WARDS.about)
    assert WARDS.about["dose"] == "mg a day"
    assert "about" not in WARDS.with_(about={}).to_yaml()


def test_words_stay_with_what_is_still_there() -> None:
    changed = WARDS.with_(
        variables={"age": ms.Uniform(18, 90)}, formula="pain ~ age", fixef={"Intercept": 0, "age": 1}, ranef={},
        problems=[], lesson=None,
    )  # fmt: skip
    assert dict(changed.about) == {"pain": WARDS.about["pain"]}


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"pian": "x"}, "about.pian is no cluster, variable or response of this population: did you mean 'pain'?"),
        ({"pain": 5}, "about.pain must be text such as 'weight in kg', found 5."),
        ({"pain": " "}, "about.pain must be text such as 'weight in kg', found ' '."),
        ({"pain": "x" * 501}, "about.pain must be at most 500 characters long, found 501."),
        (["pain"], "about must hold words by name, as in {'x': 'weight in kg'}, found ['pain']."),
    ],
)
def test_words_of_nothing(about: object, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        WARDS.with_(about=about)
    assert str(caught.value) == message


def test_the_codebook_has_a_row_for_everything() -> None:
    book = WARDS.codebook().set_index("name")
    assert book["role"].to_dict() == {
        "hospital": "cluster", "ward": "cluster", "wealth": "hidden", "age": "predictor", "dose": "predictor",
        "arm": "predictor", "dose_mean": "derived", "pain": "response", "(rows)": "rows",
    }  # fmt: skip
    assert book.loc["ward", ["level", "kind", "values", "arises"]].tolist() == [
        "hospital", "id", "5 in each hospital", "Intercept (sd 3) varies by ward",
    ]  # fmt: skip
    assert book.loc["dose", ["level", "kind", "about", "arises", "problems"]].tolist() == [
        "row", "number", "mg a day", "drawn: Normal(2 + wealth, sd 1)",
        "missing, with probability logistic(wealth − 2)",
    ]  # fmt: skip
    assert book.loc["age", ["kind", "values"]].tolist() == ["whole number", "18 to 90"]
    assert book.loc["arm", ["level", "kind", "values"]].tolist() == ["ward", "categorical", "usual, new"]
    assert book.loc["(rows)", "problems"] == "entered twice, with probability 0.05"
    assert "later rows are gone" in book.loc["ward", "problems"]


def test_students_learn_nothing_of_what_is_hidden() -> None:
    book = WARDS.codebook(hidden=False)
    assert book.columns.tolist() == ["name", "role", "level", "kind", "about", "values"]
    assert set(book["name"]) == set(WARDS.draw(1).data.columns)
    for text in (str(book), book._repr_html_(), book.to_csv()):
        assert "wealth" not in text
        assert "missing" not in text


def test_it_prints_every_word_in_narrow_lines() -> None:
    text = str(WARDS.codebook())
    assert max(map(len, text.split("\n"))) <= 90
    assert "    about     points from 0 to 100; higher is worse\n" in text


@pytest.mark.parametrize(
    ("changes", "kind", "values"),
    [
        ({"family": "binomial"}, "whole number", "0 or 1"),
        ({"family": "binomial", "formula": "y / 12 ~ 1 + (1 | g)"}, "whole number", "0 to 12"),
        ({"family": "poisson"}, "whole number", "0, 1, 2, …"),
        ({"family": {"kind": "negative-binomial", "theta": 2}}, "whole number", "0, 1, 2, …"),
        ({"family": {"kind": "gamma", "cv": 0.5}}, "number", "above 0"),
        (
            {"family": {"kind": "ordinal", "thresholds": [0], "labels": ["0 no", "yes"]}, "fixef": {}},
            "categorical",
            "0 no < yes",
        ),
    ],
)
def test_values_of_outcomes(changes: dict[str, object], kind: str, values: str) -> None:
    plain = {"clusters": {"g": 4}, "size": 2, "fixef": {"Intercept": 0}, "ranef": {"g": {"sd": 1}}}
    book = ms.Population(**{"formula": "y ~ 1 + (1 | g)", **plain, **changes}).codebook().set_index("name")
    assert book.loc["y", ["kind", "values"]].tolist() == [kind, values]
    if "/" in str(changes.get("formula")):
        assert book.loc["trials", ["role", "values"]].tolist() == ["trials", "12"]


@pytest.mark.parametrize("seed", range(3))
def test_drawn_values_are_those_of_the_codebook(seed: int) -> None:
    population = WARDS.with_(
        formula="pain ~ 1", fixef={"Intercept": 0}, ranef={}, problems=[], lesson=None, about={},
        variables={
            "a": ms.Binomial(9, 0.5), "b": ms.Beta(2, 2), "c": ms.LogNormal(0, 1), "d": ms.Integers(2, 5),
            "e": ms.Uniform(-1, 1), "f": ms.Assigned([1, 2.5]), "g": ms.Poisson(3), "h": ms.Bernoulli(0.2),
        },
    )  # fmt: skip
    values = population.codebook().set_index("name")["values"]
    data = population.draw(seed).data
    ends = {"a": (0, 9), "b": (0, 1), "c": (0, math.inf), "d": (2, 5), "e": (-1, 1), "g": (0, math.inf), "h": (0, 1)}
    for name, (low, high) in ends.items():
        assert data[name].between(low, high).all()
        assert f"{low:g}" in values[name]
        assert math.isinf(high) or f"{high:g}" in values[name]
    assert values["f"] == "1, 2.5"
    assert set(data["f"]) == {1, 2.5}


def test_the_key_is_that_of_the_draw() -> None:
    key, sample = WARDS.answer_key(7), WARDS.draw(7)
    assert (key.seed, key.fingerprint, key.rows) == (7, WARDS.fingerprint, len(sample.data))
    assert key.complete_rows == len(sample.truth.complete)
    assert key.units == {"hospital": 3, "ward": 15}
    assert dict(key.fixef) == dict(WARDS.fixef)
    effects = sample.truth.ranef["ward"]["Intercept"]
    assert key.realised["ward"]["Intercept"]["sd"] == pytest.approx(effects.std())
    assert key.icc == {"ward": pytest.approx(9 / 25)}


def test_problems_are_counted_as_the_truth_has_them() -> None:
    key, book = WARDS.answer_key(7), WARDS.draw(7).truth.problems
    missing, twice, left = key.problems
    assert missing["values"] == (book["problem"] == "Missing").sum() > 0
    data = WARDS.draw(7).data
    assert missing["rows"] == data.index[data["dose"].isna()].tolist()
    assert (missing["lost"], twice["lost"]) == ([], [])
    assert twice["rows"]
    assert len(left["lost"]) == len(set(range(key.complete_rows)) - set(WARDS.draw(7).truth.original_row))


def test_the_lesson_and_the_walk_to_it() -> None:
    rare = WARDS.with_(lesson="pooled(dose) < -2")
    key, sample = rare.answer_key(3, lesson=True), rare.draw(3, lesson=True)
    assert (key.seed, key.skipped) == (sample.truth.seed, sample.truth.skipped)
    assert key.shows_lesson is True
    assert "Lesson: pooled(dose) < -2 (holds)" in str(key)
    assert rare.answer_key(sample.truth.seed).rows == key.rows
    assert WARDS.with_(lesson=None).answer_key(1).shows_lesson is None


def test_it_is_json() -> None:
    key = WARDS.answer_key(7)
    assert json.loads(json.dumps(key.to_dict(), allow_nan=False)) == key.to_dict()


def test_it_prints() -> None:
    text = str(WARDS.answer_key(7))
    assert text.startswith(
        "Answer key to wards, seed 7\npain ~ dose * arm + age + (1 | ward)\ngaussian, identity link\n"
    )
    for line in ("  dose:arm[T.new]  1", "Residual sd  4", "ICC of ward, given the predictors  0.360"):
        assert line in text.split("\n")


def test_functions_leave_no_fingerprint() -> None:
    key = WARDS.with_(lesson=lambda sample: True).answer_key(1)
    assert (key.fingerprint, key.lesson, key.shows_lesson) == (None, "a Python function", True)
    json.dumps(key.to_dict())


def test_a_seed_of_r_is_told_as_text() -> None:
    key = ms.scenarios.therapist_plain(therapists=3).answer_key(ms.RSeed(1))
    assert key.to_dict()["seed"] == "RSeed(1)"


@pytest.mark.parametrize(
    ("changes", "share"),
    [
        ({"sigma": 2}, 1 / 5),
        ({"family": "binomial"}, 1 / (1 + math.pi**2 / 3)),
        ({"family": ("binomial", "probit")}, 1 / 2),
        ({"family": "poisson"}, None),
        ({"sigma": "1 + x"}, None),
        ({"sigma": 2, "formula": "y ~ 1 + (1 + x | g)", "ranef": {"g": {"sd": [1, 1]}}}, None),
    ],
)
def test_the_icc_where_there_is_one(changes: dict[str, object], share: float | None) -> None:
    plain = {"formula": "y ~ 1 + (1 | g)", "clusters": {"g": 4}, "size": 2, "variables": {"x": ms.Bernoulli(0.5)}}
    population = ms.Population(**{**plain, "fixef": {"Intercept": 0}, "ranef": {"g": {"sd": 1}}, **changes})
    assert population.answer_key(1).icc == ({} if share is None else {"g": pytest.approx(share)})


def test_the_latent_variance_is_that_of_the_link() -> None:
    """A binary outcome is a latent scale above 0: var of the logistic, of the standard normal, of the Gumbel."""
    from mixedsim.simulate.answer_key import _LATENT

    u = np.random.default_rng(1).random(400_000)
    latent = {"logit": np.log(u / (1 - u)), "cloglog": -np.log(-np.log(u))}
    for link, values in latent.items():  # the sd of a sample variance is below 1 % of it here
        assert float(values.var()) == pytest.approx(_LATENT[link], rel=0.02)


def test_a_single_unit_has_no_sd() -> None:
    alone = ms.scenarios.therapist_plain(therapists=1, patients=5).answer_key(1)
    assert alone.to_dict()["realised"]["therapist"]["Intercept"]["sd"] is None
    assert re.search(r"therapist Intercept +1 +–", str(alone))


def test_the_key_says_how_residuals_and_effects_are_shaped() -> None:
    shaped = ms.scenarios.therapist_plain().with_(
        ranef={"therapist": {"sd": 2, "shape": "skewed"}}, residual={"ar1": 0.4, "shape": {"kind": "t", "df": 4}}
    )
    lines = str(shaped.answer_key(seed=1)).split("\n")
    assert "Residuals    t (df 4), ar1 0.4, by therapist" in lines
    assert "Shape of the effects of therapist  skewed (skewness 2)" in lines
