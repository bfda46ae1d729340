"""Student's t distribution: heavy tails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr, stdtrit

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class StudentT(Drawn):
    """A variable with heavier tails than the normal: the fewer degrees of freedom, the more often far out.

    ``x ~ StudentT(df, mean, sd)``: support the real line, mean ``mean``, variance ``sd²``. As everywhere here,
    ``sd`` *is* the standard deviation and not the scale of a t distribution: x = mean + sd · √((df − 2) / df) · t with
    t from Student's distribution, so that variables of different df spread equally and differ in their tails alone
    (kurtosis 3 + 6 / (df − 4) where df > 4, else infinite). Below 2 degrees of freedom there is no standard deviation.

    Parameters
    ----------
    df : degrees of freedom, above 2; number, or expression in earlier variables.
    mean : number, or expression.
    sd : standard deviation; number of at least 0, or expression.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If a parameter is not a number or expression, ``df`` is 2 or less, or ``sd`` is negative.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.StudentT(4, mean=100, sd=15)
    StudentT(df=4.0, mean=100.0, sd=15.0, level=None, observed=True)
    """

    df: Parameter
    mean: Parameter
    sd: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {
        "df": (-math.inf, math.inf),
        "mean": (-math.inf, math.inf),
        "sd": (0.0, math.inf),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.df, str):
            _check_df(self.df)

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> Array:
        return _spread(rng.standard_t(_check_df(given["df"]), size), given)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> Array:
        lower: Array = stdtrit(_check_df(given["df"]), ndtr(-np.abs(scores)))  # the tail that loses no digits
        return _spread(np.copysign(lower, scores), given)

    def expectation(self) -> float:
        """The mean, when all parameters are numbers."""
        return float(self.mean)

    def support(self) -> str:
        return "any number"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"StudentT({write(self.mean)}, sd {write(self.sd)}, {write(self.df)} df)"


def _check_df(df: Any) -> Any:
    """The degrees of freedom, once it is sure that there is a variance."""
    if np.min(df) <= 2:
        raise FieldError(("StudentT", "df"), f"must be above 2, or there is no variance, found {shown(np.min(df))}.")
    return df


def _spread(values: Array, given: Mapping[str, Any]) -> Array:
    """Values of Student's t with the mean and sd that were asked for."""
    values *= np.sqrt(1 - 2 / np.asarray(given["df"])) * given["sd"]
    values += given["mean"]
    return values
