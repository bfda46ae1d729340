"""A seed that replays R: ``draw(seed=ms.RSeed(123))`` has the numbers of a script that begins ``set.seed(123)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mixedsim.simulate.fields import FieldError, shown, whole
from mixedsim.simulate.replay.generator import RGenerator
from mixedsim.simulate.replay.words import Words

_LARGEST = 2**31 - 1  # R's largest integer; the negative one beyond it is R's missing value


@dataclass(frozen=True, repr=False)
class RSeed:
    """The random numbers of R after ``set.seed(seed)``, with R's default generators (since R 3.6.0).

    As the seed of a draw it stands for *one* sequence of numbers that all parts share, as in a script, in place of a
    stream for every part. They take from it in this order:

    1. how many units and rows there are, where chance decides that;
    2. the variables of rows, in the order of the population;
    3. the random effects, effect after effect, in the order of the formula;
    4. the variables of clusters, in the order of the population;
    5. the outcome or its residuals; then what goes wrong, problem after problem.

    A variable comes earlier if an earlier one reads it. What `order` names comes before the rest of 2 to 4, in the
    order given. So, other than with an integer, one part more changes the numbers of those behind it.

    Each part is drawn by the verb that a script would use: `Normal` by ``rnorm(n, mean, sd)``, `Uniform` by ``runif``,
    `Integers` by ``sample(low:high, n, replace = TRUE)``, `Bernoulli` by ``rbinom(n, 1, p)``, `Binomial` by ``rbinom``,
    `Poisson` by ``rpois``, `LogNormal` by ``rlnorm``, `Categorical` by ``sample(levels, n, replace = TRUE, prob)``,
    random effects and residuals by ``rnorm``. Distributions without such a verb are refused.

    Parameters
    ----------
    seed : what stands in ``set.seed()``: a whole number from −2147483647 to 2147483647.
    order : names of variables and grouping factors (for all their random effects) that are drawn first.

    Raises
    ------
    PopulationError
        If the seed is not such a number, or the order not names; when a population is drawn, if it has no variable or
        grouping factor of that name, or uses a distribution that is not replayed.

    Notes
    -----
    Written from R's help pages and the papers they name, see `mixedsim.simulate.replay`. Uniform and whole numbers are
    R's to the last bit, normal ones to the last digit or two, because logarithms differ that much between machines.

    Examples
    --------
    The most famous numbers of R, ``set.seed(123); rnorm(3)``:

    >>> import mixedsim as ms
    >>> ms.RSeed(123).generator().rnorm(3).round(8)
    array([-0.56047565, -0.23017749,  1.55870831])

    The patients of a published simulation, drawn as its R script draws them:

    >>> sample = ms.scenarios.therapist_plain().draw(seed=ms.RSeed(123))
    >>> sample.data.head(3).round(3)
      therapist  depression  sex  anxiety
    0         1       3.879    0   64.070
    1         1       4.540    0   62.908
    2         1       8.117    1   93.679
    """

    seed: int
    order: Sequence[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", _settled_seed(self.seed))
        object.__setattr__(self, "order", _settled_order(self.order))

    def __repr__(self) -> str:
        return f"RSeed({self.seed}, order={list(self.order)!r})" if self.order else f"RSeed({self.seed})"

    def generator(self) -> RGenerator:
        """A generator with R's verbs, `rnorm`, `runif`, `rbinom`, …, `sample`: as after ``set.seed``."""
        return RGenerator(Words(self.seed))


def _settled_seed(given: Any) -> int:
    path = ("RSeed", "seed")
    seed = whole(given, path)
    if abs(seed) > _LARGEST:
        raise FieldError(path, f"must lie between -{_LARGEST} and {_LARGEST}, as R's integers do, found {seed:.12g}.")
    return seed


def _settled_order(given: Any) -> tuple[str, ...]:
    path = ("RSeed", "order")
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise FieldError(path, f"must be a list of names, found {shown(given)}.")
    twice = [one for i, one in enumerate(given) if one in given[:i]]
    if twice:
        raise FieldError(path, f"names {twice[0]!r} twice.")
    return tuple(given)
