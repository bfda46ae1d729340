"""Standard deviations and correlations of random effects."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
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
    ("cov", "sd", "corr"),
    [
        ([[6.25, 1.5], [1.5, 4]], (2.5, 2.0), 0.3),
        (np.array([[0.01, -0.03], [-0.03, 0.09]]), (0.1, 0.3), -1.0),
        ([[2, 2], [2, 2]], (math.sqrt(2), math.sqrt(2)), 1.0),
        ([[4, 0], [0, 0]], (2.0, 0.0), 0.0),
        ([[1e-300, 1e-160], [1e-160, 1e-10]], (1e-150, 1e-5), 1e-5),
        ([[1e300, 5e-1], [5e-1, 1e-300]], (1e150, 1e-150), 0.5),
    ],
)
def test_a_covariance_matrix_is_standard_deviations_and_correlations(
    cov: object, sd: tuple[float, ...], corr: float
) -> None:
    expected = {"sd": sd, "corr": ((1.0, corr), (corr, 1.0))} if corr else {"sd": sd}
    assert settle({"cov": cov}, TWO) == expected


@pytest.mark.parametrize("cov", [6.25, [6.25], [[6.25]]])
def test_the_covariance_matrix_of_one_effect_is_its_variance(cov: object) -> None:
    assert settle({"cov": cov}, Effects("g", ("Intercept",), (0,), ("(1 | g)",))) == {"sd": (2.5,)}


decimals = st.integers(1, 99_999).map(lambda n: n / 1000)


@settings(max_examples=300, deadline=None)
@given(decimals, decimals, st.integers(-100, 100).map(lambda n: n / 100))
def test_decimals_come_back_as_they_were_typed(first: float, second: float, r: float) -> None:
    covariance = r * first * second
    settled = settle({"cov": [[first**2, covariance], [covariance, second**2]]}, TWO)
    assert settled == settle({"sd": [first, second], "corr": r}, TWO)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-9, 9), min_size=9, max_size=9))
def test_every_covariance_matrix_that_a_computer_makes_is_taken_and_kept(entries: list[float]) -> None:
    half = np.array(entries).reshape(3, 3)
    cov = half @ half.T
    cov[np.abs(cov) < 1e-6 * cov.max(initial=0)] = 0  # denormal products have lost their digits already
    cov = cov if np.linalg.eigvalsh(cov).min() > -1e-12 * cov.max(initial=0) else np.diag(np.diag(cov))
    settled = settle({"cov": cov}, THREE)
    factor = covariances({"g": settled})["g"].factor()
    np.testing.assert_allclose(factor @ factor.T, cov, atol=1e-8 * cov.max(initial=1))
    assert settle(settled, THREE) == settled  # the one form is its own one form, to the last digit


def test_a_matrix_may_miss_symmetry_by_rounding() -> None:
    sd, corr = np.array([0.1, 0.7, 1.3]), np.array([[1, 0.3, 0.2], [0.3, 1, 0.1], [0.2, 0.1, 1]])
    cov = np.diag(sd) @ corr @ np.diag(sd)
    cov[0, 1] = np.nextafter(cov[1, 0], 1)
    assert settle({"cov": cov}, THREE) == settle({"sd": sd, "corr": corr}, THREE)


def test_a_shape_is_kept_unless_it_is_the_normal_one() -> None:
    assert settle({"sd": 1, "shape": "normal"}, Effects("g", ("Intercept",), (0,), ("(1 | g)",))) == {"sd": (1.0,)}
    settled = settle({"sd": [1, 2], "shape": {"kind": "t", "df": 4}}, TWO)
    assert settled == {"sd": (1.0, 2.0), "shape": {"kind": "t", "df": 4.0}}
    assert covariances({"g": settled})["g"].shape.tail() == ("4 df",)


@pytest.mark.parametrize("r", [0.0, 0.6, -0.8, 1.0])
def test_a_shape_leaves_standard_deviations_and_correlations_alone(r: float) -> None:
    """Also the skewness of the second effect, (r³ + (1 − r²)^{3/2})γ, as the module's docstring has it."""
    n, skewness = 400_000, 1.0
    population = ms.Population(
        "y ~ 0 + (1 + x | g)",
        clusters={"g": n},
        size=1,
        variables={"x": ms.Normal(0, 1)},
        ranef={"g": {"sd": [2, 3], "corr": r, "shape": {"kind": "skewed", "skewness": skewness}}},
        sigma=0,
    )
    effects = population.draw(1).truth.ranef["g"].to_numpy() / [2, 3]
    second = (r**3 + (1 - r**2) ** 1.5) * skewness

    def close(values: np.ndarray, expected: float) -> None:
        assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(n)

    close(effects[:, 0], 0)
    close(effects[:, 1], 0)
    close(effects[:, 0] ** 2, 1)
    close(effects[:, 1] ** 2, 1)
    close(effects[:, 0] * effects[:, 1], r)
    close(effects[:, 0] ** 3, skewness)
    close(effects[:, 1] ** 3, second)


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
        ({"corr": 0.2}, TWO, "ranef.g.sd is missing."),
        (
            {"cov": np.eye(2), "sd": [1, 2]},
            TWO,
            "ranef.g.cov says what sd says too: give one of the two.",
        ),
        (
            {"cov": np.eye(3)},
            TWO,
            "ranef.g.cov must be 2×2: the term (1 + x | g) has 2 effects, found 3×3.",
        ),
        ({"cov": 4}, TWO, "ranef.g.cov must be 2×2: the term (1 + x | g) has 2 effects, found 1×1."),
        (
            {"cov": [[4, 0], [0, -1]]},
            TWO,
            "ranef.g.cov must have variances on its diagonal, found -1 in row 2.",
        ),
        ({"cov": [[4, 1], [2, 1]]}, TWO, "ranef.g.cov must be symmetric: Intercept and x have 1 and 2."),
        (
            {"cov": [[4, 2.1], [2.1, 1]]},
            TWO,
            "ranef.g.cov is impossible: no effects vary together like this (a negative eigenvalue).",
        ),
        (
            {"cov": [[4, 1], [1, 0]]},
            TWO,
            "ranef.g.cov is impossible: no effects vary together like this (a negative eigenvalue).",
        ),
        (
            {"cov": [[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]]},
            THREE,
            "ranef.g.cov is impossible: no effects vary together like this (a negative eigenvalue).",
        ),
        (
            {"cov": [[4, 1], [1, 1]]},
            APART,
            "ranef.g.cov must be 0 for Intercept and x: separate terms are uncorrelated.",
        ),
        ({"cov": [[4, "1"], ["1", 1]]}, TWO, "ranef.g.cov must be a number, found '1'."),
        (
            {"sd": [1, 1], "shape": "flat"},
            TWO,
            "ranef.g.shape cannot be 'flat': known are 'normal', 't', 'skewed', 'bimodal'.",
        ),
        (
            {"sd": [1, 1], "shape": {"kind": "t", "df": 1}},
            TWO,
            "ranef.g.shape.df must be above 2, or there is no variance, found 1.",
        ),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, object], effects: Effects, message: str) -> None:
    with pytest.raises(PopulationError) as caught:
        settle(given, effects)
    assert str(caught.value) == message


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(-1, 1)),
    st.floats(2.001, 1e6),
    st.floats(-0.999, 0.999),
)
def test_any_number_comes_back_from_yaml_to_the_last_digit(
    cov: tuple[float, float, float], df: float, ar1: float
) -> None:
    first, second, r = cov
    shared = r * math.sqrt(first) * math.sqrt(second)
    population = ms.Population(
        "y ~ 0 + (1 + x | g)",
        clusters={"g": 3},
        size=2,
        variables={"x": ms.Normal(0, 1)},
        ranef={"g": {"cov": [[first, shared], [shared, second]], "shape": {"kind": "t", "df": df}}},
        sigma=f"{first!r} + {second!r} * abs(x)",
        residual={"shape": {"kind": "t", "df": df}, "ar1": ar1},
    )
    again = ms.Population.from_yaml(population.to_yaml())
    assert (again, hash(again)) == (population, hash(population))
    assert again.draw(1).data.equals(population.draw(1).data)
