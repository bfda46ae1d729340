"""Quantile residuals and random effects of a generalised fit, beside those of responses drawn from it.

As in `replicated`: θ is kept, coefficients and modes are found anew for the data and for each drawn response, by
penalised least squares (coefficients where the penalised loss is least: ``nagq=0``). Residuals are randomised quantile
residuals given the modes (Dunn & Smyth 1996, J. Comput. Graph. Stat. 5:236), modes are over the root of
``σ²(ΛΛ' − ΛM⁻¹Λ')``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.engine import Grouping
from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_factor import covariance_cells
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_pirls import Inner, InnerWithBeta, Mode, NoMode, find_mode
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.engine.glm_rows import Rows
from mixedsim.inference.glm_residuals import distribution
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.inference.replicated import Replicated, recoded, sampled_rows
from mixedsim.inference.whitened import Codes
from mixedsim.simulate.streams import Streams

Floats = NDArray[np.float64]
FamilyOfRows = Callable[[Floats, Codes], Family]
_LEAST = 2.0**-53  # a place cannot be told from 1 when it is nearer


def glm_replicate(
    problem: GlmProblem,
    objective: GlmObjective,
    at: GlmEvaluation,
    make: FamilyOfRows,
    y: Floats,
    *,
    trials: Floats | None,
    n: int,
    seed: int,
    most: int,
) -> Replicated:
    """Return the `Replicated` residuals of a generalised linear mixed model.

    Parameters
    ----------
    problem, objective, at : the fit.
    make : the family of responses on some of the rows.
    y, trials : responses of all rows (numbers of successes where there are trials), and those trials.
    n, seed : how many responses to draw, and where the random numbers begin; those without a mode are left out.
    most : rows beyond which levels are sampled.
    """
    whole = objective.rows
    used = sampled_rows(whole.codes, most, seed)
    levels, codes = recoded([own[used] for own in whole.codes])
    some = _rows_of(whole, used, codes, [len(own) for own in levels])
    size = dispersion(objective, at)
    start = _part_of(whole, at.u, levels)
    here = _Refits(objective, at, some, make, used, size, None if trials is None else trials[used], start)
    # drawn for all rows, so that a sample sees what the whole would
    drawn = [y[used, None]]
    drawn += [block[used] for block in generalized_responses(objective, at, trials, n, seed)]
    share = Streams(seed).generator("diagnose", "jumps")
    found = []
    for column in np.concatenate(drawn, axis=1).T:
        places = share.random(len(used))
        try:
            found.append(here(column, places))
        except (NoMode, np.linalg.LinAlgError):
            if not found:
                raise
    residual, eta, modes = (np.stack(parts, axis=-1) for parts in zip(*found, strict=True))
    return Replicated(
        used=used, sampled=len(used) < whole.n, residual=residual, left=np.ones(len(used)), fitted=eta,
        effects=_effects(problem, at, some, levels, modes, size), levels=levels, codes=codes,
    )  # fmt: skip


class _Refits:
    """Residuals, η and modes for one response after the other."""

    def __init__(
        self, objective: GlmObjective, at: GlmEvaluation, rows: Rows, make: FamilyOfRows, used: Codes, size: float,
        trials: Floats | None, start: Floats,
    ) -> None:  # fmt: skip
        self.at, self.rows, self.make, self.used, self.size, self.trials = at, rows, make, used, size, trials
        shape = GlmObjective(rows, make(np.asarray(objective.family.y[used]), used), objective.layout).shape
        complete = len(rows.x) > rows.p and np.linalg.matrix_rank(rows.x) == rows.p
        self.begin = np.concatenate([start, at.beta]) if complete else start
        fixed = rows.offset if complete else rows.offset + rows.x @ at.beta
        self.inner: Inner = (InnerWithBeta if complete else Inner)(rows, shape, at.lambdas, fixed)

    def __call__(self, y: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
        family = self.make(y, self.used)
        with np.errstate(all="ignore"):  # a step that leaves the range of the link is found out and halved
            mode: Mode = find_mode(self.inner, family, self.at.extra, self.begin)
        below, through = distribution(family, mode.point.mean, self.at.extra, self.size, self.trials)
        place = below + share * (through - below)
        residual = special.ndtri(np.clip(place, _LEAST, 1.0 - _LEAST))
        return np.asarray(residual), mode.eta, mode.vector[: self.rows.size]


def _rows_of(whole: Rows, used: Codes, codes: list[Codes], levels: list[int]) -> Rows:
    """Some of the rows, their levels numbered anew."""
    width = sum(q for _, q in whole.shapes)
    columns = whole.z.data.reshape(whole.n, width)[used]
    groups, begin = [], 0
    for (_, q), code, count in zip(whole.shapes, codes, levels, strict=True):
        groups.append(Grouping(code, count, tuple(columns[:, begin : begin + q].T)))
        begin += q
    return Rows(groups, whole.x[used], whole.offset[used])


def _part_of(whole: Rows, u: Floats, levels: list[Codes]) -> Floats:
    return np.concatenate([own[kept].ravel() for own, kept in zip(whole.split(u), levels, strict=True)])


def _effects(
    problem: GlmProblem, at: GlmEvaluation, rows: Rows, levels: list[Codes], modes: Floats, size: float
) -> dict[tuple[int, int], Floats]:
    """Modes in the columns of the data, over their standard deviations."""
    conditional = covariance_cells(at.inverse, at.lambdas).own
    out = {}
    for f, (part, (count, q)) in enumerate(zip(rows.parts, rows.shapes, strict=True)):
        t, lam = problem.linear.varying[f], at.lambdas[f]
        half = t @ lam
        whole = (half**2).sum(axis=1)
        variance = whole - np.einsum("ab,jbc,ac->ja", t, conditional[f][levels[f]], t)
        b = np.einsum("ab,jbm->ajm", half, modes[part].reshape(count, q, -1))
        for a in range(q):
            known = variance[:, a] > 1e-10 * whole[a]
            if whole[a] > 0 and known.sum() > 1:
                out[f, a] = b[a][known] / np.sqrt(size * variance[known, a])[:, None]
    return out
