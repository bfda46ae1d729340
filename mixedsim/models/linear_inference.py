"""What can be said about the parameters of a fitted linear mixed model: tests, intervals, means, posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.hypotheses import Type
from mixedsim.inference.profile import LikelihoodProfile, likelihood_profile
from mixedsim.models import anova_table, combinations, contrast_table, intervals
from mixedsim.models.contrast_table import Contrasts
from mixedsim.models.emmeans import MarginalMeans, marginal_means
from mixedsim.models.intervals import IntervalMethod
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.posterior import Posterior, draw_posterior


class LinearInference(LinearEstimates):
    """Coefficients, contrasts, marginal means, intervals, profiles and posterior draws."""

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
        return combinations.coefficients(self, ddf, level)

    def anova(self, type: Type = 3, ddf: Ddf = "satterthwaite") -> pd.DataFrame:
        """F test of each term: F, df1, df2, p (for ``ddf="wald"``: chisq, df, p). F never depends on the coding.

        Parameters
        ----------
        type : 3, a term in the presence of all others, main effects averaged over the levels of other factors; 2, a
            term after all that do not contain it; 1, a term after those before it in the formula. The effect of a
            factor that interacts with a numeric x is the one at x = 0: centre x to make it that of an average row.
        ddf : as in `coefficients`. Tests of several coefficients at once use Fai & Cornelius (1996) with
            Satterthwaite, and Kenward and Roger's (1997) scaled F. Where variances are uncertain, the df2 of Fai and
            Cornelius changes a little with the reference level, since it rests on eigenvectors; Kenward and Roger's
            does not.

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
