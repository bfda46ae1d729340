"""What can be said at once about the coefficients of a fitted generalised model: tests and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import Combinations
from mixedsim.models import generalized_intervals
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.intervals import IntervalMethod
from mixedsim.models.tables import t_table

Floats = NDArray[np.float64]


class GeneralizedCoefficients(GeneralizedEstimates):
    """The table of coefficients, and confidence intervals."""

    def coefficients(self, ddf: str = "wald", level: float = 0.95) -> pd.DataFrame:
        """Table of fixed effects on the scale of the link: estimate, se, df (infinite), t, p, lower, upper.

        Parameters
        ----------
        ddf : ``"wald"``: t is the z of the normal distribution, the only one there is for these models.
        level : confidence level of the interval.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.coefficients()[["estimate", "se", "t"]].round(2)
                     estimate    se     t
        Intercept       -1.40  0.23 -6.02
        period[T.2]     -0.99  0.31 -3.24
        period[T.3]     -1.13  0.33 -3.46
        period[T.4]     -1.58  0.43 -3.70
        """
        return coefficients(self, ddf, level)

    def confint(
        self,
        method: IntervalMethod = "profile",
        level: float = 0.95,
        parameters: str | Sequence[str] | None = None,
        *,
        n: int = 1000,
        seed: Any = None,
    ) -> pd.DataFrame:
        """Confidence intervals of coefficients, standard deviations and correlations: estimate, lower, upper.

        Parameters
        ----------
        method : ``"profile"`` (profile likelihood: the ends are exact, and infinite where separation leaves none; for
            standard deviations relative to a dispersion there is none), ``"wald"`` (normal quantiles, of coefficients
            alone; standard deviations have none, as in lme4), or ``"boot"`` (between the quantiles of `bootstrap`).
        level : confidence level, between 0 and 1.
        parameters : names as in the index of the result, or kinds of them (``"fixed"``, ``"sd"``, ``"corr"``); all if
            None.
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
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.confint("wald").round(2).loc["period[T.2]"].tolist()
        [-0.99, -1.59, -0.39]
        """
        return generalized_intervals.confint(self, method, level, parameters, n, seed)


def coefficients(fit: GeneralizedEstimates, ddf: str = "wald", level: float = 0.95) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.coefficients`."""
    check_wald(ddf)
    found = Combinations(fit._fixef, fit.fixed_covariance.matrix, np.full(len(fit.coefficient_names), np.inf))
    return t_table(found, list(fit.coefficient_names), level)


def check_wald(ddf: object) -> None:
    """Raise `MixedsimError` unless `ddf` is ``"wald"``."""
    if ddf != "wald":
        raise MixedsimError(
            f"ddf must be 'wald' for a generalised model, found {ddf!r}: degrees of freedom are known for linear "
            "models alone; profile intervals and likelihood-ratio tests (ms.anova, ms.drop1) do better with few groups."
        )
