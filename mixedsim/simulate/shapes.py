"""The shape of random numbers, once mean and standard deviation are settled: normal, heavy-tailed, skewed, two-peaked.

In a description a shape is a word, ``normal``, or a mapping, ``{"kind": "t", "df": 4}``. Every shape has mean 0 and
variance 1 exactly, so that a standard deviation or a correlation beside it keeps its meaning: what changes is what the
usual model assumes beyond them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mixedsim.errors import nearest
from mixedsim.simulate.fields import FieldError, Path, number, only, shown
from mixedsim.simulate.frozen import Frozen

Array = NDArray[np.float64]

_LEAST_SKEWNESS, _MOST_SKEWNESS = 0.001, 10.0  # below, a gamma variable less its mean loses its digits
_FURTHEST = 1e6  # beyond, two peaks are two points
_NO_LESS = 2.0**-60  # in place of a probability of 0, whose quantile is infinite


class Shape(Protocol):
    """A distribution with mean 0 and variance 1."""

    name: ClassVar[str]

    def standard(self, rng: np.random.Generator, size: int) -> Array:
        """`size` values; the first of them are the same whatever the size."""

    def tail(self) -> tuple[str, ...]:
        """What print adds to mean, standard deviation and correlation."""


@dataclass(frozen=True)
class Normal:
    """z ~ Normal(0, 1): skewness 0, kurtosis 3."""

    name: ClassVar[str] = "Normal"

    def standard(self, rng: np.random.Generator, size: int) -> Array:
        return rng.standard_normal(size)

    def tail(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class StudentT:
    """z = t·√((df − 2)/df), t ~ Student's t: heavy tails; kurtosis 3 + 6/(df − 4) where df > 4, else infinite."""

    df: float

    name: ClassVar[str] = "t"

    def __post_init__(self) -> None:
        if self.df <= 2:
            raise FieldError(("t", "df"), f"must be above 2, or there is no variance, found {shown(self.df)}.")

    def standard(self, rng: np.random.Generator, size: int) -> Array:
        values = rng.standard_t(self.df, size)
        values *= math.sqrt((self.df - 2) / self.df)
        return values

    def tail(self) -> tuple[str, ...]:
        return (f"{self.df:g} df",)


@dataclass(frozen=True)
class Skewed:
    """z = (G − k)/√k, G ~ Gamma(k), k = 4/skewness²; mirrored where the skewness is negative.

    Skewness 2, which is meant where none is given, is an exponential variable; kurtosis 3 + 1.5·skewness².
    """

    skewness: float = 2.0

    name: ClassVar[str] = "Skewed"

    def __post_init__(self) -> None:
        if not _LEAST_SKEWNESS <= abs(self.skewness) <= _MOST_SKEWNESS:
            allowed = f"at least {_LEAST_SKEWNESS:g} and at most {_MOST_SKEWNESS:g}, up or down"
            problem = f"must be {allowed} (no skewness is the shape 'normal'), found {shown(self.skewness)}."
            raise FieldError(("skewed", "skewness"), problem)

    def standard(self, rng: np.random.Generator, size: int) -> Array:
        k = 4 / self.skewness**2
        values = rng.standard_gamma(k, size)
        values -= k
        values *= math.copysign(1 / math.sqrt(k), self.skewness)
        return values

    def tail(self) -> tuple[str, ...]:
        return (f"skewness {self.skewness:g}".replace("-", "−"),)


@dataclass(frozen=True)
class Bimodal:
    """Two normal groups of standard deviation s, their means `separation`·s apart, `upper` of all in the upper one.

    With p for `upper` and d for `separation` the means lie at (1 − p)ds and −pds, and s = 1/√(1 + p(1 − p)d²). Two
    equal groups make two peaks if d > 2 (Schilling, Watkins & Watkins 2002, The American Statistician 56, 223–229).
    """

    separation: float = 4.0
    upper: float = 0.5

    name: ClassVar[str] = "Bimodal"

    def __post_init__(self) -> None:
        if self.separation <= 2:
            problem = f"must be above 2, or there is one peak, found {shown(self.separation)}."
            raise FieldError(("bimodal", "separation"), problem)
        if self.separation > _FURTHEST:
            problem = f"must be at most {_FURTHEST:g}, found {shown(self.separation)}."
            raise FieldError(("bimodal", "separation"), problem)
        if not 0 < self.upper < 1:
            problem = f"must lie between 0 and 1, without either, found {shown(self.upper)}."
            raise FieldError(("bimodal", "upper"), problem)

    def standard(self, rng: np.random.Generator, size: int) -> Array:
        # One uniform number makes one value: which group, and where it lies within its group's share, where in it.
        p, d = self.upper, self.separation
        u = rng.random(size)
        below = u < 1 - p
        within = np.where(below, u / (1 - p), (u - (1 - p)) / p)
        values: Array = ndtri(np.clip(within, _NO_LESS, 1 - 2.0**-53))
        values += np.where(below, -p * d, (1 - p) * d)
        values /= math.sqrt(1 + p * (1 - p) * d**2)
        return values

    def tail(self) -> tuple[str, ...]:
        apart = f"two peaks {self.separation:g} of their sds apart"
        return (apart,) if self.upper == 0.5 else (apart, f"{100 * self.upper:g} % in the upper")


NORMAL: Shape = Normal()
KINDS: dict[str, type[Shape]] = {"normal": Normal, "t": StudentT, "skewed": Skewed, "bimodal": Bimodal}


def settled_shape(given: Any, field: Path) -> Frozen[str, Any] | None:
    """A shape in its one form: every parameter written out; None for the normal one.

    Parameters
    ----------
    given : a word, or a mapping with ``kind`` and the parameters of that kind.
    field : path of the entry, for the error.

    Raises
    ------
    FieldError
        If there is no such shape, or a parameter is missing, unknown or impossible.

    Examples
    --------
    >>> from mixedsim.simulate.shapes import settled_shape
    >>> settled_shape("skewed", ("ranef", "g", "shape"))
    {'kind': 'skewed', 'skewness': 2.0}
    """
    entry = {"kind": given} if isinstance(given, str) else given
    if not isinstance(entry, Mapping):
        example = "as in {'kind': 't', 'df': 4}"
        raise FieldError(field, f"must be one of {', '.join(KINDS)}, {example}, found {shown(given)}.")
    if "kind" not in entry:
        raise FieldError((*field, "kind"), f"is missing: say which of {', '.join(KINDS)}.")
    kind = KINDS.get(str(entry["kind"]))
    if kind is None:
        raise FieldError(field, f"cannot be {shown(entry['kind'])}: {nearest(str(entry['kind']), KINDS)}")
    parameters = fields(kind)  # type: ignore[arg-type]
    values = {key: value for key, value in entry.items() if key != "kind"}
    only(entry, ["kind", *(f.name for f in parameters)], field)
    for name in (f.name for f in parameters if f.default is MISSING):
        if name not in values:
            raise FieldError((*field, name), f"is missing, as in {{kind: {entry['kind']}, {name}: …}}.")
    numbers = {key: number(value, (*field, key)) for key, value in values.items()}
    try:
        shape = kind(**numbers)
    except FieldError as error:
        raise error.under(*field) from None
    settled = {f.name: getattr(shape, f.name) for f in parameters}
    return Frozen({"kind": entry["kind"], **settled}) if settled else None


def shape_of(entry: Mapping[str, Any] | None) -> Shape:
    """The `Shape` that a settled entry stands for."""
    if entry is None:
        return NORMAL
    return KINDS[entry["kind"]](**{key: value for key, value in entry.items() if key != "kind"})
