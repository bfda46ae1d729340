"""One thing of a population, or of a fitted model's likeness, changed: a count, a parameter, a field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import cycle, islice
from typing import Any

from mixedsim.errors import PopulationError, nearest
from mixedsim.inference.parameters import parameter_name
from mixedsim.simulate import Population
from mixedsim.simulate.counts import Sizes
from mixedsim.simulate.covariance import covariances


def changed(population: Population, changes: Mapping[str, Any]) -> Population:
    """The population with other values.

    Parameters
    ----------
    changes : by name: a cluster or ``size`` (counts, as in `Population.extend`; where sizes are given one by one, as in
        a population like a fit, other clusters have them in turn); a parameter as `recover` shows it,
        ``depression``, ``sd(Intercept | therapist)``, ``corr(Intercept, Days | Subject)``, ``sigma``; or a field of a
        variable, ``variables.ses.sd``.

    Raises
    ------
    PopulationError
        If there is no such thing, or it cannot have that value.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.study.varying import changed
    >>> small = changed(ms.scenarios.therapist_plain(), {"therapist": 8, "size": 5, "sd(Intercept | therapist)": 3})
    >>> small.clusters, small.size, small.ranef
    ({'therapist': 8}, 5, {'therapist': {'sd': (3.0,)}})
    """
    for name, value in changes.items():
        population = _change(population, name, value)
    return population


def changeable(population: Population) -> list[str]:
    """Everything that `changed` knows by name, fields of variables left out."""
    return [*population.clusters, "size", *population.plan.coefficients, *_places(population), "sigma"]


def _change(population: Population, name: str, value: Any) -> Population:
    if name in population.clusters or name == "size":
        return population.extend(**{name: value}, **_sizes_in_turn(population, name, value))
    if name in population.plan.coefficients:
        return population.with_(fixef={**population.fixef, name: value})
    if name == "sigma":
        return population.with_(sigma=value)
    if name in _places(population):
        return _with_ranef(population, *_places(population)[name], value)
    if name.startswith("variables."):
        return _with_variable(population, name, value)
    raise PopulationError(
        f"the population has nothing called {name!r} that could be varied (a variable's field is written "
        f"variables.name.field): {nearest(name, changeable(population))}"
    )


def _sizes_in_turn(population: Population, name: str, units: Any) -> dict[str, Sizes]:
    """The sizes of a study that took place, one after the other and over again, for another number of its clusters."""
    alone = list(population.clusters) == [name]
    if not alone or not isinstance(population.size, Sizes) or isinstance(units, bool) or not isinstance(units, int):
        return {}
    return {"size": Sizes(tuple(islice(cycle(population.size.values), units)))} if units > 0 else {}


def _places(population: Population) -> dict[str, tuple[str, int, int]]:
    """Standard deviations and correlations by name: group and the two effects (twice the same for an sd)."""
    out = {}
    for group, effects in population.plan.effects.items():
        for i, term in enumerate(effects.names):
            out[parameter_name("sd", group, term)] = (group, i, i)
            for j in range(i):
                if effects.terms[i] == effects.terms[j]:
                    out[parameter_name("corr", group, f"{effects.names[j]}, {term}")] = (group, i, j)
    return out


def _with_ranef(population: Population, group: str, i: int, j: int, value: Any) -> Population:
    known = covariances(population.ranef)[group]
    sd, corr = list(known.sd), [list(row) for row in known.corr]
    if i == j:
        sd[i] = value
    else:
        corr[i][j] = corr[j][i] = value
    kept = {key: what for key, what in population.ranef[group].items() if key == "shape"}
    alone = len(sd) == 1 or all(corr[a][b] == 0 for a in range(len(sd)) for b in range(a))
    entry = {"sd": sd, **({} if alone else {"corr": corr}), **kept}
    return population.with_(ranef={**population.ranef, group: entry})


def _with_variable(population: Population, name: str, value: Any) -> Population:
    found = re.fullmatch(r"variables\.(.+)\.(\w+)", name)
    variable, field = found.groups() if found else (name.removeprefix("variables."), "")
    if variable not in population.variables:
        raise PopulationError(
            f"the population has no variable {variable!r} to vary: {nearest(variable, population.variables)}"
        )
    old = population.variables[variable]
    known = [f.name for f in fields(old) if f.init]  # type: ignore[arg-type]
    if field not in known:
        kind = type(old).__name__
        raise PopulationError(f"{variable} is of the kind {kind}, which has no {field!r}: {nearest(field, known)}")
    new = replace(old, **{field: value})  # type: ignore[type-var]
    return population.with_(variables={**population.variables, variable: new})
