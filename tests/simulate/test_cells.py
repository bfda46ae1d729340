"""Who meets whom: wholly and partly crossed clusters, branches within one parent, any depth."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.simulate import cells
from mixedsim.simulate.clusters import clusters_of, structure_of
from mixedsim.simulate.counts import count
from mixedsim.simulate.layout import Layout, lay_out
from mixedsim.simulate.streams import Streams

CLINICS = {"clinic": 4, "therapist": {"in": "clinic", "n": (2, 4)}, "patient": {"in": "clinic", "n": (3, 6)}}


def layout(clusters: dict[str, object], size: object = 1, seed: int = 1) -> Layout:
    return lay_out(structure_of(clusters_of(clusters), count(size, ("size",))), Streams(seed))


def table(clusters: dict[str, object], size: object = 1, seed: int = 1) -> pd.DataFrame:
    one = layout(clusters, size, seed)
    return pd.DataFrame({name: one.codes(name) for name in one.structure.names})


def combinations(one: Layout) -> list[tuple[int, ...]]:
    """The cells of a full structure by loops: every tree's leaves under their parents, the last fastest."""

    def under(name: str | None, unit: int | None) -> list[dict[str, int]]:
        branches = []
        for child in one.structure.children(name):
            units = range(one.units[child.name])
            mine = [u for u in units if name is None or one.parents[child.name][u] == unit]
            branches.append([{child.name: u, **below} for u in mine for below in under(child.name, u)])
        return [dict(pair for part in parts for pair in part.items()) for parts in itertools.product(*branches)]

    return [tuple(cell[name] for name in one.structure.names) for cell in under(None, None)]


@pytest.mark.parametrize(
    "clusters",
    [
        {"g": 5},
        {"a": 3, "b": {"in": "a", "n": (1, 3)}, "c": {"in": "b", "n": (1, 3)}},
        {"a": 3, "x": 2, "b": {"in": "a", "n": (1, 3)}},
        {"a": 2, "x": 3, "y": 2, "z": {"in": "x", "n": (1, 2)}},
        CLINICS,
        {**CLINICS, "ward": {"in": "clinic", "n": 2}, "bed": {"in": "ward", "n": (1, 3)}},
        {**CLINICS, "visit": {"in": "patient", "n": (1, 3)}, "item": 3},
        {"a": 2, "b": {"in": "a", "n": 2}, "c": {"in": "b", "n": (1, 2)}, "d": {"in": "b", "n": (1, 2)}},
    ],
    ids=lambda clusters: ", ".join(clusters),
)
def test_the_cells_are_those_that_loops_find(clusters: dict[str, object]) -> None:
    for seed in range(5):
        one = layout(clusters, seed=seed)
        found = list(zip(*(one.codes(name).tolist() for name in one.structure.names), strict=True))
        assert found == combinations(one)


@st.composite
def forests(draw: st.DrawFn) -> dict[str, object]:
    """Up to five clusters, each at the top or in one of those before it."""
    clusters: dict[str, object] = {}
    for name in "abcde"[: draw(st.integers(1, 5))]:
        parent = draw(st.sampled_from([None, *clusters]))
        n = draw(st.integers(1, 2)) if parent is None else draw(st.sampled_from([1, 2, (1, 3)]))
        clusters[name] = n if parent is None else {"in": parent, "n": n}
    return clusters


@settings(max_examples=60, deadline=None)
@given(clusters=forests(), seed=st.integers(0, 99))
def test_the_cells_of_any_forest_are_those_that_loops_find(clusters: dict[str, object], seed: int) -> None:
    one = layout(clusters, seed=seed)
    assert list(zip(*(one.codes(name).tolist() for name in one.structure.names), strict=True)) == combinations(one)


