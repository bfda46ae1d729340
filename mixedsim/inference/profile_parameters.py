"""The parameters that a likelihood profile is about, and for each the coordinates in which it is a single number.

Held at a value, a parameter restricts (θ, σ, β). In the right coordinates the restriction is nothing but one number
that stays where it is, and all others are free:

* a coefficient β_j is one linear function of the standardised β̃ (`Likelihood.unprofiled` holds it);
* σ is its logarithm;
* a standard deviation: with its effect first in the basis, ``sd = c σ λ₁₁``, so that τ = σλ₁₁ takes the place of λ₁₁;
* a correlation: with its two effects first, ``λ₂₁ = ω sin α, λ₂₂ = ω cos α`` and ρ = sin α, smooth at ±1.

Standard deviations of zero and correlations of one are ordinary points of these coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Layout, Objective, Problem
from mixedsim.engine.turned import TurnedLayout
from mixedsim.engine.unprofiled import Likelihood
from mixedsim.inference.parameters import Parameter

Floats = NDArray[np.float64]
_PARALLEL = 3e-5  # sine of the angle between two effects below which a correlation is ±1 to nine digits


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The ML deviance at one ψ, with first and second derivatives by ψ, and the standardised β that go with it."""

    deviance: float
    gradient: Floats
    hessian: Floats
    beta: Floats


class Chart:
    """Coordinates ψ of the whole likelihood, of which number `held` is the parameter.

    Parameters
    ----------
    parameter : which.
    problem, objective : scales, and the data's cross-products.

    Attributes
    ----------
    held : which element of ψ the parameter is.
    bounds : the least and the largest value that this element can take.
    leap : how far a first step along this element may go.
    exact : whether second derivatives are; else they are average information (see `Objective.exact`).
    positive : which other elements must not become negative; all others of θ mean the same with either sign.

    ψ has K elements for θ in a basis that suits the parameter, then log σ, then the coefficient if it is one.
    """

    def __init__(self, parameter: Parameter, problem: Problem, objective: Objective) -> None:
        self.parameter, self.problem = parameter, problem
        self.row: Floats | None = None
        self.scale, self.centre = problem.response.scale, 0.0
        self.bounds, self.leap = (-np.inf, np.inf), 1.0
        self.positive: list[int] = []
        self.exact = objective.exact
        layout: Layout = problem.layout
        size = layout.size
        if parameter.kind == "fixed":
            (j,) = parameter.effects
            length = float(np.linalg.norm(problem.fixed.transform[j]))
            # a unit vector: the coordinate is of order 1, whatever the units of the data
            self.row, self.scale = problem.fixed.transform[j] / length, problem.response.scale * length
            self.centre = problem.response.centre if j == problem.intercept else 0.0
            self.held, self.leap = size + 1, np.inf
        elif parameter.kind == "sigma":
            self.held = size
        else:
            layout, length = turned(parameter, problem)
            first = position(layout, parameter)
            self.first = first
            if parameter.kind == "sd":
                self.held, self.scale, self.bounds = first, problem.response.scale * length, (0.0, np.inf)
            else:
                self.held, self.bounds = first + 1, (-0.5 * np.pi, 0.5 * np.pi)
                self.second = below(layout, first)
                self.positive = [first, self.second]  # one of them below zero would turn the correlation's sign
        self.likelihood = Likelihood(objective, layout)

    # ---- between ψ and (θ, log σ, c)

    def coordinates(self, lambdas: Sequence[Floats], log_sigma: float, beta: Floats) -> Floats:
        """ψ of a point given by the factors' Λ (standardised effects), log σ and the standardised β."""
        psi = np.append(self.likelihood.layout.theta(lambdas), log_sigma)
        if self.row is not None:
            return np.append(psi, self.row @ beta)
        if self.parameter.kind == "sd":
            psi[self.first] *= np.exp(log_sigma)
        elif self.parameter.kind == "corr":
            across, own = psi[self.held], psi[self.second]
            psi[self.held], psi[self.second] = np.arctan2(across, own), np.hypot(across, own)
        return psi

    def unturned(self, psi: Floats) -> tuple[list[Floats], float]:
        """Every factor's Λ (standardised effects; any square root of the covariance), and σ, at ψ."""
        eta = self.natural(psi)
        size = self.likelihood.layout.size
        return self.likelihood.layout.lambdas(eta[:size]), float(np.exp(eta[size]))

    def natural(self, psi: Floats) -> Floats:
        """(θ, log σ, c) at ψ."""
        eta = psi.copy()
        if self.parameter.kind == "sd":
            eta[self.first] = psi[self.first] * np.exp(-psi[self.likelihood.layout.size])
        elif self.parameter.kind == "corr":
            angle, size = psi[self.held], psi[self.second]
            eta[self.held], eta[self.second] = size * np.sin(angle), size * np.cos(angle)
        return eta

    def value(self, held: float) -> float:
        """The parameter in the units of the data."""
        if self.parameter.kind == "corr":
            return float(np.sin(held))
        return float(self.scale * (np.exp(held) if self.parameter.kind == "sigma" else held) + self.centre)

    # ---- the likelihood

    def evaluate(self, psi: Floats) -> Evaluation:
        """The ML deviance at ψ."""
        eta = self.natural(psi)
        size = self.likelihood.layout.size
        at = self.likelihood.unprofiled(
            eta[:size], float(eta[size]), self.row, float(eta[-1]) if self.row is not None else 0.0
        )
        jacobian, bend = self._derivatives(eta, psi, at.gradient)
        if jacobian is None:
            return Evaluation(at.deviance, at.gradient, at.hessian, at.beta)
        return Evaluation(at.deviance, jacobian.T @ at.gradient, jacobian.T @ at.hessian @ jacobian + bend, at.beta)

    def _derivatives(self, eta: Floats, psi: Floats, gradient: Floats) -> tuple[Floats | None, Floats]:
        """∂η/∂ψ (None where it is the identity), and ``Σ_k g_k ∂²η_k/∂ψ²``."""
        if self.parameter.kind not in ("sd", "corr"):
            return None, np.empty(0)
        jacobian, bend = np.eye(len(psi)), np.zeros((len(psi), len(psi)))
        k = self.held
        if self.parameter.kind == "sd":
            a = self.likelihood.layout.size
            shrink = float(np.exp(-psi[a]))
            jacobian[k, k], jacobian[k, a] = shrink, -eta[k]
            bend[k, a] = bend[a, k] = -shrink * gradient[k]
            bend[a, a] = eta[k] * gradient[k]
        else:
            w = self.second
            sine, cosine, size = np.sin(psi[k]), np.cos(psi[k]), psi[w]
            jacobian[k, k], jacobian[k, w] = size * cosine, sine
            jacobian[w, k], jacobian[w, w] = -size * sine, cosine
            bend[k, k] = -size * (sine * gradient[k] + cosine * gradient[w])
            bend[k, w] = bend[w, k] = cosine * gradient[k] - sine * gradient[w]
        return jacobian, bend


