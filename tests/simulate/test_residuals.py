"""Residuals: their sd in every row, their shape, and how each goes with the one before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.simulate.residuals import autoregressive

FIELDS: dict[str, Any] = {
    "formula": "y ~ x + (1 | subject)",
    "clusters": {"subject": 40},
    "size": 10,
    "variables": {"x": ms.Normal(0, 1), "arm": ms.Categorical(["old", "new"], level="subject")},
    "fixef": {"Intercept": 1, "x": 2},
    "ranef": {"subject": {"sd": 1}},
    "sigma": 3,
}


def population(**changes: Any) -> ms.Population:
    return ms.Population(**{**FIELDS, **changes})


def table(pop: ms.Population, rows: int) -> np.ndarray:
    """Residuals, units × the rows of each."""
    return pop.draw(1).truth.residuals.to_numpy().reshape(-1, rows)


def one_by_one(values: np.ndarray, ar1: float, units: np.ndarray) -> np.ndarray:
    """The recursion as the module's docstring has it, row by row."""
    made, last = np.empty(len(values)), {}
    for i, unit in enumerate(units):
        made[i] = ar1 * last[unit] + math.sqrt(1 - ar1**2) * values[i] if unit in last else values[i]
        last[unit] = made[i]
    return made


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=300),
    st.one_of(st.floats(-0.999, 0.999), st.sampled_from([0.5, -0.5, 0.999999])),
    st.booleans(),
)
def test_doubling_shifts_make_the_same_as_going_row_by_row(units: list[int], ar1: float, in_order: bool) -> None:
    codes = np.array(sorted(units) if in_order else units)
    values = np.random.default_rng(len(units)).standard_normal(len(units))
    np.testing.assert_allclose(autoregressive(values, ar1, codes), one_by_one(values, ar1, codes), rtol=0, atol=1e-12)


@pytest.mark.parametrize("ar1", [0.5, -0.4, 0.9])
@pytest.mark.parametrize("shape", ["normal", {"kind": "t", "df": 9}, "skewed"], ids=["normal", "t", "skewed"])
def test_every_row_has_sd_sigma_and_the_right_correlation_with_those_before(ar1: float, shape: Any) -> None:
    units, rows = 30_000, 6
    residual = {"ar1": ar1, "shape": shape}
    e = table(population(clusters={"subject": units}, size=rows, residual=residual), rows) / 3
    for i in range(rows):
        for j in range(i, min(rows, i + 4)):
            products = e[:, i] * e[:, j]  # units are independent, so the mean has its textbook standard error
            error = products.std() / math.sqrt(units)
            assert abs(products.mean() - ar1 ** (j - i)) < 4.5 * error, (i, j)


def test_residuals_of_different_units_know_nothing_of_each_other() -> None:
    e = table(population(clusters={"subject": 20_000}, size=3, residual={"ar1": 0.9}), 3)
    assert abs(np.corrcoef(e[:-1, -1], e[1:, 0])[0, 1]) < 4 / math.sqrt(20_000)


def test_unequal_units_go_on_as_the_equal_ones_do() -> None:
    sizes = population(clusters={"subject": 300}, size=(1, 9), residual={"ar1": 0.7}).draw(1)
    plain = population(clusters={"subject": 300}, size=(1, 9)).draw(1)
    expected = one_by_one(plain.truth.residuals.to_numpy(), 0.7, sizes.data["subject"].cat.codes.to_numpy())
    np.testing.assert_allclose(sizes.truth.residuals, expected, atol=1e-12)


CROSSED: dict[str, Any] = {
    **FIELDS,
    "formula": "y ~ x + (1 | subject) + (1 | item)",
    "clusters": {"subject": 7, "item": 5},
    "size": 2,
    "ranef": {"subject": {"sd": 1}, "item": {"sd": 1}},
}


@pytest.mark.parametrize("by", ["subject", "item", "subject:item"])
def test_rows_follow_each_other_in_the_units_that_are_named(by: str) -> None:
    sample = ms.Population(**{**CROSSED, "residual": {"ar1": 0.6, "by": by}}).draw(1)
    plain = ms.Population(**CROSSED).draw(1).truth.residuals.to_numpy()
    units = sample.data[by.split(":")].astype(str).agg(":".join, axis=1).to_numpy()
    np.testing.assert_allclose(sample.truth.residuals, one_by_one(plain, 0.6, units), atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "by", "settled"),
    [
        (FIELDS, None, "subject"),
        (CROSSED, None, "subject:item"),
        (CROSSED, "item:subject", "subject:item"),
        (CROSSED, "subject : item", "subject:item"),
        (CROSSED, "item", "item"),
        ({**FIELDS, "clusters": {"school": 3, "subject": {"in": "school", "n": 4}}}, None, "subject"),
        ({**FIELDS, "clusters": {"school": 3, "subject": {"in": "school", "n": 4}}}, "subject:school", "subject"),
    ],
)
def test_by_is_the_innermost_cluster_if_none_is_named(fields: dict[str, Any], by: str | None, settled: str) -> None:
    residual = {"ar1": 0.5} if by is None else {"ar1": 0.5, "by": by}
    assert ms.Population(**{**fields, "residual": residual}).residual == {"ar1": 0.5, "by": settled}


