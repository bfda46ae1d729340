"""Newton's method on θ, with everything that is needed to say whether it arrived.

The deviance is smooth in θ and even in the sign of each column of Λ, so a singular fit is an ordinary stationary point
and no bounds are needed. A step uses the absolute eigenvalues of the curvature, so that it always descends, and is
halved until the deviance falls. Other optimisers (`general_search`) can take Newton's place; whether they arrived is
judged by the same gradient and curvature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mixedsim.engine.objective import Objective, Profile, explained_exactly
from mixedsim.engine.start import start
from mixedsim.engine.threads import threads_for
from mixedsim.errors import MixedsimError

Floats = NDArray[np.float64]
_NEARLY_EXACT = 1e-9  # share of the response left to the residual, beside which a search that finds no end is explained
Optimizer = Literal["newton", "bfgs", "l-bfgs-b", "nelder-mead", "powell"]
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
_NEWTON_STEPS = 200
_PATIENCE = 15  # steps by average information, before a bent valley is walked by its own curvature
_SMALL = 64  # rows of the largest dense matrix
_FEW_LEVELS = 2_000  # of all factors together: their blocks make one long, thin matrix, which threads only slow down
_CHEAP, _CHEAP_DENSE = 10_000, 500  # random effects, in all and in a dense matrix, that cost next to nothing
_POLISHES, _POLISHED = 3, 1e-15  # so many steps at most, or until one would lower the deviance by less
_NEGLIGIBLE = 1e-6  # deviance that a search which ended by its own rule may have left on the table
_VALLEY = 1e-8  # the same for one that was still going down a bent valley when its steps were used up


@dataclass(frozen=True)
class Control:
    """How the optimiser works.

    Attributes
    ----------
    tolerance : stop when one more step would lower the deviance by less than this.
    max_iterations : steps before giving up; None for the optimiser's own limit (200 Newton steps).
    snap : a diagonal element of Λ below this (in units of the standardised data) is tried as an exact zero.
    optimizer : ``"newton"``, which knows the curvature and is the fastest; the others are there to compare with:
        ``"bfgs"`` and ``"l-bfgs-b"`` use the gradient, ``"nelder-mead"`` and ``"powell"`` the deviance alone.
    start : θ to start from, in lme4's units and order (see a fit's ``theta``); None for a moment estimate.

    Raises
    ------
    MixedsimError
        For an unknown optimiser, or a tolerance, limit or start that is no such number.

    Examples
    --------
    >>> import mixedsim as ms
    >>> control = ms.Control(optimizer="nelder-mead", start=[1, 0, 1])
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"), control=control)
    >>> round(fit.loglik, 4), fit.converged
    (-871.8141, True)
    """

    tolerance: float = 1e-10
    max_iterations: int | None = None
    snap: float = 1e-3
    optimizer: Optimizer = "newton"
    start: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise MixedsimError(
                f"optimizer must be one of {', '.join(map(repr, OPTIMIZERS))}, found {self.optimizer!r}; the default "
                "('newton') serves every model, so that it can be left out."
            )
        if not _is_number(self.tolerance) or self.tolerance <= 0:
            raise MixedsimError(f"tolerance must be a positive number, found {self.tolerance!r}.")
        if not _is_number(self.snap) or self.snap < 0:
            raise MixedsimError(f"snap must be a number of at least 0, found {self.snap!r}.")
        limit = self.max_iterations
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | np.integer) or limit < 1):
            raise MixedsimError(f"max_iterations must be a whole number of at least 1, or None, found {limit!r}.")
        if self.start is not None:
            object.__setattr__(self, "start", _numbers(self.start))


def _is_number(value: object) -> bool:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return real and math.isfinite(value)  # type: ignore[arg-type]


def _numbers(start: object) -> tuple[float, ...]:
    """The start as plain floats, so that two controls can be compared."""
    values = list(np.asarray(start, dtype=object).reshape(-1)) if np.ndim(start) <= 1 else []  # type: ignore[arg-type]
    if not values or not all(map(_is_number, values)):
        raise MixedsimError(f"start must be finite numbers, one an element of θ, found {start!r:.60}.")
    return tuple(map(float, values))


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the optimiser stopped, and why.

    Attributes
    ----------
    profile : the likelihood at the last θ.
    curvature : K × K second derivatives there (see `Objective.curvature`).
    converged : the remaining gain is below the tolerance and no direction curves downwards.
    decrease : deviance that one more Newton step promises.
    evaluations : how often the deviance was computed.
    trace : one row an accepted step: θ, then deviance, then the largest absolute gradient.
    """

    profile: Profile
    curvature: Floats
    converged: bool
    decrease: float
    evaluations: int
    trace: Floats = field(repr=False)

    @property
    def gradient_norm(self) -> float:
        """Largest absolute derivative of the deviance by θ (standardised data)."""
        return float(np.abs(self.profile.gradient).max(initial=0.0))