def is_fixed_by_origin(parameter: Parameter, problem: Problem) -> bool:
    """Whether a correlation is ±1 only because zero lies so far from all values of the predictor.

    The two effects are then one and the same to the digits that numbers have: nothing is left to profile.
    """
    if parameter.kind != "corr":
        return False
    one, other = problem.varying[parameter.factor][list(parameter.effects)]
    residual = other - one * (one @ other) / (one @ one)
    return bool(np.linalg.norm(residual) < _PARALLEL * np.linalg.norm(other))


def turned(parameter: Parameter, problem: Problem) -> tuple[TurnedLayout, float]:
    """The layout with the parameter's effects first in their term, and the length of the first one's row of T."""
    shapes = problem.layout.factors
    bases = [np.eye(shape.effects) for shape in shapes]
    start = _term_start(shapes[parameter.factor].terms, parameter.effects[0])
    q = shapes[parameter.factor].terms[start[0]]
    own = slice(start[1], start[1] + q)
    transform = problem.varying[parameter.factor][own, own]
    rows = transform[[e - own.start for e in parameter.effects]]
    lengths = np.linalg.norm(rows, axis=1)
    leading = rows / lengths[:, None]
    # the orthogonal complement of the leading rows makes them a basis
    complement = np.linalg.qr(leading.T, mode="complete")[0].T[len(leading) :]
    bases[parameter.factor][own, own] = np.linalg.inv(np.vstack([leading, complement]))
    return TurnedLayout(shapes, bases), float(lengths[0])


def _term_start(terms: Sequence[int], effect: int) -> tuple[int, int]:
    """Which term of a factor an effect belongs to, and where that term begins."""
    start = 0
    for k, q in enumerate(terms):
        if effect < start + q:
            return k, start
        start += q
    raise AssertionError("an effect beyond the last term")


def position(layout: Layout, parameter: Parameter) -> int:
    """Which element of θ is λ₁₁ of the term that holds the parameter's effects."""
    start = _term_start(layout.factors[parameter.factor].terms, parameter.effects[0])[1]
    mine = (layout.factor == parameter.factor) & (layout.row == start) & (layout.column == start)
    return int(np.flatnonzero(mine)[0])


def below(layout: Layout, first: int) -> int:
    """Which element of θ is λ₂₂ of the term whose λ₁₁ is number `first`."""
    at = layout.row[first] + 1
    mine = (layout.factor == layout.factor[first]) & (layout.row == at) & (layout.column == at)
    return int(np.flatnonzero(mine)[0])
