"""`fit.check()`: every message as a table, and for a singular fit what the data say about leaving something out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import Columns
from mixedsim.design import Design, GroupingFactor, VaryingTerm
from mixedsim.engine import Objective, Problem, minimise, pose
from mixedsim.inference.boundary import FlatDirection, deviance_along, flat_directions, flattest
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.messages import combination

Floats = NDArray[np.float64]
_BOUNDARY = ["group", "combination", "sd", "deviance", "rise"]
_ABOUT_BOUNDARY = (
    "Deviance as the combination is given a standard deviation (fixed effects and sigma follow, the other variances "
    "over sigma² stay):"
)
_ABOUT_WHAT_IF = (
    "What if? Refits by maximum likelihood beside an ML fit of this model: AIC below zero is better, and how far each "
    "coefficient moves, in its standard errors:"
)


class Check(pd.DataFrame):
    """What there is to know about a fit: one row a message, with columns ``message``, ``evidence``, ``way_out``.

    Attributes
    ----------
    boundary : DataFrame, for every combination of effects without variance the deviance along the direction in which
        it would have some: group, combination, sd (units of the data), deviance, rise. Empty if there is none.
    what_if : DataFrame, one row a simpler model: npar, delta_aic (of ML fits), and a column for each coefficient with
        its change in standard errors. Empty where nothing is singular or undetermined.
    """

    _metadata = ["boundary", "what_if"]  # noqa: RUF012 (pandas asks for a class attribute of this kind)
    boundary: pd.DataFrame
    what_if: pd.DataFrame

    @property
    def _constructor(self) -> type[pd.DataFrame]:  # a part of the table is a table like any other
        return pd.DataFrame

    def __str__(self) -> str:
        if self.empty:
            return "Nothing to report: the optimiser arrived at a minimum inside the parameter space."
        lines: list[str] = []
        for message, evidence, way_out in self[["message", "evidence", "way_out"]].to_numpy(dtype=object):
            lines += textwrap.wrap(f"* {message}", 100, subsequent_indent="  ")
            for label, text in (("evidence", evidence), ("way out", way_out)):
                if text:
                    lines += textwrap.wrap(f"{label}: {text}", 100, initial_indent="  ", subsequent_indent="    ")
        for about, table in ((_ABOUT_BOUNDARY, self.boundary), (_ABOUT_WHAT_IF, self.what_if)):
            if len(table):
                shown = table.to_string(float_format=lambda v: f"{v:.3g}", index=table is self.what_if)
                lines += ["", *textwrap.wrap(about, 100), shown]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if self.empty:
            return f"<p>{self}</p>"
        with pd.option_context("display.max_colwidth", None):  # sentences are there to be read to their end
            parts = [pd.DataFrame(self).to_html(index=False)]
        for about, table in ((_ABOUT_BOUNDARY, self.boundary), (_ABOUT_WHAT_IF, self.what_if)):
            if len(table):
                shown = table.to_html(float_format="{:.3g}".format, index=table is self.what_if)
                parts.append(f"<p>{about}</p>{shown}")
        return "".join(parts)


def check(fit: LinearEstimates) -> Check:
    """The table behind `LinearMixedModel.check`."""
    rows = [(finding.message, finding.evidence, finding.way_out) for finding in fit._findings]
    out = Check(rows, columns=["message", "evidence", "way_out"])
    directions = flat_directions(fit.problem, fit.optimum.profile)
    undetermined = any("do not determine" in message for message in fit.messages)
    out.boundary = _boundary(fit, directions) if directions else _level(fit) if undetermined else boundary_table([])
    culprits = {(d.factor, d.where.start) for d in directions}
    asked = (culprits or undetermined) and fit.design.in_memory  # other models would have to read everything again
    out.what_if = what_if(fit, None if undetermined else culprits) if asked else pd.DataFrame()
    return out


def boundary_table(rows: list[tuple[str, str, float, float, float]]) -> pd.DataFrame:
    """The table of `Check.boundary`."""
    return pd.DataFrame(rows, columns=_BOUNDARY)


def _boundary(fit: LinearEstimates, directions: list[FlatDirection]) -> pd.DataFrame:
    rows = []
    for direction in directions:
        factor = fit.design.factors[direction.factor]
        names = factor.effects[direction.where]
        sds, rises = deviance_along(fit.problem, fit.objective, fit.optimum.profile, direction)
        name = combination(names, direction.weights)
        rows += [(factor.name, name, sd, fit.deviance + rise, rise) for sd, rise in zip(sds, rises, strict=True)]
    return boundary_table(rows)


def _level(fit: LinearEstimates) -> pd.DataFrame:
    """The deviance along the direction that the data say nothing about, by the standard deviation that moves most."""
    profile = fit.optimum.profile
    thetas, rises = flattest(fit.objective, profile, fit.optimum.curvature)
    layout = fit.problem.layout
    k = int(np.argmax(np.abs(thetas[-1] - profile.theta)))
    f, effect = int(layout.factor[k]), int(layout.row[k])
    factor = fit.design.factors[f]
    rows = []
    for theta, rise in zip([profile.theta, *thetas], [0.0, *rises], strict=True):
        sigma = np.sqrt(fit.objective.evaluate(theta).sigma2) * fit.problem.response.scale
        sd = sigma * np.sqrt(fit.problem.relative_covariances(theta)[f][effect, effect])
        rows.append((factor.name, factor.effects[effect], float(sd), fit.deviance + rise, float(rise)))
    return boundary_table(rows).sort_values("sd", ignore_index=True)


def what_if(fit: LinearEstimates, culprits: set[tuple[int, int]] | None = None) -> pd.DataFrame:
    """Simpler models beside this one, all fitted by maximum likelihood.

    Parameters
    ----------
    fit : the model.
    culprits : number of the grouping factor and first effect of the terms to simplify; None for all.

    Returns
    -------
    DataFrame with a row for the model ``"as it is"`` and for each simpler one (``"without the correlations of
    (x | g)"``, ``"without x by g"``, ``"without g"``; a refit that did not converge says so): npar, delta_aic, then for
    every coefficient its change in standard errors.
    """
    here = _fit_by_ml(fit.design, fit.problem)
    rows: dict[str, list[float]] = {"as it is": [here.npar, 0.0, *np.zeros(len(here.fixef))]}
    for label, design in simpler_designs(fit.design, culprits):
        there = _fit_by_ml(design, pose(design))
        moved = (there.fixef - here.fixef) / here.se
        rows[label if there.converged else f"{label} (not converged)"] = [there.npar, there.aic - here.aic, *moved]
    columns = ["npar", "delta_aic", *fit.coefficient_names]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.astype({"npar": int}).rename_axis("model")


def simpler_designs(design: Design, culprits: set[tuple[int, int]] | None) -> Iterator[tuple[str, Design]]:
    """Designs with a piece of one random term left out, with what was left out in words."""
    for f, factor in enumerate(design.factors):
        start = 0
        for k, term in enumerate(factor.terms):
            if culprits is None or (f, start) in culprits:
                for label, terms in _simpler_term(factor.name, term):
                    yield label, _with_terms(design, f, (*factor.terms[:k], *terms, *factor.terms[k + 1 :]))
            start += len(term.columns.names)
        if culprits is None or any(own == f for own, _ in culprits):
            yield f"without {factor.name}", _with_terms(design, f, ())


def _simpler_term(group: str, term: VaryingTerm) -> Iterator[tuple[str, tuple[VaryingTerm, ...]]]:
    """The term without its correlations, and without each of its effects but the intercept (a factor's go together)."""
    columns = term.columns
    if len(columns.names) > 1:
        apart = tuple(_only(term, [name == own for name in columns.names]) for own in columns.names)
        yield f"without the correlations of {term.term.text}", apart
    slopes = list(dict.fromkeys(t for t, name in zip(columns.terms, columns.names, strict=True) if name != "Intercept"))
    for slope in slopes:
        keep = [t != slope or name == "Intercept" for t, name in zip(columns.terms, columns.names, strict=True)]
        if any(keep):
            yield f"without {slope} by {group}", (_only(term, keep),)


def _only(term: VaryingTerm, keep: list[bool]) -> VaryingTerm:
    """The term with some of its columns."""

    def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value for value, kept in zip(values, keep, strict=True) if kept)

    old = term.columns
    columns = Columns(some(old.names), some(old.columns), old.rows, some(old.terms), old.spec)
    return replace(term, columns=columns)


def _with_terms(design: Design, f: int, terms: tuple[VaryingTerm, ...]) -> Design:
    """The design with other terms on factor number `f`; without any, the factor is gone."""
    factors: list[GroupingFactor] = list(design.factors)
    if terms:
        factors[f] = replace(factors[f], terms=terms)
    else:
        del factors[f]
    return replace(design, factors=tuple(factors))


class _MaximumLikelihood:
    """Coefficients, their standard errors and AIC of an ML fit (units of the data)."""

    converged = True

    def __init__(self, problem: Problem, beta: Floats, w_inverse: Floats, sigma2: float, deviance: float) -> None:
        self.fixef = problem.fixef(beta.copy())
        self.se = np.sqrt(np.diag(problem.vcov(w_inverse, sigma2)))
        self.npar = problem.cp.p + problem.layout.size + 1
        self.aic = deviance + problem.deviance_shift(reml=False) + 2.0 * self.npar


def _fit_by_ml(design: Design, problem: Problem) -> _MaximumLikelihood:
    if design.factors:
        optimum = minimise(Objective(problem.cp, problem.layout, reml=False))
        at = optimum.profile
        out = _MaximumLikelihood(problem, at.beta, at.w_inverse, at.sigma2, at.deviance)
        out.converged = optimum.converged
        return out
    # nothing varies by group any more: least squares
    cp = problem.cp
    w_inverse = np.asarray(np.linalg.inv(cp.xx)) if cp.p else cp.xx
    beta = w_inverse @ cp.xy[:, 0]
    sigma2 = float(cp.yy[0] - cp.xy[:, 0] @ beta) / cp.n
    deviance = cp.n * (1.0 + np.log(2.0 * np.pi * sigma2)) - cp.log_weights
    return _MaximumLikelihood(problem, beta, w_inverse, sigma2, deviance)
