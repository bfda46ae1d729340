"""Quadrature against SciPy's integrals of every level, and its gradient against differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate

from mixedsim.engine import glm_quadrature
from mixedsim.engine.glm_laplace import GlmEvaluation
from mixedsim.engine.glm_quadrature import nodes_and_weights
from tests.engine.glm_cases import GlmCase, case

ONE = "one intercept"
KINDS = [("binomial", "logit"), ("counted", "logit"), ("poisson", "log"), ("binomial", "cloglog"), ("ordinal", "logit")]
STEP = 1e-5


def brute_force(one: GlmCase, at: GlmEvaluation) -> float:
    """−2 log of the product of one integral a level."""
    rows, family = one.objective.rows, one.objective.family
    lam = float(at.lambdas[0][0, 0])
    column = one.z.sum(axis=1)
    fixed = rows.offset + rows.x @ at.beta
    total = 0.0
    for level, u in enumerate(at.u):
        mine = rows.codes[0] == level

        def log_density(value: float, mine: np.ndarray = mine) -> float:
            eta = fixed.copy()
            eta[mine] += lam * column[mine] * value
            losses = family.at(eta, at.extra).losses[mine].sum()
            return float(-0.5 * (losses + value**2) - 0.5 * np.log(2 * np.pi))

        top = log_density(u)

        def density(value: float, top: float = top, log_density: Callable[[float], float] = log_density) -> float:
            return float(np.exp(log_density(value) - top))

        integral, _ = integrate.quad(density, u - 12, u + 12, epsabs=0, epsrel=1e-11)
        total += top + np.log(integral)
    return -2 * total + family.criterion(0.0, at.extra)[0]


@pytest.mark.parametrize(("kind", "link"), KINDS, ids=str)
def test_many_nodes_are_the_integral_and_one_is_laplaces(kind: str, link: str) -> None:
    one = case(kind, link, ONE, size=3.0)
    laplace = one.objective.evaluate(one.psi, one.begin)
    truth = brute_force(one, laplace)
    errors = [abs(one.objective.changed(nagq=nagq).evaluate(one.psi, one.begin).criterion - truth) for nagq in (5, 25)]
    assert errors[1] < 1e-6
    assert errors[1] < errors[0] < abs(laplace.criterion - truth)


def test_one_node_is_laplaces_approximation() -> None:
    one = case("poisson", "log", ONE)
    at = one.objective.evaluate(one.psi, one.begin)
    m = 1 / at.inverse.own[0].reshape(-1)
    integrals = glm_quadrature.integrate(at.mode, m, 1)
    assert integrals.value == pytest.approx(at.mode.penalised, rel=1e-13)
    np.testing.assert_allclose(integrals.by_mode, 0, atol=1e-7)


@pytest.mark.parametrize("nagq", [2, 7, 25])
@pytest.mark.parametrize(("kind", "link"), [*KINDS, ("binomial", "probit"), ("negative-binomial", "log")], ids=str)
def test_the_gradient(kind: str, link: str, nagq: int) -> None:
    one = case(kind, link, ONE, nagq=nagq, size=2.0)
    at = one.objective.evaluate(one.psi, one.begin)
    for k in range(len(one.psi)):
        move = np.zeros(len(one.psi))
        move[k] = STEP
        up, down = (one.objective.evaluate(one.psi + s * move, at.u).criterion for s in (1, -1))
        assert at.gradient[k] == pytest.approx((up - down) / (2 * STEP), abs=1e-6)


def test_nodes_in_pieces_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one = case("negative-binomial", "log", ONE, nagq=9)
    whole = one.objective.evaluate(one.psi, one.begin)
    monkeypatch.setattr(glm_quadrature, "_CHUNK", 2 * one.objective.rows.n)
    pieces = one.objective.evaluate(one.psi, one.begin)
    assert pieces.criterion == pytest.approx(whole.criterion, rel=1e-14)
    np.testing.assert_allclose(pieces.gradient, whole.gradient, atol=1e-10)


def test_nodes_have_the_moments_of_a_standard_normal() -> None:
    z, log_w = nodes_and_weights(6)
    moments = [(np.exp(log_w) * z**k).sum() for k in (0, 1, 2, 4, 10)]
    np.testing.assert_allclose(moments, [1, 0, 1, 3, 945], atol=1e-9)
