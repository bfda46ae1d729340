"""What single rows and groups do to a fitted model, whether predictors repeat each other, whether assumptions hold."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mixedsim.models.diagnosis import Diagnosis, collinearity_table, diagnose
from mixedsim.models.influences import influence_table
from mixedsim.models.linear_estimates import LinearEstimates


class LinearDiagnosis(LinearEstimates):
    """Influence, collinearity and the look at all assumptions."""

    def influence(self, group: str | None = None) -> pd.DataFrame:
        """What each row, or each level of a grouping factor, has to say: one row each.

        Parameters
        ----------
        group : a grouping factor: all rows of a level are left out together. Single rows if None.

        Returns
        -------
        DataFrame with ``leverage`` (of fitted values with random effects, lme4's ``hatvalues``; the sum over the rows
        of a level), ``leverage_fixed`` (of the fixed part alone; adds up to the number of coefficients), ``cook``
        (Cook's distance) and for each coefficient ``dfbetas …``: how many standard errors higher it is with the row or
        level than without. NaN where a coefficient would not be known without it. Levels also have ``rows``.
        ``attrs["sentence"]`` names the largest.

        Raises
        ------
        MixedsimError
            If there is no such grouping factor.

        Notes
        -----
        In closed form at the estimated variances: no model is fitted again, so that 10⁶ rows take a second. Variances
        that would change without a group are not followed. Sources: `mixedsim.inference.influence`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> table = fit.influence("Subject")
        >>> table.loc["335", ["cook", "dfbetas Days"]].round(2).tolist()
        [0.13, -0.51]
        >>> print(table.attrs["sentence"].split("), ")[-1].split(") ")[-1])
        Intercept would be 0.4 standard errors higher.
        """
        return influence_table(self, group)

    def collinearity(self) -> pd.DataFrame:
        """What it costs each coefficient that predictors repeat each other: one row a coefficient, intercept left out.

        Returns
        -------
        DataFrame with ``term``, ``vif`` (variance inflation factor of the coefficient), ``df`` and ``gvif`` (number of
        coefficients and generalised factor of its term), ``widening`` (gvif^(1/2df): how much wider intervals are) and
        ``condition_index``. ``attrs["sentence"]`` names the worst. Sources: `mixedsim.inference.collinearity`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("lang ~ IQ + SES + (1 | class)", ms.datasets.load("nlschools"))
        >>> fit.collinearity()["vif"].round(2).to_dict()
        {'IQ': 1.09, 'SES': 1.09}
        """
        return collinearity_table(self)

    def diagnose(self, n: int = 199, seed: Any = 0) -> Diagnosis:
        """May I trust this fit: each assumption, judged against responses drawn from the fit; prints as sentences.

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
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.diagnose().mean.verdict.words
        'looks fine'
        >>> fit.diagnose().shape("residuals").verdict.words.split(" (")[0]
        'departs: heavier tails than normal'
        """
        return diagnose(self, n, seed)
