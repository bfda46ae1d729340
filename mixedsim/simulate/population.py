"""A population: everything that must be said before data can arise."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import FormulaError, PopulationError, nearest
from mixedsim.simulate import specification, streaming
from mixedsim.simulate.about import Kept
from mixedsim.simulate.clusters import extended
from mixedsim.simulate.counts import Count
from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import ABSENT, FieldError
from mixedsim.simulate.fingerprint import fingerprint
from mixedsim.simulate.lesson import Lesson, drawn
from mixedsim.simulate.papers import Papers
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.problems import Problem
from mixedsim.simulate.rseed import RSeed
from mixedsim.simulate.sample import Sample, draw
from mixedsim.simulate.settled import settled_fields
from mixedsim.simulate.streams import settle_seed
from mixedsim.simulate.variables import Integers, Variable


@dataclass(frozen=True, eq=False)
class Population(Papers):
    """A description of how clustered data arise; `draw` makes data from it.

    A population never changes (`with_` gives another one), equals every population that means the same, prints as
    its equations, and can be written as a YAML file. `codebook`, `dag` and `answer_key` are its papers for a course.

    Parameters
    ----------
    formula : how the response arises, in lme4's grammar: ``"y ~ x + (1 + x | group)"``. Categorical variables,
        interactions and functions are formulaic's.
    clusters : the grouping factors and how many of each: ``{"therapist": 100}``. Nested, with a number in each unit
        of the parent: ``{"school": 20, "class": {"in": "school", "n": 4}}``. Two that are not nested are crossed, in
        each unit of the parent if they have one in common: ``{"subject": 30, "item": 12}``; partly, with
        ``"item": {"n": 40, "sample": 10}`` (see `mixedsim.simulate.structure`).
    size : rows in each cluster (in each innermost one; in each combination of crossed ones): a whole number, a pair
        ``(low, high)``, a distribution such as `Normal` or `Poisson`, rounded and at least 1, or `Sizes`.
    variables : name → variable: drawn (`Normal`, `LogNormal`, `Uniform`, `Integers`, `Bernoulli`, `Binomial`,
        `Poisson`, `Categorical`, `Beta`, `StudentT`), `Assigned` by the designer, computed (`Derived`, `ClusterMean`,
        `Within`, `Centered`, `Lag`) or `Custom`; ``"x, z"`` → `Correlated`. A variable may read those before it.
    fixef : one number a coefficient, under the name that formulaic gives it: ``Intercept``, ``x``, ``x:z``,
        ``arm[T.new]``.
    ranef : for every grouping factor ``{"sd": [2.5, 2], "corr": 0.3}``: standard deviations in the order of the formula
        (or by name), and their correlation: one number for two effects, a matrix for more, nothing for none; or
        ``{"cov": matrix}``. Beside them ``"shape"``: ``normal``, ``{"kind": "t", "df": 4}``, ``skewed`` or ``bimodal``
        (see `mixedsim.simulate.shapes`).
    sigma : standard deviation of the residuals: a number, or an expression in variables, ``"2 + 0.5 * age"``. Only
        gaussian outcomes have one.
    residual : what else is to be said of residuals: ``{"shape": …, "ar1": 0.5, "by": "subject"}``, a shape as above,
        the correlation of a row's residual with the one before, and whose rows follow each other (the innermost
        cluster's if left out); or ``{"exact": ["x"], "by": "subject"}``, which leaves their moments not to chance.
    family : the kind of outcome: ``gaussian``, ``binomial`` (yes or no; ``passed / tried ~ …`` counts successes),
        ``poisson``, ``negative-binomial``, ``gamma`` or ``ordinal``; with its link, ``("binomial", "probit")``; with
        parameters, ``{"kind": "ordinal", "thresholds": [-1, 1], "labels": ["no", "perhaps", "yes"]}`` (see
        `mixedsim.simulate.families`).
    problems : what goes wrong before the data are a file, one after the other: `Missing`, `Dropout`,
        `MeasurementError`, `Outliers`, `Rounded`, `Limits`, `Shifted`, `Duplicated`, `Miscoded`.
    lesson : what a sample must show to teach what it is for, ``"pooled(x) < 0 < within(x)"`` (see
        `mixedsim.simulate.lesson`), or a function that says of a `Sample` whether it does; only
        ``draw(seed, lesson=True)`` minds it.
    about : what columns mean, in words and with units, for codebooks: ``{"load": "heaviest press, in kg"}``; any of
        clusters, variables and response. Like `name` no part of the meaning.
    name : what to call it; no part of its meaning, so populations of different names can be equal.

    Attributes
    ----------
    plan : what the fields mean together: structure, names of the coefficients, effects that vary; made from them.

    Raises
    ------
    PopulationError
        One sentence that names the field: ``ranef.therapist.corr must be 2×2: the term (1 + x | therapist) has 2
        effects, found 3×3.``
    FormulaError
        If the formula cannot be read.

    Examples
    --------
    >>> import mixedsim as ms
    >>> clinic = ms.Population(
    ...     "anxiety ~ depression + (1 | therapist)",
    ...     clusters={"therapist": 3},
    ...     size=2,
    ...     variables={"depression": ms.Normal(5, 2)},
    ...     fixef={"Intercept": 45, "depression": 3},
    ...     ranef={"therapist": {"sd": [1]}},
    ...     sigma=8,
    ... )
    >>> clinic.draw(seed=1).data.round(2)
      therapist  depression  anxiety
    0         1        8.48    67.68
    1         1        3.79    54.68
    2         2        6.95    75.84
    3         2        3.22    64.29
    4         3        3.70    47.58
    5         3        8.19    50.03
    """

    formula: str = ABSENT
    clusters: Mapping[str, Any] = field(default=ABSENT, kw_only=True)
    size: Count | Integers = field(default=ABSENT, kw_only=True)
    variables: Mapping[str, Variable] = field(default_factory=dict, kw_only=True)
    fixef: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    ranef: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, kw_only=True)
    sigma: Parameter | None = field(default=None, kw_only=True)
    residual: Mapping[str, Any] | None = field(default=None, kw_only=True)
    family: str | tuple[str, str] | Mapping[str, Any] = field(default="gaussian", kw_only=True)
    problems: Sequence[Problem] = field(default=(), kw_only=True)
    lesson: Lesson = field(default=None, kw_only=True)
    about: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    plan: Plan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for key, value in settled_fields(self).items():
            object.__setattr__(self, key, value)

    def _meaning(self) -> tuple[object, ...]:
        """What two equal populations share.

        Columns stand for the formula, so that ``y ~ x`` equals ``y ~ 1 + x``, and ``y ~ x + z`` ``y ~ z + x`` (although
        sums in another order may differ in the last digit); clusters and variables are in order, because that is the
        order of the columns of the data.
        """
        plan = self.plan
        return (
            plan.response,
            tuple(self.clusters.items()),
            self.size,
            tuple(self.variables.items()),
            self.fixef,
            tuple((term.group, term.factors, term.names) for term in plan.terms),
            self.ranef,
            self.sigma,
            self.residual,
            self.family,
            self.problems,
            self.lesson,
        )

    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Population) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._meaning())

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that two populations share exactly if they mean the same, in every process.

        A population that holds a function (`Custom`, a lesson) has none: `PopulationError`.
        """
        return fingerprint(self._meaning())

    def with_(self, **changes: Any) -> Population:
        """The same population with some fields replaced; a field is replaced as a whole.

        Raises
        ------
        PopulationError
            If there is no such field, or the new population contradicts itself.

        Examples
        --------
        >>> import mixedsim as ms
        >>> clinic = ms.scenarios.therapist_plain()
        >>> without_clusters = clinic.with_(ranef={"therapist": {"sd": [0]}})
        >>> steeper = clinic.with_(fixef={**clinic.fixef, "depression": 5})
        """
        old = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        old["about"] = Kept(self.about)
        for key in changes:
            if key not in old:
                raise PopulationError(f"a population has no field {key!r}: {nearest(key, old)}")
        return Population(**{**old, **changes})

    def extend(self, **counts: Any) -> Population:
        """The same population with other counts: more therapists, more patients each.

        Every cluster has its own random numbers, so units that were there already keep their values and their random
        effects under the same seed, as long as nothing around them changes; only what is `Assigned` with
        ``shuffle=True`` is shuffled anew. If it is the units of the first cluster that become more, their rows stay the
        same too, and new ones follow.

        Parameters
        ----------
        counts : number of units by the name of the cluster (in each unit of its parent, if it is nested), and
            ``size`` for the rows: all that the fields `clusters` and `size` allow.

        Raises
        ------
        PopulationError
            If there is no such cluster, or a count is none.

        Examples
        --------
        >>> import mixedsim as ms
        >>> clinic = ms.scenarios.therapist_plain()
        >>> large = clinic.extend(therapist=200)
        >>> large.draw(seed=1).data["anxiety"][:5000].equals(clinic.draw(seed=1).data["anxiety"])
        True
        """
        clusters, size = extended(self.clusters, self.size, counts)
        return self.with_(clusters=clusters, size=size)

    def draw(self, seed: int | np.random.Generator | RSeed | None = None, *, lesson: bool = False) -> Sample:
        """A `Sample` of this population: its data and its truth.

        Parameters
        ----------
        seed : an integer gives the same data every time and everywhere. A `numpy.random.Generator` gives a seed and
            moves on. None takes a new seed, which ``sample.truth.seed`` remembers. `RSeed` gives the numbers of R.
        lesson : True walks on from the seed until the sample shows the population's lesson; ``sample.truth.skipped``
            says how many did not, and ``sample.truth.seed`` is the seed of the one that does.

        Raises
        ------
        PopulationError
            If the seed is none of these, or an expression leaves its bounds in this draw (a probability above 1); if
            there is no lesson, or so few samples show it that it would be picking and not drawing: fewer than 5 of 100.
        """
        return drawn(self, seed if isinstance(seed, RSeed) else settle_seed(seed), draw, lesson=lesson)

    def draw_chunks(
        self, seed: int | np.random.Generator | None = None, rows: float | None = None, chunk: int = 1_000_000
    ) -> Iterator[pd.DataFrame]:
        """Data of any length, a frame of about `chunk` rows at a time; one below the other they are one data set.

        It is another data set than ``draw(seed)`` gives, of the same population, and the same for every `chunk`. A
        unit of the first cluster lies in one frame with all its rows. Clusters are whole numbers here, since a list
        of categories would grow with the data.

        Parameters
        ----------
        seed : as in `draw`.
        rows : about how many rows in all, reached by more or fewer units of the first cluster; None for as many units
            as the population has.
        chunk : about how many rows to hold at a time; at least one block of `streaming.BLOCK_ROWS` is held.

        Raises
        ------
        PopulationError
            If something in the population needs all rows at once (`Sizes`, ``center(x)`` in the formula, the mean of
            a variable in each unit of another than the first cluster).

        Examples
        --------
        >>> import mixedsim as ms
        >>> clinic = ms.scenarios.therapist_plain()
        >>> total = sum(chunk["anxiety"].sum() for chunk in clinic.draw_chunks(seed=1, rows=3e6))
        >>> round(float(total) / 3e6, 2)
        65.0
        """
        return streaming.chunks(self, settle_seed(seed), rows, chunk)

    def to_yaml(self, path: str | os.PathLike[str] | None = None) -> str:
        """The population as YAML text, also written to the file `path` if one is given.

        `from_yaml` makes the same population of it.
        """
        text = specification.written(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_yaml(cls, source: str | os.PathLike[str]) -> Population:
        """The population that a YAML file, or YAML text, describes.

        Parameters
        ----------
        source : path of a file; or the text itself, if it has more than one line.

        Raises
        ------
        PopulationError
            With field and line: ``spec.yml, line 7: variables.depression.sd must not be negative, found -2.``
        """
        text, where = specification.text_of(source)
        given, lines = specification.read(text, where, tuple(f for f in fields(cls) if f.init))
        try:
            return cls(**given)
        except FieldError as error:
            raise PopulationError(f"{lines.of(error.field)}: {error}") from None
        except FormulaError as error:
            raise FormulaError(f"{lines.of(('formula',))}: {error}") from None

    @classmethod
    def from_fit(cls, fit: Any) -> Population:
        """A population that behaves like a fitted mixed model: "a dataset like yours, but synthetic".

        Formula, coefficients, sds, correlations and sigma, or the family, are those of `fit` (from `mixedsim.lmer` or
        `mixedsim.glmer`), and so are the clusters and their sizes. Each predictor is imitated by itself, at its own
        level: given out by design where it is the same in every unit, with its shares where it has few values, else
        normal or lognormal with a part for every cluster. Not imitated are the ways in which predictors go together or
        with sizes of groups, shares that differ between clusters, any other shape, and all that the model leaves out;
        see `mixedsim.study.like`.

        Raises
        ------
        PopulationError
            If no population has such clusters or such a formula (a transformed response, a column that both explains
            and groups), or the model has weights, or an offset that is no logarithm of an exposure.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> like = ms.Population.from_fit(fit)
        >>> like.clusters, like.size, like.variables["Days"].within, like.draw(seed=1).data.shape
        ({'Subject': 18}, 10, 'Subject', (180, 3))
        """
        # what a fit is, is known on a later floor, which is entered by those who have one
        like: Population = import_module("mixedsim.study.like").population_like(fit)
        return like
