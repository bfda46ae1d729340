"""A study as a job in blocks: what travels to other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from mixedsim.simulate.fingerprint import fingerprint
from mixedsim.study.analysis import Analyses, Analysis
from mixedsim.study.attempt import check_analyses
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.found import Found, Parameters, rows_of
from mixedsim.study.function_fitter import FunctionFitter
from mixedsim.study.generalized_fitter import GeneralizedFitter, fits_glmer
from mixedsim.study.lean import Lean
from mixedsim.study.meaning import meaning_of
from mixedsim.study.mixed_fitter import MixedFitter
from mixedsim.study.ordinal_fitter import OrdinalFitter, fits_clmm
from mixedsim.study.ordinary_fitter import OrdinaryFitter

Fitter = MixedFitter | GeneralizedFitter | OrdinalFitter | OrdinaryFitter | FunctionFitter
_SCHEME = 1  # of numbers and rows; another one is another study


@dataclass(frozen=True, eq=False)
class StudyJob(Lean):
    """Draws and what is fitted to them; see `mixedsim.study.jobs.Job`.

    A block is a fixed range of replicates that is always drawn and fitted as a whole, so that the same rows come out
    wherever, in whatever order and by however many it is done.
    """

    draws: Draws
    analyses: Analyses
    fitters: tuple[Fitter, ...]

    @classmethod
    def of(cls, draws: Draws, analyses: Analyses) -> StudyJob:
        """The job, once every analysis has been tried on a replicate."""
        check_analyses(draws.source, analyses)
        models: dict[Any, dict[str, Analysis]] = {}
        generalized: dict[Any, dict[str, Analysis]] = {}
        ordinal: dict[Any, dict[str, Analysis]] = {}
        fitters: list[Fitter] = []
        for name, one in analyses.items():
            if not isinstance(one, Analysis):
                fitters.append(FunctionFitter.of(draws, name, one))
            elif fits_clmm(draws.source, one):
                ordinal.setdefault((one.formula, one.nagq), {})[name] = one
            elif fits_glmer(draws.source, one):
                generalized.setdefault((one.formula, one.family, one.nagq), {})[name] = one
            elif one.is_mixed:
                models.setdefault((one.formula, one.reml), {})[name] = one
            else:
                fitters.append(OrdinaryFitter.of(draws, name, one))
        fitters += [MixedFitter.of(draws, same) for same in models.values()]
        fitters += [GeneralizedFitter.of(draws, same) for same in generalized.values()]
        fitters += [OrdinalFitter.of(draws, same) for same in ordinal.values()]
        return cls(draws, analyses, tuple(fitters))

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-len(self.draws) // self.draws.block_size)

    def replicates(self, block: int) -> int:
        """How many replicates a block holds; the last may have fewer."""
        size = self.draws.block_size
        return min(size, len(self.draws) - block * size)

    @cached_property
    def fingerprint(self) -> str:
        """64 hexadecimal digits for source, seed and analyses; the number of replicates does not count.

        Raises
        ------
        MixedsimError
            If the population or an analysis holds Python of which nobody can tell whether it is the same.
        """
        analyses = tuple((name, meaning_of(name, one)) for name, one in self.analyses.items())
        return fingerprint((_SCHEME, self.draws.meaning(), self.draws.block_size, analyses))

    @cached_property
    def parameters(self) -> Mapping[str, Parameters]:
        """Of every analysis, in the order in which they were given."""
        known = {name: found for fitter in self.fitters for name, found in fitter.parameters.items()}
        return {name: known[name] for name in self.analyses}

    def run(self, block: int) -> pd.DataFrame:
        """The rows of a block."""
        first = block * self.draws.block_size
        drawn = Block(self.draws, first, first + self.replicates(block))
        found: dict[str, Found] = {}
        for fitter in self.fitters:
            found |= fitter.fit(drawn)
        return rows_of({name: found[name] for name in self.analyses}, self.parameters, first, drawn.seeds)
