"""Which true parameters an analysis can be held against: by rule, and by what its estimates do on average."""

from __future__ import annotations

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.formula import parse
from mixedsim.study.true_values import truth_for

SOURCE = "y ~ x * z + arm + (1 + x | g)"
FIXED = {"Intercept": 50.0, "x": 0.8, "z": 0.5, "arm[T.b]": 1.0, "x:z": 0.3}
VARYING = {("sd", "g", "Intercept"): 1.0, ("sd", "g", "x"): 0.5, ("corr", "g", "Intercept, x"): 0.2}
TRUTH = {**{("fixed", "", name): value for name, value in FIXED.items()}, **VARYING, ("sigma", "", "sigma"): 2.0}


def lost(formula, **options):
    return set(TRUTH) - set(truth_for(parse(formula), parse(SOURCE), TRUTH, **options))


def fixed(*names):
    return {("fixed", "", name) for name in names}


@pytest.mark.parametrize(
    ("formula", "gone"),
    [
        (SOURCE, set()),
        ("y ~ z * x + arm + (x | g)", set()),
        ("y ~ x + (1 | g)", set()),  # to leave something out may be what a study is about
        ("y ~ x * z + arm + I(x**2) + (x | g)", set()),  # whose true coefficient is 0
        ("log(y) ~ x * z + arm + (x | g)", set(TRUTH)),
        ("z ~ x + (x | g)", set(TRUTH)),
        ("y ~ center(x) * z + arm + (x | g)", fixed("Intercept", "x", "z", "x:z")),
        ("y ~ x * center(z) + arm + (x | g)", fixed("Intercept", "x", "z", "x:z")),
        ("y ~ x * z + C(arm, contr.sum) + (x | g)", fixed("Intercept", "arm[T.b]")),
        ("y ~ x * z + arm + (1 + center(x) | g)", set(VARYING)),
        ("y ~ x + z + g", fixed("Intercept")),
        ("y ~ x * g + z", fixed("Intercept", "x")),
    ],
)
def test_what_means_something_else_has_no_truth(formula, gone):
    assert lost(formula) == gone


def test_what_the_columns_leave_open_has_no_truth():
    assert lost(SOURCE, undetermined=["z:x", "arm[T.b]"]) == fixed("x:z", "arm[T.b]")


def test_a_function_of_a_mean_is_not_the_mean_of_the_function():
    source = parse("y ~ log(x) + z + (1 | g)")
    truth = {("fixed", "", name): 1.0 for name in ("Intercept", "log(x)", "z")}
    assert set(truth_for(parse("y ~ log(x) + z"), source, truth, means=True)) == fixed("z")
    assert truth_for(parse("y ~ log(x) + z"), source, truth) == truth


def population(**changes):
    return ms.Population(
        "y ~ x * z + w + (1 | g)",
        **{
            "clusters": {"g": 14},
            "size": 5,
            "variables": {
                "x": ms.Uniform(1, 5),
                "z": ms.Normal(1, 1),
                "w": ms.Normal(0, 1, level="g"),
                "double": ms.Derived("2 * x + 1"),
            },
            "fixef": {"Intercept": 50, "x": 0.8, "z": 0.5, "x:z": 0.3, "w": 1},
            "ranef": {"g": {"sd": 1}},
            "sigma": 1,
            **changes,
        },
    )


@pytest.mark.parametrize(
    ("analysis", "unknown"),
    [
        ("y ~ x * z + w + (1 | g)", set()),
        ("y ~ x * center(z) + w + (1 | g)", {"Intercept", "x", "center(z)", "x:center(z)"}),
        ("y ~ x * z + w + double + (1 | g)", {"Intercept", "x"}),  # `double` is left out: they have its share
        ("y ~ x * z + w + g", {"Intercept", "w"}),  # indicators take all that differs between groups
        ("sqrt(y) ~ x * z + w + (1 | g)", {"Intercept", "x", "z", "x:z", "w", "sd(Intercept | g)", "sigma"}),
    ],
)
def test_a_study_holds_estimates_against_what_they_estimate(analysis, unknown):
    summary = ms.study(population(), analysis, n=60, seed=2).summary().droplevel("analysis")
    own = summary[~summary.index.str.startswith("g[")]
    assert set(own.index[own["truth"].isna()]) == unknown
    known = own[own["truth"].notna() & ~own.index.isin(["sigma", "sd(Intercept | g)"])]
    assert (np.abs(known["bias"]) < 4 * known["bias_mcse"]).all()
    assert summary.loc[summary["truth"].isna(), ["bias", "coverage"]].isna().all(axis=None)


def test_a_recovery_of_another_response_has_no_truth():
    table = ms.recover(population(), seed=1, formula="sqrt(y) ~ x + (1 | g)").table
    assert table["truth"].isna().all()
    assert table["estimate"].notna().all()
