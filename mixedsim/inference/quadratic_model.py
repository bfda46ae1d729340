"""What a gradient and a Hessian promise: the steps of a minimisation in which some coordinates stand still."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class QuadraticModel:
    """The quadratic model of the deviance over the open coordinates, with the absolute eigenvalues of its Hessian.

    ``gain`` is what a full step promises; steps are vectors of all coordinates, zero in those that are not open.
    """

    open: NDArray[np.intp]
    values: Floats
    vectors: Floats
    gradient: Floats
    gain: float

    @classmethod
    def of(cls, gradient: Floats, hessian: Floats, free: NDArray[np.intp]) -> QuadraticModel:
        values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
        model = cls(free, values, vectors, gradient, 0.0)
        return replace(model, gain=0.5 * float(gradient[free] @ model.solve(gradient[free])))

    @property
    def _largest(self) -> float:
        return float(np.abs(self.values).max(initial=1e-300))

    @property
    def is_saddle(self) -> bool:
        """Whether some direction curves downwards so much that following it would pay."""
        return bool(self.values.min(initial=0.0) < -1e-4 * self._largest)

    def solve(self, right: Floats) -> Floats:
        """``|H|⁻¹ right``; a flat direction counts as slightly curved."""
        size = np.maximum(np.abs(self.values), 1e-9 * self._largest)
        return np.asarray(self.vectors @ ((self.vectors.T @ right) / size))

    def newton(self) -> Floats:
        """The full step."""
        step = np.zeros(len(self.gradient))
        step[self.open] = -self.solve(self.gradient[self.open])
        return step

    def descents(self, reach: float) -> list[Floats]:
        """The full step, or as much of it as moves no coordinate further than `reach`, and its halves."""
        step = self.newton()
        step *= min(1.0, reach / float(np.abs(step).max()))
        return [0.5**k * step for k in range(30)]

    def escapes(self) -> list[Floats]:
        """Steps off a saddle, such as a standard deviation of zero that should no longer be one."""
        step = np.zeros(len(self.gradient))
        step[self.open] = self.vectors[:, 0]
        return [sign * far * step for far in (0.3, 0.1, 0.03) for sign in (1.0, -1.0)]
