"""What follows from the estimates of every fitted mixed model, linear or generalised, in the same words."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.models import tables
from mixedsim.models.messages import Finding
from mixedsim.models.unchanging import Unchanging

Floats = NDArray[np.float64]


class FittedEstimates(Unchanging):
    """The parts that all fitted mixed models share; each kind has its own `design`, estimates and criterion."""

    design: Design

    @property
    @abstractmethod
    def fixef(self) -> pd.Series[float]:
        """Fixed effects: one number a coefficient."""

    @property
    @abstractmethod
    def deviance(self) -> float:
        """The criterion that was minimised."""

    @property
    @abstractmethod
    def npar(self) -> int:
        """Number of parameters."""

    @property
    @abstractmethod
    def _modes(self) -> list[Floats]: ...

    @property
    @abstractmethod
    def _mode_covariances(self) -> list[Floats]: ...

    @property
    @abstractmethod
    def _findings(self) -> tuple[Finding, ...]: ...

    @property
    def formula(self) -> str:
        """The formula as it was typed."""
        return self.design.formula.text

    @property
    def nobs(self) -> int:
        """Number of rows used."""
        return self.design.rows

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of levels of every grouping factor."""
        return {factor.name: len(factor.levels) for factor in self.design.factors}

    @property
    def ranef(self) -> dict[str, pd.DataFrame]:
        """Random effects (conditional modes) of every level: {group: DataFrame of levels × effects}."""
        return tables.by_level(self.design.factors, self._modes)

    @property
    def ranef_sd(self) -> dict[str, pd.DataFrame]:
        """Standard deviations of the random effects given data and parameters (lme4's "condVar", square root)."""
        sds = [np.sqrt(np.diagonal(v, axis1=1, axis2=2).clip(min=0.0)) for v in self._mode_covariances]
        return tables.by_level(self.design.factors, sds)

    @property
    def coef(self) -> dict[str, pd.DataFrame]:
        """Coefficients of every level, fixed plus random: {group: DataFrame of levels × coefficients}."""
        return tables.coef(self.fixef, self.ranef)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the number of rows as sample size."""
        return self.deviance + float(np.log(self.nobs)) * self.npar

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """What a reader should know about data and fit, in sentences; empty if there is nothing to say."""
        return tuple(finding.message for finding in self._findings)
