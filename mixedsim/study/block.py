"""A block of replicates, drawn together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import PopulationError
from mixedsim.study.draws import Draws
from mixedsim.study.fixed_design import frame_with

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """The replicates from `first` to before `last`, drawn when somebody asks for them."""

    draws: Draws
    first: int
    last: int

    @cached_property
    def seeds(self) -> NDArray[np.int64]:
        """One a replicate."""
        return self.draws.seeds_of(self.first, self.last)

    @cached_property
    def responses(self) -> Floats:
        """Rows × replicates, where they share their design."""
        design = self.draws.source.design
        assert design is not None
        try:
            return design.responses(self.seeds.tolist())
        except PopulationError:
            for k in range(len(self)):  # which one it was
                self._drawn(k)
            raise

    @cached_property
    def data(self) -> list[pd.DataFrame]:
        """The data of every replicate.

        Raises
        ------
        PopulationError
            If one cannot be drawn, with its number: to leave it out would be to study another population.
        """
        source = self.draws.source
        if source.design is not None:
            frame, design = source.sample(int(self.seeds[0])).data, source.design
            return [frame_with(frame, design.response, design.column(y)) for y in self.responses.T]
        return [self._drawn(k) for k in range(self.last - self.first)]

    def _drawn(self, k: int) -> pd.DataFrame:
        try:
            return self.draws.source.sample(int(self.seeds[k])).data
        except PopulationError as error:
            raise PopulationError(
                f"replicate {self.first + k} (seed {self.seeds[k]}) cannot be drawn: {error}"
            ) from None

    def __len__(self) -> int:
        return self.last - self.first
