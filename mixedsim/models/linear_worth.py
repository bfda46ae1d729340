"""What a fitted linear mixed model is worth: effect sizes, independent rows, and what went wrong."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.effect_sizes import Terms, VarianceParts, variance_parts
from mixedsim.inference.effective_n import effective_n
from mixedsim.models.check import Check, check
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.standardized import Standardization, standardize


class LinearWorth(LinearEstimates):
    """Explained variance, standardised coefficients, effective sample sizes, and the diagnosis of a fit."""

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