def test_nesting_goes_to_any_depth() -> None:
    clusters: dict[str, object] = {"level_0": 2}
    clusters |= {f"level_{i}": {"in": f"level_{i - 1}", "n": 2 if i < 6 else 1} for i in range(1, 40)}
    population = ms.Population(
        "y ~ 1 + (1 | level_5)",
        clusters=clusters,
        size=2,
        fixef={"Intercept": 0},
        ranef={"level_5": {"sd": 1}},
        sigma=1,
    )
    data = population.draw(1).data
    assert len(data) == 2**6 * 2
    for i in range(1, 40):  # every unit has one parent
        assert (data.groupby(f"level_{i}", observed=True)[f"level_{i - 1}"].nunique() < 2).all()


def test_patients_meet_the_therapists_of_their_clinic_and_no_others() -> None:
    data = table(CLINICS, size=2)
    for _, rows in data.groupby("clinic"):
        sizes = rows.groupby(["therapist", "patient"]).size()
        assert (sizes == 2).all()
        assert len(sizes) == rows.therapist.nunique() * rows.patient.nunique()
    assert (data.groupby("patient").clinic.nunique() < 2).all()
    assert (data.groupby("therapist").clinic.nunique() < 2).all()


def test_every_subject_meets_so_many_different_items() -> None:
    data = table({"subject": 200, "item": {"n": 40, "sample": 10}}, size=2)
    met = data.drop_duplicates()
    assert (met.groupby("subject").item.nunique() == 10).all()
    assert len(data) == 2 * len(met) == 2 * 200 * 10
    assert met.groupby("subject").item.apply(lambda one: one.is_monotonic_increasing).all()
    assert len(met.groupby("subject").item.apply(frozenset).unique()) == 200  # 8e8 samples are possible


def test_every_sample_is_equally_likely() -> None:
    n = 30_000
    met = table({"subject": n, "item": {"n": 5, "sample": 2}})
    pairs = met.groupby("subject").item.apply(tuple).value_counts()
    assert sorted(pairs.index) == list(itertools.combinations(range(5), 2))
    chi2 = ((pairs - n / 10) ** 2 / (n / 10)).sum()
    assert chi2 < 9 + 4 * math.sqrt(18)  # 9 degrees of freedom: mean 9, variance 18; four standard deviations


def test_samples_of_different_sizes() -> None:
    met = table({"subject": 5000, "item": {"n": 6, "sample": (2, 5)}})
    sizes = met.groupby("subject").item.nunique()
    assert (met.groupby("subject").size() == sizes).all()
    assert set(sizes) == {2, 3, 4, 5}
    shares = met.item.value_counts() / 5000  # 3.5 of 6 items on average
    np.testing.assert_allclose(shares, 3.5 / 6, atol=4 * math.sqrt(0.25 / 5000))


def test_a_sample_within_a_parent_takes_all_where_there_are_fewer() -> None:
    clusters = {
        "clinic": 50,
        "patient": {"in": "clinic", "n": 20},
        "therapist": {"in": "clinic", "n": (1, 4), "sample": 2},
    }
    data = table(clusters)
    parents = layout(clusters).parents["therapist"]
    assert (parents[data.therapist] == data.clinic).all()
    patients = data.groupby("patient").agg(met=("therapist", "nunique"), clinic=("clinic", "first"))
    assert (patients.met == np.minimum(np.bincount(parents)[patients.clinic], 2)).all()


def test_what_lies_in_a_met_unit_is_met_as_a_whole() -> None:
    clusters = {"subject": 30, "list": {"n": 6, "sample": 2}, "item": {"in": "list", "n": (2, 5)}}
    one = layout(clusters)
    data = table(clusters)
    assert (data.groupby("subject").list.nunique() == 2).all()
    held = np.bincount(one.parents["item"])
    for (_, which), rows in data.groupby(["subject", "list"]):
        assert rows.item.nunique() == len(rows) == held[which]
    assert (one.parents["item"][data.item] == data.list).all()


def test_three_trees_of_which_one_is_sampled() -> None:
    data = table({"subject": 10, "day": 3, "item": {"n": 8, "sample": 4}})
    assert (data.groupby(["subject", "day"]).item.nunique() == 4).all()
    assert data.groupby("subject").item.apply(lambda items: len(set(items))).max() > 4  # another sample every day


