"""Which clusters a data set has: nested or crossed, how many units, how many rows in each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import PopulationError
from mixedsim.formula import Formula
from mixedsim.simulate.clusters import clusters_of, structure_of
from mixedsim.simulate.counts import Sizes
from mixedsim.simulate.layout import lay_out
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Structure
from mixedsim.simulate.variables import LogNormal, Normal

Codes = NDArray[np.integer[Any]]
_MOST_CELLS = 5_000_000  # combinations of crossed units that are looked at one by one


@dataclass(frozen=True, eq=False)
class Found:
    """The clusters of a data set, as a population describes them (n rows).

    Attributes
    ----------
    clusters, size : the fields of a population.
    structure : what the two mean.
    codes : for every cluster, the unit of each row.
    cells : the cell of each row: its combination of innermost units.
    """

    clusters: dict[str, Any]
    size: Any
    structure: Structure
    codes: Mapping[str, Codes]
    cells: Codes

    def units(self, name: str) -> int:
        """How many units a cluster has."""
        return int(self.codes[name].max()) + 1


def found_clusters(formula: Formula, frame: pd.DataFrame) -> Found:
    """The clusters that the random terms of a formula name, as they lie in the data.

    Raises
    ------
    PopulationError
        If one lies in two others that are crossed, or they are crossed in a way that a population cannot have.
    """
    units = _units(formula, frame)
    parents = _parents(units)
    ordered = _outer_first(units, parents)
    codes = _in_order(units, parents, ordered)
    clusters = {name: _entry(name, parents[name], codes) for name in ordered}
    leaves = [name for name in ordered if name not in parents.values()]
    cells, counts = _rows_in_cells(clusters, leaves, codes)
    if counts.min() > 0:
        size = _exactly(counts)
    else:
        clusters, size = _partly_crossed(clusters, leaves, codes)
    settled = clusters_of(clusters)
    return Found(dict(settled), size, structure_of(settled, 1), codes, cells)


def _units(formula: Formula, frame: pd.DataFrame) -> dict[str, Codes]:
    """The unit of every row for every grouping column.

    A column that groups only together with another, as cask in ``(1 | batch/cask)``, has names that may come again in
    each of the other's units: its units are the combinations.
    """
    alone = {term.factors[0] for term in formula.terms if len(term.factors) == 1}
    units = {}
    for term in sorted(formula.terms, key=lambda term: len(term.factors)):
        for name in term.factors:
            if name in units:
                continue
            around = [other for other in term.factors if other in alone or other in units]
            columns = [name] if name in alone or not around else [name, *around]
            units[name] = frame.groupby(columns, observed=True, sort=True).ngroup().to_numpy(dtype=np.intp)
    return units


def _parents(units: Mapping[str, Codes]) -> dict[str, str | None]:
    """For every cluster the innermost one that it lies in."""
    order = sorted(units, key=lambda name: int(units[name].max()))
    around = {
        inner: [outer for outer in order[:position] if _nests(units[inner], units[outer])]
        for position, inner in enumerate(order)
    }
    for inner, outer in around.items():
        crossed = [(a, b) for a, b in combinations(outer, 2) if a not in around[b]]
        if crossed:
            a, b = crossed[0]
            raise PopulationError(
                f"from_fit cannot imitate {inner!r}, which lies in both {a!r} and {b!r}: write ({a}:{b}) for the "
                "combinations of the two, or leave one of the terms out."
            )
    return {name: around[name][-1] if around[name] else None for name in units}


def _nests(inner: Codes, outer: Codes) -> bool:
    """Whether every unit of `inner` lies in one unit of `outer`."""
    of = np.zeros(int(inner.max()) + 1, dtype=np.intp)
    of[inner] = outer
    return bool((of[inner] == outer).all())


def _outer_first(names: Mapping[str, Codes], parents: Mapping[str, str | None], within: str | None = None) -> list[str]:
    return [
        one for name in names if parents[name] == within for one in [name, *_outer_first(names, parents, name)]
    ]


def _in_order(
    units: Mapping[str, Codes], parents: Mapping[str, str | None], ordered: Sequence[str]
) -> dict[str, Codes]:
    """Units numbered as a population numbers them: those of one parent together, in the order of the parents."""
    codes: dict[str, Codes] = {}
    for name in ordered:
        parent = parents[name]
        above = np.zeros_like(units[name]) if parent is None else codes[parent]
        codes[name] = np.unique(above * (int(units[name].max()) + 1) + units[name], return_inverse=True)[1]
    return codes


def _entry(name: str, parent: str | None, codes: Mapping[str, Codes]) -> Any:
    """A cluster's entry in the field `clusters`."""
    n = int(codes[name].max()) + 1
    if parent is None:
        return n
    of = np.zeros(n, dtype=np.intp)
    of[codes[name]] = codes[parent]
    return {"in": parent, "n": _exactly(np.bincount(of))}


