"""Left sides that are no measurements: successes out of trials, yes or no, counts, positive amounts.

======================================  ============================================================
``successes / trials``                  two columns, or calculations with columns, of whole numbers
``share``, with weights                 the share of successes; the weights are the numbers of trials
``yes``                                 0 and 1, False and True, or two categories (the second is success)
``rating``                              ordered categories (`mixedsim.ordered_response`)
======================================  ============================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Prepared, Reader, Response
from mixedsim.errors import DataError, FormulaError, shown
from mixedsim.formula import Formula, unquote
from mixedsim.measurements import calculated, numbers_of
from mixedsim.ordered_response import read_ordered
from mixedsim.ranges import check_range, row_of, rows_like

Floats = NDArray[np.float64]
_WHOLE = 1e-6  # how far from a whole number rounding may leave successes
RISES_FOR_EVER = "the likelihood rises for ever as the intercept runs away"
_NOTHING_KNOWN = f"{RISES_FOR_EVER}: estimates are where the search stopped, and standard errors mean nothing."
_NOT_COUNTED = "a count is a whole number of at least 0; for other amounts there is family='gamma'"


def quotient(formula: Formula) -> tuple[str, str] | None:
    """The two sides of a left side such as ``successes / trials``, or None where there is no quotient."""
    text, depth = formula.response, 0
    at = []
    quoted = False
    for i, character in enumerate(text):
        quoted ^= character == "`"
        depth += (character in "([{") - (character in ")]}")
        if character == "/" and depth == 0 and not quoted:
            at.append(i)
    if len(at) != 1 or "/" in (text[at[0] - 1 : at[0]], text[at[0] + 1 : at[0] + 2]):
        return None
    return text[: at[0]].strip(), text[at[0] + 1 :].strip()


def read_binomial(formula: Formula, prepared: Prepared, index: pd.Index[Any], weights: Floats | None) -> Response:
    """The `Reader` of binomial responses.

    Raises
    ------
    DataError
        For successes beyond the trials, no trials, values that are neither 0 nor 1, and more than two categories.
    """
    sides = quotient(formula)
    if sides is not None:
        successes, trials = (_side(side, prepared, len(index)) for side in sides)
        return counted(formula, successes, trials, index, weights)
    name = unquote(formula.response)
    values = prepared[name] if name in prepared else calculated(formula.response, prepared)
    categories = None
    if isinstance(values, pd.Categorical):
        values, categories = _coded(name, values)
    elif values.dtype.kind == "b":
        values, categories = values.astype(np.float64), (False, True)
    return shares(name, numbers_of(name, values), index, weights, categories)


def read_counts(formula: Formula, prepared: Prepared, index: pd.Index[Any], weights: Floats | None) -> Response:
    """The `Reader` of counts."""
    y = _measured(formula, prepared, "counts", "for a rate, write the count and offset=np.log(exposure)")
    return counts(formula.response, y, index, weights)


def read_amounts(formula: Formula, prepared: Prepared, index: pd.Index[Any], weights: Floats | None) -> Response:
    """The `Reader` of positive amounts."""
    y = _measured(formula, prepared, "amounts", "write I(...) around the quotient")
    return amounts(formula.response, y, index, weights)


READERS: Mapping[str, Reader] = {
    "binomial": read_binomial,
    "poisson": read_counts,
    "negative-binomial": read_counts,
    "gamma": read_amounts,
    "inverse-gaussian": read_amounts,
    "ordinal": read_ordered,
}


# ---- what values are allowed


def counted(
    formula: Formula, successes: Floats, trials: Floats, index: pd.Index[Any], weights: Floats | None
) -> Response:
    """Successes out of trials, both whole."""
    one, other = quotient(formula) or (formula.response, "trials")
    _check_finite(one, successes, index)
    _check_finite(other, trials, index)
    _refuse(trials < 1, trials, index, f"the trials {other!r} must be whole numbers of at least 1", "drop such rows")
    _refuse(trials != np.round(trials), trials, index, f"the trials {other!r} must be whole numbers", "count them")
    _refuse(successes < 0, successes, index, f"the successes {one!r} must not be negative", "mend them")
    mend = "successes / trials takes the number of successes, and not their share"
    _refuse(successes != np.round(successes), successes, index, f"the successes {one!r} must be whole numbers", mend)
    over = successes > trials
    if over.any():
        first = int(np.argmax(over))
        raise DataError(
            f"the successes {one!r} exceed the trials {other!r}: row {shown(index[first])} has {successes[first]:g} of "
            f"{trials[first]:g} ({rows_like(over)}); the left side is successes / trials, in this order."
        )
    messages = _one_sided(successes, trials)
    if weights is not None and np.array_equal(weights, trials) and float(trials.max()) > 1:
        said = f"the weights are the trials that {formula.response!r} counts already, so they are not applied again."
        return Response(successes, None, trials, messages=(said, *messages))
    return Response(successes, weights, trials, messages=messages)


def shares(
    name: str,
    y: Floats,
    index: pd.Index[Any],
    weights: Floats | None,
    categories: tuple[Any, ...] | None = None,
) -> Response:
    """0 and 1, or shares of trials that the weights count."""
    _check_finite(name, y, index)
    outside = (y < 0) | (y > 1)
    mend = "code it as 0 and 1, or write successes / trials for counts"
    _refuse(outside, y, index, f"the response {name!r} of a binomial model must lie between 0 and 1", mend)
    whole = (y == 0) | (y == 1)
    if weights is None:
        mend = "pass the numbers of trials as weights, or write successes / trials"
        _refuse(~whole, y, index, f"the response {name!r} holds shares of an unknown number of trials", mend)
        return Response(y, categories=categories, messages=_one_sided(y, np.ones(1)))
    successes = np.round(y * weights)
    if whole.all() and (weights != np.round(weights)).any():
        return Response(y, weights, categories=categories, messages=_one_sided(y, np.ones(1)))
    broken = (np.abs(y * weights - successes) > _WHOLE * np.maximum(weights, 1.0)) | (weights != np.round(weights))
    if broken.any():
        first = int(np.argmax(broken))
        raise DataError(
            f"the response {name!r} must be a share of the trials that the weights count: row {shown(index[first])} "
            f"holds {y[first]:g} of {weights[first]:g}, no whole number of successes ({rows_like(broken)}); write "
            "successes / trials instead."
        )
    return Response(successes, None, weights, True, categories, _one_sided(successes, weights))


def counts(name: str, y: Floats, index: pd.Index[Any], weights: Floats | None) -> Response:
    """Whole numbers of at least 0."""
    _check_finite(name, y, index)
    check_range(f"the response {name!r} holds", y)
    _refuse(y < 0, y, index, f"the response {name!r} must be counts, and none is negative", "mend them")
    _refuse(y != np.round(y), y, index, f"the response {name!r} must be counts", _NOT_COUNTED)
    none = () if y.any() else (f"all counts are 0, so {_NOTHING_KNOWN}",)
    return Response(y, weights, messages=none)


def amounts(name: str, y: Floats, index: pd.Index[Any], weights: Floats | None) -> Response:
    """Positive numbers."""
    mend = "for counts there is family='poisson', for a mixture with zeros no family here"
    _check_finite(name, y, index)
    check_range(f"the response {name!r} holds", y)
    _refuse(y <= 0, y, index, f"the response {name!r} must be positive", mend)
    if float(y.max()) == float(y.min()):
        raise DataError(
            f"the response {name!r} is constant ({y[0]:g} in all rows), so there is nothing to model: check the column."
        )
    return Response(y, weights)


def _one_sided(successes: Floats, trials: Floats) -> tuple[str, ...]:
    """A message where nothing or everything succeeds."""
    total = float(np.sum(np.broadcast_to(trials, successes.shape)))
    if 0 < float(successes.sum()) < total:
        return ()
    what = "no trial is a success" if not successes.any() else "all trials are successes"
    return (f"{what}, so {_NOTHING_KNOWN}",)


def _check_finite(name: str, values: Floats, index: pd.Index[Any]) -> None:
    """What was calculated may be no number: columns themselves are."""
    _refuse(~np.isfinite(values), values, index, f"{name!r} is not finite", "check what goes into it")


def _refuse(bad: NDArray[np.bool_], values: Floats, index: pd.Index[Any], what: str, mend: str) -> None:
    if bad.any():
        raise DataError(f"{what}: {row_of(bad, index, values)}; {mend}.")


# ---- from columns to numbers


def _side(text: str, prepared: Prepared, rows: int) -> Floats:
    """One side of a quotient: a column, a number, or a calculation."""
    name = unquote(text)
    if name in prepared:
        values = prepared[name]
        if isinstance(values, np.ndarray) and values.dtype.kind == "b":
            values = values.astype(np.float64)
        return np.ascontiguousarray(numbers_of(name, values))
    try:
        return np.full(rows, float(text))
    except ValueError:
        return calculated(text, prepared)


def _measured(formula: Formula, prepared: Prepared, what: str, mend: str) -> Floats:
    """A column of numbers, or a calculation."""
    name = unquote(formula.response)
    if name not in prepared:
        if quotient(formula) is not None:
            raise FormulaError(
                f"the response {formula.response!r} is successes over trials, which is a binomial model, where {what} "
                f"were expected: {mend}, or use family='binomial'."
            )
        return calculated(formula.response, prepared)
    values = prepared[name]
    if isinstance(values, np.ndarray) and values.dtype.kind == "b":
        raise DataError(
            f"the response {name!r} is boolean (True or False) where {what} were expected: use family='binomial'."
        )
    return np.ascontiguousarray(numbers_of(name, values))


def _coded(name: str, values: pd.Categorical[Any]) -> tuple[Floats, tuple[Any, Any]]:
    """Two categories as 0 and 1."""
    known = values if len(values.categories) == 2 else values.remove_unused_categories()
    levels = known.categories
    if len(levels) != 2:
        if len(levels) == 1:
            raise DataError(
                f"the response {name!r} is {shown(levels[0])} in all rows, where a binomial response has two "
                "categories, of which the second is success: check the column."
            )
        listed = ", ".join(map(shown, levels[:5])) + (", …" if len(levels) > 5 else "")
        if known.ordered:
            raise DataError(
                f"the response {name!r} has {len(levels)} ordered categories ({listed}), where a binomial response has "
                "two: use ms.clmm, which models all of them."
            )
        raise DataError(
            f"the response {name!r} has {len(levels)} categories ({listed}), where a binomial response has two, of "
            f"which the second is success: say which it is, as in data[{name!r}] == {shown(levels[0])}."
        )
    return known.codes.astype(np.float64), (levels[0], levels[1])
