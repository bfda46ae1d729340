"""How many: given one by one, or drawn from any distribution of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.simulate.counts import count, draw_counts, expected, words

BASE: dict[str, Any] = {
    "formula": "y ~ 1 + (1 | therapist)",
    "clusters": {"therapist": 3},
    "size": ms.Sizes([12, 40, 7]),
    "fixef": {"Intercept": 0},
    "ranef": {"therapist": {"sd": 1}},
    "sigma": 1,
}
SCHOOLS = {"school": 2, "class": {"in": "school", "n": ms.Sizes([1, 3])}}


def sizes_of(population: ms.Population) -> list[int]:
    data = population.draw(1).data
    return data.groupby(list(population.clusters), observed=True).size().tolist()


def test_sizes_are_used_in_order() -> None:
    assert sizes_of(ms.Population(**BASE)) == [12, 40, 7]


def test_sizes_of_nested_and_crossed_clusters() -> None:
    nested = ms.Population(**{**BASE, "clusters": SCHOOLS, "size": ms.Sizes([5, 1, 2, 3]), **formula("school")})
    assert sizes_of(nested) == [5, 1, 2, 3]
    assert nested.draw(1).data.groupby("school", observed=True)["class"].nunique().tolist() == [1, 3]
    crossed = {"subject": 2, "item": 3}
    rows = ms.Population(**{**BASE, "clusters": crossed, "size": ms.Sizes([1, 2, 3, 4, 5, 6]), **formula("item")})
    assert sizes_of(rows) == [1, 2, 3, 4, 5, 6]


def formula(group: str) -> dict[str, Any]:
    return {"formula": f"y ~ 1 + (1 | {group})", "ranef": {group: {"sd": 1}}}


def test_sizes_of_a_partly_crossed_structure() -> None:
    clusters = {"therapist": 2, "item": {"n": 5, "sample": 2}}
    assert sizes_of(ms.Population(**{**BASE, "clusters": clusters, "size": ms.Sizes([1, 2, 3, 4])})) == [1, 2, 3, 4]


def test_sizes_of_what_is_drawn_are_counted_when_it_is_drawn() -> None:
    clusters = {"therapist": 2, "class": {"in": "therapist", "n": (2, 3)}}
    short = ms.Population(**{**BASE, "clusters": clusters, "size": ms.Sizes([1, 2, 3])})
    with pytest.raises(ms.PopulationError, match=r"^size must hold one number for each of [456], found 3\.$"):
        short.draw(1)


WRONG = [
    ({"size": ms.Sizes([1, 2])}, "size must hold one number for each of 3, found 2."),
    (
        {"clusters": {"therapist": 3, "item": {"n": 5, "sample": 2}}},
        "size must hold one number for each of 6, found 3.",
    ),
    (
        {"clusters": {"therapist": 3, "class": {"in": "therapist", "n": ms.Sizes([1, 2])}}},
        "clusters.class.n must hold one number for each of 3, found 2.",
    ),
    ({"size": {"kind": "Sizes", "values": [1, 0, 2]}}, "size.values must be at least 1, found 0."),
    ({"size": {"kind": "Sizes", "values": 5}}, "size.values must be a list of whole numbers, found 5."),
    ({"size": {"kind": "Sizes", "value": [5]}}, "size.value is not a field: did you mean 'values'?"),
    ({"size": {"kind": "Sizes"}}, "size.values is missing."),
    (
        {"size": ms.Bernoulli(0.5)},
        "size must be a whole number, a pair (low, high), Sizes, or a distribution such as Normal, found "
        "Bernoulli(p=0.5, level=None, observed=True).",
    ),
    ({"size": ms.Normal(1e10, 1)}, "size must be at most 1e+09 on average, found 1e+10."),
    (
        {"size": ms.Integers(1, 3, observed=False)},
        "size is a number of units: its distribution has no level and is not hidden.",
    ),
    ({"clusters": {"therapist": ms.Sizes([3])}}, "clusters.therapist must be a number, found Sizes(values=(3,))."),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_sizes_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population(**{**BASE, **change})
    assert str(caught.value) == message


@pytest.mark.parametrize("values", [[], 3, "123", None, [1.5], [0], [True]])
def test_sizes_are_whole_numbers(values: object) -> None:
    with pytest.raises(ms.PopulationError, match=r"^Sizes\.values must be "):
        ms.Sizes(values)  # type: ignore[arg-type]


def test_sizes_are_a_value() -> None:
    assert ms.Sizes([3, 4]) == ms.Sizes(np.array([3, 4])) == ms.Sizes((3.0, 4.0))  # type: ignore[arg-type]
    assert ms.Sizes([3, 4]) != ms.Sizes([4, 3])
    assert hash(ms.Sizes([3, 4])) == hash(ms.Sizes((3, 4)))
    population = ms.Population(**BASE)
    assert population != population.with_(size=ms.Sizes([12, 40, 8]))
    assert population == population.with_(size={"kind": "Sizes", "values": [12, 40, 7]})


@pytest.mark.parametrize(
    ("clusters", "size"),
    [
        ({"therapist": 3}, ms.Sizes([12, 40, 7])),
        ({"therapist": 3, "class": {"in": "therapist", "n": ms.Sizes([1, 3, 2])}}, (2, 5)),
        ({"therapist": 3, "item": {"n": 10, "sample": 4}}, 1),
        ({"therapist": 3, "item": {"n": 10, "rotate": 4}}, 1),
        ({"therapist": 3, "item": {"n": 10, "sample": ms.Normal(4, 1)}}, 1),
        (
            {
                "therapist": 3,
                "a": {"in": "therapist", "n": (3, 4)},
                "b": {"in": "therapist", "n": 4, "sample": (1, 2)},
            },
            ms.Uniform(1, 4),
        ),
    ],
    ids=str,
)
def test_structures_come_back_from_yaml(clusters: dict[str, Any], size: Any) -> None:
    population = ms.Population(**{**BASE, "clusters": clusters, "size": size})
    again = ms.Population.from_yaml(population.to_yaml())
    assert again == population
    assert hash(again) == hash(population)
    assert again.to_yaml() == population.to_yaml()
    assert again.draw(1).data.equals(population.draw(1).data)


def test_how_structures_are_written() -> None:
    clusters = {"therapist": 3, "item": {"n": 10, "sample": 4}}
    text = ms.Population(**{**BASE, "clusters": clusters, "size": ms.Sizes([2] * 12)}).to_yaml()
    assert "  item: {n: 10, sample: 4}\n" in text
    assert "size: {kind: Sizes, values: [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]}\n" in text


def test_how_structures_are_printed() -> None:
    clusters = {"therapist": 3, "item": {"n": 10, "sample": 4}}
    said = str(ms.Population(**{**BASE, "clusters": clusters, "size": 2}))
    assert said.startswith("Population: 24 rows\n")
    assert "k    : item, 10   (each therapist meets 4 of them, drawn at random)" in said
    branches = {"therapist": 3, "a": {"in": "therapist", "n": 3}, "b": {"in": "therapist", "n": 4, "rotate": 2}}
    said = str(ms.Population(**{**BASE, "clusters": branches, "size": ms.Sizes([1, 2, 3, 4, 5, 6] * 3)}))
    assert "i     : row, 1, 2, 3, 4, 5, 6, … in each a × b" in said
    assert "b, 4 in each therapist   (each a meets 2 of them, by turns)" in said


@pytest.mark.parametrize(
    ("size", "mean", "variance"),
    [
        (ms.Poisson(30), 30, 30),
        (ms.LogNormal(3, 0.4), math.exp(3 + 0.08), math.exp(6.16) * (math.exp(0.16) - 1)),
        (ms.Normal(30, 4), 30, 16),
        (ms.Uniform(10, 20), 15, 100 / 12),
        (ms.Integers(10, 20), 15, 10),
    ],
    ids=str,
)
def test_sizes_have_the_moments_of_their_distribution(size: object, mean: float, variance: float) -> None:
    n = 20_000
    population = ms.Population(**{**BASE, "clusters": {"therapist": n}, "size": size})
    sizes = population.draw(1).data.therapist.value_counts(sort=False)
    variance += 1 / 12  # of rounding; a little too much for what is whole already
    assert abs(sizes.mean() - mean) < 4 * math.sqrt(variance / n)
    assert abs(sizes.var() - variance) < 6 * variance * math.sqrt(2 / n) + 1 / 12
    assert f"about {mean * n:,.0f} rows" in str(population)


@pytest.mark.parametrize("kind", [ms.Poisson(0.7), ms.Normal(1, 3), ms.LogNormal(0, 1)], ids=str)
def test_every_cluster_has_a_row(kind: object) -> None:
    assert min(sizes_of(ms.Population(**{**BASE, "clusters": {"therapist": 500}, "size": kind}))) == 1


def test_any_distribution_that_knows_its_mean_is_a_count() -> None:
    size = count(ms.Uniform(1, 9), ("size",))
    assert expected(size) == 5
    assert words(size) == "Uniform(1, 9)"
    drawn = draw_counts(size, np.random.default_rng(1), 1000)
    assert isinstance(drawn, np.ndarray)
    assert drawn.min() >= 1
