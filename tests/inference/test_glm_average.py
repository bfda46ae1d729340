"""Averages over normal random effects: against numerical integration, differences, and each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_links import predictor_of
from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_average import average, effect_variances, inverse_link, inverse_slope
from tests.engine.glm_cases import case

LINKS = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("poisson", "sqrt"),
    ("gamma", "identity"),
]


def brute(kind: str, link: str, eta: float, variance: float) -> float:
    sd = np.sqrt(variance)

    def height(z: float) -> float:
        at = np.array([eta + sd * z])
        mean = at**2 if link == "sqrt" else inverse_link(kind, link, at)
        return float(mean[0]) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)

    pieces = np.linspace(-24, 24, 25)
    return sum(quad(height, a, b, epsabs=1e-14, epsrel=1e-13)[0] for a, b in pairwise(pieces))


@pytest.mark.parametrize(("kind", "link"), LINKS)
@pytest.mark.parametrize("variance", [0.0, 0.3, 4.0, 36.0])
def test_averages_are_integrals(kind: str, link: str, variance: float) -> None:
    for eta in (-2.0, 0.0, 1.3):
        found = average(kind, link, np.array([eta]), np.array([variance])).mean[0]
        assert found == pytest.approx(brute(kind, link, eta, variance), rel=1e-10, abs=1e-13)


@pytest.mark.parametrize(("kind", "link"), LINKS)
def test_derivatives_are_those_of_differences(kind: str, link: str) -> None:
    eta, variance, step = np.array([-1.5, 0.2, 2.0]), np.array([0.1, 1.0, 9.0]), 1e-5
    found = average(kind, link, eta, variance)
    by_eta = average(kind, link, eta + step, variance).mean - average(kind, link, eta - step, variance).mean
    by_variance = average(kind, link, eta, variance + step).mean - average(kind, link, eta, variance - step).mean
    np.testing.assert_allclose(by_eta / (2 * step), found.by_eta, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(by_variance / (2 * step), found.by_variance, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("kind", "link"), [*LINKS, ("gamma", "inverse"), ("binomial", "log"), ("binomial", "identity")]
)
def test_slopes_of_the_inverse_link(kind: str, link: str) -> None:
    eta, step = np.array([-0.9, -0.2]) if link == "log" and kind == "binomial" else np.array([0.3, 0.8]), 1e-6
    differences = (inverse_link(kind, link, eta + step) - inverse_link(kind, link, eta - step)) / (2 * step)
    np.testing.assert_allclose(inverse_slope(kind, link, eta), differences, rtol=1e-8)


def test_the_population_lies_nearer_to_the_middle_and_the_usual_approximation_is_near() -> None:
    """Zeger, Liang & Albert (1988): log odds shrink by √(1 + c² s²), c = 16√3/(15π)."""
    eta, variance = np.array([-3.0, -1.0, 0.5, 2.0]), 1.5
    mean = average("binomial", "logit", eta, np.full(4, variance)).mean
    shrunk = predictor_of("logit", mean)
    assert (np.abs(shrunk) < np.abs(eta)).all()
    c2 = (16 * np.sqrt(3) / (15 * np.pi)) ** 2
    np.testing.assert_allclose(shrunk, eta / np.sqrt(1 + c2 * variance), rtol=0.06)


def test_a_log_probability_that_effects_carry_beyond_one_has_no_mean() -> None:
    found = average("binomial", "log", np.array([-1.0, -0.1]), np.array([1.0, 1.0])).mean
    assert found[0] == pytest.approx(np.exp(-0.5))
    assert np.isnan(found[1])


@pytest.mark.parametrize("link", ["inverse", "inverse-square"])
def test_inverse_links_have_no_population_mean(link: str) -> None:
    with pytest.raises(MixedsimError) as refused:
        average("gamma", link, np.array([1.0]), np.array([0.1]))
    assert str(refused.value) == (
        f"with the link {link!r} the mean over normal random effects does not exist, because their predictors "
        "reach zero: ask for the mean of a typical group, or fit the model with the log link."
    )


@pytest.mark.parametrize("structure", ["intercept and slope", "crossed"])
def test_variances_of_rows_are_those_of_dense_algebra(structure: str) -> None:
    one = case("poisson", "log", structure)
    objective: GlmObjective = one.objective
    lambdas = objective.layout.lambdas(one.psi[: objective.layout.size])
    whole = np.zeros((objective.rows.size,) * 2)
    for part, (levels, _), lam in zip(objective.rows.parts, objective.rows.shapes, lambdas, strict=True):
        whole[part, part] = np.kron(np.eye(levels), lam @ lam.T)
    dense = np.einsum("ij,jk,ik->i", one.z, whole, one.z)
    np.testing.assert_allclose(effect_variances(objective, lambdas, 2.0), 2.0 * dense, rtol=1e-12)
