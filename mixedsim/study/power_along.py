"""Power against what a design can change: more clusters, larger ones, a larger effect, less noise."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, nearest, shown
from mixedsim.inference.shares import per_cent
from mixedsim.listing import counted, listed, unbroken
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.power import check_alpha
from mixedsim.simulate import Population
from mixedsim.simulate.streams import settle_seed
from mixedsim.study.analysis import settled_analyses
from mixedsim.study.attempt import AnalysisFails
from mixedsim.study.draws import Redraw
from mixedsim.study.power_table import check_tested, power_rows, says_its_level
from mixedsim.study.study_result import Study
from mixedsim.study.studying import study
from mixedsim.study.varying import changed
from mixedsim.study.workers import workers_of

_MOST_WORRYING = 4.0  # Monte-Carlo standard errors from the level at which a test is said to be off


@dataclass(frozen=True, eq=False)
class PowerCurve:
    """Power at every point of a curve or a grid, as `power_curve` returns it.

    Attributes
    ----------
    table : one row a point, analysis and parameter: the varied names, then analysis, parameter, truth, power,
        power_mcse, lower and upper (exact 95 % Monte-Carlo interval), false_positive (how often the same test rejects
        without the effect) and its mcse, n, failed (replicates without a p-value), singular.
    along : the names that were varied, one or two.
    alpha : level of the tests.
    n, seed : replicates a point, and where the random numbers begin; all points begin at the same ones.
    title : the population's name and formula.
    notes : what a reader should know, in sentences.
    """

    table: pd.DataFrame
    along: tuple[str, ...]
    alpha: float
    n: int
    seed: int
    title: str
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        notes = "".join(f"\nNote: {note}" for note in self.notes)
        return f"{self._title()}\n\n{self._cells().to_string(index=False)}{chr(10) if notes else ''}{notes}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>Note: {html.escape(note)}</p>" for note in self.notes)
        title = html.escape(self._title())
        body = self._cells().to_html(border=0, index=False)
        inner = unbroken(f"<p><strong>{title}</strong></p>{body}{notes}")
        return f'<div class="mixedsim-power">{inner}</div>'

    def _title(self) -> str:
        return f"Power at {per_cent(self.alpha, 0)}, {counted(self.n, 'replicate')} a point: {self.title}"

    def _cells(self) -> pd.DataFrame:
        table = self.table
        shown = table[[*self.along, "analysis", "parameter"]].copy()
        shown["power"] = [_with_error(row) for row in table[["power", "power_mcse"]].to_numpy()]
        shown["false positives"] = [
            _with_error(row) for row in table[["false_positive", "false_positive_mcse"]].to_numpy()
        ]
        for column in ("failed", "singular"):
            if table[column].any():
                shown[column] = table[column]
        return shown if len(table["analysis"].unique()) > 1 else shown.drop(columns="analysis")


def power_curve(
    source: Population | LinearMixedModel | GeneralizedLinearMixedModel,
    along: str | Sequence[str],
    sizes: Sequence[Any],
    *,
    analyses: Any = None,
    parameter: str | Sequence[str] | None = None,
    n: int = 1000,
    seed: int | np.random.Generator | None = None,
    alpha: float = 0.05,
    redraw: Redraw | None = None,
    executor: Any = None,
    out: str | Path | None = None,
    progress: Any = None,
) -> PowerCurve:
    """Return the power of tests as one or two things about a population change.

    Every power has the false-positive rate of the same test beside it: a test that rejects true nulls too often has
    no use for its power.

    Parameters
    ----------
    source : a population; or a fitted model, of which ``Population.from_fit`` makes one that behaves alike.
    along : what changes: a cluster (``"therapist"``: how many), ``"size"`` (rows each), a parameter as `recover` shows
        it (``"depression"``, ``"sd(Intercept | therapist)"``, ``"sigma"``), a variable's field
        (``"variables.ses.sd"``); two of them for a grid.
    sizes : the values it takes; two lists for two names.
    analyses : as in `study`; the population's own formula if None.
    parameter : the coefficient, or coefficients, tested; all but the intercept if None.
    n, seed, redraw, executor, progress : as in `study`, for every point.
    alpha : level of the tests.
    out : a folder for the replicates, one subfolder a point; an interrupted run goes on from there.

    Raises
    ------
    MixedsimError
        For a name that cannot be varied, impossible sizes, a coefficient that the population, or every analysis, does
        not have.

    Examples
    --------
    >>> import mixedsim as ms
    >>> trial = ms.scenarios.therapist_plain(therapists=10, patients=5).with_(sigma=40)
    >>> curve = ms.power_curve(trial, "therapist", [5, 20], parameter="depression", n=200, seed=1)
    >>> curve.table[["therapist", "power"]].round(1)
       therapist  power
    0          5    0.1
    1         20    0.3
    """
    population, notes = population_of(source, "power_curve")
    check_alpha(alpha)
    names, grid = _grid(along, sizes)
    points = [dict(zip(names, values, strict=True)) for values in grid]
    at = [changed(population, point) for point in points]
    if out is not None and seed is None:
        raise MixedsimError("out= needs a seed: without one every call is another study, which cannot go on from it.")
    tested, settled = parameters_of(population, parameter), settle_seed(seed)
    asked = settled_analyses(analyses, population.formula)
    folder = None if out is None else _folder(out)
    rows: list[dict[str, Any]] = []
    absent: list[str] = []
    with workers_of(executor) as workers:

        def run(one: Population, name: str) -> Study:
            where = None if folder is None else folder / name
            try:
                return study(one, asked, n, settled, alpha=alpha, redraw=redraw, executor=workers, out=where,
                             progress=progress)  # fmt: skip
            except AnalysisFails as error:
                raise AnalysisFails(f"at {name.replace('=', ' = ')}, {error}") from error

        for point, one in zip(points, at, strict=True):
            name = _file_name(point)

            def null(parameter: str, one: Population = one, name: str = name) -> Study:
                return run(one.with_(fixef={**one.fixef, parameter: 0.0}), f"{name}, {_plain(parameter)}=0")

            here = run(one, name)
            absent = check_tested(here, tested, asked=parameter is not None)
            found = power_rows(here, tested, alpha, None if says_its_level(one, asked) else null)
            rows += [{**point, **row} for row in found]
    table = pd.DataFrame(rows)
    title = f"{population.name or 'a population'}, {population.formula.strip()}"
    return PowerCurve(table, names, alpha, n, settled, title, (*notes, *absent, *_worries(table, names, alpha)))


def population_of(source: Any, asker: str) -> tuple[Population, tuple[str, ...]]:
    """The population that is meant, and what must be said of it."""
    if isinstance(source, Population):
        return source, ()
    if isinstance(source, LinearMixedModel | GeneralizedLinearMixedModel):
        note = "drawn from a population that imitates the data of the fit (Population.from_fit): look at it first."
        return Population.from_fit(source), (note,)
    raise MixedsimError(f"{asker} needs a Population or a fitted model, found {type(source).__name__}.")


def _grid(along: Any, sizes: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The names that change, and the points as tuples of values."""
    names = tuple(along) if isinstance(along, list | tuple) else (along,)
    if not 1 <= len(names) <= 2 or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise MixedsimError(f"along must be one name or two different ones, found {shown(along)}.")
    lists = [sizes] if len(names) == 1 else sizes
    if not hasattr(lists, "__len__") or isinstance(lists, str | Mapping) or len(lists) != len(names):
        raise MixedsimError(f"sizes must hold one list of values for each of {listed(names)}, found {shown(sizes)}.")
    axes = []
    for name, values in zip(names, lists, strict=True):
        if isinstance(values, str | Mapping) or not hasattr(values, "__len__") or not len(values):
            raise MixedsimError(f"sizes must list values of {name}, such as [10, 20, 40], found {shown(values)}.")
        axes.append([value.item() if isinstance(value, np.generic) else value for value in values])
    return names, list(product(*axes))


