"""A frozen mapping is a value."""

from __future__ import annotations

import copy
import pickle

import pytest

from mixedsim.simulate.frozen import Frozen


def test_it_equals_what_it_holds_and_hashes_by_it() -> None:
    one, other = Frozen({"a": 1, "b": 2}), Frozen({"b": 2, "a": 1})
    assert one == {"a": 1, "b": 2} == other
    assert hash(one) == hash(other)
    assert list(one) == ["a", "b"]
    assert list(other) == ["b", "a"]


def test_it_cannot_be_changed() -> None:
    one = Frozen({"a": 1})
    with pytest.raises(TypeError):
        one["a"] = 2  # type: ignore[index]
    with pytest.raises(AttributeError, match="cannot be changed"):
        one._items = {}


def test_the_source_can_change_without_it() -> None:
    source = {"a": 1}
    one = Frozen(source)
    source["a"] = 2
    assert one["a"] == 1


def test_it_survives_copying_and_pickling() -> None:
    one = Frozen({"a": (1, 2)})
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)
