"""The mode of the random effects: penalised iteratively reweighted least squares with step halving.

The mode û minimises ``F(u) = loss(η) + ‖u‖²`` at given θ and β, with ``η = Xβ + ZΛu + offset``; on request β is moved
along. Half of its negative gradient is ``g = Λ'Z'r − u``, and a step solves ``(Λ'Z'WZΛ + I) δ = g`` (Bates et al. 2015,
J. Stat. Softw. 67(1), section 2; Bates & DebRoy 2004, J. Multivar. Anal. 91:1). W are the observed weights where they
give a positive-definite matrix, so that steps are Newton's for any link, and Fisher's elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mixedsim.engine.glm_factor import Factor, Shape
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_points import Point
from mixedsim.engine.glm_rows import CellBlocks, Rows

Floats = NDArray[np.float64]
_CLOSE = 1e-9  # squared length of a step, over the unit of F, beyond which only rounding is left
_ARRIVED = 1e-22  # the same of a step that need not be taken
_ITERATIONS = 100
_HALVINGS = 40
_NOISE = 1e-13  # relative change of F that rounding can make


class NoMode(ArithmeticError):
    """The random effects have no mode that could be found here: a trial value of θ or β to be given up."""


class Solver(Protocol):
    """Solves with the second derivatives of ½F."""

    def solve(self, vectors: Floats) -> Floats:
        """For one vector, or columns."""
        ...


class Inner:
    """What is sought at given θ: u, with β held.

    Parameters
    ----------
    rows, shape : the design, and how to factorise M.
    lambdas : Λ of every factor.
    fixed : n values: offset + Xβ.
    """

    def __init__(self, rows: Rows, shape: Shape, lambdas: Sequence[Floats], fixed: Floats) -> None:
        self.rows, self.shape, self.lambdas, self.fixed = rows, shape, lambdas, fixed

    def row_values(self, vector: Floats) -> Floats:
        """``ZΛu``: n values."""
        return np.asarray(self.rows.z @ self.rows.scaled(self.lambdas, vector))

    def pulled(self, values: Floats) -> Floats:
        """``Λ'Z'v``, the transpose of `row_values`."""
        return self.rows.scaled_back(self.lambdas, self.rows.zt @ values)

    def factor(self, weights: Floats) -> tuple[CellBlocks, Factor]:
        """Z'WZ and M."""
        blocks = self.rows.blocks(weights)
        return blocks, self.shape.factor(blocks, self.lambdas)

    def solver(self, factor: Factor, weights: Floats) -> Solver:
        """The solver that belongs to M at these weights."""
        return factor


class InnerWithBeta(Inner):
    """u and, behind it, β: `fixed` is the offset."""

    def row_values(self, vector: Floats) -> Floats:
        """``ZΛu + Xβ``."""
        return super().row_values(vector[: self.rows.size]) + self.rows.x @ vector[self.rows.size :]

    def pulled(self, values: Floats) -> Floats:
        """``Λ'Z'v`` and ``X'v``."""
        return np.concatenate([super().pulled(values), self.rows.x.T @ values])

    def solver(self, factor: Factor, weights: Floats) -> Bordered:
        """M bordered by X; `LinAlgError` if it is not that of a minimum."""
        bordered = Bordered(self.rows, self.lambdas, factor, weights)
        bordered.factorise()
        return bordered


