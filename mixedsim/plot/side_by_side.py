"""A model without predictors over its data: groups side by side, in the order of their means."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mixedsim.formula import unquote
from mixedsim.listing import listed
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.predictors import factor_of, observed
from mixedsim.plot.points import cloud
from mixedsim.plot.remarks import in_words, remark
from mixedsim.plot.style import LINES, dress, figure_of, look, picture, say, with_unit

Floats = NDArray[np.float64]
Fit = LinearMixedModel | GeneralizedLinearMixedModel
_NAMED = 20


def side_by_side(fit: Fit, group: str, *, points: bool, units: Mapping[str, str] | None, ax: Axes | None) -> Figure:
    """The picture of `mixedsim.plot.fit` for a model without predictors: a short line a group, at its fitted mean."""
    factor = factor_of(fit.design, group)
    fitted = fit.predict(random=[group]).to_numpy(dtype=np.float64)
    everyone = float(fit.predict(random=False).mean())
    means = np.bincount(factor.codes, weights=fitted) / np.bincount(factor.codes)
    order = np.argsort(means, kind="stable")
    place = np.empty(len(order))
    place[order] = np.arange(len(order))
    response = unquote(fit.design.formula.response)
    figure = picture(5.6, 3.8) if ax is None else figure_of(ax)
    with look():
        alone = ax is None
        ax = figure.add_subplot() if ax is None else ax
        dress(ax)
        said = [cloud(ax, place[factor.codes], observed(fit))] if points else []
        colour = LINES["intercepts"].colour
        label = "population" if isinstance(fit, LinearMixedModel) else f"{listed(fit.n_groups)} in the middle"
        ax.axhline(everyone, color=colour, lw=3.0, zorder=3, label=label)
        ax.hlines(means[order], place[order] - 0.36, place[order] + 0.36, color=colour, lw=1.6, zorder=4,
                  label=f"each {group}")  # fmt: skip
        ax.set_xlim(-0.7, len(order) - 0.3)
        if len(order) <= _NAMED:
            ax.set_xticks(range(len(order)), [str(factor.levels[k]) for k in order])
            ax.set_xlabel(group)
        else:
            ax.set_xticks([])
            ax.set_xlabel(f"{len(order):,} levels of {group}, sorted")
        ax.set_ylabel(with_unit(response, units))
        if alone:
            figure.legend(loc="outside upper center", ncols=2)
        else:
            ax.legend(loc="best")
        said.append(no_variance(fit, group))
        remark(ax, said)
    low, high = float(means.min()), float(means.max())
    say(
        figure,
        f"Fitted {response}: {everyone:.4g} for the population, from {low:.4g} ({factor.levels[order[0]]}) to "
        f"{high:.4g} ({factor.levels[order[-1]]}) in {len(order):,} levels of {group}.{in_words(said)}",
    )
    return figure


def no_variance(fit: Fit, group: str) -> str:
    """Why all groups have one line, where they do; nothing otherwise."""
    if not fit.singular or fit.ranef[group].to_numpy().any():
        return ""
    return f"no {group} differs from the population: the estimated variance is zero"
