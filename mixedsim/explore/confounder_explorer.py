"""The confounder explorer: a cause that belongs to the group, and three slopes that know more or less about it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.explore.explorer import Explorer
from mixedsim.explore.parts import (
    Axis,
    Column,
    Control,
    Layer,
    Panel,
    State,
    bars,
    beside,
    check_whole,
    grid_values,
    line,
    marks,
)
from mixedsim.plot.style import INK, POINT, RUNGS, TRUTH
from mixedsim.simulate import ClusterMean, Normal, Population
from mixedsim.study import Study
from mixedsim.study.studying import study

Floats = NDArray[np.float64]
_SLOPE: Final = 3.0
_ANALYSES: Final = {
    "OLS": "anxiety ~ depression",
    "varying intercepts": "anxiety ~ depression + (1 | therapist)",
    "within-between": "anxiety ~ depression + depression_mean + (1 | therapist)",
}
_KEYS: Final = {"OLS": "ols", "varying intercepts": "vi", "within-between": "wb"}
_SHOWN: Final = (12, 8)  # therapists, and patients of each, whose points are drawn
_MIDDLE: Final = (0.025, 0.975)  # the bars hold so much of what data sets gave


def confounder(
    *,
    sizes: Sequence[int] = (2, 5, 10, 20, 50),
    strengths: Sequence[float] = (0, 3, 6, 9, 12),
    groups: int = 30,
    n: int = 100,
    seed: int = 1,
) -> Explorer:
    """Return an explorer of a confounder between groups: move its strength and the size of groups.

    Patients of therapists; one point of depression truly adds 3 points of anxiety. Therapists in poor districts have
    more depressed patients, and poverty, which nobody measured, also lowers anxiety, by so many points a standard
    deviation as `strengths` say. At every setting `n` data sets are drawn and fitted: by least squares without groups
    (black), with varying intercepts (blue), and with the therapist's mean as a second predictor (within-between, plum).
    Left, one data set with its three slopes; right, the mean slope of all, and the bar that holds the middle 95 % of
    them, for every size.

    Parameters
    ----------
    sizes : patients of a therapist.
    strengths : effects of the confounder on anxiety, in points a standard deviation.
    groups : therapists.
    n : data sets at every setting.
    seed : of the draws.

    Raises
    ------
    MixedsimError
        If `sizes` or `strengths` are not two different numbers or more, or there are fewer than five groups or data
        sets.

    Examples
    --------
    >>> import mixedsim as ms
    >>> explorer = ms.explore.confounder(sizes=(5, 20), strengths=(0, 9), n=20)
    >>> [round(explorer.at(strength=9, size=20)[name]) for name in ("ols", "vi", "wb")]
    [0, 3, 3]
    """
    rows = [int(m) for m in grid_values("sizes", sizes, low=2, high=500, whole=True)]
    effects = grid_values("strengths", strengths, low=0, high=100)
    groups, n = check_whole("groups", groups, low=5), check_whole("n", n, low=5)
    cells = {
        (effect, m): _Cell(study(_population(effect, m, groups), dict(_ANALYSES), n, seed))
        for effect, m in product(effects, rows)
    }
    states = np.empty((len(effects), len(rows)), dtype=object)
    for (j, effect), (k, m) in product(enumerate(effects), enumerate(rows)):
        states[j, k] = _state([cells[effect, one] for one in rows], rows, m, effect, n)
    points = ["none" if v == 0 else f"{v:g} points per sd" for v in effects]
    controls = (
        Control("strength", "Strength of the confounder", tuple(effects), tuple(points), len(effects) // 2),
        Control("size", "Patients of a therapist", tuple(rows), tuple(f"{m}" for m in rows), len(rows) // 2),
    )
    return Explorer(
        title="A confounder between groups: which slope can be trusted?",
        lead="Strengthen the confounder: the black slope leaves the truth, and may change its sign. Then make groups "
        "larger: the blue slope comes back, the black one never does, and the plum one was never gone.",
        controls=controls,
        panels=_panels(cells, rows),
        layers=_layers(),
        columns=(Column("patients", "sizes", 0), *(
            Column(f"{name}: {heading}", f"{_KEYS[name]}_{what}")
            for name in _ANALYSES
            for heading, what in (("mean slope", "mean"), ("2.5 %", "low"), ("97.5 %", "high"))
        )),
        states=states,
    )  # fmt: skip


def _population(effect: float, size: int, groups: int) -> Population:
    return Population(
        "anxiety ~ depression + poverty + (1 | therapist)", clusters={"therapist": groups}, size=size,
        variables={
            "poverty": Normal(0, 1, level="therapist", observed=False),
            "depression": Normal("8 + 1.5 * poverty", 1.5),
            "depression_mean": ClusterMean("depression"),
        },
        fixef={"Intercept": 40, "depression": _SLOPE, "poverty": -effect},
        ranef={"therapist": {"sd": 1}}, sigma=4,
    )  # fmt: skip


class _Cell:
    """What a study of one setting found: slopes by analysis, and its first data set."""

    def __init__(self, found: Study) -> None:
        frame = found.replicates
        slopes = frame[(frame["parameter"] == "depression").to_numpy()]
        self.first: pd.DataFrame = found.sample(0).data
        self.slopes: dict[str, Floats] = {
            name: slopes.loc[(slopes["analysis"] == name).to_numpy(), "estimate"].to_numpy(float) for name in _ANALYSES
        }

    def summary(self, name: str) -> tuple[float, float, float]:
        known = self.slopes[name][np.isfinite(self.slopes[name])]
        low, high = np.quantile(known, _MIDDLE)
        return float(known.mean()), float(low), float(high)


def _state(along: Sequence[_Cell], rows: Sequence[int], size: int, effect: float, n: int) -> State:
    cell = along[list(rows).index(size)]
    data = cell.first
    some = data["therapist"].unique()[: _SHOWN[0]]
    shown = data[data["therapist"].isin(some)].groupby("therapist", sort=False, observed=True).head(_SHOWN[1])
    means = data.groupby("therapist", sort=False, observed=True)[["depression", "anxiety"]].mean()
    x, y = float(data["depression"].mean()), float(data["anxiety"].mean())
    ends = np.array([data["depression"].min(), data["depression"].max()])
    numbers: dict[str, Any] = {
        "x": shown["depression"].to_list(), "y": shown["anxiety"].to_list(),
        "mean_x": means["depression"].to_list(), "mean_y": means["anxiety"].to_list(),
        "ends": ends.tolist(), "sizes": list(rows),
        "truth": (y + _SLOPE * (ends - x)).tolist(),
    }  # fmt: skip
    for k, (name, key) in enumerate(_KEYS.items()):
        slope = float(cell.slopes[name][0])
        summaries = np.array([one.summary(name) for one in along])
        here = cell.summary(name)
        numbers |= {
            key: [here[0]], f"{key}_slope": [slope], f"{key}_line": (y + slope * (ends - x)).tolist(),
            f"{key}_mean": summaries[:, 0].tolist(), f"{key}_low": summaries[:, 1].tolist(),
            f"{key}_high": summaries[:, 2].tolist(), f"{key}_at": beside([size], k, len(_KEYS)),
            f"{key}_along": beside(rows, k, len(_KEYS)),
            f"{key}_above": (summaries[:, 2] - summaries[:, 0]).tolist(),
            f"{key}_below": (summaries[:, 0] - summaries[:, 1]).tolist(),
        }  # fmt: skip
    slopes = ", ".join(f"{name} {numbers[key][0]:.2f}" for name, key in _KEYS.items())
    strength = f"a confounder of {effect:g} points a standard deviation" if effect else "no confounder"
    alt = (
        f"With {size} patients of each therapist and {strength}, the mean slope of {n} data sets is: {slopes}; the "
        f"truth is {_SLOPE:g}. In the data set shown it is {numbers['ols_slope'][0]:.2f}, "
        f"{numbers['vi_slope'][0]:.2f} and {numbers['wb_slope'][0]:.2f}."
    )
    return State(numbers, alt.replace("-0.", "−0.").replace(" -", " −"))


def _panels(cells: dict[tuple[float, int], _Cell], rows: Sequence[int]) -> tuple[Panel, Panel]:
    first = pd.concat([cell.first for cell in cells.values()], ignore_index=True)
    across, up = ((float(first[name].min()), float(first[name].max())) for name in ("depression", "anxiety"))
    ends = np.array([cell.summary(name) for cell in cells.values() for name in _ANALYSES])
    low, high = float(ends.min()), float(ends.max())
    room = 0.05 * (high - low)
    sizes = Axis("patients of a therapist", rows[0] / 1.3, rows[-1] * 1.3, log=True,
                 ticks={float(m): f"{m}" for m in rows})  # fmt: skip
    return (
        Panel("One data set", Axis("depression (points)", *across), Axis("anxiety (points)", *up)),
        Panel("Mean slope of many data sets", sizes, Axis("slope (points a point)", low - room, high + room)),
    )


def _layers() -> tuple[Layer, ...]:
    colours = {key: RUNGS[name] for name, key in _KEYS.items()}
    names = {"ols": "OLS, without groups", "vi": "varying intercepts", "wb": "within-between"}
    symbols = {"ols": "square", "vi": "circle", "wb": "diamond"}
    points: dict[str, Any] = {**marks(POINT, size=5), "opacity": 0.35}
    layers = [
        Layer(0, points, {"x": "x", "y": "y"}, "a patient (some are shown)", "dot"),
        Layer(0, marks(INK, size=8, hollow=True), {"x": "mean_x", "y": "mean_y"}, "mean of a therapist", "ring"),
        Layer(0, line(TRUTH.colour, dash="dash"), {"x": "ends", "y": "truth"}, "the true slope", "dashes"),
    ]
    for key, colour in colours.items():
        layers.append(Layer(0, line(colour), {"x": "ends", "y": f"{key}_line"}))
    true: dict[str, Any] = {**line(TRUTH.colour, dash="dash"), "x": [0.5, 2000], "y": [_SLOPE, _SLOPE]}
    layers.append(Layer(1, true, {}))
    for key, colour in colours.items():
        look = {
            **line(colour, width=1.5),
            **marks(colour, symbols[key], size=6),
            **bars(colour),
            "mode": "lines+markers",
        }
        bound = {
            "x": f"{key}_along", "y": f"{key}_mean", "error_y.array": f"{key}_above",
            "error_y.arrayminus": f"{key}_below",
        }  # fmt: skip
        layers.append(Layer(1, {**look, "mode": "lines+markers"}, bound, names[key], "line"))
    for key, colour in colours.items():
        layers.append(Layer(1, marks(colour, symbols[key], size=13), {"x": f"{key}_at", "y": key}))
    return tuple(layers)
