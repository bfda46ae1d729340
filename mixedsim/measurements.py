"""The response of a linear model: numbers that differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.errors import DataError, FormulaError, shown
from mixedsim.formula import Formula, unquote
from mixedsim.reading import Values, is_boolean

Floats = NDArray[np.float64]


def check_not_boolean(formula: Formula, frame: pd.DataFrame) -> None:
    name = unquote(formula.response)
    if name in frame and is_boolean(frame[name]):
        raise boolean_response(name)


def boolean_response(name: str) -> DataError:
    """What to say of a response of True and False."""
    return DataError(
        f"the response {name!r} is boolean (True or False): use glmer with family='binomial', or convert it with "
        f"data[{name!r}].astype(float)."
    )


def measurements(formula: Formula, prepared: Mapping[str, Values]) -> Floats:
    """The response as floats; everything that is not a number raises."""
    name = unquote(formula.response)
    if name in prepared:
        return np.ascontiguousarray(numbers_of(name, prepared[name]))
    if "/" in formula.response and "(" not in formula.response:
        raise FormulaError(
            f"the response {formula.response!r} is a number of successes over trials, which is a model for glmer; "
            "for lmer add the quotient as a column, or write I(...) around it."
        )
    return calculated(formula.response, prepared)


def calculated(text: str, prepared: Mapping[str, Values]) -> Floats:
    """What a calculation on the left side gives: n numbers."""
    columns = model_columns(f"0 + I({text})", prepared).columns
    if len(columns) != 1:
        raise DataError(f"the response {text!r} must be one column, found {len(columns)}: choose one.")
    return np.ascontiguousarray(np.broadcast_to(columns[0], len(next(iter(prepared.values())))), dtype=np.float64)


def numbers_of(name: str, values: Values) -> Floats:
    """A response as floats; everything that is not a number raises."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        return np.asarray(values, dtype=np.float64)
    what, convert = f"the response {name!r}", f"convert it with data[{name!r}].astype(float)"
    if isinstance(values.dtype, pd.IntervalDtype):
        raise DataError(f"{what} holds intervals ({values.dtype}): take their middle, data[{name!r}].array.mid.")
    if not isinstance(values, pd.Categorical):
        raise DataError(f"{what} holds dates or times ({values.dtype}): turn them into a number, such as days, first.")
    as_numbers = pd.to_numeric(pd.Series(values.categories), errors="coerce")
    if as_numbers.notna().all():
        raise DataError(f"{what} holds numbers stored as text or categories: {convert}.")
    odd = shown(values.categories[int(np.argmax(as_numbers.isna()))])
    raise DataError(f"{what} must be numeric, found text or categories such as {odd}: mend them, then {convert}.")


def check_varies(formula: Formula, y: Floats, offset: Floats | None) -> None:
    rest = y if offset is None else y - offset
    if len(y) > 1 and float(rest.max()) == float(rest.min()):
        raise constant_response(formula, float(rest[0]), offset is not None)


def constant_response(formula: Formula, value: float, less_offset: bool) -> DataError:
    """What to say of a response that does not vary."""
    less = " less its offset" if less_offset else ""
    return DataError(
        f"the response {unquote(formula.response)!r}{less} is constant ({value:g} in all rows), so there is nothing to "
        "model: check the column."
    )
