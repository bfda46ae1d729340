"""The size at which a test has the power one wants, by simulating where it tells most.

Power is simulated in portions. After each, a curve through everything simulated near by says where the wanted power is
reached, and the next portion is simulated there or a little to its sides, until the size is known well enough: the
sequential design of Wilson, Kauermann & Schomaker (2021) and Chalmers (2024, Multivariate Behavioral Research), with
the curve that theory suggests. An effect δ with standard error c/√size is found with power ``Φ(δ√size/c − z)``, so
the probit of the power is a straight line in √size wherever the test is nearly normal (Cohen 1988, chapter 12). Where
it is none (more rows in groups that differ), it still is nearly one close to the answer, and further portions tell less
of it the more there are close by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.errors import MixedsimError, PopulationError, nearest
from mixedsim.inference.shares import Share, per_cent
from mixedsim.listing import listed
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.power import check_alpha
from mixedsim.models.simulation import whole
from mixedsim.simulate import Population
from mixedsim.simulate.streams import Streams, settle_seed
from mixedsim.study.analysis import settled_analyses
from mixedsim.study.attempt import AnalysisFails
from mixedsim.study.draws import Redraw
from mixedsim.study.found_size import FoundSize
from mixedsim.study.power_along import parameters_of, population_of
from mixedsim.study.power_line import Line, Portion, fitted
from mixedsim.study.power_table import check_tested, power_rows, says_its_level
from mixedsim.study.study_result import Study
from mixedsim.study.studying import study
from mixedsim.study.varying import changed
from mixedsim.study.workers import workers_of

Floats = NDArray[np.float64]
_FIRST = 100  # replicates a size while nobody knows where to look
_PORTION = 250  # replicates a size afterwards
_CLOSE, _ENOUGH = 1.6, 1000  # sizes within this factor of the answer tell of it once they have so many replicates,
_NEAR = 3.0  # until then those within this one
_SIDES = (1.0, 0.8, 1.25)  # of the answer: where portions go in turn
_WIDEST = 1024  # times the first size: how far the search for a bracket goes
_UNKNOWN = 10  # where a search begins if the population has no number


def find_size(
    source: Population | LinearMixedModel | GeneralizedLinearMixedModel,
    along: str | None = None,
    power: float = 0.8,
    *,
    parameter: str | None = None,
    analysis: Any = None,
    seed: int | np.random.Generator | None = None,
    alpha: float = 0.05,
    precision: float = 0.02,
    most: int = 20_000,
    redraw: Redraw | None = None,
    executor: Any = None,
) -> FoundSize:
    """Return the smallest number of clusters, or of rows in each, with which a test has the power one wants.

    Parameters
    ----------
    source : a population; or a fitted model, of which ``Population.from_fit`` makes one that behaves alike.
    along : a cluster, or ``"size"``; the first cluster if None.
    power : that is wanted.
    parameter : the coefficient that is tested; needed where there are several besides the intercept.
    analysis : as one of the analyses of `study`; the population's own formula if None.
    seed, redraw, executor : as in `study`.
    alpha : level of the test.
    precision : half the width of the 95 % Monte-Carlo interval of the power at the answer below which the search ends,
        for a power of 0.8; near 0 and 1, where powers lie closer together, less in proportion to √(p (1 − p)).
    most : replicates after which it ends in any case.

    Raises
    ------
    MixedsimError
        If power, alpha or precision is no share, if there is no such thing to vary, if the effect is zero, or if no
        size comes near the wanted power.

    Examples
    --------
    >>> import mixedsim as ms
    >>> trial = ms.scenarios.therapist_plain(therapists=10, patients=5).with_(sigma=40)
    >>> found = ms.find_size(trial, "therapist", parameter="depression", seed=1, precision=0.04)
    >>> 60 < found.size < 80, found.settled
    (True, True)
    """
    population, _ = population_of(source, "find_size")
    for name, share in (("power", power), ("precision", precision)):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise MixedsimError(f"{name} must lie between 0 and 1, found {share!r}.")
    whole(most, "most")
    check_alpha(alpha)
    if power <= alpha:
        raise MixedsimError(f"power must be above alpha, which every size has: found {power:g} and {alpha:g}.")
    name, tested, settled = _along(population, along), _parameter(population, parameter), settle_seed(seed)
    with workers_of(executor) as workers:
        search = _Search(population, name, power, tested, analysis, settled, alpha, redraw, workers)
        return search.run(precision * math.sqrt(power * (1.0 - power)) / 0.4, most)


class _Search:
    """What is known so far, and where to look next."""

    def __init__(
        self, population: Population, along: str, target: float, parameter: str, analysis: Any, seed: int,
        alpha: float, redraw: Redraw | None, executor: Any,
    ) -> None:  # fmt: skip
        self.population, self.along, self.target, self.parameter = population, along, target, parameter
        self.seed, self.alpha, self.redraw, self.executor = seed, alpha, redraw, executor
        self.analyses = settled_analyses(analysis, population.formula)
        if len(self.analyses) != 1:
            raise MixedsimError(f"find_size follows one analysis, found {len(self.analyses)}: choose one.")
        self.probit = float(special.ndtri(target))
        self.portions: list[Portion] = []
        self.least = _least(population, along)

    def run(self, precision: float, most: int) -> FoundSize:
        """Bracket the answer, then simulate around it until it is known."""
        answer, turn = self._bracket(precision, most), 0
        if answer is None:
            return self._smallest(precision)
        while True:
            curve = self._curve(answer)
            answer = max(int(np.ceil(curve.root(self.probit) ** 2 - 1e-9)), self.least)
            at, _ = curve.at(answer)
            low, high = curve.interval(answer)
            settled = 0.5 * (high - low) < precision
            if settled or self._spent() >= most:
                break
            self._simulate(max(round(answer * _SIDES[turn % len(_SIDES)]), self.least), _PORTION)
            turn += 1
        return self._found(answer, self._sizes(answer), (float(special.ndtr(at)), low, high), settled)

    def _smallest(self, precision: float) -> FoundSize:
        """The answer where the smallest size has more power than was wanted."""
        share = self._share(self.least)
        low, high = share.interval()
        settled = 0.5 * (high - low) < precision or low > self.target
        return self._found(self.least, (np.nan, np.nan), (share.value, low, high), settled)

    def _found(
        self, size: int, sizes: tuple[float, float], power: tuple[float, float, float], settled: bool
    ) -> FoundSize:
        near = self._near(size)
        false = Share(sum(one.false for one in near), sum(one.judged for one in near))
        return FoundSize(
            size, *sizes, *power, false.value, self.along, self.parameter, self.analysis, self.target, self.alpha,
            self._table(), self._spent(), settled, self.seed,
        )  # fmt: skip

    def _bracket(self, precision: float, most: int) -> int | None:
        """A size near the answer: doubled or halved from the population's own until it lies between two.

        None if the smallest size that can be analysed has the power that is wanted; it is `least` then.
        """
        size = first = max(self._own(), self.least)
        below, above = None, None
        while True:
            share = self._simulate(size, _FIRST)
            if not share.n:  # nothing can be tested
                self.least = max(self.least, size + 1)
            elif share.value >= self.target:
                above = size
            else:
                below = size
            if above == self.least:
                if self._settled_share(above, precision, most).value >= self.target:
                    return None
                below, above = above, None
            if below is not None and above is not None:
                return round(math.sqrt(below * above))
            if above is None and 2 * size > first * _WIDEST:
                raise MixedsimError(self._out_of_reach(size))
            if self._spent() >= most:
                raise MixedsimError(self._exhausted(size))
            if above is None:
                size *= 2
            else:
                size = above // 2 if above // 2 >= self.least else (self.least + above) // 2

    def _settled_share(self, size: int, precision: float, most: int) -> Share:
        """How often the test rejects at a size, known as well as is asked for, or clearly more often than wanted."""
        share = self._share(size)
        while self._spent() < most:
            low, high = share.interval()
            if 0.5 * (high - low) < precision or low > self.target:
                break
            self._simulate(size, _PORTION)
            share = self._share(size)
        return share

    def _out_of_reach(self, size: int) -> str:
        return (
            f"no {self.along} up to {size:,} gives the test of {self.parameter} a power of {per_cent(self.target, 0)} "
            f"(there {self._there(size)}): vary something else, or a larger effect."
        )

    def _exhausted(self, size: int) -> str:
        return (
            f"{self._spent():,} replicates do not show what {self.along} gives the test of {self.parameter} a power of "
            f"{per_cent(self.target, 0)} (at {size:,} {self._there(size)}): allow more with most=."
        )

    def _there(self, size: int) -> str:
        share = self._share(size)
        return f"it is {per_cent(share.value)}" if share.n else "nothing can be tested"

    def _simulate(self, size: int, n: int) -> Share:
        """Add a portion of replicates at a size; how often the test rejected in it."""
        numbers = Streams(self.seed).generator("find_size", str(size), str(len(self.portions)))
        at = changed(self.population, {self.along: size})
        seed = int(numbers.integers(2**63))

        def run(one: Population) -> Study:
            return study(one, self.analyses, n, seed, alpha=self.alpha, redraw=self.redraw, executor=self.executor,
                         progress=False)  # fmt: skip

        def null(name: str) -> Study:
            return run(at.with_(fixef={**at.fixef, name: 0.0}))

        try:
            found = run(at)
        except AnalysisFails:
            if not any(one.tells for one in self.portions):  # not for want of rows
                raise
            return Share(0, 0)
        check_tested(found, (self.parameter,), asked=True)
        (row,) = power_rows(found, (self.parameter,), self.alpha, None if says_its_level(at, self.analyses) else null)
        self.portions.append(Portion.of(size, row))
        last = self.portions[-1]
        return Share(last.hits, last.judged) if last.tells else Share(0, 0)

    def _share(self, size: int) -> Share:
        """How often the test rejected in all portions of a size."""
        mine = [one for one in self.portions if one.size == size]
        return Share(sum(one.hits for one in mine), sum(one.judged for one in mine))

    def _near(self, size: float, factor: float = _NEAR) -> list[Portion]:
        """Portions that tell of the answer; the two sizes nearest to it in any case."""
        telling = [one for one in self.portions if one.tells]
        sizes = sorted({one.size for one in telling}, key=lambda one: abs(np.log(one / size)))
        kept = set(sizes[:2]) | {one for one in sizes if size / factor < one < size * factor}
        return [one for one in telling if one.size in kept]

    def _curve(self, size: float) -> Line:
        """The curve through the portions near a size."""
        curve = next(self._curves(size), None)
        if curve is None:
            raise MixedsimError(
                f"as far as {self._spent():,} replicates can tell, the power for {self.parameter} does not grow with "
                f"{self.along}, so that no size can be found: vary something else."
            )
        return curve

    def _curves(self, size: float) -> Iterator[Line]:
        """Curves through the portions close to a size, and through others further away, as far as they rise.

        The closer, the less it matters what power does elsewhere, but such a curve is no guide to other sizes; the
        further, the surer is its slope.
        """
        for factor in (_CLOSE, _NEAR, _NEAR**2, np.inf):
            near = self._near(size, factor)
            curve, sizes = fitted(near), [one.size for one in near]
            enough = sum(one.judged for one in near) >= _ENOUGH
            inside = curve.b > 0 and min(sizes) <= curve.root(self.probit) ** 2 <= max(sizes)
            if curve.b > 0 and (factor > _CLOSE or (enough and inside)):
                yield curve

    def _sizes(self, size: float) -> tuple[float, float]:
        """The interval of the size with the wanted power, from the closest portions that give it two ends."""
        curves = list(self._curves(size))
        root, found = curves[0].root(self.probit) ** 2, [curve.sizes(self.probit) for curve in curves]
        low, high = next((ends for ends in found if np.isfinite(ends[1])), found[0])
        return min(low, root), max(high, root)

    def _own(self) -> int:
        """The population's own number, where it has one."""
        entry = self.population.size if self.along == "size" else self.population.clusters[self.along]
        count = entry.get("n") if isinstance(entry, Mapping) else entry
        return count if isinstance(count, int) else _UNKNOWN

    @property
    def analysis(self) -> str:
        return next(iter(self.analyses))

    def _spent(self) -> int:
        return sum(one.n for one in self.portions)

    def _table(self) -> pd.DataFrame:
        rows = []
        for size in sorted({one.size for one in self.portions}):
            mine = [one for one in self.portions if one.size == size]
            judged = sum(one.judged for one in mine)
            share, false = Share(sum(one.hits for one in mine), judged), Share(sum(one.false for one in mine), judged)
            lower, upper = share.interval()
            total = sum(one.n for one in mine)
            rows.append((size, total, share.value, lower, upper, false.value, total - judged,
                         sum(one.singular for one in mine)))  # fmt: skip
        columns = [self.along, "n", "power", "lower", "upper", "false_positive", "failed", "singular"]
        return pd.DataFrame(rows, columns=columns).set_index(self.along)


def _least(population: Population, along: str) -> int:
    """The smallest size that may leave anything to estimate.

    Two rows a cluster, one where they are those of a pair of crossed ones; three clusters, two in each of others.
    """
    structure = population.plan.structure
    if along == "size":
        return 2 if len(structure.leaves()) == 1 else 1
    return 3 if structure.cluster(along).within is None else 2


def _along(population: Population, along: str | None) -> str:
    known = [*population.clusters, "size"]
    name = next(iter(population.clusters)) if along is None else along
    if name not in known:
        raise PopulationError(f"find_size varies how many there are of something, not {name!r}: {nearest(name, known)}")
    return name


def _parameter(population: Population, parameter: str | None) -> str:
    names = parameters_of(population, parameter)
    if len(names) > 1:
        raise MixedsimError(f"find_size follows one coefficient: choose parameter= among {listed(names)}.")
    if population.fixef.get(names[0], 0.0) == 0.0:
        raise MixedsimError(f"the true effect of {names[0]} is 0 in this population, so no size finds it: set fixef.")
    return names[0]
