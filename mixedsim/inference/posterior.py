"""A Gibbs sampler for linear mixed models that never looks at the rows.

Given the covariances Σ and σ, fixed and random effects are drawn together: β from its marginal posterior
``N(β̂, σ²(X'V⁻¹X)⁻¹)``, then b given β, so that the two never chase each other. Given the effects, Σ and σ have
conjugate updates. All that these steps need of the data are their cross-products.

Priors, weak and stated in the units of the data (s_y is the response's standard deviation, s_x a column's):

* β: flat;
* each standard deviation of a term with q effects: half-t with ν = 2 degrees of freedom and scale A = 5 s_y/s_x, and
  correlations uniform on [−1, 1] for q = 2, by the inverse-Wishart mixture of Huang & Wand (2013), Bayesian Analysis
  8(2):439, section 2: ``Σ | a ~ IW(ν + q − 1, 2ν diag(1/a))``, ``a_k ~ IG(1/2, 1/A_k²)``;
* σ: half-t with 2 degrees of freedom and scale 5 s_y, by the same mixture with q = 1.

Sampler: Gelfand & Smith (1990), JASA 85:398; blocking of β and b: Chib & Carlin (1999), Statistics and Computing 9:17.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import CrossProducts, Objective, Problem
from mixedsim.engine.threads import threads_for

Floats = NDArray[np.float64]
_NU = 2.0
_FAR = 20.0  # a stretch by e²⁰ is as good as any larger one
_WIDE = 5.0  # prior scale of every standard deviation, in standardised units


@dataclass(frozen=True, eq=False)
class PosteriorDraws:
    """Draws in standardised units (C chains, D draws each, p fixed effects, F factors).

    Attributes
    ----------
    beta : C × D × p.
    covariances : for each factor, C × D × q × q: Σ itself, not over σ².
    sigma : C × D.
    """

    beta: Floats
    covariances: list[Floats]
    sigma: Floats


def gibbs(
    problem: Problem, objective: Objective, theta: Floats, *, draws: int, warmup: int, rngs: list[np.random.Generator]
) -> PosteriorDraws:
    """Run one chain for each generator in `rngs`.

    Parameters
    ----------
    problem, objective : the model; its criterion (REML or ML) does not matter.
    theta : where the chains start from, overdispersed around it.
    draws, warmup : kept and discarded iterations a chain.
    """
    # Inside, predictors are centred. The prior is of effects where the data have their zero: an intercept and slope
    # that are uncorrelated there are not at the predictor's mean.
    zeros = [np.asarray(t / np.diag(t)[:, None]) for t in problem.varying]
    chains = []
    with threads_for(objective.blocks.dense_size):
        for rng in rngs:
            chain = _Chain(objective, theta, zeros, rng)
            for _ in range(warmup):
                chain.step()
            kept = []
            for _ in range(draws):
                chain.step()
                kept.append((chain.beta, chain.covariances, chain.sigma))
            chains.append(kept)
    factors = range(len(objective.layout.factors))
    return PosteriorDraws(
        beta=np.array([[beta for beta, _, _ in kept] for kept in chains]),
        covariances=[np.array([[covariances[f] for _, covariances, _ in kept] for kept in chains]) for f in factors],
        sigma=np.array([[sigma for _, _, sigma in kept] for kept in chains]),
    )


class _Chain:
    """The state of one chain, and how it moves."""

    def __init__(self, objective: Objective, theta: Floats, zeros: list[Floats], rng: np.random.Generator) -> None:
        self.objective, self.zeros, self.rng = objective, zeros, rng
        self.terms = [_slices(shape.terms) for shape in objective.layout.factors]
        begin = objective.evaluate(theta)
        self.sigma = float(np.sqrt(begin.sigma2)) * float(np.exp(0.3 * rng.standard_normal()))
        self.beta = begin.beta
        self.covariances = []
        for lam, terms in zip(objective.layout.lambdas(theta), self.terms, strict=True):
            spread = begin.sigma2 * float(np.exp(0.6 * rng.standard_normal())) * (lam @ lam.T)
            own = np.zeros_like(spread)
            for where in terms:  # a singular estimate would hold the chain at zero
                own[where, where] = spread[where, where] + 0.05 * begin.sigma2 * np.eye(len(spread[where]))
            self.covariances.append(own)

    def step(self) -> None:
        """One sweep: (β, b) given Σ and σ, then Σ given b, then both stretched, then σ given β and b."""
        modes = self._effects()
        for f, terms in enumerate(self.terms):
            for where in terms:
                mixing = self._covariance(modes[f][:, where], f, where)
                self._stretch(modes, f, where, mixing)
        cp = self.objective.cp
        rss = _residual_sum_of_squares(self.objective, cp, self.beta, modes)
        mixing = _inverse_gamma(self.rng, 0.5 * (_NU + 1.0), _NU / self.sigma**2 + 1.0 / _WIDE**2)
        variance = _inverse_gamma(self.rng, 0.5 * (_NU + cp.n), _NU / mixing + 0.5 * rss)
        self.sigma = float(np.sqrt(variance))

    def _effects(self) -> list[Floats]:
        lambdas: list[Floats] = [np.asarray(np.linalg.cholesky(s) / self.sigma) for s in self.covariances]
        absorbed = self.objective.blocks.absorb(lambdas)
        p = self.objective.cp.p
        root = np.linalg.cholesky(absorbed.ww[:p, :p]) if p else np.empty((0, 0))
        centre = np.linalg.solve(absorbed.ww[:p, :p], absorbed.ww[:p, p]) if p else np.empty(0)
        step = self.sigma * np.linalg.solve(root.T, self.rng.standard_normal(p)) if p else np.empty(0)
        self.beta = np.asarray(centre + step)
        contrast = np.append(-self.beta, 1.0) / self.sigma
        return [self.sigma * b for b in absorbed.draw(contrast, self.rng)]

    def _covariance(self, b: Floats, f: int, where: slice) -> Floats:
        """Huang & Wand's update of one term's Σ; returns a, on which the prior of Σ depends."""
        q = b.shape[1]
        u = self.zeros[f][where, where]
        at_zero = b @ u.T
        mixing = _inverse_gamma(self.rng, 0.5 * (_NU + q), _NU * self._precision(f, where) + 1.0 / _WIDE**2)
        found = _inverse_wishart(
            self.rng, _NU + q - 1.0 + len(b), at_zero.T @ at_zero + 2.0 * _NU * np.diag(1.0 / mixing)
        )
        half = np.linalg.solve(u, np.linalg.cholesky(found))
        updated = self.covariances[f].copy()
        updated[where, where] = half @ half.T
        self.covariances = [updated if g == f else old for g, old in enumerate(self.covariances)]
        return mixing

    def _precision(self, f: int, where: slice) -> Floats:
        """The diagonal of ``Σ⁻¹`` of one term, of effects at the data's zero."""
        u = self.zeros[f][where, where]
        return np.asarray(np.diag(np.linalg.inv(u @ self.covariances[f][where, where] @ u.T)))

    def _stretch(self, modes: list[Floats], f: int, where: slice, mixing: Floats) -> None:
        """Multiply one term's effects by c and its Σ by c², with c drawn from its conditional distribution.

        Where a variance is small, effects and variance hold each other down and plain Gibbs steps crawl; moving both
        at once does not (Liu & Wu 1999, JASA 94:1264; Yu & Meng 2011, J. Comput. Graph. Stat. 20:531). Under the
        scale group the density of c is that of the data, Gaussian in c, times the prior of c²Σ and the Jacobian.
        """
        own = [np.zeros_like(b) for b in modes]
        own[f][:, where] = modes[f][:, where]
        objective, cp = self.objective, self.objective.cp
        zzb = objective.blocks.times_zz([np.stack([b, o], axis=2) for b, o in zip(modes, own, strict=True)])
        contrast = np.append(-self.beta, 1.0)
        residual = np.concatenate([cp.zx[f], cp.zy[f]], axis=2) @ contrast
        a = float((own[f] * zzb[f][:, :, 1]).sum())  # b'Z'Zb of this term
        b = float((own[f] * (residual - zzb[f][:, :, 0])).sum()) + a  # b'Z'(y - Xβ - Zb of the others)
        q = where.stop - where.start
        prior = _NU * float((self._precision(f, where) / mixing).sum())
        power = q * (q + 1.0) - q * (_NU + 2.0 * q)
        variance = self.sigma**2

        def log_density(log_c: float) -> float:
            c = math.exp(log_c)
            return float((b * c - 0.5 * a * c * c) / variance + power * log_c - prior / (c * c))

        c = math.exp(_slice_step(self.rng, log_density))
        modes[f][:, where] *= c
        stretched = self.covariances[f].copy()
        stretched[where, where] *= c * c
        self.covariances = [stretched if g == f else old for g, old in enumerate(self.covariances)]