@pytest.mark.parametrize(("n", "m", "subjects"), [(40, 10, 30), (7, 3, 20), (6, 4, 10), (5, 1, 12), (12, 8, 100)])
def test_by_turns_every_item_is_met_equally_often_or_once_more(n: int, m: int, subjects: int) -> None:
    met = table({"subject": subjects, "item": {"n": n, "rotate": m}})
    assert (met.groupby("subject").item.nunique() == m).all()
    assert len(met) == subjects * m
    often = np.bincount(met.item, minlength=n)
    assert often.max() - often.min() <= 1


def test_turns_bring_different_items_together() -> None:
    met = table({"subject": 40, "item": {"n": 8, "rotate": 2}})
    assert len(met.groupby("subject").item.apply(frozenset).unique()) > 4  # four pairs alone would never be compared


def test_turns_are_counted_in_each_parent() -> None:
    clusters = {
        "clinic": 20,
        "patient": {"in": "clinic", "n": (5, 30)},
        "therapist": {"in": "clinic", "n": (2, 5), "rotate": 1},
    }
    met = table(clusters)
    assert (met.groupby("patient").size() == 1).all()
    often = met.groupby(["clinic", "therapist"]).size().groupby("clinic")
    assert (often.max() - often.min() <= 1).all()
    assert met.therapist.nunique() == layout(clusters).units["therapist"]


def test_the_first_subjects_meet_the_same_items_if_more_subjects_come() -> None:
    for manner in ("sample", "rotate"):
        few, many = (table({"subject": n, "item": {"n": 9, manner: 4}}) for n in (20, 50))
        pd.testing.assert_frame_equal(few, many[: len(few)], check_dtype=False)


