"""What a reader should know about a generalised fit, in sentences: much as of a linear one, and what only this has."""

from __future__ import annotations

import numpy as np

from mixedsim.design import Design
from mixedsim.engine.glm_estimates import FixedCovariance
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_links import UNITLESS
from mixedsim.engine.glm_means import Gamma, NegativeBinomial
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.models.messages import (
    Finding,
    dropped_columns,
    looks_continuous,
    nearly_collinear,
    of_data,
    singular_terms,
)
from mixedsim.models.separation import one_sided_levels, separation
from mixedsim.response import RISES_FOR_EVER

_EDGE = 1e-6  # of the average mean: what is next to none
_ENDLESS = 1e6  # τ beyond which no count tells a negative binomial from a Poisson model


def findings(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    sigma: float,
    covariance: FixedCovariance,
) -> tuple[Finding, ...]:
    """Everything that is worth saying about data and fit, in the order in which it came about."""
    said = of_data(design)
    endless = any(RISES_FOR_EVER in one.message for one in said)
    separated = [] if endless else separation(design, problem, objective, optimum, covariance.matrix)
    rest = "the residual" if objective.family.scaled else "chance"
    return (
        *said,
        *looks_continuous(design.factors),
        *dropped_columns(design, problem.linear),
        *nearly_collinear(design, problem.linear),
        *separated,
        *one_sided_levels(design, objective),
        *singular_terms(design.factors, problem.linear, optimum.evaluation, sigma, rest),
        *not_overdispersed(objective, optimum),
        *too_small(objective),
        *([] if endless or separated else at_the_edge(objective, optimum) or not_converged(optimum)),
        *([] if endless or separated else uncertain_errors(objective, covariance)),
    )


def not_overdispersed(objective: GlmObjective, optimum: GlmOptimum) -> list[Finding]:
    """One finding if a negative binomial turns out to be Poisson."""
    family = objective.family
    if not isinstance(family, NegativeBinomial) or family.tau(optimum.evaluation.extra) < _ENDLESS:
        return []
    message = (
        "the negative binomial's tau is estimated as infinite: given the random effects, the counts vary no more than "
        "a Poisson model says; use family='poisson'."
    )
    return [Finding(message, f"tau {family.tau(optimum.evaluation.extra):.2g}", "use family='poisson'")]


def too_small(objective: GlmObjective) -> list[Finding]:
    """One finding for families with a dispersion: what lme4's criterion does to the other variances."""
    if not objective.family.scaled:
        return []
    kind = "gamma" if isinstance(objective.family, Gamma) else "inverse Gaussian"
    mend = "where they matter, fit the logarithm of the response with ms.lmer"
    message = (
        f"the standard deviations of random effects come out too small in {kind} models, here as in "
        f"lme4, whose criterion takes the dispersion for 1 there; {mend}."
    )
    evidence = "with groups of 20, a coefficient of variation of 0.5 and an sd of 0.6, it is 0.37 on average"
    return [Finding(message, evidence, mend)]


def at_the_edge(objective: GlmObjective, optimum: GlmOptimum) -> list[Finding]:
    """One finding if the search ended where the link allows no means any more."""
    if optimum.converged or objective.family.link in UNITLESS:
        return []
    mean = optimum.evaluation.mode.point.mean
    least = float(mean.min())
    if least > _EDGE * float(mean.mean()):
        return []
    message = (
        f"the estimates lie at the edge of what the link {objective.family.link!r} allows, where the mean of a row "
        "becomes 0: there the likelihood has no maximum that standard errors could be taken from; use the log link."
    )
    return [Finding(message, f"the least mean is {least:.2g}", "use the log link")]


def not_converged(optimum: GlmOptimum) -> list[Finding]:
    """One finding if the optimiser did not arrive."""
    if optimum.converged:
        return []
    lowest = float(np.linalg.eigvalsh(optimum.hessian).min(initial=np.inf))
    message = (
        f"the optimiser did not converge: after {optimum.evaluations} evaluations the largest gradient is "
        f"{optimum.gradient_norm:.2g} and the smallest curvature {lowest:.2g}; the estimates are not to be trusted."
    )
    evidence = f"one more Newton step would lower the deviance by {optimum.decrease:.2g}"
    return [Finding(message, evidence, "allow more iterations, rescale predictors, or simplify the random terms")]


def uncertain_errors(objective: GlmObjective, covariance: FixedCovariance) -> list[Finding]:
    """One finding if the second derivatives at the optimum gave no standard errors."""
    if covariance.by_hessian or objective.profiled:
        return []
    message = (
        "the likelihood is flat in some direction at the optimum, so that standard errors take the variances of the "
        "random effects as known; simplify the model."
    )
    return [Finding(message, "the second derivatives are not those of a minimum", "simplify the model")]
