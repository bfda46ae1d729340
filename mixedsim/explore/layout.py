"""Panels as plotly lays them out: side by side, or below each other where the page is narrow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from mixedsim.explore.parts import Axis, Panel
from mixedsim.plot.style import FAINT, INK, PAPER

_WIDE: Final = 400  # pixels of height, side by side
_NARROW: Final = 330  # of each panel, below each other
_GAP: Final = 0.13  # between panels side by side, of the width
_BETWEEN: Final = 105  # pixels between panels below each other: title, ticks and label of the axis
_MARGINS: Final = {"l": 58, "r": 14, "t": 34, "b": 52}


def layout(panels: Sequence[Panel], *, narrow: bool) -> dict[str, Any]:
    """plotly's layout; the house's look."""
    height = _MARGINS["t"] + _MARGINS["b"] + len(panels) * (_NARROW - 85) + (len(panels) - 1) * _BETWEEN
    out: dict[str, Any] = {
        "height": height if narrow else _WIDE,
        "margin": _MARGINS,
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "font": {"family": "system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif", "size": 13, "color": INK},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "annotations": [],
    }
    for k, panel in enumerate(panels):
        across, up = _domains(k, len(panels), height, narrow=narrow)
        name = "" if k == 0 else str(k + 1)
        out[f"xaxis{name}"] = {**_axis(panel.x), "domain": across, "anchor": f"y{name}"}
        out[f"yaxis{name}"] = {**_axis(panel.y), "domain": up, "anchor": f"x{name}"}
        out["annotations"].append({
            "text": panel.title, "x": across[0], "y": up[1], "xref": "paper", "yref": "paper", "xanchor": "left",
            "yanchor": "bottom", "yshift": 6, "showarrow": False, "align": "left", "font": {"size": 13.5},
        })  # fmt: skip
    return out


def _domains(k: int, count: int, height: int, *, narrow: bool) -> tuple[list[float], list[float]]:
    """What a panel takes of width and height."""
    if not narrow:
        wide = (1.0 - _GAP * (count - 1)) / count
        return [k * (wide + _GAP), min(k * (wide + _GAP) + wide, 1.0)], [0.0, 1.0]
    inner = height - _MARGINS["t"] - _MARGINS["b"]
    gap = _BETWEEN / inner
    tall = (1.0 - gap * (count - 1)) / count
    top = 1.0 - k * (tall + gap)
    return [0.0, 1.0], [max(top - tall, 0.0), top]


def _axis(axis: Axis) -> dict[str, Any]:
    ends = [math.log10(axis.low), math.log10(axis.high)] if axis.log else [axis.low, axis.high]
    ticks: dict[str, Any] = {"nticks": 6}
    if axis.ticks:
        ticks = {"tickmode": "array", "tickvals": list(axis.ticks), "ticktext": list(axis.ticks.values())}
    return {
        "type": "log" if axis.log else "linear", "range": ends, "title": {"text": axis.title, "standoff": 8},
        "showgrid": False, "zeroline": False, "showline": True, "linecolor": FAINT, "ticks": "outside", "ticklen": 4,
        "tickcolor": FAINT, "fixedrange": True, "automargin": False, "tickangle": 0, **ticks,
    }  # fmt: skip
