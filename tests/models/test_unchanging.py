"""A fitted model never changes, whatever is done to it or to the table that it was fitted to."""

import copy
import pickle

import numpy as np
import pytest

import mixedsim as ms


def linear(data):
    return ms.lmer("Reaction ~ Days + (Days | Subject)", data)


def counts(data):
    return ms.glmer("I(Reaction > 300) ~ Days + (1 | Subject)", data)


@pytest.fixture
def data():
    return ms.datasets.load("sleepstudy").copy()


@pytest.mark.parametrize("fitted", [linear, counts])
def test_what_becomes_of_the_table_does_not_matter(fitted, data):
    fit, same = fitted(data), fitted(data.copy())
    data.loc[0, "Reaction"] = 1e6
    data.loc[:, "Days"] = 3
    data["Subject"] = "one"
    np.testing.assert_array_equal(fit.residuals(), same.residuals())
    np.testing.assert_array_equal(fit.predict(), same.predict())
    np.testing.assert_array_equal(fit.update(". ~ . - Days").fixef, same.update(". ~ . - Days").fixef)


@pytest.mark.parametrize("fitted", [linear, counts])
@pytest.mark.parametrize("name", ["sigma", "deviance", "messages", "fixef", "design", "anything"])
def test_nothing_can_be_set(fitted, name, data):
    fit = fitted(data)
    with pytest.raises(AttributeError, match=f"a fitted model never changes, so its '{name}' cannot be set"):
        setattr(fit, name, 3)
    with pytest.raises(AttributeError, match="cannot be taken away"):
        del fit.design
    assert fit.deviance == fit.deviance


@pytest.mark.parametrize("fitted", [linear, counts])
def test_copies_are_whole(fitted, data):
    fit = fitted(data)
    for again in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit), copy.copy(fit)):
        assert again.deviance == fit.deviance
        assert str(again) == str(fit)
