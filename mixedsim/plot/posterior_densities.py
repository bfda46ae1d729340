"""What the data say about each parameter, as the density of posterior draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.kernel_density import kernel_density
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.posterior import Posterior
from mixedsim.plot.parameter_panels import (
    TruthLike,
    bounds_of,
    colour_of_parameter,
    estimates_of,
    label,
    panels,
    reach_of,
    sheet_size,
    true_values,
)
from mixedsim.plot.style import INK, PAPER, TRUTH, dress, figure_of, look, picture, say

Floats = NDArray[np.float64]
_CHAINS: Final = 8  # more are not drawn one by one


def posterior(
    posterior: Posterior,
    which: str | Sequence[str] | None = None,
    *,
    fit: LinearMixedModel | None = None,
    level: float = 0.95,
    truth: TruthLike | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the posterior density of each parameter, with its interval, the chains, the estimate and the truth.

    The thick bar holds half of the draws, the thin one a share of `level`, equal tails; the ring is the median. Faint
    lines are the single chains: they lie on each other if these have mixed. Densities are kernel estimates; that of a
    standard deviation ends at 0.

    Parameters
    ----------
    posterior : what `fit.posterior()` returned.
    which : parameters; all if None.
    fit : the model, for its estimates: a cross.
    level : of the interval.
    truth : the sample that was fitted, its truth, or true values by name: a dashed grey line.
    units : units of the parameters, by name.
    ax : axes for one parameter; a new figure if None.

    Raises
    ------
    MixedsimError
        If it is no posterior, has no such parameter, or `ax` is given for several.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> figure = ms.plot.posterior(fit.posterior(200, chains=2, seed=1), "Days", fit=fit)
    >>> figure.alt.split(" between")[0]
    'Posterior of Days: 95 % of 400 draws'
    >>> plt.close(figure)
    """
    if not isinstance(posterior, Posterior):
        raise MixedsimError(f"plot.posterior draws what fit.posterior() returns, found {type(posterior).__name__}.")
    if fit is not None and not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(f"fit must be the fitted model, found {type(fit).__name__}.")
    check_level(level)
    names = _names(posterior, which)
    if ax is not None and len(names) > 1:
        raise MixedsimError(f"ax has room for one parameter, found {len(names)}: name one, or leave ax out.")
    known, estimates = true_values(truth), {} if fit is None else estimates_of(fit)
    figure = picture(*sheet_size(len(names))) if ax is None else figure_of(ax)
    with look():
        axes = panels(figure, len(names)) if ax is None else [ax]
        for panel, name in zip(axes, names, strict=True):
            _draw(panel, name, posterior.chains[name], level, estimates.get(name), known.get(name))
            label(panel, name, units)
        if ax is None:
            _legend(figure, level, estimates, any(name in known for name in names))
    say(figure, " ".join(_sentence(posterior, name, level, estimates.get(name), known.get(name)) for name in names))
    return figure


def _names(posterior: Posterior, which: str | Sequence[str] | None) -> list[str]:
    known = [str(name) for name in posterior.draws.columns]
    names = known if which is None else [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in known:
            raise MixedsimError(f"the posterior has no parameter {name!r}: {nearest(name, known)}")
    if not names:
        raise MixedsimError("which is empty: name parameters, or leave it out.")
    return names


def _draw(ax: Axes, name: str, chains: Floats, level: float, estimate: float | None, truth: float | None) -> None:
    dress(ax)
    colour = colour_of_parameter(name)
    flat = chains.ravel()
    x, height = kernel_density(flat, *bounds_of(name))
    if len(x):
        ax.fill_between(x, 0.0, height, color=colour, alpha=0.16, lw=0, zorder=1)
        ax.plot(x, height, color=colour, lw=1.6, zorder=3)
        if 1 < len(chains) <= _CHAINS:
            for chain in chains:
                ax.plot(*kernel_density(chain, *bounds_of(name)), color=colour, lw=0.6, alpha=0.5, zorder=2)
    top = float(height.max()) if len(x) else 1.0
    base = -0.07 * top
    wide = np.quantile(flat, [0.5 - level / 2.0, 0.5 + level / 2.0])
    ax.plot(wide, [base, base], color=colour, lw=1.4, zorder=4)
    ax.plot(np.quantile(flat, [0.25, 0.75]), [base, base], color=colour, lw=4.2, zorder=4)
    ax.plot([float(np.median(flat))], [base], "o", color=colour, mfc=PAPER, ms=5, mew=1.3, zorder=5)
    if truth is not None:
        ax.axvline(truth, color=TRUTH.colour, lw=TRUTH.width, ls=TRUTH.dashes, zorder=2)
    if estimate is not None:
        ax.plot([estimate], [0.0], "+", color=INK, ms=9, mew=1.6, zorder=6)
    ax.set_xlim(reach_of(flat, estimate, truth))
    ax.set_ylim(2.0 * base, 1.1 * top)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def _legend(figure: Figure, level: float, estimates: Mapping[str, float], with_truth: bool) -> None:
    handles: list[Any] = [Line2D([], [], color=INK, lw=1.4, label=f"{100 * level:g} % (thick: 50 %), median",
                                 marker="o", mfc=PAPER, ms=5)]  # fmt: skip
    if estimates:
        handles.append(Line2D([], [], color=INK, marker="+", ls="", ms=9, mew=1.6, label="estimate of the fit"))
    if with_truth:
        handles.append(Line2D([], [], color=TRUTH.colour, ls=TRUTH.dashes, label=TRUTH.label))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))


def _sentence(posterior: Posterior, name: str, level: float, estimate: float | None, truth: float | None) -> str:
    """Alt text: interval, median, estimate, truth."""
    draws = posterior.draws[name].to_numpy(dtype=np.float64)
    lower, upper = np.quantile(draws, [0.5 - level / 2.0, 0.5 + level / 2.0])
    said = [
        f"Posterior of {name}: {100 * level:g} % of {len(draws):,} draws between {lower:.4g} and {upper:.4g}, "
        f"median {np.median(draws):.4g}"
    ]
    if estimate is not None:
        said.append(f"the fit's estimate is {estimate:.4g}")
    if truth is not None:
        said.append(f"its truth, {truth:.4g}, lies {'inside' if lower <= truth <= upper else 'outside'}")
    return "; ".join(said) + "."
