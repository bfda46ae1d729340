"""Least squares in a block of replicates, on rows or on group means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.design import Design, build
from mixedsim.errors import DataError, MixedsimError
from mixedsim.formula import parse
from mixedsim.inference.many_estimates import Estimates
from mixedsim.study.absorbed import Absorbed
from mixedsim.study.analysis import Analysis
from mixedsim.study.attempt import attempted, shares_design
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import Found, Parameters
from mixedsim.study.group_means import Grouping, group_means
from mixedsim.study.lean import Lean
from mixedsim.study.ordinary import undetermined
from mixedsim.study.regressions import AllColumns, Solved, Way
from mixedsim.study.true_values import truth_for

_PORTION = 4_000_000  # numbers of the columns that are factorised at a time: 32 MB
_ANOTHER = (
    "the model of this data set has other coefficients than that of the others, because a category or a predictor does "
    "not vary in it as it does there."
)


@dataclass(frozen=True, eq=False)
class OrdinaryFitter(Lean):
    """One regression.

    Attributes
    ----------
    draws : what is fitted.
    name, analysis : what is asked.
    names : of its coefficients.
    way : how it is done.
    pattern : a replicate that it fits.
    undetermined : the coefficients that its columns do not determine, though they have an estimate.
    """

    draws: Draws
    name: str
    analysis: Analysis
    names: tuple[str, ...]
    way: Way
    pattern: int
    undetermined: tuple[str, ...]

    @classmethod
    def of(cls, draws: Draws, name: str, analysis: Analysis) -> OrdinaryFitter:
        """The fitter of an analysis, once a replicate has shown what its coefficients are."""
        pattern, (names, way, unknown) = attempted(
            draws, name, lambda data: _tried(analysis, data), lambda found: not found[2]
        )
        return cls(draws, name, analysis, names, way, pattern, unknown)

    @property
    def parameters(self) -> Mapping[str, Parameters]:
        """Its coefficients and σ; the σ of means of different numbers of rows is none of the source's."""
        source, means = self.draws.source, self.analysis.aggregate is not None
        truth = truth_for(
            self.analysis.parsed, parse(source.formula), source.truth, means=means, undetermined=self.undetermined
        )
        if means:
            truth = {symbol: value for symbol, value in truth.items() if symbol[0] != "sigma"}
        symbols = [*(("fixed", "", name) for name in self.names), ("sigma", "", "sigma")]
        return {self.name: Parameters.of(symbols, truth)}

    def fit(self, block: Block) -> Mapping[str, Found]:
        """What it found in the replicates of a block."""
        return {self.name: self._apart(block) if self._shared is None else self._together(block)}

    @cached_property
    def _shared(self) -> tuple[Design, Grouping | None] | None:
        """The design of all replicates; None if each has its own, or the model has another response."""
        if not shares_design(self.draws.source, self.analysis):
            return None
        return self._design(Block(self.draws, self.pattern, self.pattern + 1).data[0])

    def _design(self, data: pd.DataFrame) -> tuple[Design, Grouping | None]:
        """The rows of the regression, and how the rows of the data became these."""
        rows, grouping = _aggregated(self.analysis, data)
        return self.way.design(rows), grouping

    def _together(self, block: Block) -> Found:
        """One design, and all responses at once."""
        assert self._shared is not None
        design, grouping = self._shared
        columns = self.way.columns(design)
        assert columns is not None
        y = block.responses if grouping is None else grouping.means(block.responses)
        solved = self.way.solved(np.ascontiguousarray(y[design.used].T), *(one[None] for one in columns))
        everyone = np.ones(len(block), dtype=bool)
        return Found(self._estimates(solved, design.rows), everyone, ~everyone, {})

    def _apart(self, block: Block) -> Found:
        """One design a replicate; those with equally many rows are solved side by side, a portion at a time."""
        out = Estimates.empty(len(block), len(self.names) + 1)
        failures: dict[int, str] = {}
        waiting: dict[int, list[tuple[int, Design, tuple[Any, ...]]]] = {}
        for k, data in enumerate(block.data):
            try:
                design, _ = self._design(data)
            except MixedsimError as error:
                failures[k] = str(error)
                continue
            columns = self.way.columns(design)
            if columns is None or design.rows <= len(self.names):
                failures[k] = _ANOTHER if columns is None else _too_few(design.rows, len(self.names), self.analysis)
                continue
            same = waiting.setdefault(design.rows, [])
            same.append((k, design, columns))
            if len(same) * columns[0].size >= _PORTION:
                self._solve(waiting.pop(design.rows), out, failures)
        for same in waiting.values():
            self._solve(same, out, failures)
        fitted = np.ones(len(block), dtype=bool)
        fitted[list(failures)] = False
        return Found(out, fitted, np.zeros(len(block), dtype=bool), failures)

    def _solve(self, same: list[tuple[int, Design, tuple[Any, ...]]], out: Estimates, failures: dict[int, str]) -> None:
        """Fill in the replicates of designs with equally many rows."""
        where = np.array([k for k, _, _ in same])
        columns = (np.stack(each) for each in zip(*(one for _, _, one in same), strict=True))
        solved = self.way.solved(np.stack([design.y for _, design, _ in same]), *columns)
        out.put(where, self._estimates(solved, same[0][1].rows))
        failures |= dict.fromkeys(where[solved.dependent].tolist(), _ANOTHER)

    def _estimates(self, solved: Solved, rows: int) -> Estimates:
        return solved.estimates(rows, level=self.analysis.level, normal=self.analysis.ddf == "wald")


def _tried(analysis: Analysis, data: pd.DataFrame) -> tuple[tuple[str, ...], Way, tuple[str, ...]]:
    """The names of the coefficients that a data set gives, the way to them, and the names of those it leaves open."""
    rows, _ = _aggregated(analysis, data)
    design = build(analysis.parsed, rows, mixed=False)
    way = AllColumns.of(design)
    if design.rows <= len(way.kept):
        raise DataError(_too_few(design.rows, len(way.kept), analysis))
    names = tuple(design.x.names[j] for j in way.kept)
    unknown = tuple(design.x.names[j] for j in undetermined(design.x.matrix(), way.kept))
    absorbed = None if unknown else Absorbed.of(analysis.parsed, design, rows)
    return names, absorbed or way, unknown


def _aggregated(analysis: Analysis, data: pd.DataFrame) -> tuple[pd.DataFrame, Grouping | None]:
    if analysis.aggregate is None:
        return data, None
    return group_means(data, analysis.aggregate, sorted(analysis.parsed.variables))


def _too_few(rows: int, coefficients: int, analysis: Analysis) -> str:
    what = "rows" if analysis.aggregate is None else "group means"
    return (
        f"{rows} {what} cannot carry {coefficients} coefficients and a residual: use more of them, or fewer predictors."
    )
