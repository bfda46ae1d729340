"""Ordered categories: a latent scale cut at thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.simulate.family import Array, Family, Trials
from mixedsim.simulate.fields import FieldError, is_list, number, shown
from mixedsim.simulate.links import mean_of
from mixedsim.simulate.variables.categorical import checked_levels


@dataclass(frozen=True)
class Ordinal(Family):
    """Ordered labels, one more than thresholds: at most label k with probability g⁻¹(threshold k − η).

    The thresholds take the place of the intercept, so that a larger η makes higher labels more likely.
    """

    thresholds: Sequence[float]
    labels: Sequence[str] | None = None

    kind = "ordinal"
    links = ("logit", "probit", "cloglog")
    symbol = "η"

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", _checked_thresholds(self.thresholds))
        object.__setattr__(self, "labels", _checked_labels(self.labels, len(self.thresholds) + 1))

    def names(self) -> tuple[str, ...]:
        """The labels in order, from low to high."""
        return tuple(self.labels or ())

    def at_most(self, predictor: Array, k: int) -> Array:
        """Probability of label k (counted from 0) or one below it."""
        return mean_of(self.link, self.thresholds[k] - predictor)

    def shares(self, predictor: Array) -> Array:
        """Probability of every label: rows × labels."""
        cumulative = np.ones((len(predictor), len(self.thresholds) + 1))
        for k in range(len(self.thresholds)):
            cumulative[:, k] = self.at_most(predictor, k)
        return np.diff(cumulative, axis=1, prepend=0.0)

    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> pd.Categorical[Any]:
        u = rng.random(len(predictor))
        codes = np.zeros(len(predictor), dtype=np.int64)
        for k in range(len(self.thresholds)):
            codes += u >= self.at_most(predictor, k)
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.names()), ordered=True, validate=False)

    def support(self, trials: Trials | str | None) -> str:
        return " < ".join(self.names())


def _checked_thresholds(given: object) -> tuple[float, ...]:
    field = ("ordinal", "thresholds")
    if not is_list(given) or not len(given):
        raise FieldError(field, f"must be a list of numbers, one fewer than labels, found {shown(given)}.")
    thresholds = tuple(number(one, field) for one in given)
    for lower, upper in pairwise(thresholds):
        if lower >= upper:
            raise FieldError(field, f"must rise, found {shown(lower)} before {shown(upper)}.")
    return thresholds


def _checked_labels(given: object, expected: int) -> tuple[str, ...]:
    field = ("ordinal", "labels")
    if given is None:
        return tuple(str(k + 1) for k in range(expected))
    labels = checked_levels(given, field)
    if len(labels) != expected:
        raise FieldError(field, f"must be {expected}, one more than there are thresholds, found {len(labels)}.")
    return labels
