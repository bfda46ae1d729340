"""Values that are recorded wrongly: how far, how often, and what it does to a slope."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.simulate.problems.rounded import multiples
from tests.simulate.problems.wards import close, complete, spoiled, units

MANY = 600


def noise(sample: ms.Sample, column: str) -> np.ndarray:
    return (sample.data[column] - sample.truth.complete[column]).to_numpy()


class TestMeasurementError:
    def test_noise_has_its_sd_and_knows_nothing(self) -> None:
        sample = spoiled(ms.MeasurementError("dose", sd=1.5), wards=MANY)
        error, true = noise(sample, "dose"), sample.truth.complete
        close(error, 0)
        close(error**2, 1.5**2)
        close(error * (true["dose"] - true["dose"].mean()), 0)
        close(error * (true["pain"] - true["pain"].mean()), 0)

    @pytest.mark.parametrize("reliability", [0.4, 0.9])
    def test_reliability_is_the_share_of_the_variance_that_is_true(self, reliability: float) -> None:
        sample = spoiled(ms.MeasurementError("dose", reliability=reliability), wards=MANY)
        true, measured = sample.truth.complete["dose"].var(), sample.data["dose"].var()
        rows = len(sample.data)
        # var(measured) = var(true) + var(e) + 2 cov; its two random parts, relative to var(measured)
        error = np.sqrt(2 * (1 - reliability) ** 2 / rows + 4 * reliability * (1 - reliability) / rows)
        assert abs(true / measured - reliability) < 4.5 * error * reliability

    def test_a_slope_on_the_measured_column_is_attenuated_by_the_reliability(self) -> None:
        sample = spoiled(ms.MeasurementError("dose", reliability=0.5), wards=MANY)
        slopes = [
            np.polyfit(data["dose"], sample.truth.complete["pain"], 1)[0]
            for data in (sample.truth.complete, sample.data)
        ]
        # residual sd around the attenuated line over the sd of the measured dose: about 8 / 3.2
        assert abs(slopes[1] - slopes[0] * 0.5) < 4.5 * 8 / 3.2 / np.sqrt(len(sample.data))
        assert slopes[0] < -1.5

    def test_the_sd_may_depend_on_the_true_value(self) -> None:
        sample = spoiled(ms.MeasurementError("dose", sd="0.1 * abs(dose)"), wards=MANY)
        close((noise(sample, "dose") / (0.1 * sample.truth.complete["dose"])) ** 2, 1)

    def test_what_a_ward_has_once_is_measured_once(self) -> None:
        sample = spoiled(ms.MeasurementError("beds", sd=2), wards=MANY)
        error = units(sample.truth.complete, sample.data["beds"] - sample.truth.complete["beds"], by="ward")
        close(error**2, 4)
        assert error.nunique() == MANY

    def test_rows_of_a_unit_can_share_one_error(self) -> None:
        sample = spoiled(ms.MeasurementError("falls", sd=1, level="patient"), wards=MANY)
        error = pd.Series(noise(sample, "falls")).round(9)
        close(units(sample.truth.complete, error) ** 2, 1)

    def test_perfect_instruments(self) -> None:
        for problem in (ms.MeasurementError("dose", sd=0), ms.MeasurementError("dose", reliability=1)):
            pd.testing.assert_frame_equal(spoiled(problem).data, complete())
            assert len(spoiled(problem).truth.problems) == 0


class TestOutliers:
    def test_a_share_lies_so_many_sds_away(self) -> None:
        sample = spoiled(ms.Outliers("dose", 0.02, shift=6), wards=MANY)
        off = noise(sample, "dose")
        close(off != 0, 0.02)
        np.testing.assert_allclose(off[off != 0], 6 * sample.truth.complete["dose"].std(ddof=0), rtol=1e-9)

    def test_times_and_expressions(self) -> None:
        sample = spoiled(ms.Outliers("dose", "0.5 * (arm == 'new')", times=-10), wards=MANY)
        struck = noise(sample, "dose") != 0
        true = sample.truth.complete
        assert set(true["arm"][struck]) == {"new"}
        close(struck[true["arm"] == "new"], 0.5)
        np.testing.assert_array_equal(sample.data["dose"][struck], -10 * true["dose"][struck])

    def test_none_and_all(self) -> None:
        pd.testing.assert_frame_equal(spoiled(ms.Outliers("dose", 0, shift=6)).data, complete())
        assert (noise(spoiled(ms.Outliers("falls", 1, shift=1)), "falls") > 0).all()


class TestShifted:
    def test_the_point_slips_to_both_sides(self) -> None:
        sample = spoiled(ms.Shifted("age", 0.2), wards=MANY)
        ratio = units(sample.truth.complete, (sample.data["age"] / sample.truth.complete["age"]).round(9))
        assert set(ratio) == {0.1, 1.0, 10.0}
        close(ratio != 1, 0.2)
        close((ratio[ratio != 1] > 1), 0.5)

    def test_inches(self) -> None:
        sample = spoiled(ms.Shifted("dose", 1, factor=2.54))
        ratio = (sample.data["dose"] / sample.truth.complete["dose"]).round(9)
        assert set(ratio) == {2.54, round(1 / 2.54, 9)}


class TestRounded:
    @pytest.mark.parametrize(("to", "expected"), [(1, 2.0), (0.1, 2.3), (5, 0.0), (0.25, 2.25), (1 / 3, 7 / 3)])
    def test_to_multiples(self, to: float, expected: float) -> None:
        assert multiples(np.array([2.3]), to)[0] == pytest.approx(expected, abs=1e-15)

    def test_decimals_are_what_people_type(self) -> None:
        values = np.random.default_rng(1).normal(0, 100, 1000)
        for decimals in (1, 2, 3):
            np.testing.assert_array_equal(multiples(values, 10.0**-decimals), np.round(values, decimals))

    def test_all_or_some(self) -> None:
        every = spoiled(ms.Rounded("dose", to=0.5)).data["dose"]
        assert (every % 0.5 == 0).all()
        some = spoiled(ms.Rounded("dose", to=0.5, share=0.7), wards=MANY).data["dose"]
        close(some % 0.5 == 0, 0.7)

    def test_whole_numbers_stay_whole(self) -> None:
        assert spoiled(ms.Rounded("falls", to=2)).data["falls"].dtype == np.int64
        two = spoiled(ms.Rounded("falls", to=2))
        by_hand = two.truth.complete["falls"].map({0: 0, 1: 0, 2: 2, 3: 4})  # halves go to the even multiple
        pd.testing.assert_series_equal(two.data["falls"], by_hand)
        assert spoiled(ms.Rounded("falls", to=1.5)).data["falls"].dtype == float


class TestLimits:
    def test_floor_and_ceiling(self) -> None:
        true = complete()["pain"]
        both = spoiled(ms.Limits("pain", low=35, high=45)).data["pain"]
        pd.testing.assert_series_equal(both, true.clip(35, 45))
        assert (both == 35).any()
        assert (both == 45).any()
        pd.testing.assert_series_equal(spoiled(ms.Limits("pain", low=35)).data["pain"], true.clip(lower=35))
        pd.testing.assert_series_equal(spoiled(ms.Limits("pain", high=45)).data["pain"], true.clip(upper=45))

    def test_whole_numbers_stay_whole(self) -> None:
        assert spoiled(ms.Limits("falls", high=2)).data["falls"].dtype == np.int64
        assert spoiled(ms.Limits("falls", high=1.5)).data["falls"].max() == 1.5

    def test_what_is_missing_stays_missing(self) -> None:
        sample = spoiled(ms.Missing("pain", 0.3), ms.Limits("pain", low=40), ms.Rounded("pain", to=1))
        assert sample.data["pain"].isna().any()
        assert sample.data["pain"].min() >= 40


def test_problems_of_one_column_follow_each_other() -> None:
    first = spoiled(ms.Limits("pain", high=40), ms.Outliers("pain", 1, times=10)).data["pain"]
    other = spoiled(ms.Outliers("pain", 1, times=10), ms.Limits("pain", high=40)).data["pain"]
    assert first.max() == 400
    assert other.max() == 40


def test_expressions_read_the_true_values_whatever_came_before() -> None:
    sample = spoiled(
        ms.Outliers("dose", 1, times=1000), ms.Missing("dose", 0.5), ms.Missing("pain", "1 * (dose > 5)"), wards=60
    )
    np.testing.assert_array_equal(sample.data["pain"].isna(), sample.truth.complete["dose"] > 5)


def test_a_yes_or_no_is_a_number_too() -> None:
    population = ms.Population(
        "y ~ 1 + (1 | g)",
        clusters={"g": 500},
        size=4,
        fixef={"Intercept": 0},
        ranef={"g": {"sd": 1}},
        family="binomial",
        problems=[ms.Missing("y", "0.5 * y"), ms.Duplicated("0.2 * (y == 0)")],
    )
    sample = population.draw(1)
    assert set(sample.truth.complete["y"][sample.truth.problems.query("problem == 'Missing'")["original_row"]]) == {1}
    assert set(sample.truth.complete["y"][sample.truth.problems.query("step == 2")["original_row"]]) == {0}