@pytest.mark.parametrize("residual", [None, {}, {"ar1": 0}, {"ar1": 0, "by": "subject"}, {"shape": "normal"}])
def test_what_changes_nothing_is_left_out(residual: Any) -> None:
    one = population(residual=residual)
    assert one.residual is None
    assert one == population()
    assert hash(one) == hash(population())
    pd.testing.assert_frame_equal(one.draw(1).data, population().draw(1).data, check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        {"residual": {"ar1": 0.5}},
        {"residual": {"ar1": 0.4}},
        {"residual": {"shape": "skewed"}},
        {"residual": {"shape": {"kind": "t", "df": 5}, "ar1": 0.1}},
        {"sigma": "3 + x"},
        {"sigma": "3 + abs(x)"},
        {"ranef": {"subject": {"sd": 1, "shape": "bimodal"}}},
    ],
    ids=str,
)
def test_what_means_something_else_is_not_equal_and_comes_back_from_yaml(change: dict[str, Any]) -> None:
    one = population(**change)
    assert one != population()
    again = ms.Population.from_yaml(one.to_yaml())
    assert (again, hash(again), again.to_yaml()) == (one, hash(one), one.to_yaml())
    assert eval(repr(one), {**vars(ms)}) == one


def test_in_yaml() -> None:
    one = population(
        sigma="2+.5*abs(x)",
        residual={"by": "subject", "ar1": 0.5, "shape": {"kind": "t", "df": 4}},
        ranef={"subject": {"cov": 4, "shape": "bimodal"}},
    )
    assert one.to_yaml().endswith(
        "ranef:\n"
        "  subject: {sd: [2], shape: {kind: bimodal, separation: 4, upper: 0.5}}\n"
        "sigma: 2 + 0.5 * abs(x)\n"
        "residual: {shape: {kind: t, df: 4}, ar1: 0.5, by: subject}\n"
    )


class TestSdOfTheRow:
    pop = population(
        clusters={"subject": 4000}, size=25, sigma="2 + 0.5 * abs(x) + 3 * (arm == 'new')", residual={"ar1": 0.5}
    )
    sample = pop.draw(1)
    sd = 2 + 0.5 * sample.data["x"].abs() + 3 * (sample.data["arm"] == "new")

    def test_is_what_the_expression_says(self) -> None:
        z = (self.sample.truth.residuals / self.sd).to_numpy()
        n = len(z)
        for part in (z, z[self.sd > 5], z[self.sd < 2.2]):
            # a variance of AR(1) data: the squares have autocorrelation φ²ᵏ, which inflates their variance as below
            error = math.sqrt(2 * (1 + 0.25) / (1 - 0.25) / len(part))
            assert abs((part**2).mean() - 1) < 4 * error
        assert abs((z[1:] * z[:-1]).reshape(-1)[: n - 1].mean() - 0.5 * 24 / 25) < 4 * 2 / math.sqrt(n)

    def test_scales_the_residuals_and_leaves_them_otherwise_as_they_were(self) -> None:
        plain = self.pop.with_(sigma=1).draw(1)
        np.testing.assert_allclose(self.sample.truth.residuals, plain.truth.residuals * self.sd, rtol=1e-14)

    def test_is_text_in_the_truth(self) -> None:
        assert self.sample.truth.sigma == "2 + 0.5 * abs(x) + 3 * (arm == 'new')"
        assert str(self.sample.truth).splitlines()[-2:] == [
            "Residual sd  2 + 0.5 * abs(x) + 3 * (arm == 'new')",
            "Residual AR(1)  0.5 from row to row in each subject",
        ]

    def test_the_response_is_mean_plus_residual(self) -> None:
        total = self.sample.truth.mean + self.sample.truth.residuals
        np.testing.assert_allclose(self.sample.data["y"], total, rtol=0, atol=1e-12)


def test_an_expression_without_variables_is_a_number() -> None:
    assert population(sigma="6/2") == population(sigma=3)


def test_a_sd_may_be_zero_in_some_rows() -> None:
    sample = population(sigma="5 * (arm == 'new')").draw(1)
    np.testing.assert_array_equal(sample.truth.residuals == 0, sample.data["arm"] == "old")


