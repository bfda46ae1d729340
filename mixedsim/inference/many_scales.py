"""The way back from standardised units to those of the data, for many replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Layout, Problem
from mixedsim.engine.batch_small import many_lambdas

Floats = NDArray[np.float64]
Which = NDArray[np.intp] | slice


@dataclass(frozen=True, eq=False)
class ManyScales:
    """Transformations of r replicates (see `engine.Problem`), on the last axis: length 1 where all share one.

    Attributes
    ----------
    fixed : p × p × (1 or r), T with X̃ = X T.
    varying : for each factor q × q × (1 or r), T_f with Z̃ = Z T_f.
    centre, scale : r values each, ỹ = (y − centre)/scale.
    intercept : position of the intercept among the coefficients, or None.
    """

    fixed: Floats
    varying: tuple[Floats, ...]
    centre: Floats
    scale: Floats
    intercept: int | None

    @classmethod
    def of(cls, problem: Problem, centre: Floats, scale: Floats) -> ManyScales:
        """Those of one design, with a centre and a scale for each response."""
        varying = tuple(t[..., None] for t in problem.varying)
        return cls(problem.fixed.transform[..., None], varying, centre, scale, problem.intercept)

    def take(self, which: Which) -> ManyScales:
        """Those of some replicates."""
        return ManyScales(
            _some(self.fixed, which), tuple(_some(t, which) for t in self.varying), self.centre[which],
            self.scale[which], self.intercept,
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[ManyScales]) -> ManyScales:
        """Those of all parts, where each replicate has transformations of its own."""
        return cls(
            np.concatenate([part.fixed for part in parts], axis=-1),
            tuple(np.concatenate(own, axis=-1) for own in zip(*(part.varying for part in parts), strict=True)),
            np.concatenate([part.centre for part in parts]),
            np.concatenate([part.scale for part in parts]),
            parts[0].intercept,
        )

    def deviance_shift(self, nu: Floats, reml: bool) -> Floats:
        """What to add to a deviance of the standardised problem to get that of the data: r values."""
        log_det = np.log(np.abs(np.einsum("iir->ir", self.fixed))).sum(axis=0)
        return np.asarray(2.0 * nu * np.log(self.scale) - (2.0 * log_det if reml else 0.0))

    def fixef(self, beta: Floats) -> Floats:
        """Fixed effects in the units of the data: p × r."""
        out: Floats = self.scale * np.einsum("pqr,qr->pr", self.fixed, beta)
        if self.intercept is not None:
            out[self.intercept] += self.centre
        return out

    def halves(self, theta: Floats, layout: Layout) -> list[Floats]:
        """T_fΛ_f of every factor, whose rows are the effects: q × q × r."""
        return [
            np.einsum("abr,bcr->acr", t, many_lambdas(theta, layout, f)) for f, t in enumerate(self.varying)
        ]


def _some(array: Floats, which: Which) -> Floats:
    return array if array.shape[-1] == 1 else array[..., which]


def many_thetas(theta: Floats, layout: Layout, scales: ManyScales) -> Floats:
    """θ as lme4 reports it (`Problem.theta`): K × r."""
    out = np.empty_like(theta)
    for f, half in enumerate(scales.halves(theta, layout)):
        start = 0
        lower = np.zeros_like(half)
        for q in layout.factors[f].terms:
            own = slice(start, start + q)
            lower[own, own] = _lower(half[own, own])
            start += q
        mine = layout.of_factor[f]
        out[mine] = lower[layout.row[mine], layout.column[mine]]
    return out


def _lower(half: Floats) -> Floats:
    """The lower-triangular L with ``LL' = half half'`` and no negative diagonal: R' of a QR of half'."""
    q = len(half)
    if q == 1:
        return np.abs(half)
    if q == 2:
        return _lower_of_two(half)
    lower = np.swapaxes(np.linalg.qr(np.moveaxis(half, -1, 0).swapaxes(1, 2), mode="r"), 1, 2)
    lower = lower * np.where(np.diagonal(lower, axis1=1, axis2=2) < 0, -1.0, 1.0)[:, None, :]
    return np.moveaxis(lower, 0, -1)


def _lower_of_two(half: Floats) -> Floats:
    """The same for 2 × 2, where a first effect that does not vary leaves its axis empty."""
    lower = np.zeros_like(half)
    first, second = np.hypot(half[0, 0], half[0, 1]), np.hypot(half[1, 0], half[1, 1])
    known = first > 0
    size = np.where(known, first, 1.0)
    det = np.abs(half[0, 0] * half[1, 1] - half[0, 1] * half[1, 0])
    lower[0, 0] = first
    lower[1, 0] = np.where(known, (half[0] * half[1]).sum(axis=0) / size, 0.0)
    lower[1, 1] = np.where(known, det / size, second)
    return lower


def many_singular(theta: Floats, layout: Layout, flat: float) -> NDArray[np.bool_]:
    """Whether some combination of random effects has no variance, a singular value of Λ below `flat`: r booleans."""
    out = np.zeros(theta.shape[1], dtype=bool)
    for f, shape in enumerate(layout.factors):
        lam = many_lambdas(theta, layout, f)
        start = 0
        for q in shape.terms:
            out |= least_singular_value(lam[start : start + q, start : start + q]) < flat
            start += q
    return out


def least_singular_value(lam: Floats) -> Floats:
    """The least singular value of each q × q × r matrix."""
    if len(lam) == 1:
        return np.asarray(np.abs(lam[0, 0]))
    if len(lam) == 2:
        # σ₁² + σ₂² = ‖Λ‖² and σ₁σ₂ = |det Λ|, in the form that does not cancel
        size = (lam**2).sum(axis=(0, 1))
        det = np.abs(lam[0, 0] * lam[1, 1] - lam[0, 1] * lam[1, 0])
        largest = np.sqrt(0.5 * (size + np.sqrt(np.maximum((size - 2 * det) * (size + 2 * det), 0.0))))
        return np.asarray(det / np.where(largest > 0, largest, 1.0))
    return np.asarray(np.linalg.svd(np.moveaxis(lam, -1, 0), compute_uv=False)[:, -1])
