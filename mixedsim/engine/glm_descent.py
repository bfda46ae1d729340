"""Descent to an optimum of −2 log L: quasi-Newton steps, then Newton's with differences of the exact gradient.

Quasi-Newton means BFGS (Nocedal & Wright 2006, Numerical Optimization, 2nd edition, section 6.1), from second
derivatives that it can trust: differences of the gradient by θ, and ``2X'V⁻¹X`` by β. Near the end the second
derivatives by everything are taken by differences, and Newton's steps with them go as far as digits reach.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_pirls import NoMode
from mixedsim.engine.optimise import Control
from mixedsim.errors import ConvergenceError

Floats = NDArray[np.float64]
_NEAR = 1e-7  # decrease at which differences of the gradient are taken
_MOVED = 1e-6  # decrease since then that calls for taking them again
_EXACT = 1e-14  # decrease that Newton's steps at the end go for
_STEPS = 300
_HALVINGS = 30
_POLISHES = 20
_DIFFERENCE = 1e-3  # step of the differences, in units of a standard error: near a correlation of 1 the valley bends
_WIDEST = 0.02  # the same, in units of the longest step allowed: where curvature has vanished errors are no measure
VANISHED = 1e-6  # change of the criterion within the longest step allowed, below which there is no curvature
_REACH = 4.0  # largest change of a linear predictor in one step, for links whose η has no unit
_LONGEST_EXTRA = 2.0  # of log τ


class Descent:
    """One descent: where it is, what it costs, where it has been.

    Parameters
    ----------
    objective : what to minimise.
    psi, begin : where to begin, and from where to seek the mode there.
    control : tolerance and number of steps.
    directions : columns along which ψ may move; all if None.

    Attributes
    ----------
    at : where it stands.
    hessian : second derivatives in the free directions, learned or taken.
    """

    def __init__(
        self, objective: GlmObjective, psi: Floats, begin: Floats, control: Control, directions: Floats | None = None
    ) -> None:
        self.objective, self.control = objective, control
        self.directions = np.eye(len(psi)) if directions is None else directions
        self.evaluations = 1
        try:
            self.at = objective.evaluate(psi, begin)
        except (NoMode, np.linalg.LinAlgError):
            raise ConvergenceError(
                f"the search cannot begin, because with the link {objective.family.link!r} the random effects have no "
                "mode at its starting values: choose another link."
            ) from None
        self.path = [self.row()]
        x = objective.rows.x @ self.directions[objective.parts()[1]] if not objective.profiled else np.empty((1, 0))
        self.spread = np.abs(x).max(axis=0) if x.size else np.zeros(self.directions.shape[1])
        self.hessian = self.first_hessian()
        self.stuck = self.exhausted = self.turned = False
        self.steps = 0
        self.snapped: list[NDArray[np.bool_]] = []

    def row(self) -> Floats:
        """A line of the trace: ψ, criterion, largest absolute gradient."""
        return np.append(self.at.psi, [self.at.criterion, np.abs(self.slope(self.at)).max(initial=0.0)])

    def slope(self, at: GlmEvaluation) -> Floats:
        """The gradient in the free directions."""
        return np.asarray(self.directions.T @ at.gradient)

    def tried(self, psi: Floats) -> GlmEvaluation | None:
        """The criterion at a point; None where there is none."""
        self.evaluations += 1
        try:
            new = self.objective.evaluate(psi, self.objective.predicted(self.at, psi))
        except (NoMode, np.linalg.LinAlgError):
            return None
        return new if np.isfinite(new.criterion) and bool(np.isfinite(new.gradient).all()) else None

    def noise(self) -> float:
        """Change of the criterion that rounding alone can make."""
        return 1e-13 * max(abs(self.at.criterion), float(self.objective.rows.n))

    def first_hessian(self) -> Floats:
        """``2X'V⁻¹X`` by β, differences of the gradient by all else; made positive definite."""
        at_theta, at_beta, at_extra = self.objective.parts()
        size = len(self.at.psi)
        hessian = np.zeros((size, size))
        if not self.objective.profiled:
            hessian[at_beta, at_beta] = 2.0 * self.at.bordered.information
        for k in (*range(at_theta.start, at_theta.stop), *range(at_extra.start, at_extra.stop)):
            move = np.zeros(size)
            move[k] = 1e-3 * max(1.0, abs(self.at.psi[k]))
            new = self.tried(self.at.psi + move)
            row = np.zeros(size) if new is None else (new.gradient - self.at.gradient) / move[k]
            hessian[k] = hessian[:, k] = row
        within = self.directions.T @ (0.5 * (hessian + hessian.T)) @ self.directions
        return _absolute(within)

    def _scales(self) -> Floats:
        """Standard errors but for a factor √2: what makes the second derivatives have a diagonal of ones."""
        return _scales(self.hessian, VANISHED * self.units() ** 2)

    def units(self) -> Floats:
        """What share of the longest step allowed a unit step is, in every free direction."""
        at_theta, _, at_extra = self.objective.parts()
        theta = np.abs(self.directions[at_theta]).max(axis=0, initial=0.0)
        units = np.maximum(theta / self._longest_theta(), self.spread / self._longest_eta())
        extra = np.abs(self.directions[at_extra]).max(axis=0, initial=0.0) / _LONGEST_EXTRA
        return np.asarray(np.maximum(np.maximum(units, extra), 1e-12))

    def _longest_theta(self) -> float:
        return 2.0 * max(1.0, float(np.abs(self.at.theta).max()))

    def _longest_eta(self) -> float:
        if self.objective.family.link in UNITLESS:
            return _REACH
        return _REACH * max(0.2 * float(np.abs(self.at.mode.eta).max()), 1e-300)

    def step(self) -> tuple[Floats, float]:
        """The step by absolute curvature, which always descends, and the decrease it promises."""
        slope = self.slope(self.at)
        if not len(slope):
            return slope, 0.0
        scale = self._scales()
        values, vectors = np.linalg.eigh(self.hessian * scale[:, None] * scale)
        share = vectors.T @ (scale * slope)
        size = np.maximum(np.abs(values), 1e-9 * max(1.0, float(np.abs(values).max())))
        return -scale * (vectors @ (share / size)), float(0.5 * (share**2 / size).sum())

    def approach(self, enough: float) -> float:
        """Quasi-Newton steps until the promised decrease is below `enough`; what is promised then."""
        for _ in range(self._left()):
            step, decrease = self.step()
            if decrease < max(enough, self.noise()):
                return decrease
            before = self.at
            self.steps += 1
            if not self._descend(self._kept(self.directions @ self._within_reach(step))):
                self.stuck = True
                return decrease
            self._learn(before)
        self.exhausted = True
        return self.step()[1]

    def _left(self) -> int:
        """Steps that may still be taken: as many as were allowed in all, or in one approach where nobody says."""
        most = self.control.max_iterations
        return _STEPS if most is None else max(int(most) - self.steps, 0)

    def _within_reach(self, step: Floats) -> Floats:
        """The step, shortened where it would carry a linear predictor or θ too far."""
        at_theta, at_beta, at_extra = self.objective.parts()
        move = self.directions @ step
        far = [float(np.abs(move[at_theta]).max(initial=0.0)) / self._longest_theta()]
        far.append(float(np.abs(move[at_extra]).max(initial=0.0)) / _LONGEST_EXTRA)
        if not self.objective.profiled and self.objective.rows.p:
            far.append(float(np.abs(self.objective.rows.x @ move[at_beta]).max()) / self._longest_eta())
        return step / max(1.0, *far)

    def movable(self) -> NDArray[np.bool_]:
        """Which elements of θ are free, and alone so."""
        used = self.directions != 0
        own = used[self.objective.parts()[0]]
        alone = used.sum(axis=0) == 1
        return np.asarray((own.sum(axis=1) == 1) & (own & alone).any(axis=1))

    def _kept(self, move: Floats) -> Floats:
        """The move in ψ, with columns of Λ that are exactly zero left so: only rounding draws them away.

        The criterion is even in the sign of a column, so that nothing pulls at one that is zero as a whole.
        """
        layout = self.objective.layout
        present = np.bincount(layout.diagonal_above, weights=self.at.theta != 0, minlength=layout.size)
        gone = (present[layout.diagonal_above] == 0) & self.movable()
        if gone.any():
            at_theta = self.objective.parts()[0]
            move[at_theta] = np.where(gone, 0.0, move[at_theta])
        return move

    def _descend(self, move: Floats) -> bool:
        """Take the longest of move, move/2, move/4 ... that lowers the criterion enough."""
        promised = float(self.at.gradient @ move)
        for halvings in range(_HALVINGS):
            share = 0.5**halvings
            new = self.tried(self.at.psi + share * move)
            if new is not None and new.criterion <= self.at.criterion + 1e-4 * share * promised + self.noise():
                self.go(new)
                return True
        return False

    def go(self, new: GlmEvaluation) -> None:
        self.at = new
        self.path.append(self.row())

    def _learn(self, before: GlmEvaluation) -> None:
        """The BFGS update of the second derivatives."""
        moved = self.at.psi - before.psi
        if not self.whole():
            moved = np.asarray(np.linalg.lstsq(self.directions, moved, rcond=None)[0], dtype=np.float64)
        change = self.slope(self.at) - self.slope(before)
        expected = self.hessian @ moved
        own, curved = float(moved @ expected), float(moved @ change)
        if own <= 0 or curved <= 1e-2 * own:  # a bent way: the curvature along it would not be that of a minimum
            return
        learned = np.outer(change, change) / curved - np.outer(expected, expected) / own
        self.hessian = np.asarray(self.hessian + learned)

    def whole(self) -> bool:
        """Whether ψ is free to move in all directions."""
        return bool(self.directions.shape[0] == self.directions.shape[1])

    def arrive(self) -> None:
        """To the optimum: first by quasi-Newton steps, then by Newton's."""
        self.stuck = self.exhausted = False
        self.approach(max(_NEAR, self.control.tolerance))
        while True:
            self.hessian = self._differences()
            gained = self._polish()
            if gained < _MOVED or self.stuck or self.exhausted:
                return

    def _polish(self) -> float:
        """Newton's steps while they make what is left to gain smaller; what they gained."""
        gained = 0.0
        step, decrease = self.step()
        for _ in range(min(_POLISHES, self._left())):
            if decrease < _EXACT:
                break
            before = self.at
            self.steps += 1
            new = self.tried(before.psi + self._kept(self.directions @ self._within_reach(step)))
            if new is None or new.criterion > before.criterion + 10.0 * self.noise():
                break
            self.at = new
            step, left = self.step()
            if left >= decrease:
                self.at = before
                break
            self.path.append(self.row())
            gained += max(before.criterion - new.criterion, 0.0)
            decrease = left
        return gained

    def _differences(self) -> Floats:
        """Second derivatives in the free directions: central differences of the gradient."""
        size = self.directions.shape[1]
        out = np.empty((size, size))
        step = np.sqrt(2.0) * np.minimum(_DIFFERENCE * self._scales(), _WIDEST / self.units())
        for k in range(size):
            move = self.directions[:, k] * step[k]
            up, down = self.tried(self.at.psi + move), self.tried(self.at.psi - move)
            if up is not None and down is not None:
                out[k] = self.slope(up) - self.slope(down)
                out[k] /= 2.0 * step[k]
            else:  # at the edge of what the link allows: one side only
                side, sign = (up, 1.0) if up is not None else (down, -1.0)
                if side is None:
                    raise ConvergenceError("the likelihood does not exist around its optimum: choose another link.")
                out[k] = sign * (self.slope(side) - self.slope(self.at)) / step[k]
        return 0.5 * (out + out.T)


def _scales(hessian: Floats, least: Floats | float = 0.0) -> Floats:
    diagonal = np.maximum(np.abs(np.diag(hessian)), least)
    return np.asarray(1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)))


def _absolute(hessian: Floats) -> Floats:
    """The positive-definite matrix with the same directions and absolute curvatures."""
    scale = _scales(hessian)
    values, vectors = np.linalg.eigh(hessian * scale[:, None] * scale)
    size = np.maximum(np.abs(values), 1e-3)
    own = (vectors * size) @ vectors.T
    return np.asarray(own / scale[:, None] / scale)
