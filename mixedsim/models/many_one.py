"""One replicate of many with a fit of its own, of whatever kind the model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.linear_estimates import LinearEstimates

Floats = NDArray[np.float64]
Fit = TypeVar("Fit", LinearEstimates, GeneralizedEstimates)


@dataclass(frozen=True, eq=False)
class One(Generic[Fit]):
    """What every such replicate says of itself: see `many_portion.Portion`."""

    replicate: int
    fit: Fit

    @property
    def replicates(self) -> NDArray[np.intp]:
        return np.array([self.replicate], dtype=np.intp)

    @property
    def theta(self) -> Floats:
        return self.fit.theta[None]

    @property
    def sigma(self) -> Floats:
        return np.array([self.fit.sigma])

    @property
    def loglik(self) -> Floats:
        return np.array([self.fit.loglik])

    @property
    def converged(self) -> NDArray[np.bool_]:
        return np.array([self.fit.converged])

    @property
    def singular(self) -> NDArray[np.bool_]:
        return np.array([self.fit.singular])
