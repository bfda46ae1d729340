"""The codebook of a population: what every column of its data is, and what lies behind them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixedsim.simulate.contents import contents_of
from mixedsim.simulate.counts import words
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import Parameter, render
from mixedsim.simulate.families import family_of
from mixedsim.simulate.families import words as family_words
from mixedsim.simulate.layout import lay_out
from mixedsim.simulate.making import make_variables
from mixedsim.simulate.notation import digits
from mixedsim.simulate.plan import Plan
from mixedsim.simulate.response import TRIALS
from mixedsim.simulate.streams import Streams
from mixedsim.simulate.structure import Cluster
from mixedsim.simulate.variables import Variable

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

NOWHERE = "—"  # the level of a cluster that lies in no other
_KEPT_BACK = ["arises", "problems"]  # from students
_WIDTH = 88


class Codebook(pd.DataFrame):
    """A table that prints a paragraph a row, because its words are longer than a terminal is wide.

    Everything else is pandas': what is made of it is a plain DataFrame.
    """

    def __repr__(self) -> str:
        return "\n".join(_paragraph(record) for record in self.to_dict("records"))

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return str(pd.DataFrame(self).to_html(index=False))


def codebook_of(population: Population, *, hidden: bool) -> Codebook:
    """The table; without `hidden`, what a student may see of it."""
    plan = population.plan
    records = [_cluster(cluster, population) for cluster in plan.structure.clusters]
    kinds = _kinds(plan)
    for name, variable in plan.variables.items():
        records.append(_variable(name, variable, kinds[name], population))
    records += _outcome(population)
    for record in records:
        record["about"] = population.about.get(record["name"], "")
        record["problems"] = _problems(record["name"], population)
    if whole_rows := _problems("row", population):
        about = f"about {plan.structure.expected_rows():,.0f}"
        records.append({"name": "(rows)", "role": "rows", "values": about, "problems": whole_rows})
    columns = ["name", "role", "level", "kind", "about", "values", "arises", "problems"]
    table = pd.DataFrame(records, columns=columns, dtype=object).fillna("")
    if not hidden:
        table = table[~table["role"].isin(["hidden", "rows"])].drop(columns=_KEPT_BACK).reset_index(drop=True)
    return Codebook(table)


def _cluster(cluster: Cluster, population: Population) -> dict[str, str]:
    structure = population.plan.structure
    inside = f" in each {cluster.within}" if cluster.within else ""
    return {
        "name": cluster.name,
        "role": "cluster",
        "level": cluster.within or NOWHERE,
        "kind": "id",
        "values": f"{words(cluster.n)}{inside}",
        "arises": "; ".join(filter(None, [structure.meeting(cluster), _varying(cluster.name, population)])),
    }


def _varying(cluster: str, population: Population) -> str:
    """Which effects differ between the units of a cluster, and how much."""
    parts = []
    known = covariances(population.ranef)
    for group, effects in population.plan.effects.items():
        if population.plan.structure.innermost(tuple(group.split(":")))[0] == cluster:
            sds = [f"{name} (sd {digits(sd)})" for name, sd in zip(effects.names, known[group].sd, strict=True)]
            parts.append(f"{', '.join(sds)} {'vary' if len(sds) > 1 else 'varies'} by {group}")
    return "; ".join(parts)


def _variable(name: str, variable: Variable, kind: str, population: Population) -> dict[str, str]:
    relation, right = variable.equation(_written)
    further = "; ".join(f"{left} = {one}" for left, one in variable.further_equations(_written))
    arises = right if relation == "=" else f"drawn: {right}"
    return {
        "name": name,
        "role": _role(name, variable, relation, population),
        "level": population.plan.levels[name] or "row",
        "kind": kind,
        "values": variable.support(),
        "arises": f"{arises}; {further}" if further else arises,
    }


def _role(name: str, variable: Variable, relation: str, population: Population) -> str:
    if not variable.observed:
        return "hidden"
    if name == population.plan.response.trials:
        return "trials"
    if name == getattr(family_of(population.family), "exposure", None):
        return "exposure"
    return "derived" if relation == "=" and variable.reads() else "predictor"


def _outcome(population: Population) -> list[dict[str, str]]:
    """The response, and the column of its trials if that is a number."""
    response, family = population.plan.response, family_of(population.family)
    labels = contents_of(population.plan, population.family).kinds[response.name]
    values = family.support(response.trials)
    whole = values[0] == "0"  # all that begins at 0 is counted
    spread = f"residual sd {_written(population.sigma)}" if population.sigma is not None else ""
    record = {
        "name": response.name,
        "role": "response",
        "level": "row",
        "kind": "categorical" if labels else "whole number" if whole else "number",
        "values": values,
        "arises": "; ".join(filter(None, [population.formula, family_words(population.family), spread])),
    }
    if not isinstance(response.trials, int):
        return [record]
    trials = {"name": TRIALS, "role": "trials", "level": "row", "kind": "whole number", "values": str(response.trials)}
    return [trials, record]


def _kinds(plan: Plan) -> dict[str, str]:
    """What each variable holds, seen on a handful of rows, as the plan's coefficients were."""
    made = make_variables(plan.variables, plan.levels, lay_out(plan.structure.small(), Streams(0)), Streams(0))
    return {name: _kind(values) for name, values in made.items()}


def _kind(values: Any) -> str:
    if isinstance(values, pd.Categorical):
        return "categorical"
    return "whole number" if np.asarray(values).dtype.kind in "biu" else "number"


def _problems(target: str, population: Population) -> str:
    return "; ".join(one.equation(_written) for one in population.problems if one.target == target)


def _written(value: Parameter) -> str:
    if not isinstance(value, str):
        return digits(value)
    signs = {"-": " − ", "*": " · ", "**": "^"}
    return render(value, spell=lambda symbol: signs.get(symbol, f" {symbol} "))


def _paragraph(record: Mapping[Any, Any]) -> str:
    """One row of the table in words: what it is, below it one line each for the rest."""
    head = ", ".join(str(record[key]) for key in ("role", "kind") if record.get(key))
    if record.get("level", NOWHERE) not in ("", NOWHERE):
        head += f", {'in each' if record['role'] == 'cluster' else 'of the'} {record['level']}"
    lines = [f"{record.get('name')}: {head}"]
    for key in ("about", "values", "arises", "problems"):
        if record.get(key):
            text = f"    {key:<9} {record[key]}"
            lines.append(textwrap.fill(text, _WIDTH, subsequent_indent=" " * 14, break_long_words=False))
    return "\n".join(lines)
