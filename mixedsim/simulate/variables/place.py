"""Where a variable stands: among which clusters, after which other variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixedsim.errors import nearest
from mixedsim.simulate.expression import check_kinds, names_in
from mixedsim.simulate.fields import FieldError, Path

if TYPE_CHECKING:
    from mixedsim.simulate.structure import Structure
    from mixedsim.simulate.variables.variable import Variable


@dataclass(frozen=True, eq=False)
class Place:
    """What a variable must fit. Every check raises a `FieldError` for the field of the variable that does not.

    Attributes
    ----------
    name : of the variable.
    structure : the clusters.
    variables : all variables of the population, this one and later ones too.
    levels : of the variables before this one.
    """

    name: str
    structure: Structure
    variables: Mapping[str, Variable]
    levels: Mapping[str, str | None]

    def check_cluster(self, field: str, cluster: str | None) -> None:
        """Raise unless `cluster` is one, or None."""
        if cluster is not None and cluster not in self.structure.names:
            known = nearest(cluster, self.structure.names)
            raise FieldError(_field(field), f"must be a cluster, found {cluster!r}: {known}")

    def check_around(self, field: str, cluster: str, level: str | None) -> None:
        """Raise unless every unit of `level` lies in one of the several units of `cluster` that hold it."""
        self.check_cluster(field, cluster)
        if cluster == level or not self.structure.constant_within(cluster, level):
            units = "rows" if level is None else f"units of {level}"
            raise FieldError(_field(field), f"is {cluster!r}, but no {cluster} holds several {units}.")

    def check_read(self, field: str, texts: Iterable[str], level: str | None) -> None:
        """Raise unless canonical expressions read earlier variables that are constant in every unit of `level`."""
        for text in texts:
            names = sorted(names_in(text))
            for other in names:
                self.check_earlier(field, other)
                self.check_constant(field, other, level)
            check_kinds(text, self._kinds(), _field(field))

    def check_earlier(self, field: str, other: str) -> None:
        """Raise unless `other` is a variable before this one."""
        if other in self.levels:
            return
        if other == self.name:
            raise FieldError(_field(field), f"uses {other!r} itself.")
        if other in self.variables:
            raise FieldError(_field(field), f"uses {other!r}, which comes later: move {other} before {self.name}.")
        if other in self.structure.names:
            raise FieldError(_field(field), f"uses the cluster {other!r}, which is no variable.")
        known = nearest(other, self.levels) if self.levels else "there is none before it."
        raise FieldError(_field(field), f"uses {other!r}, which is not an earlier variable: {known}")

    def check_constant(self, field: str, other: str, level: str | None) -> None:
        """Raise unless an earlier variable is constant in every unit of `level`."""
        own = self.levels[other]
        if not self.structure.constant_within(own, level):
            unit = own or "row"
            problem = f"uses {other!r}, which differs from {unit} to {unit}, but {self.name} has one value a {level}."
            raise FieldError(_field(field), problem)

    def check_numeric(self, field: str, other: str) -> None:
        """Raise if an earlier variable is categorical."""
        if self.variables[other].categories() is not None:
            raise FieldError(_field(field), f"must be a numeric variable; {other} is categorical.")

    def check_varies(self, field: str, other: str, cluster: str, then: str) -> None:
        """Raise if an earlier variable is constant in every unit of `cluster`; `then` says what that would mean."""
        if self.structure.constant_within(self.levels[other], cluster):
            raise FieldError(_field(field), f"is {other!r}, which is constant in every {cluster} already: {then}.")

    def check_expression(self, field: str, text: str) -> None:
        """Raise unless a canonical expression reads earlier variables, and compares text with text."""
        for other in sorted(names_in(text)):
            self.check_earlier(field, other)
        check_kinds(text, self._kinds(), _field(field))

    def finest(self, levels: Iterable[str | None]) -> str | None:
        """The coarsest level at which everything that lives at one of these levels is constant; None for rows."""
        levels = list(levels)
        fits = (one for one in levels if all(self.structure.constant_within(other, one) for other in levels))
        return next(fits, None)

    def _kinds(self) -> dict[str, tuple[str, ...] | None]:
        return {name: self.variables[name].categories() for name in self.levels}


def _field(name: str) -> Path:
    """A path whose head is replaced by the variable's own address, once the error reaches who knows it."""
    return ("variable", name)
