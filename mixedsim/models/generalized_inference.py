"""What can be said about the parameters of a fitted generalised model: tests, contrasts, means, ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mixedsim.inference.glm_profile import glm_likelihood_profile
from mixedsim.inference.hypotheses import Type
from mixedsim.inference.profile import LikelihoodProfile
from mixedsim.models import generalized_average, generalized_combinations, generalized_means
from mixedsim.models.contrast_table import Contrasts
from mixedsim.models.emmeans import MarginalMeans
from mixedsim.models.generalized_average import PopulationMeans
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_means import RatioMethod, Scale


class GeneralizedInference(GeneralizedEstimates):
    """Tests of terms, contrasts, marginal means of a middle group and of the population, ratios."""

    def anova(self, type: Type = 3, ddf: str = "wald") -> pd.DataFrame:
        """χ² test of each term (Wald): chisq, df, p; index term. It never depends on the coding.

        Parameters
        ----------
        type : 3, a term in the presence of all others, main effects averaged over the levels of other factors; 2, a
            term after all that do not contain it; 1, a term after those before it in the formula. What comes after
            what is judged by the covariance of the coefficients, as in R's car.
        ddf : ``"wald"``, the only one; with few groups `mixedsim.anova` and `mixedsim.drop1` do better.

        Raises
        ------
        MixedsimError
            For another type or `ddf`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.anova().round(4)
                  chisq  df       p
        term
        period  24.9486   3  0.0000
        """
        return generalized_combinations.anova(self, type, ddf)

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
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.profile("sd", level=0.95, points=1).table["value"].round(2).tolist()
        [0.35, 0.64, 1.1]
        """
        return glm_likelihood_profile(
            self.design, self.problem, self.objective, self.optimum, which=which, level=level, points=points
        )

    def contrasts(self, contrasts: Contrasts, level: float = 0.95, *, joint: bool = False) -> pd.DataFrame:
        """Linear combinations of coefficients on the scale of the link: estimate, se, df, t, p, lower, upper.

        Parameters
        ----------
        contrasts : as in `LinearMixedModel.contrasts`: text such as ``"a - b"`` or ``"2 * a = 1"``, mappings, numbers.
        level : confidence level.
        joint : test them all at once: one row of chisq, df, p.

        Raises
        ------
        MixedsimError
            For a name that is no coefficient, text that is no linear combination, or the wrong number of weights.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.contrasts("period[T.3] - period[T.2]")["estimate"].round(2).to_dict()
        {'period[T.3] - period[T.2]': -0.14}
        """
        return generalized_combinations.contrasts(self, contrasts, level, joint)

    def emmeans(
        self,
        of: str | Sequence[str],
        by: str | Sequence[str] | None = None,
        level: float = 0.95,
        *,
        scale: Scale = "link",
        at: Mapping[str, Any] | None = None,
    ) -> MarginalMeans:
        """Estimated marginal means of a group in the middle: emmean, se, df, lower, upper; ``.pairs()`` compares them.

        As `LinearMixedModel.emmeans`, on the scale of the link, where the model is linear. Random effects are zero:
        these are no means of the population, for which see `marginal_means`.

        Parameters
        ----------
        of, by, at : variables, and values that replace those of the reference grid.
        level : confidence level.
        scale : ``"response"`` takes means and intervals back to probabilities, counts or amounts, and then `pairs`
            gives odds, hazard, risk or rate ratios where the link is a logarithm.

        Raises
        ------
        MixedsimError
            For a name that is no variable of the fixed part, a level that does not exist, or another scale.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.emmeans("period", scale="response").round(3).head(2)
                emmean     se   df  lower  upper
        period
        1        0.198  0.037  inf  0.135  0.280
        2        0.084  0.024  inf  0.047  0.144
        """
        return generalized_means.emmeans(self, of, by, level, scale, at)

    def marginal_means(
        self,
        of: str | Sequence[str],
        by: str | Sequence[str] | None = None,
        level: float = 0.95,
        *,
        at: Mapping[str, Any] | None = None,
    ) -> PopulationMeans:
        """Means of the response in a middle group (conditional) and in the population (marginal), with intervals.

        Both are those of the same cells. The conditional mean is ``g⁻¹(η)``, all random effects zero; the marginal one
        averages ``g⁻¹(η + z'b)`` over the groups, and is what a share or a mean of the whole population estimates. The
        two differ wherever the link bends: with the logit, means of the population lie nearer to ½ and odds ratios
        nearer to 1, their logarithms divided by about ``√(1 + 0.346 s²)`` (Zeger, Liang & Albert 1988, Biometrics
        44:1049).

        Parameters
        ----------
        of, by, level, at : as in `emmeans`. A random slope of a variable that is no fixed effect counts at its mean.

        Returns
        -------
        DataFrame: conditional, marginal, each followed by ``_lower`` and ``_upper``; ``.pairs()`` compares them.

        Raises
        ------
        MixedsimError
            As in `emmeans`; for the inverse links, with which no mean of the population exists.

        Notes
        -----
        Averages are exact: in closed form or by quadrature (`mixedsim.inference.glm_average`). Standard errors count
        what is not known of the random effects' variances.

        Examples
        --------
        In a herd in the middle 19.8 % fall ill in the first period; of all animals more do, for herds above the middle
        gain more than those below it lose.

        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.marginal_means("period")[["conditional", "marginal"]].round(3)
                conditional  marginal
        period
        1             0.198     0.216
        2             0.084     0.097
        3             0.074     0.086
        4             0.048     0.057
        """
        return generalized_average.marginal_means(self, of, by, level, at)

    def ratios(self, method: RatioMethod = "wald", level: float = 0.95) -> pd.DataFrame:
        """Coefficients as ratios: ratio, se, df, t, p, lower, upper; index coefficient.

        Odds ratios with the logit, hazard ratios with cloglog, rate ratios of counts, risk ratios or ratios of means
        with the log link (``.attrs["ratio"]`` says which). They compare two rows of the same group that differ by 1;
        the intercept's row is the odds, rate or mean itself where all predictors are zero.

        Parameters
        ----------
        method : ``"wald"`` or ``"profile"`` for the intervals; t and p are Wald's.
        level : confidence level.

        Raises
        ------
        MixedsimError
            For a link that is no logarithm.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.ratios()[["ratio", "lower", "upper"]].round(2).loc["period[T.2]"].tolist()
        [0.37, 0.2, 0.68]
        """
        return generalized_means.ratios(self, method, level)
