"""The likelihood of a generalised linear mixed model: Laplace's approximation, or quadrature, with its gradient.

With the mode û of the penalised loss F at given θ and β (`glm_pirls`) and ``M = Λ'Z'WZΛ + I`` at Fisher's weights,

    C(θ, β) = A(û) + ‖û‖² + log|M|

where A is −2 log-likelihood given the random effects: lme4's criterion (Bates et al. 2015, J. Stat. Softw. 67(1),
section 2). W depends on û, and û on everything, so the gradient takes one further solve (implicit differentiation of
g(û) = 0, as in Kristensen et al. 2016, J. Stat. Softw. 70(5), section 2): with r the score, h_i = z_i'ΛM⁻¹Λ'z_i, q = h
dW/dη, W° = −dr/dη, a = dA/dloss (1 without a dispersion),

    α = (Λ'Z'W°ZΛ + I)⁻¹ (Λ'Z'q + 2(1 − a)û),      v = q − 2ar − W°ZΛα
    ∂C/∂β = X'v,      ∂C/∂Λ_f = Σ_j (2 (Z'WZΛM⁻¹)_jj + (Z'v)_j û_j' + (Z'r)_j α_j')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.covariance import Layout
from mixedsim.engine.glm_factor import Factor, Shape, covariance_cells, shape_of, theta_traces
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_pirls import Bordered, Inner, InnerWithBeta, Mode, find_mode
from mixedsim.engine.glm_quadrature import Integrals, integrate
from mixedsim.engine.glm_rows import CellBlocks, Rows
from mixedsim.errors import MixedsimError

Floats = NDArray[np.float64]
MOST_NODES = 25


@dataclass(frozen=True, eq=False)
class GlmEvaluation:
    """The criterion at one point ψ = (θ, β, extra), without β where it is profiled.

    `extra` are the family's further parameters: log τ of a negative binomial, distances of thresholds, mostly nothing.

    Attributes
    ----------
    psi : the point.
    criterion : −2 log L.
    gradient : its derivatives by ψ.
    theta, beta, extra : the parts of ψ; β is the profiled one where it is profiled.
    lambdas : Λ of every factor.
    mode : where the random effects have their mode, with the rows there.
    factor, blocks, inverse : M and Z'WZ at Fisher's weights, the cells of M⁻¹.
    """

    psi: Floats
    criterion: float
    gradient: Floats
    theta: Floats
    beta: Floats
    extra: Floats
    lambdas: list[Floats]
    mode: Mode
    factor: Factor
    blocks: CellBlocks
    inverse: CellBlocks

    @property
    def u(self) -> Floats:
        """Q modes of the spherical random effects."""
        return self.mode.vector[: self.mode.inner.rows.size]

    @cached_property
    def bordered(self) -> Bordered:
        """M bordered by X, at Fisher's weights: its `information` is X'V⁻¹X."""
        return Bordered(self.mode.inner.rows, self.lambdas, self.factor, self.mode.point.fisher)


class GlmObjective:
    """−2 log L as a function of ψ.

    Parameters
    ----------
    rows, family : the data.
    layout : where θ stands in Λ.
    nagq : nodes of the quadrature, up to 25 for one factor with one effect; 1 is Laplace's approximation, 0 too, but
        with β where the penalised loss is least, and not where the criterion is.
    shape : how M is factorised, where that is known already.
    """

    def __init__(self, rows: Rows, family: Family, layout: Layout, nagq: int = 1, shape: Shape | None = None) -> None:
        if nagq > 1:
            _check_quadrature(rows, family, nagq)
        self.rows, self.family, self.layout, self.nagq = rows, family, layout, nagq
        self.shape = shape or shape_of(rows)

    @property
    def profiled(self) -> bool:
        """Whether ψ is without β."""
        return self.nagq == 0

    def parts(self) -> tuple[slice, slice, slice]:
        """Where θ, β and the further parameters stand in ψ."""
        k = self.layout.size
        end = k if self.profiled else k + self.rows.p
        return slice(0, k), slice(k, end), slice(end, end + self.family.extra)

    def changed(
        self, *, nagq: int | None = None, family: Family | None = None, layout: Layout | None = None
    ) -> GlmObjective:
        """The same design with other nodes, another response, or another meaning of θ: nothing is laid out again."""
        nagq = self.nagq if nagq is None else nagq
        return GlmObjective(self.rows, family or self.family, layout or self.layout, nagq, self.shape)

    def evaluate(self, psi: Floats, begin: Floats) -> GlmEvaluation:
        """Criterion and gradient at ψ.

        Parameters
        ----------
        psi : the point.
        begin : u from which to seek the mode; u and β where β is profiled. NumPy's warnings are the caller's: a step
            that leaves the range of a link is found out and halved.

        Raises
        ------
        NoMode, LinAlgError
            Where there is none.
        """
        theta, beta, extra = (psi[part] for part in self.parts())
        lambdas = self.layout.lambdas(theta)
        if self.profiled:
            inner: Inner = InnerWithBeta(self.rows, self.shape, lambdas, self.rows.offset)
        else:
            inner = Inner(self.rows, self.shape, lambdas, self.rows.offset + self.rows.x @ beta)
        mode = find_mode(inner, self.family, extra, begin)
        blocks, factor = mode.fisher
        inverse = factor.inverse_cells()
        criterion, gradient = self._derivatives(mode, blocks, factor, inverse)
        beta = mode.vector[self.rows.size :] if self.profiled else beta
        return GlmEvaluation(psi, criterion, gradient, theta, beta, extra, lambdas, mode, factor, blocks, inverse)

    def _derivatives(self, mode: Mode, blocks: CellBlocks, factor: Factor, inverse: CellBlocks) -> tuple[float, Floats]:
        """The criterion and its gradient; see the module for the symbols."""
        rows, family, inner, point = self.rows, self.family, mode.inner, mode.point
        lambdas = inner.lambdas
        u = mode.vector[: rows.size]
        known = self._known(mode, factor, inverse)
        leverage = rows.quadratic(covariance_cells(inverse, lambdas))
        if known.logdet_share is not None:
            leverage = leverage * known.logdet_share[rows.codes[0]]
            blocks = CellBlocks([blocks.own[0] * known.logdet_share[:, None, None]], {})
        q = leverage * point.slope
        pull = inner.pulled(q)
        pull[: rows.size] += known.by_mode
        adjoint = mode.curvature.solve(pull)
        along = inner.row_values(adjoint)
        v = q - point.observed * along
        z_v, z_r = rows.split(rows.zt @ v), rows.split(rows.zt @ point.score)
        traces = theta_traces(rows, blocks, inverse, lambdas)
        by_lambda = [
            2.0 * trace + zv.T @ own + zr.T @ a - 2.0 * explicit
            for trace, zv, own, zr, a, explicit in zip(
                traces, z_v, rows.split(u), z_r, rows.split(adjoint[: rows.size]), known.effect_scores, strict=True
            )
        ]
        at_theta, at_beta, at_extra = self.parts()
        gradient = np.empty(at_extra.stop)
        gradient[at_theta] = self.layout.pick(by_lambda)
        if not self.profiled:
            gradient[at_beta] = rows.x.T @ (v - 2.0 * known.score)
        if family.extra:
            _, score, fisher = family.by_extra(point, mode.extra)
            gradient[at_extra] = known.by_extra + fisher @ leverage + score @ along
        return known.value + factor.logdet, gradient

    def _known(self, mode: Mode, factor: Factor, inverse: CellBlocks) -> _Known:
        """What the criterion is beside log|M|, and how it depends on things at fixed mode."""
        rows, family, point = self.rows, self.family, mode.point
        u = mode.vector[: rows.size]
        if self.nagq > 1:
            integrals = integrate(mode, 1.0 / inverse.own[0].reshape(-1), self.nagq)
            whole, _ = family.criterion(0.0, mode.extra)
            return _known_integrals(integrals, whole)
        loss = float(point.losses.sum())
        whole, slope = family.criterion(loss, mode.extra)
        z_r = rows.split(rows.zt @ point.score)
        return _Known(
            value=whole + float(u @ u),
            score=slope * point.score,
            effect_scores=[slope * (own.T @ mine) for own, mine in zip(z_r, rows.split(u), strict=True)],
            by_mode=2.0 * (1.0 - slope) * u,
            by_extra=family.by_extra(point, mode.extra)[0].sum(axis=1) if family.extra else np.empty(0),
        )

    def predicted(self, at: GlmEvaluation, psi: Floats) -> Floats:
        """Where the mode will be at a point near `at`, to first order."""
        rows, mode = self.rows, at.mode
        at_theta, at_beta, at_extra = self.parts()
        move = psi - at.psi
        change = self.layout.lambdas(psi[at_theta])
        change = [new - old for new, old in zip(change, at.lambdas, strict=True)]
        moved = rows.z @ rows.scaled(change, at.u)
        if not self.profiled:
            moved = moved + rows.x @ move[at_beta]
        pull = -mode.inner.pulled(mode.point.observed * moved)
        if self.family.extra:
            _, score, _ = self.family.by_extra(mode.point, at.extra)
            pull += mode.inner.pulled(move[at_extra] @ score)
        pull[: rows.size] += rows.scaled_back(change, rows.zt @ mode.point.score)
        return mode.vector + mode.curvature.solve(pull)


@dataclass(frozen=True, eq=False)
class _Known:
    """The criterion less log|M| at a mode, and its derivatives at fixed mode.

    ``score`` is −½ the derivative by η, ``effect_scores`` −½ those by Λ; ``by_mode`` that by u where it is not 0.
    """

    value: float
    score: Floats
    effect_scores: Sequence[Floats]
    by_mode: Floats
    by_extra: Floats
    logdet_share: Floats | None = None


def _known_integrals(integrals: Integrals, whole: float) -> _Known:
    return _Known(
        value=integrals.value + whole,
        score=integrals.score,
        effect_scores=[np.array([[integrals.effect_score]])],
        by_mode=integrals.by_mode,
        by_extra=integrals.by_extra,
        logdet_share=integrals.logdet_share,
    )


def _check_quadrature(rows: Rows, family: Family, nagq: int) -> None:
    if nagq > MOST_NODES:
        raise MixedsimError(f"nagq must be at most {MOST_NODES} nodes, found {nagq}: more of them add nothing.")
    if len(rows.shapes) > 1 or rows.shapes[0][1] > 1:
        raise MixedsimError(
            f"nagq={nagq} needs one grouping factor with one varying effect, as in (1 | group): "
            "use nagq=1, the Laplace approximation, for this model."
        )
    if family.scaled:
        raise MixedsimError(
            f"nagq={nagq} is for families without a dispersion, and {family.kind!r} has one: use nagq=1."
        )
