"""The key to one draw: what was true, what chance made of it, and what went wrong with the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixedsim.errors import PopulationError
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.families import words as family_words
from mixedsim.simulate.lesson import lesson_text, shows_lesson
from mixedsim.simulate.problems import Duplicated
from mixedsim.simulate.rseed import RSeed

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population
    from mixedsim.simulate.sample import Sample, Truth

# Variance of the latent residual behind a link, where the outcome is a latent scale cut at thresholds.
_LATENT = {"logit": math.pi**2 / 3, "probit": 1.0, "cloglog": math.pi**2 / 6}


@dataclass(frozen=True)
class AnswerKey:
    """What a grader needs to know of one draw; prints as text, and `to_dict` is ready for JSON.

    Attributes
    ----------
    population, formula, family : name (or None), formula, and kind of outcome with its link and parameters.
    seed, skipped : the seed that gives the sample again, and how many before it did not show the lesson.
    fingerprint : of the population; None if it holds a Python function.
    fixef : true fixed effects by coefficient.
    ranef : for every grouping factor ``effects``, ``sd``, ``corr`` (a matrix, or None) and ``shape`` (or None).
    sigma, residual : sd of the residuals, a number, an expression, or None; and what else is to be said of them.
    icc : for every grouping factor the share of the variance, given the predictors, that lies between its units;
        empty where there is no one such share (a slope or sigma varies, or the outcome is a count or an amount).
    rows, complete_rows, units : numbers of rows in the data and before anything went wrong; units by cluster.
    realised : for every grouping factor and effect, mean and sd of the effects that were drawn (None
        for the sd of a single unit).
    problems : one entry a problem: ``step``, ``problem``, ``target``, ``values`` it changed, ``rows`` of the data that
        it struck, and ``lost`` rows, by their label in `Truth.complete`.
    lesson, shows_lesson : the lesson (or None), and whether this sample shows it.
    """

    population: str | None
    formula: str
    family: str
    seed: int | str
    skipped: int
    fingerprint: str | None
    fixef: Mapping[str, float]
    ranef: Mapping[str, Mapping[str, Any]]
    sigma: Parameter | None
    residual: Mapping[str, Any] | None
    icc: Mapping[str, float]
    rows: int
    complete_rows: int
    units: Mapping[str, int]
    realised: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    problems: tuple[Mapping[str, Any], ...]
    lesson: str | None
    shows_lesson: bool | None

    def to_dict(self) -> dict[str, Any]:
        """The same in dictionaries, lists, texts, numbers, None and truth values, as JSON has them."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}

    def __str__(self) -> str:
        blocks = [_heading(self), _effects(self), _random_effects(self), _wrong(self), _lesson(self)]
        return "\n\n".join("\n".join(block) for block in blocks if block)


def key_to(sample: Sample) -> AnswerKey:
    """The `AnswerKey` of a sample."""
    truth, population = sample.truth, sample.population
    lesson = population.lesson
    return AnswerKey(
        population=population.name,
        formula=population.formula,
        family=family_words(population.family),
        seed=str(truth.seed) if isinstance(truth.seed, RSeed) else truth.seed,
        skipped=truth.skipped,
        fingerprint=_fingerprint(population),
        fixef=dict(population.fixef),
        ranef=_ranef(population),
        sigma=population.sigma,
        residual=_plain(population.residual),
        icc=intraclass_correlations(population),
        rows=len(sample.data),
        complete_rows=len(truth.complete) if population.problems else len(sample.data),
        units={name: len(sample.data[name].cat.categories) for name in population.plan.structure.names},
        realised=_realised(truth),
        problems=tuple(_struck(truth)) if population.problems else (),
        lesson="a Python function" if callable(lesson) else lesson and lesson_text(lesson),
        shows_lesson=None if lesson is None else shows_lesson(sample),
    )


def intraclass_correlations(population: Population) -> dict[str, float]:
    """For every grouping factor, the share of the variance between its units, given the predictors.

    σ_g² / (Σ σ² + σ_e²), where σ_e² is the residual variance; for binary and ordinal outcomes that of the latent
    residual, π²/3 for the logit link, 1 for the probit and π²/6 for the cloglog (Nakagawa & Schielzeth 2010, Biological
    Reviews 85:935–956, table 2). Empty where that share depends on the row, or is none of a sum of variances.
    """
    effects = population.plan.effects
    if any(these.names != ("Intercept",) for these in effects.values()):
        return {}
    entry = population.family
    assert isinstance(entry, Mapping)
    if entry["kind"] in ("binomial", "ordinal"):
        residual = _LATENT.get(entry["link"])
    elif entry["kind"] == "gaussian" and entry["link"] == "identity" and isinstance(population.sigma, float):
        residual = population.sigma**2
    else:
        residual = None
    if residual is None:
        return {}
    between = {group: these.sd[0] ** 2 for group, these in covariances(population.ranef).items()}
    total = sum(between.values()) + residual
    return {group: variance / total for group, variance in between.items()} if total > 0 else {}


