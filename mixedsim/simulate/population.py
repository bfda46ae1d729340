"""A population: everything that must be said before data can arise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from mixedsim.errors import FormulaError, PopulationError, nearest
from mixedsim.formula import parse
from mixedsim.simulate import equations, specification
from mixedsim.simulate.counts import Count, count
from mixedsim.simulate.fields import FieldError, identifier, number, shown
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.plan import Plan, make_plan, settled_fixef, settled_ranef
from mixedsim.simulate.sample import Sample, draw
from mixedsim.simulate.streams import settle_seed
from mixedsim.simulate.structure import clusters_of, structure_of
from mixedsim.simulate.variables import Integers, Variable, variable_from


@dataclass(frozen=True, eq=False)
class Population:
    """A description of how clustered data arise; `draw` makes data from it.

    A population never changes (`with_` gives another one), equals every population that means the same, prints as
    its equations, and can be written as a YAML file.

    Parameters
    ----------
    formula : how the response arises, in lme4's grammar: ``"y ~ x + (1 + x | group)"``. Categorical variables,
        interactions and functions are formulaic's.
    clusters : the grouping factors and how many of each: ``{"therapist": 100}``. Nested, with a number in each unit
        of the parent: ``{"school": 20, "class": {"in": "school", "n": 4}}``. Two that are not nested are crossed:
        ``{"subject": 30, "item": 12}``.
    size : rows in each cluster (in each innermost one; in each combination of crossed ones): a whole number, a pair
        ``(low, high)``, or `Normal`, `Uniform` or `Integers`, rounded and at least 1.
    variables : name → `Normal`, `Uniform`, `Integers`, `Bernoulli`, `Categorical` or `ClusterMean`. A variable may read
        those before it.
    fixef : one number a coefficient, under the name that formulaic gives it: ``Intercept``, ``x``, ``x:z``,
        ``arm[T.new]``.
    ranef : for every grouping factor ``{"sd": [2.5, 2], "corr": 0.3}``: standard deviations in the order of the formula
        (or by name), and their correlation: one number for two effects, a matrix for more, nothing for none.
    sigma : standard deviation of the residuals.
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

    formula: str
    clusters: Mapping[str, Any] = field(kw_only=True)
    size: Count | Integers = field(kw_only=True)
    variables: Mapping[str, Variable] = field(default_factory=dict, kw_only=True)
    fixef: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    ranef: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, kw_only=True)
    sigma: float = field(kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    plan: Plan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.formula, str):
            raise FieldError(("formula",), f"must be text such as 'y ~ x + (1 | g)', found {shown(self.formula)}.")
        formula = parse(self.formula)
        clusters = clusters_of(self.clusters)
        size = count(self.size, ("size",))
        variables = _settled_variables(self.variables, tuple(clusters))
        compiled = make_plan(structure_of(clusters, size), variables, formula)
        settled = {
            "clusters": clusters,
            "size": size,
            "variables": variables,
            "plan": compiled,
            "fixef": settled_fixef(self.fixef, compiled.coefficients),
            "ranef": settled_ranef(self.ranef, compiled.effects),
            "sigma": number(self.sigma, ("sigma",), low=0),
        }
        if self.name is not None and not isinstance(self.name, str):
            raise FieldError(("name",), f"must be text, found {shown(self.name)}.")
        for key, value in settled.items():
            object.__setattr__(self, key, value)

    def _meaning(self) -> tuple[object, ...]:
        """What two equal populations share.

        Columns stand for the formula, so that ``y ~ x`` equals ``y ~ 1 + x``; clusters and variables are in order,
        because that is the order of the columns of the data.
        """
        plan = self.plan
        return (
            plan.formula.response,
            tuple(self.clusters.items()),
            self.size,
            tuple(self.variables.items()),
            self.fixef,
            tuple((term.group, term.factors, term.names) for term in plan.terms),
            self.ranef,
            self.sigma,
        )

    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Population) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._meaning())

    def __str__(self) -> str:
        return equations.as_text(self)

    def _repr_html_(self) -> str:
        return equations.as_html(self)

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
        for key in changes:
            if key not in old:
                raise PopulationError(f"a population has no field {key!r}: {nearest(key, old)}")
        return Population(**{**old, **changes})

    def draw(self, seed: int | np.random.Generator | None = None) -> Sample:
        """A `Sample` of this population: its data and its truth.

        Parameters
        ----------
        seed : an integer gives the same data every time and everywhere. A `numpy.random.Generator` gives a seed and
            moves on. None takes a new seed, which ``sample.truth.seed`` remembers.

        Raises
        ------
        PopulationError
            If the seed is none of these, or an expression leaves its bounds in this draw (a probability above 1).
        """
        return draw(self, settle_seed(seed))

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


def _settled_variables(given: Any, clusters: tuple[str, ...]) -> Frozen[str, Variable]:
    if not isinstance(given, Mapping):
        raise FieldError(("variables",), f"must be a mapping from names to variables, found {shown(given)}.")
    settled = {}
    for key, value in given.items():
        path = ("variables", str(key))
        variable = variable_from(value, path)
        try:
            settled[identifier(key, path)] = variable.placed(clusters)
        except FieldError as error:
            raise error.under(*path) if error.field != path else error from None
    return Frozen(settled)
