"""How far a predicted mean may be from the truth, random effects included.

The prediction errors of β̂ and of the conditional modes b̂ have a joint covariance, the inverse of the coefficient
matrix of Henderson's mixed-model equations (Henderson 1975, Biometrics 31:423; McLean, Sanders & Stroup 1991,
Am. Stat. 45:54). With W = X'V⁻¹X, G = ΛΛ', B = GZ'V⁻¹X and V over σ²,

    Var(β̂ − β) = σ² W⁻¹,   Cov(β̂ − β, b̂ − b) = −σ² W⁻¹B',   Var(b̂ − b) = σ² (ΛM⁻¹Λ' + B W⁻¹B'),

so that the error of x'β̂ + z'b̂ has variance σ² [(x − B'z)'W⁻¹(x − B'z) + z'ΛM⁻¹Λ'z]. A level that the model has not seen
has b̂ = 0 and adds its full z'Σz instead.

Variances are estimates themselves. Intervals take Satterthwaite's degrees of freedom, ``2 v²/(g'Ag)`` with v the whole
variance, g its derivative by (θ, σ) and A their covariance, as `satterthwaite` does for fixed effects alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from mixedsim.engine import Objective, Profile
from mixedsim.engine.crossed import CrossedAbsorbed
from mixedsim.engine.dense import DenseAbsorbed
from mixedsim.engine.nested import NestedAbsorbed
from mixedsim.engine.structure import Absorbed
from mixedsim.inference.satterthwaite import Satterthwaite
from mixedsim.inference.variance_parameters import VarianceParameters

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_MATTERS = 1e-4  # share of a variance's gradient that lies along flat directions
_CHUNK = 20_000  # rows at a time: bounds the memory of what is gathered for them


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that are predicted, in standardised columns (n rows, p fixed effects, F factors).

    Attributes
    ----------
    x : n × p.
    z : for each factor n × q_f.
    codes : for each factor the level of every row, −1 where it plays no part in the prediction.
    unknown : for each factor, whether the row's own effect is part of what is predicted but not known: it adds z'Σz.
    noise : what one new observation of the row adds to the variance, over σ² (0 for the mean, else 1/weight).
    """

    x: Floats
    z: list[Floats]
    codes: list[Codes]
    unknown: list[NDArray[np.bool_]]
    noise: Floats

    def part(self, where: slice) -> Rows:
        """Some of the rows."""
        return Rows(
            self.x[where],
            [z[where] for z in self.z],
            [c[where] for c in self.codes],
            [u[where] for u in self.unknown],
            self.noise[where],
        )


def prediction_variance(objective: Objective, at: Profile, rows: Rows) -> Floats:
    """Return the variance of the prediction error of every row (standardised response): n values."""
    lambdas = objective.layout.lambdas(at.theta)
    p = objective.cp.p
    b = at.absorbed.modes(np.eye(p + 1)[:, :p])
    joint = joint_of(at.absorbed, lambdas)
    out = np.empty(len(rows.x))
    for start in range(0, len(out), _CHUNK):
        where = slice(start, start + _CHUNK)
        out[where] = _relative(rows.part(where), b, joint, at, lambdas)
    return at.sigma2 * out


def prediction_df(objective: Objective, at: Profile, parameters: VarianceParameters, rows: Rows) -> Floats:
    """Return Satterthwaite's degrees of freedom of `prediction_variance`: n values.

    Infinite where all is known; 0 where the variance cannot be told from the data, as in `Satterthwaite.df`: it changes
    along a direction of (θ, σ) in which the likelihood does not.

    Derivatives by θ are central differences: each needs two factorisations, whatever the number of rows.
    """
    variance = prediction_variance(objective, at, rows)
    slopes = np.empty((len(variance), len(at.theta) + 1))
    sigma2 = at.sigma2
    for k, value in enumerate(at.theta):
        step = 1e-4 * max(1.0, abs(value))
        ends = []
        for sign in (1.0, -1.0):
            moved = at.theta.copy()
            moved[k] += sign * step
            profile = objective.evaluate(moved)
            # σ is a parameter of its own here, not profiled out: the variance over σ² is what moves with θ
            ends.append(prediction_variance(objective, profile, rows) * (sigma2 / profile.sigma2))
        slopes[:, k] = (ends[0] - ends[1]) / (2.0 * step)
    slopes[:, -1] = 2.0 * variance / np.sqrt(sigma2)
    method = Satterthwaite.of(objective, at, parameters)
    doubt = np.einsum("nk,kl,nl->n", slopes, method.uncertainty, slopes)
    certain = doubt == 0  # nothing random at all, or nothing uncertain about its variance
    df = np.where(certain, np.inf, 2.0 * variance**2 / np.where(certain, 1.0, doubt))
    size = np.linalg.norm(slopes, axis=1, keepdims=True)
    return np.where((np.abs(slopes @ method.unknown) > _MATTERS * size).any(axis=1), 0.0, df)


