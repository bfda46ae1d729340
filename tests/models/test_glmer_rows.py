"""Rows of a generalised fit: predictions, residuals, simulated responses, bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mixedsim as ms
from tests.models.glmms import cbpp, cbpp_fit, clinic


def test_predictions_of_the_fitted_rows_are_the_means_of_the_fit() -> None:
    fit = cbpp_fit()
    link = fit.predict(scale="link")
    np.testing.assert_allclose(fit.predict(), expit(link), rtol=1e-14)
    np.testing.assert_allclose(fit.predict(), fit.fitted, rtol=1e-12)
    np.testing.assert_allclose(fit.residuals(), cbpp()["incidence"] / cbpp()["size"] - fit.fitted, atol=1e-15)
    again = fit.predict(cbpp())
    np.testing.assert_allclose(again, fit.fitted, rtol=1e-12)
    assert (fit.fitted.name, again.name) == ("fitted", "predicted")


def test_predictions_without_effects_and_for_new_levels_are_those_of_the_middle_group() -> None:
    """R: predict(m, re.form = NA, type = "response")[1:3]."""
    fit = cbpp_fit()
    middle = fit.predict(random=False)
    assert middle[:3].tolist() == pytest.approx([0.1980491548, 0.08387195485, 0.07397292724], rel=3e-7)
    new = pd.DataFrame({"period": ["1", "2", None], "herd": ["99", "99", "1"]})
    with pytest.raises(ms.DataError, match="levels that the model was not fitted on: '99'"):
        fit.predict(new)
    predicted = fit.predict(new, allow_new_levels=True)
    assert predicted[:2].tolist() == pytest.approx(middle[:2].tolist(), rel=1e-12)
    assert np.isnan(predicted[2])


def test_an_offset_is_asked_for_again() -> None:
    d = cbpp().assign(exposure=np.log(cbpp()["size"]))
    fit = ms.glmer("incidence ~ period + (1 | herd)", d, "poisson", offset="exposure")
    new = d.head(3)
    np.testing.assert_allclose(fit.predict(new), fit.fitted[:3], rtol=1e-12)
    doubled = fit.predict(new, offset=(new["exposure"] + np.log(2)).to_numpy())
    np.testing.assert_allclose(doubled, 2 * fit.fitted[:3], rtol=1e-12)
    with pytest.raises(ms.DataError, match="offset names a column 'exposure', which the new data do not have"):
        fit.predict(new.drop(columns="exposure"))
    with pytest.raises(ms.MixedsimError, match="an offset belongs to new rows"):
        fit.predict(offset=1.0)


def test_pearson_and_deviance_residuals_add_up() -> None:
    fit = cbpp_fit()
    mean, size = fit.fitted, cbpp()["size"]
    expected = fit.residuals() / np.sqrt(mean * (1 - mean) / size)
    np.testing.assert_allclose(fit.residuals("pearson"), expected, rtol=1e-12)
    losses = float((fit.residuals("deviance") ** 2).sum())
    assert losses == pytest.approx(float(fit.at.mode.point.losses.sum()), rel=1e-12)
    assert (np.sign(fit.residuals("deviance")) == np.sign(fit.residuals())).all()


FAMILIES = {
    "binomial": ("y ~ x + (1 | g)", "binomial"),
    "poisson": ("n ~ x + (1 | g)", "poisson"),
    "negative-binomial": ("n ~ x + (1 | g)", "negative-binomial"),
    "gamma": ("a ~ x + (1 | g)", ("gamma", "log")),
    "inverse-gaussian": ("a ~ x + (1 | g)", ("inverse-gaussian", "log")),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_simulated_responses_have_the_mean_and_variance_of_the_family(name: str) -> None:
    formula, family = FAMILIES[name]
    fit = ms.glmer(formula, clinic(), family)
    n = 4000
    drawn = fit.simulate(n, seed=2, random="conditional").to_numpy()
    mean = fit.fitted.to_numpy()
    own = fit.objective.family
    variance = own.variance(mean, fit.at.extra) * fit.sigma**2 / own.weights
    z = (drawn.mean(axis=1) - mean) / np.sqrt(variance / n)
    assert abs(z).max() < 4.5  # the largest of 120 normal numbers
    assert z.var() == pytest.approx(1, abs=0.6)
    assert (drawn.var(axis=1) / variance).mean() == pytest.approx(1, abs=0.06)


def test_new_random_effects_make_rows_of_a_group_alike() -> None:
    fit = ms.glmer("n ~ 1 + (1 | g)", clinic(), "poisson")
    drawn = fit.simulate(3000, seed=4).to_numpy()
    sd = fit.varcorr["sd_or_corr"].iloc[0]
    mean = np.exp(fit.fixef["Intercept"] + sd**2 / 2)
    error = drawn.reshape(12, 10, -1).mean(axis=1).std(axis=1).mean() / np.sqrt(12 * 3000)
    assert drawn.mean() == pytest.approx(mean, abs=4 * error)
    # covariance of two rows of a group: mean² (exp(sd²) − 1)
    one, other = drawn[0::10].ravel(), drawn[1::10].ravel()
    covariance = np.cov(one, other)[0, 1]
    assert covariance == pytest.approx(mean**2 * np.expm1(sd**2), rel=0.25)
    apart = np.cov(drawn[0], drawn[10])[0, 1]
    assert abs(apart) < 0.2 * covariance


def test_the_first_responses_are_the_same_however_many_are_drawn() -> None:
    for formula, family in FAMILIES.values():
        fit = ms.glmer(formula, clinic(), family)
        pd.testing.assert_frame_equal(fit.simulate(2, seed=5), fit.simulate(4, seed=5)[[0, 1]])


def test_responses_come_in_the_units_of_the_data() -> None:
    d = cbpp().assign(share=cbpp()["incidence"] / cbpp()["size"])
    counted = cbpp_fit().simulate(5, seed=6)
    shared = ms.glmer("share ~ period + (1 | herd)", d, weights="size").simulate(5, seed=6)
    assert (counted <= cbpp()["size"].to_numpy()[:, None]).all(axis=None)
    np.testing.assert_allclose(shared.mul(cbpp()["size"], axis=0), counted, atol=1e-12)


def test_effects_that_leave_the_link_are_refused() -> None:
    rng = np.random.default_rng(3)
    d = clinic().assign(r=rng.poisson(6 + 4 * rng.normal(size=12).clip(-1.2, 1.2)[clinic()["g"]]))
    fit = ms.glmer("r ~ 1 + (1 | g)", d, ("poisson", "identity"))
    with pytest.raises(ms.MixedsimError, match="lead beyond the range of the link 'identity'"):
        fit.simulate(200, seed=1)


def test_replicate_k_of_the_bootstrap_is_the_fit_to_response_k() -> None:
    for formula, family in (FAMILIES["binomial"], FAMILIES["negative-binomial"], FAMILIES["gamma"]):
        fit = ms.glmer(formula, clinic(), family)
        table, drawn = fit.bootstrap(3, seed=7), fit.simulate(3, seed=7)
        for k in range(3):
            again = fit.refit(drawn[k])
            assert table.loc[k, fit.coefficient_names[0]] == pytest.approx(again.fixef.iloc[0], rel=1e-5)
            assert table.loc[k, "theta1"] == pytest.approx(again.theta[0], rel=1e-4, abs=1e-6)
            assert table.loc[k, "sigma"] == pytest.approx(again.sigma, rel=1e-5)
            assert table.loc[k, "singular"] == again.singular
        assert ("tau" in table) == (family == "negative-binomial")
        assert table.attrs == {"seed": 7, "failed": int((~table["converged"]).sum()), "failures": {}}


def test_bootstrap_spreads_as_the_standard_errors_say() -> None:
    fit = cbpp_fit()
    table = fit.bootstrap(150, seed=8)
    assert table["converged"].all()
    ratio = table[list(fit.coefficient_names)].std() / fit.coefficients()["se"]
    assert ((ratio > 0.75) & (ratio < 1.35)).all()  # an sd of 150 draws is known within 6 %
    ends = fit.confint("boot", n=50, seed=8)
    assert ends.index.tolist()[-1] == "sd(Intercept | herd)"
    assert ends.attrs["seed"] == 8
    assert (ends["lower"] < ends["upper"]).all()
    assert ends.loc["period[T.2]", "estimate"] == fit.fixef["period[T.2]"]
