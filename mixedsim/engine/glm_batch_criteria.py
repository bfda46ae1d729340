"""What Newton's method for many generalised fits needs of a criterion, whichever approximation it is."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import Layout
from mixedsim.engine.glm_batch_responses import ManyResponses
from mixedsim.engine.glm_batch_rows import ManyRows

Floats = NDArray[np.float64]
Which = NDArray[np.intp]
Some = NDArray[np.bool_]


class Evaluation(Protocol):
    """The criterion at one ψ for each of r replicates."""

    psi: Floats
    found: Some
    gradient: Floats

    @property
    def criterion(self) -> Floats:
        """r values; NaN is as good as not found."""
        ...

    @property
    def u(self) -> Floats:
        """Modes: q × J × r."""
        ...

    @property
    def mode_slopes(self) -> Floats:
        """Their derivatives by ψ: q × M × J × r."""
        ...

    @property
    def hessian(self) -> Floats:
        """Second derivatives: M × M × r."""
        ...

    @property
    def eta(self) -> Floats:
        """Linear predictors: m × J × r."""
        ...


class ManyCriteria(Protocol):
    """−2 log L of r replicates, less constants."""

    exact: ClassVar[bool]
    """Whether the second derivatives of an evaluation are exact, and not only near."""

    @property
    def rows(self) -> ManyRows:
        """Predictors."""
        ...

    @property
    def responses(self) -> ManyResponses:
        """Responses."""
        ...

    @property
    def layout(self) -> Layout:
        """Where θ stands in Λ."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """q, J and r."""
        ...

    def take(self, which: Which) -> Self:
        """The same for some of the replicates."""
        ...

    def evaluate(self, psi: Floats, begin: Floats) -> Evaluation:
        """Everything at ψ (M × r); the modes are sought from `begin`."""
        ...
