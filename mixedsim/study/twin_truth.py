"""What is true of a twin: the population's parameters, and the effects and residuals that its response holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.simulate import Sample, Truth

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TwinTruth(Truth):
    """The truth of a twin.

    Clusters, predictors, what is missing and what is hidden are those of ``population.draw(seed)``. Random effects and
    residuals are not, and are kept here: the response is Xβ + Zb + e with exactly these b and e.

    Attributes
    ----------
    population, seed : what the twin was made from.
    reml : whether the REML estimates are exact, or those of maximum likelihood.
    attempt : how many draws of effects and residuals were put aside before this one.
    missing : the rows of the data without a response, by position.
    """

    reml: bool
    attempt: int
    missing: tuple[int, ...]
    effects: Mapping[str, pd.DataFrame] = field(repr=False, compare=False)
    predicted: Floats = field(repr=False, compare=False)
    left_over: Floats = field(repr=False, compare=False)

    @property
    def ranef(self) -> dict[str, pd.DataFrame]:
        """The random effects of the twin; for every grouping factor, index: level, columns: effects."""
        return {group: frame.copy() for group, frame in self.effects.items()}

    @property
    def residuals(self) -> pd.Series[float]:
        """The residuals of the twin; one value for every row of the complete data."""
        return pd.Series(self.left_over.copy(), name="residual")

    @property
    def complete(self) -> pd.DataFrame:
        """The data with nothing missing: where a response is missing, the one that these effects and residuals make."""
        return super().complete.assign(**{self.population.plan.response.name: self.predicted + self.left_over})

    @property
    def problems(self) -> pd.DataFrame:
        """What is missing by the population's problems; see `Truth.problems`. Of ``keep`` it says nothing."""
        book = super().problems
        mine = (book["column"] == self.population.plan.response.name).fillna(False).to_numpy(dtype=bool)
        was = self.predicted + self.left_over
        book.loc[mine, "was"] = was[book.loc[mine, "original_row"].to_numpy(dtype=np.intp)]
        return book

    def __str__(self) -> str:
        criterion = "REML" if self.reml else "maximum likelihood"
        return f"{super().__str__()}\n\nA twin: the {criterion} estimates from its data are these parameters."

    def _predictor(self) -> Floats:
        return self.predicted.copy()


@dataclass(frozen=True, eq=False)
class Twin(Sample):
    """A sample whose estimates are the truth; see `mixedsim.twin`."""

    truth: TwinTruth

    def __repr__(self) -> str:
        return f"Twin{super().__repr__().removeprefix('Sample')}"
