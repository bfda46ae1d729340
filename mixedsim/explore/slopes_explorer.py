"""The ellipse of random slopes: two standard deviations and a correlation, as lines and as points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mixedsim.explore.explorer import Explorer
from mixedsim.explore.parts import Axis, Column, Control, Layer, Panel, State, check_whole, grid_values, line, marks
from mixedsim.models import lmer
from mixedsim.plot.ellipses import ellipse
from mixedsim.plot.style import FAINT, LINES, POINT, TRUTH
from mixedsim.simulate import Assigned, Population, Sample
from mixedsim.study.shrinking import Shrinkage, shrinkage_of

Floats = NDArray[np.float64]
_FORMULA: Final = "reaction ~ days + (days | subject)"
_DAYS: Final = 10
_MEAN: Final = (250.0, 10.0)  # about what people do who sleep too little: milliseconds, and milliseconds a day
_SIGMA: Final = 25.0
_SHARE: Final = 0.95  # of the population that the ellipse holds
_THIN: Final = 5  # every fifth point of an ellipse is enough on a page


def random_slopes(
    *,
    sd_intercept: Sequence[float] = (5, 15, 25, 40),
    sd_slope: Sequence[float] = (0, 2, 4, 6, 9),
    corr: Sequence[float] = (-0.9, -0.6, -0.3, 0, 0.3, 0.6, 0.9),
    groups: int = 18,
    seed: int = 11,
) -> Explorer:
    """Return an explorer of varying slopes: move two standard deviations and a correlation, and see lines and ellipse.

    Reaction times of people on ten days without enough sleep, fitted at every setting by ``reaction ~ days + (days |
    subject)``. Left, the line that the model gives to everyone (red), and the mean of all (black). Right, the same
    lines as points, intercept across and slope up: from everyone's own least squares (green ring) to the model's (red),
    with the ellipse that holds 95 % of people, as estimated (red) and in truth (grey dashes).

    Parameters
    ----------
    sd_intercept : standard deviations of intercepts, in ms.
    sd_slope : standard deviations of slopes, in ms a day.
    corr : correlations of the two.
    groups : people.
    seed : of the draws; by default one whose sample is much like its population.

    Raises
    ------
    MixedsimError
        If one of the three is not two different numbers or more, or there are fewer than five groups.

    Examples
    --------
    >>> import mixedsim as ms
    >>> explorer = ms.explore.random_slopes(sd_slope=(3, 6), corr=(-0.6, 0.6))
    >>> [len(explorer.at(corr=corr)["slope"]) for corr in (-0.6, 0.6)]
    [18, 18]
    """
    across = grid_values("sd_intercept", sd_intercept, low=0, high=1000)
    up = grid_values("sd_slope", sd_slope, low=0, high=100)
    correlations = grid_values("corr", corr, low=-0.99, high=0.99)
    groups = check_whole("groups", groups, low=5)
    found = [_state(_population(*place, groups).draw(seed)) for place in product(across, up, correlations)]
    states = np.empty(len(found), dtype=object)
    states[:] = found
    zero = min(range(len(correlations)), key=lambda k: abs(correlations[k]))
    controls = (
        Control("sd_intercept", "sd of intercepts", tuple(across), tuple(f"{v:g} ms" for v in across),
                len(across) // 2),
        Control("sd_slope", "sd of slopes", tuple(up), tuple(f"{v:g} ms a day" for v in up), len(up) // 2),
        Control("corr", "Their correlation", tuple(correlations), tuple(_signed(v) for v in correlations), zero),
    )  # fmt: skip
    return Explorer(
        title="Random slopes: the lines, and the ellipse they come from",
        lead="Move the correlation: with a negative one, lines that start high climb slowly and the fan closes; with a "
        "positive one it opens. With slopes that do not differ, the lines are parallel and the ellipse lies down.",
        controls=controls,
        panels=_panels(found),
        layers=_layers(groups),
        columns=(Column("person", "person"), Column("own intercept", "own_intercept", 1),
                 Column("own slope", "own_slope", 1), Column("intercept in the model", "intercept", 1),
                 Column("slope in the model", "slope", 1)),
        states=states.reshape([len(control.stops) for control in controls]),
    )  # fmt: skip


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+g}".replace("-", "−")


def _population(sd_intercept: float, sd_slope: float, corr: float, groups: int) -> Population:
    return Population(
        _FORMULA, clusters={"subject": groups}, size=_DAYS, variables={"days": Assigned(range(_DAYS))},
        fixef={"Intercept": _MEAN[0], "days": _MEAN[1]},
        ranef={"subject": {"sd": [sd_intercept, sd_slope], "corr": corr}}, sigma=_SIGMA,
    )  # fmt: skip


def _state(sample: Sample) -> State:
    fit = lmer(_FORMULA, sample.data)
    found = shrinkage_of(fit)
    own, model = (table[["Intercept", "days"]].to_numpy(float) for table in (found.none, found.partial))
    centre = found.centre[["Intercept", "days"]].to_numpy(float)
    covariance = found.covariance.to_numpy(float)
    entry: Any = sample.truth.population.ranef["subject"]
    sd, r = np.asarray(entry["sd"], float), sample.truth.varcorr["sd_or_corr"].to_numpy(float)[-1]
    true = np.outer(sd, sd) * np.array([[1.0, r], [r, 1.0]]) if sd.all() else np.diag(sd**2)
    estimated = centre + ellipse(covariance, _SHARE)[::_THIN]
    drawn = np.asarray(_MEAN) + ellipse(true, _SHARE)[::_THIN]
    ends = np.array([0.0, _DAYS - 1.0])
    gaps = np.full(len(own), np.nan)
    estimates = np.sqrt(np.diag(covariance))
    numbers: dict[str, Any] = {
        "person": [f"{level}" for level in found.none.index],
        "own_intercept": own[:, 0].tolist(), "own_slope": own[:, 1].tolist(),
        "intercept": model[:, 0].tolist(), "slope": model[:, 1].tolist(),
        "lines": np.column_stack([model[:, :1] + model[:, 1:] * ends, gaps]).ravel().tolist(),
        "mean": (centre[0] + centre[1] * ends).tolist(),
        "centre_intercept": [centre[0]], "centre_slope": [centre[1]],
        "pull_intercept": np.column_stack([own[:, 0], model[:, 0], gaps]).ravel().tolist(),
        "pull_slope": np.column_stack([own[:, 1], model[:, 1], gaps]).ravel().tolist(),
        "ellipse_intercept": estimated[:, 0].tolist(), "ellipse_slope": estimated[:, 1].tolist(),
        "true_intercept": drawn[:, 0].tolist(), "true_slope": drawn[:, 1].tolist(),
        "rows": sample.data["reaction"].to_list(),
        "sd_intercept": [estimates[0]], "sd_slope": [estimates[1]],
        "corr": [covariance[0, 1] / estimates.prod() if estimates.all() else float("nan")],
    }  # fmt: skip
    return State(numbers, _sentence(numbers, found, singular=fit.singular))


def _sentence(numbers: dict[str, Any], found: Shrinkage, *, singular: bool) -> str:
    slopes = found.partial["days"]
    (across,), (up,), (r,) = (numbers[name] for name in ("sd_intercept", "sd_slope", "corr"))
    correlation = f" and correlation {_signed(round(r, 2))}" if np.isfinite(r) else ""
    flat = " The fit is singular: the ellipse is a line." if singular else ""
    return (
        f"Estimated: intercepts with sd {across:.0f} ms, slopes with sd {up:.1f} ms a day{correlation}; the lines of "
        f"{len(slopes)} people climb by {slopes.min():.1f} to {slopes.max():.1f} ms a day, on average by "
        f"{found.centre['days']:.1f}.{flat}"
    ).replace("-", "−")


def _panels(states: Sequence[State]) -> tuple[Panel, Panel]:
    def ends(*names: str, share: float = 0.0) -> tuple[float, float]:
        values = np.concatenate([np.asarray(state.numbers[name], dtype=float) for state in states for name in names])
        low, high = np.nanquantile(values, [share, 1.0 - share])
        return float(low - 0.03 * (high - low)), float(high + 0.03 * (high - low))

    rows = ends("lines", share=0.002)
    days = Axis("days", -0.3, _DAYS - 0.7, ticks={float(day): f"{day}" for day in range(0, _DAYS, 3)})
    across = ends("own_intercept", "ellipse_intercept", "true_intercept")
    up = ends("own_slope", "ellipse_slope", "true_slope")
    return (
        Panel("Everyone's line", days, Axis("reaction (ms)", *rows)),
        Panel("The same lines as points", Axis("intercept (ms)", *across), Axis("slope (ms a day)", *up)),
    )


def _layers(groups: int) -> tuple[Layer, ...]:
    red, green = LINES["slopes"].colour, LINES["none"].colour
    days = {"x": np.tile(np.arange(float(_DAYS)), groups).tolist()}
    faint = {**marks(POINT, size=4), "opacity": 0.25}
    ends = [0.0, _DAYS - 1.0]
    every = {"x": [x for _ in range(groups) for x in (*ends, None)]}
    return (
        Layer(0, {**faint, **days}, {"y": "rows"}, "a day of a person", "dot"),
        Layer(0, {**line(red, width=1.2), **every}, {"y": "lines"}, "a person's line in the model", "line"),
        Layer(0, {**line(LINES["complete"].colour, width=2.4), "x": ends}, {"y": "mean"}, "the mean line", "line"),
        Layer(1, line(TRUTH.colour, dash="dash"), {"x": "true_intercept", "y": "true_slope"},
              "95 % of people, in truth", "dashes"),
        Layer(1, {**line(red, width=1.6), "fill": "toself", "fillcolor": "rgba(213, 94, 0, 0.06)"},
              {"x": "ellipse_intercept", "y": "ellipse_slope"}),
        Layer(1, line(FAINT, width=1), {"x": "pull_intercept", "y": "pull_slope"}),
        Layer(1, marks(green, size=8, hollow=True), {"x": "own_intercept", "y": "own_slope"},
              "own least squares (no pooling)", "ring"),
        Layer(1, marks(red, size=7), {"x": "intercept", "y": "slope"}, "in the model", "dot"),
        Layer(1, marks(LINES["complete"].colour, "x", size=9), {"x": "centre_intercept", "y": "centre_slope"}),
    )  # fmt: skip
