"""What a fitted linear mixed model says of experiments like its own: power, and the true level of its tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixedsim.inference.contrasts import Ddf
from mixedsim.models.calibration import Calibration, Test, calibrate
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.power import PowerEstimate, power


class LinearStudies(LinearEstimates):
    """Many responses on the design of the fit, and what its tests make of them."""

    def power(
        self,
        parameter: str,
        n: int = 1000,
        seed: Any = None,
        *,
        effect: float | None = None,
        ddf: Ddf = "satterthwaite",
        alpha: float = 0.05,
    ) -> PowerEstimate:
        """How often a test would find an effect in data like these, with its Monte-Carlo interval.

        The model is fitted to n responses drawn from it on the same rows. The result holds the false-positive rate of
        the same test beside its power.

        Parameters
        ----------
        parameter : name of the coefficient that is tested.
        n, seed : how many replicates, and where the random numbers begin, as in `simulate`.
        effect : the true size of the coefficient; the smallest one that matters is a good choice. None takes the
            estimate, whose power is the p-value in other words (Hoenig & Heisey 2001, The American Statistician 55:19).
        ddf : degrees of freedom of the test, as in `coefficients`.
        alpha : its level.

        Raises
        ------
        MixedsimError
            If there is no such coefficient, or `n`, `effect`, `ddf` or `alpha` is not of these.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> found = fit.power("Days", n=200, seed=1, effect=4)
        >>> round(found.power, 2), round(found.lower, 2), round(found.upper, 2)
        (0.67, 0.6, 0.73)
        """
        return power(self, parameter, n, seed, effect, ddf, alpha)

    def calibrate(
        self, n: int = 2000, seed: Any = None, *, tests: Sequence[Test] | None = None, alpha: float = 0.05
    ) -> Calibration:
        """The real false-positive rate of each test of each coefficient, for this very design.

        Parameters
        ----------
        n, seed : how many responses are drawn from the model, and where the random numbers begin, as in `simulate`.
        tests : some of ``"wald"``, ``"satterthwaite"``, ``"kenward-roger"`` (after REML) and ``"lrt"``; all if None.
        alpha : the rate that they promise.

        Raises
        ------
        MixedsimError
            For an unknown test, one that the fit does not allow, or a model without fixed effects.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> print(fit.calibrate(500, seed=1, tests=["wald", "satterthwaite"]))
        False positives of Reaction ~ Days + (Days | Subject): 500 responses without the effect, 15 of them singular
        <BLANKLINE>
                          wald satterthwaite
        Intercept  5.0 ± 1.0 %   3.8 ± 0.9 %
        Days       6.4 ± 1.1 %   4.8 ± 1.0 %
        <BLANKLINE>
        No test is further from 5 % than chance explains.
        """
        return calibrate(self, n, seed, tests, alpha)
