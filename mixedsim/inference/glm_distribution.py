"""Distribution functions of the families: P(Y ≤ y) for a row with mean μ.

Discrete ones by the incomplete gamma and beta functions that their sums are (Abramowitz & Stegun 1964, Handbook of
Mathematical Functions, 26.4.21 and 26.5.24), the inverse Gaussian's by Shuster's formula (1968, JASA 63:1514).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
COUNTED = ("binomial", "poisson", "negative-binomial")


@dataclass(frozen=True, eq=False)
class Law:
    """What fixes the distribution of a response beside its mean.

    Attributes
    ----------
    kind : name of the family.
    trials : numbers of trials of a binomial response, which is a number of successes here.
    precision : weight over dispersion of a gamma or inverse Gaussian.
    tau : τ of a negative binomial.
    """

    kind: str
    trials: Floats | float = 1.0
    precision: Floats | float = 1.0
    tau: float = np.inf

    @property
    def counted(self) -> bool:
        """Whether responses are whole numbers."""
        return self.kind in COUNTED

    def taken(self, where: NDArray[np.intp]) -> Law:
        """That of some rows, one below the other: for a matrix of rows × values."""
        trials, precision = (
            value[where, None] if isinstance(value, np.ndarray) else value for value in (self.trials, self.precision)
        )
        return Law(self.kind, trials, precision, self.tau)


def variance(law: Law, mean: Floats) -> Floats:
    """Var(Y) at means μ, of a number of successes where there are trials."""
    if law.kind == "binomial":
        return np.asarray(law.trials * mean * (1.0 - mean))
    if law.kind == "poisson":
        return mean
    if law.kind == "negative-binomial":
        return np.asarray(mean + mean * mean / law.tau)
    return np.asarray((mean**2 if law.kind == "gamma" else mean**3) / law.precision)


def cumulative(law: Law, y: Floats, mean: Floats) -> Floats:
    """P(Y ≤ y), of whole numbers y where responses are counted; shapes are broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.inference.glm_distribution import Law, cumulative
    >>> cumulative(Law("poisson"), np.array([-1.0, 0.0, 2.0]), np.array(2.0)).round(3).tolist()
    [0.0, 0.135, 0.677]
    """
    if law.kind == "binomial":
        return _binomial(y, law.trials, mean)
    none = y < 0
    if law.kind == "poisson":
        return np.where(none, 0.0, special.gammaincc(np.maximum(y, 0.0) + 1.0, mean))
    if law.kind == "negative-binomial":
        return np.where(none, 0.0, special.betainc(law.tau, np.maximum(y, 0.0) + 1.0, law.tau / (law.tau + mean)))
    if law.kind == "gamma":
        return np.asarray(special.gammainc(law.precision, law.precision * y / mean))
    root = np.sqrt(law.precision / y)
    late = 2.0 * law.precision / mean + special.log_ndtr(-root * (y / mean + 1.0))
    return np.asarray(special.ndtr(root * (y / mean - 1.0)) + np.exp(late))


def _binomial(k: Floats, trials: Floats | float, mean: Floats) -> Floats:
    """P(at most k successes)."""
    inside = (k >= 0) & (k < trials)
    own = special.betainc(np.where(inside, trials - k, 1.0), np.where(inside, k + 1.0, 1.0), 1.0 - mean)
    return np.where(inside, own, np.where(k < 0, 0.0, 1.0))
