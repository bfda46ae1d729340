"""Parameters by name: true values, estimates, the scale that draws need."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.plot.parameter_panels import bounds_of, estimates_of, reach_of, true_values


@pytest.fixture(scope="module")
def fit():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def test_true_values_are_named_as_estimates_are(fit):
    sample = ms.scenarios.therapist_intervention(therapists=20, patients=5).draw(seed=1)
    known = true_values(sample)
    assert known == true_values(sample.truth)
    assert known["sd(depression | therapist)"] == 2
    assert known["sigma"] == 8
    assert true_values(None) == {}
    assert true_values(pd.Series({"Days": 1})) == {"Days": 1.0}


def test_estimates_are_those_of_the_interval_table(fit):
    table = fit.confint("wald")["estimate"]
    assert estimates_of(fit) == pytest.approx(table.to_dict())


def test_a_replicate_that_ran_away_is_left_beyond_the_axis():
    values = np.append(np.random.default_rng(1).normal(0, 1, 500), 1e6)
    low, high = reach_of(values)
    assert -8 < low < -2.5
    assert 2.5 < high < 8
    assert reach_of(values, 20.0)[1] > 20
    assert reach_of(np.zeros(5)) == (-1.0, 1.0)
    assert reach_of(np.full(3, np.nan)) == (-1.0, 1.0)


def test_scales_end_where_parameters_do():
    assert bounds_of("sd(x | g)") == bounds_of("sigma") == (0.0, np.inf)
    assert bounds_of("corr(Intercept, x | g)") == (-1.0, 1.0)
    assert bounds_of("x") == (-np.inf, np.inf)