def _exactly(counts: Codes) -> int | Sizes:
    """One number where all are equal, else all of them."""
    return int(counts[0]) if (counts == counts[0]).all() else Sizes(counts.tolist())


def _rows_in_cells(
    clusters: Mapping[str, Any], leaves: Sequence[str], codes: Mapping[str, Codes]
) -> tuple[Codes, Codes]:
    """The cell of every row, and the rows of every cell, if everybody met everybody: a population's order of cells."""
    sizes = [int(codes[name].max()) + 1 for name in leaves]
    if math.prod(sizes) > _MOST_CELLS:
        cells = np.unique(_joint(leaves, codes), return_inverse=True)[1]
        return cells, np.append(np.bincount(cells), 0)  # never all of them
    layout = lay_out(structure_of(clusters_of(clusters), 1), Streams(0))
    of_cell = np.ravel_multi_index([layout.codes(name) for name in leaves], sizes)
    place = np.full(math.prod(sizes), -1)
    place[of_cell] = np.arange(len(of_cell))
    cells = place[_joint(leaves, codes)]
    return cells, np.bincount(cells, minlength=len(of_cell))


def _joint(leaves: Sequence[str], codes: Mapping[str, Codes]) -> Codes:
    """The combination of innermost units of every row."""
    return np.ravel_multi_index([codes[name] for name in leaves], [int(codes[name].max()) + 1 for name in leaves])


def _partly_crossed(
    clusters: dict[str, Any], leaves: Sequence[str], codes: Mapping[str, Codes]
) -> tuple[dict[str, Any], Any]:
    """Clusters of which not all units meet: so many of the second as each unit of the first meets in the data."""
    last = leaves[-1]
    if len(leaves) > 2 or isinstance(clusters[last], Mapping):
        raise PopulationError(
            f"from_fit cannot imitate how {', '.join(leaves)} are crossed, since not all combinations occur: it knows "
            "two crossed factors, of which the second lies in no other."
        )
    pairs, rows = np.unique(_joint(leaves, codes), return_counts=True)
    met = np.bincount(pairs // (int(codes[last].max()) + 1))
    meets = np.bincount(pairs % (int(codes[last].max()) + 1))
    by_turns = len(set(met)) == 1 and meets.max() - meets.min() <= 1
    entry = {"n": clusters[last], "rotate" if by_turns else "sample": _about(met, clusters[last])}
    return {**clusters, last: entry}, _about(rows, None)


def _about(counts: Codes, most: int | None) -> Any:
    """Numbers of that size: one number, or a distribution with their mean and standard deviation."""
    if (counts == counts[0]).all():
        return int(counts[0])
    if most is not None and counts.max() >= most:
        return int(counts.min()), int(counts.max())
    mean, sd = float(counts.mean()), float(counts.std())
    if mean > 2 * sd:
        return Normal(_short(mean), _short(sd))
    spread = math.log1p((sd / mean) ** 2)
    return LogNormal(_short(math.log(mean) - spread / 2), _short(math.sqrt(spread)))


def _short(value: float) -> float:
    return float(f"{value:.4g}")
