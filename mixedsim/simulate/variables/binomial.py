"""The binomial distribution: how many of n."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrik

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown, whole
from mixedsim.simulate.variables.scores import first_whole, upto
from mixedsim.simulate.variables.variable import Array, Drawn, Interval


@dataclass(frozen=True)
class Binomial(Drawn):
    """How many of n trials succeed, each with probability p: items solved, nights slept well.

    ``x ~ Binomial(n, p)``: support 0, …, n (integers), mean ``n p``, variance ``n p (1 − p)``.

    Parameters
    ----------
    n : number of trials, a whole number from 0 to 1e9, or an expression in earlier variables that gives one.
    p : probability of a success; number in [0, 1], or expression.
    level : cluster that shares one value; None for one value a row.
    observed : False keeps the variable out of the data; it stays in the truth.

    Raises
    ------
    PopulationError
        If ``n`` is not a whole number, or a parameter leaves its bounds; for an expression, when the population is
        drawn.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Binomial(10, "logistic(0.5 * skill)")
    Binomial(n=10, p='logistic(0.5 * skill)', level=None, observed=True)
    """

    n: int | str
    p: Parameter
    level: str | None = None
    observed: bool = True

    limits: ClassVar[Mapping[str, Interval]] = {"n": (0, 1e9), "p": (0.0, 1.0)}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.n, str):
            self._settle(n=whole(self.n, ("Binomial", "n")))

    def sample(self, rng: np.random.Generator, size: int, given: Mapping[str, Any]) -> NDArray[np.int64]:
        return rng.binomial(_trials(given["n"]), given["p"], size)

    def at_scores(self, scores: Array, given: Mapping[str, Any]) -> NDArray[np.int64]:
        n, p = _trials(given["n"]), given["p"]
        largest = float(n) if n.ndim == 0 and isinstance(p, float) else None

        def inverse(shares: Array) -> Array:
            certain = (n == 0) | np.equal(p, 0) | np.equal(p, 1)  # where SciPy's has no answer
            numbers: Array = np.where(certain, n * np.equal(p, 1), bdtrik(shares, n, np.clip(p, 1e-300, 1 - 2**-53)))
            return numbers

        return first_whole(upto(scores), lambda k: bdtr(k, n, p), inverse, largest)

    def expectation(self) -> float:
        """The mean, when both parameters are numbers."""
        return float(self.n) * float(self.p)

    def support(self) -> str:
        return f"0 to {self.n:,.0f}" if isinstance(self.n, int | float) else "0, 1, 2, …"

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return "~", f"Binomial({write(self.n)}, {write(self.p)})"


def _trials(n: Any) -> NDArray[np.int64]:
    """The numbers of trials as integers, once it is sure that they are."""
    trials: NDArray[np.int64] = np.asarray(np.rint(n)).astype(np.int64)
    wrong = np.atleast_1d(np.asarray(n))[np.atleast_1d(trials != n)]
    if wrong.size:
        problem = f"must be a whole number, but reaches {shown(wrong[0])} in this draw: write round(…) around it."
        raise FieldError(("Binomial", "n"), problem)
    return trials
