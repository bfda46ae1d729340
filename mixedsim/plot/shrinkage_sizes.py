"""How much of its own distance from the mean a group keeps, against its number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from mixedsim.listing import counted, listed
from mixedsim.listing import spread as spread_of
from mixedsim.plot.style import FAINT, INK, TRUTH, colour_of, dress
from mixedsim.study.shrinking import Shrinkage

Floats = NDArray[np.float64]
_LOW, _HIGH = -0.08, 1.08  # a share beyond these is an arrow at the edge
_WIDE: Final = 30.0  # largest over smallest group from which on the axis is logarithmic


def draw_sizes(figure: Figure, ax: Axes | None, found: Shrinkage, terms: Sequence[str]) -> str:
    """One panel an effect; returns the sentence for `alt`."""
    kept = found.kept
    across = min(len(terms), 2)
    if ax is None:
        grid = figure.subplots(-(-len(terms) // across), across, sharex=True, sharey=True, squeeze=False).ravel()
        for spare in grid[len(terms) :]:
            spare.remove()
        panels = list(grid[: len(terms)])
    else:
        panels = [ax]
    curve = _has_curve(found)
    for k, (panel, term) in enumerate(zip(panels, terms, strict=True)):
        _draw(panel, found, term, kept[term], curve)
        panel.set_ylabel("share of its distance kept" if k % across == 0 else "")
        if k >= len(terms) - across:
            panel.set_xlabel(f"rows of one {found.group}")
            panel.tick_params(labelbottom=True)
    _legend(panels[0] if ax is not None else figure, found, curve)
    return " ".join(_sentence(found, term, kept[term], curve) for term in terms)


def _has_curve(found: Shrinkage) -> bool:
    """Whether the size alone decides: one intercept, rows that count alike."""
    return list(found.centre.index) == ["Intercept"] and found.fit.design.weights is None


def _draw(ax: Axes, found: Shrinkage, term: str, kept: pd.Series[float], curve: bool) -> None:
    dress(ax)
    sizes = found.sizes.to_numpy(dtype=np.float64)
    share: Floats = np.asarray(kept, dtype=np.float64)
    tau, sigma = float(np.sqrt(max(float(found.covariance.loc[term, term]), 0.0))), found.sigma  # type: ignore[arg-type]
    low, high = float(sizes.min()), float(sizes.max())
    logarithmic = high / low > _WIDE
    ends = (max(low / 1.6, 0.8), high * 1.6) if logarithmic else (0.0, 1.12 * high if high > low else 2.0 * high)
    if logarithmic:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(ScalarFormatter())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for edge in (0.0, 1.0):
        ax.axhline(edge, color=FAINT, lw=0.6, zorder=1)
    colour = colour_of(found.centre.index)
    if curve:
        n = np.geomspace(max(ends[0], 0.05), ends[1], 201) if logarithmic else np.linspace(0.0, ends[1], 201)
        ax.plot(n, n * tau**2 / (n * tau**2 + sigma**2), color=TRUTH.colour, lw=1.6, zorder=2, label="curve")
    else:
        expected = found.reliability[term].to_numpy(dtype=np.float64)
        ax.scatter(sizes, expected, marker="_", s=60, color=TRUTH.colour, lw=1.6, zorder=2).set_gid("reliability")
    size = float(np.clip(1500.0 / len(sizes), 6.0, 30.0))
    inside = np.isfinite(share) & (share >= _LOW) & (share <= _HIGH)
    alpha = 0.85 if len(sizes) <= 60 else 0.5
    ax.scatter(sizes[inside], share[inside], s=size, color=colour, alpha=alpha, lw=0, zorder=4).set_gid("kept")
    for mark, beyond, edge in (("^", share > _HIGH, _HIGH), ("v", share < _LOW, _LOW)):
        if beyond.any():
            ax.scatter(
                sizes[beyond], np.full(int(beyond.sum()), edge), s=size, marker=mark, color=colour, alpha=alpha, lw=0,
                clip_on=False, zorder=4,
            ).set_gid("beyond")  # fmt: skip
    ax.set(xlim=ends, ylim=(_LOW, _HIGH))
    ax.set_title(_title(found, term, tau, share, curve), loc="left", fontsize=8.5, color=INK)


def _title(found: Shrinkage, term: str, tau: float, share: Floats, curve: bool) -> str:
    if tau == 0:
        return f"{term}: τ = 0 (singular fit):\nno group keeps anything"
    numbers = f"τ = {tau:.3g}, σ = {found.sigma:.3g}"
    if curve:
        return f"{term}: λ = τ² / (τ² + σ²/n), {numbers}"
    beyond = int(((share > _HIGH) | (share < _LOW)).sum())
    return f"{term}: {numbers}" + (f"\n{beyond} of {len(share)} beyond 0 and 1, at the edge" if beyond else "")


def _legend(where: Any, found: Shrinkage, curve: bool) -> None:
    colour = colour_of(found.centre.index)
    dot = f"one {found.group}: distance from the mean, partial ÷ no pooling"
    handles = [Line2D([], [], marker="o", color=colour, ls="", ms=5, label=dot)]
    if curve:
        handles.append(Line2D([], [], color=TRUTH.colour, lw=1.6, label="λ by size alone"))
    else:
        dash: Any = {"marker": "_", "color": TRUTH.colour, "ls": "", "ms": 9, "mew": 1.6}
        handles.append(Line2D([], [], label="reliability of the effect alone", **dash))
    if isinstance(where, Axes):
        where.legend(handles=handles, loc="best", fontsize=7.5)
    else:
        where.legend(handles=handles, loc="outside upper center", ncols=2, handletextpad=0.4)


def _sentence(found: Shrinkage, term: str, kept: pd.Series[float], curve: bool) -> str:
    """Alt text: range of shares, the formula where it holds, and who is not drawn."""
    tau2 = float(found.covariance.loc[term, term])  # type: ignore[arg-type]
    sizes = found.sizes
    rows = spread_of(float(sizes.min()), float(sizes.median()), float(sizes.max()), "row")
    known = kept.dropna()
    head = f"Share of their own distance from the mean {term} that {counted(len(kept), 'level')} of {found.group} keep"
    if not len(known):
        return f"{head}: none has a distance."
    low, high = (0.0 if abs(end) < 5e-7 else float(end) for end in (known.min(), known.max()))
    span = f"{low:.2f}" if high - low < 5e-7 else f"{low:.2f} to {high:.2f}"
    said = [f"{head}, of {rows}: {span}"]
    if tau2 <= 0:
        said.append("flat at 0, since the estimated variance is 0 (singular fit)")
    elif curve:
        said.append(f"λ = τ²/(τ² + σ²/n) with τ = {np.sqrt(tau2):.3g} and σ = {found.sigma:.3g}")
    else:
        alone = found.reliability[term].dropna()
        said.append(
            "the actual ratio of partial to no pooling, where the effect's own reliability would be "
            f"{alone.min():.2f} to {alone.max():.2f}"
        )
    beyond = int(((known > _HIGH) | (known < _LOW)).sum())
    if beyond:
        said.append(f"{counted(beyond, 'ratio')} beyond 0 and 1 {'is' if beyond == 1 else 'are'} at the edge")
    lost = kept.index[kept.isna()]
    if len(lost):
        said.append(f"without an estimate of their own: {listed(lost)}")
    return "; ".join(said) + "."
