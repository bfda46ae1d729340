"""Variance parts, ICC, R² and standardised coefficients against R's performance, insight and parameters packages."""

from __future__ import annotations

import pytest

import mixedsim as ms
from tests.models.reference import CASES, LINEAR, MARKS, REFERENCE

STANDARDIZED = [name for name, case in CASES.items() if case["kind"] == "standardize"]
VARIANCES = 2e-5  # relative: R stops where θ is good to about 1e-5
SHARES = 1e-6  # absolute
STANDARD = 1e-6  # absolute, of coefficients and standard errors in standard deviations

pytestmark = MARKS


@pytest.fixture(scope="module")
def fits(parity):
    made: dict[str, tuple[dict, ms.LinearMixedModel]] = {}

    def fit(name: str):
        if name not in made:
            case = CASES[name]
            made[name] = (case, parity.fit(ms, case | {"kind": "lmm"}, parity.read(case, REFERENCE)))
        return made[name]

    return fit


@pytest.mark.parametrize("name", LINEAR)
def test_variance_parts(name, fits):
    case, fit = fits(name)
    expect = case["expect"]["variance_parts"]
    parts = fit.variance_parts
    total = sum(expect.values())
    assert parts.fixed == pytest.approx(expect["fixed"], rel=VARIANCES, abs=1e-9 * total)
    assert sum(parts.of_groups().values()) == pytest.approx(expect["random"], rel=VARIANCES, abs=1e-9 * total)
    assert parts.residual == pytest.approx(expect["residual"], rel=VARIANCES)


@pytest.mark.parametrize("name", LINEAR)
def test_icc_and_r2(name, fits):
    case, fit = fits(name)
    for what, ours in (("icc", fit.icc()), ("r2", fit.r2())):
        theirs = case["expect"].get(what) or {}
        assert ours.between(0, 1).all()  # a number in singular fits too, where R has none
        for key, value in theirs.items():
            if value is not None:
                assert ours[key] == pytest.approx(value, abs=SHARES), key


@pytest.mark.parametrize("name", [n for n in LINEAR if CASES[n]["expect"].get("icc_by_group")])
def test_icc_by_group(name, fits, parity):
    case, fit = fits(name)
    ours = fit.icc(by_group=True)
    for group, value in case["expect"]["icc_by_group"].items():
        assert parity.pick(dict(ours), group) == pytest.approx(value, abs=SHARES)
    assert ours.sum() == pytest.approx(fit.icc()["adjusted"])


@pytest.mark.parametrize("name", STANDARDIZED)
def test_standardize_by_refit(name, fits):
    case, fit = fits(name)
    expect = case["expect"]["refit"]
    table = fit.standardize()
    names = case["expect"]["coef_names_formulaic"]
    for key, value in expect["fixef"].items():
        assert table.loc[names[key], "estimate"] == pytest.approx(value, abs=STANDARD)
        assert table.loc[names[key], "se"] == pytest.approx(expect["std_errors"][key], abs=STANDARD)


@pytest.mark.parametrize("name", STANDARDIZED)
def test_the_tool_agrees(name, parity):
    ledger = parity.Ledger(1)
    parity.run_case(ms, CASES[name], REFERENCE, "inference", ledger)
    assert ledger.count > 2
    assert not ledger.bad, ledger.bad[:5]
