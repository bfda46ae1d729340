"""Modes of the random effects of many replicates: `glm_pirls`, for all levels of all replicates at once.

Levels of one grouping factor know nothing of each other, so that each has its own step, and its own halving. Which
steps are taken, and when they end, is as in `glm_pirls`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_small import inverse_and_logdet
from mixedsim.engine.glm_batch_responses import ManyResponses
from mixedsim.engine.glm_batch_rows import ManyRows
from mixedsim.engine.glm_points import Point

Floats = NDArray[np.float64]
_CLOSE = 1e-9  # as in `glm_pirls`
_ARRIVED = 1e-22
_ITERATIONS = 60
_HALVINGS = 40
_NOISE = 1e-13
_PACKED = 0.5  # share of replicates still on their way below which the others are left behind


class Varying:
    """What multiplies the spherical effects u: ``D_c = Σ_a λ_ac z_a``.

    Parameters
    ----------
    columns : q arrays that broadcast to m × J × r.
    """

    def __init__(self, columns: list[Floats]) -> None:
        self.columns = columns

    @classmethod
    def of(cls, rows: ManyRows, lam: Floats) -> Varying:
        """That of Λ (q × q × r)."""
        q = len(rows.z)
        return cls([sum((lam[a, c] * rows.z[a] for a in range(c + 1, q)), lam[c, c] * rows.z[c]) for c in range(q)])

    def take(self, which: NDArray[np.intp]) -> Varying:
        """The same for some of the replicates."""
        return Varying([column[..., which] for column in self.columns])

    def spread(self, vectors: Floats) -> Floats:
        """``Σ_c D_c v_c`` for q × J × r values: m × J × r, or what broadcasts to it."""
        rest = (d * v for d, v in zip(self.columns[1:], vectors[1:], strict=True))
        return np.asarray(sum(rest, self.columns[0] * vectors[0]))

    def pulled(self, values: Floats) -> Floats:
        """``Σ_i D_c v_i`` over the rows of every level: q × J × r."""
        return pulled(self.columns, values)

    def grams(self, weights: Floats) -> Floats:
        """``Σ_i w_i D_c D_d``: q × q × J × r."""
        return grams(self.columns, weights)


def pulled(columns: list[Floats] | tuple[Floats, ...], values: Floats) -> Floats:
    """Sums of columns times values over the rows of every level: q × J × r."""
    total = values.sum(axis=0) if any(len(d) == 1 for d in columns) else values
    return np.stack([d[0] * total if len(d) == 1 else np.einsum("mjr,mjr->jr", d, values) for d in columns])


def grams(columns: list[Floats] | tuple[Floats, ...], weights: Floats) -> Floats:
    """Sums of products of two columns, weighted, over the rows of every level: q × q × J × r."""
    q = len(columns)
    out = np.empty((q, q, *weights.shape[1:]))
    for a in range(q):
        out[a, : a + 1] = pulled(columns[: a + 1], weights if len(columns[a]) == 1 else weights * columns[a])
        if len(columns[a]) == 1:
            out[a, : a + 1] *= columns[a][0]
        out[: a + 1, a] = out[a, : a + 1]
    return out


def inverse_of_m(gram: Floats) -> tuple[Floats, Floats]:
    """The inverse of ``M = Σ_i w_i D D' + I`` of every level, with log|M|; NaN where it is not positive definite."""
    m = gram.copy()
    for c in range(len(m)):
        m[c, c] += 1.0
    return inverse_and_logdet(m)


def times(matrices: Floats, vectors: Floats) -> Floats:
    """q × q × J × r matrices times q × ... × J × r vectors."""
    if len(matrices) == 1:
        return np.asarray(matrices[0, 0] * vectors)
    return np.asarray(np.einsum("cdjr,d...jr->c...jr", matrices, vectors))


