"""`glmer` against lme4 on simulated data of many kinds: `lme4_cases.R` made data and answers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.models import GeneralizedLinearMixedModel

WRITTEN = json.loads((Path(__file__).parent / "lme4_cases.json").read_text(encoding="utf-8"))
FAMILIES = {"Gamma": "gamma", "inverse.gaussian": "inverse-gaussian", "nb": "negative-binomial"}
OFFSETS = {"log(expo)": lambda d: np.log(d["expo"]), "0.6 * x": lambda d: 0.6 * d["x"]}
NAMES = [
    f"{case['data']}: {case['formula']}, {case['family']} {case['link']} {case['nagq']}"
    + "".join(f", {case[key]}" for key in ("weights", "offset") if case[key])
    for case in WRITTEN["cases"]
]
CASES = dict(zip(NAMES, WRITTEN["cases"], strict=True))
assert len(CASES) == len(WRITTEN["cases"])


def asking(what: str) -> list[str]:
    return [name for name, case in CASES.items() if what in case["expect"]]


@cache
def data(name: str) -> pd.DataFrame:
    return pd.DataFrame(WRITTEN["data"][name])


@cache
def fitted(name: str) -> GeneralizedLinearMixedModel:
    case = CASES[name]
    d = data(case["data"])
    offset = OFFSETS[case["offset"]](d) if case["offset"] else None
    family = FAMILIES.get(case["family"], case["family"]), case["link"]
    return ms.glmer(case["formula"], d, family, case["nagq"], weights=case["weights"], offset=offset)


def several(value: Any) -> list[float]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_lme4s(name: str) -> None:
    case, expect, fit = CASES[name], CASES[name]["expect"], fitted(name)
    assert fit.converged
    assert fit.singular == expect["singular"]
    se = np.array(several(expect["se"]))
    if len(fit.fixef):
        np.testing.assert_allclose((fit.fixef - several(expect["fixef"])) / se, 0, atol=2e-4)
        # lme4 takes second derivatives by differences of differences: ours are those of Richardson's extrapolation
        np.testing.assert_allclose(fit.coefficients()["se"], se, rtol=3e-3)
    np.testing.assert_allclose(fit.theta, several(expect["theta"]), atol=1e-3)
    assert fit.sigma == pytest.approx(expect["sigma"], rel=1e-4)
    if case["nagq"] == 1:  # with more nodes lme4 leaves the constants out
        stopped = 1e-4 if case["family"] == "nb" else 1e-5  # glmer.nb seeks tau by itself
        assert fit.loglik == pytest.approx(expect["loglik"], abs=stopped)
        assert (fit.aic, fit.bic) == pytest.approx((expect["aic"], expect["bic"]), abs=2 * stopped)
    if "tau" in expect:
        assert fit.tau == pytest.approx(expect["tau"], rel=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_rows_and_random_effects_are_lme4s(name: str) -> None:
    expect, fit = CASES[name]["expect"], fitted(name)
    found = {
        "fitted": fit.fitted,
        "link": fit.predict(scale="link"),
        "middle": fit.predict(random=False, scale="link"),
        **{kind: fit.residuals(kind) for kind in ("response", "pearson", "deviance")},
    }
    for what, values in found.items():
        np.testing.assert_allclose(values[:3], expect[what], rtol=1e-3, atol=1e-3, err_msg=what)
    for group, one in expect["ranef"].items():
        mode, sd = (table[group].rename(index=str).loc[one["level"]] for table in (fit.ranef, fit.ranef_sd))
        np.testing.assert_allclose(mode, one["mode"], atol=1e-3)
        np.testing.assert_allclose(sd, one["sd"], atol=1e-3)


@pytest.mark.parametrize("name", asking("drop1"))
def test_likelihood_ratios_are_lme4s(name: str) -> None:
    expect = CASES[name]["expect"]["drop1"]
    table = ms.drop1(fitted(name)).loc[expect["term"]]
    assert table["chisq"].tolist() == pytest.approx(expect["chisq"], abs=1e-4)
    assert table["p"].tolist() == pytest.approx(expect["p"], rel=1e-2)


@pytest.mark.parametrize("name", asking("r2"))
def test_explained_variance_is_performances(name: str) -> None:
    expect = CASES[name]["expect"]
    assert fitted(name).r2().tolist() == pytest.approx(expect["r2"], abs=1e-4)
    assert fitted(name).icc().tolist() == pytest.approx(expect["icc"][:2], abs=1e-4)


@pytest.mark.parametrize("name", asking("emmeans"))
def test_marginal_means_are_emmeans(name: str) -> None:
    expect = CASES[name]["expect"]["emmeans"]
    table = fitted(name).emmeans(expect["of"], scale="response")
    for ours, theirs in (("emmean", "mean"), ("se", "se"), ("lower", "lower"), ("upper", "upper")):
        assert table[ours].tolist() == pytest.approx(expect[theirs], rel=1e-3)


def test_profile_intervals_are_lme4s() -> None:
    """lme4 interpolates its profiles, here to some three digits."""
    (name,) = asking("profile")
    expect, intervals = CASES[name]["expect"]["profile"], fitted(name).confint()
    ours = intervals.loc[[intervals.index[-1], *intervals.index[:-1]]]  # lme4 begins with the standard deviation
    np.testing.assert_allclose(ours["lower"], expect["lower"], atol=2e-3)
    np.testing.assert_allclose(ours["upper"], expect["upper"], atol=2e-3)
