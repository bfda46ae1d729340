"""What can be said at once about thresholds and coefficients of a cumulative-link mixed model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import Combinations
from mixedsim.models import clmm_intervals
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.generalized_coefficients import check_wald
from mixedsim.models.generalized_means import RatioMethod, as_ratios, check_ratio_method
from mixedsim.models.intervals import IntervalMethod
from mixedsim.models.tables import t_table

Floats = NDArray[np.float64]


class ClmmCoefficients(ClmmEstimates):
    """Tables of thresholds and coefficients, confidence intervals, odds ratios."""

    def coefficients(self, ddf: str = "wald", level: float = 0.95) -> pd.DataFrame:
        """Table of fixed effects on the latent scale: estimate, se, df (infinite), t, p, lower, upper.

        Parameters
        ----------
        ddf : ``"wald"``: t is the z of the normal distribution, the only one there is for these models.
        level : confidence level of the interval.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.coefficients()[["estimate", "se", "t"]].round(2)
                  estimate    se     t
        own_room      0.74  0.13  5.57
        """
        return coefficients(self, ddf, level)

    def threshold_table(self, level: float = 0.95) -> pd.DataFrame:
        """Table of thresholds: estimate, se, lower, upper.

        They have no tests: where the latent scale has its zero is nobody's hypothesis.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.threshold_table()[["estimate", "se"]].round(2)
                        estimate    se
        threshold
        very bad|bad       -2.45  0.20
        bad|fair           -1.11  0.17
        fair|good           0.31  0.17
        good|very good      2.03  0.19
        """
        return threshold_table(self, level)

    def confint(
        self,
        method: IntervalMethod = "profile",
        level: float = 0.95,
        parameters: str | Sequence[str] | None = None,
        *,
        n: int = 1000,
        seed: Any = None,
    ) -> pd.DataFrame:
        """Confidence intervals of thresholds, coefficients, standard deviations and correlations.

        Columns estimate, lower, upper.

        Parameters
        ----------
        method : ``"profile"`` (profile likelihood: the ends are exact), ``"wald"`` (normal quantiles, of thresholds
            and coefficients alone), or ``"boot"`` (between the quantiles of `bootstrap`).
        level : confidence level, between 0 and 1.
        parameters : names as in the index of the result, or kinds of them (``"threshold"``, ``"fixed"``, ``"sd"``,
            ``"corr"``); all if None.
        n, seed : of the bootstrap.

        Raises
        ------
        MixedsimError
            For an unknown method or parameter, or a level that does not lie between 0 and 1.
        ConvergenceError
            Where a profile cannot be followed; `parameters` leaves it out.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.confint("wald", parameters=["fair|good", "own_room"]).round(2)
                   estimate  lower  upper
        parameter
        fair|good      0.31  -0.02   0.64
        own_room       0.74   0.48   1.00
        """
        return clmm_intervals.confint(self, method, level, parameters, n, seed)

    def ratios(self, method: RatioMethod = "wald", level: float = 0.95) -> pd.DataFrame:
        """Coefficients of a logit model as odds ratios: ratio, se, df, t, p, lower, upper.

        The odds are those of a category above any threshold, whichever it is, against one below it (proportional
        odds); they compare two rows of the same group that differ by 1.

        Parameters
        ----------
        method : ``"wald"`` or ``"profile"`` for the intervals; t and p are Wald's.
        level : confidence level.

        Raises
        ------
        MixedsimError
            For another link, whose coefficients are no logarithms of odds.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.ratios()[["ratio", "lower", "upper"]].round(2).loc["own_room"].tolist()
        [2.1, 1.62, 2.73]
        """
        return ratios(self, method, level)


def coefficients(fit: ClmmEstimates, ddf: str = "wald", level: float = 0.95) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.coefficients`."""
    check_wald(ddf)
    names = list(fit.coefficient_names)
    found = Combinations(fit.located.coefficients, fit.vcov.to_numpy(), np.full(len(names), np.inf))
    return t_table(found, names, level)


def threshold_table(fit: ClmmEstimates, level: float = 0.95) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.threshold_table`."""
    names = list(fit.threshold_names)
    covariance = fit.located.covariance[: len(names), : len(names)]
    found = Combinations(fit.located.thresholds, covariance, np.full(len(names), np.inf))
    return t_table(found, pd.Index(names, name="threshold"), level)[["estimate", "se", "lower", "upper"]]


def ratios(fit: ClmmEstimates, method: str, level: float) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.ratios`."""
    if fit.link != "logit":
        raise MixedsimError(
            f"coefficients with the link {fit.link!r} are no logarithms of odds, so they have no odds ratios: fit the "
            "model with link='logit', or compare probabilities with emmeans(..., scale='probability')."
        )
    check_ratio_method(method)
    table = coefficients(fit, level=level)
    if method == "profile":
        ends = clmm_intervals.confint(fit, "profile", level, "fixed", 1, None)
        table[["lower", "upper"]] = ends[["lower", "upper"]].to_numpy()
    return as_ratios(table, "odds ratio")
