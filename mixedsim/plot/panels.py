"""What panels of a diagnosis share: a question with its verdict, a cloud of points, a curve in its band."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.envelopes import Envelope
from mixedsim.inference.verdict import Verdict
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.diagnosis import Diagnosis
from mixedsim.plot.style import FAINT, INK, PAPER, POINT, SEVERAL, colour_of

Floats = NDArray[np.float64]
OUTER, INNER = "#e9e5dc", "#d3cdbf"  # simultaneous and pointwise band
DEPARTS = SEVERAL[0]
_DENSE = 5_000  # points beyond which a cloud is binned
_WIDTH = 47  # letters of a line below a title


def diagnosis_of(fit: Any, seed: Any, name: str) -> Diagnosis:
    """The diagnosis of a fitted model, or the one that is given."""
    if isinstance(fit, Diagnosis):
        return fit
    if not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
        raise MixedsimError(
            f"plot.{name} draws a model fitted by lmer or glmer, or what its diagnose() returned, found "
            f"{type(fit).__name__}."
        )
    return fit.diagnose(seed=seed)


def colour_of_fit(diagnosis: Diagnosis) -> str:
    """Blue, or red where slopes vary."""
    return colour_of(effect for factor in diagnosis.fit.design.factors for effect in factor.effects)


def ask(ax: Axes, question: str, verdict: Verdict | None) -> None:
    """A panel's title: what is asked, and below it what is answered, on at most two lines."""
    # all panels leave room for two lines, so that those of a row stand at one height
    ax.set_title(question, loc="left", fontsize=10.0, color=INK, pad=27.0)
    if verdict is None:
        return
    mark = {True: "✓ ", False: "✗ ", None: ""}[verdict.fine]
    said = (mark + verdict.sentence).replace("p = ", "p\u00a0=\u00a0").replace("p < ", "p\u00a0<\u00a0")
    text = "\n".join(_wrapped(said))
    ax.annotate(
        text, (0.0, 1.0), xycoords="axes fraction", xytext=(0, 25), textcoords="offset points", fontsize=8.5,
        color=INK if verdict.fine is False else FAINT, weight="bold" if verdict.fine is False else "normal", ha="left",
        va="top",
    )  # fmt: skip


def _wrapped(text: str) -> list[str]:
    """Two lines; what is too long for them loses its middle, not its p-value."""
    lines = textwrap.wrap(text, _WIDTH)
    if len(lines) <= 2:
        return lines
    head, _, p = text.rpartition(" (")
    room = 2 * _WIDTH - len(p) - 6
    return textwrap.wrap(f"{textwrap.shorten(head, room, placeholder=' …')} ({p}", _WIDTH)[:2]


def short(name: str, most: int = 20) -> str:
    """A name that fits into a title."""
    return name if len(name) <= most else f"{name[: most - 8]}…{name[-7:]}"


def cloud(ax: Axes, x: Floats, y: Floats) -> bool:
    """Points, or their numbers in small cells where there are many; whether cells were drawn."""
    if len(x) <= _DENSE:
        size = float(np.clip(2500.0 / len(x), 3.0, 16.0))
        ax.scatter(x, y, s=size, color=POINT, alpha=0.45, lw=0, zorder=3)
        return False
    count, at_x, at_y = np.histogram2d(x, y, bins=(90, 70))
    shown = np.ma.masked_equal(count.T, 0.0)
    # the darkest cell stays grey, so that lines and bands show on it
    scale = LogNorm(0.2, 30.0 * max(float(count.max()), 1.0))
    ax.pcolormesh(at_x, at_y, shown, cmap="Greys", norm=scale, zorder=0.5, rasterized=True)
    return True


def band(ax: Axes, x: Floats, envelope: Envelope) -> None:
    """Where curves of a right model lie: at each point (inner), and anywhere (outer)."""
    ax.fill_between(x, envelope.low, envelope.high, color=OUTER, lw=0, zorder=1)
    ax.fill_between(x, envelope.lower, envelope.upper, color=INNER, lw=0, zorder=2)


def remark(ax: Axes, text: str) -> None:
    """A small remark in the lower right corner."""
    ax.annotate(
        text, (1.0, 0.0), xycoords="axes fraction", xytext=(-3, 3), textcoords="offset points", fontsize=7.5,
        color=FAINT, ha="right", va="bottom", zorder=6,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.0},
    )  # fmt: skip


def empty(ax: Axes, verdict: Verdict) -> None:
    """A panel that has nothing to show, and says why."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.text(
        0.0, 0.95, "\n".join(textwrap.wrap(verdict.words, 42)), transform=ax.transAxes, fontsize=8.5, color=FAINT,
        ha="left", va="top",
    )  # fmt: skip
