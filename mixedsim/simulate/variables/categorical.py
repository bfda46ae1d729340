"""Named levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mixedsim.simulate.expression import Parameter, parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.variables.variable import Array, Drawn, Interval

_SUM_TOLERANCE = 1e-8  # how far probabilities may miss 1: decimals typed by hand, not a forgotten level


@dataclass(frozen=True)
class Categorical(Drawn):
    """A variable with named levels, a pandas categorical whose first level is the reference.

    Its coefficients are named as formulaic names them: ``arm[T.new]`` for level ``new`` of ``arm``.

    Parameters
    ----------
    levels : at least two different texts, the reference first.
    probs : one probability a level, summing to 1; numbers, or arithmetic such as ``"1/3"``. Equal if left out.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If levels are not texts or occur twice, or the probabilities do not fit them or do not sum to 1.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Categorical(["usual", "new"], probs=[0.75, 0.25], level="clinic")
    Categorical(levels=('usual', 'new'), probs=(0.75, 0.25), level='clinic', observed=True)
    """

    levels: Sequence[str]
    probs: Sequence[float] | None = None
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle(levels=_checked_levels(self.levels))
        self._settle(probs=_checked_probs(self.probs, len(self.levels)))

    def categories(self) -> tuple[str, ...]:
        return tuple(self.levels)

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, float | Array]) -> pd.Categorical[Any]:
        edges = np.cumsum(self.probs or ())[:-1]
        codes = np.searchsorted(edges, rng.random(size), side="right")
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.levels), validate=False)

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        shares = zip(self.levels, self.probs or (), strict=True)
        return "~", "Categorical(" + ", ".join(f"{name}: {write(p)}" for name, p in shares) + ")"


def _checked_levels(levels: object) -> tuple[str, ...]:
    field = ("Categorical", "levels")
    if isinstance(levels, str) or not isinstance(levels, Sequence):
        raise FieldError(field, f"must be a list of texts, found {shown(levels)}.")
    for one in levels:
        if not isinstance(one, str) or not one:
            raise FieldError(field, f"must be texts; write {str(one)!r} in quotes, found {shown(one)}.")
    if len(levels) < 2:
        raise FieldError(field, f"must name at least two levels, found {len(levels)}.")
    twice = [one for i, one in enumerate(levels) if one in levels[:i]]
    if twice:
        raise FieldError(field, f"must differ; {twice[0]!r} occurs twice.")
    return tuple(levels)


def _checked_probs(probs: object, count: int) -> tuple[float, ...]:
    field = ("Categorical", "probs")
    if probs is None:
        return (1 / count,) * count
    if isinstance(probs, str) or not isinstance(probs, Sequence | np.ndarray):
        raise FieldError(field, f"must be a list of numbers, found {shown(probs)}.")
    values = [parameter(p, field, low=0, high=1) for p in probs]
    if len(values) != count:
        raise FieldError(field, f"must hold one number a level: {count} levels, found {len(values)} numbers.")
    texts = [p for p in values if isinstance(p, str)]
    if texts:
        raise FieldError(field, f"must be numbers; {texts[0]!r} depends on other variables.")
    numbers = tuple(float(p) for p in values)
    if abs(sum(numbers) - 1) > _SUM_TOLERANCE:
        raise FieldError(field, f"must sum to 1, found {shown(sum(numbers))}.")
    return numbers