def _relative(rows: Rows, b: list[Floats], joint: Joint, at: Profile, lambdas: list[Floats]) -> Floats:
    """Variances over σ², for a chunk of rows."""
    residual_x = rows.x.copy()
    out = rows.noise.copy()
    known = []
    for z, codes, unknown, modes, lam in zip(rows.z, rows.codes, rows.unknown, b, lambdas, strict=True):
        used = np.where((codes >= 0)[:, None], z, 0.0)
        residual_x -= np.einsum("nq,nqp->np", used, modes[codes])
        out += np.where(unknown, ((z @ lam) ** 2).sum(axis=1), 0.0)
        known.append(used)
    out += np.einsum("np,pr,nr->n", residual_x, at.w_inverse, residual_x)
    return np.asarray(out + joint.quadratic(known, rows.codes))


class Joint(Protocol):
    """``z'ΛM⁻¹Λ'z`` for rows that belong to one level of every factor (or to none)."""

    def quadratic(self, z: list[Floats], codes: Sequence[Codes]) -> Floats:
        """One value a row; z is zero where the code is −1."""
        ...


def joint_of(absorbed: Absorbed, lambdas: list[Floats]) -> Joint:
    """`Joint` for this shape of the factorisation."""
    if isinstance(absorbed, NestedAbsorbed):
        return _NestedJoint(absorbed, lambdas)
    if isinstance(absorbed, DenseAbsorbed):
        return _DenseJoint(absorbed)
    assert isinstance(absorbed, CrossedAbsorbed)
    return _CrossedJoint(absorbed)


def path_covariances(absorbed: NestedAbsorbed) -> list[Floats]:
    """For every stage the joint covariance ``ΛM⁻¹Λ'`` of a level's effects and those of all levels above it."""
    blocks = absorbed.blocks
    last = len(absorbed.stages) - 1
    paths: list[Floats] = [np.empty(0)] * (last + 1)
    for k in range(last, -1, -1):
        stage = absorbed.stages[k]
        if k == last:
            paths[k] = stage.k
            continue
        above = paths[k + 1][blocks.up[k, k + 1]]
        down = -stage.kc[:, :, : above.shape[1]]
        beside = down @ above
        own = stage.k + beside @ down.transpose(0, 2, 1)
        paths[k] = np.block([[own, beside], [beside.transpose(0, 2, 1), above]])
    return paths


class _NestedJoint:
    """Factors that nest: the joint covariance of a level with all levels above it, for every level.

    Rows whose levels do not lie on one path (they can be asked for, though no fitted row is like that) are solved for.
    """

    def __init__(self, absorbed: NestedAbsorbed, lambdas: list[Floats]) -> None:
        self.absorbed, self.lambdas = absorbed, lambdas
        self.paths = path_covariances(absorbed)

    def quadratic(self, z: list[Floats], codes: Sequence[Codes]) -> Floats:
        blocks = self.absorbed.blocks
        ordered = [codes[f] for f in blocks.order]
        out = np.zeros(len(codes[0]))
        left = np.ones(len(out), dtype=bool)
        for k in range(len(ordered)):
            mine = left & (ordered[k] >= 0)
            left &= ~mine
            consistent = mine.copy()
            for m in range(k + 1, len(ordered)):
                consistent &= ordered[m] == blocks.up[k, m][np.where(mine, ordered[k], 0)]
            side = np.concatenate([z[f][consistent] for f in blocks.order[k:]], axis=1)
            out[consistent] = np.einsum("na,nab,nb->n", side, self.paths[k][ordered[k][consistent]], side)
            stray = mine & ~consistent
            if stray.any():
                out[stray] = _solved(self.absorbed, self.lambdas, [v[stray] for v in z], [c[stray] for c in codes])
        return out


