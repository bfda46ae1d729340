"""A generalised design in standardised units, and the exact way back.

Columns are standardised as for a linear model (`mixedsim.scaling`), and so is the way back, which is therefore that of
a linear `Problem`: the one of the working response at the start. Varying columns are divided by the root of the mean
working weight, so that a standardised θ of 1 means as much as a row tells, whatever the family and the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from mixedsim.design import Design
from mixedsim.engine.covariance import FactorShape, Layout
from mixedsim.engine.cross_products import Grouping, cross_products
from mixedsim.engine.glm_families import Binomial, Family
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_means import Gamma, InverseGaussian, NegativeBinomial, Poisson
from mixedsim.engine.glm_ordinal import Cumulative
from mixedsim.engine.glm_rows import Rows
from mixedsim.engine.glm_start import fixed_only
from mixedsim.engine.problem import Problem
from mixedsim.engine.start import start
from mixedsim.scaling import ResponseScaling, Standardiser, scale_fixed, scale_varying

Floats = NDArray[np.float64]
FAMILIES: Mapping[str, type[Family]] = {
    one.kind: one for one in (Binomial, Poisson, NegativeBinomial, Gamma, InverseGaussian)
}
_LARGEST = 3.0  # standard deviation of η at the start


@dataclass(frozen=True, eq=False)
class GlmProblem:
    """Rows of the standardised design, with the transformations.

    Attributes
    ----------
    rows : what the optimiser sees of the design.
    family : what it sees of the response.
    linear : the linear model of the working response at the start: layout, and the way back to the units of the data
        (`Problem.fixef`, `vcov`, `modes`, `mode_covariances`, `relative_covariances`, `theta`, `standard_theta`).
    theta, beta, extra : where to begin, standardised.
    """

    rows: Rows
    family: Family
    linear: Problem
    theta: Floats
    beta: Floats
    extra: Floats

    @property
    def layout(self) -> Layout:
        """Where θ stands in Λ."""
        return self.linear.layout


def family_of(
    kind: str,
    link: str,
    y: Floats,
    weights: Floats | None,
    trials: Floats | None = None,
    theta: float | None = None,
    categories: int = 0,
) -> Family:
    """The family with its rows.

    Parameters
    ----------
    kind, link : such as ``"binomial"`` and ``"logit"`` (see `FAMILIES`; and ``"ordinal"``).
    y : n responses; with trials, numbers of successes; codes of ordered categories.
    weights : n prior weights, or None.
    trials : n numbers of trials, for binomial counts.
    theta : τ of a negative binomial, or None to estimate it.
    categories : number of ordered categories.
    """
    own = 1.0 if weights is None else weights
    if kind == Cumulative.kind:
        return Cumulative(link, y, own, categories)
    if kind == Binomial.kind:
        return Binomial(link, y, own) if trials is None else Binomial(link, y / trials, own, trials)
    if kind == NegativeBinomial.kind:
        return NegativeBinomial(link, y, own, theta)
    return FAMILIES[kind](link, y, own)


def pose_glm(design: Design, family: Family) -> GlmProblem:
    """Standardise a `Design` and find where to begin.

    Parameters
    ----------
    design : factors, columns and offset; its response and weights are those of `family`.
    family : from `family_of`.
    """
    has_intercept = "Intercept" in design.x.names
    standardise = Standardiser(design.rows)
    fixed = scale_fixed(design.x.columns, has_intercept, standardise)
    x = np.empty((design.rows, len(fixed.columns)), order="F")
    for j, column in enumerate(fixed.columns):
        x[:, j] = column
    offset = np.zeros(design.rows) if design.offset is None else design.offset
    with np.errstate(all="ignore"):  # a trial may leave the range of the link: then it is no candidate
        alone = fixed_only(family, x, offset)
    standardise.unit = 1.0 / float(np.sqrt(alone.weights.mean()))
    groups, transforms, shapes = [], [], []
    for factor in design.factors:
        scaled = [scale_varying(term.columns.columns, standardise) for term in factor.terms]
        columns = tuple(column for some, _ in scaled for column in some)
        groups.append(Grouping(factor.codes, len(factor.levels), columns))
        transforms.append(block_diag(*[t for _, t in scaled]))
        shapes.append(FactorShape(len(factor.levels), tuple(len(some) for some, _ in scaled)))
    kept_names = [design.x.names[j] for j in fixed.kept]
    linear = Problem(
        cp=cross_products(groups, fixed.columns, alone.working, alone.weights),
        layout=Layout(shapes),
        fixed=fixed,
        varying=tuple(transforms),
        response=ResponseScaling(0.0, 1.0),
        intercept=kept_names.index("Intercept") if has_intercept else None,
    )
    return GlmProblem(
        rows=Rows(groups, x, offset),
        family=family,
        linear=linear,
        theta=_first_theta(linear, family.link, standardise.unit),
        beta=alone.beta,
        extra=alone.extra,
    )


def _first_theta(linear: Problem, link: str, unit: float) -> Floats:
    """θ by moments; where η has no unit, no larger than data can tell: working responses are wild where means are
    extreme."""
    theta = start(linear.cp, linear.layout)
    if link in UNITLESS:
        for mine in linear.layout.of_factor:
            theta[mine] *= min(1.0, _LARGEST / (unit * float(np.linalg.norm(theta[mine]))))
    return theta
