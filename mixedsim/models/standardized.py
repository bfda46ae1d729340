"""Coefficients in standard deviations, by refitting to standardised data or by rescaling what was fitted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from formulaic.parser.types import Term
from numpy.typing import NDArray

from mixedsim.columns import Columns
from mixedsim.design import Design, build
from mixedsim.engine import pose
from mixedsim.errors import MixedsimError
from mixedsim.formula import column_of, fixed_terms
from mixedsim.frame import as_frame
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.effect_sizes import variance_parts
from mixedsim.models.combinations import coefficients
from mixedsim.models.fitting import Parts, Request, fit_problem, without_start
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.reading import dates_as_days, is_numeric, read_column

Floats = NDArray[np.float64]
Standardization = Literal["refit", "posthoc", "pseudo"]
_ESTIMATES = ["estimate", "se", "lower", "upper"]


def standardize(fit: LinearEstimates, method: Standardization, ddf: Ddf, level: float) -> pd.DataFrame:
    """The table behind `LinearMixedModel.standardize`."""
    if method == "refit":
        return coefficients(LinearEstimates(**standardized_parts(fit)), ddf, level)
    if method == "posthoc":
        scales = _posthoc(fit)
    elif method == "pseudo":
        scales = _pseudo(fit)
    else:
        raise MixedsimError(f"method must be 'refit', 'posthoc' or 'pseudo', found {method!r}.")
    table = coefficients(fit, ddf, level)
    table[_ESTIMATES] = table[_ESTIMATES].mul(scales, axis=0)
    return table


def standardized_parts(fit: LinearEstimates) -> Parts:
    """The parts of the same model for response and numeric predictors less their mean, over their sd.

    Functions in the formula are applied to what was standardised; one that negative numbers do not survive is refused.
    """
    formula = fit.design.formula
    effects = [formula.fixed, *(term.effects for term in formula.terms)]
    if found := re.search(r"\b(log\w*|sqrt)\s*\(", " ".join(effects)):
        raise MixedsimError(
            f"standardising cannot pass through {found.group(1)}(): half of the standardised values are negative; add "
            "the transformed predictor as a column, or use method='posthoc'."
        )
    frame = as_frame(fit.request.data).iloc[fit.design.used]
    scaled = {
        name: (values - values.mean()) / values.std(ddof=1)
        for name, values in _numeric(fit, frame).items()
        if len(values) > 1 and values.std(ddof=1) > 0
    }
    design = build(formula, frame.assign(**scaled), fit.design.weights, None)
    y, offset = fit.design.y, fit.design.offset
    size = float(y.std(ddof=1))
    design = replace(design, y=(y - y.mean()) / size, offset=None if offset is None else offset / size)
    control = without_start(fit.request.control)
    request = Request(frame.assign(**scaled), design.weights, design.offset, control, design.y)
    return fit_problem(design, pose(design), request, fit.reml)


def _numeric(fit: LinearEstimates, frame: pd.DataFrame) -> dict[str, Floats]:
    """Numeric columns among the predictors; what only groups, or only stands in the response, is left alone."""
    formula = fit.design.formula
    names = formula.predictors
    out = {}
    for name in sorted(names.intersection(frame.columns)):
        values = dates_as_days(read_column(name, frame[name]))
        if is_numeric(values) and values.dtype.kind != "b":
            out[name] = np.asarray(values, dtype=np.float64)
    return out


def _posthoc(fit: LinearEstimates) -> Floats:
    """For every coefficient the sd of what it multiplies over that of the response; the intercept has none."""
    spreads = _spreads(fit, lambda values: float(values.std(ddof=1)))
    return spreads / float(fit.design.y.std(ddof=1))


def _spreads(fit: LinearEstimates, sd: Any) -> Floats:
    """Spread of every coefficient's predictor: a product over the numeric variables of its term, 1 for categories.

    The product, and not the spread of the product: so the highest interaction equals that of a refit.
    """
    design = fit.design
    numeric = _numeric(fit, as_frame(fit.request.data).iloc[design.used])
    terms = {str(term): term for term in fixed_terms(design.formula.fixed)}
    out = []
    for j in fit.problem.fixed.kept:
        column, name = design.x.columns[j], design.x.terms[j]
        if isinstance(column, float):
            out.append(np.nan)
            continue
        spread = _of_term(terms.get(name), numeric, sd)
        out.append(sd(column) if spread is None else spread)
    return np.array(out)


def _of_term(term: Term | None, numeric: dict[str, Floats], sd: Any) -> float | None:
    """Product of the spreads of a term's numeric variables; None for a calculation, whose column speaks for itself."""
    spread = 1.0
    for factor in () if term is None else term.factors:
        name = column_of(factor)
        if name is None and not factor.expr.startswith("C("):
            return None
        if name in numeric:
            spread *= sd(numeric[name])
    return None if term is None else spread


def _pseudo(fit: LinearEstimates) -> Floats:
    """Spread within groups over the residual sd for what varies within them, between groups over the intercepts' sd.

    Both sds of the response are those of the model with a varying intercept and nothing else (Hoffman 2015,
    Longitudinal Analysis, p. 342).
    """
    design = fit.design
    if len(design.factors) != 1:
        raise MixedsimError(
            f"method='pseudo' needs one grouping factor, the model has {len(design.factors)}: use 'refit' or 'posthoc'."
        )
    codes, levels = design.factors[0].codes, len(design.factors[0].levels)
    counts = np.bincount(codes, minlength=levels)

    def split(values: Floats) -> tuple[float, float]:
        means = np.bincount(codes, weights=values, minlength=levels) / counts
        return float((values - means[codes]).std(ddof=1)), float(means.std(ddof=1))

    def within(values: Floats) -> bool:
        inside, between = split(values)
        return inside > 1e-10 * max(between, float(np.abs(values).max()))

    between_sd, residual_sd = _null_sds(fit, design)
    inside = _spreads(fit, lambda values: split(values)[0] if within(values) else split(values)[1])
    sides = np.array([
        np.nan if isinstance(c, float) else residual_sd if within(c) else between_sd
        for c in (design.x.columns[j] for j in fit.problem.fixed.kept)
    ])  # fmt: skip
    with np.errstate(divide="ignore"):
        return np.asarray(inside / sides)


def _null_sds(fit: LinearEstimates, design: Design) -> tuple[float, float]:
    """Standard deviations between and within groups, from the model that has a varying intercept only."""
    one = Columns(("Intercept",), (1.0,), design.rows, ("1",), design.x.spec)
    factor = design.factors[0]
    factor = replace(factor, terms=(replace(factor.terms[0], columns=one),))
    empty = replace(design, x=one, factors=(factor,))
    parts = fit_problem(empty, pose(empty), replace(fit.request, control=without_start(fit.request.control)), fit.reml)
    split = variance_parts(empty, parts["problem"], parts["optimum"].profile)
    return float(np.sqrt(split.random[factor.name][0])), float(np.sqrt(split.residual))
