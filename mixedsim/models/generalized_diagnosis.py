"""Influence, collinearity and the assumptions of a fitted generalised model."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mixedsim.models.diagnosis import Diagnosis, collinearity_table, diagnose
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.influences import influence_table


class GeneralizedDiagnosis(GeneralizedEstimates):
    """Influence, collinearity and the look at all assumptions."""

    def influence(self, group: str | None = None) -> pd.DataFrame:
        """What each row, or each level of a grouping factor, has to say, to first order: one row each.

        Parameters
        ----------
        group : a grouping factor: all rows of a level are left out together. Single rows if None.

        Returns
        -------
        DataFrame with ``leverage``, ``leverage_fixed``, ``cook`` and ``dfbetas …`` as for a linear model, of the linear
        model that this one is at its optimum: working responses with the weights there, and the estimated variances.

        Raises
        ------
        MixedsimError
            If there is no such grouping factor.

        Notes
        -----
        One step from the optimum instead of a refit: a group with very much to say changes somewhat less here than it
        would there. Sources: `mixedsim.inference.glm_working`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.influence("herd")["cook"].idxmax()
        '11'
        """
        return influence_table(self, group)

    def collinearity(self) -> pd.DataFrame:
        """What it costs each coefficient that predictors repeat each other: as for a linear model.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> print(fit.collinearity().attrs["sentence"])
        All coefficients belong to period, so nothing can be collinear.
        """
        return collinearity_table(self)

    def diagnose(self, n: int = 199, seed: Any = 0) -> Diagnosis:
        """May I trust this fit: each assumption, judged against responses drawn from the fit; prints as sentences.

        Residuals are randomised quantile residuals given the random effects.

        Parameters
        ----------
        n : how many responses are drawn: at least 99, so that a test at the 1 % level can reject.
        seed : where the random numbers begin. One number for all, so that a fit has one verdict.

        Raises
        ------
        MixedsimError
            For fewer draws, or another kind of seed.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.diagnose(99).shape("herd").verdict.words
        'looks fine'
        """
        return diagnose(self, n, seed)
