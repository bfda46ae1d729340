"""One student's data for one assignment, and what keys compute from it, each thing once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mixedsim.classroom.assignments import population, sample
from mixedsim.design import build
from mixedsim.formula import parse
from mixedsim.models import glmer, lmer
from mixedsim.simulate import Population, Sample, Truth
from mixedsim.study.ordinary import LeastSquares, least_squares

T = TypeVar("T")


class Own:
    """What belongs to one student of one assignment.

    Parameters
    ----------
    assignment : its name.
    student : the id.
    key : 32 bytes, the student's key (`seeds.student_key`); None takes that of the course's secret in the environment.

    Examples
    --------
    >>> from mixedsim.classroom.marking import Own
    >>> own = Own("01-therapists", "ab123")
    >>> own.fit("score ~ hours + (1 | tutor)") is own.fit("score ~ hours + (1 | tutor)")
    True
    """

    def __init__(self, assignment: str, student: str, key: bytes | None = None) -> None:
        self.assignment = assignment
        self.student = student
        self._key = key
        self._known: dict[Hashable, Any] = {}

    def sample(self, part: str | None = None) -> Sample:
        """Data and truth of one part of the assignment (None: its only or main data)."""
        return self.once(("sample", part), lambda: sample(self.assignment, self.student, part=part, key=self._key))

    @cached_property
    def data(self) -> pd.DataFrame:
        """The main data."""
        return self.sample().data

    @property
    def truth(self) -> Truth:
        """The truth of the main data."""
        return self.sample().truth

    @property
    def population(self) -> Population:
        """The population that the main data are drawn from."""
        return population(self.assignment)

    def fit(self, formula: str, *, part: str | None = None, data: pd.DataFrame | None = None, **settings: Any) -> Any:
        """`mixedsim.lmer` of the student's data; a table of one's own (`data`) is fitted anew each time."""
        if data is not None:
            return lmer(formula, data, **settings)
        return self.once(
            ("lmer", formula, part, *sorted(settings.items())),
            lambda: lmer(formula, self.sample(part).data, **settings),
        )

    def glmer(self, formula: str, *, part: str | None = None, data: pd.DataFrame | None = None, **settings: Any) -> Any:
        """`mixedsim.glmer` of the student's data."""
        if data is not None:
            return glmer(formula, data, **settings)
        return self.once(
            ("glmer", formula, part, *sorted(settings.items())),
            lambda: glmer(formula, self.sample(part).data, **settings),
        )

    def ols(self, formula: str, *, part: str | None = None, data: pd.DataFrame | None = None) -> pd.DataFrame:
        """Ordinary least squares, groups forgotten: index coefficient; estimate, se, df, t, p, lower, upper."""
        if data is not None:
            return _ols(formula, data).coefficients()
        return self.once(("ols", formula, part), lambda: _ols(formula, self.sample(part).data).coefficients())

    def ols_sigma(self, formula: str, *, part: str | None = None) -> float:
        """The residual standard deviation of ordinary least squares."""
        return float(_ols(formula, self.sample(part).data).sigma)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made at the first call: keys may keep what several of their questions need."""
        if name not in self._known:
            self._known[name] = make()
        result: T = self._known[name]
        return result


def _ols(formula: str, data: pd.DataFrame) -> LeastSquares:
    design = build(parse(formula), data, mixed=False)
    columns = [np.broadcast_to(column, design.rows) for column in design.x.columns]
    return least_squares(design.x.names, np.column_stack(columns), design.y)
