"""Intraclass correlations and R² of a generalised mixed model, on the scale of its link.

As in a linear model (`effect_sizes`) the variance is split into that of the fixed part and of the random effects; what
is left is the variance of a single observation, which stands in no row of a table. Nakagawa, Johnson & Schielzeth
(2017, J. R. Soc. Interface 14:20170213, tables 1 and 2, sections 3-5) have it from V, the variance of a response with
mean λ, where λ is that of the null model (the intercept alone, with the same random effects) in its middle group:

    method         family and link            variance of an observation
    theoretical    logit, probit, cloglog     π²/3, 1, π²/6 (the last for loglog too)
    delta          any                        V(λ)(dη/dλ)²: 1/λ, 1/λ + 1/τ, φ for the log link, 1/(λ(1 − λ)) for logit
    lognormal      log                        log(1 + V(λ)/λ²)
    trigamma       log                        ψ₁(λ²/V(λ))

The theoretical one is that of the latent logistic, normal or extreme-value variable behind a yes or no, and the only
one of ordered categories. To it is added the variance of a factor with one row a level, which is overdispersion and no
correlation within groups.

R's performance takes the first for binomial models, the third for counts, the second for gamma ones with a log link;
so does ``method=None``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import polygamma

from mixedsim.columns import Columns
from mixedsim.design import Design
from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_links import MEANS, ODDS
from mixedsim.engine.glm_means import NegativeBinomial
from mixedsim.engine.glm_optimise import GlmOptimum, minimise_glm
from mixedsim.engine.glm_problem import GlmProblem, pose_glm
from mixedsim.errors import ConvergenceError, MixedsimError
from mixedsim.inference.effect_sizes import VarianceParts, variance_parts

Floats = NDArray[np.float64]
Observation = Literal["theoretical", "delta", "lognormal", "trigamma"]
LATENT = {"logit": np.pi**2 / 3.0, "probit": 1.0, "cloglog": np.pi**2 / 6.0, "loglog": np.pi**2 / 6.0}


@dataclass(frozen=True)
class _Known:
    """Standardised estimates, as `effect_sizes.variance_parts` wants them."""

    beta: Floats
    theta: Floats
    sigma2: float


def observation_method(family: Family, asked: Observation | None) -> Observation:
    """The method that is meant, by name.

    Raises
    ------
    MixedsimError
        For one that does not exist, or not for this family and link.
    """
    latent = family.kind in ("binomial", "ordinal") and family.link in LATENT
    known: tuple[Observation, ...] = (
        *(("theoretical",) if latent else ()),
        *(("delta",) if family.kind != "ordinal" else ()),
    )
    if family.kind != "binomial" and family.link == "log":
        known = (*known, "lognormal", "trigamma")
    if asked is None:
        return "lognormal" if "lognormal" in known and not family.scaled else known[0]
    if asked not in known:
        names = " or ".join(map(repr, known))
        what = "" if asked in get_args(Observation) else ", which is none"
        raise MixedsimError(
            f"the variance of an observation of the family {family.kind!r} with the link {family.link!r} has the "
            f"method {names}, found {asked!r}{what}: choose one of these."
        )
    return asked


def observation_variance(family: Family, extra: Floats, size: float, eta: float, method: Observation) -> float:
    """The variance of a single observation on the scale of the link.

    Parameters
    ----------
    family, extra, size : the family, its log τ, its dispersion.
    eta : linear predictor of the mean λ.
    method : see the module.
    """
    if method == "theoretical":
        return float(LATENT[family.link])
    at = np.array([eta])
    if family.kind == "binomial":
        odds = ODDS[family.link](at)
        mean, slope = odds.success, odds.ratio * odds.success * odds.failure
    else:
        mean, slope, _ = MEANS[family.link](at)
    variance = size * family.variance(mean, extra)
    if method == "delta":
        return float((variance / slope**2)[0])
    square = variance / mean**2
    return float((np.log1p(square) if method == "lognormal" else polygamma(1, 1.0 / square))[0])


def glm_variance_parts(
    design: Design,
    problem: GlmProblem,
    objective: GlmObjective,
    optimum: GlmOptimum,
    method: Observation | None = None,
) -> VarianceParts:
    """Return the `VarianceParts` of a fit on the scale of the link; the residual is that of a single observation.

    Parameters
    ----------
    design, problem, objective, optimum : the fit.
    method : how an observation's variance is found (see the module); None for the family's own.

    Raises
    ------
    MixedsimError
        For a method that the family and link have not.
    ConvergenceError
        If the null model could not be fitted.
    """
    chosen = observation_method(objective.family, method)
    at = optimum.evaluation
    size = dispersion(objective, at)
    parts = variance_parts(design, problem.linear, _Known(at.beta, at.theta, size))
    of_rows = [f.name for f in design.factors if len(f.levels) == design.rows]
    eta = 0.0 if chosen == "theoretical" else null_predictor(design, problem, objective, optimum)
    own = observation_variance(objective.family, at.extra, size, eta, chosen)
    return VarianceParts(
        fixed=parts.fixed,
        random={name: own for name, own in parts.random.items() if name not in of_rows},
        residual=own + sum(sum(parts.random[name]) for name in of_rows),
    )


def null_predictor(design: Design, problem: GlmProblem, objective: GlmObjective, optimum: GlmOptimum) -> float:
    """The intercept of the null model plus the mean offset; a model without predictors is its own null model."""
    shift = 0.0 if design.offset is None else float(design.offset.mean())
    kept = [design.x.names[j] for j in problem.linear.fixed.kept]
    if kept == ["Intercept"]:
        return float(problem.linear.fixef(optimum.evaluation.beta.copy())[0]) + shift
    ones = Columns(("Intercept",), (1.0,), design.rows, ("1",), replace(design.x.spec, rhs="1", model_spec=None))
    family = objective.family
    if isinstance(family, NegativeBinomial):  # λ takes the place of the means alone: τ stays that of the model
        family = NegativeBinomial(family.link, family.y, family.weights, family.tau(optimum.evaluation.extra))
    null = pose_glm(replace(design, x=ones), family)
    alone = GlmObjective(null.rows, null.family, null.layout, objective.nagq)
    found = minimise_glm(alone, null.theta, null.beta, null.extra)
    if not found.converged:
        raise ConvergenceError(
            "the model with an intercept alone, whose mean the variance of an observation is taken at, did not "
            "converge: fit it with ms.glmer to see why."
        )
    return float(null.linear.fixef(found.evaluation.beta.copy())[0]) + shift
