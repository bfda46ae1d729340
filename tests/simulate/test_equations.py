"""A population prints as its equations. To update the golden texts: MIXEDSIM_UPDATE_GOLDEN=1 pytest tests/simulate."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import mixedsim as ms

GOLDEN = Path(__file__).parent / "golden"
SCHOOLS = ms.Population(
    "score ~ ses * arm + (1 + ses | school) + (1 | class) + (0 + ses | class)",
    clusters={"school": 5, "class": {"in": "school", "n": (2, 4)}},
    size=ms.Normal(6, 2),
    variables={
        "size": ms.Integers(10, 30, level="class"),
        "ses": ms.Normal("0.1 * size - 2", 1),
        "arm": ms.Categorical(["usual", "new"], probs=[0.75, 0.25], level="school"),
        "talent": ms.Uniform(0, 10, observed=False, decimals=1),
        "meal": ms.Bernoulli("1 / (1 + exp(-(ses - 0.5 * (arm == 'new'))))"),
        "ses_mean": ms.ClusterMean("ses", by="class"),
    },
    fixef={"Intercept": -1, "ses": 2, "arm[T.new]": 1, "ses:arm[T.new]": -0.5},
    ranef={"school": {"sd": [1, 0.5], "corr": -0.3}, "class": {"sd": [0.7, 0]}},
    sigma=2,
    name="schools",
)
CROSSED = ms.Population(
    "rt ~ 0 + cond + np.log(age) + (1 + cond + age | subject) + (1 | item) + (1 | subject:item)",
    clusters={"subject": 30, "item": 12},
    size=1,
    variables={"cond": ms.Categorical(["a", "b"], level="item"), "age": ms.Uniform(20, 60, level="subject")},
    fixef={"cond[a]": 400, "cond[b]": 430, "np.log(age)": 5},
    ranef={
        "subject": {"sd": [50, 20, 1], "corr": [[1, 0.1, 0.2], [0.1, 1, 0.3], [0.2, 0.3, 1]]},
        "item": {"sd": 10},
        "subject:item": {"sd": 5},
    },
    sigma=60,
)
VISITS: dict[str, Any] = {
    "formula": "visits ~ 1 + p + (1 + p | clinic)",
    "clusters": {"clinic": 30},
    "size": 20,
    "variables": {
        "p": ms.Normal(0, 1),
        "days": ms.Integers(1, 30),
        "old": ms.Bernoulli(0.5, level="clinic"),
    },
    "fixef": {"Intercept": -1, "p": 0.5},
    "ranef": {"clinic": {"sd": [0.6, 0.2], "corr": -0.3}},
}
RATING = {"kind": "ordinal", "thresholds": [-1, 0.5, 2], "labels": ["never", "at times", "often", "always"]}
OUTCOMES = {
    "uneven": ms.Population(
        **{
            **VISITS,
            "ranef": {"clinic": {"sd": [0.6, 0.2], "corr": -0.3, "shape": "skewed"}},
            "sigma": "2 + 0.5 * abs(p) - old",
            "residual": {"shape": {"kind": "t", "df": 4}, "ar1": -0.5},
        }
    ),
    "log_scale": ms.Population(
        **{
            **VISITS,
            "ranef": {"clinic": {"cov": [[0.36, 0], [0, 0.04]], "shape": {"kind": "bimodal", "upper": 0.3}}},
            "sigma": 2,
            "family": ("gaussian", "log"),
        }
    ),
    "yes_or_no": ms.Population(**VISITS, family="binomial"),
    "successes": ms.Population(
        **{**VISITS, "formula": "visits / days ~ p + (1 + p | clinic)"}, family=("binomial", "cloglog")
    ),
    "ten_trials": ms.Population(
        **{**VISITS, "formula": "visits / 10 ~ p + (1 + p | clinic)"}, family=("binomial", "identity")
    ),
    "counts": ms.Population(**VISITS, family={"kind": "poisson", "exposure": "days"}),
    "bunches": ms.Population(**VISITS, family={"kind": "negative-binomial", "theta": 2}),
    "amounts": ms.Population(**VISITS, family={"kind": "gamma", "cv": 0.5, "link": "inverse"}),
    "ordered": ms.Population(**{**VISITS, "fixef": {"p": 0.5}}, family=RATING),
    "nothing_but_thresholds": ms.Population("y ~ 1", clusters={"g": 3}, size=2, family=RATING),
}
POPULATIONS = {
    **{name: getattr(ms.scenarios, name)() for name in ms.scenarios.names()},
    "schools": SCHOOLS,
    "crossed": CROSSED,
    **OUTCOMES,
}


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("MIXEDSIM_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize("name", POPULATIONS)
def test_in_the_terminal(name: str) -> None:
    golden(f"{name}.txt", str(POPULATIONS[name]))


@pytest.mark.parametrize("name", POPULATIONS)
def test_lines_are_not_too_long(name: str) -> None:
    assert max(map(len, str(POPULATIONS[name]).splitlines())) <= 100


@pytest.mark.parametrize("name", POPULATIONS)
def test_html_says_the_same_as_the_terminal(name: str) -> None:
    html = POPULATIONS[name]._repr_html_()
    assert html.count("<tr>") == html.count("</tr>")
    assert "http" not in html  # nothing is loaded from anywhere
    words = re.sub(r"<[^>]+>", "", html)
    for word in re.findall(r"\b[A-Z]\w+\(", str(POPULATIONS[name])):
        assert word in words


def test_html_escapes_what_people_call_things() -> None:
    population = CROSSED.with_(
        name="<b>bold</b>",
        variables={"cond": ms.Categorical(["<script>", "b"], level="item"), "age": ms.Uniform(20, 60)},
        fixef={"cond[<script>]": 400, "cond[b]": 430, "np.log(age)": 5},
    )
    html = population._repr_html_()
    assert "<script>" not in html
    assert "<b>bold" not in html
    assert "&lt;script&gt;" in html


def test_the_repr_makes_the_population_again() -> None:
    assert eval(repr(CROSSED), {**vars(ms)}) == CROSSED
