"""What goes wrong between the world and the data file, one problem a file, and how it is done to the data.

Problems are applied in order to data that were drawn complete; a cluster mean in the data is that of the true values.
Expressions in problems read the true values too. Each problem has random numbers of its own, named after its kind and
what it befalls, so that one more or one less leaves the others' luck as it was.

>>> import mixedsim as ms
>>> clinic = ms.scenarios.therapist_price().with_(
...     problems=[
...         ms.Missing("depression", "logistic(depression - 9)"),
...         ms.Miscoded("therapist", 0.01),
...         ms.Duplicated(0.005),
...     ]
... )
>>> sample = clinic.draw(seed=1)
>>> sample.truth.problems.groupby("problem").size()
problem
Duplicated     18
Miscoded       59
Missing       331
dtype: int64
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from mixedsim.errors import nearest
from mixedsim.simulate.contents import Contents
from mixedsim.simulate.fields import FieldError, Path, only, shown
from mixedsim.simulate.problems.dropout import Dropout
from mixedsim.simulate.problems.duplicated import Duplicated
from mixedsim.simulate.problems.limits import Limits
from mixedsim.simulate.problems.measurement_error import MeasurementError
from mixedsim.simulate.problems.miscoded import Miscoded
from mixedsim.simulate.problems.missing import Missing
from mixedsim.simulate.problems.outliers import Outliers
from mixedsim.simulate.problems.problem import Problem
from mixedsim.simulate.problems.rounded import Rounded
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.problems.shifted import Shifted
from mixedsim.simulate.problems.table import Complete, Table
from mixedsim.simulate.streams import Streams

KINDS: dict[str, type[Problem]] = {
    kind.__name__: kind
    for kind in (Missing, Dropout, MeasurementError, Outliers, Rounded, Limits, Shifted, Duplicated, Miscoded)
}

_EXAMPLE = "{kind: Missing, column: x, share: 0.1}"

__all__ = [
    "KINDS",
    "Complete",
    "Dropout",
    "Duplicated",
    "Limits",
    "MeasurementError",
    "Miscoded",
    "Missing",
    "Outliers",
    "Problem",
    "Rounded",
    "Shifted",
    "Table",
    "settled_problems",
    "spoiled",
]


def settled_problems(given: Any, contents: Contents) -> tuple[Problem, ...]:
    """The `problems` field in its one form, or `FieldError` if the population has not what one of them names.

    Parameters
    ----------
    given : a list of problems, or of mappings such as ``{"kind": "Missing", "column": "x", "share": 0.1}``.
    """
    if not isinstance(given, Sequence) or isinstance(given, str):
        example = "such as [Missing('x', 0.1)], in YAML lines that begin with '-'"
        raise FieldError(("problems",), f"must be a list {example}, found {shown(given)}.")
    settled = []
    for step, one in enumerate(given, start=1):
        path = ("problems", str(step))
        problem = _problem_from(one, path)
        try:
            settled.append(problem.settled(contents))
        except FieldError as error:
            raise error.under(*path) from None
    return tuple(settled)


def spoiled(problems: Sequence[Problem], complete: Complete, streams: Streams, *, keep_book: bool = False) -> Table:
    """The data after all that goes wrong, as a `Table`; with `keep_book`, what each step did can be asked."""
    table = Table(complete, keep_book=keep_book)
    seen: list[tuple[str, str]] = []
    for step, problem in enumerate(problems, start=1):
        kind, target = type(problem).__name__, problem.target
        seen.append((kind, target))
        # The second Missing of one column is another than the first, wherever in the list the two stand.
        name = (kind, target, str(seen.count((kind, target))))
        with np.errstate(over="ignore", invalid="ignore"):  # `Scene.change` looks at what comes of it
            problem.strike(Scene(table, step, kind, name, streams))
    return table


def _problem_from(value: Any, field: Path) -> Problem:
    if isinstance(value, Problem):
        return value
    if not isinstance(value, Mapping):
        raise FieldError(
            field, f"must be a problem such as Missing('x', 0.1), in YAML {_EXAMPLE}, found {shown(value)}."
        )
    if "kind" not in value:
        raise FieldError((*field, "kind"), f"is missing: say which of {', '.join(KINDS)}.")
    kind = KINDS.get(str(value["kind"]))
    if kind is None:
        raise FieldError((*field, "kind"), f"cannot be {shown(value['kind'])}: {nearest(str(value['kind']), KINDS)}")
    parameters = fields(kind)  # type: ignore[arg-type]
    given = {key: entry for key, entry in value.items() if key != "kind"}
    only(given, [f.name for f in parameters], field, needed=[f.name for f in parameters if f.default is MISSING])
    try:
        return kind(**given)
    except FieldError as error:
        raise error.under(*field) from None
