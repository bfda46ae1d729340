"""The field `problems`: what it takes, what it refuses and with which sentence, how it is written down."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from tests.simulate.problems.wards import WARDS

# Each with the one sentence that a person sees when the problem itself makes no sense.
NONSENSE = [
    (lambda: ms.Missing("x", 1.2), "Missing.share must lie between 0 and 1, found 1.2."),
    (lambda: ms.Missing("x", None), "Missing.share must be a number, found None."),  # type: ignore[arg-type]
    (lambda: ms.Missing(5, 0.1), "Missing.column must be the name of a column, found 5."),  # type: ignore[arg-type]
    (lambda: ms.Missing("x", 0.1, level=3), "Missing.level must be the name of a cluster, found 3."),  # type: ignore[arg-type]
    (lambda: ms.Missing("x", 0.1, grouping=1), "Missing.grouping must be true or false, found 1."),  # type: ignore[arg-type]
    (
        lambda: ms.Missing("x", "__import__('os')"),
        "Missing.share calls '__import__' in \"__import__('os')\", which is no function here: known are 'exp', 'log', "
        "'sqrt', 'abs', 'floor', 'round', 'min', 'max', 'logistic', 'where'.",
    ),
    (lambda: ms.Dropout(-0.1), "Dropout.hazard must lie between 0 and 1, found -0.1."),
    (lambda: ms.Dropout(0.1, by=1), "Dropout.by must be the name of a cluster, found 1."),  # type: ignore[arg-type]
    (lambda: ms.Dropout(0.1, over=1), "Dropout.over must be the name of a variable, found 1."),  # type: ignore[arg-type]
    (lambda: ms.Dropout(0.1, leaves="then"), "Dropout.leaves must be 'before' or 'after', found 'then'."),
    (lambda: ms.Dropout(0.1, gone="cells"), "Dropout.gone must be 'rows' or 'response', found 'cells'."),
    (
        lambda: ms.MeasurementError("x"),
        "MeasurementError.sd or reliability must be given, one of the two; found neither.",
    ),
    (
        lambda: ms.MeasurementError("x", sd=1, reliability=0.5),
        "MeasurementError.sd or reliability must be given, one of the two; found both.",
    ),
    (lambda: ms.MeasurementError("x", sd=-1), "MeasurementError.sd must not be negative, found -1."),
    (
        lambda: ms.MeasurementError("x", reliability=1.5),
        "MeasurementError.reliability must lie between 0 and 1, found 1.5.",
    ),
    (
        lambda: ms.MeasurementError("x", reliability=0),
        "MeasurementError.reliability must be above 0: with 0 there is nothing but noise.",
    ),
    (lambda: ms.Outliers("x", 0.1), "Outliers.shift or times must be given, one of the two; found neither."),
    (
        lambda: ms.Outliers("x", 0.1, shift=5, times=3),
        "Outliers.shift or times must be given, one of the two; found both.",
    ),
    (lambda: ms.Outliers("x", 0.1, shift="far"), None),
    (lambda: ms.Shifted("x", 0.1, factor=1), "Shifted.factor must be above 1: times 1 is no slip."),
    (lambda: ms.Shifted("x", 0.1, factor=0.1), "Shifted.factor must be at least 1, found 0.1."),
    (lambda: ms.Rounded("x", to=0), "Rounded.to must be above 0: 0.1 for one decimal, 5 for fives and tens."),
    (lambda: ms.Rounded("x", to=-1), "Rounded.to must not be negative, found -1."),
    (lambda: ms.Limits("x"), "Limits.low or high must be given, or both; found neither."),
    (lambda: ms.Limits("x", low=5, high=5), "Limits.low must be below high, 5, found 5."),
    (lambda: ms.Limits("x", low="low"), "Limits.low must be a number, found 'low'."),  # type: ignore[arg-type]
    (lambda: ms.Duplicated(2), "Duplicated.share must lie between 0 and 1, found 2."),
    (lambda: ms.Miscoded(1, 0.1), "Miscoded.cluster must be the name of a cluster, found 1."),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("make", "message"), NONSENSE, ids=[str(said or "a name")[:60] for _, said in NONSENSE])
def test_a_problem_that_makes_no_sense(make: Any, message: str | None) -> None:
    if message is None:
        assert make().shift == "far", "a name is an expression; whether it exists is the population's business"
        return
    with pytest.raises(ms.PopulationError) as caught:
        make()
    assert str(caught.value) == message


# And when the population has not what it names.
UNKNOWN = [
    (ms.Missing("dosis", 0.1), "problems.1.column must be a column of the data, found 'dosis': did you mean 'dose'?"),
    (ms.Missing("ses", 0.1), "problems.1.column is 'ses', which is not observed: nothing of it is in the data."),
    (
        ms.Missing("ward", 0.1),
        "problems.1.column is the cluster 'ward', without which a row belongs to nobody: say grouping=True if it is "
        "meant.",
    ),
    (ms.Rounded("ward", to=1), "problems.1.column is the cluster 'ward': name a variable or the response."),
    (ms.Outliers("arm", 0.1, shift=5), "problems.1.column must be a numeric column; arm is categorical."),
    (ms.Outliers("dose", 0.1, shift="far"), None),
    (
        ms.Missing("dose", 0.1, level="bed"),
        "problems.1.level must be a cluster, found 'bed': known are 'ward', 'patient'.",
    ),
    (
        ms.Missing("age", "logistic(dose)"),
        "problems.1.share uses 'dose', which differs from row to row, but age is struck by the patient.",
    ),
    (
        ms.Missing("beds", "logistic(age)"),
        "problems.1.share uses 'age', which differs from patient to patient, but beds is struck by the ward.",
    ),
    (
        ms.Missing("age", "logistic(pain)"),
        "problems.1.share uses 'pain', which differs from row to row, but age is struck by the patient.",
    ),
    (
        ms.Missing("dose", "logistic(paine)"),
        "problems.1.share uses 'paine', which is no variable of the population: did you mean 'pain'?",
    ),
    (
        ms.Missing("dose", "ward / 10"),
        "problems.1.share uses the cluster 'ward': an expression reads variables and the response.",
    ),
    (
        ms.Missing("dose", "1 * (arm == 'newer')"),
        "problems.1.share compares arm with 'newer': did you mean 'new'?",
    ),
    (ms.Dropout(0.1), "problems.1.by must be given: which of ward, patient?"),
    (ms.Dropout(0.1, by="bed"), "problems.1.by must be a cluster, found 'bed': known are 'ward', 'patient'."),
    (ms.Dropout(0.1, by="ward", over="days"), "problems.1.over must be a variable, found 'days': did you mean 'day'?"),
    (ms.Miscoded("patients", 0.1), "problems.1.cluster must be a cluster, found 'patients': did you mean 'patient'?"),
    (
        "Missing",
        "problems.1 must be a problem such as Missing('x', 0.1), in YAML "
        "{kind: Missing, column: x, share: 0.1}, found 'Missing'.",
    ),
    (
        {"column": "dose"},
        "problems.1.kind is missing: say which of Missing, Dropout, MeasurementError, Outliers, Rounded, "
        "Limits, Shifted, Duplicated, Miscoded.",
    ),
    ({"kind": "Mising"}, "problems.1.kind cannot be 'Mising': did you mean 'Missing'?"),
    ({"kind": "Missing", "column": "dose"}, "problems.1.share is missing."),
    ({"kind": "Missing", "column": "dose", "shares": 1}, "problems.1.shares is not a field: did you mean 'share'?"),
    ({"kind": "Missing", "column": "dose", "share": 2}, "problems.1.share must lie between 0 and 1, found 2."),
]


@pytest.mark.parametrize(("problem", "message"), UNKNOWN, ids=[str(said or "far")[:70] for _, said in UNKNOWN])
def test_a_population_that_has_not_what_a_problem_names(problem: Any, message: str | None) -> None:
    message = message or "problems.1.shift uses 'far', which is no variable of the population: "
    with pytest.raises(ms.PopulationError) as caught:
        WARDS.with_(problems=[problem])
    assert str(caught.value).startswith(message) if message.endswith(": ") else str(caught.value) == message
    with pytest.raises(ms.PopulationError) as caught:
        WARDS.with_(problems=[ms.Duplicated(0.1), problem])
    assert str(caught.value).startswith("problems.2")


@pytest.mark.parametrize("problems", [5, "Missing", {"kind": "Missing"}, ms.Duplicated(0.1), None])
def test_the_field_is_a_list(problems: object) -> None:
    said = r"^problems must be a list such as \[Missing\('x', 0\.1\)\], in YAML lines that begin with '-', found "
    with pytest.raises(ms.PopulationError, match=said):
        WARDS.with_(problems=problems)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            ms.Missing("pain", "dose / 5"),
            r"problems\.1\.share must lie between 0 and 1, but 'dose / 5' reaches [\d.-]+\.",
        ),
        (
            ms.Missing("pain", "log(dose)"),
            r"problems\.1\.share is not a finite number everywhere: look at 'log\(dose\)'\.",
        ),
        (
            ms.Dropout("dose", by="patient"),
            r"problems\.1\.hazard must lie between 0 and 1, but 'dose' reaches [\d.-]+\.",
        ),
        (
            ms.MeasurementError("pain", sd="dose - 5"),
            r"problems\.1\.sd must not be negative, but 'dose - 5' reaches .*\.",
        ),
    ],
    ids=["a probability", "a logarithm", "a hazard", "a standard deviation"],
)
def test_an_expression_that_leaves_its_bounds_in_a_draw(problem: Any, message: str) -> None:
    with pytest.raises(ms.PopulationError, match=f"^{message}$"):
        WARDS.with_(problems=[problem]).draw(1)


def test_problems_are_part_of_the_meaning() -> None:
    some = WARDS.with_(problems=[ms.Missing("dose", 0.1), ms.Duplicated(0.1)])
    assert some != WARDS
    assert some == WARDS.with_(problems=(ms.Missing("dose", "1 / 10"), {"kind": "Duplicated", "share": 0.1}))
    assert hash(some) == hash(WARDS.with_(problems=[ms.Missing("dose", 0.1), ms.Duplicated(0.1)]))
    assert some != WARDS.with_(problems=some.problems[::-1])
    assert some.with_(problems=[]) == WARDS


def test_what_is_understood_need_not_be_said() -> None:
    assert WARDS.with_(problems=[ms.Missing("age", 0.1, level="patient")]).problems == (ms.Missing("age", 0.1),)
    clinic = ms.scenarios.therapist_plain()
    assert clinic.with_(problems=[ms.Dropout(0.1)]) == clinic.with_(problems=[ms.Dropout(0.1, by="therapist")])


SPEC = """\
problems:
  - {kind: Missing, column: dose, share: 0.1}
  - {kind: Missing, column: pain, share: 1 / (1 + exp(4 - dose))}
  - kind: Dropout
    hazard: 0.05
    by: patient
    over: day
    gone: response
  - {kind: Missing, column: ward, share: 0.1, grouping: true}
