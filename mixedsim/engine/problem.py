"""A design in standardised units, and the exact way back to the units of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine.covariance import FactorShape, Layout, lower_factor
from mixedsim.engine.cross_products import CrossProducts, Grouping, cross_products
from mixedsim.scaling import FixedScaling, ResponseScaling, Standardiser, scale_fixed, scale_response, scale_varying

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """Cross-products of the standardised design (F factors, p columns), with the transformations.

    Attributes
    ----------
    cp : what the optimiser sees.
    layout : where θ stands in each Λ.
    fixed : T with X̃ = X T, and which columns were dropped.
    varying : for each factor T_f (q × q, block-diagonal over terms) with Z̃ = Z T_f.
    response : centre m and scale s with ỹ = (y − m)/s.
    intercept : position of the intercept among the kept columns, or None.
    """

    cp: CrossProducts
    layout: Layout
    fixed: FixedScaling
    varying: tuple[Floats, ...]
    response: ResponseScaling
    intercept: int | None

    def deviance_shift(self, reml: bool) -> float:
        """What to add to the deviance of the standardised problem to get that of the data."""
        nu = self.cp.n - self.cp.p if reml else self.cp.n
        return 2.0 * nu * float(np.log(self.response.scale)) - (2.0 * self.fixed.log_det if reml else 0.0)

    def fixef(self, beta: Floats) -> Floats:
        """Fixed effects in the units of the data, from standardised ones (p, or p × r)."""
        out: Floats = self.response.scale * (self.fixed.transform @ beta)
        if self.intercept is not None:
            out[self.intercept] += self.response.centre
        return out

    def vcov(self, w_inverse: Floats, sigma2: float) -> Floats:
        """Covariance of the fixed effects in the units of the data: p × p."""
        t = self.fixed.transform
        return np.asarray(self.response.scale**2 * sigma2 * (t @ w_inverse @ t.T))

    def modes(self, modes: list[Floats]) -> list[Floats]:
        """Conditional modes in the units of the data: J_f × q_f for each factor."""
        return [self.response.scale * (b @ t.T) for b, t in zip(modes, self.varying, strict=True)]

    def mode_covariances(self, covariances: list[Floats], sigma2: float) -> list[Floats]:
        """Conditional covariances in the units of the data: J_f × q_f × q_f for each factor."""
        size = self.response.scale**2 * sigma2
        return [size * (t @ v @ t.T) for v, t in zip(covariances, self.varying, strict=True)]

    def relative_covariances(self, theta: Floats) -> list[Floats]:
        """``Σ_f/σ²`` of each factor in the units of the data: q_f × q_f."""
        lambdas = self.layout.lambdas(theta)
        halves = [t @ lam for t, lam in zip(self.varying, lambdas, strict=True)]
        return [half @ half.T for half in halves]

    def theta(self, theta: Floats) -> Floats:
        """θ as lme4 reports it: the lower triangles of Λ in the units of the data."""
        relative = self.relative_covariances(theta)
        lambdas = [lower_factor(s, shape.terms) for s, shape in zip(relative, self.layout.factors, strict=True)]
        return self.layout.theta(lambdas)

    def standard_theta(self, theta: Floats) -> Floats:
        """The inverse of `theta`: θ of the standardised problem from lme4's."""
        lambdas = self.layout.lambdas(theta)
        out = []
        for t, lam, shape in zip(self.varying, lambdas, self.layout.factors, strict=True):
            half = np.linalg.solve(t, lam)
            out.append(lower_factor(half @ half.T, shape.terms))
        return self.layout.theta(out)


def pose(design: Design) -> Problem:
    """Standardise a `Design` and take its cross-products: the last time that anyone looks at the rows."""
    has_intercept = "Intercept" in design.x.names
    standardise = Standardiser(design.rows, design.weights)
    fixed = scale_fixed(design.x.columns, has_intercept, standardise)
    y = design.y if design.offset is None else design.y - design.offset
    y, response = scale_response(y, has_intercept)
    groups, transforms, shapes = [], [], []
    for factor in design.factors:
        scaled = [scale_varying(term.columns.columns, standardise) for term in factor.terms]
        columns = tuple(column for some, _ in scaled for column in some)
        groups.append(Grouping(factor.codes, len(factor.levels), columns))
        transforms.append(side_by_side([t for _, t in scaled]))
        shapes.append(FactorShape(len(factor.levels), tuple(len(some) for some, _ in scaled)))
    kept_names = [design.x.names[j] for j in fixed.kept]
    return Problem(
        cp=cross_products(groups, fixed.columns, y, design.weights),
        layout=Layout(shapes),
        fixed=fixed,
        varying=tuple(transforms),
        response=response,
        intercept=kept_names.index("Intercept") if has_intercept else None,
    )


def side_by_side(blocks: list[Floats]) -> Floats:
    """The block-diagonal matrix of square blocks."""
    out = np.zeros((sum(map(len, blocks)),) * 2)
    begin = 0
    for block in blocks:
        end = begin + len(block)
        out[begin:end, begin:end] = block
        begin = end
    return out
