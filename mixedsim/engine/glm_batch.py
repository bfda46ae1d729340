"""Newton's method for many generalised fits at once: a replicate on every lane, each at its own θ and β.

The rules are those of `glm_descent` and `glm_optimise`: steps by the absolute curvature, no longer than a linear
predictor may change, halved until the criterion falls enough; near the end Newton's steps while they make what is left
to gain smaller; exact zeros in place of tiny elements of Λ's diagonal. The second derivatives are exact here, so that a
few rounds do. Whoever does not arrive within the rounds, or where the criterion does not clearly curve upwards in all
directions, is for `minimise_glm` itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.glm_batch_criteria import Evaluation, ManyCriteria
from mixedsim.engine.glm_batch_steps import differences, newton_step
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.optimise import Control

Floats = NDArray[np.float64]
Which = NDArray[np.intp]
Some = NDArray[np.bool_]

_ROUNDS = 40
_SHORTEST = 0.5**20  # share of a step below which it is no use halving it further
_PACKED = 0.8  # share of replicates still on their way below which the others are left behind
_NEAR, _EXACT, _POLISHES = 1e-7, 1e-14, 20  # as in `glm_descent`
_REACH, _LONGEST_EXTRA = 4.0, 2.0  # as there
_LEFT = 100.0  # as in `glm_optimise`
_REACHES = np.array([0.3, -0.3, 0.1, -0.1, 0.03, -0.03, 0.01, -0.01])  # steps off a saddle, as there
_AHEAD = 1.0  # standard deviations that a mode may be expected to move: what is expected of a long step is wrong


@dataclass(frozen=True, eq=False)
class GlmBatch:
    """Where Newton's method ended for r replicates (K elements of θ, p coefficients, standardised).

    Attributes
    ----------
    theta, beta, extra : K × r, p × r and E × r (log τ of a negative binomial, or nothing).
    criterion : r values, less constants.
    hessian : second derivatives by all these, M × M × r.
    u : modes, q × J × r.
    settled : those that are at a minimum.
    rounds : how often the criterion was computed.
    """

    theta: Floats
    beta: Floats
    extra: Floats
    criterion: Floats
    hessian: Floats
    u: Floats
    settled: Some
    rounds: NDArray[np.intp]


def glm_newton(objective: ManyCriteria, psi: Floats, u: Floats, control: Control) -> GlmBatch:
    """Newton's method for all replicates, each from its own ψ (M × r) and modes (q × J × r)."""
    with np.errstate(all="ignore"):  # a trial may leave the range of the link: then it is none
        return _Lanes(objective, psi, u, control).run()


class _Phase(IntEnum):
    """What a replicate's next evaluation is for."""

    DESCEND = 0
    POLISH = 1
    SNAP = 2
    ESCAPE = 3
    ARRIVED = 4
    STUCK = 5


