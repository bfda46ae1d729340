"""Drawing in chunks: one data set, whatever the chunks, from the same population as a draw in memory."""

from __future__ import annotations

import math
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.simulate import streaming
from mixedsim.simulate.streaming import blocks_of

BASE: dict[str, Any] = {
    "formula": "y ~ x + w + arm + (1 + x | subject) + (1 | item) + (1 | subject:item)",
    "clusters": {"subject": 40, "item": 4},
    "size": (1, 4),
    "variables": {
        "w": ms.Normal(0, 1, level="subject"),
        "v": ms.Normal(0, 1, level="item"),
        "x": ms.Normal("w + v", 1),
        "arm": ms.Categorical(["old", "new"], level="subject"),
        "hidden": ms.Normal(0, 1, observed=False),
        "x_mean": ms.ClusterMean("x", by="subject"),
        "many": ms.Integers(0, 3),
    },
    "fixef": {"Intercept": 1, "x": 2, "w": 0.5, "arm[T.new]": 1},
    "ranef": {"subject": {"sd": [1, 0.5], "corr": 0.3}, "item": {"sd": 1}, "subject:item": {"sd": 0.5}},
    "sigma": 1,
}
TRIAL = ms.Population(**BASE)
SCHOOLS = TRIAL.with_(
    formula="y ~ x + (1 | school) + (1 | class)",
    clusters={"school": 30, "class": {"in": "school", "n": (1, 4)}},
    variables={"x": ms.Normal(0, 1)},
    fixef={"Intercept": 1, "x": 2},
    ranef={"school": {"sd": 1}, "class": {"sd": 1}},
)
SAMPLED = TRIAL.with_(clusters={"subject": 40, "item": {"n": 9, "sample": 4}})
NESTED_ITEMS = TRIAL.with_(clusters={"subject": 40, "set": 3, "item": {"in": "set", "n": (1, 3)}})
EVERY = {"crossed": TRIAL, "nested": SCHOOLS, "partly crossed": SAMPLED, "items in sets": NESTED_ITEMS}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few units, so that a small data set has many."""
    monkeypatch.setattr(streaming, "BLOCK_ROWS", 64)


def whole(population: ms.Population, seed: int = 1, rows: float | None = None, chunk: int = 1) -> pd.DataFrame:
    return pd.concat(list(population.draw_chunks(seed, rows, chunk)))


@pytest.mark.parametrize("population", EVERY.values(), ids=EVERY)
def test_chunks_of_any_size_make_one_data_set(population: ms.Population) -> None:
    expected = whole(population)
    for chunk in (50, 100, 333, 10**6):
        chunks = list(population.draw_chunks(1, chunk=chunk))
        assert chunk > 50 or len(chunks) > 1
        assert chunk < 10**6 or len(chunks) == 1
        pd.testing.assert_frame_equal(pd.concat(chunks), expected, check_exact=True)
    assert isinstance(expected.index, pd.RangeIndex)
    assert expected.index[0] == 0


@pytest.mark.parametrize("population", EVERY.values(), ids=EVERY)
def test_a_unit_of_the_first_cluster_lies_in_one_chunk(population: ms.Population) -> None:
    first = next(iter(population.clusters))
    seen: set[int] = set()
    for chunk in population.draw_chunks(1, chunk=100):
        units = set(chunk[first])
        assert not units & seen
        seen |= units
    assert seen == set(range(1, population.clusters[first] + 1))


def test_the_columns_are_those_of_a_draw_with_numbers_for_clusters() -> None:
    data, drawn = whole(TRIAL), TRIAL.draw(1).data
    assert data.columns.tolist() == drawn.columns.tolist()
    assert {data[name].dtype for name in TRIAL.clusters} == {np.dtype(np.int64)}
    others = [name for name in drawn if name not in TRIAL.clusters]
    assert data[others].dtypes.tolist() == drawn[others].dtypes.tolist()


def test_nested_units_are_numbered_through() -> None:
    data = whole(SCHOOLS)
    assert data["class"].drop_duplicates().tolist() == list(range(1, data["class"].max() + 1))
    assert (data.groupby("class").school.nunique() < 2).all()


@pytest.mark.parametrize("population", [TRIAL, SAMPLED, NESTED_ITEMS], ids=["crossed", "partly", "in sets"])
def test_what_all_subjects_meet_is_the_same_for_all(population: ms.Population) -> None:
    data = whole(population)
    assert (data.groupby("item").v.nunique() < 2).all()
    if "set" in data:
        assert (data.groupby("item").set.nunique() < 2).all()
    assert data.item.nunique() == population.draw(1).data.item.nunique()


def test_an_items_effect_is_the_same_for_all() -> None:
    quiet = TRIAL.with_(
        formula="y ~ 1 + (1 | item) + (1 | subject)",
        fixef={"Intercept": 0},
        ranef={"item": {"sd": 1}, "subject": {"sd": 0}},
        sigma=0,
    )
    data = whole(quiet)
    assert (data.groupby("item").y.nunique() < 2).all()
    effects = quiet.draw(1).truth.ranef["item"]["Intercept"]
    np.testing.assert_array_equal(data.groupby("item").y.first(), effects)  # nothing about items is of a block


def test_no_two_blocks_are_alike() -> None:
    data = whole(TRIAL)
    for name in ("w", "x", "y"):
        assert data.groupby("subject")[name].first().is_unique


def test_another_seed_other_data_and_no_seed_another_one_each_time() -> None:
    assert not whole(TRIAL, seed=2).equals(whole(TRIAL))
    first, second = (next(TRIAL.draw_chunks()) for _ in range(2))
    assert not first.equals(second)
    rng = np.random.default_rng(1)
    assert not next(TRIAL.draw_chunks(rng)).equals(next(TRIAL.draw_chunks(rng)))


def test_it_is_another_data_set_than_the_draw_of_the_seed() -> None:
    assert not whole(TRIAL).y.equals(TRIAL.draw(1).data.y)


def test_rows_are_reached_by_more_units() -> None:
    population = SCHOOLS.with_(clusters={"school": 2}, size=10, **schools_only())
    assert len(whole(population, rows=5000)) == 5000
    assert len(whole(population, rows=1004)) == 1000
    assert len(whole(population, rows=1)) == 10
    assert len(whole(population)) == 20


def schools_only() -> dict[str, Any]:
    return {"formula": "y ~ x + (1 | school)", "ranef": {"school": {"sd": 1}}}


def test_a_number_of_rows_on_average() -> None:
    n = len(whole(TRIAL, rows=30_000, chunk=10**6))
    units = blocks_of(TRIAL, 1, 30_000).units
    sd = math.sqrt(units * 4 * 15 / 12)  # four items each, sizes from 1 to 4 with variance (4² − 1)/12
    assert abs(n - 30_000) < 4 * sd + 10


def test_more_rows_begin_with_the_same_blocks() -> None:
    few, many = whole(TRIAL, rows=1000), whole(TRIAL, rows=3000)
    most = blocks_of(TRIAL, 1).per_block
    same = few[few.subject <= few.subject.max() // most * most]
    pd.testing.assert_frame_equal(many[: len(same)], same, check_exact=True)


def test_moments_are_those_of_the_population() -> None:
    big = ms.Population(
        "y ~ x + (1 | g)",
        clusters={"g": 1},
        size=5,
        variables={"x": ms.Normal(0, 1)},
        fixef={"Intercept": 3, "x": 2},
        ranef={"g": {"sd": 1.5}},
        sigma=1,
    )
    units = 20_000
    data = whole(big, rows=5 * units, chunk=10**6)
    rest = data.y - 2 * data.x
    means = rest.groupby(data.g).mean()
    between = 1.5**2 + 1 / 5
    assert abs(means.mean() - 3) < 4 * math.sqrt(between / units)
    assert abs(means.var() - between) < 4 * between * math.sqrt(2 / units)
    within = (rest - means.loc[data.g].to_numpy()).var(ddof=units)
    assert abs(within - 1) < 4 * math.sqrt(2 / (4 * units))
    block = blocks_of(big, 1).per_block
    neighbours = means.groupby(np.arange(units) // block).mean()  # blocks are independent of each other
    r = np.corrcoef(neighbours[:-1], neighbours[1:])[0, 1]
    assert abs(r) < 4 / math.sqrt(len(neighbours))


def test_a_mean_in_each_unit_is_that_of_its_rows() -> None:
    data = whole(TRIAL)
    np.testing.assert_allclose(data.x_mean, data.groupby("subject").x.transform("mean"), rtol=1e-12)


def test_memory_is_that_of_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BLOCK_ROWS", 2000)
    population = SCHOOLS.with_(clusters={"school": 2}, size=10, **schools_only())

    def peak(rows: float) -> int:
        tracemalloc.start()
        for _ in population.draw_chunks(1, rows, chunk=4000):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10_000)
    assert peak(200_000) < 1.2 * peak(20_000)


def test_blocks_go_to_other_processes_and_come_back() -> None:
    blocks = blocks_of(SCHOOLS, 1, 500)
    again = pickle.loads(pickle.dumps(blocks))
    pieces = list(blocks.pieces(100))
    assert len(pieces) > 3
    for piece in reversed(pieces):  # in any order
        assert again.frame(pickle.loads(pickle.dumps(piece))).equals(blocks.frame(piece))
    expected = whole(SCHOOLS, rows=500, chunk=100)
    pd.testing.assert_frame_equal(pd.concat([blocks.frame(p) for p in pieces], ignore_index=True), expected)


def test_how_many_units_a_block_has_is_no_matter_of_rows_or_chunks() -> None:
    assert blocks_of(TRIAL, 1).per_block == blocks_of(TRIAL, 2, 1e6).per_block == 6  # 4 items of 2.5 rows, 64 rows
    assert blocks_of(TRIAL.extend(subject=4000), 1).per_block == 6
    assert blocks_of(TRIAL.with_(size=500), 1).per_block == 1  # never less than a unit
    assert blocks_of(TRIAL, 1, 1e12).units == 10**11


def test_problems_strike_rows_wherever_they_are() -> None:
    spoiled = TRIAL.with_(
        problems=[
            ms.Missing("x", 0.2),
            ms.Missing("w", 0.3),
            ms.Duplicated(0.1),
            ms.Outliers("y", 0.1, times=10),
            ms.Dropout(0.05, by="subject"),
        ]
    )
    data = whole(spoiled, rows=4000)
    pd.testing.assert_frame_equal(whole(spoiled, rows=4000, chunk=700), data, check_exact=True)
    share = data.x.isna().mean()
    assert abs(share - 0.2) < 4 * math.sqrt(0.16 / len(data))
    by_subject = data.groupby("subject").w.apply(lambda w: w.isna().mean())
    assert set(by_subject) == {0.0, 1.0}


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"size": ms.Sizes([2] * 160)},
        "size is a list of Sizes, which has an end: draw the population whole, with draw.",
    ),
    (
        {"clusters": {"subject": 2, "visit": {"in": "subject", "n": ms.Sizes([2, 3])}, "item": 4}},
        "clusters.visit.n is a list of Sizes, which has an end: draw the population whole, with draw.",
    ),
    (
        {"variables": {**BASE["variables"], "m": ms.ClusterMean("x", by="item")}},
        "variables.m.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"variables": {**BASE["variables"], "m": ms.Within("x", by="item")}},
        "variables.m.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"variables": {**BASE["variables"], "m": ms.Lag("x", by="item")}},
        "variables.m.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"variables": {**BASE["variables"], "m": ms.Centered("x")}},
        "variables.m takes the mean of all rows, which never are in memory at once: draw the population whole, with "
        "draw.",
    ),
    (
        {"variables": {**BASE["variables"], "t": ms.Assigned([0, 1], level="subject")}},
        "variables.t.within is the whole dataset, which never is in memory at once: draw the population whole, with "
        "draw.",
    ),
    (
        {"variables": {**BASE["variables"], "t": ms.Assigned([0, 1], within="item")}},
        "variables.t.within is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {
            "variables": {
                **BASE["variables"],
                "a, b": ms.Correlated([ms.Normal(0, 1), ms.Normal(0, 1)], within=0.5, between=0.1, by="item", icc=0.2),
            }
        },
        "variables.a, b.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"variables": {**BASE["variables"], "c": ms.Custom(lambda rng, size, item: item * 1.0, by=["item"])}},
        "variables.c.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {
            "formula": "y ~ center(x) + (1 | subject)",
            "fixef": {"Intercept": 1, "center(x)": 2},
            "ranef": {"subject": {"sd": 1}},
        },
        "formula contains center(x), which is computed from all rows at once: draw the population whole, with draw.",
    ),
    (
        {
            "formula": "y ~ 1 + (0 + scale(x) | subject)",
            "fixef": {"Intercept": 1},
            "ranef": {"subject": {"sd": 1}},
        },
        "formula contains scale(x), which is computed from all rows at once: draw the population whole, with draw.",
    ),
    (
        {
            "formula": "y ~ 1 + (1 | item:day)",
            "clusters": {"subject": 9, "item": {"n": 9, "sample": 3}, "day": 4},
            "fixef": {"Intercept": 1},
            "ranef": {"item:day": {"sd": 1}},
        },
        "formula groups by item:day, and only all rows together tell which of these meet: draw the population whole, "
        "with draw.",
    ),
    (
        {"residual": {"ar1": 0.5, "by": "item"}},
        "residual.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"problems": [ms.Missing("v", 0.1)]},
        "problems.1.level is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"problems": [ms.Dropout(0.1, by="item")]},
        "problems.1.by is 'item', which has rows in every part of the data: draw the population whole, with draw.",
    ),
    (
        {"problems": [ms.Missing("x", 0.1), ms.Outliers("y", 0.1, shift=5)]},
        "problems.2.shift is measured by the standard deviation of all rows: draw the population whole, with draw.",
    ),
    (
        {"problems": [ms.MeasurementError("x", reliability=0.5)]},
        "problems.1.reliability is measured by the standard deviation of all rows: draw the population whole, with "
        "draw.",
    ),
    (
        {"problems": [ms.Miscoded("subject", 0.1)]},
        "problems.1 changes whose row it is, and units have no names but whole numbers here: draw the population "
        "whole, with draw.",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=[f"{i}: {m[:45]}" for i, (_, m) in enumerate(REFUSED)])
def test_what_needs_all_rows_at_once_is_refused_before_anything_is_drawn(change: dict[str, Any], message: str) -> None:
    population = TRIAL.with_(**change)
    with pytest.raises(ms.PopulationError) as caught:
        population.draw_chunks(1)
    assert str(caught.value) == message
    population.draw(1)


@pytest.mark.parametrize(
    "change",
    [
        {"variables": {**BASE["variables"], "m": ms.Lag("x", by="subject")}},
        {"variables": {**BASE["variables"], "t": ms.Assigned([0, 1, 2], within="subject", shuffle=True)}},
        {"variables": {**BASE["variables"], "t": ms.Assigned(["a", "b"], level="item", shuffle=True)}},
        {"variables": {**BASE["variables"], "p": ms.Poisson("exp(0.1 * x)")}},
        {"variables": {**BASE["variables"], "a, b": ms.Correlated([ms.Normal(0, 1, "item")] * 2, corr=0.5)}},
        {"residual": {"ar1": 0.5, "by": "subject"}},
        {"sigma": "exp(0.1 * x)"},
    ],
    ids=["lag", "assigned within", "assigned to items", "poisson", "items correlated", "ar1", "sigma"],
)
def test_what_stays_inside_a_unit_is_worked_out_in_it(change: dict[str, Any]) -> None:
    population = TRIAL.with_(**change)
    data = whole(population)
    pd.testing.assert_frame_equal(whole(population, chunk=150), data, check_exact=True)
    if "t" in data and "shuffle=True" in str(change) and "item" in str(change["variables"]["t"]):
        assert (data.groupby("item").t.nunique() < 2).all()
    if "a" in data:
        assert (data.groupby("item")[["a", "b"]].nunique() < 2).all().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "rows must be at least 1, found 0."),
        ({"rows": 2.5}, "rows must be a whole number, found 2.5."),
        ({"rows": math.inf}, "rows must be a finite number, found inf."),
        ({"rows": "1e6"}, "rows must be a number, found '1e6'."),
        ({"chunk": 0}, "chunk must be at least 1, found 0."),
        ({"seed": -1}, "seed must not be negative, found -1."),
    ],
)
def test_arguments_that_cannot_be(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        TRIAL.draw_chunks(**{"seed": 1, **arguments})
    assert str(caught.value) == message


def test_an_expression_that_leaves_its_bounds_says_so_in_the_chunk() -> None:
    risky = TRIAL.with_(variables={**BASE["variables"], "b": ms.Bernoulli("0.5 + 0.09 * x")})
    chunks = risky.draw_chunks(1, rows=1e6)
    with pytest.raises(ms.PopulationError, match=r"^variables\.b\.p must lie between 0 and 1, but "):
        list(chunks)