def minimise(objective: Objective, begin: Floats | None = None, control: Control | None = None) -> Optimum:
    """Return the `Optimum` of a profiled deviance.

    Parameters
    ----------
    objective : what to minimise.
    begin : K starting values, standardised; `start` if not given (`Control.start` is in the units of the data, and is
        for the caller to convert).
    control : optimiser and tolerances.
    """
    control = control or Control()
    size = objective.blocks.dense_size
    # BLAS keeps small matrices to one thread by itself, and telling it costs more than a small fit
    small = size <= _SMALL and sum(map(len, objective.cp.zz)) <= _FEW_LEVELS
    with nullcontext() if small else threads_for(size):
        return _search(objective, begin, control)


def _search(objective: Objective, begin: Floats | None, control: Control) -> Optimum:
    if begin is None:
        begin = start(objective.cp, objective.layout, objective.blocks)
    search = _Search(objective, begin, control)
    search.run()
    while search.snap() or search.escape():
        search.run()
    search.polish()
    return search.optimum()


class _Search:
    """One descent: where it is, what it costs, where it has been."""

    def __init__(self, objective: Objective, begin: Floats, control: Control) -> None:
        self.objective, self.control = objective, control
        self.evaluations = 0
        self.at = self._evaluate(np.asarray(begin, dtype=np.float64))
        self.path = [self._row()]
        self.hessian = np.empty((0, 0))
        self.values, self.vectors = np.empty(0), np.empty((0, 0))
        self.hessian_at: Profile | None = None
        self.decrease = np.inf
        self.stuck = self.exhausted = self.slow = False
        self.snapped: list[Floats] = []

    def _evaluate(self, theta: Floats) -> Profile:
        self.evaluations += 1
        return self.objective.evaluate(theta)

    def _row(self) -> Floats:
        return np.append(self.at.theta, [self.at.deviance, np.abs(self.at.gradient).max(initial=0.0)])

    def _curve(self) -> None:
        """Curvature where the search stands, with its eigenvalues and -vectors, computed once."""
        if self.hessian_at is not self.at:
            if self.slow:
                self.hessian = self.objective.hessian(self.at)
                self.evaluations += 2 * len(self.at.theta)
            else:
                self.hessian = self.objective.curvature(self.at)
            self.hessian_at = self.at
            # LAPACK itself: NumPy's wrapper takes three times as long as the work
            self.values, self.vectors, _ = lapack.dsyevd(self.hessian)

    def _noise(self) -> float:
        """Change in deviance that rounding alone can make."""
        return 1e-13 * max(abs(self.at.deviance), float(self.at.nu))

    def run(self) -> None:
        """Search until the promised decrease is below the tolerance."""
        if self.control.optimizer == "newton":
            self._newton()
        else:
            self._general()

    def _general(self) -> None:
        """Leave the search to another optimiser, then ask what a Newton step would still promise."""
        # entered when first asked for: scipy.optimize would slow every import of mixedsim down
        general = import_module("mixedsim.engine.general_search")
        general.search(self._better, self.at, self.control, self._noise())
        self._newton_step()

    def _better(self, theta: Floats) -> Profile:
        """The profile at `theta`; the search stands there if it is the best so far."""
        new = self._evaluate(theta)
        if new.deviance < self.at.deviance:
            self.at = new
            self.path.append(self._row())
        return new

    def _newton(self) -> None:
        """Newton steps until the promised decrease is below the tolerance."""
        for steps in range(self.control.max_iterations or _NEWTON_STEPS):
            self.slow = self.slow or (steps == _PATIENCE and not self.objective.exact)
            step = self._newton_step()
            if self.decrease < max(self.control.tolerance, self._noise()):
                return
            reach = 2.0 * max(1.0, float(np.abs(self.at.theta).max()))
            length = float(np.abs(step).max())
            if not self._descend(step * min(1.0, reach / length)):
                self.stuck = True
                return
        self._newton_step()  # a bent valley has used up all steps: what is left to gain is judged
        self.exhausted = True

    def _newton_step(self) -> Floats:
        """The step by absolute curvature, which always descends; how much it promises goes to `decrease`."""
        self._curve()
        values, vectors = self.values, self.vectors
        slope = vectors.T @ self.at.gradient
        size = np.maximum(np.abs(values), 1e-9 * max(1.0, float(np.abs(values).max(initial=0.0))))
        self.decrease = float(0.5 * (slope**2 / size).sum())
        return np.asarray(-vectors @ (slope / size))

    def _descend(self, step: Floats) -> bool:
        """Take the longest of step, step/2, step/4 ... that lowers the deviance enough."""
        promised = float(self.at.gradient @ step)
        for halvings in range(40):
            share = 0.5**halvings
            new = self._evaluate(self.at.theta + share * step)
            if new.deviance <= self.at.deviance + 1e-4 * share * promised + self._noise() * (halvings > 8):
                self.at = new
                self.path.append(self._row())
                return True
        return False

    def snap(self) -> bool:
        """Try exact zeros for tiny diagonal elements of Λ, and tiny elements below them; True if the search moved."""
        layout = self.objective.layout
        tiny = np.abs(self.at.theta) < self.control.snap
        small = tiny & tiny[layout.diagonal_above] & (self.at.theta != 0)
        if not small.any() or any(np.array_equal(small, s) for s in self.snapped):
            return False
        self.snapped.append(small)
        new = self._evaluate(np.where(small, 0.0, self.at.theta))
        if new.deviance > self.at.deviance + max(self.control.tolerance, 10 * self._noise()):
            return False
        self.at = new
        self.path.append(self._row())
        return True

    def polish(self) -> None:
        """Newton steps beyond the stopping rule, while they make the gradient smaller and cost next to nothing.

        A deviance has too few digits to tell points 1e-5 standard errors apart; its gradient tells them. Whoever asked
        for less than the default gets less.
        """
        asked = self.control.optimizer == "newton" and self.control.tolerance <= Control.tolerance
        effects = sum(zz.shape[0] * zz.shape[1] for zz in self.objective.cp.zz)
        cheap = effects <= _CHEAP and self.objective.blocks.dense_size <= _CHEAP_DENSE
        if not (asked and cheap) or self.stuck or self.exhausted:
            return
        for _ in range(_POLISHES):
            step = np.where(self.at.theta == 0, 0.0, self._newton_step())  # an exact zero stays one
            if self.decrease < _POLISHED:
                return
            new = self._evaluate(self.at.theta + step)
            flatter = np.abs(new.gradient).max() < np.abs(self.at.gradient).max()
            if not flatter or new.deviance > self.at.deviance + 10 * self._noise():
                return
            self.at = new
            self.path.append(self._row())

    def escape(self) -> bool:
        """Leave a stationary point that is no minimum: True if a downhill direction was found."""
        if self.stuck:
            return False
        values, vectors = self.values, self.vectors
        if not len(values) or values[0] > -1e-6 * max(1.0, float(np.abs(values).max())):
            return False
        for size in (0.3, 0.1, 0.03, 0.01):
            for sign in (1.0, -1.0):
                new = self._evaluate(self.at.theta + sign * size * vectors[:, 0])
                if new.deviance < self.at.deviance - 10 * self._noise():
                    self.at = new
                    self.path.append(self._row())
                    return True
        return False

    def optimum(self) -> Optimum:
        """Freeze the result."""
        layout = self.objective.layout
        theta = layout.canonical(self.at.theta)
        if not np.array_equal(theta, self.at.theta):
            self.at = self._evaluate(theta)
        self._curve()
        lowest = float(self.values.min(initial=np.inf))
        largest = float(np.abs(self.hessian).max(initial=1.0))
        ended = self.stuck or self.control.optimizer != "newton"
        enough = _NEGLIGIBLE if ended else _VALLEY if self.exhausted else self.control.tolerance
        arrived = self.decrease < max(enough, self._noise())
        converged = bool(arrived and lowest > -1e-5 * max(1.0, largest))
        if not converged and self.at.r2 < _NEARLY_EXACT * self.objective.cp.yy[0]:
            raise explained_exactly()
        return Optimum(self.at, self.hessian, converged, self.decrease, self.evaluations, np.array(self.path))
