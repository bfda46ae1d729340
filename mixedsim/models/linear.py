"""The fitted linear mixed model: engine results in the units and names of the data.

Everything is computed when first asked for and never changes afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.design import Design
from mixedsim.engine import Control, Objective, Optimum, Problem
from mixedsim.errors import MixedsimError
from mixedsim.inference import VarianceParameters, variance_parameters
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.effect_sizes import Terms, VarianceParts, variance_parts
from mixedsim.inference.effective_n import effective_n
from mixedsim.inference.hypotheses import Type
from mixedsim.inference.kenward_roger import KenwardRoger, kenward_roger
from mixedsim.inference.profile import LikelihoodProfile, likelihood_profile
from mixedsim.inference.responses import Rows, standard_rows
from mixedsim.inference.satterthwaite import Satterthwaite
from mixedsim.models import anova_table, contrast_table, intervals, messages, prediction, refitting, simulation, tables
from mixedsim.models.check import Check, check
from mixedsim.models.contrast_table import Contrasts
from mixedsim.models.emmeans import MarginalMeans, marginal_means
from mixedsim.models.fitting import Request
from mixedsim.models.intervals import IntervalMethod
from mixedsim.models.messages import Finding
from mixedsim.models.posterior import Posterior, draw_posterior
from mixedsim.models.refitting import KEEP, Keep, UsedControl
from mixedsim.models.standardized import Standardization, standardize
from mixedsim.models.summary import Summary

Floats = NDArray[np.float64]
ResidualKind = Literal["response", "pearson", "scaled"]
RandomPart: TypeAlias = bool | str | Sequence[str]


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

    def __init__(
        self, *, design: Design, problem: Problem, objective: Objective, optimum: Optimum, request: Request
    ) -> None:
        self.design = design
        self.problem = problem
        self.objective = objective
        self.optimum = optimum
        self.request = request

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
        return tuple(finding.message for finding in self._findings)

    def check(self) -> Check:
        """Every message as a table: message, evidence, way_out; prints as text.

        For a fit that is singular or not determined by the data, ``.boundary`` is the deviance along the direction in
        which a combination of effects has no variance, and ``.what_if`` a table of simpler models: AIC less that of
        this one (ML fits), and the change of each coefficient in standard errors. See `mixedsim.models.check.Check`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
        >>> fit.check().what_if.round(2)
                       npar  delta_aic  Intercept
        model
        as it is          3        0.0        0.0
        without Batch     2       -2.0        0.0
        """
        return check(self)

    @cached_property
    def _findings(self) -> tuple[Finding, ...]:
        return messages.findings(self.design, self.problem, self.optimum, self.sigma)

    # ---- inference

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

    def coefficients(self, ddf: Ddf = "satterthwaite", level: float = 0.95) -> pd.DataFrame:
        """Table of fixed effects: estimate, se, df, t, p, lower, upper.

        Parameters
        ----------
        ddf : ``"satterthwaite"`` (Kuznetsova et al. 2017); ``"kenward-roger"`` (1997), whose `se` also counts what
            estimating the variances costs, for REML fits; or ``"wald"`` for the normal distribution (df infinite),
            which is too optimistic with few groups.
        level : confidence level of the interval.

        Raises
        ------
        MixedsimError
            For Kenward-Roger after maximum likelihood, or an unknown `ddf`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.coefficients(ddf="kenward-roger").loc["Days", ["estimate", "se", "df"]].round(2).tolist()
        [10.47, 1.55, 17.0]
        """
        return tables.coefficients(self, ddf, level)

    def anova(self, type: Type = 3, ddf: Ddf = "satterthwaite") -> pd.DataFrame:
        """F test of each term: F, df1, df2, p (for ``ddf="wald"``: chisq, df, p), whatever the factors' coding.

        Parameters
        ----------
        type : 3, a term in the presence of all others, main effects averaged over the levels of other factors; 2, a
            term after all that do not contain it; 1, a term after those before it in the formula. The effect of a
            factor that interacts with a numeric x is the one at x = 0: centre x to make it that of an average row.
        ddf : as in `coefficients`. Tests of several coefficients at once use Fai & Cornelius (1996) with
            Satterthwaite, and Kenward and Roger's (1997) scaled F.

        Raises
        ------
        MixedsimError
            For another type or `ddf`, or Kenward-Roger after maximum likelihood.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))
        >>> fit.anova()[["F", "df1", "df2"]].round(2)
                                F  df1    df2
        term
        recipe               0.25    2   42.0
        temperature         20.52    5  210.0
        recipe:temperature   1.01   10  210.0
        """
        return anova_table.anova(self, type, ddf)

    def contrasts(
        self, contrasts: Contrasts, ddf: Ddf = "satterthwaite", level: float = 0.95, *, joint: bool = False
    ) -> pd.DataFrame:
        """Linear combinations of coefficients, one a row: estimate, se, df, t, p, lower, upper.

        Parameters
        ----------
        contrasts : text such as ``"a - b"`` or ``"2 * a = 1"`` (t and p then test that value), or a list of such;
            ``{label: text, or {coefficient: weight}, or p weights}``; a table with coefficients as columns; or
            numbers, one contrast of p weights or m × p.
        ddf, level : as in `coefficients`.
        joint : test them all at once: one row of F, df1, df2, p (for ``ddf="wald"``: chisq, df, p).

        Raises
        ------
        MixedsimError
            For a name that is no coefficient, text that is no linear combination, or the wrong number of weights.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.contrasts("Intercept + 9 * Days")[["estimate", "se", "df"]].round(2)
                              estimate     se    df
        contrast
        Intercept + 9 * Days    345.61  14.63  17.0
        """
        return contrast_table.contrasts(self, contrasts, ddf, level, joint)

    def emmeans(
        self,
        of: str | Sequence[str],
        by: str | Sequence[str] | None = None,
        ddf: Ddf = "satterthwaite",
        level: float = 0.95,
        *,
        at: Mapping[str, Any] | None = None,
    ) -> MarginalMeans:
        """Estimated marginal means of the population: emmean, se, df, lower, upper; ``.pairs()`` compares them.

        The mean at each level of the variables `of` (and `by`, which stand first in the index), averaged over the
        levels of all other factors, each counting alike, with other numeric variables (and an offset) at their means.

        Parameters
        ----------
        of, by : variables of the fixed part; `pairs` compares the levels of `of` within those of `by`.
        ddf, level : as in `coefficients`.
        at : values that replace those of the reference grid: ``{"x": [0, 1]}``.

        Returns
        -------
        A DataFrame, NaN where empty cells leave a mean undetermined.

        Raises
        ------
        MixedsimError
            For a name that is no variable of the fixed part, or a level that does not exist.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", ms.datasets.load("cake"))
        >>> fit.emmeans("recipe", at={"temp": 200}).round(2)
                emmean    se    df  lower  upper
        recipe
        A        33.12  1.74  42.0  29.62  36.63
        B        31.64  1.74  42.0  28.14  35.15
        C        31.60  1.74  42.0  28.09  35.11
        """
        return marginal_means(self, of, by, ddf, level, at)

    def confint(
        self,
        method: IntervalMethod = "profile",
        level: float = 0.95,
        parameters: str | Sequence[str] | None = None,
        *,
        n: int = 1000,
        seed: Any = None,
    ) -> pd.DataFrame:
        """Confidence intervals of coefficients, standard deviations, correlations and σ: estimate, lower, upper.

        Parameters
        ----------
        method : ``"profile"`` (profile likelihood by ML, also of a REML fit, as in lme4: the ends are exact),
            ``"wald"`` (normal quantiles on the scale of each parameter: quick, too narrow with few groups), or
            ``"boot"`` (between the quantiles of `bootstrap`).
        level : confidence level, between 0 and 1.
        parameters : names as in the index of the result, or kinds of them (``"fixed"``, ``"sd"``, ``"corr"``,
            ``"sigma"``); all if None.
        n, seed : of the bootstrap.

        Returns
        -------
        DataFrame with index parameter: ``Days``, ``sd(Days | Subject)``, ``corr(Intercept, Days | Subject)``,
        ``sigma``. A profile interval ends at 0 (sd) or ±1 (correlation) where the data do not exclude them; a Wald
        interval that does not exist is NaN.

        Raises
        ------
        MixedsimError
            For an unknown method or parameter, or a level that does not lie between 0 and 1.
        ConvergenceError
            Where a profile cannot be followed; `parameters` leaves it out.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.confint(parameters="corr").round(2).to_dict("index")
        {'corr(Intercept, Days | Subject)': {'estimate': 0.07, 'lower': -0.48, 'upper': 0.69}}
        """
        return intervals.confint(self, method, level, parameters, n, seed)

    def profile(
        self, which: str | Sequence[str] | None = None, level: float = 0.99, points: int = 8
    ) -> LikelihoodProfile:
        """Profile likelihood: the deviance along each parameter, with all others where they then fit best.

        Parameters
        ----------
        which : names or kinds of parameters, as in `confint`; all if None.
        level : the curves extend to the ends of this confidence interval.
        points : values on each side of the estimate.

        Raises
        ------
        MixedsimError, ConvergenceError
            As in `confint`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
        >>> profile = fit.profile("sigma", points=1)
        >>> profile.table.round(2)
                   value  zeta  deviance
        parameter
        sigma      35.56 -2.58    333.96
        sigma      49.51  0.00    327.33
        sigma      75.67  2.58    333.96
        """
        return likelihood_profile(
            self.design, self.problem, self.objective, self.optimum.profile, which=which, level=level, points=points
        )

    def trace(self) -> pd.DataFrame:
        """The optimiser's path: one row an iteration with θ in lme4's units, deviance and largest absolute gradient."""
        return self.control.trace

    # ---- effect sizes

    @cached_property
    def variance_parts(self) -> VarianceParts:
        """Variance of the response, split: ``fixed``, ``random`` (by group and term), ``residual`` (squared units)."""
        return variance_parts(self.design, self.problem, self.optimum.profile)

    def icc(self, by_group: bool = False, terms: Terms = "first") -> pd.Series[float]:
        """Intraclass correlation: ``adjusted`` (without the fixed effects' variance) and ``unadjusted``.

        Parameters
        ----------
        by_group : the share of every grouping factor instead; shares add up to the adjusted ICC.
        terms : where one factor has several terms, as in ``(x || g)``, which is ``(1 | g) + (0 + x | g)``: the
            ``"first"`` alone counts, as in R's performance package, or ``"all"`` of them.

        Notes
        -----
        Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14:20170213; random slopes by Johnson (2014),
        Methods Ecol. Evol. 5:944. A variance of zero gives an ICC of zero.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", ms.datasets.load("Penicillin"))
        >>> fit.icc(by_group=True).round(2).to_dict()
        {'plate': 0.15, 'sample': 0.79}
        """
        return self.variance_parts.icc_by_group(terms) if by_group else self.variance_parts.icc(terms)

    def r2(self, terms: Terms = "first") -> pd.Series[float]:
        """Explained variance: ``marginal`` (by the fixed effects) and ``conditional`` (by the random effects too).

        `terms` and sources are those of `icc`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.r2().round(2).to_dict()
        {'marginal': 0.28, 'conditional': 0.8}
        """
        return self.variance_parts.r2(terms)

    def standardize(
        self, method: Standardization = "refit", *, ddf: Ddf = "satterthwaite", level: float = 0.95
    ) -> pd.DataFrame:
        """Coefficients in standard deviations: the columns of `coefficients`.

        Parameters
        ----------
        method : ``"refit"`` fits the model to standardised data (response and numeric predictors less their mean,
            over their sd; categories stay); ``"posthoc"`` multiplies each coefficient by the sd of its predictor over
            that of the response (the intercept has none); ``"pseudo"`` does so within and between groups separately
            (Hoffman 2015, Longitudinal Analysis, p. 342), for one grouping factor.
        ddf, level : as in `coefficients`.

        Raises
        ------
        MixedsimError
            For an unknown method, and where a function such as ``log`` would meet standardised, so negative, values.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.standardize()["estimate"].round(2).to_dict()
        {'Intercept': -0.0, 'Days': 0.54}
        """
        return standardize(self, method, ddf, level)

    def effective_n(self) -> pd.DataFrame:
        """What the rows are worth: for each coefficient rows, n_eff (independent rows), design_effect (rows / n_eff).

        ``.attrs["sentence"]`` and ``.attrs["sentences"]`` say it in words; `mixedsim.inference.effective_n` defines it.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
        >>> print(fit.effective_n().attrs["sentence"])
        The 180 rows are worth 85 independent ones for Intercept and 438 for Days.
        """
        return effective_n(self.design, self.problem, self.optimum.profile)

    def design_effect(self) -> pd.Series[float]:
        """Factor by which dependence among rows inflates the squared standard error of each coefficient (Kish 1965)."""
        return self.effective_n()["design_effect"]

    # ---- rows

    @overload
    def predict(self, new: Any = None, random: RandomPart = True, *, allow_new_levels: bool = False,
                interval: None = None, level: float = 0.95, offset: str | ArrayLike | None = None,
                weights: str | ArrayLike | None = None) -> pd.Series[float]: ...  # fmt: skip

    @overload
    def predict(self, new: Any = None, random: RandomPart = True, *, allow_new_levels: bool = False,
                interval: prediction.Interval, level: float = 0.95, offset: str | ArrayLike | None = None,
                weights: str | ArrayLike | None = None) -> pd.DataFrame: ...  # fmt: skip

    def predict(
        self,
        new: Any = None,
        random: RandomPart = True,
        *,
        allow_new_levels: bool = False,
        interval: prediction.Interval | None = None,
        level: float = 0.95,
        offset: str | ArrayLike | None = None,
        weights: str | ArrayLike | None = None,
    ) -> pd.Series[float] | pd.DataFrame:
        """Predicted means, one value a row; with `interval` a DataFrame: estimate, se, df, lower, upper.

        Parameters
        ----------
        new : a table with the predictors and, if `random`, the grouping factors; the fitted rows if None. A missing
            value gives a missing prediction.
        random : include the random effects (the default); False gives the mean of the population, names of grouping
            factors those effects alone.
        allow_new_levels : predict the population's mean for levels that the model has not seen; what is not known of
            them widens the interval.
        interval : ``"confidence"`` for the mean, ``"prediction"`` for one new observation. Where `random` leaves a
            factor out, the mean is that of the population, and a new observation comes from any of its levels.
        level : of the interval.
        offset, weights : of the new rows, if the model has them: a column of `new`, or one number a row (weights for
            a prediction interval only).

        Raises
        ------
        DataError
            For a level that the model has not seen, unless allowed, and for an offset or weights that are wanted.

        Notes
        -----
        Intervals take the joint uncertainty of fixed and random effects (Henderson 1975, Biometrics 31:423) and
        Satterthwaite's degrees of freedom; see `mixedsim.inference.prediction_variance`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> new = {"Days": [3, 3], "Subject": ["308", "new"]}
        >>> fit.predict(new, allow_new_levels=True, interval="prediction").round(0)[["lower", "estimate", "upper"]]
           lower  estimate  upper
        0  260.0     313.0  366.0
        1  199.0     283.0  366.0
        """
        return prediction.predict(
            self, new, random=random, allow_new_levels=allow_new_levels, interval=interval, level=level,
            offset=offset, weights=weights,
        )  # fmt: skip

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

    # ---- the same model again

    @cached_property
    def rows(self) -> Rows:
        """The rows in the engine's standardised units, made when something new is to be done with them."""
        return standard_rows(self.design, self.problem)

    @cached_property
    def control(self) -> UsedControl:
        """How the optimiser was told to work; ``control.trace`` tabulates where it went: θ, deviance, gradient."""
        return refitting.used_control(self)

    def update(
        self,
        formula: str | None = None,
        *,
        data: Any = None,
        reml: bool | None = None,
        weights: str | ArrayLike | Keep | None = KEEP,
        offset: str | ArrayLike | Keep | None = KEEP,
        control: Control | Keep | None = KEEP,
    ) -> LinearMixedModel:
        """Another model, fitted with everything that is not named here as it was.

        Parameters
        ----------
        formula : a change such as ``". ~ . + price - (1 | school)"`` (see `mixedsim.update_formula`), or a formula.
        data, reml, weights, offset, control : as in `lmer`; ``weights=None`` takes the weights away.

        Raises
        ------
        FormulaError, DataError
            As `lmer` does, and where a term is to be removed that is not there.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.update(". ~ . - (Days | Subject) + (Days || Subject)", reml=False).formula
        'Reaction ~ Days + (Days || Subject)'
        """
        return type(self)(**refitting.update(self, formula, data, reml, weights, offset, control))

    def refit(self, y: Any) -> LinearMixedModel:
        """The same model fitted to another response on the same rows, which costs far less than `lmer`.

        Parameters
        ----------
        y : n numbers, one for each row that was fitted (or that was given); a Series is matched by its index.

        Raises
        ------
        DataError
            If the values do not fit the rows, are not finite, or all equal.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> other = fit.refit(fit.simulate(1, seed=1)[0])
        >>> other.nobs, bool(other.fixef["Days"] == fit.fixef["Days"])
        (180, False)
        """
        return type(self)(**refitting.refit(self, y))

    def all_optimizers(self, optimizers: Sequence[str] | None = None) -> pd.DataFrame:
        """What each optimiser makes of this model: one row an optimiser.

        Parameters
        ----------
        optimizers : some of those that `mixedsim.Control` names; all if None.

        Returns
        -------
        DataFrame with ``loglik``, ``fixef_difference`` (largest change of a fixed effect from this fit, in standard
        errors), ``evaluations`` of the deviance, ``converged`` and ``seconds``. Where they agree, the optimum is no
        accident of the search.
        """
        return refitting.all_optimizers(self, optimizers)

    def simulate(
        self, n: int = 1, seed: Any = None, random: simulation.RandomEffects = "new"
    ) -> pd.DataFrame:
        """Responses drawn from the fitted model: rows × n, in the units of the response that was fitted.

        Parameters
        ----------
        n : how many responses.
        seed : an integer or a numpy Generator; None for numbers that nobody can draw again.
        random : ``"new"`` draws new random effects for every response, as for new subjects; ``"conditional"`` keeps
            those of this fit. Residuals are always new, with variance σ²/weight.

        Raises
        ------
        MixedsimError
            If `n`, `seed` or `random` is not of these.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.simulate(3, seed=1).shape
        (180, 3)
        """
        return simulation.simulate(self, n, seed, random)

    def bootstrap(self, n: int = 1000, seed: Any = None) -> pd.DataFrame:
        """Parametric bootstrap: the model fitted to n responses drawn from it, one row a replicate.

        Parameters
        ----------
        n, seed : how many replicates, and where the random numbers begin, as in `simulate`: replicate k is the fit
            to ``simulate(n, seed)[k]``.

        Returns
        -------
        DataFrame with the coefficients, ``theta1`` ... (lme4's θ, as ``theta``), ``sigma``, ``converged`` and
        ``singular``. A replicate without an answer has NaN and ``converged`` False; ``attrs`` holds ``failed`` (how
        many did not converge), ``failures`` (why, by replicate) and ``seed``.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.bootstrap(20, seed=1).columns.tolist()
        ['Intercept', 'Days', 'theta1', 'theta2', 'theta3', 'sigma', 'converged', 'singular']
        """
        return simulation.bootstrap_table(self, n, seed)

    def posterior(
        self, draws: int = 1000, chains: int = 4, seed: Any = None, warmup: int | None = None
    ) -> Posterior:
        """Draws from the posterior distribution by a Gibbs sampler on the cross-products, random slopes included.

        Parameters
        ----------
        draws, chains : draws kept of each chain, and the number of chains.
        seed : an integer or a numpy Generator; None for numbers that nobody can draw again.
        warmup : draws of each chain that are thrown away first; half of `draws` if None.

        Returns
        -------
        A `Posterior` with ``.draws`` (a DataFrame) and ``.summary()`` (means, intervals, R-hat, effective sizes). The
        weak priors are stated in `mixedsim.inference.posterior`: flat for coefficients, half-t for standard deviations.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.posterior(50, chains=2, seed=1).draws.shape
        (100, 6)
        """
        return draw_posterior(self, draws, chains, seed, warmup)

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
