"""One parameter's profile: the least deviance as a function of the parameter's value, and where it reaches a height.

At every value the other parameters are found by Newton's method, started on the tangent of the curve that they run
along. What is left to gain is added from the quadratic model, and the slope of the profile is the partial derivative
by the parameter alone (the envelope theorem). The signed root ``ζ(v) = sign(v − v̂) √(D(v) − D̂)`` is nearly a straight
line (Bates & Watts 1988, Nonlinear Regression Analysis, chapter 6), so that Newton's method on ζ finds the ends of
an interval in two or three values; they are kept between one value inside and one outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import ConvergenceError
from mixedsim.inference.parameters import Parameter
from mixedsim.inference.profile_parameters import Evaluation
from mixedsim.inference.quadratic_model import QuadraticModel

Floats = NDArray[np.float64]
_SETTLED = 1e-5  # what one more Newton step may promise; the quadratic model is exact to a power 3/2 of it
_ROUGH = 1e-2  # the same for values on the way to an end
_CLOSE = 0.05  # distance in ζ from which values are no longer rough
_NEAR = 1e-3  # distance in ζ from which one more step of Newton's method on the curve needs no check
_MOST_STEPS, _MOST_VALUES = 200, 60
_PATIENCE = 5  # steps with an approximate Hessian before it is asked for what it misses
_DIFFERENCE = 1e-5  # of a standard error
_LEAST_CURVED = 1e-10  # beside the steepest direction: two effects a hundred thousandth apart
_HIGHER = 1e-4  # deviance by which another point has to be better, for the model's optimum to be none
_FAR = 1e6  # times the distance to ζ = 1: a deviance that has not risen by then never will


class Coordinates(Protocol):
    """A likelihood in coordinates of which number `held` is the parameter: see `profile_parameters.Chart`."""

    parameter: Parameter
    held: int
    bounds: tuple[float, float]
    leap: float
    exact: bool
    positive: list[int]

    def evaluate(self, psi: Floats) -> Evaluation:
        """The deviance at ψ; infinite where there is none."""
        ...

    def value(self, held: float) -> float:
        """The parameter in the units of the data."""
        ...

    def unturned(self, psi: Floats) -> tuple[Sequence[Floats], float]:
        """Every factor's Λ, and σ, at ψ."""
        ...


@dataclass(frozen=True, eq=False)
class Point:
    """One value on a profile.

    Attributes
    ----------
    psi : the coordinates of all parameters (see `profile_parameters.Chart`).
    beta : the standardised coefficients.
    deviance : the least deviance at this value.
    slope, curvature : derivatives of the least deviance by the held coordinate.
    tangent : derivatives of psi by the held coordinate.
    gain : how much of the deviance was added from the quadratic model.
    """

    psi: Floats
    beta: Floats
    deviance: float
    slope: float
    curvature: float
    tangent: Floats
    gain: float


class Surpassed(ConvergenceError):
    """A profile came to a likelihood higher than the one it started from.

    Attributes
    ----------
    lambdas : every factor's Λ there (standardised effects; any square root of the covariance).
    """

    def __init__(self, chart: Coordinates, psi: Floats) -> None:
        super().__init__(
            f"the profile of {chart.parameter.name} found a likelihood higher than the model's: fit the model again, "
            "with other starting values in `control`."
        )
        self.lambdas = chart.unturned(psi)[0]


