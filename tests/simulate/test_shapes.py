"""Shapes of random effects and residuals: mean 0 and variance 1, and beyond them what each is for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma, kurtosis, norm, skew, t

from mixedsim import PopulationError
from mixedsim.simulate.shapes import Bimodal, Shape, settled_shape, shape_of

N = 400_000


def density(entry: dict[str, Any] | None, z: float) -> float:
    """The density of a shape, written down apart from the package."""
    if entry is None:
        return float(norm.pdf(z))
    if entry["kind"] == "t":
        df = entry["df"]
        return float(t.pdf(z, df, scale=math.sqrt((df - 2) / df)))
    if entry["kind"] == "skewed":
        g = entry["skewness"]
        k = 4 / g**2
        return float(gamma.pdf(math.copysign(z, z * g), k, loc=-math.sqrt(k), scale=1 / math.sqrt(k)))
    p, d = entry["upper"], entry["separation"]
    s = 1 / math.sqrt(1 + p * (1 - p) * d**2)
    return float(p * norm.pdf(z, (1 - p) * d * s, s) + (1 - p) * norm.pdf(z, -p * d * s, s))


SHAPES: dict[str, dict[str, Any] | None] = {
    "normal": None,
    "t with 12 df": {"kind": "t", "df": 12.0},
    "skewed up": {"kind": "skewed", "skewness": 2.0},
    "skewed down": {"kind": "skewed", "skewness": -0.5},
    "bimodal": {"kind": "bimodal", "separation": 4.0, "upper": 0.5},
    "few responders": {"kind": "bimodal", "separation": 6.0, "upper": 0.2},
}
EVERY = pytest.mark.parametrize("entry", SHAPES.values(), ids=SHAPES)


def moment(entry: dict[str, Any] | None, power: int) -> float:
    halves = ((-60, 0), (0, 60))
    return sum(quad(lambda z: z**power * density(entry, z), *half, limit=400, points=[*half])[0] for half in halves)


def values(entry: dict[str, Any] | None, n: int = N, seed: int = 1) -> np.ndarray:
    return shape_of(entry).standard(np.random.default_rng(seed), n)


@EVERY
def test_first_four_moments(entry: dict[str, Any] | None) -> None:
    """Each sample moment lies within four of its standard errors, √((E z²ᵏ − (E zᵏ)²)/n), of the integral."""
    z = values(entry)
    for power in (1, 2, 3, 4):
        expected, error = moment(entry, power), math.sqrt((moment(entry, 2 * power) - moment(entry, power) ** 2) / N)
        assert abs(np.mean(z**power) - expected) < 4 * error, power
    assert moment(entry, 1) == pytest.approx(0, abs=1e-8)
    assert moment(entry, 2) == pytest.approx(1, rel=1e-7)


@EVERY
def test_shares_below_are_those_of_the_density(entry: dict[str, Any] | None) -> None:
    z = values(entry)
    for edge in (-2.0, -1.0, -0.3, 0.4, 1.5):
        share = quad(lambda x: density(entry, x), -60, edge, limit=400, points=[edge])[0]
        assert abs((z < edge).mean() - share) < 4.5 * math.sqrt(share * (1 - share) / N) + 1e-9, edge


def test_tails_so_heavy_that_there_is_no_fourth_moment() -> None:
    z = values({"kind": "t", "df": 3.0})
    share = 2 * t.sf(4 * math.sqrt(3), 3)
    assert abs((abs(z) > 4).mean() - share) < 4 * math.sqrt(share / N)


@EVERY
def test_more_values_begin_with_the_same_ones(entry: dict[str, Any] | None) -> None:
    np.testing.assert_array_equal(values(entry, 1000)[:10], values(entry, 10))


def test_skewness_and_kurtosis_are_what_the_docstrings_say() -> None:
    z = values({"kind": "skewed", "skewness": 1.0}, 2_000_000)
    assert skew(z) == pytest.approx(1, abs=0.02)
    assert kurtosis(z, fisher=False) == pytest.approx(4.5, abs=0.15)
    assert kurtosis(values({"kind": "t", "df": 10.0}, 2_000_000), fisher=False) == pytest.approx(4, abs=0.15)


def test_two_peaks_with_a_valley_between() -> None:
    z = values({"kind": "bimodal", "separation": 4.0, "upper": 0.5})
    s = 1 / math.sqrt(5)
    peaks = [(abs(z - at) < 0.1).mean() for at in (-2 * s, 0, 2 * s)]
    assert peaks[0] > 2 * peaks[1] < peaks[2]


class Ends:
    """A generator whose uniform numbers are the two ends of what NumPy gives."""

    def random(self, size: int) -> np.ndarray:
        return np.array([0.0, 1 - 2.0**-53])


@pytest.mark.parametrize("upper", [0.5, 0.3, 1e-3])
def test_no_value_is_infinite(upper: float) -> None:
    assert np.isfinite(Bimodal(upper=upper).standard(Ends(), 2)).all()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        ("normal", None),
        ({"kind": "normal"}, None),
        ("skewed", {"kind": "skewed", "skewness": 2.0}),
        ({"kind": "skewed", "skewness": -1}, {"kind": "skewed", "skewness": -1.0}),
        ("bimodal", {"kind": "bimodal", "separation": 4.0, "upper": 0.5}),
        ({"kind": "bimodal", "upper": 0.3}, {"kind": "bimodal", "separation": 4.0, "upper": 0.3}),
        ({"kind": "t", "df": 4}, {"kind": "t", "df": 4.0}),
    ],
)
def test_one_form(given: object, settled: dict[str, Any] | None) -> None:
    assert settled_shape(given, ("shape",)) == settled
    again: Shape = shape_of(settled)
    assert again.standard(np.random.default_rng(1), 3).shape == (3,)
    if settled is not None:
        assert settled_shape(settled, ("shape",)) == settled


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "shape must be one of normal, t, skewed, bimodal, as in {'kind': 't', 'df': 4}, found 5."),
        ("skew", "shape cannot be 'skew': did you mean 'skewed'?"),
        ("cauchy", "shape cannot be 'cauchy': known are 'normal', 't', 'skewed', 'bimodal'."),
        ({"df": 4}, "shape.kind is missing: say which of normal, t, skewed, bimodal."),
        ("t", "shape.df is missing, as in {kind: t, df: …}."),
        ({"kind": "t", "df": 2}, "shape.df must be above 2, or there is no variance, found 2."),
        ({"kind": "t", "df": "4"}, "shape.df must be a number, found '4'."),
        ({"kind": "t", "dof": 4}, "shape.dof is not a field: did you mean 'df'?"),
        ({"kind": "normal", "sd": 4}, "shape.sd is not a field: known are 'kind'."),
        (
            {"kind": "skewed", "skewness": 0},
            "shape.skewness must be at least 0.001 and at most 10, up or down (no skewness is the shape 'normal'), "
            "found 0.",
        ),
        ({"kind": "bimodal", "separation": 2}, "shape.separation must be above 2, or there is one peak, found 2."),
        ({"kind": "bimodal", "upper": 1}, "shape.upper must lie between 0 and 1, without either, found 1."),
    ],
)
def test_what_is_no_shape(given: object, message: str) -> None:
    with pytest.raises(PopulationError) as caught:
        settled_shape(given, ("shape",))
    assert str(caught.value) == message
