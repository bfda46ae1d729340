"""What a fitted generalised linear mixed model is made of, and what follows at once: estimates, criterion, messages.

Every method of the fitted model, whichever file it stands in, needs no more than this.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import glm_estimates
from mixedsim.engine.glm_estimates import FixedCovariance
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.engine.glm_means import NegativeBinomial
from mixedsim.engine.glm_optimise import GlmOptimum
from mixedsim.engine.glm_problem import GlmProblem
from mixedsim.inference.boundary import flat_directions
from mixedsim.models import generalized_messages, tables
from mixedsim.models.fitted_estimates import FittedEstimates
from mixedsim.models.fitting import Request
from mixedsim.models.generalized_family import Kind
from mixedsim.models.messages import Finding

Floats = NDArray[np.float64]


class GeneralizedEstimates(FittedEstimates):
    """The parts of a fitted generalised linear mixed model, in the units and names of the data.

    Everything is computed when first asked for and never changes afterwards.
    """

    kind: Kind
    problem: GlmProblem
    objective: GlmObjective
    optimum: GlmOptimum
    request: Request

    def __init__(
        self,
        *,
        design: Design,
        kind: Kind,
        problem: GlmProblem,
        objective: GlmObjective,
        optimum: GlmOptimum,
        request: Request,
    ) -> None:
        super().__init__(
            design=design, kind=kind, problem=problem, objective=objective, optimum=optimum, request=request
        )

    # ---- what was fitted

    @property
    def family(self) -> str:
        """Name of the family, such as ``"binomial"``."""
        return self.kind.family

    @property
    def link(self) -> str:
        """Name of the link, such as ``"logit"``."""
        return self.kind.link

    @property
    def nagq(self) -> int:
        """Nodes of the quadrature; 1 is Laplace's approximation."""
        return self.kind.nagq

    @property
    def reml(self) -> bool:
        """False: generalised models are fitted by maximum likelihood."""
        return False

    @cached_property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the p fixed effects that could be estimated."""
        return tuple(self.design.x.names[j] for j in self.problem.linear.fixed.kept)

    @property
    def at(self) -> GlmEvaluation:
        """The criterion at the optimum (standardised)."""
        return self.optimum.evaluation

    # ---- estimates

    @cached_property
    def _fixef(self) -> Floats:
        return self.problem.linear.fixef(self.at.beta.copy())

    @property
    def fixef(self) -> pd.Series[float]:
        """Fixed effects on the scale of the link: one number a coefficient."""
        return pd.Series(self._fixef, index=list(self.coefficient_names), name="fixef", dtype=float)

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects, with what estimating the variances costs: p × p."""
        names = list(self.coefficient_names)
        return pd.DataFrame(self.fixed_covariance.matrix, index=names, columns=names)

    @cached_property
    def fixed_covariance(self) -> FixedCovariance:
        """The covariance of the fixed effects, and whether the uncertainty of the variances is in it."""
        return glm_estimates.fixed_covariance(self.problem, self.objective, self.optimum)

    @cached_property
    def sigma(self) -> float:
        """1, or for families with a dispersion its square root (as lme4)."""
        return float(np.sqrt(glm_estimates.dispersion(self.objective, self.at)))

    @property
    def tau(self) -> float:
        """τ of a negative binomial, whose variance is μ + μ²/τ; infinite for other families."""
        family = self.objective.family
        return family.tau(self.at.extra) if isinstance(family, NegativeBinomial) else np.inf

    @property
    def theta(self) -> Floats:
        """Lower triangles of the relative covariance factors Λ, term by term (lme4's θ): K values."""
        return self.problem.linear.theta(self.at.theta)

    @cached_property
    def covariances(self) -> dict[str, pd.DataFrame]:
        """Covariance matrix of the random effects on the scale of the link: {group: q × q}."""
        relative = self.problem.linear.relative_covariances(self.at.theta)
        out = {}
        for factor, matrix in zip(self.design.factors, relative, strict=True):
            names = list(factor.effects)
            out[factor.name] = pd.DataFrame(self.sigma**2 * matrix, index=names, columns=names)
        return out

    @property
    def varcorr(self) -> pd.DataFrame:
        """Variances and correlations of the random effects, on the scale of the link.

        One row a variance (`term2` missing; `sd_or_corr` is the standard deviation) and one a pair of effects that
        may correlate (`variance` is the covariance, `sd_or_corr` the correlation).
        """
        return tables.varcorr(self.design.factors, self.covariances)

    @cached_property
    def _modes(self) -> list[Floats]:
        return glm_estimates.modes(self.problem, self.at)

    @cached_property
    def _mode_covariances(self) -> list[Floats]:
        return glm_estimates.mode_covariances(self.problem, self.objective, self.at)

    # ---- criterion

    @property
    def deviance(self) -> float:
        """−2 × `loglik`: with all constants, so that it can be compared whatever `nagq` is."""
        return self.at.criterion

    @property
    def loglik(self) -> float:
        """Log-likelihood at the optimum, by Laplace's approximation or quadrature."""
        return -0.5 * self.deviance

    @property
    def npar(self) -> int:
        """Number of parameters: fixed effects, elements of θ, and a dispersion or τ where the family has one."""
        family = self.objective.family
        return len(self.coefficient_names) + self.problem.layout.size + int(family.scaled) + family.extra

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self.deviance + 2.0 * self.npar

    # ---- what happened

    @property
    def converged(self) -> bool:
        """Whether the optimiser stopped at a minimum of the deviance.

        False where data are separated, too: then there is no minimum, see `mixedsim.engine.glm_lost`.
        """
        return self.optimum.converged

    @cached_property
    def singular(self) -> bool:
        """Whether some combination of random effects has no variance (an sd of 0, a correlation of ±1)."""
        return bool(flat_directions(self.problem.linear, self.at))

    @cached_property
    def _findings(self) -> tuple[Finding, ...]:
        return generalized_messages.findings(
            self.design, self.problem, self.objective, self.optimum, self.sigma, self.fixed_covariance
        )
