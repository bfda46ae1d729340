"""The same population with other counts, and what of its data stays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

CROSSED = ms.Population(
    "y ~ x + w + v + (1 + x | subject) + (1 | item)",
    clusters={"subject": 6, "item": 4},
    size=3,
    variables={
        "w": ms.Normal(0, 1, level="subject"),
        "v": ms.Integers(0, 9, level="item"),
        "x": ms.Normal("w", 1),
        "b": ms.Bernoulli(0.4),
    },
    fixef={"Intercept": 1, "x": 2, "w": 0.5, "v": 0.1},
    ranef={"subject": {"sd": [1, 0.5], "corr": 0.3}, "item": {"sd": 1}},
    sigma=1,
)


def test_counts_are_changed_by_name() -> None:
    nested = CROSSED.with_(clusters={"subject": 6, "class": {"in": "subject", "n": 2}, "item": {"n": 4, "sample": 2}})
    assert CROSSED.extend(subject=60).clusters == {"subject": 60, "item": 4}
    assert CROSSED.extend(item=8, size=(1, 4)) == CROSSED.with_(clusters={"subject": 6, "item": 8}, size=(1, 4))
    assert nested.extend(**{"class": (2, 5)}).clusters["class"] == {"in": "subject", "n": (2, 5)}
    assert nested.extend(item=20).clusters["item"] == {"n": 20, "sample": 2}
    assert nested.extend(item=2).clusters["item"] == 2  # two of two are all
    assert CROSSED.extend() == CROSSED
    assert CROSSED.with_(name="lab").extend(subject=7).name == "lab"


def test_the_rows_of_the_first_cluster_stay_when_more_units_come() -> None:
    few, more = CROSSED.draw(7), CROSSED.extend(subject=20).draw(7)
    same = more.data[: len(few.data)]
    pd.testing.assert_frame_equal(same.astype({"subject": str}), few.data.astype({"subject": str}), check_exact=True)
    for group in ("subject", "item"):
        before = few.truth.ranef[group]
        pd.testing.assert_frame_equal(more.truth.ranef[group][: len(before)], before, check_exact=True)


@pytest.mark.parametrize("counts", [{"item": 9}, {"size": 5}, {"size": (2, 4), "item": 6, "subject": 9}])
def test_units_keep_their_values_and_effects(counts: dict[str, int]) -> None:
    few, more = CROSSED.draw(7), CROSSED.extend(**counts).draw(7)
    for cluster, name in (("subject", "w"), ("item", "v")):
        before, after = (one.data.groupby(cluster, observed=True)[name].first() for one in (few, more))
        assert after[: len(before)].tolist() == before.tolist()
        effects = few.truth.ranef[cluster]
        np.testing.assert_array_equal(more.truth.ranef[cluster][: len(effects)], effects)


def test_sizes_that_were_there_stay_when_more_units_come() -> None:
    few = CROSSED.with_(size=(1, 6))
    before, after = (
        one.draw(3).data.groupby(["subject", "item"], observed=True).size().tolist()
        for one in (few, few.extend(subject=9))
    )
    assert after[: len(before)] == before


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"subjct": 9}, "subjct is no cluster, nor size: did you mean 'subject'?"),
        ({"sizes": 9}, "sizes is no cluster, nor size: did you mean 'size'?"),
        ({"subject": 0}, "clusters.subject must be at least 1, found 0."),
        ({"item": (2, 3)}, "clusters.item must be a number, found (2, 3)."),
        ({"size": -1}, "size must be at least 1, found -1."),
    ],
)
def test_counts_that_cannot_be(counts: dict[str, object], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        CROSSED.extend(**counts)
    assert str(caught.value) == message