def test_a_shape_of_residuals_leaves_everything_else_as_it_was() -> None:
    before, after = population().draw(1), population(residual={"shape": {"kind": "t", "df": 3}}).draw(1)
    pd.testing.assert_frame_equal(after.data[["subject", "x", "arm"]], before.data[["subject", "x", "arm"]])
    pd.testing.assert_series_equal(after.truth.linear_predictor, before.truth.linear_predictor)


def test_more_subjects_begin_with_the_same_ones() -> None:
    kept = {"residual": {"ar1": 0.9, "shape": {"kind": "t", "df": 4}}, "sigma": "1 + abs(x)"}
    few, many = population(**kept).draw(1), population(**kept, clusters={"subject": 60}).draw(1)
    np.testing.assert_allclose(many.truth.residuals[: len(few.data)], few.truth.residuals, rtol=1e-12)


def test_the_gaussian_numbers_are_those_of_numpy_in_one_call() -> None:
    """The plain path is the bare generator call, to the last digit: what makes a draw of 10⁷ rows fast."""
    from mixedsim.simulate.streams import Streams

    residuals = population().draw(5).truth.residuals
    np.testing.assert_array_equal(residuals, Streams(5).generator("residual").normal(0.0, 3.0, 400))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": None}, "sigma is missing: give the standard deviation of the residuals."),
        ({"sigma": True}, "sigma must be a number, found True."),
        ({"sigma": "eight"}, "sigma uses 'eight', which is not among the variables: known are 'x', 'arm'."),
        ({"sigma": "1 + subject"}, "sigma uses 'subject', which is not among the variables: known are 'x', 'arm'."),
        ({"sigma": "2 * arm"}, "sigma calculates with arm, which is categorical: write (arm == 'old')."),
        ({"sigma": "2 * (arm == 'now')"}, "sigma compares arm with 'now': did you mean 'new'?"),
        ({"sigma": "1 - 2"}, "sigma must not be negative, found -1."),
        ({"residual": 0.5}, "residual must hold shape or ar1, as in {'ar1': 0.5}, found 0.5."),
        ({"residual": {"ar": 0.5}}, "residual.ar is not a field: did you mean 'ar1'?"),
        ({"residual": {"ar1": 1}}, "residual.ar1 must lie between -1 and 1, without either, found 1."),
        ({"residual": {"ar1": "x"}}, "residual.ar1 must be a number, found 'x'."),
        ({"residual": {"shape": "t"}}, "residual.shape.df is missing, as in {kind: t, df: …}."),
        (
            {"residual": {"ar1": 0.5, "by": "subjects"}},
            "residual.by must be a cluster, found 'subjects': did you mean 'subject'?",
        ),
        ({"residual": {"ar1": 0.5, "by": 1}}, "residual.by must be a cluster, found 1."),
        ({"residual": {"by": "subject"}}, "residual.by says in whose rows ar1 runs, but there is no ar1."),
        (
            {"residual": {"ar1": 0.5, "by": "subject"}, "size": 1},
            "residual.by is 'subject', which has one row in each unit: nothing there follows anything.",
        ),
        (
            {"residual": {"ar1": 0.5}, "size": 1, "clusters": {"subject": 5, "day": 9}},
            "residual.by must be given, because every subject:day has one row: which of subject, day?",
        ),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population(**change)
    assert str(caught.value) == message


def test_a_sd_that_is_negative_in_a_draw() -> None:
    with pytest.raises(ms.PopulationError, match=r"^sigma must not be negative, but '2 \+ x' reaches -[\d.]+\.$"):
        population(sigma="2 + x", size=100).draw(1)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("sigma: 2 + 0.5 * z", "line 10: sigma uses 'z', which is not among the variables: known are 'x'."),
        (
            "sigma: 1\nresidual:\n  ar1: 0,5",
            "line 12: residual.ar1 must be a number, found '0,5': decimals take a point, not a comma, as in 0.5.",
        ),
        (
            "sigma: 1\nresidual: {ar1: 0.5, by: g2}",
            "line 11: residual.by must be a cluster, found 'g2': did you mean 'g'?",
        ),
        ("name: z", "line 1: sigma is missing: give the standard deviation of the residuals."),
    ],
)
def test_a_file_says_where(lines: str, message: str) -> None:
    text = (
        "formula: y ~ x + (1 | g)\nclusters:\n  g: 3\nsize: 2\nvariables:\n  x: {kind: Normal, mean: 0, sd: 1}\n"
        "fixef: {Intercept: 1, x: 2}\nranef:\n  g: {sd: 1}\n"
    )
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text + lines + "\n")
    assert str(caught.value) == message
