"""R's answers, case by case, and the tool that compares: one place for all tests that hold ours against them.

The reference lies outside the repository; where it is absent, the tests that need it skip, saying so.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(os.environ.get("MIXEDSIM_REFERENCE", Path(__file__).parents[3] / "shared" / "reference"))
TOOL = REFERENCE.parent / "tools" / "parity.py"


def _read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for key in ("fixef", "std_errors", "ranef", "condsd"):  # an empty R list is written as []
        if case["expect"].get(key) == []:
            case["expect"][key] = {}
    return case


CASES = {path.stem: _read(path) for path in sorted(REFERENCE.glob("cases/*.json"))}
LINEAR = [name for name, case in CASES.items() if case["kind"] == "lmm"]

MARKS = [
    pytest.mark.skipif(not TOOL.is_file(), reason=f"R's reference answers are not at {REFERENCE}"),
    # R's data hold factors with few levels, exact zeros and perfect correlations on purpose
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
