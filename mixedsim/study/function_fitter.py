"""Analyses that are functions of the data: anything that gives estimates by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, shown
from mixedsim.inference.many_estimates import Estimates
from mixedsim.listing import listed
from mixedsim.study.analysis import Estimator
from mixedsim.study.attempt import Mistake, attempted
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import NUMBERS, Found, Parameters

# What a method may run into in some data sets; anything else is a mistake in the function.
_EXPECTED = (ArithmeticError, ValueError, np.linalg.LinAlgError)


@dataclass(frozen=True, eq=False)
class FunctionFitter:
    """One function.

    Attributes
    ----------
    draws : what it is given.
    name, function : what is asked.
    names : of the parameters that it returns.
    """

    draws: Draws
    name: str
    function: Estimator
    names: tuple[str, ...]

    @classmethod
    def of(cls, draws: Draws, name: str, function: Estimator) -> FunctionFitter:
        """The fitter of a function, once a replicate has shown what it returns."""

        _, names = attempted(draws, name, lambda data: tuple(_estimated(function, name, data).index))
        return cls(draws, name, function, names)

    @property
    def parameters(self) -> Mapping[str, Parameters]:
        """Those that it returned."""
        return {self.name: Parameters.named(self.names, self.draws.source.truth)}

    def fit(self, block: Block) -> Mapping[str, Found]:
        """What it returned for the replicates of a block."""
        m, out, failures = len(block), Estimates.empty(len(block), len(self.names)), {}
        for k, data in enumerate(block.data):
            try:
                self._fill(out, k, _estimated(self.function, self.name, data, block, k))
            except Mistake:
                raise
            except MixedsimError as error:
                failures[k] = str(error)
        fitted = np.ones(m, dtype=bool)
        fitted[list(failures)] = False
        return {self.name: Found(out, fitted, np.zeros(m, dtype=bool), failures)}

    def _fill(self, out: Estimates, k: int, table: pd.DataFrame) -> None:
        if tuple(table.index) != self.names:
            if sorted(table.index) != sorted(self.names):
                raise MixedsimError(
                    f"the function returned {', '.join(table.index)} here, and {', '.join(self.names)} elsewhere."
                )
            table = table.loc[list(self.names)]
        for one in fields(Estimates):
            if one.name in table:
                getattr(out, one.name)[k] = table[one.name].to_numpy(dtype=np.float64)


def _estimated(
    function: Estimator, name: str, data: pd.DataFrame, block: Block | None = None, k: int = 0
) -> pd.DataFrame:
    """What a function says of a data set.

    Raises
    ------
    Mistake
        With the replicate, for an error that no method has because of its data.
    MixedsimError
        For all others.
    """
    try:
        return _table(function(data.copy()), name)
    except MixedsimError:
        raise
    except _EXPECTED as error:
        said = " ".join(str(error).split())
        raise MixedsimError(f"the function stopped with {type(error).__name__} ({said}).") from error
    except Exception as error:
        number, seed = (0, "") if block is None else (block.first + k, f", seed {block.seeds[k]}")
        raise Mistake(
            f"the analysis {name!r} stopped with {type(error).__name__} ({error}) in replicate {number}{seed}: "
            f"study.draw(…)[{number}].data are the data."
        ) from error


def _table(returned: Any, name: str) -> pd.DataFrame:
    """What a function returned, as a table with parameters as its index."""
    if isinstance(returned, Mapping):
        returned = pd.Series(dict(returned), dtype=object)
    table = returned.to_frame("estimate") if isinstance(returned, pd.Series) else returned
    if not isinstance(table, pd.DataFrame) or "estimate" not in table or not len(table):
        raise MixedsimError(
            f"the analysis {name!r} must return a Series of estimates by parameter, or a table with a column estimate "
            f"(and se, df, p, lower, upper), found {_found(returned)}."
        )
    table = table[[column for column in NUMBERS if column in table]].set_axis(table.index.map(str))
    try:
        table = table.astype(np.float64)
    except (TypeError, ValueError):
        raise MixedsimError(f"the analysis {name!r} must return numbers, found {shown(_no_number(table))}.") from None
    if table["estimate"].isna().all():
        raise MixedsimError(f"the analysis {name!r} has returned no estimate, only missing values.")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise MixedsimError(f"the analysis {name!r} must return every parameter once, found {twice!r} twice.")
    return table


def _found(returned: Any) -> str:
    """What a function returned in place of estimates."""
    if isinstance(returned, pd.DataFrame) and len(returned):
        return f"a table with {listed(map(repr, returned.columns))}"
    if isinstance(returned, pd.DataFrame | pd.Series):
        return f"an empty {type(returned).__name__}"
    if hasattr(returned, "coefficients"):
        return f"a {type(returned).__name__}: return its coefficients()"
    return shown(returned) if returned is None or isinstance(returned, str | float | int) else type(returned).__name__


def _no_number(table: pd.DataFrame) -> Any:
    """The first entry that is no number."""
    for value in table.to_numpy(dtype=object).ravel():
        try:
            float(value)
        except (TypeError, ValueError):
            return value
    return table