class _DenseJoint:
    """All effects in one matrix: their joint covariance is written down."""

    def __init__(self, absorbed: DenseAbsorbed) -> None:
        self.elements = absorbed.blocks.elements
        self.joint = absorbed.half_k.T @ absorbed.half_k

    def quadratic(self, z: list[Floats], codes: Sequence[Codes]) -> Floats:
        out = np.zeros(len(codes[0]))
        places = []
        for own, levels, part, (_, q) in zip(z, codes, self.elements.parts, self.elements.shapes, strict=True):
            begin = part.start + np.maximum(levels, 0) * q
            places += [(begin + a, own[:, a]) for a in range(q)]
        for column, value in places:
            for other, weight in places:
                out += value * weight * self.joint[column, other]
        return out


class _CrossedJoint:
    """Crossed factors: the dense part is inverted once, what ties the first factor to it is made block by block."""

    _CELLS = 2e7  # numbers in one such block

    def __init__(self, absorbed: CrossedAbsorbed) -> None:
        self.absorbed = absorbed
        blocks = absorbed.blocks
        lam = block_diag(
            *(np.kron(np.eye(j), absorbed.lambdas[f]) for f, (j, _) in zip(blocks.rest, blocks.shapes, strict=True))
        )
        half = absorbed.root_solve(lam.T)
        self.rest = half.T @ half
        self.own = absorbed.covariances()[blocks.first]

    def quadratic(self, z: list[Floats], codes: Sequence[Codes]) -> Floats:
        blocks = self.absorbed.blocks
        first = blocks.first
        out = np.einsum("na,nab,nb->n", z[first], self.own[codes[first]], z[first])
        places = []  # for every effect of the dense part: its column for each row, and the row's z
        for i, f in enumerate(blocks.rest):
            q = blocks.shapes[i][1]
            begin = int(blocks.start[i]) + np.maximum(codes[f], 0) * q
            places += [(begin + a, z[f][:, a]) for a in range(q)]
        for column, value in places:
            for other, weight in places:
                out += value * weight * self.rest[column, other]
        return np.asarray(out + 2.0 * self._beside(z[first], codes[first], places))

    def _beside(self, z: Floats, codes: Codes, places: list[tuple[Codes, Floats]]) -> Floats:
        """The part between the first factor and the others: ``−K A_1R (Λ_R M_R⁻¹Λ_R')``, level by level."""
        blocks = self.absorbed.blocks
        levels, q, _ = self.absorbed.k.shape
        out = np.zeros(len(codes))
        step = max(1, int(self._CELLS // (q * blocks.m)))
        for begin in range(0, levels, step):
            rows = np.flatnonzero((codes >= begin) & (codes < begin + step))
            if not len(rows):
                continue
            end = min(begin + step, levels)
            product = (blocks.a_1r[begin * q : end * q] @ self.rest).reshape(end - begin, q, blocks.m)
            at = codes[rows] - begin
            side = np.einsum("na,nab->nb", z[rows], self.absorbed.k[codes[rows]])
            for column, value in places:
                out[rows] -= value[rows] * np.einsum("nb,nb->n", side, product[at, :, column[rows]])
        return out


def _solved(absorbed: Absorbed, lambdas: list[Floats], z: list[Floats], codes: Sequence[Codes]) -> Floats:
    """``z'Gz − (Gz)'Z'V⁻¹Z(Gz)``, which is ``z'ΛM⁻¹Λ'z`` for any combination of levels."""
    shapes = [m.shape[:2] for m in absorbed.modes(np.empty((len(absorbed.ww), 0)))]
    out = np.empty(len(z[0]))
    for start in range(0, len(out), 64):
        rows = slice(start, start + 64)
        count = len(out[rows])
        vectors, gzz = [], np.zeros(count)
        for own, level, lam, (j, q) in zip(z, codes, lambdas, shapes, strict=True):
            half = own[rows] @ lam
            gz = half @ lam.T
            gzz += (half**2).sum(axis=1)
            v = np.zeros((j, q, count))
            on = np.flatnonzero(level[rows] >= 0)
            v[level[rows][on], :, on] = gz[on]
            vectors.append(v)
        out[rows] = gzz - np.diag(absorbed.inner(vectors)[0])
    return out