"""
PROBLEMS = (
    ms.Missing("dose", 0.1),
    ms.Missing("pain", "1 / (1 + exp(4 - dose))"),
    ms.Dropout(0.05, by="patient", over="day", gone="response"),
    ms.Missing("ward", 0.1, grouping=True),
)


def test_a_file_written_by_hand() -> None:
    assert ms.Population.from_yaml(WARDS.to_yaml() + SPEC).problems == PROBLEMS
    one_line = "  - {kind: Dropout, hazard: 0.05, by: patient, over: day, gone: response}\n"
    block = "  - kind: Dropout\n    hazard: 0.05\n    by: patient\n    over: day\n    gone: response\n"
    assert WARDS.with_(problems=PROBLEMS).to_yaml() == WARDS.to_yaml() + SPEC.replace(block, one_line)
    assert "problems" not in WARDS.to_yaml()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("share: 0.1}\n  - {kind: Missing, column: pain", "share: 2}\n  - {kind: Missing, column: pain", 2,
         "problems.1.share must lie between 0 and 1, found 2."),
        ("hazard: 0.05", "hazard: 5", 5, "problems.3.hazard must lie between 0 and 1, found 5."),
        ("over: day", "over: days", 7, "problems.3.over must be a variable, found 'days': did you mean 'day'?"),
        ("kind: Dropout", "kind: Dropouts", 4, "problems.3.kind cannot be 'Dropouts': did you mean 'Dropout'?"),
        ("    hazard: 0.05\n", "", 4, "problems.3.hazard is missing."),
        ("(4 - dose)", "(4 - dosis)", 3,
         "problems.2.share uses 'dosis', which is no variable of the population: did you mean 'dose'?"),
    ],
)  # fmt: skip
def test_an_edit_that_breaks_it_is_found_by_line(old: str, new: str, line: int, message: str) -> None:
    above = WARDS.to_yaml().count("\n")
    assert SPEC.count(old) == 1
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(WARDS.to_yaml() + SPEC.replace(old, new))
    assert str(caught.value) == f"line {above + line}: {message}"


shares = st.one_of(st.floats(0, 1), st.just("logistic(dose - 5)"), st.just("0.5 * (arm == 'new')"))
numbers = st.floats(-1e9, 1e9).map(lambda x: x + 0.0)
positive = st.floats(1e-6, 1e6)
rows = st.sampled_from(["dose", "falls", "pain"])
any_problem = st.one_of(
    st.builds(ms.Missing, rows, shares),
    st.builds(ms.Missing, st.sampled_from(["age", "beds", "arm"]), st.floats(0, 1), st.sampled_from([None, "ward"])),
    st.builds(ms.Missing, st.just("ward"), shares, grouping=st.just(True)),
    st.builds(
        ms.Dropout,
        shares,
        st.sampled_from(["ward", "patient"]),
        st.sampled_from([None, "day", "arm"]),
        st.sampled_from(["before", "after"]),
        st.sampled_from(["rows", "response"]),
    ),
    st.builds(ms.MeasurementError, rows, sd=st.one_of(positive, st.just("abs(dose)"))),
    st.builds(ms.MeasurementError, rows, reliability=st.floats(0.01, 1), level=st.just("ward")),
    st.builds(ms.Outliers, rows, shares, shift=numbers),
    st.builds(ms.Outliers, rows, shares, times=st.one_of(numbers, st.just("pain"))),
    st.builds(ms.Shifted, rows, shares, factor=st.floats(1.5, 100)),
    st.builds(ms.Rounded, rows, to=positive, share=shares),
    st.builds(ms.Limits, rows, low=numbers),
    st.builds(ms.Limits, rows, low=st.floats(-10, 0), high=st.floats(1, 10)),
    st.builds(ms.Duplicated, shares),
    st.builds(ms.Miscoded, st.sampled_from(["ward", "patient"]), shares),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(any_problem, max_size=5))
def test_to_yaml_and_from_yaml_are_inverses(problems: list[Any]) -> None:
    population = WARDS.with_(problems=problems)
    again = ms.Population.from_yaml(population.to_yaml())
    assert again == population
    assert hash(again) == hash(population)
    assert again.to_yaml() == population.to_yaml()
    pd.testing.assert_frame_equal(again.draw(1).data, population.draw(1).data, check_exact=True)
    assert str(population).count("→") == len(problems)


def test_problems_stand_below_the_equations() -> None:
    clinic = ms.scenarios.therapist_price().with_(
        problems=[
            ms.Missing("depression", "1 / (1 + exp(70 - anxiety))"),
            ms.MeasurementError("price", reliability=0.8),
            ms.Duplicated(0.01),
            ms.Miscoded("therapist", 0.02),
        ]
    )
    assert str(clinic).splitlines()[-4:] == [
        "  depressionᵢⱼ → missing, with probability 1 / (1 + exp(70 − anxietyᵢⱼ))",
        "  priceⱼ       → itself + noise, reliability 0.8",
        "  row          → entered twice, with probability 0.01",
        "  therapist    → the id of another one, with probability 0.02",
    ]
    assert "→" in clinic._repr_html_()
