"""The fitted model is one object, whichever file a method stands in."""

from __future__ import annotations

import inspect
import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.models.linear_estimates import LinearEstimates

PARTS = ms.LinearMixedModel.__bases__


def public(owner):
    return {name for name in vars(owner) if not name.startswith("_")}


@pytest.mark.parametrize(("one", "other"), list(combinations((LinearEstimates, *PARTS, ms.LinearMixedModel), 2)))
def test_no_name_is_given_twice(one, other):
    assert not public(one) & public(other)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_stands_on_the_estimates_alone(part):
    assert part.__bases__ == (LinearEstimates,)


def test_every_name_has_help():
    for name in dir(ms.LinearMixedModel):
        if not name.startswith("_"):
            assert inspect.getdoc(inspect.getattr_static(ms.LinearMixedModel, name)), name


@pytest.mark.parametrize("formula", ["Reaction ~ Days + (Days | Subject)", "Reaction ~ poly(Days, 2) + (1 | Subject)"])
def test_a_fit_can_be_stored_and_read_again(formula):
    fit = ms.lmer(formula, ms.datasets.load("sleepstudy"))
    again = pickle.loads(pickle.dumps(fit))
    assert type(again) is ms.LinearMixedModel
    assert str(again) == str(fit)
    pd.testing.assert_series_equal(again.predict({"Days": [12], "Subject": ["308"]}),
                                   fit.predict({"Days": [12], "Subject": ["308"]}))  # fmt: skip
    assert type(again.refit(fit.design.y + 1.0)) is ms.LinearMixedModel
    assert np.isfinite(again.update(reml=False).loglik)
