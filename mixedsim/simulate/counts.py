"""How many: a fixed number, a range, or a distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.fields import FieldError, Path, shown, whole
from mixedsim.simulate.variables import Integers, Normal, Uniform, variable_from

Count = int | tuple[int, int] | Normal | Uniform


def count(value: Any, field: Path) -> Count:
    """Return `value` as a count, in its one form.

    Parameters
    ----------
    value : a whole number of at least 1; a pair ``(low, high)``, both included and all between equally likely;
        or `Normal`, `Uniform` or `Integers` with numbers as parameters.

    Raises
    ------
    FieldError
        If it is none of these.
    """
    if isinstance(value, Mapping):
        value = variable_from(value, field)
    if isinstance(value, Integers):
        value = (value.low, value.high)
    if isinstance(value, Normal | Uniform):
        return _distribution(value, field)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2:
            raise FieldError(field, f"must be one number or a pair (low, high), found {shown(value)}.")
        low, high = whole(value[0], field, low=1), whole(value[1], field, low=1)
        if low > high:
            raise FieldError(field, f"must be (low, high) with low first, found ({low}, {high}).")
        return low if low == high else (low, high)
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        allowed = "a whole number, a pair (low, high), or Normal, Uniform or Integers"
        raise FieldError(field, f"must be {allowed}, found {shown(value)}.")
    return whole(value, field, low=1)


def draw_counts(many: Count, rng: np.random.Generator, units: int) -> int | NDArray[np.int64]:
    """How many each of `units` has: one int if all have the same, else an array of `units` integers.

    A distribution is rounded to the nearest whole number, and what falls below 1 becomes 1: a cluster has a row.
    """
    if isinstance(many, int):
        return many
    if isinstance(many, tuple):
        return rng.integers(many[0], many[1], units, dtype=np.int64, endpoint=True)
    values = many.sample(rng, units, {f: getattr(many, f) for f in many.limits})
    return np.maximum(np.rint(values), 1).astype(np.int64)


def expected(many: Count) -> float:
    """The count on average, not minding the rounding up to 1."""
    if isinstance(many, int):
        return many
    if isinstance(many, tuple):
        return sum(many) / 2
    return float(many.mean) if isinstance(many, Normal) else (float(many.low) + float(many.high)) / 2


def words(many: Count) -> str:
    """The count as print shows it: ``50``, ``3–8``, ``Normal(50, sd 10)``."""
    if isinstance(many, int):
        return f"{many:,}"
    if isinstance(many, tuple):
        return f"{many[0]:,}–{many[1]:,}"
    return many.equation(lambda p: f"{p:g}")[1]


def _distribution(value: Normal | Uniform, field: Path) -> Normal | Uniform:
    for name, reads in value.reads().items():
        raise FieldError((*field, name), f"must be a number, found an expression in {', '.join(sorted(reads))}.")
    if value.level is not None or not value.observed:
        raise FieldError(field, "is a number of units: its distribution has no level and is not hidden.")
    if expected(value) > 1e9:
        raise FieldError(field, f"must be at most 1e+09 on average, found {shown(expected(value))}.")
    return value
