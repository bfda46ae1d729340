"""The intraclass correlation as what it is: the correlation of two draws from one cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.columns import model_columns
from mixedsim.errors import MixedsimError, nearest
from mixedsim.formula import unquote
from mixedsim.inference.pairs_within import expected_correlation, pair_correlation, pairs_between, pairs_within
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.ellipses import draw_ellipses
from mixedsim.plot.style import FAINT, INK, LINES, POINT, SEVERAL, dress, figure_of, look, picture, say, with_unit
from mixedsim.simulate import Population, Sample
from mixedsim.simulate.covariance import covariances

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_MOST: Final = 1_500  # pairs
_REACH: Final = 3.4  # standard deviations


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two draws from one cluster, and two from different ones, around the fixed part.

    Attributes
    ----------
    group : the grouping factor.
    same, apart : m × 2 values.
    expected : the correlation that the model expects of `same`.
    sd : of one draw, as the model has it.
    what, unit_of : of what values the axes are, and the name whose unit they have.
    possible : how many pairs from one cluster there are; 0 if they were simulated.
    single : whether `expected` is the intraclass correlation of a model with one random intercept.
    """

    group: str
    same: Floats
    apart: Floats
    expected: float
    sd: float
    what: str
    unit_of: str
    possible: int
    single: bool


