"""The field `lesson`: one spelling, one sentence for everything else, and what it says of data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.simulate.contents import contents_of
from mixedsim.simulate.lesson import shows_lesson
from mixedsim.simulate.lesson.showing import shows

CLINIC = ms.Population(
    "anxiety ~ depression + (1 | therapist)",
    clusters={"therapist": 20},
    size=10,
    variables={
        "ses": ms.Normal(0, 1, level="therapist", observed=False),
        "depression": ms.Normal("5 + ses", 2),
        "visits": ms.Integers(0, 9),
        "arm": ms.Categorical(["usual", "new"], level="therapist"),
    },
    fixef={"Intercept": 45, "depression": 3},
    ranef={"therapist": {"sd": [4]}},
    sigma=8,
)
SCHOOLS = ms.Population(
    "score ~ ses + (1 | school/class)",
    clusters={"school": 5, "class": {"in": "school", "n": 3}},
    size=4,
    variables={"ses": ms.Normal(0, 1)},
    fixef={"Intercept": 0, "ses": 1},
    ranef={"school": {"sd": 1}, "class:school": {"sd": 0.5}},
    sigma=2,
)


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("pooled(depression)<0<within( depression )", "pooled(depression) < 0 < within(depression)"),
        ("  (icc()) > .10", "icc() > 0.1"),
        ("within(depression, therapist) > 1.0", "within(depression) > 1"),
        ("icc(therapist) >= -1e-1", "icc() >= -0.1"),
        ('share(arm=="new") != 0.5', "share(arm == 'new') != 0.5"),
        ("share('new' == arm) > 0.5", "share(arm == 'new') > 0.5"),
        ("share(5 < visits) > 0.5", "share(visits > 5) > 0.5"),
        ("share(visits <= -3) == 0", "share(visits <= -3) == 0"),
        ("rows()==200 and not(missing(anxiety)>0)", "rows() == 200 and (not missing(anxiety) > 0)"),
        ("(mean(anxiety)-45)/sd(anxiety)**2 < 1 or sqrt(rows())>3",
         "(mean(anxiety) - 45) / sd(anxiety) ** 2 < 1 or sqrt(rows()) > 3"),
        ("abs(cor(depression,anxiety)) > 0.5", "abs(cor(depression, anxiety)) > 0.5"),
        ("pooled(arm == 'new') > 0", "pooled(arm == 'new') > 0"),
        ("missing(therapist) == 0", "missing(therapist) == 0"),
        ("1 < 2", "1 < 2"),
    ],
)  # fmt: skip
def test_every_lesson_has_one_spelling(typed: str, spelled: str) -> None:
    one = CLINIC.with_(lesson=typed)
    assert one.lesson == spelled
    assert one == CLINIC.with_(lesson=spelled) != CLINIC
    assert hash(one) == hash(CLINIC.with_(lesson=spelled))
    again = ms.Population.from_yaml(one.to_yaml())
    assert again == one
    assert again.lesson == spelled
    assert str(one).splitlines()[-1].endswith(f": {spelled}")


TRUTH = "must be true or false, as 'pooled(x) < 0 < within(x)' is, found"
NUMBER = (
    "which is no number: use pooled, within, between, mean, sd, cor, share, missing, rows, icc, abs, sqrt, exp, log, "
    "numbers and + - * / **."
)
BROKEN = [
    ("pooled(depression)", f"{TRUTH} pooled(depression)."),
    ("pooled(depression) + 1", f"{TRUTH} pooled(depression) + 1."),
    ("True", f"{TRUTH} True."),
    ("", "must be a comparison such as 'pooled(x) < 0 < within(x)', found ''."),
    ("pooled(depression) <", "must be a comparison such as 'pooled(x) < 0 < within(x)', found 'pooled(depression) <'."),
    ("import os", "must be a comparison such as 'pooled(x) < 0 < within(x)', found 'import os'."),
    ("pooled(x) < 0", "uses 'x', which is no column of the data: known are 'depression', 'visits', 'arm', 'anxiety'."),
    ("pooled(depresion) < 0", "uses 'depresion', which is no column of the data: did you mean 'depression'?"),
    ("pooled(ses) < 0", "uses 'ses', which is not observed: a lesson is about what the data show."),
    ("mean(therapist) < 0", "uses the cluster 'therapist' as a variable."),
    ("mean(arm) < 0", "calculates with arm, which is categorical: write mean(arm == 'usual')."),
    ("depression < 0", "has 'depression' outside of a statistic: write mean(depression), for instance."),
    ("depression < pooled", "has 'depression' outside of a statistic: write mean(depression), for instance."),
    ("pooled < 0", "has 'pooled' outside of a statistic: write pooled(x), for instance."),
    ("median(depression) < 0", "calls 'median', which is no statistic here: did you mean 'mean'?"),
    ("t(depression) < 0", "calls 't', which is no statistic here: known are 'pooled', 'within', 'between', 'mean', "
     "'sd', 'cor', 'share', 'missing', 'rows', 'icc', 'abs', 'sqrt', …."),
    ("pooled() < 0", "calls pooled in pooled(); it takes one variable."),
    ("pooled(depression, visits) < 0", "calls pooled in pooled(depression, visits); it takes one variable."),
    ("pooled(x=depression) < 0", "calls pooled in pooled(x=depression); it takes one variable."),
    ("cor(depression) < 0", "calls cor in cor(depression); it takes two variables."),
    ("rows(depression) < 0", "calls rows in rows(depression); it takes no argument."),
    ("abs(1, 2) < 0", "calls abs in abs(1, 2); it takes one number."),
    ("within(depression, clinic) < 0", "groups by clinic in within: it must be one of therapist."),
    ("share(arm) < 0", "must have a comparison such as arm == 'new' in share, found arm."),
    ("missing(arm == 'new') < 0", "must have a column in missing, found arm == 'new'."),
    ("pooled(depression + 1) < 0", "must have a column in pooled, found depression + 1."),
    ("share(arm == 'newer') < 0", "compares arm with 'newer': did you mean 'new'?"),
    ("share(arm > 'new') < 0", "orders arm, which is categorical: compare it with == or !=."),
    ("share(visits == 'many') < 0", "must compare visits with a number in visits == 'many'."),
    ("share(visits == depression) < 0", "must compare visits with a number in visits == depression."),
    ("share(1 < visits < 3) < 0", "must compare one variable with one value in 1 < visits < 3."),
    ("mean(visits) in [1, 2]", f"{TRUTH} mean(visits) in [1, 2]."),
    ("not rows()", f"{TRUTH} rows()."),
    ("rows() > True", f"contains True, {NUMBER}"),
    ("rows() > 1e999", f"contains 1e309, {NUMBER}"),
    ("__import__('os').system('true') > 0", f"contains __import__('os').system('true'), {NUMBER}"),
    ("rows() > (lambda: 1)()", f"contains (lambda: 1)(), {NUMBER}"),
    ("rows() > " + "1 + " * 60 + "1", "has more than 50 operations within operations: simplify it."),
    ("rows() > " + "1" * 1000, "is 1009 characters long; a lesson has at most 1000."),
    (5, "must be text such as 'pooled(x) < 0 < within(x)', or a function, found 5."),
]  # fmt: skip


@pytest.mark.parametrize(("lesson", "message"), BROKEN, ids=[str(lesson)[:40] or "empty" for lesson, _ in BROKEN])
def test_what_is_no_lesson(lesson: Any, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        CLINIC.with_(lesson=lesson)
    assert str(caught.value) == f"lesson {message}"


def test_several_clusters_must_be_named() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        SCHOOLS.with_(lesson="icc() > 0")
    assert str(caught.value) == "lesson must name the cluster in icc(): which of school, class?"
    with pytest.raises(ms.PopulationError) as caught:
        SCHOOLS.with_(lesson="within(ses) > 0")
    assert str(caught.value) == "lesson must name the cluster in within(ses): which of school, class?"
    lesson = "icc(school) < icc(class) and within(ses, class) > between(ses, school)"
    population = SCHOOLS.with_(lesson=lesson)
    assert population.lesson == lesson, "class is a word of Python's, and what people call a class"
    assert ms.Population.from_yaml(population.to_yaml()) == population
    data = population.draw(1, lesson=True).data
    school, within = (
        shows(text, data, contents_of(SCHOOLS.plan, SCHOOLS.family))
        for text in ("icc(school) < icc(class)", "within(ses, class) > between(ses, school)")
    )
    assert school
    assert within


def test_a_categorical_response_has_no_slopes() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population(
            "mood ~ x + (1 | g)",
            clusters={"g": 5},
            size=4,
            variables={"x": ms.Normal(0, 1)},
            fixef={"x": 1},
            ranef={"g": {"sd": 1}},
            family={"kind": "ordinal", "thresholds": [0], "labels": ["bad", "good"]},
            lesson="pooled(x) > 0",
        )
    assert str(caught.value) == "lesson cannot have pooled: the response mood is categorical."


def test_a_line_in_a_file() -> None:
    text = CLINIC.to_yaml() + "lesson: pooled(depression) < 0 < wihin(depression)\n"
    with pytest.raises(
        ms.PopulationError, match=r"^line \d+: lesson calls 'wihin', .* did you mean 'within'\?$"
    ) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value).startswith(f"line {text.count(chr(10))}:")


def test_a_function_cannot_be_written_down() -> None:
    population = CLINIC.with_(lesson=lambda sample: len(sample.data) > 5)
    with pytest.raises(ms.PopulationError) as caught:
        population.to_yaml()
    assert str(caught.value) == (
        "lesson is a Python function, which a file cannot hold: write it as text such as 'pooled(x) < 0 < within(x)', "
        "or take it off, with_(lesson=None)."
    )
    assert population == CLINIC.with_(lesson=population.lesson) != CLINIC
    assert "lesson" in str(population)


DATA = pd.DataFrame(
    {
        "therapist": pd.Categorical(["1", "1", "2", "2", "3", "3"]),
        "depression": [1.0, 2.0, 3.0, 4.0, 5.0, np.nan],
        "visits": [1, 2, 3, 4, 5, 6],
        "arm": pd.Categorical(["usual", "usual", "new", "new", None, "new"], categories=["usual", "new"]),
        "anxiety": [3.0, 4.0, 2.0, 3.0, 1.0, 2.0],
    }
)


@pytest.mark.parametrize(
    ("lesson", "holds"),
    [
        ("pooled(depression) < 0 < within(depression)", True),
        ("within(visits) == 1", True),
        ("between(visits) == -0.5", True),
        ("pooled(visits) < between(visits)", False),
        ("mean(visits) == 3.5 and rows() == 6", True),
        ("mean(depression) == 3", True),
        ("share(arm == 'new') == 0.6", True),
        ("share(arm != 'new') == 0.4", True),
        ("share(visits >= 5) == 2 / 6", True),
        ("missing(depression) * 6 == 1", True),
        ("missing(depression) + missing(arm) == 1 / 3", True),
        ("cor(visits, anxiety) < -0.5", True),
        ("abs(pooled(arm == 'new') - (7 / 3 - 3.5)) < 1e-12", True),
        ("abs(sd(visits) ** 2 - 3.5) < 1e-12", True),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("1 > 2 or not 2 > 3", True),
        ("not (1 < 2 and 2 < 3)", False),
        ("2 ** 3 - 1 == 7 and -exp(0) == -1 and sqrt(4) == 2 and log(1) == 0", True),
        ("1 / (rows() - 6) > 100", True),
        ("icc() > 0.3", True),
    ],
)
def test_what_a_lesson_says_of_data(lesson: str, holds: bool) -> None:
    text = CLINIC.with_(lesson=lesson).lesson
    assert isinstance(text, str)
    assert shows(text, DATA, contents_of(CLINIC.plan, CLINIC.family)) is holds


def test_of_what_does_not_exist_nothing_is_true() -> None:
    constant = DATA.assign(visits=3)
    contents = contents_of(CLINIC.plan, CLINIC.family)
    for lesson in ("pooled(visits) < 0", "not pooled(visits) < 0", "pooled(visits) < 0 or rows() > 0"):
        text = CLINIC.with_(lesson=lesson).lesson
        assert isinstance(text, str)
        assert not shows(text, constant, contents)
    assert not shows("log(0 - rows()) < 0", DATA, contents)


numbers = st.floats(-1e6, 1e6).map(lambda x: x + 0.0)
statistic = st.sampled_from(
    ["pooled(depression)", "within(visits)", "between(depression)", "mean(anxiety)", "sd(visits)", "icc()", "rows()",
     "cor(visits, anxiety)", "share(arm == 'usual')", "missing(arm)", "mean(arm == 'new')"]
)  # fmt: skip
amount = st.recursive(
    st.one_of(statistic, numbers.map(repr)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda one: f"-abs({one})"),
    ),
    max_leaves=5,
)
comparison = st.tuples(amount, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), amount).map(" ".join)
lessons = st.recursive(
    comparison,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda parts: f"({''.join(parts)})"),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(lessons)
def test_writing_a_lesson_down_changes_nothing(lesson: str) -> None:
    population = CLINIC.with_(lesson=lesson)
    assert CLINIC.with_(lesson=population.lesson) == population
    assert ms.Population.from_yaml(population.to_yaml()) == population
    assert shows_lesson(SAMPLE.__class__(SAMPLE.data, population.draw(1).truth)) == by_python(lesson)


SAMPLE = CLINIC.draw(1)


def by_python(lesson: str) -> bool:
    """What Python's own arithmetic makes of it; every statistic of the sample exists."""
    from mixedsim.simulate.lesson import statistics as of

    data = SAMPLE.data
    y, by = data["anxiety"].to_numpy(), of.clusters(data["therapist"])
    read = {name: data[name].to_numpy(dtype=float) for name in ("depression", "visits", "anxiety")}
    arm = {f"arm == {name!r}": (data["arm"] == name).to_numpy(dtype=float) for name in ("usual", "new")}
    values = {
        "pooled(depression)": of.slope(read["depression"], y),
        "within(visits)": of.within(read["visits"], y, by),
        "between(depression)": of.between(read["depression"], y, by),
        "mean(anxiety)": float(y.mean()),
        "sd(visits)": of.sd(read["visits"]),
        "icc()": of.icc(y, by),
        "rows()": float(len(data)),
        "cor(visits, anxiety)": of.cor(read["visits"], y),
        "share(arm == 'usual')": float(arm["arm == 'usual'"].mean()),
        "missing(arm)": 0.0,
        "mean(arm == 'new')": float(arm["arm == 'new'"].mean()),
    }
    for name, value in values.items():
        lesson = lesson.replace(name, f"F({value!r})")
    try:
        with np.errstate(all="raise", under="ignore"):
            return bool(eval(lesson, {"F": np.float64, "abs": np.abs}))
    except ArithmeticError:  # of what does not exist nothing is true: another test
        reject()
