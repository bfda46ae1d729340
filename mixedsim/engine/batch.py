"""Newton's method for many replicates at once: `optimise` step by step, with a replicate on every lane.

Each replicate goes its own way, by the rules of `optimise._Search`: steps by the absolute curvature, halved until the
deviance falls; exact zeros in place of tiny elements of Λ's diagonal; off again from a saddle; a few steps more for the
last digits. In every round all that are still on their way are evaluated together. Whoever does not arrive within the
rounds, or comes to where only rounding is left, is for `optimise` itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch_profiles import Profiles
from mixedsim.engine.batch_small import clear_inverse
from mixedsim.engine.covariance import Layout
from mixedsim.engine.optimise import Control

Floats = NDArray[np.float64]
Which = NDArray[np.intp]
Some = NDArray[np.bool_]

_ROUNDS = 80
_WHILE = 30  # rounds after which those who are left go alone if they are no company
_SHORTEST = 0.5**20  # share of a step below which it is no use halving it further
_PACKED = 0.8  # share of replicates still on their way below which the others are left behind
_REACHES = np.array([0.3, -0.3, 0.1, -0.1, 0.03, -0.03, 0.01, -0.01])  # steps off a saddle, as in `optimise`
_POLISHES, _POLISHED = 3, 1e-15  # as in `optimise`
_NEARLY_EXACT = 1e-9  # share of a response left to the residual below which `optimise` shall look at it


class Many(Protocol):
    """The profiled deviance of r replicates as a function of one θ each."""

    layout: Layout
    nu: Floats
    company: ClassVar[int]
    """Replicates for which a step in company costs less than a step of each alone."""

    @property
    def replicates(self) -> int:
        """r."""
        ...

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        ...

    @property
    def yy(self) -> Floats:
        """Sums of squares of the responses: r values."""
        ...

    def take(self, which: Which | slice) -> Self:
        """The same for some of the replicates."""
        ...

    def evaluate(self, theta: Floats) -> Profiles:
        """Everything at `theta` (K × r)."""
        ...


@dataclass(frozen=True, eq=False)
class Batch:
    """Where Newton's method ended for r replicates.

    Attributes
    ----------
    theta : K × r; where a replicate is not settled, a good place to begin.
    beta, r2, deviance : p × r, r and r: of the profile there.
    settled : those that are at a minimum.
    rounds : how often the deviance was computed, r values.
    """

    theta: Floats
    beta: Floats
    r2: Floats
    deviance: Floats
    settled: Some
    rounds: NDArray[np.intp]


def newton(objective: Many, begin: Floats, control: Control) -> Batch:
    """Newton's method for all replicates, each from its own θ (K × r)."""
    return _Lanes(objective, begin, control).run()


class _Phase(IntEnum):
    """What a replicate's next evaluation is for."""

    DESCEND = 0
    SNAP = 1
    ESCAPE = 2
    POLISH = 3
    ARRIVED = 4
    STUCK = 5


