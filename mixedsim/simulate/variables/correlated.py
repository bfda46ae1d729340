"""Several variables that are drawn together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.covariance import Matrix
from mixedsim.simulate.expression import Parameter, Values
from mixedsim.simulate.fields import FieldError, Path, shown
from mixedsim.simulate.variables.correlation import (
    Correlation,
    checked_correlation,
    checked_shares,
    correlated_normals,
    matrix_of,
)
from mixedsim.simulate.variables.kinds import variable_from
from mixedsim.simulate.variables.normal import Normal
from mixedsim.simulate.variables.place import Place
from mixedsim.simulate.variables.variable import Drawn, Site, Variable, addressed

if TYPE_CHECKING:
    from mixedsim.simulate.structure import Structure

_TOGETHER = ("within", "between", "icc")


@dataclass(frozen=True)
class Correlated:
    """Variables with given correlations, under one key that names them all: ``"x, z"`` or ``("x", "z")``.

    Each keeps the distribution that it has alone (a Gaussian copula; Nelsen 2006, An Introduction to
    Copulas). Standard normal scores
    z_1, …, z_q are drawn with the correlation matrix R, and variable k is the quantile of its own distribution at
    Φ(z_k). Between two `Normal` variables the correlation is R's exactly. For other distributions R is the correlation
    of their normal scores: the ranks of two continuous variables correlate 6/π · arcsin(r / 2) (Kruskal 1958), their
    values a little less than r, and two yes-or-no variables much less (two fair coins 2/π · arcsin r, 0.33 for
    r = 0.5). Levels of a `Categorical` count as ordered here. Parameters that are expressions are met first: then R
    describes what they leave over.

    With ``within``, ``between`` and ``icc`` every score is z_k = √ρ_k · b_k + √(1 − ρ_k) · w_k, where b is drawn once
    for each unit of the cluster `by` with correlations ``between``, w for every row with correlations ``within``, and
    ρ_k is the intraclass correlation. So the distribution of each variable stays what it was, its sd included, and the
    correlation over all rows is √(ρ_k ρ_l) · between + √((1 − ρ_k)(1 − ρ_l)) · within: the two may have opposite signs.

    In a population each of them is a variable with a name of its own, ``population.variables["x"]``, on which all else
    can build. One of them cannot be replaced alone; ``{**population.variables, "x, z": Correlated(…)}`` replaces all.

    Parameters
    ----------
    members : at least two distributions (`Normal`, `LogNormal`, …) of one level, in the order of the names.
    corr : one number for every pair, or a matrix.
    within, between : in place of ``corr``, the correlations inside the units of a cluster and of these units; likewise.
    by : that cluster, which holds several units of the members' level; may be left out where there is only one.
    icc : which part of the variance (of the scores) lies between its units, from 0 to 1: one number, or one a member.

    Raises
    ------
    PopulationError
        If a member is no distribution, levels differ, or no variables can be correlated like this.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Correlated([ms.Normal(0, 1), ms.LogNormal(0, 0.5)], corr=0.4).corr
    0.4
    >>> school = ms.Population(
    ...     "score ~ ses + motivation + (1 | school)",
    ...     clusters={"school": 400},
    ...     size=25,
    ...     variables={
    ...         "ses, motivation": ms.Correlated(
    ...             [ms.Normal(0, 1), ms.Normal(50, 10)], within=0.4, between=-0.3, by="school", icc=[0.3, 0.1]
    ...         )
    ...     },
    ...     fixef={"Intercept": 500, "ses": 20, "motivation": 1},
    ...     ranef={"school": {"sd": 10}},
    ...     sigma=80,
    ... )
    >>> data = school.draw(seed=1).data
    >>> data[["ses", "motivation"]].std().round(1).tolist()
    [1.0, 10.0]
    >>> means = data.groupby("school", observed=True)[["ses", "motivation"]].mean()
    >>> float(round(means["ses"].corr(means["motivation"]), 1))
    -0.2
    """

    members: Sequence[Drawn]
    corr: Correlation | None = None
    within: Correlation | None = None
    between: Correlation | None = None
    by: str | None = None
    icc: float | tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        members = _checked_members(self.members)
        q = len(members)
        self._check_manner()
        if self.by is not None and not isinstance(self.by, str):
            raise FieldError(("Correlated", "by"), f"must be the name of a cluster, found {shown(self.by)}.")
        settled: dict[str, Any] = {"members": members}
        for field in ("corr", "within", "between"):
            if (given := getattr(self, field)) is not None:
                settled[field] = checked_correlation(given, q, ("Correlated", field))
        if self.icc is not None:
            settled["icc"] = checked_shares(self.icc, q, ("Correlated", "icc"))
        for field, value in settled.items():
            object.__setattr__(self, field, value)

    def placed(self, structure: Structure) -> Correlated:
        """The same with its cluster named: the only one there is, if nothing else was said."""
        if self.icc is None or self.by is not None:
            return self
        if len(structure.names) > 1:
            raise FieldError(("Correlated", "by"), f"must be given: which of {', '.join(structure.names)}?")
        return replace(self, by=structure.names[0])

    def matrix(self, field: str) -> Matrix:
        """The correlation matrix that ``corr``, ``within`` or ``between`` stands for, q × q."""
        return matrix_of(getattr(self, field), len(self.members))

    def member(self, names: tuple[str, ...], position: int) -> Member:
        """One of the variables, given the names of all; this is how a population stores them."""
        return Member(self, names, position)

    def iccs(self) -> tuple[float, ...]:
        """The intraclass correlation of every member."""
        assert self.icc is not None
        return self.icc if isinstance(self.icc, tuple) else (self.icc,) * len(self.members)

    def _check_manner(self) -> None:
        """Raise unless there is ``corr``, or all of ``within``, ``between`` and ``icc``."""
        given = [field for field in (*_TOGETHER, "by") if getattr(self, field) is not None]
        if self.corr is not None and given:
            problem = "cannot stand beside corr: give either corr, or within, between and icc."
            raise FieldError(("Correlated", given[0]), problem)
        if self.corr is None and not given:
            raise FieldError(("Correlated", "corr"), "is missing: one number for every pair, or a matrix.")
        for field in _TOGETHER:
            if self.corr is None and getattr(self, field) is None:
                raise FieldError(("Correlated", field), "is missing: within, between and icc belong together.")


@dataclass(frozen=True)
class Member(Variable):
    """A variable of a `Correlated` block; it knows the others, and is drawn with them.

    Attributes
    ----------
    block : what was specified, under the key that joins the names.
    names : of all members.
    position : which of them it is.
    """

    block: Correlated
    names: tuple[str, ...]
    position: int

    @property
    def key(self) -> str:
        """What the block is called: ``"x, z"``."""
        return ", ".join(self.names)

    @property
    def marginal(self) -> Drawn:
        """The distribution that it has alone."""
        return self.block.members[self.position]

    @property
    def observed(self) -> bool:  # type: ignore[override]
        """Whether it is in the data."""
        return self.marginal.observed

    @property
    def level(self) -> str | None:
        """The cluster that shares one value; None for one value a row."""
        return self.marginal.level

    def siblings(self) -> dict[str, Member]:
        """All members by name, this one too."""
        return {name: replace(self, position=i) for i, name in enumerate(self.names)}

    def categories(self) -> tuple[str, ...] | None:
        return self.marginal.categories()

    def reads(self) -> Mapping[str, frozenset[str]]:
        return self.marginal.reads()

    def placed(self, structure: Structure) -> Member:
        return replace(self, block=self.block.placed(structure))

    def address(self, name: str) -> Path:
        return ("variables", self.key, "members", str(self.position + 1))

    def level_in(self, place: Place) -> str | None:
        if self.block.by is not None:
            with addressed("variables", self.key):
                place.check_around("by", self.block.by, self.level)
        for field, names in self.reads().items():
            for other in sorted(names & set(self.names) - {place.name}):
                raise FieldError(("Member", field), f"uses {other!r}, which is drawn together with {place.name}.")
        return self.marginal.level_in(place)

    def make(self, site: Site) -> Values:
        return self.make_all(site)[site.name]

    def make_all(self, site: Site) -> dict[str, Values]:
        made = {}
        for name, member, scores in zip(self.names, self.block.members, _scores(self, site), strict=True):
            given = member.given(name, site.read)
            with addressed("variables", name):
                made[name] = member.at_scores(scores, given)
        return made

    def support(self) -> str:
        return self.marginal.support()

    def equation(self, write: Callable[[Parameter], str]) -> tuple[str, str]:
        return self.marginal.equation(write)

    def further_equations(self, write: Callable[[Parameter], str]) -> list[tuple[str, str]]:
        """With the last member: how all are correlated, in one line where one number says it, else pair by pair."""
        q, block = len(self.names), self.block
        if self.position < q - 1:
            return []
        written = [write(name) for name in self.names]
        of = "" if all(isinstance(member, Normal) for member in block.members) else " (of normal scores)"
        one_number = not any(isinstance(given, tuple) for given in (block.corr, block.within, block.between))
        groups = [range(q)] if one_number else [(i, j) for j in range(q) for i in range(j)]
        lines = []
        if block.icc is not None:
            each = [range(q)] if isinstance(block.icc, float) else [(i,) for i in range(q)]
            lines = [(_of("ICC", written, at), f"{write(block.iccs()[at[0]])} by {block.by}") for at in each]
        for at in groups:
            lines.append((_of("corr", written, at), self._correlation(at[0], at[-1], write) + of))
        return lines

    def _correlation(self, i: int, j: int, write: Callable[[Parameter], str]) -> str:
        if self.block.icc is None:
            return write(self.block.matrix("corr")[i][j])
        within, between = (write(self.block.matrix(field)[i][j]) for field in ("within", "between"))
        return f"{within} in each {self.block.by}, {between} between them"

    def __repr__(self) -> str:
        return f"{self.block!r}.member({self.names!r}, {self.position})"


def _of(what: str, written: Sequence[str], at: Sequence[int]) -> str:
    return f"{what}({', '.join(written[i] for i in at)})"


def _scores(member: Member, site: Site) -> NDArray[np.float64]:
    """Standard normal scores of all members, one row each: q × the units of their level.

    Every member has its own random numbers, so that one member more leaves those before it as they were.
    """
    block = member.block
    own = [site.generator("variables", name) for name in member.names]
    if block.icc is None:
        return correlated_normals(block.matrix("corr"), own, site.size)
    assert block.by is not None
    shared = [site.generator("variables", name, "between") for name in member.names]
    scores = correlated_normals(block.matrix("within"), own, site.size)
    between = correlated_normals(block.matrix("between"), shared, site.size_of(block.by))
    for inside, above, icc in zip(scores, between, block.iccs(), strict=True):
        inside *= np.sqrt(1 - icc)
        inside += site.spread(np.sqrt(icc) * above, block.by)
    return scores


def _checked_members(given: Any) -> tuple[Drawn, ...]:
    path = ("Correlated", "members")
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence) or len(given) < 2:
        raise FieldError(path, f"must be a list of at least two distributions, found {shown(given)}.")
    members: list[Drawn] = []
    for position, one in enumerate(given, start=1):  # as people count, and YAML's lines do
        member = variable_from(one, (*path, str(position)))
        if not isinstance(member, Drawn):
            problem = f"must be a distribution such as Normal(5, 2), found {type(member).__name__}."
            raise FieldError((*path, str(position)), problem)
        if member.level != members[0].level if members else False:
            other, first = (f"one value a {one.level or 'row'}" for one in (member, members[0]))
            problem = f"has {other}, the first has {first}: variables drawn together live at one level."
            raise FieldError((*path, str(position)), problem)
        members.append(member)
    return tuple(members)
