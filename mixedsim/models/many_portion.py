"""What `ManyFits` needs of a part of its replicates, however they were fitted."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.many_estimates import Estimates

Floats = NDArray[np.float64]
Symbol = tuple[str, str, str]


class Portion(Protocol):
    """Some of the replicates of a `ManyFits`: s of them, in the units of the data."""

    @property
    def replicates(self) -> NDArray[np.intp]:
        """Their s numbers."""
        ...

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """(kind, group, term) of every parameter."""
        ...

    @property
    def theta(self) -> Floats:
        """s × K, as lme4 orders them."""
        ...

    @property
    def sigma(self) -> Floats:
        """s residual standard deviations."""
        ...

    @property
    def loglik(self) -> Floats:
        """s values."""
        ...

    @property
    def converged(self) -> NDArray[np.bool_]:
        """s booleans."""
        ...

    @property
    def singular(self) -> NDArray[np.bool_]:
        """s booleans."""
        ...

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        """s × p arrays."""
        ...

    def parameters(self, ddf: Ddf, level: float) -> Estimates:
        """s × m arrays."""
        ...
