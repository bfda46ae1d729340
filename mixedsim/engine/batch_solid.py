"""Inverses of many symmetric matrices that may be flat in some directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_small import clear_inverse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SolidInverse:
    """Inverses of symmetric n × n matrices on the directions in which they are solid (m replicates, last axis).

    Attributes
    ----------
    inverse : n × n × m.
    lowest, highest : m least and greatest eigenvalues, as 1 and 1 where a matrix is positive definite beyond doubt.
    doubtful : numbers of the others, u of them.
    vectors : u × n × n, their eigenvectors in columns.
    flat : u × n booleans: which of these directions are not solid.
    """

    inverse: Floats
    lowest: Floats
    highest: Floats
    doubtful: NDArray[np.intp]
    vectors: Floats
    flat: Bools

    @classmethod
    def of(cls, matrices: Floats, is_solid: Callable[[Floats], Bools]) -> SolidInverse:
        """The inverses of n × n × m matrices; `is_solid` looks at u × n eigenvalues."""
        inverse, clear = clear_inverse(matrices)
        doubtful = np.flatnonzero(~clear)
        lowest, highest = np.ones(matrices.shape[2]), np.ones(matrices.shape[2])
        values, vectors = np.linalg.eigh(np.moveaxis(matrices[..., doubtful], -1, 0))
        solid = is_solid(values)
        if len(doubtful):
            over = np.where(solid, 1.0, 0.0) / np.where(solid, values, 1.0)
            inverse[..., doubtful] = np.einsum("ukn,un,uln->klu", vectors, over, vectors)
            lowest[doubtful], highest[doubtful] = values[:, 0], values[:, -1]
        return cls(inverse, lowest, highest, doubtful, vectors, ~solid)

    def unknown(self, along: Floats, unit: Floats, tolerance: float) -> Bools:
        """Which vectors (c × n × m) have more than the share `tolerance` of their length along a flat direction.

        `unit` (n × m) takes the eigenvectors to the units of the vectors.
        """
        out = np.zeros((along.shape[0], along.shape[2]), dtype=bool)
        if not len(self.doubtful):
            return out
        few = along[..., self.doubtful]
        directions = self.vectors * unit[:, self.doubtful].T[:, :, None]
        directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        parts = np.abs(np.einsum("cku,ukn->cun", few, directions))
        length = np.linalg.norm(few, axis=1)
        out[:, self.doubtful] = ((parts > tolerance * length[..., None]) & self.flat).any(axis=2)
        return out
