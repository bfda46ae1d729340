"""Every linear case of the reference, at its tolerances.

The comparison itself is the reference's own tool (``../shared/tools/parity.py``), which holds the tolerances and their
units; R's calls and versions stand in the cases.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import pytest

import mixedsim as ms

REFERENCE = Path(os.environ.get("MIXEDSIM_REFERENCE", Path(__file__).parents[3] / "shared" / "reference"))
TOOL = REFERENCE.parent / "tools" / "parity.py"
CASES = {path.stem: path for path in sorted(REFERENCE.glob("cases/*.json"))}
LINEAR = [name for name, path in CASES.items() if json.loads(path.read_text())["kind"] == "lmm"]

pytestmark = [
    pytest.mark.skipif(not TOOL.is_file(), reason=f"R's reference answers are not at {REFERENCE}"),
    # R's data hold factors with few levels, exact zeros and perfect correlations on purpose
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(scope="module")
def parity() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> dict:
    case = json.loads(CASES[name].read_text())
    for key in ("fixef", "std_errors", "ranef", "condsd"):  # an empty R list is written as []
        if case["expect"].get(key) == []:
            case["expect"][key] = {}
    return case


@pytest.mark.parametrize("name", LINEAR)
def test_fit_equals_lme4(name: str, parity: ModuleType) -> None:
    ledger = parity.Ledger(1)
    parity.run_case(ms, read(name), REFERENCE, "fit", ledger)
    assert ledger.count > 5
    assert not ledger.bad, ledger.bad[:5]


@pytest.mark.parametrize("name", [n for n in LINEAR if "satterthwaite" in read(n)["expect"]])
def test_satterthwaite_equals_lmertest(name: str, parity: ModuleType) -> None:
    case = read(name)
    wanted = ("satterthwaite", "fixef", "coef_order", "coef_names_formulaic")
    expect = {key: case["expect"][key] for key in wanted if key in case["expect"]}
    ledger = parity.Ledger(1)
    fit = parity.fit(ms, case, parity.read(case, REFERENCE))
    parity.compare_inference(ms, case, expect, fit, ledger)
    assert ledger.count >= 2
    assert not ledger.bad, ledger.bad[:5]


def test_every_linear_case_converges_and_where_lme4_stops_short_we_do_not(parity: ModuleType) -> None:
    case = read("nlschools_rs")
    fit = parity.fit(ms, case, parity.read(case, REFERENCE))
    assert fit.converged
    assert fit.optimum.decrease < 1e-9
    assert fit.loglik > case["expect"]["lme4_default"]["logLik"]
