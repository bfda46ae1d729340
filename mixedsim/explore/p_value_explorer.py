"""The p-value explorer: how often five tests of a treatment of whole groups find what is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from mixedsim.inference.shares import Share, per_cent
from mixedsim.listing import unbroken
from mixedsim.plot.style import LINES, RUNGS, SEVERAL, TRUTH
from mixedsim.simulate import Assigned, Population
from mixedsim.study import Analysis
from mixedsim.study.studying import study

Floats = NDArray[np.float64]
_ALPHA: Final = 0.05
_BINS: Final = 20
_MIXED: Final = "score ~ treated + (1 | clinic)"


@dataclass(frozen=True)
class _Test:
    key: str
    label: str
    analysis: Analysis
    colour: str
    symbol: str
    mark: Any


_TESTS: Final = (
    _Test("ols", "rows, without groups (OLS)", Analysis("score ~ treated"), RUNGS["OLS"], "square", "square"),
    _Test("z", "mixed model, z", Analysis(_MIXED, ddf="wald"), SEVERAL[3], "triangle-up", "triangle"),
    _Test("satterthwaite", "mixed model, Satterthwaite", Analysis(_MIXED), LINES["intercepts"].colour, "circle",
          "dot"),
    _Test("kr", "mixed model, Kenward-Roger", Analysis(_MIXED, ddf="kenward-roger"), RUNGS["within-between"], "x",
          "cross"),
    _Test("means", "t test of group means", Analysis("score ~ treated", aggregate="clinic"), RUNGS["group means"],
          "diamond", "diamond"),
)  # fmt: skip


def p_values(
    *,
    clusters: Sequence[int] = (4, 6, 10, 20, 40),
    icc: Sequence[float] = (0, 0.05, 0.1, 0.2, 0.4),
    size: int = 10,
    n: int = 500,
    seed: int = 1,
) -> Explorer:
    """Return an explorer of false positives: move clusters and intraclass correlation, and compare five tests.

    Half of the clinics are treated, and the treatment does nothing. At every setting `n` trials are drawn and analysed
    in five ways: least squares of all rows, a mixed model with z, with Satterthwaite's and with Kenward-Roger's degrees
    of freedom, and a t test of the clinics' means. Left, how often p falls below 0.05, with exact 95 % Monte-Carlo
    intervals; right, the p-values of one test, which would be level if it kept its promise.

    Parameters
    ----------
    clusters : clinics, half of them treated.
    icc : intraclass correlations: share of the variance that lies between clinics.
    size : patients of a clinic.
    n : trials at every setting.
    seed : of the draws.

    Raises
    ------
    MixedsimError
        If `clusters` or `icc` are not two different numbers or more, or there are fewer than ten trials.

    Examples
    --------
    >>> import mixedsim as ms
    >>> explorer = ms.explore.p_values(clusters=(6, 20), icc=(0.1, 0.4), n=50)
    >>> explorer.at(clusters=20, icc=0.4)["ols"] > 0.3
    True
    """
    counts = [int(g) for g in grid_values("clusters", clusters, low=4, high=1000, whole=True)]
    shares = grid_values("icc", icc, low=0, high=0.95)
    size, n = check_whole("size", size, low=2), check_whole("n", n, low=10)
    cells = {(g, rho): _p_values(g, rho, size, n, seed) for rho, g in product(shares, counts)}
    states = np.empty((len(counts), len(shares), len(_TESTS)), dtype=object)
    for (i, g), (j, rho) in product(enumerate(counts), enumerate(shares)):
        along = [cells[one, rho] for one in counts]
        for k, test in enumerate(_TESTS):
            states[i, j, k] = _state(along, counts, g, rho, test, n)
    controls = (
        Control("clusters", "Clinics", tuple(counts), tuple(f"{g}" for g in counts), 1),
        Control("icc", "Intraclass correlation", tuple(shares), tuple(f"{rho:g}" for rho in shares), len(shares) // 2),
        Control("test", "Histogram of", tuple(test.key for test in _TESTS),
                tuple(test.label for test in _TESTS), 0),
    )  # fmt: skip
    return Explorer(
        title="False positives: how often does a test find what is not there?",
        lead="The treatment of whole clinics does nothing, so that 5 % of tests should say otherwise. Raise the "
        "correlation within clinics: rows that are not independent deceive the first test. With few clinics z does it "
        "too.",
        controls=controls,
        panels=_panels(cells, counts),
        layers=_layers(),
        columns=(
            Column("test", "test"), Column("clinics", "table_clusters", 0), Column("% below 0.05", "table_rate", 1),
            Column("from", "table_low", 1), Column("to", "table_high", 1),
        ),
        states=states,
    )  # fmt: skip


def _p_values(clusters: int, icc: float, size: int, n: int, seed: int) -> dict[str, Floats]:
    """p-values of the treatment, by test; NaN where a fit failed."""
    population = Population(
        _MIXED, clusters={"clinic": clusters}, size=size,
        variables={"treated": Assigned([0, 1], level="clinic")}, fixef={"Intercept": 20, "treated": 0},
        ranef={"clinic": {"sd": float(np.sqrt(icc))}}, sigma=float(np.sqrt(1.0 - icc)),
    )  # fmt: skip
    found = study(population, {test.key: test.analysis for test in _TESTS}, n, seed).replicates
    tested = found[(found["parameter"] == "treated").to_numpy()]
    return {test.key: tested.loc[(tested["analysis"] == test.key).to_numpy(), "p"].to_numpy(float) for test in _TESTS}


def _rate(p: Floats) -> tuple[float, float, float]:
    """How often p lies below 0.05, with its exact Monte-Carlo interval."""
    known = p[np.isfinite(p)]
    share = Share(int((known < _ALPHA).sum()), len(known))
    return share.value, *share.interval()


def _state(
    along: Sequence[Mapping[str, Floats]], counts: Sequence[int], clusters: int, icc: float, test: _Test, n: int
) -> State:
    at = list(counts).index(clusters)
    rates = {one.key: np.array([_rate(cell[one.key]) for cell in along]) for one in _TESTS}
    p = along[at][test.key]
    known = p[np.isfinite(p)]
    bins = np.bincount(np.minimum((known * _BINS).astype(int), _BINS - 1), minlength=_BINS) / len(known)
    numbers: dict[str, Any] = {
        "bins": bins.tolist(), "colours": [test.colour] * _BINS, "here": [clusters, clusters],
    }  # fmt: skip
    for k, one in enumerate(_TESTS):
        rate, low, high = (100 * rates[one.key]).T
        x = beside(counts, k, len(_TESTS))
        numbers |= {
            one.key: [rate[at] / 100], f"{one.key}_x": x, f"{one.key}_rate": rate.tolist(),
            f"{one.key}_above": (high - rate).tolist(), f"{one.key}_below": (rate - low).tolist(),
            f"{one.key}_low": low.tolist(), f"{one.key}_high": high.tolist(),
        }  # fmt: skip
    table = pd.concat([
        pd.DataFrame({"clusters": counts, "test": one.label, "rate": rates[one.key][:, 0],
                      "low": rates[one.key][:, 1], "high": rates[one.key][:, 2]})
        for one in _TESTS
    ])  # fmt: skip
    here = table[(table["clusters"] == clusters).to_numpy()]
    rest = table[(table["clusters"] != clusters).to_numpy()].sort_values("clusters", kind="stable")
    table = pd.concat([here, rest])
    numbers |= {
        "test": table["test"].to_list(), "table_clusters": table["clusters"].to_list(),
        **{f"table_{name}": (100 * table[name]).to_list() for name in ("rate", "low", "high")},
    }  # fmt: skip
    said = "; ".join(f"{one.label} {per_cent(rates[one.key][at, 0])}" for one in _TESTS)
    lost = f" {n - len(known)} fits failed and are not counted." if len(known) < n else ""
    alt = (
        f"{clusters} clinics, intraclass correlation {icc:g}: of {n:,} trials without an effect, p lies below 0.05 in: "
        f"{said}.{lost} The histogram is that of {test.label}: {per_cent(float(bins[0]))} lie in the first of {_BINS} "
        f"bins, where {per_cent(1 / _BINS, 0)} should."
    )
    return State(numbers, unbroken(alt))


def _panels(cells: Mapping[tuple[int, float], Mapping[str, Floats]], counts: Sequence[int]) -> tuple[Panel, Panel]:
    most = 100 * max(_rate(p)[2] for cell in cells.values() for p in cell.values())
    first = max(float(np.mean(p[np.isfinite(p)] < 1 / _BINS)) for cell in cells.values() for p in cell.values())
    ticks = {float(g): f"{g}" for g in counts}
    ends = {0.05: "0.05", 0.25: "0.25", 0.5: "0.5", 0.75: "0.75", 1.0: "1"}
    return (
        Panel("False positives", Axis("clinics", counts[0] / 1.3, counts[-1] * 1.3, log=True, ticks=ticks),
              Axis("p below 0.05 (% of trials)", 0.0, 1.04 * most)),
        Panel("p-values of the chosen test", Axis("p", 0.0, 1.0, ticks=ends),
              Axis("share of trials", 0.0, 1.04 * first)),
    )  # fmt: skip


def _layers() -> tuple[Layer, ...]:
    dashed = line(TRUTH.colour, dash="dash")
    layers = [
        Layer(0, {**line("#d9d9d9", width=14), "y": [0.0, 100.0]}, {"x": "here"}),
        Layer(0, {**dashed, "x": [0.1, 1e5], "y": [100 * _ALPHA] * 2}, {}, "what 5 % promises", "dashes"),
    ]
    for test in _TESTS:
        look = {**line(test.colour, width=1.2), **marks(test.colour, test.symbol, size=8), **bars(test.colour)}
        bound = {
            "x": f"{test.key}_x", "y": f"{test.key}_rate", "error_y.array": f"{test.key}_above",
            "error_y.arrayminus": f"{test.key}_below",
        }  # fmt: skip
        layers.append(Layer(0, {**look, "mode": "lines+markers"}, bound, test.label, test.mark))
    middle = ((np.arange(_BINS) + 0.5) / _BINS).tolist()
    faces: dict[str, Any] = {"opacity": [1.0] + [0.35] * (_BINS - 1), "line": {"color": "#ffffff", "width": 1}}
    histogram: dict[str, Any] = {"type": "bar", "x": middle, "width": [1 / _BINS] * _BINS, "marker": faces}
    layers.append(Layer(1, histogram, {"y": "bins", "marker.color": "colours"}))
    layers.append(Layer(1, {**dashed, "x": [0.0, 1.0], "y": [1 / _BINS] * 2}, {}))
    return tuple(layers)