def icc(
    source: LinearMixedModel | GeneralizedLinearMixedModel | Population | Sample,
    *,
    group: str | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return pairs of draws from one cluster, whose correlation is the intraclass correlation, beside pairs from two.

    Each point is two rows of one cluster (left) or of two (right), around the fixed part: y − Xβ. The ellipse holds
    95 % of such pairs if the model is right; the blue line is what is expected of the second draw given the first, with
    the ICC as its slope. With one random intercept the correlation is the adjusted ICC, τ² / (τ² + σ²). With other
    factors, or random slopes, it is the mean covariance of the pairs drawn over their mean variance.

    Of a fit the rows are the data; of a population one sample, drawn with seed 1. Of a fit with crossed factors, whose
    pairs would differ by the same few levels of the other one each time, draws are simulated from the model; so they
    are of a generalised model, on the scale of its link, with the residual variance that `fit.icc` has. Up to 1,500
    pairs are drawn.

    Parameters
    ----------
    source : a fit, a population with a Gaussian response, or a sample of one.
    group : grouping factor; the one with most levels if None.
    units : units for the axis labels.
    ax : axes for the pairs from one cluster; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is neither, has no such factor, or no cluster has two rows.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.icc(fit, units={"Reaction": "ms"})
    >>> figure.alt.split(";")[0]
    '810 pairs of rows from one Subject: their correlation is 0.58, and the model has an ICC of 0.59'
    >>> plt.close(figure)
    """
    found = _pairs(source, group)
    figure = picture(6.8, 3.7) if ax is None else figure_of(ax)
    with look():
        axes = list(figure.subplots(1, 2, sharex=True, sharey=True)) if ax is None else [ax]
        parts = [(found.same, found.expected, "same"), (found.apart, 0.0, "different")][: len(axes)]
        for panel, (values, expected, which) in zip(axes, parts, strict=True):
            _draw(panel, found, values, expected, which, units)
        if ax is None:
            axes[1].set_ylabel("")
    say(figure, _sentence(found, both=ax is None))
    return figure


def _pairs(source: Any, group: str | None) -> Pairs:
    if isinstance(source, GeneralizedLinearMixedModel):
        return _simulated(source, _known(group, list(source.n_groups)), f"{source.link} scale")
    if isinstance(source, LinearMixedModel):
        return _of_fit(source, _known(group, list(source.n_groups)))
    if isinstance(source, Population | Sample):
        return _of_population(source, group)
    raise MixedsimError(f"plot.icc draws a fitted mixed model, or a population, found {type(source).__name__}.")


def _known(group: str | None, groups: list[str]) -> str:
    if group is None:
        return groups[0]
    if group not in groups:
        raise MixedsimError(f"there is no grouping factor {group!r}: {nearest(group, groups)}")
    return group


def _of_fit(fit: LinearMixedModel, group: str) -> Pairs:
    rows = fit.design.rows
    if any(not _holds(one.codes, _codes(fit, group)) for one in fit.design.factors):
        return _simulated(fit, group, unquote(fit.design.formula.response))
    factors = []
    around = np.array(fit.residuals(), dtype=np.float64)
    for factor in fit.design.factors:
        columns = [np.broadcast_to(c, rows) for term in factor.terms for c in term.columns.columns]
        z = np.column_stack(columns)
        around += (z * fit.ranef[factor.name].to_numpy(dtype=np.float64)[factor.codes]).sum(axis=1)
        factors.append((factor.codes, z, fit.covariances[factor.name].to_numpy(dtype=np.float64)))
    weights = fit.design.weights
    residual = fit.sigma**2 if weights is None else fit.sigma**2 / weights
    number = [factor.name for factor in fit.design.factors].index(group)
    single = len(factors) == 1 and fit.design.factors[0].effects == ("Intercept",) and weights is None
    return _drawn(group, around, factors, residual, number, unquote(fit.design.formula.response), single=single)


def _codes(fit: LinearMixedModel | GeneralizedLinearMixedModel, group: str) -> Codes:
    return next(factor.codes for factor in fit.design.factors if factor.name == group)


def _holds(outer: Codes, inner: Codes) -> bool:
    """Whether every level of one factor lies in one level of the other."""
    both = inner.astype(np.int64) * (int(outer.max()) + 1) + outer
    return len(np.unique(both)) == len(np.unique(inner))


def _of_population(source: Population | Sample, group: str | None) -> Pairs:
    truth = (source if isinstance(source, Sample) else source.draw(seed=1)).truth
    plan = truth.population.plan
    if truth.sigma is None:
        raise MixedsimError(
            "plot.icc draws responses with residuals, and this population's have none: fit the model with ms.glmer, "
            "and draw the fit."
        )
    if not plan.terms:
        raise MixedsimError("the population has no random effects: no two of its rows are alike.")
    name = _known(group, list(truth.ranef))
    frame = truth.complete.join(truth.hidden)
    fixed = model_columns(plan.formula.fixed, frame).dot(np.array(list(truth.fixef), dtype=np.float64))
    around = truth.linear_predictor.to_numpy(dtype=np.float64) + truth.residuals.to_numpy(dtype=np.float64) - fixed
    known = covariances(truth.population.ranef)
    factors, number = [], 0
    for one, term in enumerate(plan.terms):
        codes = frame.groupby(list(term.factors), sort=False, observed=True).ngroup().to_numpy().astype(np.intp)
        columns = model_columns(term.rhs, frame).columns
        z = np.column_stack([np.broadcast_to(column, len(frame)) for column in columns])
        sds, corr = np.array(known[term.group].sd), np.array(known[term.group].corr)
        names = list(plan.effects[term.group].names)
        own = [names.index(effect) for effect in term.names]
        factors.append((codes, z, (np.outer(sds, sds) * corr)[np.ix_(own, own)]))
        number = one if term.group == name else number
    sigma = truth.sigma
    residual = float(np.var(truth.residuals)) if isinstance(sigma, str) else float(sigma or 0.0) ** 2
    single = len(factors) == 1 and tuple(plan.terms[0].names) == ("Intercept",)
    return _drawn(name, around, factors, residual, number, plan.response.name, single=single)


def _drawn(
    group: str,
    around: Floats,
    factors: list[tuple[Codes, Floats, Floats]],
    residual: Floats | float,
    number: int,
    response: str,
    *,
    single: bool,
) -> Pairs:
    """Pairs of rows that exist."""
    codes = factors[number][0]
    sizes = np.bincount(codes).astype(np.int64)
    possible = int((sizes * (sizes - 1) // 2).sum())
    if not possible:
        raise MixedsimError(f"no level of {group!r} has two rows: there are no pairs to draw.")
    one, other = pairs_within(codes, _MOST)
    first, second = pairs_between(codes, min(_MOST, len(one)))
    variance = np.mean(residual) + sum(float(((z @ cov) * z).sum(axis=1).mean()) for _, z, cov in factors)
    return Pairs(
        group=group,
        same=np.column_stack([around[one], around[other]]),
        apart=np.column_stack([around[first], around[second]]),
        expected=expected_correlation(one, other, factors, residual),
        sd=float(np.sqrt(variance)),
        what=response,
        unit_of=response,
        possible=possible,
        single=single,
    )


def _simulated(fit: LinearMixedModel | GeneralizedLinearMixedModel, group: str, what: str) -> Pairs:
    """Pairs simulated from the model: the same level of the factor, and of those that hold it, and no other's."""
    variances = fit.variance_parts.of_groups("all")
    codes = _codes(fit, group)
    common = [one.name for one in fit.design.factors if _holds(one.codes, codes)]
    own = sum(variances[name] for name in common)
    rest = fit.variance_parts.residual + sum(v for name, v in variances.items() if name not in common)
    rng = np.random.default_rng(1)
    shared = np.sqrt(own) * rng.standard_normal((3, _MOST))
    alone = np.sqrt(rest) * rng.standard_normal((3, _MOST))
    return Pairs(
        group=group,
        same=np.column_stack([shared[0] + alone[0], shared[0] + alone[1]]),
        apart=np.column_stack([shared[1] + alone[1], shared[2] + alone[2]]),
        expected=own / (own + rest) if own + rest > 0 else float("nan"),
        sd=float(np.sqrt(own + rest)),
        what=what,
        unit_of=what,
        possible=0,
        single=len(common) == 1 and all(one.effects == ("Intercept",) for one in fit.design.factors),
    )


def _draw(ax: Axes, found: Pairs, values: Floats, expected: float, which: str, units: Mapping[str, str] | None) -> None:
    dress(ax)
    size, strength = float(np.clip(4000.0 / max(len(values), 1), 4.0, 12.0)), 0.35 if len(values) > 300 else 0.6
    dots = ax.scatter(values[:, 0], values[:, 1], s=size, color=POINT, alpha=strength, lw=0, zorder=3)
    dots.set_gid("pairs")
    reach = _REACH * found.sd
    ax.plot([-reach, reach], [-reach * expected, reach * expected], color=LINES["intercepts"].colour, lw=1.6, zorder=5)
    covariance = found.sd**2 * np.array([[1.0, expected], [expected, 1.0]])
    draw_ellipses(ax, np.zeros(2), covariance, [0.95], SEVERAL[1])
    outer = float(np.abs(found.same).max(initial=0.0))
    end = 1.05 * max(reach if outer > reach else min(reach, 1.1 * max(outer, 2.6 * found.sd)), 1e-12)
    ax.set(xlim=(-end, end), ylim=(-end, end))
    ax.set_aspect("equal")
    around = with_unit(found.what, {found.what: (units or {}).get(found.unit_of, "")})
    ax.set_xlabel(f"first: {around}, around Xβ" if found.possible else f"first, {around}")
    ax.set_ylabel(f"second: {around}, around Xβ" if found.possible else f"second, {around}")
    title = f"two draws, {which} {found.group}"
    if which == "same":
        title += f"\n{'ICC' if found.single else 'correlation expected'} {expected:.2f}, of these {_observed(values)}"
    else:
        title += f"\ncorrelation expected 0, of these {_observed(values)}"
    ax.set_title(title, loc="left", fontsize=9.0, color=INK)
    ax.axhline(0.0, color=FAINT, lw=0.5, zorder=1)
    ax.axvline(0.0, color=FAINT, lw=0.5, zorder=1)


def _observed(values: Floats) -> str:
    return f"{pair_correlation(values[:, 0], values[:, 1]) + 0.0:.2f}".replace("-0.00", "0.00")


def _sentence(found: Pairs, *, both: bool) -> str:
    observed = _observed(found.same)
    m = len(found.same)
    if not found.possible:
        head = f"{m:,} pairs of draws from one {found.group}, simulated from the model ({found.what})"
    elif m < found.possible:
        head = f"{m:,} of {found.possible:,} pairs of rows from one {found.group}"
    else:
        head = f"{m:,} pairs of rows from one {found.group}"
    model = (
        f"the model has an ICC of {found.expected:.2f}" if found.single else f"the model expects {found.expected:.2f}"
    )
    said = [f"{head}: their correlation is {observed}, and {model}"]
    if found.expected == 0:
        said.append(
            "the estimated variance between clusters is 0, so that two rows of one are no more alike than others"
        )
    if both:
        said.append(f"of pairs from two it is {_observed(found.apart)}")
    return "; ".join(said) + "."
