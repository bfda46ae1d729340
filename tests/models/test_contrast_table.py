"""Contrasts as people write them down."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.models.contrast_table import read_contrasts

NAMES = ["Intercept", "time[T.post]", "group[T.b]", "time[T.post]:group[T.b]", "x", "I(x ** 2)", "xy", "my col"]


@pytest.mark.parametrize(
    ("text", "weights", "null"),
    [
        ("x", {"x": 1}, 0),
        ("x = 3", {"x": 1}, 3),
        ("-x = 2 - 3", {"x": -1}, -1),
        ("x = xy", {"x": 1, "xy": -1}, 0),
        ("2*x - xy/4 + 1e-3*group[T.b] = -2", {"x": 2, "xy": -0.25, "group[T.b]": 0.001}, -2),
        ("time[T.post] + 0.5 * time[T.post]:group[T.b]", {"time[T.post]": 1, "time[T.post]:group[T.b]": 0.5}, 0),
        ("`x` - `my col`", {"x": 1, "my col": -1}, 0),
        ("my col - I(x ** 2)", {"my col": 1, "I(x ** 2)": -1}, 0),
        ("(x + xy)/2 = 0.5", {"x": 0.5, "xy": 0.5}, 0.5),
    ],
)
def test_text(text, weights, null):
    rows = read_contrasts(text, NAMES)
    expected = [weights.get(name, 0) for name in NAMES]
    np.testing.assert_allclose(rows.matrix, [expected])
    assert rows.null.tolist() == [null]
    assert rows.labels == (text,)


def test_every_way_to_write_the_same():
    expected = np.zeros((2, len(NAMES)))
    expected[0, 4], expected[1, 4], expected[1, 6] = 1, 1, -1
    ways = [
        ["x", "x - xy"],
        {"one": "x", "two": {"x": 1, "xy": -1}},
        {"one": expected[0], "two": expected[1].tolist()},
        pd.DataFrame({"x": [1, 1], "xy": [0, -1]}, index=["one", "two"]),
        expected,
        expected.tolist(),
    ]
    for given in ways:
        np.testing.assert_allclose(read_contrasts(given, NAMES).matrix, expected)
    np.testing.assert_allclose(read_contrasts(expected[1], NAMES).matrix, expected[1:])
    assert read_contrasts(ways[1], NAMES).labels == ("one", "two")


KNOWN = "known are " + ", ".join(map(repr, NAMES)) + "."
READ = "write a combination such as 'a - b' or 'a = 2 * b'"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("foo", f"the contrast 'foo' names 'foo', which is no coefficient of the model: {KNOWN}"),
        (
            "time[T.pre] - x",
            "the contrast 'time[T.pre] - x' names 'time[T.pre]', which is no coefficient of the model: "
            "did you mean 'time[T.post]'?",
        ),
        ("x +", f"cannot read the contrast 'x +': {READ}."),
        ("x * xy", f"cannot read the contrast 'x * xy': {READ}."),
        ("x xy", f"cannot read the contrast 'x xy': {READ}."),
        ("x / 0", f"cannot read the contrast 'x / 0': {READ}."),
        ("x, xy", f"cannot read the contrast 'x, xy': {READ}."),
        ("x = 1 = 2", f"cannot read the contrast 'x = 1 = 2': {READ}."),
        ("x == 1", f"cannot read the contrast 'x == 1': {READ}."),
        ("x ** 2", f"cannot read the contrast 'x ** 2': {READ}."),
        ("", f"cannot read the contrast '': {READ}."),
        ("3", "the contrast '3' is zero for every coefficient: give one of them a weight."),
        (3, "contrasts must be text, a mapping, a table or numbers, found int."),
        ([], "no contrast is given: write one such as 'a - b' with the names of two coefficients."),
        ({"q": {"zz": 1}}, f"the contrast 'q' names 'zz', which is no coefficient of the model: {KNOWN}"),
        (
            [[1, 2]],
            "the contrast 'contrast 1' must have one weight for each of the 8 coefficients "
            f"({', '.join(map(repr, NAMES))}), found 2.",
        ),
        ({"q": [np.nan] * 8}, "the weights of the contrast 'q' must be finite numbers."),
    ],
)
def test_what_cannot_be_read_is_said(given, said):
    with pytest.raises(ms.MixedsimError) as error:
        read_contrasts(given, NAMES)
    assert str(error.value) == said


# ---- on a fit


@pytest.fixture(scope="module")
def fit():
    return ms.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", ms.datasets.load("cake"))


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "wald"])
def test_coefficients_are_the_simplest_contrasts(fit, ddf):
    pd.testing.assert_frame_equal(
        fit.contrasts(list(fit.coefficient_names), ddf), fit.coefficients(ddf), check_names=False, rtol=1e-10
    )


def test_a_value_moves_t_and_p_alone(fit):
    plain, tested = (fit.contrasts(text).iloc[0] for text in ("temp", "temp = 0.1"))
    assert tested["t"] == pytest.approx((plain["estimate"] - 0.1) / plain["se"])
    np.testing.assert_allclose(tested.drop(["t", "p"]), plain.drop(["t", "p"]))


def test_joint_test_is_the_anova_of_the_term(fit):
    for ddf in ("satterthwaite", "kenward-roger", "wald"):
        together = fit.contrasts(["recipe[T.B]", "recipe[T.C]"], ddf, joint=True)
        assert together.index.tolist() == ["joint"]
        np.testing.assert_allclose(together.iloc[0], fit.anova(ddf=ddf).loc["recipe"], rtol=1e-6)


def test_joint_test_of_the_estimates_themselves_is_zero(fit):
    values = [f"recipe[T.B] = {float(fit.fixef['recipe[T.B]'])!r}", f"temp = {float(fit.fixef['temp'])!r}"]
    assert fit.contrasts(values, joint=True)["F"].iloc[0] == pytest.approx(0, abs=1e-12)


def test_level_is_checked(fit):
    with pytest.raises(ms.MixedsimError, match=r"^level must lie between 0 and 1, found 95\.$"):
        fit.contrasts("temp", level=95)