class Bordered:
    """``[M B; B' X'WX]`` with ``B = Λ'Z'WX``.

    Attributes
    ----------
    modes_by_beta : ``M⁻¹B``, Q × p: minus the derivatives of û by β.
    information : ``X'WX − B'M⁻¹B = X'V⁻¹X``, p × p.
    """

    def __init__(self, rows: Rows, lambdas: Sequence[Floats], factor: Factor, weights: Floats) -> None:
        self.factor, self.size = factor, rows.size
        wx = weights[:, None] * rows.x
        border = rows.scaled_columns(lambdas, np.asarray(rows.zt @ wx))
        self.modes_by_beta = factor.solve(border)
        self.information = rows.x.T @ wx - border.T @ self.modes_by_beta

    def factorise(self) -> None:
        """Prepare `solve`; `LinAlgError` where rows say nothing of a coefficient that has run too far away."""
        self._root, failed = lapack.dpotrf(self.information, lower=1, clean=1)
        if failed:
            raise np.linalg.LinAlgError("X'V⁻¹X is not positive definite")

    def solve(self, vectors: Floats) -> Floats:
        """For one vector, or columns, after `factorise`."""
        own = self.factor.solve(vectors[: self.size])
        below = vectors[self.size :] - self.modes_by_beta.T @ vectors[: self.size]
        beta = lapack.dpotrs(self._root, below, lower=1)[0] if len(below) else below
        return np.concatenate([own - self.modes_by_beta @ beta, beta])


class Mode:
    """A vector of random effects (and β, if sought), with all that follows from it.

    Attributes
    ----------
    vector : u, or u and β.
    point : the rows.
    penalised : F.
    unit : what the criterion counts F in: 1, or about the dispersion.
    """

    def __init__(self, inner: Inner, family: Family, extra: Floats, vector: Floats) -> None:
        self.inner, self.family, self.extra, self.vector = inner, family, extra, vector
        self.eta = inner.fixed + inner.row_values(vector)
        self.point: Point = family.at(self.eta, extra)
        u = vector[: inner.rows.size]
        self.penalised = float(self.point.losses.sum() + u @ u)
        self.unit = self.penalised / inner.rows.n if family.scaled else 1.0

    @cached_property
    def fisher(self) -> tuple[CellBlocks, Factor]:
        """Z'WZ and M at Fisher's weights."""
        return self.inner.factor(self.point.fisher)

    @cached_property
    def curvature(self) -> Solver:
        """Second derivatives of ½F here; `LinAlgError` where they are not those of a minimum."""
        observed = self.point.observed
        factor = self.fisher[1] if observed is self.point.fisher else self.inner.factor(observed)[1]
        return self.inner.solver(factor, observed)

    def _solver(self) -> Solver:
        """The curvature, or what is expected of it where it is not that of a minimum."""
        try:
            return self.curvature
        except np.linalg.LinAlgError:
            return self.inner.solver(self.fisher[1], self.point.fisher)

    def step(self) -> tuple[Floats, float]:
        """The step to where F is expected to be least, and its squared length in the metric of the solver."""
        gradient = self.inner.pulled(self.point.score)
        gradient[: self.inner.rows.size] -= self.vector[: self.inner.rows.size]
        step = self._solver().solve(gradient)
        return step, float(gradient @ step)

    def moved(self, step: Floats) -> Mode:
        """The point that far away, or half, a quarter ... where F would rise."""
        limit = self.penalised + _NOISE * (self.unit + abs(self.penalised))
        for halvings in range(_HALVINGS):
            new = Mode(self.inner, self.family, self.extra, self.vector + 0.5**halvings * step)
            if new.penalised <= limit:
                return new
        raise NoMode("no step lowers the penalised deviance")


def find_mode(inner: Inner, family: Family, extra: Floats, begin: Floats) -> Mode:
    """Return the `Mode`, from a starting vector.

    Raises
    ------
    NoMode
        If the rows have no likelihood there (η beyond the link's range), or the iterations find no end.
    """
    at = Mode(inner, family, extra, begin)
    if not np.isfinite(at.penalised):
        raise NoMode("the linear predictor leaves the range of the link")
    for _ in range(_ITERATIONS):
        step, gain = at.step()
        if not np.isfinite(gain):
            raise NoMode("the weights are no numbers")
        if gain <= _ARRIVED * at.unit:
            return at
        close = gain <= _CLOSE * at.unit
        at = at.moved(step)
        if close:
            return at
    raise NoMode("penalised least squares found no end")