def test_samples_do_not_depend_on_how_large_a_table_they_are_marked_in(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = {"subject": 50, "item": {"n": 9, "sample": (2, 4)}}
    whole = table(clusters)
    monkeypatch.setattr(cells, "_ENTRIES", 30)
    pd.testing.assert_frame_equal(table(clusters), whole)


def test_marked_in_a_table_or_compared_the_samples_are_the_same() -> None:
    rng = np.random.default_rng(1)
    available, many = rng.integers(5, 20, 200), rng.integers(1, 6, 200)
    tops = (available - many)[:, None] + np.arange(5)
    drawn = rng.integers(0, tops, endpoint=True)
    marked, compared = (draw(tops, drawn, many, 20) for draw in (cells._marked, cells._compared))
    for one, other in zip(marked, compared, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.bincount(marked[0]).tolist() == many.tolist()


@pytest.mark.parametrize(("n", "m"), [(1000, 20), (40, 20), (1_000_000, 20)])
def test_a_large_sample_takes_no_time(n: int, m: int) -> None:
    start = time.perf_counter()
    one = layout({"subject": 20_000, "item": {"n": n, "sample": m}})
    assert one.rows == 400_000
    assert time.perf_counter() - start < 3


def test_one_effect_for_each_pair_that_meets() -> None:
    population = ms.Population(
        "y ~ 1 + (1 | subject:item)",
        clusters={"subject": 30, "item": {"n": 10, "sample": 3}},
        size=2,
        fixef={"Intercept": 0},
        ranef={"subject:item": {"sd": 2}},
        sigma=0,
    )
    sample = population.draw(1)
    effects = sample.truth.ranef["subject:item"]["Intercept"]
    data = sample.data
    pairs = data.subject.astype(str) + ":" + data.item.astype(str)
    assert len(effects) == 90
    assert set(effects.index) == set(pairs)
    np.testing.assert_allclose(data.y, effects.loc[pairs])


def test_a_mean_over_nobody_is_no_number() -> None:
    population = ms.Population(
        "y ~ x_mean + (1 | subject)",
        clusters={"subject": 3, "item": {"n": 40, "sample": 2}},
        size=1,
        variables={"x": ms.Normal(0, 1), "x_mean": ms.ClusterMean("x", by="item")},
        fixef={"Intercept": 0, "x_mean": 1},
        ranef={"subject": {"sd": 1}},
        sigma=1,
    )
    data = population.draw(1).data
    assert data.x_mean.notna().all()
    means = data.groupby("item", observed=True).x.transform("mean")
    np.testing.assert_allclose(data.x_mean, means)


WRONG = [
    (
        {"pupil": {"in": ["school", "home"], "n": 3}},
        "clusters.pupil.in must be one cluster, found ['school', 'home']: a unit of several parents (multiple "
        "membership) cannot be simulated; cross the clusters, and let rows choose with 'sample'.",
    ),
    ({"item": {"n": 40, "sample": 41}}, "clusters.item.sample must be at most n, 40, found 41."),
    ({"item": {"n": 40, "sample": (3, 50)}}, "clusters.item.sample must be at most n, 40, found 50."),
    ({"item": {"n": 40, "sample": 0}}, "clusters.item.sample must be at least 1, found 0."),
    (
        {"item": {"n": 40, "sample": 5, "rotate": 5}},
        "clusters.item has both sample and rotate: units are met at random or by turns, choose one.",
    ),
    (
        {"item": {"n": 40, "rotate": (3, 5)}},
        "clusters.item.rotate must be one whole number, found (3, 5): turns are equally long.",
    ),
    (
        {"item": {"n": 40, "sample": ms.Sizes([1, 2])}},
        "clusters.item.sample must be a whole number, a pair (low, high) or a distribution, found Sizes.",
    ),
    (
        {"class": {"in": "school", "n": 4, "sample": 2}},
        "clusters.class says how many of them are met, but no cluster before it is there to meet them: move class "
        "down.",
    ),
    ({"item": {"n": 40, "meets": 5}}, "clusters.item.meets is not a field: known are 'in', 'n', 'sample', 'rotate'."),
    ({"item": {"sample": 5}}, "clusters.item.n is missing."),
    ({"item": {"n": (3, 8)}}, "clusters.item.n must be a number, found (3, 8)."),
]


@pytest.mark.parametrize(("entry", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_a_cluster_that_cannot_be(entry: dict[str, object], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        clusters_of({"school": 3, "home": 4, **entry})
    assert str(caught.value) == message


def test_the_first_cluster_meets_nobody_before_it() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        clusters_of({"item": {"n": 40, "sample": 5}, "subject": 30})
    assert str(caught.value) == (
        "clusters.item says how many of them are met, but no cluster before it is there to meet them: move item down."
    )


def test_what_says_nothing_is_left_out() -> None:
    assert clusters_of({"s": 3, "item": {"n": 40}}) == {"s": 3, "item": 40}
    assert clusters_of({"s": 3, "item": {"n": 40, "sample": 40}}) == {"s": 3, "item": 40}
    assert clusters_of({"s": 3, "item": {"n": 40, "rotate": [5, 5]}}) == {"s": 3, "item": {"n": 40, "rotate": 5}}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{n: 4, sample: 9}", "line 4: clusters.item.sample must be at most n, 4, found 9."),
        ("{n: 4, rotate: [1, 2]}", "line 4: clusters.item.rotate must be one whole number, found [1, 2]: turns are "),
        (
            "{in: [subject, day], n: 4}",
            "line 4: clusters.item.in must be one cluster, found ['subject', 'day']: a unit",
        ),
        ("{n: 4, smaple: 2}", "line 4: clusters.item.smaple is not a field: did you mean 'sample'?"),
    ],
)
def test_in_a_file_it_is_found_by_its_line(entry: str, says: str) -> None:
    text = f"formula: y ~ 1 + (1 | subject)\nclusters:\n  subject: 3\n  item: {entry}\nsize: 1\n"
    text += "fixef: {Intercept: 0}\nranef: {subject: {sd: 1}}\nsigma: 1\n"
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value).startswith(says)
