"""Draw from a population, fit, and hold every estimate against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from mixedsim.errors import DataError, MixedsimError
from mixedsim.formula import Formula, fixed_terms, parse, variables_of, written
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.parameters import Kind, parameter_name
from mixedsim.inference.wald import wald_intervals, without_interval
from mixedsim.models import (
    CumulativeLinkMixedModel,
    GeneralizedLinearMixedModel,
    LinearMixedModel,
    clmm,
    glmer,
    lmer,
)
from mixedsim.simulate import Population, Sample, Truth
from mixedsim.study.fixed_design import is_linear
from mixedsim.study.generalized import exposure_of, glmer_family, outcome_words, profiled, with_offset
from mixedsim.study.ordinal import clmm_link, clmm_profiled, threshold_truths
from mixedsim.study.recover_notes import notes_on
from mixedsim.study.recover_shape import shape_truth, with_shape
from mixedsim.study.recovery import Recovery
from mixedsim.study.true_values import Symbol, parameter_key, truth_for

_SHOWN = ("estimate", "se", "lower", "upper")
_KINDS = (*get_args(Kind), "tau")


def recover(
    population: Population,
    seed: int | np.random.Generator | None = None,
    *,
    formula: str | None = None,
    reml: bool = True,
    level: float = 0.95,
) -> Recovery:
    """Return truth, estimate and interval of every parameter, side by side, for one draw of `population`.

    Parameters
    ----------
    population : what to draw from.
    seed : as in `Population.draw`; None takes a new seed, which ``recovery.sample.truth.seed`` remembers.
    formula : the model to fit; the population's own if None. Parameters of the population that the model has not
        stand in the table without an estimate, parameters of the model that the population has not without a truth;
        what means something else in the model than in the population (`true_values`) is such a parameter.
    reml : restricted maximum likelihood (the default), or maximum likelihood; of linear models only.
    level : confidence level of the intervals, see `mixedsim.inference.wald`.

    Yes or no, counts and positive amounts are fitted by `mixedsim.glmer` with the population's own family and link, and
    the logarithm of its exposure as offset. Truths are on the scale of the link. Coefficients have Wald intervals,
    standard deviations and correlations profile intervals (up to 10,000 rows, and not beside a dispersion, as a gamma
    model has one; a message says so). There is no sigma, but that of a gamma model, whose truth is the population's
    cv; a negative binomial has ``tau``, whose truth is the population's theta, with Wald's interval of its logarithm.
    Ordered categories are fitted by `mixedsim.clmm`: their thresholds stand first, with Wald intervals.

    Raises
    ------
    DataError
        If the model needs a variable that the population does not show (``observed=False``).
    MixedsimError
        If `population` is none or has an outcome that none of `lmer`, `glmer` and `clmm` fits, or the level does not
        lie between 0 and 1.

    Examples
    --------
    >>> import mixedsim as ms
    >>> recovery = ms.recover(ms.scenarios.therapist_plain(), seed=1)
    >>> recovery.table.loc["depression", ["truth", "estimate", "lower", "upper"]].astype(float).round(2).tolist()
    [3.0, 2.92, 2.81, 3.03]
    """
    if not isinstance(population, Population):
        raise MixedsimError(f"recover needs a Population to draw from, found {type(population).__name__}.")
    check_level(level)
    _check_family(population)
    parsed = population.plan.formula if formula is None else parse(formula)
    _check_observed(population, parsed, own=formula is None)
    sample = population.draw(seed)
    fit, estimates, absent = _fitted(sample, parsed, reml, level)
    known = truth_for(parsed, population.plan.formula, truths_of(sample.truth))
    by = "lmer" if is_linear(population) else "glmer" if clmm_link(population) is None else "clmm"
    return Recovery(
        table=beside_truth({**known, **shape_truth(population)}, estimates),
        fit=fit,
        sample=sample,
        level=level,
        messages=(*fit.messages, *absent),
        notes=notes_on(population, parsed, by),
    )


def _fitted(
    sample: Sample, formula: Formula, reml: bool, level: float
) -> tuple[LinearMixedModel | GeneralizedLinearMixedModel | CumulativeLinkMixedModel, pd.DataFrame, tuple[str, ...]]:
    """The fit, its estimates with intervals, and why some have none."""
    population = sample.population
    if is_linear(population):
        linear = lmer(formula.text, sample.data, reml=reml)
        estimates = estimates_of(linear, level)
        return linear, estimates, without_interval(estimates)
    link = clmm_link(population)
    if link is not None:
        ordinal = clmm(formula.text, sample.data, link=link)
        return ordinal, *clmm_profiled(ordinal, level)
    family = glmer_family(population)
    assert family is not None  # `_check_family` has refused it
    rows, extra = with_offset(sample.data, exposure_of(population))
    fit = glmer(formula.text, rows, family=family, **extra)
    estimates, absent = profiled(fit, level)
    estimates, said = with_shape(estimates, fit, level)
    return fit, estimates, (*absent, *said)


def truths_of(truth: Truth) -> dict[Symbol, float]:
    """The true parameters by (kind, group, term), the index of `wald_intervals`."""
    known: dict[Symbol, float] = {**threshold_truths(truth.population)}
    known |= {("fixed", "", str(name)): float(value) for name, value in truth.fixef.items()}
    for group, first, second, value in truth.varcorr[["group", "term1", "term2", "sd_or_corr"]].itertuples(index=False):
        one = pd.isna(second)
        known[("sd" if one else "corr", group, first if one else f"{first}, {second}")] = float(value)
    if isinstance(truth.sigma, float):  # an expression is another standard deviation in every row
        known["sigma", "", "sigma"] = truth.sigma
    return known


def estimates_of(fit: LinearMixedModel, level: float) -> pd.DataFrame:
    """The estimates of a fitted model with their intervals: `wald_intervals`, with Satterthwaite's df."""
    return wald_intervals(
        fit.design, fit.problem, fit.objective, fit.optimum.profile, fit.variance_parameters, level=level
    )


