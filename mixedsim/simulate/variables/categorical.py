"""Named levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mixedsim.simulate.expression import Parameter, Values, evaluate, parameter
from mixedsim.simulate.fields import FieldError, Path, is_list, number, shown
from mixedsim.simulate.replay.numbers import RNumbers
from mixedsim.simulate.variables.scores import upto
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
        As soon as one of them is an expression in earlier variables, they are weights: not negative, and divided by
        their sum. So ``[1, "exp(0.5 * ses)"]`` is a logistic model, with the first level as its reference, and
        ``["dose > 5", "dose <= 5"]`` leaves nothing to chance.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If levels are not texts or occur twice, or the probabilities do not fit them or do not sum to 1; when the
        population is drawn, if a weight is negative, or all are 0 somewhere.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Categorical(["usual", "new"], probs=[0.75, 0.25], level="clinic")
    Categorical(levels=('usual', 'new'), probs=(0.75, 0.25), level='clinic', observed=True)
    >>> ms.Categorical(["usual", "new"], probs=[1, "exp(ses)"])
    Categorical(levels=('usual', 'new'), probs=(1.0, 'exp(ses)'), level=None, observed=True)
    """

    levels: Sequence[str]
    probs: Sequence[Parameter] | None = None
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        self._settle(levels=checked_levels(self.levels, ("Categorical", "levels")))
        self._settle(probs=_checked_probs(self.probs, len(self.levels)))

    def categories(self) -> tuple[str, ...]:
        return tuple(self.levels)

    def expressions(self) -> Mapping[str, tuple[str, ...]]:
        texts = tuple(p for p in self.probs or () if isinstance(p, str))
        return {"probs": texts} if texts else {}

    def given(self, name: str, read: Callable[[str], Values]) -> Mapping[str, Any]:
        """The probabilities, or the weights."""
        return {"probs": [evaluate(p, read, ("variables", name, "probs"), low=0) for p in self.probs or ()]}

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> pd.Categorical[Any]:
        return self._at(rng.random(size), given["probs"])

    def replay(self, rng: RNumbers, size: int, given: Mapping[str, Any]) -> pd.Categorical[Any]:
        levels, probs = range(len(self.levels)), given["probs"]
        if self.expressions():
            weights = np.column_stack([np.broadcast_to(p, size) for p in probs])
            codes = np.array([rng.sample(levels, 1, prob=row)[0] for row in weights])  # as R's apply() does
        else:
            codes = rng.sample(levels, size, replace=True, prob=probs)
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.levels), validate=False)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> pd.Categorical[Any]:
        return self._at(upto(scores), given["probs"])

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        shares = ", ".join(f"{name}: {write(p)}" for name, p in zip(self.levels, self.probs or (), strict=True))
        return "~", f"Categorical({shares}{', divided by their sum' * bool(self.expressions())})"

    def _at(self, shares: Array, probs: Sequence[float | Array]) -> pd.Categorical[Any]:
        """The level in which each share falls, if the levels are laid end to end, as long as they are probable."""
        if not self.expressions():
            edges = np.cumsum(np.array(probs, dtype=np.float64))[:-1]
            codes: Any = np.searchsorted(edges, shares, side="right")
        else:
            sums = list(accumulate(probs, np.add))
            if np.min(sums[-1]) <= 0:
                raise FieldError(("Categorical", "probs"), "must not all be 0; in this draw they are somewhere.")
            points = shares * sums[-1]
            codes = sum((points >= edge).astype(np.int16) for edge in sums[:-1])
        return pd.Categorical.from_codes(codes, categories=pd.Index(self.levels), validate=False)


def checked_levels(levels: object, field: Path) -> tuple[str, ...]:
    """Levels in their one form, or `FieldError` unless they are different texts."""
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


def _checked_probs(probs: object, count: int) -> tuple[Parameter, ...]:
    field = ("Categorical", "probs")
    if probs is None:
        return (1 / count,) * count
    if not is_list(probs):
        raise FieldError(field, f"must be a list of numbers, found {shown(probs)}.")
    weights = [parameter(p, field, low=0) for p in probs]
    if len(weights) != count:
        raise FieldError(field, f"must hold one number a level: {count} levels, found {len(weights)} numbers.")
    if any(isinstance(p, str) for p in weights):
        return tuple(weights)
    numbers = tuple(number(p, field, low=0, high=1) for p in weights)
    if abs(sum(numbers) - 1) > _SUM_TOLERANCE:
        raise FieldError(field, f"must sum to 1, found {shown(sum(numbers))}.")
    return numbers
