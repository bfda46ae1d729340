"""Power curves and contours: what is drawn are the numbers of the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import RUNGS


@dataclass
class MadeUp:
    """What the picture needs of a power curve."""

    table: pd.DataFrame
    along: tuple[str, ...]
    alpha: float = 0.05


def curve(analyses=("OLS", "varying intercepts"), parameters=("x",), along=("therapist",), sizes=((40, 5, 20, 10),)):
    """Power that grows with the product of the sizes; points in no order."""
    rng = np.random.default_rng(1)
    records = []
    for point in product(*sizes):
        for k, (analysis, parameter) in enumerate(product(analyses, parameters)):
            number = np.prod([v if isinstance(v, int) else len(v) for v in point]) ** 0.5 / 12
            power = 1 - np.exp(-number * (1 + 0.3 * k))
            records.append(
                {
                    **dict(zip(along, point, strict=True)),
                    "analysis": analysis,
                    "parameter": parameter,
                    "power": power,
                    "power_mcse": 0.01,
                    "lower": power - 0.03,
                    "upper": power + 0.02,
                    "false_positive": rng.uniform(0.03, 0.09),
                    "false_positive_mcse": 0.01,
                }
            )
    return MadeUp(pd.DataFrame(records), along)


def grid(**how):
    return curve(along=("therapist", "size"), sizes=((5, 10, 20, 40), (4, 8, 16)), **how)


def lines(ax, filled):
    """Curves by colour: power has filled marks, false positives hollow ones."""
    marked = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) > 0]
    return {
        line.get_color(): (line.get_xdata().tolist(), line.get_ydata().tolist())
        for line in marked
        if (line.get_markerfacecolor() == line.get_color()) == filled
    }


@pytest.mark.parametrize(("column", "filled"), [("power", True), ("false_positive", False)])
def test_curves_are_the_columns_of_the_table_in_order(column, filled):
    result = curve()
    (ax,) = plot.power(result).axes
    for analysis in ("OLS", "varying intercepts"):
        rows = result.table[result.table["analysis"] == analysis].sort_values("therapist")
        x, y = lines(ax, filled)[RUNGS[analysis]]
        assert (x, y) == (rows["therapist"].tolist(), rows[column].tolist())


def test_bands_are_the_monte_carlo_intervals():
    result = curve(("mixed",))
    (ax,) = plot.power(result).axes
    (band,) = ax.collections
    rows = result.table.sort_values("therapist")
    corners = {tuple(np.round(corner, 9)) for corner in band.get_paths()[0].vertices}
    for end in ("lower", "upper"):
        assert {tuple(np.round(pair, 9)) for pair in rows[["therapist", end]].to_numpy()} <= corners


def test_level_and_target_are_lines():
    (ax,) = plot.power(curve(), target=0.9).axes
    heights = [line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert heights == [0.05, 0.9]
    (without,) = plot.power(curve(), target=None).axes
    assert [line.get_ydata()[0] for line in without.lines if list(line.get_xdata()) == [0, 1]] == [0.05]


def test_one_panel_a_parameter():
    figure = plot.power(curve(("mixed",), ("x", "z")))
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["power for x", "power for z"]


def test_settings_that_are_no_numbers_stand_side_by_side():
    for pairs in (((2, 4), (4, 9)), ([2, 4], [4, 9])):
        (ax,) = plot.power(curve(along=("size",), sizes=(pairs,))).axes
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["(2, 4)", "(4, 9)"]


def test_units_stand_on_the_axis():
    (ax,) = plot.power(curve(), units={"therapist": "number"}).axes
    assert ax.get_xlabel() == "therapist (number)"


def test_contours_go_through_the_points_that_were_simulated():
    result = grid(analyses=("mixed",))
    figure = plot.power(result)
    (ax,) = figure.axes
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    drawn = {(x, y) for x, y in zip(*points.get_data(), strict=True)}
    assert drawn == set(product((5.0, 10.0, 20.0, 40.0), (4.0, 8.0, 16.0)))
    false = result.table["false_positive"]
    title = f"power for x\nfalse positives {100 * false.min():.1f} to {100 * false.max():.1f} %"
    assert ax.get_title(loc="left") == title
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("therapist", "size")


def test_a_contour_lies_where_the_power_is_what_it_says():
    """Along an edge of the grid the power is interpolated between two points."""
    result = grid(analyses=("mixed",))
    edge = result.table[result.table["size"] == 16].sort_values("therapist")
    expected = float(np.interp(0.6, edge["power"], edge["therapist"]))
    (ax,) = plot.power(result, target=0.6).axes
    heavy = [one for one in ax.collections if 2.0 in np.atleast_1d(one.get_linewidth())]
    ends = np.concatenate([path.vertices for path in heavy[0].get_paths()])
    assert ends[np.isclose(ends[:, 1], 16.0)][0, 0] == pytest.approx(expected, rel=1e-6)


def test_alt_text_has_the_ends_the_false_positives_and_the_target():
    result = curve(("mixed",))
    table = result.table.sort_values("power")
    least, most, false = table.iloc[0], table.iloc[-1], table["false_positive"]
    assert plot.power(result, target=0.2).alt == (
        f"x: power from {100 * least['power']:.1f} ± 1.0 % at therapist 5 to {100 * most['power']:.1f} ± 1.0 % at "
        f"therapist 40; false positives {100 * false.min():.1f} % to {100 * false.max():.1f} % where the level is 5 %; "
        "20 % is reached first at therapist 10."
    )
    assert plot.power(result, target=0.99).alt.endswith("99 % is not reached.")


def test_a_point_that_is_missing_from_the_grid_is_a_gap():
    result = grid(analyses=("mixed",))
    (ax,) = plot.power(replace(result, table=result.table.iloc[:-1])).axes
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(points.get_xdata()) == 11


def test_power_curves_of_the_package_are_drawn():
    trial = ms.scenarios.therapist_plain(therapists=6, patients=4).with_(sigma=40)
    found = ms.power_curve(trial, "therapist", [5, 8], parameter="depression", n=30, seed=1)
    (ax,) = plot.power(found).axes
    ((_, drawn),) = lines(ax, filled=True).values()
    assert drawn == found.table["power"].tolist()


@pytest.mark.parametrize(
    ("result", "options", "says"),
    [
        (3, {}, "plot.power draws what mixedsim.power_curve returns, found int"),
        (MadeUp(curve().table.drop(columns="upper"), ("therapist",)), {}, "needs a column 'upper'"),
        (curve(), {"parameter": "y"}, "the power table has no parameter 'y'"),
        (curve(), {"analyses": "naive"}, "the power table has no analysis 'naive'"),
        (curve(), {"target": 80}, "target must lie between 0 and 1, such as 0.8, or be None, found 80"),
        (curve(("a",), ("x", "z")), {"ax": "given"}, "ax has room for one parameter, found 2"),
        (grid(), {"ax": "given"}, "ax has room for one analysis and parameter, found 2"),
        (curve(along=("a", "b"), sizes=((5, 10), (3,))), {}, "at least two values of 'a' and of 'b', found 2 and 1"),
        (curve(along=("a", "b"), sizes=((5, 10), ((1, 2), (2, 3)))), {}, "numbers along both axes, and 'b' is none"),
        (curve(), {"ax": "left"}, "ax must be one matplotlib Axes, found str"),
    ],
)
def test_wrong_input_is_refused_and_leaves_no_figure(result, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.power(result, **options)
    assert not plt.get_fignums()


def test_it_draws_on_given_axes():
    figure, axes = plt.subplots(1, 2)
    assert plot.power(curve(), ax=axes[0]) is figure
    assert plot.power(grid(analyses=("mixed",)), ax=axes[1]) is figure
    assert figure.alt.count("power from") == 3


@pytest.fixture(scope="module")
def trial():
    return ms.scenarios.therapist_plain(therapists=10, patients=5).with_(sigma=40)


@pytest.fixture(scope="module")
def found(trial):
    return ms.find_size(trial, "therapist", 0.6, parameter="depression", seed=1, most=600)


def test_a_search_for_a_size_shows_every_size_that_was_tried(found):
    figure = plot.power(found)
    (ax,) = figure.axes
    marks = {artist.get_gid(): artist for artist in ax.get_children() if artist.get_gid()}
    table = found.table.sort_index()
    points = np.asarray(marks["power"].get_offsets())
    assert points == pytest.approx(np.column_stack([table.index, table["power"]]))
    areas = marks["power"].get_sizes()
    assert areas / areas.max() == pytest.approx((table["n"] / table["n"].max()).to_numpy())
    assert marks["size"].get_xdata()[0] == found.size
    assert marks["interval"].get_x() == pytest.approx(found.lower)
    assert f"therapist = {found.size} for a power of 60 %" in ax.get_title(loc="left")
    assert figure.alt.startswith(found.sentences[0])


def test_a_search_draws_on_given_axes(found):
    figure, ax = plt.subplots()
    assert plot.power(found, ax=ax, units={"therapist": "people"}) is figure
    assert ax.get_xlabel() == "therapist (people)"


def test_a_curve_says_that_its_points_share_random_numbers(trial):
    curve_of_two = ms.power_curve(trial, "therapist", [5, 10], parameter="depression", n=20, seed=1)
    figure = plot.power(curve_of_two)
    assert figure.get_supxlabel() == "all points begin at the same random numbers: the curve is smoother than its band"
    assert figure.alt.endswith("All points begin at the same random numbers: the curve is smoother than its band.")


def test_least_squares_is_black_under_each_of_its_names():
    for name in ("OLS", "ols", "lm", "Least squares"):
        (ax,) = plot.power(curve(analyses=(name, "something else"))).axes
        assert RUNGS["OLS"] in {line.get_color() for line in ax.lines}
