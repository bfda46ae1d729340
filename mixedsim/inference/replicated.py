"""Residuals and random effects of a fit, beside those of responses drawn from it.

Assumptions are judged by what they would look like if they held. Responses are drawn from the fitted model, and
residuals, fitted values and conditional modes are taken of each as of the data: with the coefficients and the residual
variance estimated anew, and the relative variances θ kept. So all of it is linear algebra on one factorisation, and
nothing is searched for; what is looked at is scaled to variance one, and hardly depends on θ any more.

In columns times √weight, with P as in `influence`, a conditional residual has variance ``σ²P_ii`` and a mode
``σ²(G − ΛM⁻¹Λ' − BW⁻¹B')``: both are divided by its root.

Where there are many rows, all levels of the largest factor that a sample of them has, with their rows, stand for the
whole: what is left when levels are taken away is a sample from the same model, so that tests stay exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from mixedsim.engine import Grouping, Problem, Profile, cross_products
from mixedsim.engine.structure import Absorbed, crossed, nested
from mixedsim.inference.influence import row_shares
from mixedsim.inference.responses import Rows, responses
from mixedsim.inference.whitened import Codes, Whitened, effects_and_codes, side_by_side
from mixedsim.simulate.streams import Streams

Floats = NDArray[np.float64]
_LEFT = 1e-8  # of a row's variance: what has less is fitted exactly, whatever the response
_VARIES = 1e-10  # of the variance of an effect: a mode that varies less is flat


@dataclass(frozen=True, eq=False)
class Replicated:
    """A fit and m − 1 drawn responses (n rows, the data in column 0).

    Attributes
    ----------
    used : n positions of rows in the design.
    sampled : whether these are not all rows.
    residual : n × m, of variance one under the model.
    left : n shares of σ² that residuals have: ``residual · √left`` are those of the fit over σ.
    fitted : n × m fitted values with random effects: in the units of the response, or on the scale of the link.
    effects : by (number of the factor, number of the effect) J × m modes of variance one under the model; none where
        the effect is flat.
    levels : for each factor the J positions of its levels that occur.
    codes : for each factor n numbers of these levels.
    """

    used: Codes
    sampled: bool
    residual: Floats
    left: Floats
    fitted: Floats
    effects: Mapping[tuple[int, int], Floats]
    levels: list[Codes]
    codes: list[Codes]


def replicate(
    rows: Rows,
    problem: Problem,
    at: Profile,
    y: Floats,
    *,
    offset: Floats | None,
    reml: bool,
    n: int,
    seed: int,
    most: int,
) -> Replicated:
    """Return the `Replicated` residuals of a linear mixed model.

    Parameters
    ----------
    rows, problem, at : the fit.
    y, offset : standardised responses of all rows, and their offset, if any.
    reml : whether σ² is over n − p.
    n, seed : how many responses to draw, and where the random numbers begin.
    most : rows beyond which levels are sampled.
    """
    z, codes = effects_and_codes(rows)
    used = sampled_rows(codes, most, seed)
    levels, codes = recoded([own[used] for own in codes])
    weights = None if rows.weights is None else rows.weights[used]
    x, z = rows.x[used], [own[used] for own in z]
    parts = [side_by_side(own, code, len(level)) for own, code, level in zip(z, codes, levels, strict=True)]
    here = Rows(x, tuple(parts), weights)
    drawn = np.concatenate([y[used, None], *responses(here, problem, at, n, seed)], axis=1)
    x = x[:, _independent(x)]
    groups = [Grouping(c, len(lv), tuple(own.T)) for own, c, lv in zip(z, codes, levels, strict=True)]
    cp = cross_products(groups, list(x.T), drawn, weights)
    lambdas = problem.layout.lambdas(at.theta)
    absorbed = (nested(cp) or crossed(cp)).absorb(lambdas)
    p = x.shape[1]
    w_inverse: Floats = np.asarray(np.linalg.inv(absorbed.ww[:p, :p])) if p else np.empty((0, 0))
    beta = w_inverse @ absorbed.ww[:p, p:]
    r2 = np.diag(absorbed.ww)[p:] - np.einsum("pm,pm->m", absorbed.ww[:p, p:], beta)
    sigma = np.sqrt(r2 / (len(x) - p if reml else len(x)))
    modes = absorbed.modes(np.concatenate([-beta, np.eye(drawn.shape[1])]))
    fitted = x @ beta
    for own, b in zip(here.z, modes, strict=True):
        fitted += own @ b.reshape(-1, b.shape[2])
    root = np.ones((len(x), 1)) if weights is None else np.sqrt(weights)[:, None]
    white = Whitened(x * root, [own * root for own in z], codes, np.empty(0))
    shares = row_shares(absorbed, lambdas, w_inverse, white)
    left = 1.0 - shares.random - shares.fixed
    kept = left > _LEFT
    residual = (drawn - fitted)[kept] * (root[kept] / np.sqrt(left[kept])[:, None]) / sigma
    scaling = problem.response
    shift = 0.0 if offset is None else offset[used[kept], None]
    return Replicated(
        used=used[kept],
        sampled=len(used) < len(y),
        residual=residual,
        left=left[kept] * (1.0 if weights is None else 1.0 / weights[kept]),
        fitted=scaling.centre + scaling.scale * fitted[kept] + shift,
        effects=_effects(problem, absorbed, lambdas, w_inverse, modes, sigma),
        levels=levels,
        codes=[own[kept] for own in codes],
    )


def _effects(
    problem: Problem,
    absorbed: Absorbed,
    lambdas: list[Floats],
    w_inverse: Floats,
    modes: list[Floats],
    sigma: Floats,
) -> dict[tuple[int, int], Floats]:
    """Modes in the columns of the data, over their standard deviations."""
    p = len(w_inverse)
    of_x = absorbed.modes(np.eye(len(absorbed.ww))[:, :p])
    out = {}
    for f, (t, lam, k, b, bx) in enumerate(
        zip(problem.varying, lambdas, absorbed.covariances(), modes, of_x, strict=True)
    ):
        half = t @ lam
        whole = (half**2).sum(axis=1)
        variance = whole - np.einsum("ab,jbc,ac->ja", t, k + bx @ w_inverse @ bx.transpose(0, 2, 1), t)
        turned = np.einsum("ab,jbm->ajm", t, b) / sigma
        for a in range(len(t)):
            known = variance[:, a] > _VARIES * whole[a]
            if whole[a] > 0 and known.sum() > 1:
                out[f, a] = turned[a][known] / np.sqrt(variance[known, a])[:, None]
    return out


def sampled_rows(codes: list[Codes], most: int, seed: int) -> Codes:
    """Rows to look at: all, or those of some levels of the factor with most levels, at most `most` of them.

    Where even a single level has more rows than that, rows are drawn.
    """
    n = len(codes[0])
    if n <= most:
        return np.arange(n)
    rng = Streams(seed).generator("diagnose", "rows")
    largest = max(codes, key=lambda own: int(own.max()))
    count = np.bincount(largest)
    order = rng.permutation(len(count))
    order = order[count[order] > 0]
    take = int(np.searchsorted(np.cumsum(count[order]), most, side="right"))
    if take < 2:
        return np.sort(rng.choice(n, most, replace=False))
    chosen = np.zeros(len(count), dtype=bool)
    chosen[order[:take]] = True
    return np.flatnonzero(chosen[largest])


def recoded(codes: list[Codes]) -> tuple[list[Codes], list[Codes]]:
    """For each factor the levels that occur, and each row's number among them."""
    found = [np.unique(own, return_inverse=True) for own in codes]
    return [levels for levels, _ in found], [own.astype(np.intp) for _, own in found]


def _independent(x: Floats) -> NDArray[np.intp]:
    """Columns that do not depend on others in these rows: a rare category may be missing from a sample."""
    if not x.shape[1]:
        return np.arange(0)
    r, order = qr(x, mode="r", pivoting=True)
    size = np.abs(np.diag(r[: x.shape[1]]))
    return np.sort(order[: int(np.count_nonzero(size > 1e-9 * size[0]))])
