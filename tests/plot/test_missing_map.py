"""What is missing: patterns, shares and visits are counts of the data."""

from __future__ import annotations

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim import plot


def gappy(seed=1, n=500):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    data.loc[rng.random(n) < 0.3, "b"] = np.nan
    data.loc[rng.random(n) < 0.1, "d"] = np.nan
    data["arm"] = np.where(rng.random(n) < 0.5, "new", "usual")
    return data


def leavers():
    """Eight people, five visits: two leave, one misses a value in between, one visit has no row."""
    rows = [(p, w) for p in range(8) for w in range(5) if not (p == 6 and w > 1) and not (p == 7 and w > 2)]
    data = pd.DataFrame(rows, columns=["person", "week"]).assign(y=1.0)
    data.loc[(data.person == 3) & (data.week == 1), "y"] = np.nan
    return data[~((data.person == 4) & (data.week == 2))]


def mesh(ax, gid):
    (found,) = [c for c in ax.collections if c.get_gid() == gid]
    return np.asarray(found.get_array())


def rows_of(ax):
    return [p for p in ax.patches if p.get_gid() == "rows"]


def test_patterns_are_counted_and_sorted():
    data = gappy()
    figure = plot.missing(data)
    (ax,) = figure.axes
    states = mesh(ax, "patterns").reshape(-1, 2)
    gaps = data[["b", "d"]].isna()
    expected = gaps.value_counts()
    assert [t.get_text().split("\n")[0] for t in ax.get_xticklabels()] == ["b", "d"]
    for state, (pattern, count) in zip(states, expected.items(), strict=True):
        assert tuple(state.astype(bool)) == pattern
        assert f"{count:,}" in {text.get_text() for text in ax.texts}
    widths = np.array([bar.get_width() for bar in rows_of(ax)])
    assert widths / widths[0] == pytest.approx(expected.to_numpy() / expected.iloc[0])
    complete = int((~gaps.any(axis=1)).sum())
    assert f"Missing values in 500 rows: {complete} are complete, {500 - complete} are not, in 3 patterns" in figure.alt
    assert f"missing are b in {100 * gaps.b.mean():.1f} % and d in {100 * gaps.d.mean():.1f} %" in figure.alt
    assert f"most often b alone, in {int((gaps.b & ~gaps.d).sum())} rows" in figure.alt
    assert ax.get_xlabel().endswith("2 of 5 columns")


def test_nothing_missing_is_said():
    figure = plot.missing(ms.datasets.load("sleepstudy"))
    assert figure.alt == "Missing values in 180 rows: none, in 3 columns."
    assert not mesh(figure.axes[0], "patterns").any()


def test_many_patterns_are_cut_and_the_figure_says_so():
    rng = np.random.default_rng(2)
    data = pd.DataFrame(np.where(rng.random((2_000, 10)) < 0.4, np.nan, 1.0), columns=list("abcdefghij"))
    figure = plot.missing(data)
    assert "most frequent patterns are drawn" in figure.alt
    assert len(rows_of(figure.axes[0])) == 20
    assert "patterns" in figure.axes[0].get_xlabel()


def test_shares_by_a_column():
    data = gappy()
    figure = plot.missing(data, "arm")
    (ax,) = figure.axes
    shares = mesh(ax, "shares").reshape(2, 2)
    expected = data[["b", "d"]].isna().groupby(data.arm).mean().T
    assert shares == pytest.approx(expected.to_numpy())
    assert [t.get_text() for t in ax.get_xticklabels()] == ["new", "usual"]
    heights = np.array([abs(bar.get_height()) for bar in rows_of(ax)])
    sizes = data.arm.value_counts().loc[["new", "usual"]].to_numpy()
    assert heights / heights.max() == pytest.approx(sizes / sizes.max())
    first = 100 * expected.loc["b", "new"]
    assert f"b {first:.1f} % at new" in figure.alt
    assert f"{100 * expected.loc['b', 'new']:.0f} %" in {text.get_text() for text in ax.texts}


def test_many_values_are_sorted_by_what_is_missing():
    data = gappy(3, 4_000).assign(site=lambda d: (np.arange(len(d)) % 40).astype(str))
    figure = plot.missing(data, "site", columns="b")
    shares = mesh(figure.axes[0], "shares").ravel()
    assert (np.diff(shares) <= 1e-12).all()
    assert sorted(shares) == pytest.approx(sorted(data.b.isna().groupby(data.site).mean()))
    assert figure.axes[0].get_xlabel() == "40 values of site, sorted by what is missing"


def test_people_who_leave_make_stairs():
    figure = plot.missing(leavers(), ("person", "week"))
    (ax,) = figure.axes
    states = mesh(ax, "visits").reshape(8, 5)
    seen = [0 if not (row == 2).any() else int(np.flatnonzero(row == 2)[-1]) for row in states]
    assert seen == sorted(seen, reverse=True)
    assert (states == 1).sum() == 1
    assert (states == 0).sum() == 3 + 2 + 1
    assert "8 levels of person over 5 values of week: 100.0 % have a complete row at 0, 75.0 % at 4" in figure.alt
    assert "2 of 8 leave before the end" in figure.alt
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["complete", "y missing", "no row"]


def test_dropout_of_a_population():
    sample = ms.scenarios.dropout_trial().draw(seed=1)
    states = mesh(plot.missing(sample, ("patient", "week")).axes[0], "visits").reshape(-1, 5)
    complete = (states == 2).mean(axis=0)
    sizes = sample.data.groupby("week").size() / sample.data.patient.nunique()
    assert complete == pytest.approx(sizes.to_numpy())


def test_many_people_are_sampled_and_the_figure_says_so():
    data = pd.DataFrame([(p, w) for p in range(700) for w in range(3)], columns=["p", "w"]).assign(y=1.0)
    figure = plot.missing(data, ("p", "w"))
    assert "300 are drawn" in figure.alt
    assert figure.axes[0].get_ylabel() == "300 of 700 levels of p, sorted"


def test_a_million_rows_are_quick():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(np.where(rng.random((1_000_000, 6)) < 0.05, np.nan, 1.0), columns=list("abcdef"))
    plot.missing(data.head(100))
    start = time.process_time()
    plot.missing(data).canvas.draw()
    assert time.process_time() - start < 2.0


def test_it_draws_on_given_axes():
    figure, ax = plt.subplots()
    assert plot.missing(gappy(), ax=ax) is figure
    assert plot.missing(gappy(), "arm", ax=ax) is figure


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "Arm"}, "the data have no column 'Arm': did you mean 'arm'"),
        ({"by": ["a", "b", "c"]}, "by takes one column, or a unit and a time, found 3"),
        ({"by": []}, "by takes one column, or a unit and a time, found 0"),
        ({"columns": "e"}, "the data have no column 'e'"),
        ({"columns": []}, "columns is empty"),
        ({"ax": 3}, "ax must be one matplotlib Axes"),
    ],
)
def test_mistakes_are_named(options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.missing(gappy(), **options)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_data_without_rows_are_refused():
    with pytest.raises(ms.MixedsimError, match="the data have no rows"):
        plot.missing(pd.DataFrame({"a": []}))
    with pytest.raises(ms.MixedsimError, match="no other column than by"):
        plot.missing(pd.DataFrame({"a": [1.0, 2.0]}), "a")
