"""What a fitted linear mixed model is made of, and what follows at once: estimates, criterion, messages.

Every method of the fitted model, whichever file it stands in, needs no more than this.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import Objective, Optimum, Problem
from mixedsim.inference import VarianceParameters, variance_parameters
from mixedsim.inference.kenward_roger import KenwardRoger, kenward_roger
from mixedsim.inference.responses import Rows, standard_rows
from mixedsim.inference.satterthwaite import Satterthwaite
from mixedsim.models import messages, tables
from mixedsim.models.fitted_estimates import FittedEstimates
from mixedsim.models.fitting import Request
from mixedsim.models.messages import Finding

Floats = NDArray[np.float64]


class LinearEstimates(FittedEstimates):
    """The parts of a fitted linear mixed model, in the units and names of the data.

    Everything is computed when first asked for and never changes afterwards.
    """

    problem: Problem
    objective: Objective
    optimum: Optimum
    request: Request

    def __init__(
        self, *, design: Design, problem: Problem, objective: Objective, optimum: Optimum, request: Request
    ) -> None:
        super().__init__(design=design, problem=problem, objective=objective, optimum=optimum, request=request)

    # ---- what was fitted

    @property
    def reml(self) -> bool:
        """Whether the REML criterion was optimised (else the likelihood)."""
        return self.objective.reml

    @cached_property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the p fixed effects that could be estimated."""
        return tuple(self.design.x.names[j] for j in self.problem.fixed.kept)

    # ---- estimates

    @cached_property
    def _fixef(self) -> Floats:
        return self.problem.fixef(self.optimum.profile.beta.copy())

    @property
    def fixef(self) -> pd.Series[float]:
        """Fixed effects: one number a coefficient."""
        return pd.Series(self._fixef, index=list(self.coefficient_names), name="fixef", dtype=float)

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects (given the estimated variances): p × p."""
        names = list(self.coefficient_names)
        return pd.DataFrame(self._vcov, index=names, columns=names)

    @cached_property
    def _vcov(self) -> Floats:
        return self.problem.vcov(self.optimum.profile.w_inverse, self.optimum.profile.sigma2)

    @cached_property
    def sigma(self) -> float:
        """Residual standard deviation, in units of the response."""
        return float(self.problem.response.scale * np.sqrt(self.optimum.profile.sigma2))

    @property
    def theta(self) -> Floats:
        """Lower triangles of the relative covariance factors Λ, term by term (lme4's θ): K values."""
        return self.problem.theta(self.optimum.profile.theta)

    @cached_property
    def covariances(self) -> dict[str, pd.DataFrame]:
        """Covariance matrix of the random effects of every grouping factor: {group: q × q}."""
        relative = self.problem.relative_covariances(self.optimum.profile.theta)
        out = {}
        for factor, matrix in zip(self.design.factors, relative, strict=True):
            names = list(factor.effects)
            out[factor.name] = pd.DataFrame(self.sigma**2 * matrix, index=names, columns=names)
        return out

    @property
    def varcorr(self) -> pd.DataFrame:
        """Variances and correlations of the random effects.

        One row a variance (`term2` missing; `sd_or_corr` is the standard deviation) and one a pair of effects that
        may correlate (`variance` is the covariance, `sd_or_corr` the correlation). The residual is `sigma`.
        """
        return tables.varcorr(self.design.factors, self.covariances)

    @cached_property
    def _modes(self) -> list[Floats]:
        return self.problem.modes(self.objective.modes(self.optimum.profile))

    @cached_property
    def _mode_covariances(self) -> list[Floats]:
        profile = self.optimum.profile
        return self.problem.mode_covariances(profile.absorbed.covariances(), profile.sigma2)

    # ---- criterion

    @cached_property
    def deviance(self) -> float:
        """−2 × `loglik`: the REML criterion of a REML fit, −2 log L of an ML fit."""
        return self.optimum.profile.deviance + self.problem.deviance_shift(self.reml)

    @property
    def loglik(self) -> float:
        """Log-likelihood at the optimum, restricted if `reml`."""
        return -0.5 * self.deviance

    @property
    def npar(self) -> int:
        """Number of parameters: fixed effects, elements of θ, and σ."""
        return len(self.coefficient_names) + self.problem.layout.size + 1

    @property
    def aic(self) -> float:
        """Akaike's criterion, from the (restricted) log-likelihood."""
        return self.deviance + 2.0 * self.npar

    # ---- what happened

    @property
    def converged(self) -> bool:
        """Whether the optimiser stopped at a minimum of the deviance."""
        return self.optimum.converged

    @cached_property
    def singular(self) -> bool:
        """Whether some combination of random effects has no variance (an sd of 0, a correlation of ±1)."""
        return bool(messages.flat_terms(self.design.factors, self.problem, self.optimum.profile))

    @cached_property
    def _findings(self) -> tuple[Finding, ...]:
        return messages.findings(self.design, self.problem, self.optimum, self.sigma)

    # ---- what the inference stands on

    @cached_property
    def variance_parameters(self) -> VarianceParameters:
        """Asymptotic covariance of the variance parameters (standardised problem)."""
        return variance_parameters(self.objective, self.optimum.profile)

    @cached_property
    def satterthwaite(self) -> Satterthwaite:
        """Covariance of the fixed effects with Satterthwaite's degrees of freedom (standardised problem)."""
        return Satterthwaite.of(self.objective, self.optimum.profile, self.variance_parameters)

    @cached_property
    def kenward_roger(self) -> KenwardRoger:
        """Kenward and Roger's adjusted covariance and degrees of freedom (standardised problem); REML fits only."""
        return kenward_roger(self.objective, self.optimum.profile)

    @cached_property
    def rows(self) -> Rows:
        """The rows in the engine's standardised units, made when something new is to be done with them."""
        return standard_rows(self.design, self.problem)
