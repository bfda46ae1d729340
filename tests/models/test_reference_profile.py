"""Profile and Wald intervals of every linear case of the reference, all rows.

R's limits (`profile_exactly` in generate.R) are roots of the exact ML profile, every point minimised by nloptr; ours
must agree with them to far more digits than `confint(model, method = "profile")`, which interpolates, agrees.
"""

from __future__ import annotations

import re

import pytest

import mixedsim as ms
from tests.models.reference import CASES, LINEAR, MARKS, REFERENCE

pytestmark = MARKS

PROFILED = [name for name in LINEAR if "confint_profile" in CASES[name]["expect"]]
WALD = [name for name in LINEAR if "confint_wald" in CASES[name]["expect"]]
# In interval widths. Ours stop where the next step in ζ would be below 1e-6; R's roots have 1e-9 steps.
AGREE = 1e-6


def our_name(row: str, coefficients: dict[str, str], group: str | None) -> str:
    """R's sd_Days|Subject and cor_Days.(Intercept)|Subject as ours."""
    plain = row.replace("(Intercept)", "Intercept")
    if found := re.fullmatch(r"sd_(.+)\|(.+)", plain):
        return f"sd({found[1]} | {group or found[2]})"
    if found := re.fullmatch(r"cor_(.+)\.(.+)\|(.+)", plain):
        return f"corr({found[2]}, {found[1]} | {group or found[3]})"
    return coefficients.get(row, plain)


def same_group(row: str, names: list[str]) -> str | None:
    """The name that ours has for R's group, whose parts may stand in another order."""
    if "|" not in row:
        return None
    parts = sorted(row.split("|")[1].split(":"))
    return next(name for name in names if sorted(name.split(":")) == parts)


@pytest.mark.parametrize("name", PROFILED)
def test_profile_limits_equal_those_of_root_finding_in_r(name, parity):
    case = CASES[name]
    fit = parity.fit(ms, case, parity.read(case, REFERENCE))
    table = fit.confint()
    coefficients = case["expect"].get("coef_names_formulaic") or {}
    limits = case["expect"]["confint_profile"]
    names = [our_name(row, coefficients, same_group(row, list(fit.n_groups))) for row in limits]
    assert sorted(names) == sorted(table.index)
    for row, (lower, upper) in zip(names, limits.values(), strict=True):
        width = upper - lower
        assert table.loc[row, "lower"] == pytest.approx(lower, abs=AGREE * width), row
        assert table.loc[row, "upper"] == pytest.approx(upper, abs=AGREE * width), row


@pytest.mark.parametrize("name", [n for n in WALD if "insteval" not in n])
def test_wald_limits_of_coefficients_equal_lme4s(name, parity):
    case = CASES[name]
    table = parity.fit(ms, case, parity.read(case, REFERENCE)).confint("wald", parameters="fixed")
    coefficients = case["expect"].get("coef_names_formulaic") or {}
    limits = {row: ends for row, ends in case["expect"]["confint_wald"].items() if not re.match(r"\.sig|sd_|cor_", row)}
    for row, (lower, upper) in limits.items():
        ours = table.loc[our_name(row, coefficients, None)]
        # fixed effects may lie 1e-4 standard errors from lme4's own optimum
        assert ours["lower"] == pytest.approx(lower, abs=1e-4 * (upper - lower)), row
        assert ours["upper"] == pytest.approx(upper, abs=1e-4 * (upper - lower)), row


def test_every_profile_row_was_compared():
    """The reference holds sds, correlations, σ and coefficients: none of the four kinds may fall out of the test."""
    rows = [row for name in PROFILED for row in CASES[name]["expect"]["confint_profile"]]
    assert len(PROFILED) >= 17
    for kind in (r"sd_", r"cor_", r"sigma$", r"\(Intercept\)$"):
        assert any(re.match(kind, row) for row in rows)
