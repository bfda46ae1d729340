"""The search for θ and β of a generalised model, with what is needed to say whether it arrived.

Stage 1 profiles β within penalised least squares and seeks θ alone, roughly; stage 2 seeks both (`glm_descent`). The
criterion is even in the sign of each column of Λ, so that a singular fit is an ordinary stationary point and no bounds
are needed, as in `optimise`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_descent import VANISHED, Descent
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_lost import loses_rows
from mixedsim.engine.optimise import Control
from mixedsim.engine.threads import threads_for
from mixedsim.errors import ConvergenceError

Floats = NDArray[np.float64]
_SHARES = (1.0, 0.1, 0.01)  # of the moments' θ, that attempts begin with, one after another
_ROUGH = 1e-2  # decrease at which stage 1 hands over
_LEFT = 100.0  # tolerances that may be left to gain at the end
_BENT = 1e-7  # share of the largest curvature that rounding can make


@dataclass(frozen=True, eq=False)
class GlmOptimum:
    """Where the search stopped, and why.

    Attributes
    ----------
    evaluation : the criterion at the last ψ.
    hessian : second derivatives there by ψ, by differences of the gradient; 0 along what is held.
    converged : the remaining gain is below the tolerance, no direction curves downwards, and data are not separated,
        which leaves a likelihood without a maximum.
    decrease : what one more Newton step promises.
    evaluations : how often the criterion was computed.
    trace : one row an accepted step of stage 2: ψ, then criterion, then the largest absolute gradient.
    directions : columns along which ψ was free to move.
    """

    evaluation: GlmEvaluation
    hessian: Floats
    converged: bool
    decrease: float
    evaluations: int
    trace: Floats = field(repr=False)
    directions: Floats = field(repr=False)

    @property
    def gradient_norm(self) -> float:
        """Largest absolute derivative in the free directions (standardised data)."""
        return float(np.abs(self.directions.T @ self.evaluation.gradient).max(initial=0.0))


def minimise_glm(
    objective: GlmObjective,
    theta: Floats,
    beta: Floats,
    extra: Floats,
    control: Control | None = None,
) -> GlmOptimum:
    """Return the `GlmOptimum` from a start.

    Parameters
    ----------
    objective : what to minimise.
    theta, beta, extra : where to begin, standardised.
    control : tolerance, number of steps and `snap`; other optimisers and a start are for the caller.

    Raises
    ------
    ConvergenceError
        If the start has no likelihood, so that there is nowhere to begin.
    """
    control = control or Control()
    with threads_for(objective.shape.dense_size), np.errstate(all="ignore"):
        # near the edge of a link's range large random effects leave it: smaller ones begin within
        for share in _SHARES:
            try:
                return _in_stages(objective, share * theta, beta, extra, control)
            except ConvergenceError as error:
                failure = error
        raise failure


def _in_stages(objective: GlmObjective, theta: Floats, beta: Floats, extra: Floats, control: Control) -> GlmOptimum:
    """Stage 1, and stage 2 from where it ended."""
    first = objective.changed(nagq=0)
    zero = np.zeros(first.rows.size)
    try:
        stage = _Search(first, np.concatenate([theta, extra]), np.concatenate([zero, beta]), control)
    except ConvergenceError:
        # where groups are separated β runs away and penalised least squares find no end: a stage less
        if objective.profiled:
            raise
        return _Search(objective, np.concatenate([theta, beta, extra]), zero, control).finish()
    if objective.profiled:
        return stage.finish()
    stage.approach(_ROUGH)
    at = stage.at
    second = _Search(objective, np.concatenate([at.theta, at.beta, at.extra]), at.u, control)
    second.evaluations += stage.evaluations
    second.steps = stage.steps
    return second.finish()


def minimise_within(
    objective: GlmObjective, psi: Floats, u: Floats, directions: Floats, control: Control | None = None
) -> GlmOptimum:
    """Return the `GlmOptimum` among ``ψ + Dφ`` for the columns of D: a likelihood profile holds what D leaves alone.

    Parameters
    ----------
    objective : what to minimise, with β in ψ.
    psi, u : where to begin.
    directions : D, as many rows as ψ has elements.
    control : as in `minimise_glm`.
    """
    with threads_for(objective.shape.dense_size), np.errstate(all="ignore"):
        return _Search(objective, psi, u, control or Control(), directions).finish()


class _Search(Descent):
    """A descent that ends with exact zeros where they belong, at a minimum, and says so."""

    def finish(self) -> GlmOptimum:
        """Search to the end, with exact zeros where they belong, and freeze the result."""
        self.arrive()
        while self._snap() or self._escape() or self._straighten():
            self.arrive()
        theta = self.objective.layout.canonical(self.at.theta)
        if not np.array_equal(theta, self.at.theta) and self.movable().all():
            self._turn(theta)
        return GlmOptimum(
            evaluation=self.at,
            hessian=self.directions @ self.hessian @ self.directions.T if not self.whole() else self.hessian,
            converged=self._arrived() and not self._bends_down()[0] and not self._runs_away(),
            decrease=self.step()[1],
            evaluations=self.evaluations,
            trace=np.array(self.path),
            directions=self.directions,
        )

    def _snap(self) -> bool:
        """Try exact zeros for tiny diagonal elements of Λ, and tiny elements below them; True if the search moved."""
        layout = self.objective.layout
        theta = self.at.theta
        tiny = np.abs(theta) < self.control.snap
        small = tiny & tiny[layout.diagonal_above] & (theta != 0) & self.movable()
        if not small.any() or any(np.array_equal(small, s) for s in self.snapped):
            return False
        self.snapped.append(small)
        psi = self.at.psi.copy()
        psi[self.objective.parts()[0]] = np.where(small, 0.0, theta)
        new = self.tried(psi)
        if new is None or new.criterion > self.at.criterion + max(self.control.tolerance, 10.0 * self.noise()):
            return False
        self.go(new)
        return True

    def _straighten(self) -> bool:
        """Try correlations of one where the search found no end: True if the search moved.

        An effect without variance leaves those of its rows in Λ that share a column with it all but free to turn, a
        bent valley in which steps are short. Its end is where the last element of a row is zero, and the others carry
        the whole length.
        """
        layout = self.objective.layout
        at_theta = self.objective.parts()[0]
        if self.turned or self._arrived() or not self.movable().all():
            return False
        self.turned = True
        for k in np.flatnonzero(layout.diagonal):
            same = (layout.factor == layout.factor[k]) & (layout.row == layout.row[k])
            rest = same & ~layout.diagonal
            own = float(np.linalg.norm(self.at.theta[rest]))
            if own == 0 or self.at.theta[k] == 0:
                continue
            longer = float(np.linalg.norm(self.at.theta[same])) / own
            for sign in (1.0, -1.0):
                psi = self.at.psi.copy()
                psi[at_theta] = np.where(rest, sign * longer * psi[at_theta], np.where(same, 0.0, psi[at_theta]))
                new = self.tried(psi)
                if new is not None and new.criterion <= self.at.criterion + self.control.tolerance:
                    self.go(new)
                    self.snapped = []
                    return True
        return False

    def _arrived(self) -> bool:
        """Whether what is left to gain is next to nothing."""
        return self.step()[1] < max(_LEFT * self.control.tolerance, self.noise())

    def _runs_away(self) -> bool:
        """Whether the likelihood has no maximum, because data are separated."""
        objective = self.objective
        if objective.family.link not in UNITLESS or objective.profiled or not self.whole():
            return False
        return loses_rows(objective.rows.x, self.hessian, objective.parts()[1])

    def _escape(self) -> bool:
        """Leave a stationary point that is no minimum: True if a downhill direction was found."""
        down, along = self._bends_down()
        if self.stuck or not down or not self._left():
            return False
        for size in (0.3, 0.1, 0.03, 0.01):
            for sign in (1.0, -1.0):
                new = self.tried(self.at.psi + sign * size * along)
                if new is not None and new.criterion < self.at.criterion - 10.0 * self.noise():
                    self.go(new)
                    self.hessian = self.first_hessian()
                    return True
        return False

    def _bends_down(self) -> tuple[bool, Floats]:
        """Whether some direction curves downwards by more than rounding, and the one that does most."""
        if not len(self.hessian):
            return False, np.empty(0)
        units = self.units()
        values, vectors = np.linalg.eigh(self.hessian / units[:, None] / units)
        along = self.directions @ (vectors[:, 0] / units)
        least = max(VANISHED, _BENT * float(np.abs(values).max()))
        return bool(values[0] < -least), along / max(float(np.abs(along).max()), 1e-300)

    def _turn(self, theta: Floats) -> None:
        """The same covariance with a non-negative diagonal: modes and derivatives change their signs with it."""
        layout, rows = self.objective.layout, self.objective.rows
        sign = np.ones(len(self.at.psi))
        sign[self.objective.parts()[0]] = np.where(self.at.theta[layout.diagonal_above] < 0, -1.0, 1.0)
        begin = self.at.mode.vector.copy()
        for part, shape, mine in zip(rows.parts, rows.shapes, layout.of_factor, strict=True):
            diagonal = mine[layout.diagonal[mine]]
            turn = np.ones(shape[1])
            turn[layout.column[diagonal]] = sign[diagonal]
            begin[part] = (begin[part].reshape(shape) * turn).reshape(-1)
        psi = self.at.psi * sign
        psi[self.objective.parts()[0]] = theta
        self.evaluations += 1
        self.go(self.objective.evaluate(psi, begin))
        self.hessian = self.hessian * sign[:, None] * sign
