"""New responses on an old design: drawing them from a fitted model, and what the likelihood needs of them.

A response changes three of the cross-products, ``Z'Wy, X'Wy, y'Wy``; the others are kept. Everything here is in the
standardised units of the engine and vectorised over responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixedsim.design import Design
from mixedsim.engine import CrossProducts, Problem, Profile
from mixedsim.scaling import Standardiser, scale_fixed, scale_varying
from mixedsim.simulate.streams import Streams

Floats = NDArray[np.float64]
_CHUNK = 4_000_000  # numbers in one block of responses: 32 MB, whatever the number of rows


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a design in standardised units (n rows, p fixed effects, F factors).

    Attributes
    ----------
    x : n × p fixed-effect columns.
    z : for each factor, n × (J_f q_f): row i holds its q effects in the columns of its level.
    weights : n prior weights, or None for equal ones.
    """

    x: Floats
    z: tuple[sparse.csr_array, ...]
    weights: Floats | None

    def products(self, y: Floats, cp: CrossProducts) -> CrossProducts:
        """Cross-products of the same design with other responses.

        Parameters
        ----------
        y : n × r standardised responses.
        cp : any cross-products of this design; all that does not depend on the response is shared with them.
        """
        weighted = y if self.weights is None else y * self.weights[:, None]
        zy = tuple(
            np.asarray(z.T @ weighted).reshape(*zz.shape[:2], -1) for z, zz in zip(self.z, cp.zz, strict=True)
        )
        return replace(cp, zy=zy, xy=self.x.T @ weighted, yy=np.einsum("ij,ij->j", weighted, y))


def standard_rows(design: Design, problem: Problem) -> Rows:
    """The rows behind the cross-products of `problem`, which was posed from `design`."""
    standardise = Standardiser(design.rows, design.weights)
    fixed = scale_fixed(design.x.columns, "Intercept" in design.x.names, standardise)
    x = np.empty((design.rows, problem.cp.p), order="F")
    for j, column in enumerate(fixed.columns):
        x[:, j] = column
    z = []
    for factor in design.factors:
        columns = [c for term in factor.terms for c in scale_varying(term.columns.columns, standardise)[0]]
        q = len(columns)
        values = np.empty((design.rows, q))
        for a, column in enumerate(columns):
            values[:, a] = column
        where = factor.codes[:, None] * q + np.arange(q)
        ends = np.arange(0, design.rows * q + 1, q)
        z.append(sparse.csr_array((values.ravel(), where.ravel(), ends), shape=(design.rows, len(factor.levels) * q)))
    return Rows(x, tuple(z), design.weights)


def responses(
    rows: Rows, problem: Problem, at: Profile, n: int, seed: int, modes: list[Floats] | None = None
) -> Iterator[Floats]:
    """Draw n responses from a fitted model, a block of columns at a time: rows × block, standardised.

    ``y* = Xβ̂ + Zb* + ε*`` with ``b* ~ N(0, σ̂²ΛΛ')`` and ``ε* ~ N(0, σ̂²W⁻¹)``.

    Parameters
    ----------
    rows, problem, at : design, shape of the random effects, and the fitted parameters.
    n : number of responses.
    seed : where the random numbers begin. Every factor and the residuals have a stream of their own, so that the
        first responses are the same however many are drawn.
    modes : random effects to keep (J_f × q_f each, standardised); None draws new ones for every response.
    """
    streams = Streams(seed)
    lambdas = problem.layout.lambdas(at.theta)
    of_factor = [streams.generator("simulate", "effects", str(f)) for f in range(len(lambdas))]
    of_rows = streams.generator("simulate", "residuals")
    sigma = np.sqrt(at.sigma2)
    size = sigma if rows.weights is None else sigma / np.sqrt(rows.weights)[:, None]
    mean = rows.x @ at.beta
    if modes is not None:
        mean = mean + sum(z @ b.ravel() for z, b in zip(rows.z, modes, strict=True))
    block = max(1, _CHUNK // max(len(rows.x), 1))
    for done in range(0, n, block):
        count = min(block, n - done)
        y = of_rows.standard_normal((count, len(rows.x))).T * size
        y += mean[:, None]
        if modes is None:
            for z, lam, rng in zip(rows.z, lambdas, of_factor, strict=True):
                u = rng.standard_normal((count, z.shape[1] // len(lam), len(lam)))
                y += z @ np.ascontiguousarray((u @ (sigma * lam.T)).reshape(count, -1).T)
        yield y
