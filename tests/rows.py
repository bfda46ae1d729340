"""A table without a fault, which the tests of bad input spoil in one place each."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

N = 120


@cache
def good() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(5, 1, N)
    return pd.DataFrame(
        {
            "y": 10 + 2 * x + rng.normal(size=12).repeat(10) + rng.normal(size=N),
            "x": x,
            "z": rng.normal(size=N),
            "c": np.tile(["lo", "mid", "hi"], N // 3),
            "g": np.repeat([f"g{i:02d}" for i in range(12)], 10),
            "w": rng.uniform(0.5, 2, N),
        }
    )


def with_(**columns):
    return good().assign(**columns)
