"""Every generalised case of the reference, far inside its tolerances: optimum, standard errors, modes."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedsim.engine import glm_estimates as estimates
from mixedsim.engine.glm_optimise import minimise_within
from tests.engine.glm_fits import Fit, fit
from tests.models.reference import CASES, MARKS, REFERENCE, TOOL

pytestmark = MARKS
GLMM = [name for name, case in CASES.items() if case["kind"] == "glmm"]
LINKS = {"binomial": "logit", "poisson": "log"}


@cache
def fitted(name: str) -> Fit:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("parity", TOOL)
    assert spec is not None
    assert spec.loader is not None
    parity: ModuleType = module_from_spec(spec)
    spec.loader.exec_module(parity)
    case = CASES[name]
    data: pd.DataFrame = parity.read(case, REFERENCE)
    left, right = (side.strip() for side in parity.our_formula(case["formula"]).split("~", 1))
    response, *trials = (part.strip() for part in left.split("/"))
    if isinstance(data[response].dtype, pd.CategoricalDtype):
        data[response] = data[response].cat.codes.astype(float)
    link = case["link"] or LINKS[case["family"]]
    given = trials[0] if trials else None
    return fit(f"{response} ~ {right}", data, (case["family"], link), trials=given, nagq=case["nagq"])


def in_rs_order(one: Fit, expect: dict[str, Any]) -> list[int]:
    names = expect["coef_names_formulaic"]
    order = [names.get(r, r) for r in expect["fixef"]]
    if set(order) <= set(one.names):
        return [one.names.index(n) for n in order]
    return [expect["coef_order"].index(r) for r in expect["fixef"]]


def spelled(effect: str) -> str:
    return "(Intercept)" if effect == "Intercept" else effect


@pytest.mark.parametrize("name", GLMM)
def test_the_optimum_is_rs(name: str) -> None:
    one, expect = fitted(name), CASES[name]["expect"]
    errors = np.array(list(expect["std_errors"].values()))
    beta = one.beta[in_rs_order(one, expect)]
    assert one.loglik == pytest.approx(expect.get("logLik_with_constant") or expect["logLik"], abs=1e-8)
    np.testing.assert_allclose((beta - np.array(list(expect["fixef"].values()))) / errors, 0, atol=1e-6)
    theta = expect["theta"].values() if isinstance(expect["theta"], dict) else np.atleast_1d(expect["theta"])
    np.testing.assert_allclose(one.theta, np.array(list(theta), dtype=float), atol=1e-6)
    assert one.optimum.converged
    assert one.optimum.decrease < 1e-12
    at_zero = one.optimum.evaluation.theta[one.objective.layout.diagonal] == 0
    assert bool(at_zero.any()) == expect["singular"]


@pytest.mark.parametrize("name", GLMM)
def test_covariances_are_rs_with_and_without_the_uncertainty_of_theta(name: str) -> None:
    one, expect = fitted(name), CASES[name]["expect"]
    order = np.ix_(in_rs_order(one, expect), in_rs_order(one, expect))
    size = np.sqrt(np.diag(np.array(expect["vcov"])))
    full = estimates.fixed_covariance(one.problem, one.objective, one.optimum)
    assert full.by_hessian
    np.testing.assert_allclose((full.matrix[order] - np.array(expect["vcov"])) / np.outer(size, size), 0, atol=1e-4)
    information = one.optimum.evaluation.bordered.information
    known = one.problem.linear.vcov(np.linalg.inv(information), 1.0)
    np.testing.assert_allclose((known[order] - np.array(expect["vcov_rx"])) / np.outer(size, size), 0, atol=1e-6)


@pytest.mark.parametrize("name", GLMM)
def test_modes_are_rs_with_their_standard_deviations(name: str) -> None:
    one, expect = fitted(name), CASES[name]["expect"]
    at = one.optimum.evaluation
    means = estimates.modes(one.problem, at)
    covariances = estimates.mode_covariances(one.problem, one.objective, at)
    for factor, mean, covariance in zip(one.design.factors, means, covariances, strict=True):
        for k, effect in enumerate(factor.effects):
            theirs, sds = (expect[what][factor.name][spelled(effect)] for what in ("ranef", "condsd"))
            levels = [str(level) for level in factor.levels]
            sd = np.array([sds[level] for level in levels])
            np.testing.assert_allclose((mean[:, k] - [theirs[level] for level in levels]) / sd, 0, atol=1e-6)
            np.testing.assert_allclose(np.sqrt(covariance[:, k, k]), sd, rtol=1e-6)
    np.testing.assert_allclose(at.mode.point.mean[:5], expect["fitted_first5"], rtol=1e-6)


def test_a_profile_reaches_its_cutoff_where_r_says() -> None:
    """R: the ends of confint_profile, where the criterion has risen by qchisq(0.95, 1)."""
    one, expect = fitted("cbpp_laplace"), CASES["cbpp_laplace"]["expect"]
    at = one.optimum.evaluation
    transform = one.problem.linear.fixed.transform
    for name, ends in expect["confint_profile"].items():
        if name not in expect["fixef"]:
            continue
        j = list(expect["fixef"]).index(name)
        row = np.concatenate([[0.0], transform[in_rs_order(one, expect)[j]]])
        free = np.linalg.svd(row[None])[2][1:].T
        for end in ends:
            psi = at.psi + row * (end - row @ at.psi) / (row @ row)
            held = minimise_within(one.objective, psi, at.u, free)
            assert row @ held.evaluation.psi == pytest.approx(end, abs=1e-9)
            assert held.converged
            assert held.evaluation.criterion - at.criterion == pytest.approx(3.841458820694124, abs=2e-4)
