"""The shrinkage explorer: what a group keeps of its own mean, and what decides about it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.explore.explorer import Explorer
from mixedsim.explore.parts import Axis, Column, Control, Layer, Panel, State, check_whole, grid_values, line, marks
from mixedsim.listing import counted, unbroken
from mixedsim.models import LinearMixedModel, lmer
from mixedsim.plot.style import FAINT, LINES, TRUTH
from mixedsim.simulate import Population, Sample, Sizes
from mixedsim.study.shrinking import shrinkage_of

Floats = NDArray[np.float64]
_MEAN: Final = 50.0
_FORMULA: Final = "score ~ 1 + (1 | school)"
_UNEVEN: Final = 3.0  # the smallest school has a third of the middle number of pupils, the largest three times it
_CURVE: Final = 24  # points of each curve
_MOST: Final = 150  # pupils at the right end of the curves


def shrinkage(
    *,
    tau: Sequence[float] = (0, 1, 2, 3, 5, 8),
    sigma: Sequence[float] = (2, 4, 6, 9),
    sizes: Sequence[int] = (3, 6, 12, 30),
    groups: int = 16,
    seed: int = 56,
) -> Explorer:
    """Return an explorer of partial pooling: move τ, σ and the sizes of groups, and see what every group keeps.

    Scores of pupils in schools. At every setting the same schools and pupils are drawn, only further apart or closer
    together, and ``score ~ 1 + (1 | school)`` is fitted to them by REML. Left, the mean of every school (green ring)
    and what the model makes of it (blue); right, the share of its distance from the mean of all that a school keeps,
    λ = τ² / (τ² + σ²/n), with the estimated τ and σ (blue) and the true ones (grey dashes).

    Parameters
    ----------
    tau : standard deviations between schools, in points.
    sigma : standard deviations between pupils of a school.
    sizes : pupils of a school in the middle; all have as many, or from a third to three times as many.
    groups : schools.
    seed : of the draws; by default one whose sample is much like its population.

    Raises
    ------
    MixedsimError
        If `tau`, `sigma` or `sizes` are not two different numbers or more, or there are fewer than five groups.

    Examples
    --------
    >>> import mixedsim as ms
    >>> explorer = ms.explore.shrinkage(tau=(2, 4), sigma=(4, 6), sizes=(5, 20))
    >>> few, many = (explorer.at(size=n, spread="equal")["kept"][0] for n in (5, 20))
    >>> few < many
    True
    """
    taus = grid_values("tau", tau, low=0, high=100)
    sigmas = grid_values("sigma", sigma, low=0.1, high=100)
    middles = [int(n) for n in grid_values("sizes", sizes, low=2, high=500, whole=True)]
    groups, spreads = check_whole("groups", groups, low=5), ("equal", "uneven")
    # Schools stand in the order of their true means, which no setting changes: a reader's eye can follow each.
    effects = _population(1.0, 1.0, middles[0], "equal", groups, seed).draw(seed).truth.ranef["school"]["Intercept"]
    order = np.argsort(effects.to_numpy(), kind="stable")
    found = [
        _state(_population(*place, groups, seed).draw(seed), place[0], place[1], order)
        for place in product(taus, sigmas, middles, spreads)
    ]
    states = np.empty(len(found), dtype=object)
    states[:] = found
    controls = (
        Control("tau", "τ, sd between schools", tuple(taus), tuple(f"{v:g} points" for v in taus), len(taus) // 2),
        Control("sigma", "σ, sd within a school", tuple(sigmas), tuple(f"{v:g} points" for v in sigmas),
                len(sigmas) // 2),
        Control("size", "Pupils of the middle school", tuple(middles), tuple(f"{n}" for n in middles), 1),
        Control("spread", "Sizes of schools", spreads, ("equal", "uneven, ⅓ to 3 times"), 1),
    )  # fmt: skip
    return Explorer(
        title="Shrinkage: how much of its own mean does a group keep?",
        lead="Make schools more alike (τ to the left), pupils more different (σ to the right), or schools smaller: "
        "the blue dots leave the green rings for the black line.",
        controls=controls,
        panels=_panels(found, groups, max(_MOST, int(_UNEVEN * middles[-1]))),
        layers=_layers(groups),
        columns=(Column("school", "school"), Column("pupils", "n", 0), Column("its own mean", "raw"),
                 Column("partially pooled", "partial"), Column("share kept, λ", "kept"),
                 Column("true mean", "truth")),
        states=states.reshape([len(control.stops) for control in controls]),
    )  # fmt: skip


def _population(tau: float, sigma: float, middle: int, spread: str, groups: int, seed: int) -> Population:
    times = np.geomspace(1 / _UNEVEN, _UNEVEN, groups) if spread == "uneven" else np.ones(groups)
    mixed = np.random.default_rng(seed).permutation(times)  # sizes have nothing to do with scores
    rows = [int(n) for n in np.maximum(np.rint(middle * mixed), 1)]
    return Population(
        _FORMULA, clusters={"school": groups}, size=Sizes(rows), fixef={"Intercept": _MEAN},
        ranef={"school": {"sd": tau}}, sigma=sigma,
    )  # fmt: skip


def _state(sample: Sample, tau: float, sigma: float, order: NDArray[np.intp]) -> State:
    """What is drawn of a sample; `order`: places of the schools from bottom to top."""
    fit = lmer(_FORMULA, sample.data)
    found = shrinkage_of(fit)
    true = (sample.truth.ranef["school"]["Intercept"] + _MEAN).rename(index=str)
    by_name = {
        "raw": found.none["Intercept"], "partial": found.partial["Intercept"],
        "kept": found.reliability["Intercept"], "n": found.sizes,
    }  # fmt: skip
    table = pd.DataFrame({name: one.rename(index=str) for name, one in by_name.items()}).assign(truth=true).iloc[order]
    centre, variance = float(found.centre["Intercept"]), float(found.covariance.to_numpy()[0, 0])
    n = np.geomspace(1.0, max(_MOST, float(table["n"].max())), _CURVE)
    gaps = np.full(len(table), np.nan)
    numbers: dict[str, Any] = {
        "school": table.index.to_list(),
        **{str(name): table[name].to_list() for name in table},
        "pull": np.column_stack([table["raw"], table["partial"], gaps]).ravel().tolist(),
        "mean": [centre, centre],
        "tau": [variance**0.5],
        "sigma": [fit.sigma],
        "curve": (variance / (variance + fit.sigma**2 / n)).tolist(),
        "true_curve": (tau**2 / (tau**2 + sigma**2 / n)).tolist(),
        "along": n.tolist(),
    }
    return State(numbers, unbroken(_sentence(table, fit, centre, variance**0.5)))


def _sentence(table: pd.DataFrame, fit: LinearMixedModel, centre: float, tau: float) -> str:
    said = f"Estimated τ is {tau:.1f} and σ {fit.sigma:.1f}"
    if fit.singular:
        return f"{said}: the model sees no difference between schools, and each gets the mean of all, {centre:.1f}."
    kept, n = table["kept"].to_numpy(np.float64), table["n"].to_numpy(np.int64)
    moved = (table["raw"] - table["partial"]).abs().to_numpy(np.float64)
    least, most, first = int(n.argmin()), int(n.argmax()), int(moved.argmax())
    if n[least] == n[most]:
        shares = f"each school, with {counted(n[most], 'pupil')}, keeps {100 * kept[most]:.0f} %"
    else:
        shares = (
            f"the smallest school ({counted(n[least], 'pupil')}) keeps {100 * kept[least]:.0f} % and the largest "
            f"({counted(n[most], 'pupil')}) {100 * kept[most]:.0f} %"
        )
    return (
        f"{said}: {shares} of its distance from the mean of all, {centre:.1f}; school {table.index[first]} moves most, "
        f"by {moved[first]:.1f} points."
    )


def _panels(states: Sequence[State], groups: int, most: int) -> tuple[Panel, Panel]:
    ends = np.concatenate([state.numbers[name] for state in states for name in ("raw", "truth")])
    low, high = float(ends.min()), float(ends.max())
    room = 0.03 * (high - low)
    up = Axis("school, by true mean", 0.3, groups + 0.7, ticks={1.0: "lowest", float(groups): "highest"})
    ticks = {float(n): f"{n}" for n in (1, 3, 10, 30, 100, 300, 1000) if n <= most}
    return (
        Panel("Every school's mean", Axis("score (points)", low - room, high + room), up),
        Panel("Share that is kept", Axis("pupils", 0.8, 1.1 * most, log=True, ticks=ticks), Axis("λ", -0.03, 1.03)),
    )


def _layers(groups: int) -> tuple[Layer, ...]:
    rank = np.arange(1.0, groups + 1.0)
    none, partial = LINES["none"].colour, LINES["intercepts"].colour
    threes = {"y": np.repeat(rank, 3).tolist(), "connectgaps": False}
    still = {"y": rank.tolist()}
    ends = {"y": [0.3, groups + 0.7]}
    return (
        Layer(0, {**line(LINES["complete"].colour, width=1.5), **ends}, {"x": "mean"}, "mean of all", "line"),
        Layer(0, {**line(FAINT, width=1.2), **threes}, {"x": "pull"}),
        Layer(0, {**marks(TRUTH.colour, "diamond", size=8), **still}, {"x": "truth"}, "true mean", "diamond"),
        Layer(0, {**marks(none, size=10, hollow=True), **still}, {"x": "raw"}, "its own mean (no pooling)", "ring"),
        Layer(0, {**marks(partial, size=9), **still}, {"x": "partial"}, "partially pooled", "dot"),
        Layer(
            1,
            line(TRUTH.colour, width=3.5, dash="dash"),
            {"x": "along", "y": "true_curve"},
            "λ of the true τ and σ",
            "dashes",
        ),
        Layer(1, line(partial, width=1.6), {"x": "along", "y": "curve"}, "λ of the estimates", "line"),
        Layer(1, marks(partial, size=8), {"x": "n", "y": "kept"}),
    )  # fmt: skip
