"""What a fitted generalised model says of experiments like its own: power, and the true level of its tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixedsim.models.calibration import Calibration
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_power import GlmTest, calibrate, power
from mixedsim.models.power import PowerEstimate


class GeneralizedStudies(GeneralizedEstimates):
    """Many responses on the design of the fit, and what its tests make of them."""

    def power(
        self,
        parameter: str,
        n: int = 1000,
        seed: Any = None,
        *,
        effect: float | None = None,
        test: GlmTest = "wald",
        alpha: float = 0.05,
    ) -> PowerEstimate:
        """How often a test would find an effect in data like these, with its Monte-Carlo interval.

        The model is fitted to n responses drawn from it on the same rows, with the effect and all else as estimated,
        and to n drawn without the effect: the result holds the false-positive rate of the same test beside its power.

        Parameters
        ----------
        parameter : name of the coefficient that is tested.
        n, seed : how many replicates, and where the random numbers begin, as in `simulate`.
        effect : the true size of the coefficient on the scale of the link (``np.log(2)`` for an odds ratio of 2); the
            smallest one that matters is a good choice. None takes the estimate, whose power is the p-value in other
            words (Hoenig & Heisey 2001, The American Statistician 55:19).
        test : ``"wald"``, or ``"lrt"``, the likelihood ratio, which takes a second fit of each.
        alpha : its level.

        Raises
        ------
        MixedsimError
            If there is no such coefficient, or `n`, `effect`, `test` or `alpha` is not of these.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> found = fit.power("period[T.2]", n=200, seed=1, effect=-0.7)
        >>> round(found.power, 2), round(found.lower, 2), round(found.upper, 2)
        (0.78, 0.71, 0.83)
        """
        return power(self, parameter, n, seed, effect, test, alpha)

    def calibrate(
        self, n: int = 2000, seed: Any = None, *, tests: Sequence[GlmTest] | None = None, alpha: float = 0.05
    ) -> Calibration:
        """The real false-positive rate of each test of each coefficient, for this very design.

        Responses to which the model has no fit (a category without a success) count as failed.

        Parameters
        ----------
        n, seed : how many responses are drawn from the model, and where the random numbers begin, as in `simulate`.
        tests : some of ``"wald"`` and ``"lrt"``, which takes one more fit for each coefficient; both if None.
        alpha : the rate that they promise.

        Raises
        ------
        MixedsimError
            For an unknown test, or a model without fixed effects.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.calibrate(200, seed=1, tests=["wald"]).table[["n", "failed"]].head(2)
                            n  failed
        coefficient test
        Intercept   wald  199       1
        period[T.2] wald  199       1
        """
        return calibrate(self, n, seed, tests, alpha)
