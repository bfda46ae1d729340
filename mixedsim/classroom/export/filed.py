"""A student's data as the files that are handed out, and right answers as these files give them."""

from __future__ import annotations

import dataclasses
import io
from typing import Any, Final

import pandas as pd

from mixedsim.classroom.marking import Own
from mixedsim.simulate import Sample

DIGITS: Final = 8  # significant digits of a number in a file: far more than an answer needs, and half the size of all


class Filed(Own):
    """As `Own`, but with numbers as they stand in the files: right and wrong answers belong to what was handed out.

    Examples
    --------
    >>> own = Filed("01-therapists", "ab123")
    >>> own.csv().splitlines()[0]
    'tutor,hours,boarding,score'
    """

    def __init__(self, assignment: str, student: str, key: bytes | None = None) -> None:
        super().__init__(assignment, student, key)
        self.opened: set[str | None] = set()

    def sample(self, part: str | None = None) -> Sample:
        """Data and truth of one part of the assignment, numbers as in the file, labels as they were drawn.

        That it was asked for is remembered in `opened`: a question gets the files that its answers need.
        """
        self.opened.add(part)
        return self.once(("filed", part), lambda: self._filed(part))

    def csv(self, part: str | None = None) -> str:
        """The file of one part: a line a row, numbers with eight significant digits."""
        return self.once(("csv", part), lambda: _csv(self._drawn(part).data))

    def labels(self, part: str | None = None) -> dict[str, list[str]]:
        """Columns of labels -> the labels in their order, or ``[]`` where that is the alphabet's or means nothing.

        A file tells neither which columns hold labels nor their order, so whoever reads it has to be told. The order
        of clusters means nothing; of other labels the first is the reference.
        """
        drawn = self._drawn(part)
        clusters = drawn.population.plan.structure.names
        found = {}
        for name, column in drawn.data.select_dtypes("category").items():
            labels = [str(label) for label in column.cat.categories]
            found[str(name)] = [] if name in clusters or labels == sorted(labels) else labels
        return found

    def _drawn(self, part: str | None) -> Sample:
        return super().sample(part)

    def _filed(self, part: str | None) -> Sample:
        drawn = self._drawn(part)
        labels = {str(name): column for name, column in drawn.data.select_dtypes("category").items()}
        read = pd.read_csv(io.StringIO(self.csv(part)))
        return dataclasses.replace(drawn, data=read.assign(**labels))


class AsRead(Filed):
    """As `Filed`, but labels too are as somebody has them who reads the files as they are told to."""

    def _filed(self, part: str | None) -> Sample:
        types: dict[str, Any] = {
            name: pd.CategoricalDtype(labels) if labels else str for name, labels in self.labels(part).items()
        }
        return dataclasses.replace(self._drawn(part), data=pd.read_csv(io.StringIO(self.csv(part)), dtype=types))


def _csv(data: pd.DataFrame) -> str:
    text: str = data.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    return text
