"""The fitted linear mixed model: engine results in the units and names of the data.

Everything is computed when first asked for and never changes afterwards.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import Objective, Optimum, Problem
from mixedsim.errors import MixedsimError
from mixedsim.inference import VarianceParameters, variance_parameters
from mixedsim.models import messages, prediction, tables
from mixedsim.models.summary import Summary

Floats = NDArray[np.float64]
ResidualKind = Literal["response", "pearson", "scaled"]
DdfMethod = Literal["satterthwaite", "wald"]


class LinearMixedModel:
    """A fitted linear mixed model, as returned by `mixedsim.lmer`.

    Attributes (p fixed effects, F grouping factors, K variance parameters)
    ----------
    fixef : Series of p fixed effects.
    vcov : p × p DataFrame, covariance of the fixed effects.
    ranef, ranef_sd : {group: DataFrame of levels × effects}, conditional modes and their standard deviations.
    coef : {group: DataFrame}, fixed plus random effects of every level.
    varcorr : DataFrame with one row a variance and one a covariance.
    sigma : residual standard deviation.
    theta : K elements of the relative covariance factors, as lme4 orders them.
    loglik, deviance, aic, bic : of the criterion that was optimised (REML or ML).
    nobs, n_groups : rows used, and levels of every grouping factor.
    converged, singular, messages : what happened, in facts and in words.
    """

    def __init__(self, *, design: Design, problem: Problem, objective: Objective, optimum: Optimum) -> None:
        self.design = design
        self.problem = problem
        self.objective = objective
        self.optimum = optimum

    # ---- what was fitted

    @property
    def formula(self) -> str:
        """The formula as it was typed."""
        return self.design.formula.text

    @property
    def reml(self) -> bool:
        """Whether the REML criterion was optimised (else the likelihood)."""
        return self.objective.reml

    @property
    def nobs(self) -> int:
        """Number of rows used."""
        return self.design.rows

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of levels of every grouping factor."""
        return {factor.name: len(factor.levels) for factor in self.design.factors}

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

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the number of rows as sample size."""
        return self.deviance + float(np.log(self.nobs)) * self.npar

    # ---- what happened

    @property
    def converged(self) -> bool:
        """Whether the optimiser stopped at a minimum of the deviance."""
        return self.optimum.converged

    @cached_property
    def singular(self) -> bool:
        """Whether some combination of random effects has no variance (an sd of 0, a correlation of ±1)."""
        return bool(messages.flat_terms(self.design.factors, self.problem, self.optimum))

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """What a reader should know about data and fit, in sentences; empty if there is nothing to say."""
        return (
            *self.design.messages,
            *messages.dropped_columns(self.design, self.problem),
            *messages.singular_terms(self.design.factors, self.problem, self.optimum, self.sigma),
            *messages.flat_likelihood(self.problem, self.optimum, self.singular),
            *messages.not_converged(self.optimum),
        )

    # ---- inference

    @cached_property
    def variance_parameters(self) -> VarianceParameters:
        """Asymptotic covariance of the variance parameters (standardised problem)."""
        return variance_parameters(self.objective, self.optimum.profile)

    def coefficients(self, ddf: DdfMethod = "satterthwaite", level: float = 0.95) -> pd.DataFrame:
        """Table of fixed effects: estimate, se, df, t, p, lower, upper.

        Parameters
        ----------
        ddf : ``"satterthwaite"`` (Kuznetsova et al. 2017), or ``"wald"`` for the normal distribution (df infinite),
            which is too optimistic with few groups.
        level : confidence level of the interval.
        """
        return tables.coefficients(self, ddf, level)

    # ---- rows

    def predict(self, new: Any = None, random: bool = True) -> pd.Series[float]:
        """Predicted means: one value a row.

        Parameters
        ----------
        new : a table with the predictors and, if `random`, the grouping factors; the fitted rows if None.
        random : include the random effects (the default); False gives the mean of the population.

        Raises
        ------
        DataError
            For a level that the model has not seen; ``random=False`` predicts without it.
        """
        if new is None:
            return prediction.fitted(self.design, self._padded_fixef, self._modes, random)
        return prediction.predicted(self.design, self._padded_fixef, self._modes, new, random)

    @property
    def _padded_fixef(self) -> Floats:
        """Fixed effects for all columns of the formula: dropped ones count as zero."""
        out = np.zeros(len(self.design.x.names))
        out[list(self.problem.fixed.kept)] = self._fixef
        return out

    def residuals(self, kind: ResidualKind = "response") -> pd.Series[float]:
        """Residuals around the fitted values that include the random effects: one a row.

        Parameters
        ----------
        kind : ``"response"`` (in units of y), ``"pearson"`` (times √weight), or ``"scaled"`` (those over sigma).
        """
        if kind not in ("response", "pearson", "scaled"):
            raise MixedsimError(f"kind must be 'response', 'pearson' or 'scaled', found {kind!r}.")
        out = pd.Series(self.design.y - self.predict(), name="residual")
        if kind != "response" and self.design.weights is not None:
            out = out * np.sqrt(self.design.weights)
        return out / self.sigma if kind == "scaled" else out

    # ---- printing

    def summary(self) -> Summary:
        """What was fitted and what came out, laid out as lme4 does; prints as text, shows as HTML in a notebook."""
        return Summary(self)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
