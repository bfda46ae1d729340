"""How groups of the rows stand to each other: nested ones as a tree, crossed ones as tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.frame import as_frame
from mixedsim.listing import listed
from mixedsim.plot.structure_tiles import Tiles, draw_tiles, tiles_height, tiles_of
from mixedsim.plot.structure_tree import Tree, draw_tree, tree_height, tree_of
from mixedsim.plot.style import figure_of, look, picture, say
from mixedsim.simulate import Sample
from mixedsim.words import structure as read_structure

Codes = NDArray[np.intp]
_MOST: Final = 4  # panels
_WIDTH: Final = 6.8  # inches


@dataclass(frozen=True, eq=False)
class Group:
    """A grouping column, or a combination of some: n codes (−1 where missing) and the labels of its levels."""

    name: str
    codes: Codes
    labels: tuple[str, ...]


def structure(data: Any, groups: str | Sequence[str] | None = None, *, ax: Axes | None = None) -> Figure:
    """Return the nested and crossed structure of a table: one panel a chain of nested groups, and a crossed pair.

    Nested groups are a tree from above: every unit stands under the one it belongs to, and bars hang from the smallest
    units, one row of the data after another. Crossed groups are tiles, darker the more rows a combination has; empty
    ones are white. Groups with many units are sampled evenly, in the order of their rows, and the panel says so.

    Parameters
    ----------
    data : a DataFrame, or anything that becomes one, or a sample.
    groups : grouping columns, or combinations (``"batch:cask"``); those that `mixedsim.structure` finds if None.
    ax : axes for one panel; a new figure if None.

    Raises
    ------
    MixedsimError
        If there is no group, or no such column.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> figure = ms.plot.structure(ms.datasets.load("Penicillin"))
    >>> figure.alt
    'plate is crossed with sample: all 144 combinations of 24 and 6 levels occur, with 1 row each.'
    >>> plt.close(figure)
    """
    frame = as_frame(data.data if isinstance(data, Sample) else data)
    found, notes = _found(frame) if groups is None else (_named(frame, groups), [])
    panels = _panels(found, len(frame))
    left_out = panels[_MOST:]
    panels = panels[:_MOST]
    if ax is not None and len(panels) > 1:
        what = listed(panel.title for panel in panels)
        raise MixedsimError(f"ax has room for one panel, found {len(panels)}: {what}; name groups, or leave ax out.")
    heights = [tree_height(one) if isinstance(one, Tree) else tiles_height(one) for one in panels]
    figure = picture(_WIDTH, sum(heights) + 0.2) if ax is None else figure_of(ax)
    with look():
        if ax is None:
            grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights).ravel()
        else:
            grid = np.array([ax])
        for axes, one in zip(grid, panels, strict=True):
            if isinstance(one, Tree):
                draw_tree(axes, one, _WIDTH)
            else:
                draw_tiles(axes, one)
    say(figure, " ".join([*(one.sentence for one in panels), *notes]))
    if left_out:
        say(figure, f"Not drawn: {listed(one.title for one in left_out)}.")
    return figure


def _found(frame: pd.DataFrame) -> tuple[list[Group], list[str]]:
    """What groups the rows: no two that are the same, and for ids that start again their combination."""
    known = read_structure(frame)
    names, notes = [str(name) for name in known.groups.index], []
    if not names:
        raise MixedsimError("no column of these data groups the rows: name one by groups=.")
    for a, relation, b in known.pairs[["a", "relation", "b"]].itertuples(index=False):
        if relation == "implicitly nested in":
            names = [name for name in names if name != a]
            if not any(":" in name and {a, b} <= set(name.split(":")) for name in names):
                names.append(f"{b}:{a}")
            notes.append(f"The ids of {a} start again in every {b}.")
    plain = [name for name in names if name in frame.columns]
    return _distinct([_group(frame, name) for name in [*plain, *(name for name in names if name not in plain)]]), notes


def _named(frame: pd.DataFrame, groups: str | Sequence[str]) -> list[Group]:
    names = [groups] if isinstance(groups, str) else list(groups)
    if not names:
        raise MixedsimError("groups is empty: name grouping columns, or leave it out.")
    return [_group(frame, name) for name in dict.fromkeys(names)]


def _group(frame: pd.DataFrame, name: str) -> Group:
    parts = [name] if name in frame.columns else name.split(":")
    for part in parts:
        if part not in frame.columns:
            raise MixedsimError(f"the data have no column {part!r}: {nearest(part, frame.columns)}")
    columns = [pd.Series(frame[part]) for part in parts]
    if len(columns) == 1:
        codes, values = pd.factorize(columns[0], sort=True)
        return _checked(Group(name, codes.astype(np.intp), tuple(map(str, values))))
    missing = np.any([column.isna() for column in columns], axis=0)
    each = [pd.factorize(column, sort=True) for column in columns]
    key = np.zeros(len(frame), dtype=np.int64)
    for codes, values in each:
        key = key * max(len(values), 1) + codes
    codes, cells = pd.factorize(np.where(missing, -1, key), sort=True)
    if len(cells) and cells[0] == -1:
        codes, cells = codes - 1, cells[1:]
    rest = np.asarray(cells, dtype=np.int64)
    texts: list[list[str]] = []
    for _, values in reversed(each):
        known = list(map(str, values))
        texts.insert(0, [known[k] for k in rest % len(values)])
        rest = rest // len(values)
    return _checked(Group(name, codes.astype(np.intp), tuple(map(":".join, zip(*texts, strict=True)))))


def _checked(group: Group) -> Group:
    if not group.labels:
        raise MixedsimError(f"the column {group.name!r} is empty: it groups no rows.")
    return group


def _distinct(groups: Sequence[Group]) -> list[Group]:
    kept: list[Group] = []
    for one in groups:
        if not any(_nested(one, other) and _nested(other, one) for other in kept):
            kept.append(one)
    return kept


def _nested(inner: Group, outer: Group) -> bool:
    """Whether every level of one lies in one level of the other."""
    known = (inner.codes >= 0) & (outer.codes >= 0)
    own, above = inner.codes[known], outer.codes[known]
    one_of_it = np.zeros(len(inner.labels), dtype=np.intp)
    one_of_it[own] = above  # of several rows the last one counts
    return bool((one_of_it[own] == above).all())


def _panels(groups: Sequence[Group], rows: int) -> list[Tree | Tiles]:
    """Chains of nested groups, from the longest, then crossed pairs of the smallest units."""
    above: Mapping[str, list[Group]] = {
        one.name: [other for other in groups if other is not one and _nested(one, other)] for one in groups
    }
    leaves = [one for one in groups if not any(one in above[other.name] and other not in above[one.name]
                                               for other in groups)]  # fmt: skip
    chains = [[*sorted(above[leaf.name], key=lambda one: len(one.labels)), leaf] for leaf in leaves]
    chains = [_chain(chain) for chain in chains]
    crossed = [pair for pair in combinations(leaves, 2) if not _nested(*pair) and not _nested(*pair[::-1])]
    trees: list[Tree | Tiles] = [
        tree_of([(one.name, one.codes, one.labels) for one in chain], rows)
        for chain in sorted(chains, key=len, reverse=True)
        if len(chain) > 1 or not crossed
    ]
    tiles = [
        tiles_of((a.name, a.codes, a.labels), (b.name, b.codes, b.labels))
        for a, b in (sorted(pair, key=lambda one: -len(one.labels)) for pair in crossed)
    ]
    return [*trees, *tiles]


def _chain(groups: list[Group]) -> list[Group]:
    """Those of the outer groups that are nested in each other, from the outermost to the innermost."""
    out = [groups[-1]]
    for one in groups[-2::-1]:
        if _nested(out[0], one):
            out.insert(0, one)
    return out
