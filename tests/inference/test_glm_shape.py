"""How well τ of a negative binomial is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.inference.glm_shape import shape_estimate
from tests.models.glmms import cbpp_fit


def counts(rng: np.random.Generator, tau: float = 2.0) -> pd.DataFrame:
    g = np.repeat(np.arange(30), 8)
    x = rng.normal(size=240)
    mean = np.exp(1 + 0.3 * x + rng.normal(0, 0.5, 30)[g])
    lumps = mean if np.isinf(tau) else rng.gamma(tau, mean / tau)
    return pd.DataFrame({"g": g, "x": x, "n": rng.poisson(lumps)})


def test_the_error_is_that_of_second_differences_of_the_criterion() -> None:
    fit = ms.glmer("n ~ x + (1 | g)", counts(np.random.default_rng(1)), "negative-binomial")
    found = shape_estimate(fit.objective, fit.optimum, 0.95)
    assert found is not None
    psi, size, step = fit.at.psi, len(fit.at.psi), 1e-3
    moves = step * np.eye(size)

    def value(move: np.ndarray) -> float:
        return fit.objective.evaluate(psi + move, fit.at.u).criterion

    hessian = np.array([
        [(value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * step**2) for b in moves] for a in moves
    ])  # fmt: skip
    error = np.sqrt(2 * np.linalg.inv(hessian)[-1, -1])
    assert found.se == pytest.approx(fit.tau * error, rel=1e-3)
    assert found.estimate == fit.tau
    assert np.log(found.upper / found.lower) == pytest.approx(2 * 1.959964 * error, rel=1e-3)


def test_intervals_cover() -> None:
    rng = np.random.default_rng(2)
    inside, errors, logs = [], [], []
    for _ in range(60):
        fit = ms.glmer("n ~ x + (1 | g)", counts(rng), "negative-binomial")
        found = shape_estimate(fit.objective, fit.optimum, 0.9)
        assert found is not None
        inside.append(found.lower <= 2 <= found.upper)
        errors.append(found.se / found.estimate)
        logs.append(np.log(found.estimate))
    assert np.mean(inside) == pytest.approx(0.9, abs=3.5 * np.sqrt(0.09 / 60))
    assert np.mean(errors) == pytest.approx(np.std(logs), rel=0.35)  # of 60: 9 % each


def test_without_an_end_there_is_no_interval() -> None:
    data = counts(np.random.default_rng(5), tau=np.inf)
    rng = np.random.default_rng(3)
    fits = (ms.glmer("n ~ x + (1 | g)", data.assign(n=rng.binomial(6, 0.4, 240)), "negative-binomial"),)
    for fit in fits:  # counts that vary less than a Poisson model says
        found = shape_estimate(fit.objective, fit.optimum, 0.95)
        assert found is not None
        assert np.isnan([found.se, found.lower, found.upper]).all()
        assert found.estimate > 1e6
    assert shape_estimate(cbpp_fit().objective, cbpp_fit().optimum, 0.95) is None
