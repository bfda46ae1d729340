"""Draws recovery.png, the picture at the top of the README: `python book/images/make_recovery.py`.

A confounder that nobody measured: where its trace, the price, is left out of the model, the slope of depression misses
the truth; where it is in, everything comes back. The same seed always gives the same picture.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

import mixedsim as ms
from mixedsim.plot.style import FAINT, PAPER, SEVERAL, TRUTH, dress, look, picture

TARGET = Path(__file__).with_name("recovery.png")
SEED = 21
CLINIC = ms.scenarios.therapist_confounder(therapists=200, patients=3)
MODELS = {
    "without price": "anxiety ~ depression + sex + (1 | therapist)",
    "with price": CLINIC.formula,
}


def slopes(ax: Axes, found: dict[str, ms.Recovery]) -> None:
    """What one sees: the patients, and the slope of depression that each model and the truth put through them."""
    data = found["with price"].sample.data
    ax.scatter(data["depression"], data["anxiety"], s=7, color="#cdc9c1", lw=0, rasterized=True)
    middle = data[["depression", "anxiety"]].mean()
    x = np.quantile(data["depression"], [0.002, 0.998])
    lines = [(name, one.table.loc["depression", "estimate"], SEVERAL[k]) for k, (name, one) in enumerate(found.items())]
    lines.append((TRUTH.label, CLINIC.fixef["depression"], TRUTH.colour))
    for name, slope, colour in lines:
        y = middle["anxiety"] + slope * (x - middle["depression"])
        dashes = TRUTH.dashes if name == TRUTH.label else "-"
        ax.plot(x, y, color=colour, lw=2.0, ls=dashes, zorder=3 + (name == TRUTH.label))
    ax.set(xlabel="depression (points)", ylabel="anxiety (points)")
    for row, (name, slope, colour) in enumerate(sorted(lines, key=lambda line: line[1])):
        shade = FAINT if name == TRUTH.label else colour
        y = 0.04 + 0.075 * row
        ax.text(0.80, y, name, transform=ax.transAxes, ha="right", fontsize=9, color=shade)
        ax.text(0.985, y, f"{slope:.2f}", transform=ax.transAxes, ha="right", fontsize=9, color=shade)


def main() -> None:
    """Draw and write the picture."""
    mpl.use("agg")
    found = {name: ms.recover(CLINIC, seed=SEED, formula=formula) for name, formula in MODELS.items()}
    figure = picture(9.6, 3.7)
    with look():
        left, right = figure.subplots(1, 2, width_ratios=[1, 1.05])
        dress(left)
        slopes(left, found)
        ms.plot.recovery(found, ax=right)
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    figure.savefig(TARGET, dpi=125, facecolor=PAPER, metadata={"Software": None, "Description": figure.alt})


if __name__ == "__main__":
    main()
