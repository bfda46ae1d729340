"""Bootstrap replicates as parameters: the same numbers as a refit of the replicate has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.models.replicated_parameters import replicated_parameters


def test_parameters_are_those_of_a_refit():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    y = fit.simulate(3, seed=4)
    draws = fit.bootstrap(3, seed=4)
    table = replicated_parameters(fit, draws)
    for k in range(3):
        again = fit.refit(y.iloc[:, k].to_numpy())
        sd = {row.term1: row.sd_or_corr for row in again.varcorr.itertuples() if pd.isna(row.term2)}
        assert table.iloc[k]["Days"] == pytest.approx(again.fixef["Days"], rel=1e-6)
        assert table.iloc[k]["sd(Days | Subject)"] == pytest.approx(sd["Days"], rel=1e-4)
        assert table.iloc[k]["sd(Intercept | Subject)"] == pytest.approx(sd["Intercept"], rel=1e-4)
        assert table.iloc[k]["sigma"] == pytest.approx(again.sigma, rel=1e-5)
        corr = again.varcorr["sd_or_corr"].iloc[-1]
        assert table.iloc[k]["corr(Intercept, Days | Subject)"] == pytest.approx(corr, rel=1e-3)


def test_a_generalised_model_has_no_sigma():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    draws = fit.bootstrap(5, seed=1)
    table = replicated_parameters(fit, draws)
    assert list(table.columns) == [*fit.coefficient_names, "sd(Intercept | herd)"]
    theta = draws.filter(like="theta").to_numpy().ravel()
    assert table["sd(Intercept | herd)"].to_numpy() == pytest.approx(np.abs(theta), nan_ok=True)


def test_draws_of_another_model_are_refused():
    one = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    other = ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy"))
    with pytest.raises(
        ms.MixedsimError, match=r"draws are not those of this fit: give what fit\.bootstrap\(\) returned"
    ):
        replicated_parameters(one, other.bootstrap(2, seed=1))
