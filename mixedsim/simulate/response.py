"""What stands left of ``~``: the column that is explained, for counts of successes with their trials.

``passed ~ …`` is one column. ``passed / tried ~ …`` is two: how many successes, in how many trials. The trials are a
variable of the population, or a whole number, ``passed / 10``, which the data show in a column called ``trials``.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Values
from mixedsim.simulate.family import outcome
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.variables import Variable

TRIALS = "trials"  # the column of a number of trials


@dataclass(frozen=True)
class Response:
    """The outcome's column, and the variable or number that counts the trials of each row (None: no count)."""

    name: str
    trials: str | int | None = None


def response_of(text: str, kind: str) -> Response:
    """The `Response` that the left-hand side of a formula describes, for a kind of outcome.

    Raises
    ------
    FieldError
        If it is neither a name nor, for a binomial outcome, a name over a name or over a whole number.
    """
    name, slash, trials = (part.strip() for part in text.partition("/"))
    if not _is_name(name) or (slash and not _is_name(trials) and not trials.isdecimal()):
        raise FieldError(("formula",), f"must have a plain name left of '~', found {shown(text)}.")
    if slash and kind != "binomial":
        problem = f"counts successes in {shown(text)}, which {outcome(kind)} does not: say family 'binomial'."
        raise FieldError(("formula",), problem)
    if trials == "0":
        raise FieldError(("formula",), f"must have at least 1 trial, found {shown(text)}.")
    return Response(name, int(trials) if trials.isdecimal() else trials or None)


def check_trials(response: Response, variables: Mapping[str, Variable], taken: Iterable[str]) -> None:
    """Raise `FieldError` unless the trials can stand in the data as numbers under a name of their own.

    Parameters
    ----------
    taken : names of clusters and variables, and of the response.
    """
    if isinstance(response.trials, int) and TRIALS in taken:
        problem = f"has {response.trials} trials a row, whose column is called {TRIALS!r}: that name is taken."
        raise FieldError(("formula",), problem)
    if not isinstance(response.trials, str) or response.trials not in variables:
        return
    variable = variables[response.trials]
    if variable.categories() is not None:
        raise FieldError(("formula",), f"counts its trials in {response.trials!r}, which is categorical.")
    if not variable.observed:
        field = ("variables", response.trials, "observed")
        raise FieldError(field, f"must be true: the data show {response.name} with its trials.")


def trials_in(response: Response, read: Callable[[str], Values]) -> int | NDArray[np.int64] | None:
    """The number of trials: one for all rows, or one a row; None where the response is no count of successes.

    Raises `FieldError` if a variable that counts trials holds anything but whole numbers of at least 1.
    """
    if not isinstance(response.trials, str):
        return response.trials
    given: NDArray[np.float64] = np.asarray(read(response.trials), dtype=np.float64)
    wrong = given[(given < 1) | (given != np.rint(given))]
    if len(wrong):
        field = ("variables", response.trials)
        raise FieldError(field, f"counts trials and must hold whole numbers of at least 1, found {shown(wrong[0])}.")
    return given.astype(np.int64)


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)
