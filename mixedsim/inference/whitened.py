"""The rows of a linear mixed model in standardised columns, each times the root of its weight: ``V = I + ZΛΛ'Z'``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.engine import Objective, Profile
from mixedsim.inference.responses import Rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Whitened:
    """n rows (p fixed effects, F factors), every column times √weight.

    Attributes
    ----------
    x : n × p.
    z : for each factor n × q_f.
    codes : for each factor n level numbers.
    residual : n conditional residuals, ``y − Xβ̂ − Zb̂``.
    """

    x: Floats
    z: list[Floats]
    codes: list[Codes]
    residual: Floats


def whitened(rows: Rows, objective: Objective, at: Profile, y: Floats) -> Whitened:
    """Return the `Whitened` rows of a fit.

    Parameters
    ----------
    rows : the rows in standardised columns.
    objective, at : criterion and optimum.
    y : n standardised responses.
    """
    z, codes = effects_and_codes(rows)
    residual = y - rows.x @ at.beta
    for own, level, modes in zip(z, codes, objective.modes(at), strict=True):
        residual -= np.einsum("nq,nq->n", own, modes[level])
    if rows.weights is None:
        return Whitened(rows.x, z, codes, residual)
    root = np.sqrt(rows.weights)
    return Whitened(rows.x * root[:, None], [own * root[:, None] for own in z], codes, residual * root)


def effects_and_codes(rows: Rows) -> tuple[list[Floats], list[Codes]]:
    """For each factor the n × q_f columns that vary, and the level of every row."""
    z, codes = [], []
    for own in rows.z:
        n = own.shape[0]
        q = len(own.data) // n
        z.append(own.data.reshape(n, q))
        codes.append((own.indices.reshape(n, q)[:, 0] // q).astype(np.intp))
    return z, codes


def side_by_side(z: Floats, codes: Codes, levels: int) -> sparse.csr_array:
    """The effects of one factor in the columns of their level: n × (levels · q)."""
    n, q = z.shape
    where = codes[:, None] * q + np.arange(q)
    return sparse.csr_array((z.ravel(), where.ravel(), np.arange(0, n * q + 1, q)), shape=(n, levels * q))
