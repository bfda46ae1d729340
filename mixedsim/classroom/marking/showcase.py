"""What the whole class estimates: one number, whose truth is known and of which every student has an interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from mixedsim.classroom.marking.own import Own
from mixedsim.errors import MixedsimError, nearest
from mixedsim.simulate import Truth


class Showcase(NamedTuple):
    """A coefficient that is estimated from each student's own data, for *the class as a sampling distribution*.

    Attributes
    ----------
    formula : of a mixed model that is right for the population; the intervals of a wrong one miss the truth.
    coefficient : which of its coefficients.
    part : of which part of the assignment (None: its main data).
    truth : the true value, where it is none of the population's own coefficients: a slope between groups, say.
    data : gives the table to fit, where that is the student's data with a column more, such as the groups' means.
    family : of a generalized model, such as ``"binomial"``.
    """

    formula: str
    coefficient: str
    part: str | None = None
    truth: float | None = None
    data: Callable[[Own], pd.DataFrame] | None = None
    family: str | None = None

    def true_value(self, truth: Truth) -> float:
        """The true value in the population that `truth` tells of.

        Raises
        ------
        MixedsimError
            If the population has no such coefficient and the showcase names no value.
        """
        if self.truth is not None:
            return float(self.truth)
        if self.coefficient not in truth.fixef.index:
            known = nearest(self.coefficient, truth.fixef.index)
            raise MixedsimError(f"the truth of {self.coefficient!r} is not known: name it with truth=; {known}")
        return float(truth.fixef[self.coefficient])

    def interval(self, own: Own) -> tuple[float, float, float]:
        """Estimate and ends of the 95 % interval, as `coefficients` gives them, from one student's data.

        Raises
        ------
        MixedsimError
            If the model cannot be fitted, or has no such coefficient.
        """
        table: pd.DataFrame = self._fit(own).coefficients()
        if self.coefficient not in table.index:
            known = nearest(self.coefficient, table.index)
            raise MixedsimError(f"{self.formula!r} has no coefficient {self.coefficient!r}; {known}")
        row = table.loc[[self.coefficient], ["estimate", "lower", "upper"]].to_numpy(dtype=float)[0]
        return float(row[0]), float(row[1]), float(row[2])

    def _fit(self, own: Own) -> Any:
        data = None if self.data is None else self.data(own)
        if self.family is None:
            return own.fit(self.formula, part=self.part, data=data)
        return own.glmer(self.formula, part=self.part, data=data, family=self.family)


def showcases(given: tuple[Showcase | tuple[str, str], ...] | tuple[str, str]) -> tuple[Showcase, ...]:
    """One pair of formula and coefficient, or several, as `Showcase`s.

    Examples
    --------
    >>> showcases(("y ~ x + (1 | g)", "x"))
    (Showcase(formula='y ~ x + (1 | g)', coefficient='x', part=None, truth=None, data=None, family=None),)
    >>> [one.coefficient for one in showcases((("y ~ x + (1 | g)", "x"), Showcase("y ~ x + (1 | g)", "Intercept")))]
    ['x', 'Intercept']
    """
    if given and isinstance(given[0], str):
        return (Showcase(*given),)
    return tuple(Showcase(*one) for one in given)
