"""One predictor, three slopes: of all rows, within groups, and of the group means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError, nearest, shown
from mixedsim.frame import as_frame
from mixedsim.levels import group_codes
from mixedsim.reading import dates_as_days, gaps_in, is_numeric, kind_of, read_column
from mixedsim.simulate import Sample
from mixedsim.study.least_squares import fit_groups
from mixedsim.study.ordinary import LeastSquares, least_squares
from mixedsim.words.variance import deviations

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two columns of numbers and a group, n rows without missing values.

    Attributes
    ----------
    x, y : n values each.
    codes : n integers in [0, J); zero without a group.
    levels : J labels; one without a group.
    names : of x, y and the group (None without one).
    left_out : rows with a missing value.
    dates : whether x was given as dates, which count in days since 1970.
    """

    x: Floats
    y: Floats
    codes: NDArray[np.intp]
    levels: pd.Index[Any]
    names: tuple[str, str, str | None]
    left_out: int
    dates: bool = False

    def lines(self) -> Floats:
        """Intercept and slope by least squares in every group: J × 2, NaN where its rows do not determine them."""
        own = np.column_stack([np.ones(len(self.x)), self.x - self.x.mean()])
        found = fit_groups(own, np.empty((len(self.x), 0)), self.y, self.codes, len(self.levels)).own
        return np.column_stack([found[:, 0] - found[:, 1] * self.x.mean(), found[:, 1]])

    def line(self) -> LeastSquares:
        """The regression of all rows."""
        return _regression(self.names[0], self.x, self.y)


@dataclass(frozen=True, eq=False)
class Slopes:
    """The slope of y by x, asked of the same rows in three ways (J groups).

    With x̄ⱼ and ȳⱼ the means of group j:

    - pooled: y on x, all n rows;
    - within: y − ȳⱼ on x − x̄ⱼ, on n − J − 1 degrees of freedom (the slope beside J dummies);
    - between: ȳⱼ on x̄ⱼ, each group counting alike.

    The pooled slope is an average of the other two, where groups are of one size: η² between + (1 − η²) within, with η²
    the share of the variance of x that lies between groups (Robinson, W. S. (1950). Ecological correlations and the
    behavior of individuals. American Sociological Review 15, 351–357, for correlations).

    Attributes
    ----------
    pooled, within, between : the regressions; the slope has the predictor's name. NaN where there is none.
    means : J × 2, of x and y.
    pairs : the rows.
    """

    pooled: LeastSquares
    within: LeastSquares
    between: LeastSquares
    means: Floats
    pairs: Pairs


def pairs_of(data: Any, x: str, y: str, group: str | None = None) -> Pairs:
    """Return two columns of a table, and the groups of its rows.

    Parameters
    ----------
    data : a DataFrame, a `Sample`, or anything that becomes a table.
    x, y : names of columns of numbers (dates count in days).
    group : a column, or several as in ``"class:school"``.

    Raises
    ------
    DataError
        If a column is missing, holds no numbers or an infinite one, or no two rows are complete.
    """
    frame = data.data if isinstance(data, Sample) else as_frame(data)
    factors = [] if group is None else group.split(":")
    for name in (x, y, *factors):
        if name not in frame.columns:
            raise DataError(f"the data have no column {shown(name)}: {nearest(name, frame.columns)}")
    read = {name: dates_as_days(read_column(name, frame[name])) for name in dict.fromkeys((x, y, *factors))}
    for name in (x, y):
        if not is_numeric(read[name]):
            raise DataError(f"column {name!r} must hold numbers, found {read[name].dtype}: choose another, or code it.")
    keep = ~np.logical_or.reduce([gaps_in(values) for values in read.values()])
    if keep.sum() < 2:
        raise DataError(f"{int(keep.sum())} rows have values in all of {', '.join(map(repr, read))}: two are needed.")
    across, up = (np.asarray(read[name], dtype=np.float64)[keep] for name in (x, y))
    for name, values in ((x, across), (y, up)):
        if not np.isfinite(values).all():
            raise DataError(f"column {name!r} holds infinite values: replace or remove them.")
    if factors:
        codes, coding = group_codes({name: read[name][keep] for name in factors})
        levels = coding.labels
    else:
        codes, levels = np.zeros(len(across), dtype=np.intp), pd.Index(["all"])
    dates = kind_of(read_column(x, frame[x])) == "dates"
    return Pairs(across, up, codes, levels, (x, y, group), int((~keep).sum()), dates)


def slopes_of(pairs: Pairs) -> Slopes:
    """Return the three regressions.

    Raises
    ------
    DataError
        If there is one group.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.study.slopes import pairs_of, slopes_of
    >>> found = slopes_of(pairs_of(ms.datasets.load("sleepstudy"), "Days", "Reaction", "Subject"))
    >>> found.within.coefficients()[["estimate", "se"]].round(2).loc["Days"].tolist()
    [10.47, 0.8]
    """
    name, _, group = pairs.names
    count = len(pairs.levels)
    if count < 2:
        raise DataError(f"{group!r} has one level, {shown(pairs.levels[0])}: nothing can differ between groups.")
    sizes = np.bincount(pairs.codes, minlength=count)
    x, y = (deviations(values, pairs.codes) for values in (pairs.x, pairs.y))
    means = np.column_stack([np.bincount(pairs.codes, weights=v, minlength=count) / sizes for v in (pairs.x, pairs.y)])
    return Slopes(
        pooled=pairs.line(),
        within=least_squares([name], x[:, None], y, spent=count),
        between=_regression(name, means[:, 0], means[:, 1]),
        means=means,
        pairs=pairs,
    )


def _regression(name: str, x: Floats, y: Floats) -> LeastSquares:
    return least_squares(["Intercept", name], np.column_stack([np.ones(len(x)), x]), y)
