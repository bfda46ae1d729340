"""Variance inflation: R's car and performance, and what follows from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.inference.collinearity import collinearity


@pytest.fixture(scope="module")
def cake():
    return ms.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", ms.datasets.load("cake"))


def test_generalised_factors_are_those_of_car_and_performance(cake):
    """car 3.1: vif(lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake)); performance has the same as VIF."""
    table = cake.collinearity().groupby("term").first()
    assert table.loc[["recipe", "temp", "recipe:temp"], "gvif"].tolist() == pytest.approx(
        [133.413551074, 3.0, 156.514507857], rel=1e-6
    )
    assert table.loc[["recipe", "temp", "recipe:temp"], "widening"].tolist() == pytest.approx(
        [3.39859947501, 1.73205080757, 3.53702923940], rel=1e-6
    )
    assert table.loc[["recipe", "temp", "recipe:temp"], "df"].tolist() == [2, 1, 2]


def test_the_factor_of_one_coefficient_is_one_over_one_less_r_squared():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 3)) @ np.array([[1.0, 0.7, 0.2], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    full = np.column_stack([np.ones(300), x])
    table = collinearity(np.linalg.inv(full.T @ full), ["Intercept", "a", "b", "c"], ["1", "a", "b", "c"])
    for k, name in enumerate("abc"):
        others = np.delete(full, k + 1, axis=1)
        rest = x[:, k] - others @ np.linalg.lstsq(others, x[:, k], rcond=None)[0]
        assert table.loc[name, "vif"] == pytest.approx(np.var(x[:, k]) / np.var(rest), rel=1e-8)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    singular = np.linalg.svd(scaled, compute_uv=False)
    assert table["condition_index"].max() <= singular[0] / singular[-1] * (1 + 1e-8)
    assert table["condition_index"].isin(table["condition_index"]).all()
    nearest = np.abs(table["condition_index"].to_numpy()[:, None] - singular[0] / singular).min(axis=1)
    assert nearest == pytest.approx(np.zeros(3), abs=1e-8)


def test_coding_does_not_change_a_term(cake):
    data = ms.datasets.load("cake")
    own = ms.lmer("angle ~ C(recipe, Sum) + temp + replicate + (1 | recipe:replicate)", data).collinearity()
    other = ms.lmer("angle ~ recipe + temp + replicate + (1 | recipe:replicate)", data).collinearity()
    assert own["gvif"].iloc[0] == pytest.approx(other["gvif"].iloc[0], rel=1e-6)


def test_sentences():
    data = ms.datasets.load("sleepstudy")
    rng = np.random.default_rng(1)
    data["near"] = data.Days + 0.1 * rng.normal(size=len(data))
    table = ms.lmer("Reaction ~ Days + near + (1 | Subject)", data).collinearity()
    assert table.attrs["sentence"].startswith("Predictors strongly repeat each other: intervals of")
    alone = ms.lmer("Reaction ~ Days + (1 | Subject)", data).collinearity()
    assert alone.attrs["sentence"] == "Days is the only predictor, so nothing can be collinear."
    assert alone["vif"].tolist() == pytest.approx([1.0])
    none = ms.lmer("Reaction ~ 1 + (1 | Subject)", data).collinearity()
    assert none.empty
    assert none.attrs["sentence"].startswith("There is no predictor")
    generalised = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp")).collinearity()
    assert generalised["widening"].tolist() == pytest.approx([1.0, 1.0, 1.0])
