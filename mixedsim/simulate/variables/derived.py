"""A column that earlier ones determine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.expression import Parameter, canonical, evaluate, gives_whole_numbers, names_in
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Site, Variable

_LARGEST = 2.0**53  # beyond it not every whole number is a double


@dataclass(frozen=True)
class Derived(Variable):
    """A variable computed from earlier ones, with nothing left to chance.

    It lives where they do: computed from variables of the clinic alone, it is one of the clinic. It is a column of
    whole numbers where the expression can be nothing else (a comparison, ``and``, ``floor(x)``, sums and products of
    whole numbers), else of decimals.

    Expressions have ``+ - * / % **``, comparisons, ``and``, ``or``, ``not``, ``exp``, ``log``, ``sqrt``, ``abs``,
    ``floor``, ``round``, ``min``, ``max``, ``logistic`` and ``where(condition, yes, no)``. They give numbers; a
    variable with named levels that others determine is `Categorical` with ``probs=["dose > 5", "dose <= 5"]``.

    Parameters
    ----------
    expr : expression in earlier variables: ``"time >= step"``, ``"weight / height ** 2"``,
        ``"where(arm == 'new', dose, 0)"``.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If the expression cannot be read, or reads no earlier variable; when the population is drawn, if it is not a
        finite number everywhere.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Derived("time>=step")
    Derived(expr='time >= step', observed=True)
    """

    expr: str
    observed: bool = True

    def __post_init__(self) -> None:
        field = ("Derived", "expr")
        if not isinstance(self.expr, str):
            raise FieldError(field, f"must be an expression in earlier variables, found {shown(self.expr)}.")
        self._settle(expr=canonical(self.expr, field))
        if not names_in(self.expr):
            raise FieldError(field, f"must read an earlier variable, found {self.expr!r}.")
        self._check_switch("observed")

    def reads(self) -> Mapping[str, frozenset[str]]:
        return {"expr": names_in(self.expr)}

    def level_in(self, place: Place) -> str | None:
        place.check_expression("expr", self.expr)
        return place.finest(place.levels[name] for name in names_in(self.expr))

    def make(self, site: Site) -> NDArray[Any]:
        field = ("variables", site.name, "expr")
        if not gives_whole_numbers(self.expr, site.read):
            return np.asarray(evaluate(self.expr, site.read, field))
        return np.asarray(evaluate(self.expr, site.read, field, low=-_LARGEST, high=_LARGEST)).astype(np.int64)

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "=", write(self.expr)