class _Lanes:
    """All replicates on their way: where each stands, and where it looks next."""

    def __init__(self, objective: ManyCriteria, psi: Floats, u: Floats, control: Control) -> None:
        (q, levels, r), size = objective.shape, len(psi)
        self.objective = self.nearby = objective  # of all, and of those who are evaluated together
        self.control, self.layout = control, objective.layout
        self.k = objective.layout.size
        self.at_beta = slice(self.k, self.k + objective.rows.p)
        self.psi, self.trial, self.u = psi.copy(), psi.copy(), u.copy()
        self.slopes = np.zeros((q, size, levels, r))
        self.criterion, self.decrease = np.full(r, np.inf), np.full(r, np.inf)
        self.share, self.promised, self.lowest = np.ones(r), np.zeros(r), np.zeros(r)
        self.hessian = np.full((size, size, r), np.nan)
        self.snapped = np.zeros((self.k, r), dtype=bool)
        self.downwards = np.zeros((size, r))
        self.polishes, self.tries, self.rounds = np.zeros((3, r), dtype=np.intp)
        self.refined = np.zeros(r, dtype=bool)
        self.phase = np.full(r, _Phase.DESCEND)

    def run(self) -> GlmBatch:
        """Rounds until everybody has arrived or is stuck."""
        packed, objective = np.arange(len(self.phase)), self.objective
        for _ in range(_ROUNDS):
            going = self.phase[packed] < _Phase.ARRIVED
            if not going.any():
                break
            if going.mean() < _PACKED:
                packed = packed[going]
                objective, going = self.objective.take(packed), going[going]
            move = self.trial[:, packed] - self.psi[:, packed]
            ahead = np.einsum("ckjr,kr->cjr", self.slopes[..., packed], move)
            begin = self.u[..., packed] + np.clip(ahead, -_AHEAD, _AHEAD)
            self.nearby = objective
            self._judge(packed, going, objective.evaluate(self.trial[:, packed], begin))
        return self._result()

    def _result(self) -> GlmBatch:
        theta = self.psi[: self.k]
        sign = np.ones_like(self.psi)
        sign[: self.k] = np.where(theta[self.layout.diagonal_above] < 0, -1.0, 1.0)
        columns = np.ones(self.u.shape[::2])
        for k in np.flatnonzero(self.layout.diagonal):
            columns[self.layout.column[k]] = sign[k]
        return GlmBatch(
            theta=theta * sign[: self.k] + 0.0,
            beta=self.psi[self.at_beta],
            extra=self.psi[self.at_beta.stop :],
            criterion=self.criterion,
            hessian=self.hessian * sign[:, None] * sign,
            u=self.u * columns[:, None],
            settled=self.phase == _Phase.ARRIVED,
            rounds=self.rounds,
        )

    def _noise(self, who: Which) -> Floats:
        """Change of the criterion that rounding alone can make."""
        n = self.objective.rows.offset[..., 0].size
        known = np.where(np.isfinite(self.criterion[who]), np.abs(self.criterion[who]), 0.0)
        return 1e-13 * np.maximum(known, n)

    def _judge(self, packed: Which, going: Some, at: Evaluation) -> None:
        """Move to the trial, or try something else."""
        self.rounds[packed[going]] += 1
        better = going & at.found & (at.criterion <= self._allowed(packed))
        if better.any():
            better &= self._move(packed, better, at)
        rejected = packed[going & ~better]
        if len(rejected):
            self._rejected(rejected)

    def _allowed(self, who: Which) -> Floats:
        """The criterion up to which a trial is taken."""
        here, noise, phase = self.criterion[who], self._noise(who), self.phase[who]
        down = here + 1e-4 * self.share[who] * self.promised[who] + noise
        snap = here + np.maximum(self.control.tolerance, 10.0 * noise)
        out = np.where(phase == _Phase.SNAP, snap, np.where(phase == _Phase.POLISH, here + 10.0 * noise, down))
        return np.where(phase == _Phase.ESCAPE, here - 10.0 * noise, out)

    def _move(self, packed: Which, better: Some, at: Evaluation) -> Some:
        """Stand at the trial, and see where to go from there; who does so (a last digit may be no gain)."""
        hessian, slopes = at.hessian, at.mode_slopes
        step, decrease, lowest, downwards = newton_step(hessian, at.gradient)
        if not self.objective.exact and self._refine(packed, better, at, hessian, decrease):
            step, decrease, lowest, downwards = newton_step(hessian, at.gradient)
        polished = self.phase[packed] == _Phase.POLISH
        better = better & np.isfinite(decrease) & ~(polished & (decrease >= self.decrease[packed]))
        who = packed[better]
        self.psi[:, who] = self.trial[:, who]
        self.u[..., who], self.slopes[..., who] = at.u[..., better], slopes[..., better]
        self.criterion[who], self.hessian[..., who] = at.criterion[better], hessian[..., better]
        self.decrease[who], self.lowest[who], self.share[who] = decrease[better], lowest[better], 1.0
        self.downwards[:, who] = downwards[:, better]
        move = self._within_reach(at, step)[:, better]
        move[: self.k][self._gone(who)] = 0.0
        self.promised[who] = np.einsum("kr,kr->r", move, at.gradient[:, better])
        self.trial[:, who] = self.psi[:, who] + move
        near = self.decrease[who] < max(_NEAR, self.control.tolerance)
        self.phase[who] = np.where(near, _Phase.POLISH, _Phase.DESCEND)
        self.polishes[who] += near
        self._settle(who[(self.decrease[who] < _EXACT) | (self.polishes[who] > _POLISHES)])
        return better

    def _refine(self, packed: Which, better: Some, at: Evaluation, hessian: Floats, decrease: Floats) -> bool:
        """Near the end put differences of the gradient in the place of second derivatives that are only near to them,
        in `hessian` itself; whether there was anything to do."""
        known = self.refined[packed]
        hessian[..., known] = self.hessian[..., packed[known]]
        now = np.flatnonzero(better & ~known & (decrease < max(_NEAR, self.control.tolerance)))
        if len(now):
            hessian[..., now] = differences(self.nearby.take(now), at, now, hessian[..., now])
            self.refined[packed[now]] = True
        return bool(known.any()) or len(now) > 0

    def _within_reach(self, at: Evaluation, step: Floats) -> Floats:
        """The steps, shortened where they would carry a linear predictor or θ too far."""
        rows = self.nearby.rows
        longest = 2.0 * np.maximum(1.0, np.abs(at.psi[: self.k]).max(axis=0))
        far = np.abs(step[: self.k]).max(axis=0) / longest
        far = np.maximum(far, np.abs(step[self.at_beta.stop :]).max(axis=0, initial=0.0) / _LONGEST_EXTRA)
        if rows.p:
            eta = np.full_like(far, _REACH)
            if self.objective.responses.link not in UNITLESS:
                eta *= 0.2 * np.abs(at.eta).max(axis=(0, 1))
            far = np.maximum(far, np.abs(rows.mean_part(step[self.at_beta])).max(axis=(0, 1)) / eta)
        return np.asarray(step / np.maximum(1.0, far))

    def _gone(self, who: Which) -> Some:
        """Elements of θ in columns of Λ that are zero as a whole: nothing pulls at them."""
        layout, here = self.layout, self.psi[: self.k, who] != 0
        present = np.zeros_like(here)
        for k in range(self.k):
            present[layout.diagonal_above[k]] |= here[k]
        return np.asarray(~present[layout.diagonal_above])

    def _settle(self, who: Which) -> None:
        """At a stationary point: zeros for tiny elements, once; else an end."""
        theta = self.psi[: self.k, who]
        tiny = np.abs(theta) < self.control.snap
        small = tiny & tiny[self.layout.diagonal_above] & (theta != 0)
        snaps = small.any(axis=0) & (small != self.snapped[:, who]).any(axis=0)
        chosen = who[snaps]
        self.snapped[:, chosen] = small[:, snaps]
        self.phase[chosen] = _Phase.SNAP
        self.trial[:, chosen] = self.psi[:, chosen]
        self.trial[: self.k, chosen] = np.where(small[:, snaps], 0.0, theta[:, snaps])
        self._end(who[~snaps])

    def _end(self, who: Which) -> None:
        """Arrived, if this is a minimum; off a saddle, and stuck on anything else."""
        left = np.maximum(_LEFT * self.control.tolerance, self._noise(who))
        done = (self.decrease[who] < left) & (self.lowest[who] > 0)
        self.phase[who] = np.where(done, _Phase.ARRIVED, _Phase.STUCK)
        saddle = who[self.lowest[who] < 0]
        self.tries[saddle] = 0
        self._escape(saddle)

    def _escape(self, who: Which) -> None:
        """Look in the direction that curves downwards, ever less far."""
        self.phase[who] = np.where(self.tries[who] < len(_REACHES), _Phase.ESCAPE, _Phase.STUCK)
        who = who[self.tries[who] < len(_REACHES)]
        self.trial[:, who] = self.psi[:, who] + _REACHES[self.tries[who]] * self.downwards[:, who]
        self.tries[who] += 1

    def _rejected(self, who: Which) -> None:
        """A shorter step, or an end."""
        phase = self.phase[who]
        down = who[phase == _Phase.DESCEND]
        self.share[down] *= 0.5
        self.trial[:, down] = 0.5 * (self.trial[:, down] + self.psi[:, down])
        self.phase[down[(self.share[down] < _SHORTEST) | ~np.isfinite(self.criterion[down])]] = _Phase.STUCK
        self._settle(who[phase == _Phase.POLISH])
        self._end(who[phase == _Phase.SNAP])
        self._escape(who[phase == _Phase.ESCAPE])
