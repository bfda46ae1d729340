"""Nested and crossed groups: tiles are counts, boxes are units, and what is not drawn is said."""

from __future__ import annotations

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.structure_tiles import tiles_of
from mixedsim.plot.structure_tree import tree_of


def tiles(ax):
    """The mesh as rows × columns."""
    (mesh,) = [c for c in ax.collections if c.get_gid() == "tiles"]
    return mesh.get_array().reshape(len(ax.get_yticks()) or -1, len(ax.get_xticks()) or 1)


def bars(ax):
    return [-patch.get_height() for patch in ax.patches if patch.get_gid() == "rows"]


def boxes(ax, name):
    (found,) = [c for c in ax.collections if c.get_gid() == f"units {name}"]
    return found.get_paths()


def random_table(seed, n=4_000, students=400, teachers=80):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"s": rng.integers(0, students, n).astype(str), "t": rng.integers(0, teachers, n).astype(str)})


def test_crossed_groups_are_tiles():
    figure = plot.structure(ms.datasets.load("Penicillin"))
    (ax,) = figure.axes
    assert tiles(ax).shape == (24, 6)
    assert (tiles(ax) > 0).all()
    assert [t.get_text() for t in ax.get_xticklabels()] == list("ABCDEF")
    assert ax.get_title(loc="left") == "plate crossed with sample: all 144 combinations, 1 row each"


def test_nested_groups_are_a_tree():
    figure = plot.structure(ms.datasets.load("Pastes"))
    (ax,) = figure.axes
    assert len(boxes(ax, "batch")) == 10
    assert len(boxes(ax, "sample")) == 30
    assert len(bars(ax)) == 30
    assert len(set(bars(ax))) == 1
    assert (
        "sample is nested in batch: 30 levels in 10, 3 levels each; 30 levels of sample hold 2 rows each" in figure.alt
    )
    assert "The ids of cask start again in every batch." in figure.alt
    assert [t.get_text() for t in ax.get_yticklabels()] == ["batch (10)", "sample (30)", "rows: 2"]


def test_a_child_stands_under_its_parent():
    data = ms.datasets.load("Pastes")
    (ax,) = plot.structure(data).axes
    outer = {round(path.vertices[:, 0].min(), 6): path.vertices[:, 0].max() for path in boxes(ax, "batch")}
    for path in boxes(ax, "sample"):
        left, right = path.vertices[:, 0].min(), path.vertices[:, 0].max()
        assert sum(low - 1e-9 <= left and right <= high + 1e-9 for low, high in outer.items()) == 1


def test_one_group_has_bars_in_the_order_of_its_rows():
    data = ms.datasets.load("nlschools")
    figure = plot.structure(data)
    found = np.array(bars(figure.axes[0]))
    sizes = np.sort(data.groupby("class", observed=True).size())[::-1]
    assert found / found.max() == pytest.approx(sizes / sizes.max())
    assert figure.alt == "133 levels of class hold 4 to 33 rows (median 17)."


def test_groups_are_taken_by_name_and_counts_written():
    data = ms.datasets.load("cbpp")
    figure = plot.structure(data, ["herd", "period"])
    (ax,) = figure.axes
    expected = pd.crosstab(data.herd, data.period)
    shown = pd.DataFrame(
        tiles(ax) > 0,
        index=[t.get_text() for t in ax.get_yticklabels()],
        columns=[t.get_text() for t in ax.get_xticklabels()],
    )
    expected.index, expected.columns = expected.index.astype(str), expected.columns.astype(str)
    pd.testing.assert_frame_equal(shown.sort_index(), expected.sort_index() > 0, check_names=False)
    assert "herd is partially crossed with period: 56 of 60 combinations of 15 and 4 levels occur" in figure.alt
    twice = pd.concat([data, data[data.herd == "1"]])
    (ax,) = plot.structure(twice, ["herd", "period"]).axes
    assert sum(text.get_text() == "2" for text in ax.texts) == (data.herd == "1").sum()


def test_a_combination_is_a_group_of_its_own():
    (ax,) = plot.structure(ms.datasets.load("Pastes"), ["batch:cask", "batch"]).axes
    assert len(boxes(ax, "batch:cask")) == 30
    labels = {text.get_text() for text in ax.texts}
    assert "A" in labels


