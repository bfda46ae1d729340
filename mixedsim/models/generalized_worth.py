"""What a fitted generalised mixed model is worth: effect sizes, and whether the responses vary as it says."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import Any, get_args

import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.inference.effect_sizes import Terms, VarianceParts
from mixedsim.inference.glm_dispersion import Overdispersion, Zeros, overdispersion, zeros
from mixedsim.inference.glm_residuals import ResidualKind, quantile_residuals
from mixedsim.inference.glm_variances import Observation, glm_variance_parts
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed


class ExplainedVariance(GeneralizedEstimates):
    """Explained variance and intraclass correlation on the scale of the link."""

    @cached_property
    def variance_parts(self) -> VarianceParts:
        """Variance on the scale of the link, split: ``fixed``, ``random`` (by group and term), ``residual``.

        The residual is the variance of a single observation (see `r2`), with that of a factor of one row a level.
        """
        return self._parts(None)

    def icc(
        self, by_group: bool = False, terms: Terms = "first", method: Observation | None = None
    ) -> pd.Series[float]:
        """Intraclass correlation on the scale of the link: ``adjusted`` (without the fixed part) and ``unadjusted``.

        Parameters
        ----------
        by_group, terms : as in `LinearMixedModel.icc`: the share of every grouping factor, or of its first term alone.
        method : as in `r2`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.icc().round(3).to_dict()
        {'adjusted': 0.111, 'unadjusted': 0.102}
        """
        parts = self._parts(method)
        return parts.icc_by_group(terms) if by_group else parts.icc(terms)

    def r2(self, terms: Terms = "first", method: Observation | None = None) -> pd.Series[float]:
        """Explained variance on the scale of the link: ``marginal`` (fixed effects), ``conditional`` (random ones too).

        Parameters
        ----------
        terms : as in `LinearMixedModel.r2`.
        method : where the variance of a single observation comes from: ``"theoretical"`` (π²/3 for the logit, 1 for
            the probit, π²/6 for cloglog: the default there), ``"delta"``, and with the log link of counts and amounts
            ``"lognormal"`` (the default of counts) or ``"trigamma"``. The last three take it at the mean of the model
            that has an intercept alone in its fixed part, which they fit.

        Raises
        ------
        MixedsimError
            For a method that the family and link have not.
        ConvergenceError
            If the model with an intercept alone could not be fitted.

        Notes
        -----
        Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14:20170213; `mixedsim.inference.glm_variances`
        has the formulas. With an offset the mean is that of a row with the average offset.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.r2().round(3).to_dict()
        {'marginal': 0.085, 'conditional': 0.187}
        """
        return self._parts(method).r2(terms)

    def _parts(self, method: Observation | None) -> VarianceParts:
        if method is None and "variance_parts" in self.__dict__:
            return self.variance_parts
        return glm_variance_parts(self.design, self.problem, self.objective, self.optimum, method)


class QuantileResiduals(GeneralizedEstimates):
    """Residuals that are normal whatever the family."""

    def quantile_residuals(self, n: int = 1, seed: Any = None, kind: ResidualKind = "conditional") -> pd.DataFrame:
        """Randomised quantile residuals, standard normal in a model that holds, whatever the family: rows × n.

        Each is the normal quantile of the place that the response has in its distribution; discrete responses get one
        at random within their jump, so that n sets differ by that alone (Dunn & Smyth 1996, J. Comput. Graph. Stat.
        5:236, who look at four).

        Parameters
        ----------
        n, seed : how many sets, and where the random numbers begin.
        kind : ``"conditional"`` given the random effects of the fit, or ``"unconditional"``, averaged over all that a
            group could have: these also show a wrong distribution of random effects, but rows of a group move together.

        Returns
        -------
        DataFrame; ``.attrs["sentence"]`` says how many of the first set lie beyond ±1.96, where 5 % should.

        Raises
        ------
        MixedsimError
            For another kind, an `n` below 1 or another kind of seed.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> print(fit.quantile_residuals(seed=1).attrs["sentence"])
        8.9 % of the residuals lie beyond ±1.96 (5 % if the model holds), with a standard deviation of 1.11 (1).
        """
        if kind not in get_args(ResidualKind):
            raise MixedsimError(f"kind must be 'conditional' or 'unconditional', found {kind!r}.")
        values = quantile_residuals(
            self.objective, self.at, whole(n, "n"), settle_seed(seed), kind=kind, trials=self.design.trials
        )
        table = pd.DataFrame(values, index=self.design.index, columns=pd.RangeIndex(n, name="set"))
        beyond = float((table[0].abs() > 1.96).mean())
        table.attrs["sentence"] = (
            f"{100 * beyond:.1f} % of the residuals lie beyond ±1.96 (5 % if the model holds), with a standard "
            f"deviation of {table[0].std():.2f} (1)."
        )
        return table


class GeneralizedWorth(ExplainedVariance, QuantileResiduals):
    """Explained variance, quantile residuals, overdispersion, zeros."""

    def overdispersion(self) -> pd.Series[float]:
        """Do the responses vary more than the family says: ratio, chisq, df, p; ``.attrs["sentence"]`` says it.

        The ratio is Pearson's χ² over its degrees of freedom, given the random effects. It lies somewhat below 1 in a
        model that holds, because random effects take up some of the variation, and p is rough where counts are small.

        Raises
        ------
        MixedsimError
            For single yes or no answers, in which overdispersion does not show: their variance follows from their
            mean; and for a family that estimates its dispersion.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.overdispersion().round(3).to_dict()
        {'ratio': 1.237, 'chisq': 63.078, 'df': 51.0, 'p': 0.119}
        """
        return _series(overdispersion(self.objective, self.at, self.design.trials), "overdispersion")

    def zero_inflation(self, n: int = 1000, seed: Any = None) -> pd.Series[float]:
        """Zeros among the responses beside those that the model expects: observed, expected, ratio, lower, upper, p.

        Parameters
        ----------
        n, seed : how many responses are drawn from the model, given its random effects, and where the random numbers
            begin; they are those of ``simulate(n, seed, random="conditional")``.

        Returns
        -------
        Series: ``expected`` is the mean number over the draws, 95 % of them lie between ``lower`` and ``upper``,
        ``ratio`` is observed / expected, ``p`` two-sided; ``.attrs["sentence"]`` says it in words.

        Raises
        ------
        MixedsimError
            For a family whose responses are never zero, an `n` below 1 or another kind of seed.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.zero_inflation(200, seed=1)[["observed", "expected"]].round(1).tolist()
        [22.0, 18.9]
        """
        found = zeros(self.objective, self.at, whole(n, "n"), settle_seed(seed), self.design.trials)
        return _series(found, "zero_inflation")


def _series(found: Overdispersion | Zeros, name: str) -> pd.Series[float]:
    out = pd.Series(asdict(found), name=name, dtype=float)
    out.attrs["sentence"] = found.sentence
    return out
