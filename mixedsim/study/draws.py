"""The first verb of a study: draw. Replicates by number, each with a seed of its own."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.simulation import whole
from mixedsim.simulate import Population, Sample
from mixedsim.simulate.streams import settle_seed
from mixedsim.study.fit_sources import FitSample, fit_source
from mixedsim.study.sources import PopulationSource, Source

Redraw = Literal["all", "response"]
_NUMBERS = 2_000_000  # of a block's responses, rows × replicates: 16 MB
_MOST = 250  # replicates in a block, so that progress shows and workers get something each


@dataclass(frozen=True, eq=False)
class Draws(Sequence["Sample | FitSample"]):
    """n replicates, numbered from 0: nothing is drawn before it is asked for.

    ``draws[k]`` is the sample of replicate k, with its truth, always the same one. Its seed depends on `seed` and k
    alone: the first 100 of 1,000 replicates are those of 100, and where predictors are drawn anew
    ``population.draw(draws.seeds[k])`` has the same data.

    Attributes
    ----------
    source : what is drawn from.
    n : how many replicates.
    seed : where they begin.
    redraw : ``"all"``, or ``"response"`` where clusters and predictors are those of one draw.
    """

    source: Source
    n: int
    seed: int
    redraw: Redraw

    @property
    def seeds(self) -> NDArray[np.int64]:
        """The seed of every replicate: n whole numbers below 2^53, so that spreadsheets keep them too."""
        return self.seeds_of(0, self.n)

    def seeds_of(self, first: int, last: int) -> NDArray[np.int64]:
        """The seeds of the replicates from `first` to before `last`."""
        # one step of the generator a replicate, so that those before need not be counted through
        bits: Any = _seed_stream(self.seed)
        bits.advance(first)
        raw: NDArray[np.uint64] = bits.random_raw(last - first)
        return (raw >> np.uint64(11)).astype(np.int64)

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, k: int) -> Sample | FitSample: ...
    @overload
    def __getitem__(self, k: slice) -> list[Sample | FitSample]: ...
    def __getitem__(self, k: int | slice) -> Sample | FitSample | list[Sample | FitSample]:
        if isinstance(k, slice):
            return [self[one] for one in range(*k.indices(self.n))]
        number = operator.index(k)
        if not -self.n <= number < self.n:
            raise IndexError(f"replicates are numbered from 0 to {self.n - 1}, found {number}")
        at = number % self.n
        seed = int(self.seeds_of(at, at + 1)[0])
        return self.source.sample(seed)

    def __iter__(self) -> Iterator[Sample | FitSample]:
        return (self[k] for k in range(self.n))

    def __repr__(self) -> str:
        anew = "" if self.redraw == "all" else ", responses alone"
        what, formula = self.source.name, self.source.formula.strip()
        return f"Draws({self.n:,} replicates of {what}, seed {self.seed}{anew}; {formula})"

    @property
    def block_size(self) -> int:
        """How many replicates are drawn and fitted at a time; it depends on the size of one and on nothing else."""
        return int(np.clip(_NUMBERS // max(self.source.rows, 1.0), 1, _MOST))

    def meaning(self) -> tuple[Any, ...]:
        """What two `Draws` share of which one is the beginning of the other, in plain values."""
        return (*self.source.meaning(), self.seed, self.redraw)


def draw(
    source: Population | LinearMixedModel | GeneralizedLinearMixedModel,
    n: int,
    seed: int | np.random.Generator | None = None,
    *,
    redraw: Redraw | None = None,
) -> Draws:
    """Return n `Draws`, of which nothing is drawn yet.

    Parameters
    ----------
    source : a population, or a model fitted by `mixedsim.lmer` or `mixedsim.glmer`. Data from a fit have its rows, and
        responses drawn with its estimates, which are the truth then.
    n : number of replicates, at least 1.
    seed : an integer or a numpy Generator; None takes a new seed, which ``draws.seed`` remembers.
    redraw : ``"all"`` draws every replicate from the beginning, clusters and predictors too (what happens if the whole
        study is repeated); ``"response"`` keeps clusters and predictors of ``population.draw(seed)`` and draws effects
        and residuals anew (what happens to these patients of other therapists like theirs), and what goes wrong with
        the data. None is ``"all"`` for a population and ``"response"`` for a fit, which has only its own predictors.

    Raises
    ------
    MixedsimError
        If the source is neither, n is no number of replicates, or `redraw` is unknown.

    Examples
    --------
    >>> import mixedsim as ms
    >>> clinic = ms.scenarios.therapist_plain(therapists=10, patients=5)
    >>> draws = ms.study.draw(clinic, n=1000, seed=1)
    >>> seed = draws.seeds[17]
    >>> len(draws), draws[17].data.equals(clinic.draw(int(seed)).data)
    (1000, True)
    """
    check_source(source)
    if redraw is not None and redraw not in get_args(Redraw):
        raise MixedsimError(f"redraw must be 'all' or 'response', found {redraw!r}.")
    many, settled = whole(n, "n"), settle_seed(seed)
    if isinstance(source, Population):
        chosen = redraw or "all"
        return Draws(PopulationSource(source, None if chosen == "all" else settled), many, settled, chosen)
    if redraw == "all":
        raise MixedsimError(
            "redraw='all' needs a population: a fitted model has only its own predictors; take "
            "Population.from_fit(fit), or leave redraw out."
        )
    return Draws(fit_source(source), many, settled, "response")


def check_source(source: object) -> None:
    """Raise `MixedsimError` if nothing can be drawn from it."""
    if not isinstance(source, Population | LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(
            "a study draws from a Population or a model fitted by lmer or glmer, found "
            f"{type(source).__name__}{_hint(source)}."
        )


def _hint(source: object) -> str:
    """What may have been meant."""
    if isinstance(source, str):
        return ": it comes before the analyses" if "~" in source else ": read a file with Population.from_yaml"
    if isinstance(source, pd.DataFrame):
        return ": fit a model to the data, and pass the fit"
    return ": pass the population that it was drawn from" if isinstance(source, Sample) else ""


def _seed_stream(seed: int) -> np.random.PCG64:
    sequence = np.random.SeedSequence(seed, spawn_key=(0x73747564,))  # a key that `Streams`, with four words, never has
    return np.random.PCG64(sequence)