def _fingerprint(population: Population) -> str | None:
    try:
        return population.fingerprint
    except PopulationError:  # a function has none
        return None


def _ranef(population: Population) -> dict[str, dict[str, Any]]:
    return {
        group: {
            "effects": list(population.plan.effects[group].names),
            "sd": list(entry["sd"]),
            "corr": _plain(entry.get("corr")),
            "shape": _plain(entry.get("shape")),
        }
        for group, entry in population.ranef.items()
    }


def _realised(truth: Truth) -> dict[str, dict[str, dict[str, float | None]]]:
    """Mean and sd of the drawn effects; None where a single unit has no sd."""
    return {
        group: {
            str(name): {"mean": float(column.mean()), "sd": float(column.std()) if len(column) > 1 else None}
            for name, column in drawn.items()
        }
        for group, drawn in truth.ranef.items()
    }


def _struck(truth: Truth) -> list[dict[str, Any]]:
    """What every problem did, those that struck nothing too."""
    book = truth.problems
    entries = []
    for step, problem in enumerate(truth.population.problems, start=1):
        mine = book[book["step"] == step]
        # A copy that a later problem removed has no row either, but the problem that made it lost none.
        lost = mine["row"].isna() & mine["column"].isna() & (not isinstance(problem, Duplicated))
        entries.append(
            {
                "step": step,
                "problem": type(problem).__name__,
                "target": problem.target,
                "values": int(mine["column"].notna().sum()),
                "rows": sorted({int(row) for row in mine["row"].dropna()}),
                "lost": sorted({int(row) for row in mine.loc[lost, "original_row"]}),
            }
        )
    return entries


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _heading(key: AnswerKey) -> list[str]:
    walked = f" ({key.skipped} before it did not show the lesson)" if key.skipped else ""
    units = ", ".join(f"{count:,} {name}" for name, count in key.units.items())
    before = f" of {key.complete_rows:,}" if key.complete_rows != key.rows else ""
    lines = [f"Answer key to {key.population or 'a population'}, seed {key.seed}{walked}", key.formula, key.family]
    lines.append(f"{key.rows:,}{before} rows; {units}")
    return [*lines, f"fingerprint {key.fingerprint}"] if key.fingerprint else lines


def _effects(key: AnswerKey) -> list[str]:
    return ["Fixed effects", *_table(dict(key.fixef))] if key.fixef else []


def _random_effects(key: AnswerKey) -> list[str]:
    records = []
    for group, entry in key.ranef.items():
        for i, (name, sd) in enumerate(zip(entry["effects"], entry["sd"], strict=True)):
            corr = "" if entry["corr"] is None else ", ".join(f"{r:g}" for r in entry["corr"][i][:i])
            drawn = key.realised[group][name]["sd"]
            records.append((group, name, f"{sd:g}", "–" if drawn is None else f"{drawn:.3g}", corr))
    lines = []
    if records:
        table = pd.DataFrame(records, columns=["group", "effect", "sd", "sd drawn", "corr"])
        shown = table if table["corr"].any() else table.drop(columns="corr")
        lines = ["Random effects", *shown.to_string(index=False).split("\n")]
    if key.sigma is not None:
        lines.append(f"Residual sd  {key.sigma if isinstance(key.sigma, str) else format(key.sigma, 'g')}")
    if key.residual is not None:
        lines.append(f"Residuals    {_said(key.residual)}")
    shapes = {group: entry["shape"] for group, entry in key.ranef.items() if entry["shape"] is not None}
    lines += [f"Shape of the effects of {group}  {_said({'shape': shape})}" for group, shape in shapes.items()]
    lines += [f"ICC of {group}, given the predictors  {share:.3f}" for group, share in key.icc.items()]
    return lines


def _said(entry: Mapping[str, Any]) -> str:
    """What a mapping of residuals or shapes says, in one line: ``ar1 0.4, by person``; ``t (df 4)``."""
    parts = []
    for key, value in entry.items():
        if isinstance(value, Mapping):
            further = ", ".join(f"{name} {one:g}" for name, one in value.items() if name != "kind")
            parts.append(f"{value['kind']} ({further})" if further else str(value["kind"]))
        else:
            words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            parts.append(f"{key} {words:g}" if isinstance(words, float) else f"{key} {words}")
    return ", ".join(parts)


def _wrong(key: AnswerKey) -> list[str]:
    lines = []
    for one in key.problems:
        counted = {"values": one["values"], "rows": len(one["rows"]), "rows lost": len(one["lost"])}
        said = ", ".join(f"{count:,} {name}" for name, count in counted.items() if count) or "nothing struck"
        lines.append(f"  {one['step']}. {one['problem']} of {one['target']}: {said}")
    return ["Problems", *lines] if lines else []


def _lesson(key: AnswerKey) -> list[str]:
    return [f"Lesson: {key.lesson} ({'holds' if key.shows_lesson else 'does not hold'})"] if key.lesson else []


def _table(numbers: dict[str, float]) -> list[str]:
    widest = max(map(len, numbers))
    return [f"  {name:<{widest}}  {value:g}" for name, value in numbers.items()]
