"""Whether a population has what a problem names: columns, clusters, variables to read."""

from __future__ import annotations

from collections.abc import Mapping

from mixedsim.errors import nearest
from mixedsim.simulate.contents import Contents
from mixedsim.simulate.expression import check_kinds, names_in
from mixedsim.simulate.fields import FieldError, Path


def column(name: str, field: Path, contents: Contents, *, numeric: bool) -> None:
    """Raise `FieldError` unless `name` is an observed variable or the response; a number, if it must be one."""
    if name in contents.clusters:
        raise FieldError(field, f"is the cluster {name!r}: name a variable or the response.")
    if name not in contents.observed:
        if name in contents.kinds:
            raise FieldError(field, f"is {name!r}, which is not observed: nothing of it is in the data.")
        raise FieldError(field, f"must be a column of the data, found {name!r}: {nearest(name, contents.observed)}")
    if numeric and contents.kinds[name] is not None:
        raise FieldError(field, f"must be a numeric column; {name} is categorical.")


def cluster(name: str, field: Path, contents: Contents) -> None:
    """Raise `FieldError` unless `name` is a cluster."""
    if name not in contents.clusters:
        raise FieldError(field, f"must be a cluster, found {name!r}: {nearest(name, contents.clusters)}")


def readable(
    expressions: Mapping[str, str], kind: str, contents: Contents, struck: str = "", level: str | None = None
) -> None:
    """Raise `FieldError` unless every expression reads what there is, and what is constant where it must be.

    Parameters
    ----------
    expressions : field → text.
    kind : of the problem.
    struck : what is struck, for the error.
    level : the cluster whose units are struck as a whole; None: rows.
    """
    for field, text in expressions.items():
        path = (kind, field)
        for name in sorted(names_in(text)):
            if name in contents.clusters:
                raise FieldError(path, f"uses the cluster {name!r}: an expression reads variables and the response.")
            if name not in contents.kinds:
                known = nearest(name, contents.kinds)
                raise FieldError(path, f"uses {name!r}, which is no variable of the population: {known}")
            own = contents.levels.get(name)
            if not contents.structure.constant_within(own, level):
                unit = own or "row"
                raise FieldError(
                    path, f"uses {name!r}, which differs from {unit} to {unit}, but {struck} is struck by the {level}."
                )
        check_kinds(text, contents.kinds, path)
