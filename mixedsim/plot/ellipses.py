"""Ellipses of two normal variables: the smallest area that holds a share of them, also where it has no area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from mixedsim.plot.style import INK, PAPER

Floats = NDArray[np.float64]
_AROUND = 181  # points of a line around
_FLAT = 1e-6  # an axis this small beside the other, or beside what is drawn: the ellipse is a line, or a point


def ellipse(covariance: Floats, share: float) -> Floats:
    """The line (m × 2) around the middle 0 inside which lies a share of a bivariate normal distribution.

    Its squared Mahalanobis distance is the quantile of χ² with 2 degrees of freedom, −2 log(1 − share).
    """
    values, vectors = np.linalg.eigh(_scaled(covariance)[0])
    turn = np.linspace(0.0, 2.0 * np.pi, _AROUND)
    half = np.sqrt(-2.0 * np.log1p(-share)) * np.sqrt(values.clip(min=0.0))
    around = np.column_stack([half[0] * np.cos(turn), half[1] * np.sin(turn)]) @ vectors.T
    return np.asarray(around * _scaled(covariance)[1], dtype=np.float64)


def dimensions(covariance: Floats) -> int:
    """2 for an ellipse, 1 where it is a line, 0 where it is a point."""
    correlation, sd = _scaled(covariance)
    varies = int((sd > 0).sum())
    if varies < 2:
        return varies
    return 1 if np.linalg.eigvalsh(correlation)[0] < _FLAT else 2


def _scaled(covariance: Floats) -> tuple[Floats, Floats]:
    """Correlations and standard deviations: units must not decide what counts as flat."""
    sd = np.sqrt(np.diag(covariance).clip(min=0.0))
    unit = np.where(sd > 0, sd, 1.0)
    return covariance / np.outer(unit, unit), sd


def draw_ellipses(ax: Axes, centre: Floats, covariance: Floats, shares: Sequence[float], colour: str) -> None:
    """Ellipses around a centre, the share written on each; nothing where there is no more than a point."""
    flat = dimensions(covariance)
    if flat == 0:
        return
    for share in sorted(shares):
        line = centre + ellipse(covariance, share)
        if flat == 2:
            ax.fill(line[:, 0], line[:, 1], color=colour, alpha=0.06, lw=0, zorder=1)
        (drawn,) = ax.plot(line[:, 0], line[:, 1], color=INK, lw=1.0, zorder=5.5)
        drawn.set_gid(f"ellipse {share:g}")
        x, y = line[int(np.argmax(line[:, 1]))]
        how: Any = {"ha": "center", "va": "bottom", "fontsize": 7.5, "color": INK, "zorder": 6}
        said = ax.annotate(f"{100 * share:g} %", (x, y), (0, 2), textcoords="offset points", **how)
        said.set_path_effects([withStroke(linewidth=2.5, foreground=PAPER)])  # readable on a cloud of points