def test_counts_are_those_of_a_cross_table():
    data = random_table(1, students=40, teachers=12)
    codes = [pd.factorize(data[name], sort=True) for name in ("s", "t")]
    found = tiles_of(*((name, c.astype(np.intp), tuple(v)) for name, (c, v) in zip(("s", "t"), codes, strict=True)))
    expected = pd.crosstab(data.s, data.t).loc[list(found.up_labels), list(found.across_labels)]
    assert (found.counts == expected.to_numpy()).all()
    assert found.cells == int((expected > 0).sum().sum())


def test_large_groups_are_sampled_and_say_so():
    data = random_table(2)
    figure = plot.structure(data, ["s", "t"])
    (ax,) = figure.axes
    assert "60 and 60 levels are drawn" in figure.alt
    assert "drawn: 60 of 400 levels of s and 60 of 80 levels" in ax.get_title(loc="left").replace("\n", " ")
    figure = plot.structure(data, "s")
    assert "200 of them are drawn" in figure.alt
    assert len(bars(figure.axes[0])) == 200
    assert "s (200 of 400)" in {t.get_text() for t in figure.axes[0].get_yticklabels()}


def test_a_sampled_tree_keeps_whole_families():
    n = 3_000
    codes = np.arange(n) // 3
    tree = tree_of(
        [("school", codes // 10, tuple(map(str, range(100)))), ("child", codes, tuple(map(str, range(1000))))], n
    )
    assert tree.levels == (100, 1000)
    drawn = pd.Series(tree.units[0]).value_counts()
    assert (drawn == 10).all()
    assert len(drawn) == 20


def test_rows_without_an_id_are_counted():
    data = ms.datasets.load("Pastes").astype({"sample": object})
    data.loc[data.index[:4], "sample"] = None
    figure = plot.structure(data, ["batch", "sample"])
    assert "4 rows without an id are left out" in figure.alt
    data = ms.datasets.load("Penicillin").astype({"plate": object})
    data.loc[data.index[:6], "plate"] = None
    assert "6 rows without both ids are left out" in plot.structure(data, ["plate", "sample"]).alt


def test_chains_and_crossed_pairs_have_a_panel_each():
    rng = np.random.default_rng(3)
    n = 6_000
    school = rng.integers(0, 6, n)
    data = pd.DataFrame({"school": school, "class": school * 3 + rng.integers(0, 3, n), "item": rng.integers(0, 9, n)})
    figure = plot.structure(data.astype(str), ["item", "class", "school"])
    assert [ax.get_title(loc="left").split(":")[0] for ax in figure.axes] == [
        "class in school",
        "class crossed with item",
    ]


def test_a_million_rows_are_quick():
    rng = np.random.default_rng(4)
    codes = pd.DataFrame({"s": rng.integers(0, 20_000, 1_000_000), "t": rng.integers(0, 2_000, 1_000_000)})
    plot.structure(codes.head(100), ["s", "t"])
    start = time.process_time()
    plot.structure(codes, ["s", "t"]).canvas.draw()
    assert time.process_time() - start < 2.0


def test_it_draws_on_given_axes():
    figure, ax = plt.subplots()
    assert plot.structure(ms.datasets.load("Penicillin"), ax=ax) is figure


def test_a_sample_is_its_data():
    sample = ms.scenarios.therapist_plain(therapists=7, patients=4).draw(seed=1)
    assert plot.structure(sample).alt == "7 levels of therapist hold 4 rows each."


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ("subject", "the data have no column 'subject': did you mean 'Subject'"),
        ("Subject:day", "the data have no column 'day'"),
        ([], "groups is empty"),
    ],
)
def test_mistakes_are_named(groups, says):
    with pytest.raises(ms.MixedsimError, match=says):
        plot.structure(ms.datasets.load("sleepstudy"), groups)
    assert not plt.get_fignums(), "no empty figure stays behind"


def test_data_without_groups_are_refused():
    with pytest.raises(ms.MixedsimError, match="no column of these data groups the rows"):
        plot.structure(pd.DataFrame({"y": np.random.default_rng(1).normal(size=30)}))
    with pytest.raises(ms.MixedsimError, match="the column 'g' is empty"):
        plot.structure(pd.DataFrame({"g": [None, None], "y": [1.0, 2.0]}), "g")
    _, ax = plt.subplots()
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.integers(0, 5, (50, 3)), columns=["a", "b", "c"])
    with pytest.raises(ms.MixedsimError, match="ax has room for one panel, found 3"):
        plot.structure(data, ["a", "b", "c"], ax=ax)