@dataclass(frozen=True, eq=False)
class ManyModes:
    """Where the penalised loss of every level is least.

    Attributes
    ----------
    u : q × J × r.
    eta, point : the rows there.
    inverse : of the second derivatives of half the penalised loss, q × q × J × r.
    found : r booleans, whether these are modes.
    """

    u: Floats
    eta: Floats
    point: Point
    inverse: Floats
    found: NDArray[np.bool_]


def many_modes(varying: Varying, responses: ManyResponses, fixed: Floats, begin: Floats) -> ManyModes:
    """Return the `ManyModes`.

    Parameters
    ----------
    varying : D.
    responses : of r replicates.
    fixed : offset + Xβ, m × J × r.
    begin : u from which to seek, q × J × r.
    """
    search = _Search(varying, responses, fixed, begin)
    who, u, found = np.arange(begin.shape[-1]), begin.copy(), np.zeros(begin.shape[-1], dtype=bool)
    for _ in range(_ITERATIONS):
        done, lost = search.step()
        u[..., who], found[who] = search.u, done
        left = ~done & ~lost
        if not left.any():
            break
        if left.mean() < _PACKED:
            who, search = who[left], search.take(np.flatnonzero(left))
    if len(who) < len(found):
        search = _Search(varying, responses, fixed, u)
    return ManyModes(u, search.eta, search.point, _curvature(varying, search.point), found)


class _Search:
    """Newton's steps of all levels of some replicates, from where they stand.

    Attributes
    ----------
    u, eta, point, loss : where they stand, with the penalised loss of every level.
    """

    def __init__(self, varying: Varying, responses: ManyResponses, fixed: Floats, u: Floats) -> None:
        self.varying, self.responses, self.fixed, self.u = varying, responses, fixed, u
        self._look()

    def _look(self) -> None:
        self.eta = self.fixed + self.varying.spread(self.u)
        self.point = self.responses.at(self.eta)
        self.loss = np.asarray(self.point.losses.sum(axis=0) + np.einsum("cjr,cjr->jr", self.u, self.u))

    def take(self, which: NDArray[np.intp]) -> _Search:
        """The same for some of the replicates."""
        part = self.varying.take(which), self.responses.take(which), self.fixed[..., which]
        return _Search(*part, self.u[..., which])

    def step(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """One step of all; who has arrived with it, and who will never."""
        slope = self.varying.pulled(self.point.score) - self.u
        step = times(_curvature(self.varying, self.point), slope)
        gain = np.einsum("cjr,cjr->r", slope, step)
        lost = ~np.isfinite(gain)
        arrived = gain <= _ARRIVED
        if (arrived | lost).all():
            return arrived, lost
        before, limit = self.u, self.loss + _NOISE * (1.0 + np.abs(self.loss.sum(axis=0)))
        self.u = before + step
        self._look()
        worse = ~(self.loss <= limit) & ~lost
        if worse.any():
            some = np.flatnonzero(worse.any(axis=0))
            shorter, stuck = self._halved(some, before[..., some], step[..., some], limit[:, some])
            lost[some] |= stuck
            self.u[..., some] = shorter
            self._look()
        return (arrived | (gain <= _CLOSE)) & ~lost, lost

    def _halved(
        self, some: NDArray[np.intp], before: Floats, step: Floats, limit: Floats
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Where the levels of some replicates stand after half, a quarter ... of a step where their loss would rise."""
        search = self.take(some)
        for _ in range(_HALVINGS):
            worse = ~(search.loss <= limit)
            if not worse.any():
                break
            step = np.where(worse, 0.5 * step, step)
            search.u = before + step
            search._look()
        return search.u, np.asarray(worse.any(axis=0))


def _curvature(varying: Varying, point: Point) -> Floats:
    """The inverse of the observed M, or of the expected one where that is not positive definite."""
    inverse, logdet = inverse_of_m(varying.grams(point.observed))
    if point.observed is point.fisher or not np.isnan(logdet).any():
        return inverse
    expected, _ = inverse_of_m(varying.grams(point.fisher))
    return np.where(np.isnan(logdet), expected, inverse)
