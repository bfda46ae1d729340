"""What can be said about the parameters of a cumulative-link mixed model: tests, contrasts, profiles, means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.inference.glm_profile import glm_likelihood_profile
from mixedsim.inference.hypotheses import Type
from mixedsim.inference.parameters import selected
from mixedsim.inference.profile import LikelihoodProfile
from mixedsim.models import clmm_means, generalized_combinations
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.clmm_intervals import clmm_parameters
from mixedsim.models.clmm_means import Scale
from mixedsim.models.contrast_table import Contrasts, read_contrasts
from mixedsim.models.tables import f_table, t_table

Floats = NDArray[np.float64]


class ClmmInference(ClmmEstimates):
    """Tests of terms, contrasts, likelihood profiles, marginal means."""

    def anova(self, type: Type = 3, ddf: str = "wald") -> pd.DataFrame:
        """χ² test of each term (Wald): chisq, df, p; index term. It never depends on the coding.

        Parameters
        ----------
        type : 1, 2 or 3, as in `GeneralizedLinearMixedModel.anova`.
        ddf : ``"wald"``, the only one; with few groups `mixedsim.anova` and `mixedsim.drop1` do better.

        Raises
        ------
        MixedsimError
            For another type or `ddf`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.anova().round(2)
                  chisq  df    p
        term
        own_room  31.04   1  0.0
        """
        return generalized_combinations.anova(self, type, ddf)

    def contrasts(self, contrasts: Contrasts, level: float = 0.95, *, joint: bool = False) -> pd.DataFrame:
        """Linear combinations of coefficients on the latent scale: estimate, se, df, t, p, lower, upper.

        Parameters
        ----------
        contrasts : as in `LinearMixedModel.contrasts`: text such as ``"a - b"`` or ``"2 * a = 1"``, mappings, numbers.
        level : confidence level.
        joint : test them all at once: one row of chisq, df, p.

        Raises
        ------
        MixedsimError
            For a name that is no coefficient, text that is no linear combination, or the wrong number of weights.
        """
        return contrast_table(self, contrasts, level, joint)

    def profile(
        self, which: str | Sequence[str] | None = None, level: float = 0.99, points: int = 8
    ) -> LikelihoodProfile:
        """Profile likelihood: the deviance along each parameter, with all others where they then fit best.

        Parameters
        ----------
        which : names or kinds of parameters, as in `confint`, but no thresholds; all others if None.
        level : the curves extend to the ends of this confidence interval.
        points : values on each side of the estimate.

        Raises
        ------
        MixedsimError, ConvergenceError
            As in `confint`.
        """
        rest = [one for one in clmm_parameters(self) if one.kind != "threshold"]
        return glm_likelihood_profile(
            self.design,
            self.problem,
            self.objective,
            self.optimum,
            which=[one.name for one in selected(rest, which)],
            level=level,
            points=points,
        )

    def emmeans(
        self,
        of: str | Sequence[str],
        by: str | Sequence[str] | None = None,
        level: float = 0.95,
        *,
        scale: Scale = "link",
        at: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Estimated marginal means of a group in the middle: emmean, se, df, lower, upper; ``.pairs()`` compares them.

        Parameters
        ----------
        of, by, at : as in `LinearMixedModel.emmeans`: variables, and values that replace those of the reference grid.
        level : confidence level.
        scale : ``"link"``: means on the latent scale, whose zero is the middle (the mean) of the thresholds; only
            their differences are worth reading. ``"probability"``: what each category's probability is at such a mean,
            one row a category: probability, se, df, lower, upper (intervals by way of the log odds).

        Raises
        ------
        MixedsimError
            For a name that is no variable of the fixed part, a level that does not exist, or another scale.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data.astype({"own_room": "category"})
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.emmeans("own_room", scale="probability").loc[1].round(2)
                   probability    se   df  lower  upper
        answer
        very bad          0.04  0.01  inf   0.03   0.06
        bad               0.10  0.02  inf   0.07   0.13
        fair              0.26  0.02  inf   0.21   0.31
        good              0.39  0.02  inf   0.35   0.44
        very good         0.22  0.03  inf   0.16   0.28
        """
        return clmm_means.emmeans(self, of, by, level, scale, at)


def contrast_table(fit: ClmmEstimates, given: Contrasts, level: float, jointly: bool) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.contrasts`."""
    rows = read_contrasts(given, fit.coefficient_names)
    intercept = fit.problem.linear.intercept
    assert intercept is not None
    matrix = np.insert(rows.matrix, intercept, 0.0, axis=1)
    if jointly:
        test = generalized_combinations.joint(fit, matrix, rows.null)
        return f_table([test], ["joint"], "wald", title="contrast")
    found = generalized_combinations.combinations(fit, matrix)
    return t_table(found, pd.Index(rows.labels, name="contrast"), level, rows.null)
