"""Functions as analyses of results that are kept: what counts is what they do, not where or when they were made."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.study.meaning import meaning_of

FACTOR = 2.0


def helper(data):
    return FACTOR * data["y"].mean()


def uses_helper(data):
    return {"mean": helper(data)}


def counts_down(data, n=3):
    return counts_down(data, n - 1) if n else {"mean": np.log(1.0) + math.pi}


def factory(factor):
    return lambda data: {"mean": factor * data["y"].mean()}


def test_what_a_function_calls_counts(monkeypatch):
    before = meaning_of("f", uses_helper)
    assert before == meaning_of("f", uses_helper)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert meaning_of("f", uses_helper) != before
    monkeypatch.setitem(globals(), "FACTOR", 2.0)
    assert meaning_of("f", uses_helper) == before
    monkeypatch.setitem(globals(), "helper", lambda data: data["y"].median())
    assert meaning_of("f", uses_helper) != before


def test_values_of_the_function_around_count():
    assert meaning_of("f", factory(1.0)) == meaning_of("f", factory(1.0))
    assert meaning_of("f", factory(1.0)) != meaning_of("f", factory(2.0))
    assert meaning_of("f", factory([1, {"a": 2}])) != meaning_of("f", factory([1, {"a": 3}]))


def test_defaults_count():
    def one(data, *, k=1):
        return {"mean": k}

    def two(data, *, k=2):
        return {"mean": k}

    assert meaning_of("f", one) != meaning_of("f", two)


def test_a_function_that_calls_itself_has_a_meaning():
    assert meaning_of("f", counts_down) == meaning_of("f", counts_down)


def test_a_class_of_ones_own_is_refused_by_name():
    class Tool:
        pass

    def uses_tool(data):
        return {"mean": Tool().mean(data)}

    with pytest.raises(ms.MixedsimError, match=r"^the analysis 'f' uses Tool, a type, of which a folder of results"):
        meaning_of("f", uses_tool)