class _Lanes:
    """All replicates on their way: where each stands, and where it looks next."""

    def __init__(self, objective: Many, begin: Floats, control: Control) -> None:
        r, size = objective.replicates, objective.layout.size
        self.objective, self.control, self.layout = objective, control, objective.layout
        self.theta, self.trial = begin.copy(), begin.copy()
        self.deviance, self.flatness = np.full(r, np.inf), np.full(r, np.inf)
        self.step, self.share, self.promised = np.zeros((size, r)), np.ones(r), np.zeros(r)
        self.decrease = np.full(r, np.inf)
        self.downwards, self.lowest = np.zeros((size, r)), np.zeros(r)
        self.snapped = np.zeros((size, r), dtype=bool)
        self.tries, self.rounds = np.zeros(r, dtype=np.intp), np.zeros(r, dtype=np.intp)
        self.phase = np.full(r, _Phase.DESCEND)
        self.beta, self.r2 = np.full((objective.p, r), np.nan), np.full(r, np.nan)
        self.noise = np.zeros(r)

    def run(self) -> Batch:
        """Rounds until everybody has arrived or is stuck."""
        packed = np.arange(self.objective.replicates)
        objective = self.objective
        for rounds in range(_ROUNDS):
            going = self.phase[packed] < _Phase.ARRIVED
            if going.sum() < (self.objective.company if rounds > _WHILE else 1):
                break
            if going.mean() < _PACKED:
                packed = packed[going]
                objective, going = self.objective.take(packed), going[going]
            at = objective.evaluate(self.trial[:, packed])
            if going.all():
                self._judge(packed, at)
            else:
                self._judge(packed[going], at.some(going))
        return Batch(
            theta=self._canonical(), beta=self.beta, r2=self.r2, deviance=self.deviance,
            settled=self.phase == _Phase.ARRIVED, rounds=self.rounds,
        )  # fmt: skip

    def _judge(self, who: Which, at: Profiles) -> None:
        """Move to the trial, or try something else."""
        self.rounds[who] += 1
        noise = 1e-13 * np.maximum(np.abs(at.deviance), self.objective.nu[who])
        self.noise[who] = np.where(np.isfinite(noise), noise, self.noise[who])
        phase = self.phase[who]
        better = at.deviance <= self._allowed(who, phase)
        flatness = np.abs(at.gradient).max(axis=0, initial=0.0)
        better &= (phase != _Phase.POLISH) | (flatness < self.flatness[who])
        if better.all():
            self._move(who, at, flatness)
        else:
            if better.any():
                self._move(who[better], at.some(better), flatness[better])
            self._rejected(who[~better])

    def _allowed(self, who: Which, phase: NDArray[np.int_]) -> Floats:
        """The deviance up to which a trial is taken."""
        here, noise = self.deviance[who], self.noise[who]
        with np.errstate(invalid="ignore"):  # at the first evaluation, nothing is known: ∞
            out = here + 1e-4 * self.share[who] * self.promised[who] + noise
        out = np.where(phase == _Phase.SNAP, here + np.maximum(self.control.tolerance, 10.0 * noise), out)
        out = np.where(phase == _Phase.ESCAPE, here - 10.0 * noise, out)
        return np.where(phase == _Phase.POLISH, here + 10.0 * noise, out)

    def _move(self, who: Which, at: Profiles, flatness: Floats) -> None:
        """Stand at the trial, and see where to go from there."""
        self.theta[:, who] = theta = self.trial[:, who]
        self.deviance[who], self.flatness[who] = at.deviance, flatness
        self.beta[:, who], self.r2[who] = at.beta, at.r2
        step, decrease = self._newton_step(who, at)
        self.share[who], self.decrease[who] = 1.0, decrease
        polishing = self.phase[who] == _Phase.POLISH
        arrived = decrease < np.maximum(self.control.tolerance, self.noise[who])
        alone = (at.r2 < _NEARLY_EXACT * self.objective.yy[who]) | ~np.isfinite(decrease)
        self.phase[who[alone]] = _Phase.STUCK
        on = ~arrived & ~polishing & ~alone
        if on.any():
            self._descend(who[on], step[:, on], at.gradient[:, on])
        self.step[:, who] = step
        done = arrived & ~polishing & ~alone
        if done.any():
            self._arrive(who[done], theta[:, done])
        if polishing.any():
            self._polish(who[polishing & ~alone])

    def _newton_step(self, who: Which, at: Profiles) -> tuple[Floats, Floats]:
        """Newton's step by absolute curvature and the decrease it promises; remembers the direction of least curvature.

        Where the curvature is positive definite beyond doubt its inverse will do, and no eigenvalue is computed.
        """
        inverse, clear = clear_inverse(at.curvature)
        step = -np.einsum("klm,lm->km", inverse, at.gradient)
        decrease = -0.5 * np.einsum("km,km->m", step, at.gradient)
        self.lowest[who] = 1.0
        if not clear.all():
            few = np.flatnonzero(~clear)
            curvature = np.moveaxis(at.curvature[..., few], -1, 0)
            known = np.asarray(np.isfinite(curvature).all(axis=(1, 2)))
            # what has overflowed has no eigenvalues: the identity stands in, and nobody stays for it
            values, vectors = np.linalg.eigh(np.where(known[:, None, None], curvature, np.eye(len(step))))
            largest = np.maximum(1.0, np.abs(values).max(axis=1, initial=0.0))[:, None]
            slope = np.einsum("mkl,km->ml", vectors, at.gradient[:, few])
            size = np.maximum(np.abs(values), 1e-9 * largest)
            step[:, few] = -np.einsum("mkl,ml->km", vectors, slope / size)
            decrease[few] = np.where(known, 0.5 * (slope**2 / size).sum(axis=1), np.nan)
            self.lowest[who[few]] = values[:, 0] / largest[:, 0]
            self.downwards[:, who[few]] = vectors[:, :, 0].T
        return step, decrease

    def _descend(self, who: Which, step: Floats, gradient: Floats) -> None:
        """Look one step ahead, or as far as a step may reach."""
        reach = 2.0 * np.maximum(1.0, np.abs(self.theta[:, who]).max(axis=0))
        step *= np.minimum(1.0, reach / np.maximum(np.abs(step).max(axis=0), 1e-300))
        self.promised[who] = np.einsum("km,km->m", step, gradient)
        self.phase[who] = _Phase.DESCEND
        self.trial[:, who] = self.theta[:, who] + step

    def _arrive(self, who: Which, theta: Floats) -> None:
        """At a stationary point: zeros for tiny elements, once; else off a saddle; else polish."""
        tiny = np.abs(theta) < self.control.snap
        small = tiny & tiny[self.layout.diagonal_above] & (theta != 0)
        snaps = small.any(axis=0) & (small != self.snapped[:, who]).any(axis=0)
        if snaps.any():
            chosen = who[snaps]
            self.snapped[:, chosen] = small[:, snaps]
            self.phase[chosen] = _Phase.SNAP
            self.trial[:, chosen] = np.where(small[:, snaps], 0.0, theta[:, snaps])
        self._off_a_saddle(who[~snaps])

    def _off_a_saddle(self, who: Which) -> None:
        """Try the direction that curves downwards, where there is one; polish where there is none."""
        saddle = self.lowest[who] < -1e-6
        self._escape(who[saddle], 0)
        rest = who[~saddle]
        self.tries[rest] = 0
        self._polish(rest)

    def _escape(self, who: Which, tries: int | NDArray[np.intp]) -> None:
        self.phase[who] = _Phase.ESCAPE
        self.tries[who] = tries
        over = self.tries[who] >= len(_REACHES)
        self.phase[who[over]] = _Phase.STUCK
        who = who[~over]
        self.trial[:, who] = self.theta[:, who] + _REACHES[self.tries[who]] * self.downwards[:, who]

    def _polish(self, who: Which) -> None:
        """One Newton step more, while it promises anything; an exact zero stays one."""
        enough = (self.decrease[who] < _POLISHED) | (self.tries[who] >= _POLISHES)
        self.phase[who] = np.where(enough, _Phase.ARRIVED, _Phase.POLISH)
        who = who[~enough]
        self.tries[who] += 1
        here = self.theta[:, who]
        self.trial[:, who] = here + np.where(here == 0, 0.0, self.step[:, who])

    def _rejected(self, who: Which) -> None:
        """A shorter step, the next try, or an end."""
        phase = self.phase[who]
        down = who[phase == _Phase.DESCEND]
        self.share[down] *= 0.5
        self.trial[:, down] = 0.5 * (self.trial[:, down] + self.theta[:, down])
        self.phase[down[(self.share[down] < _SHORTEST) | ~np.isfinite(self.deviance[down])]] = _Phase.STUCK
        self._off_a_saddle(who[phase == _Phase.SNAP])
        again = who[phase == _Phase.ESCAPE]
        self._escape(again, self.tries[again] + 1)
        self.phase[who[phase == _Phase.POLISH]] = _Phase.ARRIVED

    def _canonical(self) -> Floats:
        """`Layout.canonical` for all."""
        sign = np.where(self.theta[self.layout.diagonal_above] < 0, -1.0, 1.0)
        return self.theta * sign + 0.0
