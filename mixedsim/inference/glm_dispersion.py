"""Do the responses vary as the family says: overdispersion, and zeros.

The Pearson statistic ``Σ w (y − μ̂)²/V(μ̂)``, given the random effects, is about χ² with n less the number of parameters
for degrees of freedom where each row carries much information (McCullagh & Nelder 1989, Generalized Linear Models, 2nd
edition, section 4.5), as in R's performance. Random effects take up some of the variation themselves, so that the ratio
of the two lies somewhat below 1 in a model that holds. For single yes or no answers it says nothing at all: their
variance follows from their mean.

Zeros are counted in responses drawn from the fit, its random effects kept. With new ones in every draw their number
would vary with the groups that happen to be drawn, while that of the data belongs to these very groups: p would hardly
ever be small by chance, and zeros of their own in 5 % of 480 rows with a mean of 2 hardly ever be found, where they are
more often than not (by simulation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.engine.glm_estimates import pearson
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_responses import generalized_responses

Floats = NDArray[np.float64]
_COUNTS = ("poisson", "negative-binomial", "binomial")


@dataclass(frozen=True)
class Overdispersion:
    """Pearson's χ² of a fit.

    Attributes
    ----------
    ratio : chisq / df.
    chisq, df : the statistic, and n less the number of parameters.
    p : probability of a larger one if the responses vary as the family says.
    """

    ratio: float
    chisq: float
    df: int
    p: float

    @property
    def sentence(self) -> str:
        """What it means."""
        found = f"the responses vary {self.ratio:.2g} times as much as the family says (p = {self.p:.2g})"
        if self.p >= 0.05:
            return f"{found}, which is no more than chance explains."
        return (
            f"{found}: standard errors are too small; look for a predictor that is missing, give every row an effect "
            "of its own, or take a negative binomial for counts."
        )


def overdispersion(objective: GlmObjective, at: GlmEvaluation, trials: Floats | None = None) -> Overdispersion:
    """Return the `Overdispersion` of a fit.

    Parameters
    ----------
    objective, at : likelihood and optimum.
    trials : n numbers of trials of a binomial response, or None for single ones.

    Raises
    ------
    MixedsimError
        For single yes or no answers, whose variance follows from their mean; for a family with a dispersion, which is
        estimated; and where the model has as many parameters as rows.
    """
    family = objective.family
    if family.scaled:
        raise MixedsimError(
            f"the family {family.kind!r} estimates its dispersion, so nothing is left to be over it: look at sigma."
        )
    if family.kind == "binomial" and (trials is None or float(trials.max()) <= 1):
        raise MixedsimError(
            "overdispersion does not show in single yes or no answers, whose variance follows from their mean: add "
            "them up to successes / trials within groups first, or look at quantile_residuals()."
        )
    df = objective.rows.n - len(at.theta) - objective.rows.p - family.extra
    if df < 1:
        raise MixedsimError(
            f"the model has as many parameters as its {objective.rows.n} rows, so nothing is left from which "
            "overdispersion could be told: fit a simpler one."
        )
    residuals = pearson(objective, at)
    chisq = float(residuals @ residuals)
    return Overdispersion(chisq / df, chisq, df, float(special.chdtrc(df, chisq)))


@dataclass(frozen=True)
class Zeros:
    """Zeros among the responses, beside those of responses drawn from the model.

    Attributes
    ----------
    observed : how many there are.
    expected, lower, upper : mean of the drawn numbers, and what 95 % of them lie between.
    ratio : observed / expected.
    p : share of draws at least as far out, two-sided.
    """

    observed: int
    expected: float
    ratio: float
    lower: float
    upper: float
    p: float

    @property
    def sentence(self) -> str:
        """What it means."""
        found = f"{self.observed} responses are zero, where the model expects {self.expected:.3g}"
        found += f" ({self.lower:.4g} to {self.upper:.4g} in 95 % of draws)"
        if self.p >= 0.05:
            return f"{found}: no more and no fewer than chance explains."
        if self.ratio > 1:
            return f"{found}: too many; try a negative binomial, or a model of its own for whether there are any."
        return f"{found}: too few; a process without zeros, or less variation than the family says, may be behind them."


def zeros(objective: GlmObjective, at: GlmEvaluation, n: int, seed: int, trials: Floats | None = None) -> Zeros:
    """Return the `Zeros`, from n responses drawn given the random effects.

    Parameters
    ----------
    objective, at : likelihood and optimum.
    n, seed : how many, and where the random numbers begin.
    trials : n numbers of trials of a binomial response, or None for single ones.

    Raises
    ------
    MixedsimError
        For a family whose responses are never zero.
    """
    family = objective.family
    if family.kind not in _COUNTS:
        raise MixedsimError(
            f"responses of the family {family.kind!r} are never zero: zero_inflation is for counts, of the families "
            "'poisson', 'negative-binomial' and 'binomial'."
        )
    blocks = generalized_responses(objective, at, trials, n, seed, conditional=True)
    drawn = np.concatenate([np.count_nonzero(y == 0, axis=0) for y in blocks])
    observed = int(np.count_nonzero(family.y == 0))
    tails = (1 + np.count_nonzero(drawn >= observed), 1 + np.count_nonzero(drawn <= observed))
    low, high = np.quantile(drawn, [0.025, 0.975])
    expected = float(drawn.mean())
    ratio = observed / expected if expected > 0 else (np.inf if observed else 1.0)
    return Zeros(observed, expected, ratio, float(low), float(high), min(1.0, 2.0 * min(tails) / (n + 1)))
