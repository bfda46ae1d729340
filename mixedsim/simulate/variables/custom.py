"""A variable that a function of the user's makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import nearest
from mixedsim.simulate.expression import Parameter, Values
from mixedsim.simulate.fields import FieldError, Path, shown
from mixedsim.simulate.variables.categorical import checked_levels
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Site, Variable


@dataclass(frozen=True)
class Custom(Variable):
    """Whatever a function of yours makes: the way out where no variable of the package fits.

    The function is called as ``function(rng, size, **columns)`` and returns `size` values, numbers or texts. All that
    is random must come from `rng`, or the same seed no longer gives the same data. The columns hold one value for each
    that is asked for, and cannot be changed. It is tried out on a handful of units when the population is made, so that
    it must work for any size.

    A function is Python and no data: a population that has one cannot be written as YAML, and no YAML file can name
    one. A specification from a stranger would run the stranger's code otherwise. Two populations are equal only if
    their functions are the same object, and only functions of a module (no lambdas) can be pickled.

    Parameters
    ----------
    function : ``function(rng, size, **columns)``, where `rng` is a `numpy.random.Generator`.
    of : names of the earlier variables that it gets as columns, numbers as arrays and named levels as Categoricals.
    by : clusters whose units it gets as columns, numbered from 0.
    level : cluster that shares one value; None for one value a row.
    levels : if it returns texts: all of them, the reference first.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If the function fails, or what it returns has the wrong length, the wrong kind, gaps or infinite numbers; if a
        population that has one is written as YAML.

    Examples
    --------
    A mood that drifts: each day's is 0.7 of the day before, plus noise.

    >>> import mixedsim as ms
    >>> import pandas as pd
    >>> from scipy.signal import lfilter
    >>> def drift(rng, size, person):
    ...     noise = pd.Series(rng.normal(size=size))
    ...     return noise.groupby(person).transform(lambda e: lfilter([1], [1, -0.7], e))
    >>> diary = ms.Population(
    ...     "stress ~ mood + (1 | person)",
    ...     clusters={"person": 40},
    ...     size=14,
    ...     variables={"mood": ms.Custom(drift, by=["person"])},
    ...     fixef={"Intercept": 5, "mood": -1},
    ...     ranef={"person": {"sd": 1}},
    ...     sigma=1,
    ... )
    >>> bool(diary.draw(seed=1).data["mood"].autocorr() > 0.5)
    True
    """

    function: Callable[..., Any]
    of: Sequence[str] = ()
    by: Sequence[str] = ()
    level: str | None = None
    levels: Sequence[str] | None = None
    observed: bool = True

    def __post_init__(self) -> None:
        given: object = self.function
        if not callable(given):
            problem = f"must be a function of (rng, size, **columns), which no file can hold, found {shown(given)}."
            raise FieldError(("Custom", "function"), problem)
        for field in ("of", "by"):
            self._settle(**{field: _checked_names(getattr(self, field), field)})
        if self.levels is not None:
            self._settle(levels=checked_levels(self.levels, ("Custom", "levels")))
        self._check_cluster("level")
        self._check_switch("observed")

    def categories(self) -> tuple[str, ...] | None:
        return None if self.levels is None else tuple(self.levels)

    def reads(self) -> Mapping[str, frozenset[str]]:
        return {"of": frozenset(self.of)} if self.of else {}

    def level_in(self, place: Place) -> str | None:
        place.check_cluster("level", self.level)
        for other in self.of:
            place.check_earlier("of", other)
            place.check_constant("of", other, self.level)
        for cluster in self.by:
            place.check_cluster("by", cluster)
            if not place.structure.constant_within(cluster, self.level):
                problem = f"is {cluster!r}, but a {self.level} lies in no one {cluster}."
                raise FieldError(("Custom", "by"), problem)
        return self.level

    def make(self, site: Site) -> Values:
        path = ("variables", site.name, "function")
        columns = {name: _closed(site.read(name)) for name in self.of}
        columns |= {cluster: site.units(cluster).astype(np.int64) for cluster in self.by}
        try:
            made = self.function(site.rng, site.size, **columns)
        except Exception as error:
            raise FieldError(path, f"failed with {type(error).__name__}: {error}") from error
        return self._checked(made, site.size, path)

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        called = getattr(self.function, "__name__", type(self.function).__name__)
        return "~", f"{called}({', '.join([*map(write, self.of), *self.by])})"

    def _checked(self, made: Any, size: int, path: Path) -> Values:
        """What the function returned as a column, or `FieldError`."""
        values = np.asarray(made)
        if values.shape != (size,):
            found = "×".join(map(str, values.shape)) or shown(made)
            raise FieldError(path, f"must return {size:,} values, as many as it is asked for, found {found}.")
        return _numbers(values, path) if self.levels is None else self._texts(values, path)

    def _texts(self, values: NDArray[Any], path: Path) -> pd.Categorical[Any]:
        levels = pd.Index(list(self.levels or ()))
        codes = levels.get_indexer(pd.Index(values))
        if codes.min() < 0:
            other = values.tolist()[codes.argmin()]
            raise FieldError(path, f"returned {shown(other)}, which is not among its levels: {nearest(other, levels)}")
        return pd.Categorical.from_codes(codes, categories=levels, validate=False)


def _numbers(values: NDArray[Any], path: Path) -> NDArray[Any]:
    if values.dtype.kind in "biu":
        return values.astype(np.int64)
    if values.dtype.kind != "f":
        problem = f"must return numbers, or texts that its levels name, found {shown(values.tolist()[0])}."
        raise FieldError(path, problem)
    if not np.isfinite(values).all():
        raise FieldError(path, "must return finite numbers, found gaps or infinite ones.")
    return values.astype(np.float64)  # a copy, which later changes to what was returned cannot reach


def _closed(values: Values) -> Values:
    """The same values, which cannot be changed."""
    if isinstance(values, pd.Categorical):
        return values.copy()
    view = values.view()
    view.flags.writeable = False
    return view


def _checked_names(given: Any, field: str) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise FieldError(("Custom", field), f"must be a list of names, found {shown(given)}.")
    return tuple(given)
