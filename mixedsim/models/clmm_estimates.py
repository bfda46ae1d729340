"""What a fitted cumulative-link mixed model is made of: as a generalised one, with thresholds for the intercept."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from mixedsim.inference.glm_thresholds import Located, located
from mixedsim.models import clmm_messages
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.messages import Finding


class ClmmEstimates(GeneralizedEstimates):
    """The parts of a fitted cumulative-link mixed model, in the units and names of the data."""

    @property
    def categories(self) -> tuple[Any, ...]:
        """The categories of the response, from low to high."""
        return self.design.categories or ()

    @property
    def threshold_names(self) -> tuple[str, ...]:
        """Names of the K − 1 thresholds: the categories on both sides, ``1|2``."""
        return tuple(f"{low}|{high}" for low, high in zip(self.categories[:-1], self.categories[1:], strict=True))

    @cached_property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the fixed effects that could be estimated."""
        return tuple(self.design.x.names[j] for j in self.problem.linear.fixed.kept if j != self._intercept)

    @property
    def _intercept(self) -> int:
        return self.design.x.names.index("Intercept")

    @cached_property
    def located(self) -> Located:
        """Thresholds and fixed effects with their covariance."""
        return located(self.problem, self.objective, self.optimum)

    @property
    def thresholds(self) -> pd.Series[float]:
        """The thresholds α of the latent scale: P(y ≤ k) = F(α_k − η)."""
        return pd.Series(self.located.thresholds, index=list(self.threshold_names), name="thresholds", dtype=float)

    @property
    def fixef(self) -> pd.Series[float]:
        """Fixed effects on the latent scale: positive ones make higher categories more likely."""
        return pd.Series(self.located.coefficients, index=list(self.coefficient_names), name="fixef", dtype=float)

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects, with what estimating thresholds and variances costs."""
        names = list(self.coefficient_names)
        return self.joint_vcov.loc[names, names]

    @property
    def joint_vcov(self) -> pd.DataFrame:
        """Covariance matrix of the thresholds and, behind them, the fixed effects."""
        names = [*self.threshold_names, *self.coefficient_names]
        return pd.DataFrame(self.located.covariance, index=names, columns=names)

    @property
    def npar(self) -> int:
        """Number of parameters: thresholds, fixed effects, elements of θ."""
        return len(self.threshold_names) + len(self.coefficient_names) + self.problem.layout.size

    @cached_property
    def _findings(self) -> tuple[Finding, ...]:
        return clmm_messages.findings(self.design, self.problem, self.objective, self.optimum, self.fixed_covariance)
