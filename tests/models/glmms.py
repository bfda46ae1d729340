"""Generalised data and fits that several tests share."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit

import mixedsim as ms
from mixedsim.models import GeneralizedLinearMixedModel


@cache
def cbpp() -> pd.DataFrame:
    return ms.datasets.load("cbpp")


@cache
def cbpp_fit() -> GeneralizedLinearMixedModel:
    return ms.glmer("incidence / size ~ period + (1 | herd)", cbpp())


@cache
def clinic() -> pd.DataFrame:
    """120 rows in 12 groups: a binary, a counted and a positive response, a slope and a factor."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(12), 10)
    x = rng.normal(size=120)
    eta = 0.3 + 0.7 * x + rng.normal(size=12)[g]
    return pd.DataFrame(
        {
            "g": g,
            "x": x,
            "c": np.tile(list("abcab"), 24),
            "k": np.where(x > 0, "p", "q"),
            "y": (rng.random(120) < expit(eta)).astype(int),
            "n": rng.poisson(np.exp(eta)),
            "a": rng.gamma(3, np.exp(eta) / 3),
            "row": np.arange(120),
        }
    )
