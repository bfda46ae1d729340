"""Who comes how many-eth in its group: the order in which values are dealt out, and in which rows look back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Turns:
    """Units group by group.

    Attributes
    ----------
    units : n; the units, those of one group together and in their order.
    place : n; how many of the group come before each of these.
    group : n; number of the group of each, from 0 and without gaps.
    """

    units: Whole
    place: Whole
    group: Whole

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group[-1]) + 1


def turns(groups: Whole, keys: NDArray[np.float64] | None = None) -> Turns:
    """Put the units of each group in order.

    Parameters
    ----------
    groups : n; the group of each unit.
    keys : n; the order inside a group, ascending. None: as they stand.
    """
    n = len(groups)
    if keys is not None:
        units = np.lexsort((keys, groups))
    elif np.all(groups[1:] >= groups[:-1]):
        units = np.arange(n)  # they lie together already, and a sort of millions of rows takes its time
    else:
        units = np.argsort(groups, kind="stable")
    together = groups[units]
    first = np.flatnonzero(np.concatenate(([True], together[1:] != together[:-1])))
    counts = np.diff(np.append(first, n))
    return Turns(
        units=units,
        place=np.arange(n) - np.repeat(first, counts),
        group=np.repeat(np.arange(len(first)), counts),
    )
