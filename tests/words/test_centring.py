"""Columns taken from a mean."""

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

DATA = pd.DataFrame(
    {"g": ["a", "a", "a", "b", "b", None], "x": [1.0, 2.0, 6.0, 10.0, np.nan, 5.0], "p": [1, 1, 1, 2, 2, 2]}
)


def test_a_mean_and_the_rest():
    new = ms.within_between(DATA, "x", "g")
    assert new["x_mean"].tolist()[:5] == [3.0, 3.0, 3.0, 10.0, 10.0]
    assert new["x_within"].tolist()[:4] == [-2.0, -1.0, 3.0, 0.0]
    assert new[["x_within", "x_mean"]].isna().sum().tolist() == [2, 1]
    assert list(DATA.columns) == ["g", "x", "p"]


def test_the_two_slopes_are_the_within_and_the_between_effect():
    """With levels of equal size: those of least squares on deviations, and on level means."""
    data = ms.scenarios.therapist_confounder().draw(seed=1).data
    new = ms.within_between(data, "depression", "therapist")
    assert np.corrcoef(new["depression_within"], new["depression_mean"])[0, 1] == pytest.approx(0, abs=1e-12)
    fit = ms.lmer("anxiety ~ depression_within + depression_mean + (1 | therapist)", new)
    own = ms.within_between(new, "anxiety", "therapist")
    means = own.drop_duplicates("therapist")
    within = np.polyfit(own["depression_within"], own["anxiety_within"], 1)[0]
    between = np.polyfit(means["depression_mean"], means["anxiety_mean"], 1)[0]
    assert fit.fixef["depression_within"] == pytest.approx(within, rel=1e-8)
    assert fit.fixef["depression_mean"] == pytest.approx(between, rel=1e-8)
    assert within > between + 1  # the confounder works between therapists


def test_it_may_be_done_twice_but_overwrites_nothing():
    once = ms.within_between(DATA, "x", "g")
    pd.testing.assert_frame_equal(ms.within_between(once, ["x"], ["g"]), once)
    with pytest.raises(ms.DataError) as error:
        ms.within_between(DATA.assign(x_mean=0.0), "x", "g")
    assert str(error.value) == ("the data already have a column 'x_mean' with other values: rename or drop it first.")


def test_two_columns_make_a_group():
    data = pd.DataFrame({"s": [1, 1, 1, 2], "c": [1, 1, 2, 1], "x": [1.0, 3.0, 5.0, 7.0]})
    assert ms.within_between(data, "x", ["s", "c"])["x_mean"].tolist() == [2.0, 2.0, 5.0, 7.0]


def test_centring_and_scaling():
    assert ms.center(DATA, "x")["x_c"].mean() == pytest.approx(0)
    assert ms.center(DATA, "x", at=2)["x_c"].tolist()[:3] == [-1.0, 0.0, 4.0]
    scaled = ms.center(DATA, ["x", "p"], scale=True)
    assert scaled[["x_z", "p_z"]].std().tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ms.within_between(DATA, "p", "g"), "'p' has one value in each level of 'g': it differs between groups "
         "only and can stand in a model as it is."),
        (lambda: ms.within_between(DATA, "g", "p"), "column 'g' holds text: only numbers have means; convert it with "
         "pd.to_numeric."),
        (lambda: ms.within_between(DATA, "x", "x"), "x and group are both 'x': name what is split, and what groups the "
         "rows."),
        (lambda: ms.within_between({"x": [1.0, 2.0], "g": [1, 2]}, "x", "g"), "'g' has one row of 'x' a level: nothing "
         "lies within; group coarser."),
        (lambda: ms.within_between(DATA, "y", "g"), "the data have no column 'y': known are 'g', 'x', 'p'."),
        (lambda: ms.center(DATA, []), "columns are given by name, one or a list of them, found []."),
        (lambda: ms.center(DATA, "x", at="mean"), "at must be the number that becomes zero, found 'mean'."),
        (lambda: ms.center({"x": [1, 1]}, "x", scale=True), "column 'x' does not vary: it has no standard deviation to "
         "be divided by."),
        (lambda: ms.center({"x": [np.nan]}, "x"), "column 'x' has no values: there is no mean to take it from."),
    ],
    ids=["a group's", "text", "itself", "single rows", "missing", "nothing", "at", "constant", "empty"],
)  # fmt: skip
def test_what_cannot_be_centred(call, message):
    with pytest.raises(ms.DataError) as error:
        call()
    assert str(error.value) == message
