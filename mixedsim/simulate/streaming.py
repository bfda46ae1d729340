"""Drawing more data than memory holds: block by block, each from random numbers of its own.

A **block** is a fixed number of units of the first cluster, with all that lies in them and all that they meet. Its
random numbers come from streams that are named after the block's number too; so a block can be drawn without those
before it, and the data are the same however many blocks are held at a time, and by however many processes. Units of
other clusters (the items that all subjects meet) have the same values in every block: their streams carry no number.

How many units make a block depends on the population alone: as many as have about `BLOCK_ROWS` rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from mixedsim.simulate.fields import whole
from mixedsim.simulate.in_blocks import check_in_blocks
from mixedsim.simulate.layout import Layout, count_units, lay_out
from mixedsim.simulate.sample import columns_of
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Structure

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

BLOCK_ROWS: Final = 2**17  # few enough for a processor's cache, enough for the cost of a block not to count


@dataclass(frozen=True)
class BlockStreams(Streams):
    """The random numbers of one block.

    Attributes
    ----------
    block : its number, from 0.
    common : the first two words of the parts that have the same numbers in every block.
    """

    block: int
    common: frozenset[tuple[str, ...]]

    def generator(self, *part: str) -> np.random.Generator:
        if part[:2] in self.common:
            return super().generator(*part)
        return super().generator("block", str(self.block), *part)


@dataclass(frozen=True)
class Piece:
    """Some blocks in a row, and how many units of every cluster lie before them."""

    first: int
    last: int
    before: Mapping[str, int]


@dataclass(frozen=True)
class Blocks:
    """The blocks of one data set.

    Attributes
    ----------
    population, seed : what it is drawn from.
    units : how many units of the first cluster it has, in all.
    per_block : how many in a block; the last may have fewer.
    """

    population: Population
    seed: int
    units: int
    per_block: int

    def __len__(self) -> int:
        return math.ceil(self.units / self.per_block)

    @property
    def expected_rows(self) -> int:
        """Number of rows on average."""
        return round(self.units * _rows_a_unit(self.population.plan.structure))

    def pieces(self, rows: int) -> Iterator[Piece]:
        """All blocks in order, in pieces of about `rows` rows, at least one block each."""
        structure, common = self.population.plan.structure, _common(self.population)
        many = max(int(rows / (self.per_block * _rows_a_unit(structure))), 1)
        before: Mapping[str, int] = dict.fromkeys(structure.names, 0)
        for first in range(0, len(self), many):
            last = min(first + many, len(self))
            yield Piece(first, last, before)
            for block in range(first, last):
                units, _ = count_units(self._structure(block), BlockStreams(self.seed, block, common))
                before = self._after(before, units)

    def frame(self, piece: Piece) -> pd.DataFrame:
        """The data of a piece: clusters as whole numbers from 1, observed variables, response."""
        common, before, parts = _common(self.population), piece.before, []
        for block in range(piece.first, piece.last):
            streams = BlockStreams(self.seed, block, common)
            layout = lay_out(self._structure(block), streams)
            parts.append(columns_of(self.population, layout, streams, partial(_numbers, before=before)))
            before = self._after(before, layout.units)
        return pd.DataFrame({name: _joined([part[name] for part in parts]) for name in parts[0]}, copy=False)

    def _after(self, before: Mapping[str, int], units: Mapping[str, int]) -> dict[str, int]:
        """How many units lie before the next block; those outside the first tree are the same in every block."""
        outside = self.population.plan.structure.outside()
        return {name: many if name in outside else many + units[name] for name, many in before.items()}

    def _structure(self, block: int) -> Structure:
        return _with_units(self.population.plan.structure, min(self.per_block, self.units - block * self.per_block))


def blocks_of(population: Population, seed: int, rows: float | None = None) -> Blocks:
    """The `Blocks` of a data set of about `rows` rows; None for as many units as the population has.

    Raises
    ------
    FieldError
        If `rows` is no number of rows, or something in the population needs all data at once.
    """
    check_in_blocks(population)
    structure = population.plan.structure
    a_unit = _rows_a_unit(structure)
    units = structure.clusters[0].n
    assert isinstance(units, int)
    if rows is not None:
        units = max(round(whole(rows, ("rows",), low=1) / a_unit), 1)
    return Blocks(population, seed, units, per_block=max(round(BLOCK_ROWS / a_unit), 1))


def chunks(population: Population, seed: int, rows: float | None, chunk: int) -> Iterator[pd.DataFrame]:
    """The data of `blocks_of`, in frames of about `chunk` rows whose index runs on; see `Population.draw_chunks`."""
    blocks, size = blocks_of(population, seed, rows), whole(chunk, ("chunk",), low=1)
    return _indexed(blocks, size)


def _indexed(blocks: Blocks, size: int) -> Iterator[pd.DataFrame]:
    start = 0
    for piece in blocks.pieces(size):
        frame = blocks.frame(piece)
        frame.index = pd.RangeIndex(start, start + len(frame))
        start += len(frame)
        yield frame
        del frame  # before the next one is drawn


def _rows_a_unit(structure: Structure) -> float:
    """Rows that a unit of the first cluster has, on average."""
    return _with_units(structure, 1).expected_rows()


def _with_units(structure: Structure, units: int) -> Structure:
    """The same structure with so many units of the first cluster."""
    first, *others = structure.clusters
    return replace(structure, clusters=(replace(first, n=units), *others))


def _common(population: Population) -> frozenset[tuple[str, ...]]:
    """The parts that have the same random numbers in every block: all that is settled without the first tree."""
    plan = population.plan
    outside = plan.structure.outside()
    parts = [("clusters", name) for name in outside]
    for cluster in plan.structure.clusters:
        if cluster.name in outside and cluster.within is not None:  # trees meet cells of the first one, branches do not
            parts += [("sample", cluster.name), ("rotate", cluster.name)]
    parts += [("variables", name) for name, level in plan.levels.items() if level in outside]
    parts += [("ranef", term.group) for term in plan.terms if outside.issuperset(term.factors)]
    return frozenset(parts)


def _numbers(cluster: str, layout: Layout, before: Mapping[str, int]) -> Any:
    """A cluster's column: the number of the unit in every row, from 1, after so many units `before`."""
    return layout.to_rows(before[cluster] + np.arange(1, layout.units[cluster] + 1), layout.cells[cluster])


def _joined(columns: list[Any]) -> Any:
    """Columns below each other; categories are the same in every block."""
    if len(columns) == 1:
        return columns[0]
    if isinstance(columns[0], pd.Categorical):
        codes = np.concatenate([column.codes for column in columns])
        return pd.Categorical.from_codes(codes, dtype=columns[0].dtype, validate=False)
    return np.concatenate(columns)
