"""How many: a fixed number, a range, a distribution, or one number for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.fields import FieldError, Path, is_list, only, shown, whole
from mixedsim.simulate.variables import Drawn, Integers, variable_from

_MOST = 1e9  # units or rows, on average
_TRIED = 1000  # draws that tell where a distribution lies
_WORDS = 6  # so many sizes are written out in print


@dataclass(frozen=True)
class Sizes:
    """One whole number for every unit, given instead of drawn: the sizes of a study that took place.

    As ``size`` it holds the rows of each cell, in the order of the data; as ``n`` of a nested cluster the number of
    units in each unit of its parent. In YAML it is ``{kind: Sizes, values: [12, 40, 7]}``.

    Parameters
    ----------
    values : whole numbers of at least 1.

    Raises
    ------
    PopulationError
        If they are none, or (when the population is made, or drawn) not as many as there are units.

    Examples
    --------
    >>> import mixedsim as ms
    >>> trial = ms.scenarios.therapist_plain(therapists=3, patients=ms.Sizes([12, 40, 7]))
    >>> trial.draw(seed=1).data["therapist"].value_counts(sort=False).tolist()
    [12, 40, 7]
    """

    values: Sequence[int]

    def __post_init__(self) -> None:
        path, given = ("Sizes", "values"), cast(Any, self.values)
        if not is_list(given) or not len(given):
            raise FieldError(path, f"must be a list of whole numbers, found {shown(given)}.")
        object.__setattr__(self, "values", tuple(whole(one, path, low=1) for one in given))


class Counting(Protocol):
    """What makes a distribution a count: it knows its mean. `Normal`, `Uniform`, `Poisson` and their like do."""

    def expectation(self) -> float:
        """The mean, when all parameters are numbers."""


Count = int | tuple[int, int] | Sizes | Drawn


def count(value: Any, field: Path) -> Count:
    """Return `value` as a count, in its one form.

    Parameters
    ----------
    value : a whole number of at least 1; a pair ``(low, high)``, both included and all between equally likely;
        `Sizes`; or a distribution of numbers, with numbers as parameters.

    Raises
    ------
    FieldError
        If it is none of these.
    """
    if isinstance(value, Mapping):
        value = _sizes_from(value, field) if value.get("kind") == "Sizes" else variable_from(value, field)
    if isinstance(value, Sizes):
        return value
    if isinstance(value, Integers):
        _check_distribution(value, field)
        value = (value.low, value.high)
    if isinstance(value, Drawn) and hasattr(value, "expectation"):
        _check_distribution(value, field)
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _range(value, field)
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        allowed = "a whole number, a pair (low, high), Sizes, or a distribution such as Normal"
        raise FieldError(field, f"must be {allowed}, found {shown(value)}.")
    return whole(value, field, low=1)


def draw_counts(many: Count, rng: np.random.Generator, units: int, field: Path = ("size",)) -> int | NDArray[np.int64]:
    """How many each of `units` has: one int if all have the same, else an array of `units` integers.

    A distribution is rounded to the nearest whole number, and what falls below 1 becomes 1: a cluster has a row.

    Raises
    ------
    FieldError
        If `Sizes` hold more or fewer numbers than there are units, or all together are far too many; `field` names
        what says so.
    """
    if isinstance(many, int):
        return many
    if isinstance(many, tuple):
        return rng.integers(many[0], many[1], units, dtype=np.int64, endpoint=True)
    if isinstance(many, Sizes):
        check_length(many, units, field)
        return np.array(many.values, dtype=np.int64)
    counts = _rounded(many, rng, units)
    if counts.sum(dtype=np.float64) > _MOST:
        found = shown(counts.sum(dtype=np.float64))
        raise FieldError(field, f"adds up to {found} in this draw; at most {_MOST:.0e} are possible: make it narrower.")
    return counts


def typical(many: Count) -> float:
    """As `expected`, but of a distribution the mean of some draws, which minds the rounding up to 1."""
    if not isinstance(many, Drawn):
        return expected(many)
    return float(_rounded(many, np.random.default_rng(0), _TRIED).mean())


def _rounded(many: Drawn, rng: np.random.Generator, units: int) -> NDArray[np.int64]:
    values = np.asarray(many.sample(rng, units, {f: getattr(many, f) for f in many.limits}), dtype=np.float64)
    return np.clip(np.rint(values), 1, _MOST).astype(np.int64)


def check_length(many: Sizes, units: int, field: Path) -> None:
    """Raise `FieldError` unless there is one size for each of `units`."""
    if len(many.values) != units:
        raise FieldError(field, f"must hold one number for each of {units:,}, found {len(many.values):,}.")


def expected(many: Count) -> float:
    """The count on average; of a distribution the mean, if that is at least 1, not minding the rounding up to 1."""
    if isinstance(many, int):
        return many
    if isinstance(many, tuple):
        return sum(many) / 2
    if isinstance(many, Sizes):
        return sum(many.values) / len(many.values)
    return max(cast(Counting, many).expectation(), 1.0)


def words(many: Count) -> str:
    """The count as print shows it: ``50``, ``3–8``, ``Normal(50, sd 10)``, ``12, 40, 7``."""
    if isinstance(many, int):
        return f"{many:,}"
    if isinstance(many, tuple):
        return f"{many[0]:,}–{many[1]:,}"
    if isinstance(many, Sizes):
        start = ", ".join(str(one) for one in many.values[:_WORDS])
        return f"{start}, …" if len(many.values) > _WORDS else start
    return many.equation(lambda p: f"{p:g}")[1]


def written(many: Count) -> Any:
    """The count as a YAML entry holds it, where that is neither one number nor a variable."""
    if isinstance(many, Sizes):
        return {"kind": "Sizes", "values": list(many.values)}
    return list(many) if isinstance(many, tuple) else many


def _sizes_from(value: Mapping[str, Any], field: Path) -> Sizes:
    only([key for key in value if key != "kind"], ("values",), field, needed=("values",))
    try:
        return Sizes(value["values"])
    except FieldError as error:
        raise error.under(*field) from None


def _range(value: Sequence[Any], field: Path) -> Count:
    if len(value) != 2:
        raise FieldError(
            field, f"must be one number or a pair (low, high), or Sizes with one number each, found {shown(value)}."
        )
    low, high = whole(value[0], field, low=1), whole(value[1], field, low=1)
    if low > high:
        raise FieldError(field, f"must be (low, high) with low first, found ({low}, {high}).")
    return low if low == high else (low, high)


def _check_distribution(value: Drawn, field: Path) -> None:
    for name, reads in value.reads().items():
        raise FieldError((*field, name), f"must be a number, found an expression in {', '.join(sorted(reads))}.")
    if value.level is not None or not value.observed:
        raise FieldError(field, "is a number of units: its distribution has no level and is not hidden.")
    mean = cast(Counting, value).expectation()
    if not math.isfinite(mean) or mean > _MOST:
        raise FieldError(field, f"must be at most {_MOST:.0e} on average, found {shown(mean)}.")
