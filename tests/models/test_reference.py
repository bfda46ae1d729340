"""Every linear case of the reference, at its tolerances.

The comparison itself is the reference's own tool (``../shared/tools/parity.py``), which holds the tolerances and their
units; R's calls and versions stand in the cases.
"""

from __future__ import annotations

from types import ModuleType

import pytest

import mixedsim as ms
from tests.models.reference import CASES, LINEAR, MARKS, REFERENCE

pytestmark = MARKS


@pytest.mark.parametrize("name", LINEAR)
def test_fit_equals_lme4(name: str, parity: ModuleType) -> None:
    ledger = parity.Ledger(1)
    parity.run_case(ms, CASES[name], REFERENCE, "fit", ledger)
    assert ledger.count > 5
    assert not ledger.bad, ledger.bad[:5]


@pytest.mark.parametrize("name", [n for n in LINEAR if "satterthwaite" in CASES[n]["expect"]])
def test_satterthwaite_equals_lmertest(name: str, parity: ModuleType) -> None:
    case = CASES[name]
    wanted = ("satterthwaite", "fixef", "coef_order", "coef_names_formulaic")
    expect = {key: case["expect"][key] for key in wanted if key in case["expect"]}
    ledger = parity.Ledger(1)
    fit = parity.fit(ms, case, parity.read(case, REFERENCE))
    parity.compare_inference(ms, case, expect, fit, ledger)
    assert ledger.count >= 2
    assert not ledger.bad, ledger.bad[:5]


def test_every_linear_case_converges_and_where_lme4_stops_short_we_do_not(parity: ModuleType) -> None:
    case = CASES["nlschools_rs"]
    fit = parity.fit(ms, case, parity.read(case, REFERENCE))
    assert fit.converged
    assert fit.optimum.decrease < 1e-9
    assert fit.loglik > case["expect"]["lme4_default"]["logLik"]
