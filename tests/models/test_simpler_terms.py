"""What a singular fit suggests in place of its term: something that changes the model, and that can be fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

LEVELS, EACH = 12, 10


@pytest.fixture(scope="module")
def data():
    """Groups that differ by their level alone, those on the right not at all."""
    rng = np.random.default_rng(1)
    n = LEVELS * EACH
    g = np.repeat(np.arange(LEVELS), EACH)
    table = pd.DataFrame({
        "g": [f"g{i:02d}" for i in g],
        "c": rng.choice(list("pqr"), n),
        "two parts": rng.choice(list("uv"), n),
        "k": rng.choice([1, 2, 3], n),
        "x": rng.normal(size=n),
        "z": rng.normal(size=n),
        "side": np.where(g < LEVELS // 2, "left", "right"),
        "y": rng.normal(size=LEVELS)[g] + rng.normal(size=n),
    })  # fmt: skip
    right = table["side"] == "right"
    return table.assign(y=table["y"].where(~right, table["y"] - table.groupby("g")["y"].transform("mean")))


CASES = {
    "a factor without intercept": ("(0 + c | g)", "try (1 | g) + (1 | c:g) in place of (0 + c | g)"),
    "a factor": ("(c | g)", "try (1 | g) + (1 | c:g) in place of (1 + c | g)"),
    "a factor beside the intercept": ("(c || g)", "try (1 | c:g) in place of (0 + c | g)"),
    "two levels, and a name with a space": (
        "(0 + `two parts` | g)",
        "try (1 | g) + (1 | `two parts`:g) in place of (0 + `two parts` | g)",
    ),
    "a number made a factor": ("(0 + C(k) | g)", "try (1 | g) + (1 | k:g) in place of (0 + C(k) | g)"),
    "an interaction of factors": (
        "(0 + c:`two parts` | g)",
        "try (1 | g) + (1 | c:`two parts`:g) in place of (0 + c:`two parts` | g)",
    ),
    "a factor whose combinations vary already": (
        "(0 + c | g) + (1 | c:g)",
        "try (1 | g) in place of (0 + c | g)",
    ),
    "a factor of which a group has one level": ("(side | g)", "try (1 | g) in place of (1 + side | g)"),
    "a factor and a number": ("(c + x | g)", "leave an effect out"),
    "a polynomial": ("(poly(x, 2) | g)", "leave an effect out"),
    "slopes within levels": ("(x:c | g)", "leave an effect out"),
    "numbers": ("(x + z | g)", "try '||', or leave an effect out"),
}


@pytest.mark.parametrize(("term", "way_out"), CASES.values(), ids=CASES)
def test_the_way_out_changes_the_model_and_can_be_fitted(data, term, way_out):
    fit = ms.lmer(f"y ~ 1 + {term}", data)
    assert fit.singular
    (found,) = [w for w in fit.check()["way_out"] if w.startswith(way_out.split(" ")[0])]
    assert found == way_out
    assert any(message.startswith("singular fit: ") and message.endswith(f"; {way_out}.") for message in fit.messages)
    if " in place of " in way_out:
        instead, old = way_out.removeprefix("try ").split(" in place of ")
        other = fit.update(f". ~ . - {old} + {instead}")
        assert other.npar < fit.npar
