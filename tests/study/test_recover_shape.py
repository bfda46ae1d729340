"""What a family has beside its mean, held against the truth."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mixedsim as ms


def population(family, **changes):
    given = {
        "clusters": {"g": 40},
        "size": 8,
        "variables": {"x": ms.Normal(0, 1)},
        "fixef": {"Intercept": 1, "x": 0.3},
        "ranef": {"g": {"sd": 0.5}},
        "family": family,
    }
    return ms.Population("y ~ x + (1 | g)", **{**given, **changes})


def test_tau_stands_beside_theta() -> None:
    drawn = population({"kind": "negative-binomial", "theta": 2})
    recovery = ms.recover(drawn, seed=1)
    row = recovery.table.loc["tau"]
    assert list(recovery.table.index) == ["Intercept", "x", "sd(Intercept | g)", "tau"]
    assert (row["truth"], row["estimate"], row["kind"]) == (2.0, recovery.fit.tau, "tau")
    assert row["lower"] < row["estimate"] < row["upper"]
    assert row["covered"] == (row["lower"] <= 2 <= row["upper"])
    wide = ms.recover(drawn, seed=1, level=0.99).table.loc["tau"]
    assert wide["lower"] < row["lower"]
    held = np.mean([ms.recover(drawn, seed=seed).table.loc["tau", "covered"] for seed in range(20)])
    assert held >= 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / 20)
    assert "tau" in str(recovery)
    figure = ms.plot.recovery(recovery)
    said = [text.get_text() for text in figure.axes[0].texts] + [
        label.get_text() for label in figure.axes[0].get_yticklabels()
    ]
    assert "shape" in said
    plt.close(figure)


def test_sigma_of_a_gamma_stands_beside_its_cv() -> None:
    recovery = ms.recover(population({"kind": "gamma", "cv": 0.5}), seed=1)
    row = recovery.table.loc["sigma"]
    assert (row["truth"], row["estimate"], row["kind"]) == (0.5, recovery.fit.sigma, "sigma")
    assert np.isnan([row["se"], row["lower"], row["upper"]]).all()
    assert row["estimate"] == pytest.approx(0.5, rel=0.15)
    assert recovery.messages[-1].startswith("sigma, the coefficient of variation, has no interval")


def test_an_endless_tau_is_said() -> None:
    drawn = population({"kind": "negative-binomial", "theta": 1e6}, fixef={"Intercept": 0, "x": 0.3})
    found = [ms.recover(drawn, seed=seed) for seed in range(6)]
    endless = [one for one in found if one.fit.tau > 1e6]
    assert endless
    for one in endless:
        assert one.table.loc["tau", ["se", "lower", "upper"]].isna().all()
        assert "tau has no interval: the data know no end to it." in one.messages


def test_yes_or_no_and_counts_have_none() -> None:
    for family in ("binomial", "poisson"):
        table = ms.recover(population(family, fixef={"Intercept": 0, "x": 0.3}), seed=1).table
        assert set(table["kind"]) == {"fixed", "sd"}
