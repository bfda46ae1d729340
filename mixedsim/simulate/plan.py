"""Everything about a population that can be known before a number is drawn.

Here the fields are held against each other: does every variable read only earlier ones that are constant where it
needs them to be, does the formula use only variables that exist, do the coefficients have the names that the formula
gives them. Those names are read off a handful of rows drawn for the purpose, so they are formulaic's own.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mixedsim.columns import model_columns
from mixedsim.errors import DataError, nearest
from mixedsim.formula import Formula
from mixedsim.simulate.covariance import Effects, settle
from mixedsim.simulate.expression import Values
from mixedsim.simulate.fields import FieldError, number, shown
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.layout import lay_out
from mixedsim.simulate.making import make_variables, to_rows
from mixedsim.simulate.response import Response, check_trials
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Structure
from mixedsim.simulate.variables import Variable, levels_of


@dataclass(frozen=True)
class Varying:
    """One random term: ``names`` of its effects, which are columns ``first``, … of its group's effects."""

    group: str
    factors: tuple[str, ...]
    rhs: str
    names: tuple[str, ...]
    first: int


@dataclass(frozen=True)
class Plan:
    """What drawing needs, in the order in which it is needed.

    Attributes
    ----------
    structure : the clusters.
    variables, levels : every variable, and the cluster (None: row) at which it lives.
    formula : response, fixed part and random terms.
    response : the outcome's column, and its trials if it counts successes.
    coefficients : names of the fixed effects, formulaic's.
    terms : the random terms, with the names of their effects.
    effects : for every grouping factor, what varies by it.
    """

    structure: Structure
    variables: Mapping[str, Variable]
    levels: Mapping[str, str | None]
    formula: Formula
    response: Response
    coefficients: tuple[str, ...]
    terms: tuple[Varying, ...]
    effects: Mapping[str, Effects]


def make_plan(structure: Structure, variables: Mapping[str, Variable], formula: Formula, response: Response) -> Plan:
    """The `Plan` of a population, or `FieldError` if its fields contradict each other."""
    _check_names(structure, variables, formula, response)
    check_trials(response, variables, (*structure.names, *variables, response.name))
    levels = levels_of(structure, variables)
    # C(time) has a coefficient for every value that a number has, and a handful of rows may lack some.
    small = lay_out(structure.thinned() if "C(" in formula.text else structure.small(), Streams(0))
    made = make_variables(variables, levels, small, Streams(0))
    rows = {name: to_rows(values, levels[name], small) for name, values in made.items()}
    coefficients = _columns_named(formula.fixed, rows)
    terms: list[Varying] = []
    effects: dict[str, Effects] = {}
    for index, term in enumerate(formula.terms):
        names = _columns_named(term.effects, rows)
        before = effects.get(term.group, Effects(term.group, (), (), ()))
        for name in names:
            if name in before.names:
                raise FieldError(("formula",), f"lets {name} vary by {term.group} twice, again in {term.text}.")
        terms.append(Varying(term.group, term.factors, term.effects, names, len(before.names)))
        effects[term.group] = Effects(
            group=term.group,
            names=before.names + names,
            terms=before.terms + (index,) * len(names),
            written=(*before.written, term.text),
        )
    return Plan(
        structure, Frozen(variables), Frozen(levels), formula, response, coefficients, tuple(terms), Frozen(effects)
    )


def settled_fixef(given: Any, coefficients: tuple[str, ...]) -> Frozen[str, float]:
    """The `fixef` field in the order of the formula, or `FieldError` with the names that are expected."""
    if not isinstance(given, Mapping):
        raise FieldError(("fixef",), f"must hold one number a coefficient, found {shown(given)}.")
    expected = ", ".join(coefficients) or "none"
    for key in given:
        if key not in coefficients:
            raise FieldError(("fixef", str(key)), f"is no coefficient of the formula; expected are {expected}.")
    for key in coefficients:
        if key not in given:
            raise FieldError(("fixef", key), f"is missing; expected are {expected}.")
    return Frozen({key: number(given[key], ("fixef", key)) for key in coefficients})


def settled_ranef(given: Any, effects: Mapping[str, Effects]) -> Frozen[str, Any]:
    """The `ranef` field in the order of the formula, or `FieldError`."""
    if not isinstance(given, Mapping):
        raise FieldError(("ranef",), f"must hold one entry a grouping factor, found {shown(given)}.")
    for key in given:
        if key not in effects:
            parts = sorted(str(key).split(":"))
            turned = [other for other in effects if sorted(other.split(":")) == parts]  # school:class for class:school
            known = nearest(str(key), effects) if effects else "it has none."
            known = f"did you mean {turned[0]!r}?" if turned else known
            raise FieldError(("ranef", str(key)), f"is no grouping factor of the formula: {known}")
    for key, these in effects.items():
        if key not in given:
            raise FieldError(("ranef", key), f"is missing: {these}.")
    return Frozen({key: settle(given[key], these) for key, these in effects.items()})


def _check_names(structure: Structure, variables: Mapping[str, Variable], formula: Formula, outcome: Response) -> None:
    """Raise `FieldError` if two things have one name, or the formula uses a name that nothing has."""
    response = outcome.name
    for name in variables:
        if name in structure.names:
            raise FieldError(("variables", name), "is also the name of a cluster.")
        if name == response:
            raise FieldError(("variables", name), "is also the response of the formula.")
        if name == "Intercept" or keyword.iskeyword(name):
            raise FieldError(("variables", name), "is a word that formulas keep for themselves: choose another name.")
    if response in structure.names:
        raise FieldError(("formula",), f"has the cluster {response!r} as its response.")
    for term in formula.terms:
        for factor in term.factors:
            if factor not in structure.names:
                known = nearest(factor, structure.names)
                raise FieldError(("formula",), f"groups by {factor!r}, which is not among the clusters: {known}")
    trials = {outcome.trials} if isinstance(outcome.trials, str) else set()
    used = formula.predictors | trials
    for name in sorted(used - set(variables)):
        if name in structure.names:
            raise FieldError(("formula",), f"uses the cluster {name!r} as a variable: write (1 | {name}).")
        known = nearest(name, variables) if variables else "there are none."
        raise FieldError(("formula",), f"uses {name!r}, which is not among the variables: {known}")


def _columns_named(rhs: str, rows: Mapping[str, Values]) -> tuple[str, ...]:
    try:
        return model_columns(rhs, rows).names
    except DataError as error:
        raise FieldError(("formula",), f"does not work: {error}") from None
