"""Likelihood-ratio tables against R's ``anova(m0, m1, ...)``, through the reference's own tool and tolerances."""

from __future__ import annotations

from types import ModuleType

import pytest

import mixedsim as ms
from tests.models.reference import CASES, MARKS, REFERENCE

TABLES = {name: case for name, case in CASES.items() if case["kind"] == "lrt" and case["method"] in ("ML", "REML")}
pytestmark = MARKS


@pytest.mark.parametrize("name", TABLES)
def test_table_equals_lme4(name: str, parity: ModuleType) -> None:
    case = TABLES[name]
    ledger = parity.Ledger(1)
    parity.run_case(ms, case, REFERENCE, "inference", ledger)
    assert ledger.count == 2 * len(case["expect"]["tests"]) + len(case["expect"]["models"])
    assert not ledger.bad, ledger.bad[:5]


@pytest.mark.parametrize("name", [name for name, case in TABLES.items() if case["method"] == "ML"])
def test_table_holds_all_that_lme4_prints(name: str, parity: ModuleType) -> None:
    case = TABLES[name]
    data = parity.read(case, REFERENCE)
    fits = [parity.fit(ms, case | {"kind": "lmm"}, data, m["formula"], reml=True) for m in case["expect"]["models"]]
    table = ms.anova(*fits)  # REML fits, refitted
    for (_, row), theirs in zip(table.iterrows(), case["expect"]["models"], strict=True):
        assert row["npar"] == theirs["npar"]
        assert row["bic"] == pytest.approx(theirs["BIC"], abs=1e-4)
        assert row["loglik"] == pytest.approx(theirs["logLik"], abs=1e-4)
        assert row["deviance"] == pytest.approx(theirs["deviance"], abs=1e-4)
    assert table["df"].iloc[1:].tolist() == [t["df"] for t in case["expect"]["tests"]]
    assert "refitted by maximum likelihood" in table.attrs["note"]
