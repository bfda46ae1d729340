"""The lognormal distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class LogNormal(Drawn):
    """A positive variable whose logarithm is normal: incomes, reaction times, concentrations.

    ``x ~ LogNormal(meanlog, sdlog)``, log x ~ Normal(meanlog, sdlog): support the positive numbers, median
    exp(meanlog), mean exp(meanlog + sdlog² / 2), variance (exp(sdlog²) − 1) · mean².

    For a given mean m and standard deviation s take sdlog = √log(1 + s² / m²) and meanlog = log m − sdlog² / 2.

    Parameters
    ----------
    meanlog : mean of the logarithm; number, or expression in earlier variables.
    sdlog : standard deviation of the logarithm; number of at least 0, or expression.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If a parameter is not a number or expression, or ``sdlog`` is negative; when the population is drawn, if a
        value is too large for a computer (beyond 1e308).

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.LogNormal(6, "0.2 + 0.1 * tired")
    LogNormal(meanlog=6.0, sdlog='0.2 + 0.1 * tired', level=None, observed=True)
    """

    meanlog: Parameter
    sdlog: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {"meanlog": (-math.inf, math.inf), "sdlog": (0.0, math.inf)}

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> Array:
        return self.at_scores(rng.standard_normal(size), given)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> Array:
        with np.errstate(over="ignore"):
            values: Array = np.exp(scores * given["sdlog"] + given["meanlog"])
        if not math.isfinite(values.max()):
            raise FieldError(("LogNormal", "meanlog"), "and sdlog make values beyond 1e308 in this draw.")
        return values

    def expectation(self) -> float:
        """The mean, when both parameters are numbers."""
        with np.errstate(over="ignore"):
            return float(np.exp(float(self.meanlog) + float(self.sdlog) ** 2 / 2))

    def support(self) -> str:
        return "above 0"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"LogNormal({write(self.meanlog)}, sd of logs {write(self.sdlog)})"
