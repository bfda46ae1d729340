"""Coordinates of a generalised likelihood in which one parameter is a single number (see `profile_parameters`).

A coefficient β_j is the first coordinate of a turned β; a standard deviation and a correlation are what they are in a
linear model, with their effects first in the basis, but σ is 1 and no coordinate. All are counted in units of their
curvature at the optimum: where rows tell much, as counts of millions do, that of a β is 10¹¹ times that of a θ.

Second derivatives would take as many gradients as there are parameters, at every point. They are known at the optimum,
and from there on learned from the gradients that are computed anyway: symmetric rank-one updates (Nocedal & Wright
2006, Numerical Optimization, 2nd edition, section 6.2), which follow a curvature that turns negative too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Layout
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_pirls import NoMode
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.inference.parameters import Parameter
from mixedsim.inference.profile_parameters import Evaluation, below, position, turned

Floats = NDArray[np.float64]
_DIFFERENCE = 1e-4  # step of the differences by θ in another basis
_REACH = 4.0  # how far a first step may carry a linear predictor whose link has no unit
_WIDEST = 100.0  # unit of a coordinate along which next to nothing curves
_ZERO = 0.05  # an element of θ that is none, in units of its curvature: steps end beside it
_ASIDE = 0.01  # step of the differences there
_BENT = 1e-3  # curvature, of 1 at the optimum, that is more than theirs
_SKIPPED = 1e-8  # cosine below which a pair of changes says nothing about the curvature


class GlmChart:
    """Coordinates ψ = (θ, β, log τ) of a generalised likelihood, of which number `held` is the parameter.

    Parameters
    ----------
    parameter : a coefficient, standard deviation or correlation.
    problem, objective, optimum : scales, likelihood and its maximum; β must be in ψ (`nagq` of 1 or more).

    Attributes
    ----------
    best : ψ at the maximum.
    units : what ψ is counted in.

    The other attributes are those of `profile_parameters.Chart`.
    """

    exact = True  # what is learned replaces the differences that an approximate Hessian would call for

    def __init__(self, parameter: Parameter, problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum) -> None:
        self.parameter, self.objective = parameter, objective
        self.bounds, self.leap, self.scale = (-np.inf, np.inf), 1.0, 1.0
        self.positive: list[int] = []
        self.turn = np.eye(objective.rows.p)
        if parameter.kind == "fixed":
            self._hold_coefficient(problem)
        else:
            self._hold_variance(problem)
        self._last: tuple[Floats, Floats, GlmEvaluation] | None = None
        self.best = self._coordinates(optimum.evaluation)
        self.units = np.ones(len(self.best))
        self._count(self._first_hessian(optimum))

    def _hold_coefficient(self, problem: GlmProblem) -> None:
        (j,) = self.parameter.effects
        row = problem.linear.fixed.transform[j]
        self.scale, self.leap = float(np.linalg.norm(row)), np.inf
        basis = np.linalg.qr(row[:, None], mode="complete")[0].T
        self.turn = basis * np.sign(basis[0] @ row)
        if self.objective.family.link in UNITLESS:
            # a coefficient that separation lets run away has a standard error that means nothing
            self.leap = _REACH / float(np.abs(self.objective.rows.x @ self.turn[0]).max())
        self.held = self.objective.parts()[1].start

    def _hold_variance(self, problem: GlmProblem) -> None:
        layout, length = turned(self.parameter, problem.linear)
        self.objective = self.objective.changed(layout=layout)
        self.first = position(layout, self.parameter)
        if self.parameter.kind == "sd":
            self.held, self.scale, self.bounds = self.first, length, (0.0, np.inf)
        else:
            self.held, self.second = self.first + 1, below(layout, self.first)
            self.bounds, self.positive = (-0.5 * np.pi, 0.5 * np.pi), [self.first, self.second]

    def _count(self, hessian: Floats) -> None:
        """Choose units in which the second derivatives at the optimum have a diagonal of ones."""
        self.units = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), _WIDEST**-2))
        self.hessian = hessian * np.outer(self.units, self.units)
        self.best = self.best / self.units
        own = float(self.units[self.held])
        self.scale *= own
        self.leap /= own
        self.bounds = (self.bounds[0] / own, self.bounds[1] / own)

    # ---- between ψ and the engine's (θ, β, log τ)

    def _coordinates(self, at: GlmEvaluation) -> Floats:
        psi = np.concatenate([self._layout.theta(at.lambdas), self.turn @ at.beta, at.extra])
        if self.parameter.kind == "corr":
            across, own = psi[self.held], psi[self.second]
            psi[self.held], psi[self.second] = np.arctan2(across, own), np.hypot(across, own)
        return psi

    def natural(self, psi: Floats) -> Floats:
        """The engine's (θ, β, log τ) at ψ."""
        out = psi * self.units
        at_beta = self.objective.parts()[1]
        out[at_beta] = self.turn.T @ out[at_beta]
        if self.parameter.kind == "corr":
            angle, size = out[self.held], out[self.second]
            out[self.held], out[self.second] = size * np.sin(angle), size * np.cos(angle)
        return out

    def _slopes(self, psi: Floats, gradient: Floats) -> Floats:
        """Derivatives by ψ from those by (θ, β, log τ)."""
        out = gradient.copy()
        at_beta = self.objective.parts()[1]
        out[at_beta] = self.turn @ gradient[at_beta]
        if self.parameter.kind == "corr":
            angle, size = (psi * self.units)[[self.held, self.second]]
            across, own = gradient[self.held], gradient[self.second]
            out[self.held] = size * (np.cos(angle) * across - np.sin(angle) * own)
            out[self.second] = np.sin(angle) * across + np.cos(angle) * own
        return out * self.units

    def value(self, held: float) -> float:
        """The parameter in the units of the data."""
        if self.parameter.kind == "corr":
            return float(np.sin(self.units[self.held] * held))
        return float(self.scale * held)

    def unturned(self, psi: Floats) -> tuple[Sequence[Floats], float]:
        """Every factor's Λ (standardised effects; any square root of the covariance), and 1."""
        return self._layout.lambdas(self.natural(psi)[self.objective.parts()[0]]), 1.0

    @property
    def _layout(self) -> Layout:
        return self.objective.layout

    # ---- the likelihood

    def evaluate(self, psi: Floats) -> Evaluation:
        """−2 log L at ψ; infinite where the random effects have no mode."""
        at = self._at(self.natural(psi))
        if at is None:
            missing = np.full(len(psi), np.nan)
            return Evaluation(np.inf, missing, self.hessian, missing[self.objective.parts()[1]])
        gradient = self._slopes(psi, at.gradient)
        if self._last is not None:
            self._learn(psi - self._last[0], gradient - self._last[1])
        self._last = psi, gradient, at
        return Evaluation(at.criterion, gradient, self.hessian, at.beta)

    def _at(self, psi: Floats) -> GlmEvaluation | None:
        begin = np.zeros(self.objective.rows.size)
        with np.errstate(all="ignore"):  # a step that leaves the range of a link is found out and halved
            try:
                if self._last is not None:
                    begin = self.objective.predicted(self._last[2], psi)
                at = self.objective.evaluate(psi, begin)
            except (NoMode, np.linalg.LinAlgError):
                return None
        return at if np.isfinite(at.criterion) and bool(np.isfinite(at.gradient).all()) else None

    def _learn(self, moved: Floats, changed: Floats) -> None:
        missed = changed - self.hessian @ moved
        along = float(missed @ moved)
        if abs(along) > _SKIPPED * float(np.linalg.norm(missed) * np.linalg.norm(moved)):
            self.hessian = self.hessian + np.outer(missed, missed) / along

    def bends_aside(self, psi: Floats) -> bool:
        """Whether θ would leave zeros of it: the likelihood, even in them, has no slope there that a step could show.

        Second derivatives by these elements are taken by differences, and kept.
        """
        layout = self._layout
        zero = [k for k in range(layout.size) if k != self.held and abs(psi[k]) < _ZERO]
        if not zero:
            return False
        here = self._gradient(psi)
        hessian = self.hessian.copy()
        for k in zero:
            move = np.zeros(len(psi))
            move[k] = _ASIDE
            hessian[k] = hessian[:, k] = (self._gradient(psi + move) - here) / _ASIDE
        self.hessian = hessian
        return bool(np.linalg.eigvalsh(hessian[np.ix_(zero, zero)])[0] < -_BENT)

    def _first_hessian(self, optimum: GlmOptimum) -> Floats:
        """The optimum's second derivatives in these coordinates: by θ of a term with several effects by differences."""
        at_beta = self.objective.parts()[1]
        hessian = optimum.hessian.copy()
        hessian[at_beta] = self.turn @ hessian[at_beta]
        hessian[:, at_beta] = hessian[:, at_beta] @ self.turn.T
        if self.parameter.kind == "fixed" or len(self._layout.of_factor[self.parameter.factor]) < 2:
            return hessian
        mine = self._layout.of_factor[self.parameter.factor]
        rows = []
        for k in mine:
            move = np.zeros(len(self.best))
            move[k] = _DIFFERENCE
            ends = [self._gradient(self.best + sign * move) for sign in (1.0, -1.0)]
            rows.append((ends[0] - ends[1]) / (2.0 * _DIFFERENCE))
        hessian[mine] = rows
        hessian[:, mine] = np.transpose(rows)
        hessian[np.ix_(mine, mine)] = 0.5 * (hessian[np.ix_(mine, mine)] + hessian[np.ix_(mine, mine)].T)
        return hessian

    def _gradient(self, psi: Floats) -> Floats:
        at = self._at(self.natural(psi))
        return np.zeros(len(psi)) if at is None else self._slopes(psi, at.gradient)
