"""Standard deviations and correlations of random effects."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim import PopulationError
from mixedsim.simulate.covariance import Covariance, Effects, covariances, settle

TWO = Effects("g", ("Intercept", "x"), (0, 0), ("(1 + x | g)",))
APART = Effects("g", ("Intercept", "x"), (0, 1), ("(1 | g)", "(0 + x | g)"))
THREE = Effects("g", ("Intercept", "x", "z"), (0, 0, 0), ("(1 + x + z | g)",))


def matrix(one: Covariance) -> np.ndarray:
    return np.outer(one.sd, one.sd) * np.array(one.corr)


@pytest.mark.parametrize(
    "given",
    [
        {"sd": [2, 3], "corr": 0.5},
        {"sd": (2, 3), "corr": [[1, 0.5], [0.5, 1]]},
        {"sd": {"x": 3, "Intercept": 2}, "corr": np.array([[1, 0.5], [0.5, 1]])},
    ],
)
def test_every_way_to_write_it_means_the_same(given: dict[str, object]) -> None:
    settled = settle(given, TWO)
    assert settled == {"sd": (2.0, 3.0), "corr": ((1.0, 0.5), (0.5, 1.0))}
    factor = covariances({"g": settled})["g"].factor()
    np.testing.assert_allclose(factor @ factor.T, [[4, 3], [3, 9]], rtol=1e-15)


@pytest.mark.parametrize("corr", [None, 0, [[1, 0], [0, 1]]])
def test_no_correlation_is_left_out(corr: object) -> None:
    assert settle({"sd": [2, 3], "corr": corr}, TWO) == {"sd": (2.0, 3.0)}


@pytest.mark.parametrize(
    "corr",
    [
        [[1, 1, 0.3], [1, 1, 0.3], [0.3, 0.3, 1]],  # two effects are one
        [[1, -1, 0], [-1, 1, 0], [0, 0, 1]],
        [[1, 0.6, 0.8], [0.6, 1, 0], [0.8, 0, 1]],  # 0.6² + 0.8² = 1: the first is made of the others
    ],
)
def test_singular_correlations_are_drawn_exactly(corr: list[list[float]]) -> None:
    one = covariances({"g": settle({"sd": [1, 2, 0.5], "corr": corr}, THREE)})["g"]
    np.testing.assert_allclose(one.factor() @ one.factor().T, matrix(one), atol=1e-12)


def test_a_standard_deviation_may_be_zero() -> None:
    factor = covariances({"g": settle({"sd": [0, 2], "corr": 0.5}, TWO)})["g"].factor()
    np.testing.assert_allclose(factor @ factor.T, [[0, 0], [0, 4]], atol=1e-15)


@pytest.mark.parametrize(
    ("given", "effects", "message"),
    [
        (
            {"sd": [1, 2], "corr": np.eye(3)},
            TWO,
            "ranef.g.corr must be 2×2: the term (1 + x | g) has 2 effects, found 3×3.",
        ),
        (
            {"sd": [1, 2], "corr": [[1, 0.2]]},
            TWO,
            "ranef.g.corr must be 2×2: the term (1 + x | g) has 2 effects, found 1×2.",
        ),
        (
            {"sd": [1, 2, 3], "corr": 0.2},
            THREE,
            "ranef.g.corr must be 3×3: the term (1 + x + z | g) has 3 effects, found one number.",
        ),
        ({"sd": [1, 2], "corr": 1.5}, TWO, "ranef.g.corr must lie between -1 and 1, found 1.5."),
        (
            {"sd": [1, 2], "corr": [[1, 0.2], [0.3, 1]]},
            TWO,
            "ranef.g.corr must be symmetric: Intercept and x have 0.2 and 0.3.",
        ),
        (
            {"sd": [1, 2], "corr": [[1, 0.2], [0.2, 0.9]]},
            TWO,
            "ranef.g.corr must have ones on its diagonal, found 0.9 in row 2.",
        ),
        (
            {"sd": [1, 2, 3], "corr": [[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]]},
            THREE,
            "ranef.g.corr is impossible: no effects are correlated like this (a negative eigenvalue).",
        ),
        (
            {"sd": [1, 2, 3], "corr": [[1, 1, 0.5], [1, 1, 0.4], [0.5, 0.4, 1]]},
            THREE,
            "ranef.g.corr is impossible: no effects are correlated like this (a negative eigenvalue).",
        ),
        (
            {"sd": [1, 2], "corr": 0.5},
            APART,
            "ranef.g.corr must be 0 for Intercept and x: separate terms are uncorrelated.",
        ),
        (
            {"sd": [1]},
            APART,
            "ranef.g.sd must hold 2 numbers: the terms (1 | g) + (0 + x | g) have 2 effects, found 1.",
        ),
        ({"sd": {"Intercept": 1}}, TWO, "ranef.g.sd.x is missing."),
        ({"sd": {"Intercept": 1, "y": 2}}, TWO, "ranef.g.sd.y is not a field: known are 'Intercept', 'x'."),
        ({"sd": [1, -2]}, TWO, "ranef.g.sd must not be negative, found -2."),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, object], effects: Effects, message: str) -> None:
    with pytest.raises(PopulationError) as caught:
        settle(given, effects)
    assert str(caught.value) == message