def _slice_step(rng: np.random.Generator, log_density: Callable[[float], float], width: float = 1.0) -> float:
    """One slice-sampling step from 0 (Neal 2003, Annals of Statistics 31:705, stepping out)."""
    height = log_density(0.0) - rng.standard_exponential()
    low = -width * rng.random()
    high = low + width
    while low > -_FAR and log_density(low) > height:
        low -= width
    while high < _FAR and log_density(high) > height:
        high += width
    while True:
        at = low + (high - low) * rng.random()
        if log_density(at) > height:
            return at
        low, high = (at, high) if at < 0 else (low, at)


def _slices(terms: tuple[int, ...]) -> list[slice]:
    ends = np.cumsum(terms)
    return [slice(int(end - q), int(end)) for end, q in zip(ends, terms, strict=True)]


def _inverse_gamma(rng: np.random.Generator, shape: float, rate: Floats | float) -> Floats:
    """IG(shape, rate) with density ∝ x^{−shape−1} exp(−rate/x)."""
    return np.asarray(rate / rng.standard_gamma(shape, size=np.shape(rate)))


def _inverse_wishart(rng: np.random.Generator, df: float, scale: Floats) -> Floats:
    """IW(df, scale) by Bartlett's decomposition of the Wishart matrix that is its inverse."""
    q = len(scale)
    a = np.zeros((q, q))
    a[np.diag_indices(q)] = np.sqrt(2.0 * rng.standard_gamma(0.5 * (df - np.arange(q))))
    below = np.tril_indices(q, -1)
    a[below] = rng.standard_normal(len(below[0]))
    root = np.linalg.cholesky(scale)
    half = root @ np.linalg.inv(a).T
    return np.asarray(half @ half.T)


def _residual_sum_of_squares(objective: Objective, cp: CrossProducts, beta: Floats, modes: list[Floats]) -> float:
    """``|y − Xβ − Zb|²`` from cross-products."""
    contrast = np.append(-beta, 1.0)
    xy = cp.xy[:, 0]
    fixed = float(cp.yy[0] - 2.0 * beta @ xy + beta @ cp.xx @ beta)
    zzb = objective.blocks.times_zz([b[:, :, None] for b in modes])
    for b, zx, zy, z in zip(modes, cp.zx, cp.zy, zzb, strict=True):
        residual = np.concatenate([zx, zy], axis=2) @ contrast
        fixed += float((b * (z[:, :, 0] - 2.0 * residual)).sum())
    return max(fixed, 0.0)
