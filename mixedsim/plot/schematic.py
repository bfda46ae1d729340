"""What varies in a mixed model, as a drawing: intercepts, slopes, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import special

from mixedsim.errors import MixedsimError
from mixedsim.plot.style import FAINT, INK, LINES, dress, figure_of, look, picture, say

Floats = NDArray[np.float64]
Model = Literal["none", "intercepts", "slopes", "both"]
_TITLES: Final[Mapping[Model, tuple[str, str]]] = {
    "none": ("one line for all", "y ~ x"),
    "intercepts": ("intercepts vary", "y ~ x + (1 | g)"),
    "slopes": ("slopes vary", "y ~ x + (0 + x | g)"),
    "both": ("both vary", "y ~ x + (1 + x | g)"),
}


@dataclass(frozen=True)
class _Given:
    """The parameters, checked when they are put together."""

    intercept: float
    slope: float
    sd_intercept: float
    sd_slope: float
    corr: float
    groups: int

    def __post_init__(self) -> None:
        for name in ("sd_intercept", "sd_slope"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise MixedsimError(f"{name} must be a standard deviation, 0 or more, found {value!r}.")
        if not -1 <= self.corr <= 1:
            raise MixedsimError(f"corr must lie between -1 and 1, found {self.corr!r}.")
        if self.groups < 3:
            raise MixedsimError(f"groups must be at least 3, found {self.groups!r}.")
        if not np.isfinite([self.intercept, self.slope]).all():
            found = f"{self.intercept!r} and {self.slope!r}"
            raise MixedsimError(f"intercept and slope must be finite numbers, found {found}.")


def models(
    kinds: Model | Sequence[Model] = ("intercepts", "slopes", "both"),
    *,
    intercept: float = 10.0,
    slope: float = 1.0,
    sd_intercept: float = 3.0,
    sd_slope: float = 0.6,
    corr: float = 0.0,
    groups: int = 7,
    x: tuple[float, float] = (0.0, 10.0),
    labels: tuple[str, str] = ("x", "y"),
    ax: Axes | None = None,
) -> Figure:
    """Return the diagram of what can vary between groups: one panel a kind of model, all from the same parameters.

    The bold line is the population's, blue where intercepts vary and red where slopes do; thin lines are groups. Their
    deviations are no draws: they stand at normal quantiles and have exactly the standard deviations and the correlation
    that were given, so that a picture shows what the numbers mean.

    Parameters
    ----------
    kinds : ``"none"``, ``"intercepts"``, ``"slopes"``, ``"both"``: one, or several in this order.
    intercept, slope : of the population.
    sd_intercept, sd_slope : standard deviations between groups, 0 or more.
    corr : correlation of intercepts and slopes in ``"both"``, between −1 and 1.
    groups : how many thin lines, at least 3.
    x : where the lines begin and end.
    labels : names of the axes.
    ax : axes for one kind; a new figure if None.

    Raises
    ------
    MixedsimError
        If a kind or a number is none that there is, or `ax` is given for several kinds.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> figure = ms.plot.models(sd_intercept=24.7, sd_slope=5.9, intercept=251, slope=10.5, x=(0, 9))
    >>> [ax.get_title(loc="left").split("\\n")[0] for ax in figure.axes]
    ['intercepts vary', 'slopes vary', 'both vary']
    >>> plt.close(figure)
    """
    chosen = _kinds(kinds)
    given = _Given(intercept, slope, sd_intercept, sd_slope, corr, groups)
    if len(x) != 2 or not x[0] < x[1]:
        raise MixedsimError(f"x must be where the lines begin and end, such as (0, 10), found {x!r}.")
    if ax is not None and len(chosen) > 1:
        raise MixedsimError(f"ax has room for one kind, found {len(chosen)}: draw them one by one, or leave ax out.")
    figure = picture(0.9 + 2.3 * len(chosen), 2.9) if ax is None else figure_of(ax)
    with look():
        grid = figure.subplots(1, len(chosen), sharex=True, sharey=True, squeeze=False).ravel() if ax is None else [ax]
        for panel, kind in zip(grid, chosen, strict=True):
            _draw(panel, kind, given, np.asarray(x, dtype=np.float64))
            panel.set_xlabel(labels[0])
        grid[0].set_ylabel(labels[1])
        spread = _spread(chosen, given)
        if ax is None and spread:
            figure.supxlabel(spread, fontsize=8.5, color=FAINT)
    say(figure, _sentence(chosen, given))
    return figure


def _kinds(kinds: Any) -> list[Model]:
    chosen: list[Any] = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in chosen:
        if kind not in get_args(Model):
            raise MixedsimError(f"kinds may hold {', '.join(map(repr, get_args(Model)))}, found {kind!r}.")
    if not chosen:
        raise MixedsimError("kinds is empty: name one, or leave it out.")
    return chosen


def _lines(kind: Model, given: _Given) -> Floats:
    """Intercept and slope of every group: groups × 2, with exactly these moments (n in the denominator)."""
    one = special.ndtri((np.arange(given.groups) + 0.5) / given.groups)
    one = one / one.std()
    # the same quantiles in another order, without what they share with the first: exactly uncorrelated
    mixed = one[np.argsort(np.sin(2.4 * np.arange(given.groups) + 1.0), kind="stable")]
    if abs(mixed @ one) > 0.9 * given.groups:  # three groups: it is the order that they have, or the reverse
        mixed = np.roll(one, 1)
    other = mixed - (mixed @ one) / given.groups * one
    other = (other - other.mean()) / other.std()
    still = np.zeros(given.groups)
    first = given.sd_intercept * one if kind in ("intercepts", "both") else still
    beside = given.corr * one + np.sqrt(1.0 - given.corr**2) * other if kind == "both" else one
    second = given.sd_slope * beside if kind in ("slopes", "both") else still
    return np.column_stack([given.intercept + first, given.slope + second])


def _draw(ax: Axes, kind: Model, given: _Given, x: Floats) -> None:
    dress(ax)
    title, formula = _TITLES[kind]
    ax.set_title(f"{title}\n{formula}", loc="left", fontsize=9.5, color=INK, linespacing=1.4)
    colour = {"none": LINES["complete"], "intercepts": LINES["intercepts"]}.get(kind, LINES["slopes"]).colour
    if kind != "none":
        lines = _lines(kind, given)
        ax.plot(x, lines[:, 0] + np.outer(x, lines[:, 1]), color=colour, lw=1.1, alpha=0.55, zorder=2)
    ax.plot(x, given.intercept + given.slope * x, color=colour, lw=3.2, zorder=3)


def _spread(chosen: Sequence[Model], given: _Given) -> str:
    parts = []
    if {"intercepts", "both"} & set(chosen):
        parts.append(f"sd of intercepts {given.sd_intercept:g}")
    if {"slopes", "both"} & set(chosen):
        parts.append(f"sd of slopes {given.sd_slope:g}")
    if "both" in chosen:
        parts.append(f"correlation {given.corr:g}".replace("-", "−"))
    return ", ".join(parts)


def _sentence(chosen: Sequence[Model], given: _Given) -> str:
    panels = ", ".join(_TITLES[kind][0] for kind in chosen)
    spread = _spread(chosen, given)
    text = f"Diagram of {len(chosen)} kinds of model ({panels})" if len(chosen) > 1 else f"Diagram of a model: {panels}"
    lines = f"; {given.groups} thin lines, {spread}" if spread else ""
    return f"{text}: the population's line has intercept {given.intercept:g} and slope {given.slope:g}{lines}."