class Curve:
    """The profile of one parameter.

    Parameters
    ----------
    chart : the parameter and its coordinates.
    best : ψ at the maximum of the likelihood.
    """

    def __init__(self, chart: Coordinates, best: Floats) -> None:
        self.chart, self.held = chart, chart.held
        self.least = -np.inf
        # where the Hessian is approximate, so is what a step promises: more is asked of it
        self._settled = _SETTLED if chart.exact else 1e-3 * _SETTLED
        self._missed = np.zeros((len(best), len(best)))
        if not chart.exact:
            self._learn(best, chart.evaluate(best))
        self.top = self._settle(best)
        self.least = self.top.deviance

    # ---- one value

    def at(self, held: float, near: Point, settled: float | None = None) -> Point:
        """The point where the parameter's coordinate is `held`, sought from a point of the curve nearby.

        The search ends where one more step promises less than `settled`, or than the curve's own measure.
        """
        move = held - near.psi[self.held]
        step = near.tangent * move
        step[self.held] = 0.0
        reach = max(1.0, float(np.abs(np.delete(near.psi, self.held)).max(initial=0.0)))
        psi = near.psi + step * min(1.0, reach / max(float(np.abs(step).max()), 1e-300))
        psi[self.held] = held
        return self._settle(psi, settled)

    def zeta(self, point: Point) -> float:
        """Signed root of the rise of the deviance."""
        root = float(np.sqrt(max(point.deviance - self.least, 0.0)))
        return root if point.psi[self.held] >= self.top.psi[self.held] else -root

    def zeta_slope(self, point: Point) -> float:
        """Derivative of ζ by the held coordinate."""
        zeta = self.zeta(point)
        if abs(zeta) < 1e-3:
            return float(np.sqrt(max(point.curvature, 0.0) / 2.0))
        return point.slope / (2.0 * zeta)

    def _settle(self, psi: Floats, settled: float | None = None) -> Point:
        """Minimise over all but the held coordinate: Newton's method, projected on bounds (Bertsekas 1982)."""
        settled = self._settled if settled is None else settled
        psi = self._projected(psi)
        now = self.chart.evaluate(psi)
        for count in range(_MOST_STEPS):
            if count % _PATIENCE == _PATIENCE - 1 and not self.chart.exact:
                self._learn(psi, now)
            hessian = now.hessian + self._missed
            model = QuadraticModel.of(now.gradient, hessian, self._open(psi, now.gradient))
            noise = 1e-12 * max(abs(now.deviance), 1.0)
            if model.gain < max(settled, noise):
                # a downward bend that is no way down is rounding, or leads beyond a bound
                escape = self._lower(psi, now, model.escapes(), _SETTLED + 10.0 * noise) if model.is_saddle else None
                if escape is None:
                    return self._point(psi, now, hessian, model)
                psi, now = escape
                continue
            reach = 2.0 * max(1.0, float(np.abs(np.delete(psi, self.held)).max(initial=0.0)))
            found = self._lower(psi, now, model.descents(reach), -noise)
            if found is None:
                break
            psi, now = found
        raise ConvergenceError(
            f"the profile of {self.chart.parameter.name} cannot be followed to {self.chart.value(psi[self.held]):.4g}: "
            "the likelihood of the other parameters has no clear maximum there."
        )

    def _lower(
        self, psi: Floats, now: Evaluation, steps: list[Floats], enough: float
    ) -> tuple[Floats, Evaluation] | None:
        """The first of some steps that lowers the deviance by `enough`, and by a share of what its slope promises."""
        for step in steps:
            trial = self._projected(psi + step)
            new = self.chart.evaluate(trial)
            if new.deviance < now.deviance - max(enough, -1e-4 * float(now.gradient @ (trial - psi))):
                return trial, new
        return None

    def _projected(self, psi: Floats) -> Floats:
        """Psi with all coordinates that cannot be negative at zero or above."""
        out = psi.copy()
        out[self.chart.positive] = out[self.chart.positive].clip(min=0.0)
        return out

    def _open(self, psi: Floats, gradient: Floats) -> NDArray[np.intp]:
        """Which coordinates are to move: not the held one, nor those at zero that would go below."""
        moves = np.ones(len(psi), dtype=bool)
        moves[self.held] = False
        for k in self.chart.positive:
            moves[k] &= not (psi[k] <= 0 and gradient[k] > 0)
        return np.flatnonzero(moves)

    def _learn(self, psi: Floats, now: Evaluation) -> None:
        """What average information misses of the Hessian at ψ, by differences of the gradient; it changes slowly.

        The differences are taken along its eigenvectors, in steps of a small part of a standard error each. Where two
        effects are nearly one (zero lies far from all values of a predictor) the deviance is steep in one direction
        and flat in another, and steps along the coordinates would drown the flat one in the rounding of the steep.
        """
        unit = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(now.hessian)), 1.0))
        values, vectors = np.linalg.eigh(now.hessian * np.outer(unit, unit))
        size = np.sqrt(np.maximum(np.abs(values), _LEAST_CURVED))
        to_steps = unit[:, None] * vectors / size
        differences = np.empty_like(now.hessian)
        for k, step in enumerate(_DIFFERENCE * to_steps.T):
            differences[k] = to_steps.T @ (self.chart.evaluate(psi + step).gradient - now.gradient) / _DIFFERENCE
        back = (size * vectors).T / unit
        self._missed = back.T @ (0.5 * (differences + differences.T)) @ back - now.hessian

    def _point(self, psi: Floats, now: Evaluation, hessian: Floats, model: QuadraticModel) -> Point:
        """Put a minimum over the free coordinates, and how it moves with the held one, on record."""
        # only a deviance that was computed is proof: what a rough point has yet to gain is a guess
        if now.deviance < self.least - _HIGHER:
            raise Surpassed(self.chart, psi)
        deviance = now.deviance - model.gain
        tangent = np.zeros(len(psi))
        tangent[self.held] = 1.0
        tangent[model.open] = -model.solve(hessian[model.open, self.held])
        slope = float(now.gradient[[self.held, *model.open]] @ tangent[[self.held, *model.open]])
        curvature = float(hessian[self.held] @ tangent)
        return Point(self._projected(psi + model.newton()), now.beta, deviance, slope, curvature, tangent, model.gain)

    # ---- along the curve

    def end(self, zeta: float) -> float:
        """The held coordinate where the signed root is `zeta`; its bound where the curve does not get there.

        Infinite where the deviance does not rise to it however far the parameter goes.
        """
        direction = 1.0 if zeta > 0 else -1.0
        bound = self.chart.bounds[1 if zeta > 0 else 0]
        start = float(self.top.psi[self.held])
        inside: Point = self.top
        outside: Point | None = None
        v, missing = self._first(zeta), zeta
        for _ in range(_MOST_VALUES):
            v = bound if direction * (v - bound) >= 0 else v
            if v == inside.psi[self.held]:
                return v
            # rough points are enough to see where the end is; those close to it have to be exact
            near = inside if outside is None else self._nearer(v, inside, outside)
            point = self.at(v, near, None if v == bound or abs(missing) < _CLOSE else _ROUGH)
            slope, missing = self.zeta_slope(point), zeta - self.zeta(point)
            newton = v + missing / slope if slope > 0 else direction * np.inf
            if abs(missing) < _NEAR and slope > 0 and point.gain < self._settled:
                return float(np.clip(newton, *self.chart.bounds))
            if direction * missing < 0:
                outside = point
            elif v == bound:
                return bound
            else:
                inside = point
            if outside is None and abs(v - start) > _FAR * abs(self._first(1.0) - start):
                return direction * np.inf
            v = self._next(newton, inside, outside, direction)
        return float(inside.psi[self.held])  # the profile leaps here

    def _first(self, zeta: float) -> float:
        """Where ζ would be reached if it were a straight line."""
        slope = self.zeta_slope(self.top)
        step = abs(zeta) / slope if slope > 0 else np.inf
        return float(self.top.psi[self.held] + np.sign(zeta) * min(step, self.chart.leap))

    def _nearer(self, v: float, one: Point, other: Point) -> Point:
        return min(one, other, key=lambda point: abs(point.psi[self.held] - v))

    def _next(self, newton: float, inside: Point, outside: Point | None, direction: float) -> float:
        """Newton's value; half of the bracket where it lies outside, three times as far at most where there is none."""
        start, near = float(self.top.psi[self.held]), float(inside.psi[self.held])
        if outside is None:
            return near + direction * min(abs(newton - near), 2.0 * abs(near - start))
        low, high = sorted((near, float(outside.psi[self.held])))
        margin = 0.02 * (high - low)
        return newton if low + margin < newton < high - margin else 0.5 * (low + high)

    def interval(self, zeta: float) -> tuple[float, float]:
        """The parameter's values, in the units of the data, where the signed root is −`zeta` and `zeta` (see `end`)."""
        return self.chart.value(self.end(-zeta)), self.chart.value(self.end(zeta))

    def traced(self, zeta: float, points: int) -> list[Point]:
        """The top with `points` points on each side of it, in rising order of the held coordinate (see `trace`)."""
        return [*self.trace(-zeta, points)[::-1], self.top, *self.trace(zeta, points)]

    def trace(self, zeta: float, points: int) -> list[Point]:
        """Points from the top to ζ = `zeta`, or to the bound, about equally spaced in ζ; the top is not among them."""
        end = self.end(zeta)
        out: list[Point] = []
        last = self.top
        for left in range(points if np.isfinite(end) else 0, 0, -1):
            start, slope = float(last.psi[self.held]), self.zeta_slope(last)
            if start == end:
                break
            # towards the next height, but no further than twice an equal share of what is left
            step = abs(zeta - self.zeta(last)) / left / slope if slope > 0 else np.inf
            share = min(step / abs(end - start), 2.0 / left)
            last = self.at(end if left == 1 else start + share * (end - start), last)
            out.append(last)
        return out