def parameters_of(population: Population, wanted: str | Sequence[str] | None) -> tuple[str, ...]:
    """The coefficients that are tested, or `MixedsimError` for one that the population does not have."""
    known = [name for name in population.plan.coefficients if name != "Intercept"]
    if wanted is None:
        if not known:
            raise MixedsimError("the population has no coefficient but the intercept, so there is no effect to find.")
        return tuple(known)
    names = tuple(dict.fromkeys(wanted)) if isinstance(wanted, list | tuple) else (wanted,)
    if not names:
        raise MixedsimError(f"parameter is empty: {nearest('', known)}")
    for name in names:
        if name not in population.plan.coefficients:
            raise MixedsimError(f"the population has no coefficient {name!r}: {nearest(name, known)}")
    return names


def _folder(out: str | Path) -> Path:
    """The folder that holds one folder a point."""
    if not isinstance(out, str | os.PathLike) or not os.fspath(out):
        raise MixedsimError(f"out must be the name of a folder, found {shown(out)}.")
    folder = Path(out).expanduser()
    if not folder.parent.is_dir() or (folder.exists() and not folder.is_dir()):
        raise MixedsimError(f"out must be a folder, or a new name in one, found {str(out)!r}.")
    folder.mkdir(exist_ok=True)
    return folder


def _file_name(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{_plain(name)}={value}" for name, value in point.items())


def _plain(name: str) -> str:
    """A name without what file systems forbid."""
    return name.replace("/", "-").replace(" | ", " by ").replace(":", "×")


def _worries(table: pd.DataFrame, names: tuple[str, ...], alpha: float) -> list[str]:
    """What must be read beside the powers."""
    notes = []
    error = np.sqrt(alpha * (1.0 - alpha) / table["n"].clip(lower=1))
    off = table[(table["false_positive"] - alpha) > _MOST_WORRYING * error]
    for analysis, rows in off.groupby("analysis", sort=False, observed=True):
        worst = rows.loc[rows["false_positive"].idxmax()]
        where = listed(f"{name} {worst[name]}" for name in names)
        notes.append(
            f"{analysis} finds effects that are not there: {per_cent(worst['false_positive'])} instead of "
            f"{per_cent(alpha, 0)} at {where}. Its power cannot be compared with that of a test that keeps its level."
        )
    if table["failed"].any():
        notes.append("replicates without a p-value count neither for nor against an effect.")
    return notes


def _with_error(row: Any) -> str:
    value, error = row
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f} ± {100 * error:.1f} %" if error > 0 else per_cent(value)
