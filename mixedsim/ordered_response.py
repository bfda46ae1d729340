"""Left sides that are ordered categories, from low to high: what cumulative-link models explain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Prepared, Response
from mixedsim.errors import DataError, FormulaError, shown
from mixedsim.formula import Formula, unquote
from mixedsim.ranges import row_of
from mixedsim.reading import Values

Floats = NDArray[np.float64]
_MOST = 50  # categories that a model has a threshold for
_LISTED = 6


def read_ordered(formula: Formula, prepared: Prepared, index: pd.Index[Any], weights: Floats | None) -> Response:
    """The `Reader` of ordered categories, whose codes are 0, 1, 2 ...

    Raises
    ------
    FormulaError
        For a calculation, or successes over trials.
    DataError
        For categories without an order, measurements, and fewer than three categories.
    """
    name = unquote(formula.response)
    if name not in prepared:
        raise FormulaError(
            f"the response {formula.response!r} is a calculation, where ms.clmm takes a column of ordered categories: "
            "add it to the data first, for example with pd.cut."
        )
    return ordered(name, prepared[name], index, weights)


def ordered(name: str, values: Values, index: pd.Index[Any], weights: Floats | None) -> Response:
    """Categories in order as codes; those that no row has are left out, with a message."""
    if isinstance(values, pd.Categorical):
        _check_order(name, values)
        known = values.remove_unused_categories()
        said = _left_out(name, values, known)
    elif isinstance(values, np.ndarray):
        known = _of_numbers(name, values, index)
        taken = f"the response {name!r} holds the whole numbers {_listed(known.categories)}"
        said = [f"{taken}, taken as ordered categories: their order counts, their distances do not."]
    else:
        raise DataError(
            f"the response {name!r} holds {values.dtype}, where ms.clmm takes ordered categories: make them, for "
            "example with pd.cut."
        )
    levels = tuple(known.categories.tolist())
    _check_number(name, levels)
    return Response(known.codes.astype(np.float64), weights, categories=levels, messages=tuple(said))


def _check_order(name: str, values: pd.Categorical[Any]) -> None:
    if values.ordered:
        return
    used = values.remove_unused_categories().categories
    raise DataError(
        f"the response {name!r} holds categories without an order ({_listed(used)}), where ms.clmm has to know which "
        f"is higher: say so with pd.Categorical(data[{name!r}], categories=[lowest, ..., highest], ordered=True)."
    )


def _left_out(name: str, values: pd.Categorical[Any], known: pd.Categorical[Any]) -> list[str]:
    """A message if some categories have no rows."""
    unused = [label for label in values.categories if label not in known.categories]
    if not unused:
        return []
    which, verb = ("category", "is") if len(unused) == 1 else ("categories", "are")
    return [
        f"the response {name!r} has no row in the {which} {_listed(unused)}, which {verb} left out: there is nothing "
        "to place a threshold by."
    ]


def _of_numbers(name: str, values: NDArray[Any], index: pd.Index[Any]) -> pd.Categorical[Any]:
    """Whole numbers in their order."""
    if values.dtype.kind == "b":
        raise DataError(_two(name, "False and True"))
    broken = values != np.round(values)
    if broken.any():
        raise DataError(
            f"the response {name!r} holds measurements, where ms.clmm takes ordered categories: "
            f"{row_of(broken, index, values)}; use ms.lmer, or cut them with pd.cut."
        )
    return pd.Categorical(values.astype(np.int64), ordered=True)


def _check_number(name: str, levels: tuple[Any, ...]) -> None:
    if len(levels) == 1:
        raise DataError(
            f"the response {name!r} is {shown(levels[0])} in all rows, so there is nothing to model: check the column."
        )
    if len(levels) == 2:
        raise DataError(_two(name, f"{shown(levels[0])} and {shown(levels[1])}"))
    if len(levels) > _MOST:
        raise DataError(
            f"the response {name!r} has {len(levels)} categories, more than the {_MOST} that ms.clmm takes: that many "
            "are measurements for ms.lmer, or wait to be merged with pd.cut."
        )


def _two(name: str, both: str) -> str:
    return (
        f"the response {name!r} has two categories ({both}), where ms.clmm takes three or more: use ms.glmer with "
        "family='binomial', which is the same model for two."
    )


def _listed(levels: Any) -> str:
    listed = ", ".join(map(shown, list(levels)[:_LISTED]))
    return f"{listed}, …" if len(levels) > _LISTED else listed