def beside_truth(truth: Mapping[Symbol, float], estimates: pd.DataFrame) -> pd.DataFrame:
    """The table of a `Recovery` from (kind, group, term) → truth and the frame of `wald_intervals`.

    ``x:z`` and ``z:x``, ``a:b`` and ``b:a``, are one and the same; the population's name is shown.
    """
    true = {parameter_key(symbol): (symbol, value) for symbol, value in truth.items()}
    values = estimates[list(_SHOWN)].to_numpy(dtype=np.float64).tolist()
    found = {parameter_key(symbol): (symbol, row) for symbol, row in zip(estimates.index, values, strict=True)}
    records, names = [], []
    for key in sorted({**true, **found}, key=lambda key: _KINDS.index(key[0])):
        kind, group, term = true[key][0] if key in true else found[key][0]
        value = true[key][1] if key in true else float("nan")
        row = dict(zip(_SHOWN, found[key][1] if key in found else [float("nan")] * len(_SHOWN), strict=True))
        names.append(parameter_name(kind, group, term))
        covered = _covered(value, row["lower"], row["upper"])
        records.append({"truth": value, **row, "covered": covered, "kind": kind, "group": group})
    table = pd.DataFrame(records, index=pd.Index(names, name="parameter"))
    return table.astype({"covered": "boolean"})


def _covered(truth: float, lower: float, upper: float) -> bool | None:
    """Whether the interval holds the truth; None where one of the three does not exist."""
    if np.isnan([truth, lower, upper]).any():
        return None
    return bool(lower <= truth <= upper)


def _check_family(population: Population) -> None:
    """Raise `MixedsimError` if neither `lmer` nor `glmer` nor `clmm` fits the outcome."""
    if is_linear(population) or glmer_family(population) is not None or clmm_link(population) is not None:
        return
    called = population.name or "this population"
    raise MixedsimError(
        f"recover fits what ms.lmer, ms.glmer and ms.clmm fit; {called} has {outcome_words(population)}, which none of "
        "them does."
    )


def _check_observed(population: Population, formula: Formula, *, own: bool) -> None:
    """Raise `DataError` if the model reads a variable that the data will not show."""
    hidden = {name for name, variable in population.variables.items() if not variable.observed}
    exposure = exposure_of(population)
    if exposure in hidden:
        raise DataError(
            f"the exposure {exposure!r} is not observed, so no fit can take it into account: set observed=True."
        )
    used = sorted(formula.variables & hidden)
    if not used:
        return
    names = " and ".join(map(repr, used))
    whose = "the population's own formula" if own else "the formula"
    are = "is not observed" if len(used) == 1 else "are not observed"
    raise DataError(
        f"{whose} uses {names}, which {are}, so no fit can see {'it' if len(used) == 1 else 'them'}: "
        f"give a formula without, such as {_without(formula, hidden)!r}."
    )


def _without(formula: Formula, hidden: set[str]) -> str:
    """The formula with every term left out that reads a hidden variable; an intercept if nothing else would vary."""
    fixed = _visible(formula.fixed, hidden)
    shown = [term for term in formula.terms if not hidden.intersection(term.factors)]
    left = [replace(term, effects=_visible(term.effects, hidden)) for term in shown]
    bars = [term for term in left if term.effects != "0"] or [replace(term, effects="1") for term in left[:1]]
    return f"{formula.response} ~ {' + '.join([fixed, *(bar.text for bar in bars)])}"


def _visible(rhs: str, hidden: set[str]) -> str:
    return written([term for term in fixed_terms(rhs) if not variables_of(written([term])) & hidden])
