"""What is missing: which columns together, at which time, and who left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.errors import MixedsimError, nearest
from mixedsim.frame import as_frame
from mixedsim.plot.missing_by import draw_shares, draw_visits, shares_of, visits_of
from mixedsim.plot.missing_patterns import draw_patterns, patterns_of, patterns_size
from mixedsim.plot.style import figure_of, look, picture, say
from mixedsim.simulate import Sample


def missing(
    data: Any,
    by: str | Sequence[str] | None = None,
    *,
    columns: str | Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return a map of what is missing: rows sorted by pattern, or shares by a column, or units followed over time.

    Without `by`, every line is a pattern of missing values (orange), with the number of rows that have it, the most
    frequent first, and every column has its share of missing values. With one column (a time, an arm, a site), every
    tile is the share of values that are missing there, beside the number of rows. With two, a unit and a time
    (``by=("person", "week")``), every line is a unit: seen (blue), seen with a value missing (orange), or without a row
    (white), sorted by when it was last seen complete: people who drop out make stairs.

    Parameters
    ----------
    data : a DataFrame, or anything that becomes one, or a sample.
    by : one column, or unit and time; None for patterns.
    columns : which to look at; those in which something is missing if None.
    units : units for the axis labels.
    ax : axes to draw on; a new figure if None.

    Raises
    ------
    MixedsimError
        If there is no such column, no row, or `by` has more than two.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> clinic = ms.scenarios.therapist_price().with_(problems=[ms.Missing("depression", 0.1)])
    >>> figure = ms.plot.missing(clinic.draw(seed=1))
    >>> figure.alt.split(";")[0]
    'Missing values in 5,000 rows: 4,498 are complete, 502 are not, in 1 pattern'
    >>> plt.close(figure)
    """
    frame = as_frame(data.data if isinstance(data, Sample) else data)
    if not len(frame):
        raise MixedsimError("the data have no rows: there is nothing to miss.")
    keys = [] if by is None else [by] if isinstance(by, str) else list(by)
    if len(keys) > 2 or (by is not None and not keys):
        raise MixedsimError(f"by takes one column, or a unit and a time, found {len(keys)}.")
    for name in keys:
        if name not in frame.columns:
            raise MixedsimError(f"the data have no column {name!r}: {nearest(name, frame.columns)}")
    chosen = _columns(frame, columns, keys)
    gaps = np.column_stack([frame[name].isna().to_numpy(dtype=np.bool_) for name in chosen])
    if not keys:
        found = patterns_of(chosen, gaps, len(frame.columns))
        figure = picture(*patterns_size(found)) if ax is None else figure_of(ax)
        with look():
            draw_patterns(figure.add_subplot() if ax is None else ax, found)
        say(figure, found.sentence)
        return figure
    figure = picture(6.8, 3.6) if ax is None else figure_of(ax)
    with look():
        axes = figure.add_subplot() if ax is None else ax
        if len(keys) == 1:
            shares = shares_of(frame[keys[0]], chosen, gaps)
            draw_shares(axes, shares, units)
            say(figure, shares.sentence)
        else:
            visits = visits_of(frame[keys[0]], frame[keys[1]], chosen, gaps)
            draw_visits(axes, visits, units)
            say(figure, visits.sentence)
    return figure


def _columns(frame: pd.DataFrame, columns: str | Sequence[str] | None, keys: Sequence[str]) -> list[str]:
    """The columns that were asked for, or those with something missing; all of them if nothing is."""
    if columns is not None:
        names = [columns] if isinstance(columns, str) else list(columns)
        for name in names:
            if name not in frame.columns:
                raise MixedsimError(f"the data have no column {name!r}: {nearest(name, frame.columns)}")
        if not names:
            raise MixedsimError("columns is empty: name some, or leave it out.")
        return names
    others = [str(name) for name in frame.columns if name not in keys]
    if not others:
        raise MixedsimError("the data have no other column than by: there is nothing to look at.")
    return [name for name in others if frame[name].isna().any()] or others
