"""What a singular fit says: which combination of random effects has no variance, and how much it could have.

A covariance matrix Σ of rank less than q has directions w with ``w'Σw = 0``: the combination ``w'b`` of a group's
effects does not vary. With two effects and a correlation of ±1, ``b₁ + x₀ b₂`` is that combination, and all groups'
lines meet at x₀. Adding ``s²`` to the variance of w'b alone, ``Σ̃ + s² vv'`` in standardised effects with
``w ∝ T⁻ᵀv``, and profiling out β and σ gives the deviance along the boundary direction; the other variance parameters
(over σ) stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Objective, Problem, Profile
from mixedsim.engine.covariance import lower_factor

Floats = NDArray[np.float64]
# The threshold of lme4's isSingular, applied to the standardised problem, where zeros are exact.
FLAT = 1e-4
RISE = 3.841458820694124  # 95 % point of χ²₁: where a likelihood interval for one parameter would end


@dataclass(frozen=True, eq=False)
class FlatDirection:
    """One combination of effects that does not vary.

    Attributes
    ----------
    factor : number of the grouping factor.
    where : which of the factor's q effects belong to the term.
    weights : one for each of those effects, in the units of the data; the first that counts is 1.
    standard : v, the unit vector of the direction for the standardised effects of the term.
    """

    factor: int
    where: slice
    weights: Floats
    standard: Floats


class HasTheta(Protocol):
    """A point of any criterion: it has θ."""

    @property
    def theta(self) -> Floats:
        """K values, standardised."""
        ...


def flat_directions(problem: Problem, at: HasTheta) -> list[FlatDirection]:
    """Return all combinations of effects without variance, term by term; effects that do not vary by themselves first.

    A combination is one of the term's standardised effects over σ with a standard deviation below `FLAT`.
    """
    out = []
    for f, (lam, transform, shape) in enumerate(
        zip(problem.layout.lambdas(at.theta), problem.varying, problem.layout.factors, strict=True)
    ):
        start = 0
        for q in shape.terms:
            where = slice(start, start + q)
            own, t = lam[where, where], transform[where, where]
            out += [FlatDirection(f, where, _weights(t, v), v) for v in _null_vectors(own, t)]
            start += q
    return out


def _null_vectors(lam: Floats, transform: Floats) -> list[Floats]:
    """Unit vectors v with ``v'ΛΛ'v`` zero: as many as Λ lacks in rank, single effects where they explain it."""
    vectors, sizes, _ = np.linalg.svd(lam)
    null = vectors[:, sizes < FLAT]
    single: list[Floats] = []
    for k in range(len(lam)):
        v = transform[k] / np.linalg.norm(transform[k])  # w = e_k
        others = np.column_stack([*single, v])
        inside = float(np.linalg.norm(null.T @ v)) > 1.0 - FLAT**2
        if inside and np.linalg.matrix_rank(others, tol=1e-6) == others.shape[1]:
            single.append(v)
    missing = null.shape[1] - len(single)
    if not missing:
        return single
    if single:  # what is left of the null space beside the single effects
        basis = np.linalg.qr(np.column_stack(single))[0]
        left, _, _ = np.linalg.svd(null - basis @ (basis.T @ null))
        null = left[:, :missing]
    return [*single, *null.T]


def _weights(transform: Floats, v: Floats) -> Floats:
    """w with ``w'b`` the combination that v is, in the units of the data; its first weight that counts is 1."""
    w = np.linalg.solve(transform.T, v)
    sizes = np.abs(w) / np.maximum(np.linalg.norm(np.linalg.inv(transform), axis=0), 1e-300)
    first = int(np.argmax(sizes > 1e-6 * sizes.max()))
    w = w / w[first]
    w[sizes <= 1e-6 * sizes.max()] = 0.0
    return np.asarray(w)


def deviance_along(
    problem: Problem, objective: Objective, at: Profile, direction: FlatDirection, points: int = 5
) -> tuple[Floats, Floats]:
    """Return standard deviations of the combination (units of the data), and the rise of the deviance for each.

    From zero in `points` equal steps to where the deviance has risen by 3.84.
    """
    top = 0.1
    while _rise(objective, at, direction, top) < RISE and top < 1e6:
        top *= 2.0
    bottom = 0.0
    for _ in range(20):
        middle = 0.5 * (bottom + top)
        bottom, top = (middle, top) if _rise(objective, at, direction, middle) < RISE else (bottom, middle)
    steps = np.linspace(0.0, 0.5 * (bottom + top), points)
    profiles = [_moved(objective, at, direction, step) for step in steps]
    w = np.linalg.solve(problem.varying[direction.factor][direction.where, direction.where].T, direction.standard)
    unit = problem.response.scale * float(np.linalg.norm(direction.weights) / np.linalg.norm(w))
    sds = np.array([step * np.sqrt(p.sigma2) for step, p in zip(steps, profiles, strict=True)]) * unit
    return sds, np.array([p.deviance - at.deviance for p in profiles])


def _rise(objective: Objective, at: Profile, direction: FlatDirection, size: float) -> float:
    return _moved(objective, at, direction, size).deviance - at.deviance


def _moved(objective: Objective, at: Profile, direction: FlatDirection, size: float) -> Profile:
    """The profile where the combination has standard deviation `size` over σ (standardised)."""
    if size == 0:
        return at
    layout = objective.layout
    lambdas = layout.lambdas(at.theta)
    lam = lambdas[direction.factor]
    where = direction.where
    sigma = lam @ lam.T
    sigma[where, where] += size**2 * np.outer(direction.standard, direction.standard)
    lambdas[direction.factor] = lower_factor(sigma, layout.factors[direction.factor].terms)
    return objective.evaluate(layout.theta(lambdas))


def flattest(objective: Objective, at: Profile, curvature: Floats) -> tuple[Floats, Floats]:
    """Return four steps along the direction of θ in which the deviance curves least: θ (4 × K), and the rises."""
    _, vectors = np.linalg.eigh(curvature)
    v = vectors[:, 0] * np.sign(vectors[np.argmax(np.abs(vectors[:, 0])), 0])
    size = max(1.0, float(np.abs(at.theta).max()))
    thetas = np.array([at.theta + share * size * v for share in (-0.25, 0.25, 0.5, 1.0)])
    return thetas, np.array([objective.evaluate(theta).deviance - at.deviance for theta in thetas])
