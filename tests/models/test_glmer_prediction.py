"""Intervals of predictions: for the mean of a row and for a new response."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtri

import mixedsim as ms
from tests.models.glmms import cbpp, cbpp_fit, clinic

R_SE = [0.2324718619, 0.3102136758, 0.3302748707, 0.4300714041]
R_RESPONSE_SE = [0.03692250, 0.02383603, 0.02262414, 0.01980439]
R_LOWER = [0.13538420, 0.04747683, 0.04013549, 0.02142015]
R_UPPER = [0.28031581, 0.14395068, 0.13240296, 0.10565415]


def test_without_effects_it_is_the_interval_of_the_fixed_part() -> None:
    """lme4 1.1-31, emmeans 1.8.4: m <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial,
    control = glmerControl("bobyqa", tolPwrss = 1e-13, optCtrl = list(rhobeg = 1e-3, rhoend = 1e-11)));
    X <- model.matrix(m); sqrt(diag(X %*% vcov(m) %*% t(X)))[1:4]; emmeans(m, ~ period, type = "response")"""
    link = cbpp_fit().predict(random=False, interval="confidence", scale="link")[:4]
    assert link["se"].tolist() == pytest.approx(R_SE, rel=1e-4)
    assert (link["df"] == np.inf).all()
    response = cbpp_fit().predict(random=False, interval="confidence")[:4]
    assert response["lower"].tolist() == pytest.approx(R_LOWER, rel=1e-4)
    assert response["upper"].tolist() == pytest.approx(R_UPPER, rel=1e-4)
    assert response["se"].tolist() == pytest.approx(R_RESPONSE_SE, rel=1e-4)


def test_estimates_are_those_without_an_interval() -> None:
    fit = cbpp_fit()
    for random in (True, False, "average"):
        for interval in ("confidence", "prediction"):
            table = fit.predict(random=random, interval=interval)
            np.testing.assert_allclose(table["estimate"], fit.predict(random=random), rtol=1e-14)
            assert list(table) == ["estimate", "se", "df", "lower", "upper"]
            assert (table["lower"] <= table["estimate"]).all()
            assert (table["estimate"] <= table["upper"]).all()


def test_a_level_narrows_or_widens_it() -> None:
    wide, narrow = (cbpp_fit().predict(interval="confidence", scale="link", level=level) for level in (0.95, 0.5))
    assert ((wide["upper"] - wide["lower"]) / (narrow["upper"] - narrow["lower"])).to_numpy() == pytest.approx(
        float(ndtri(0.975) / ndtri(0.75))
    )


def test_the_average_has_the_interval_of_marginal_means() -> None:
    fit = cbpp_fit()
    periods = pd.DataFrame({"period": list("1234")})
    own = fit.predict(periods, random="average", interval="confidence")
    expected = fit.marginal_means("period")
    np.testing.assert_allclose(own["lower"], expected["marginal_lower"], rtol=1e-10)
    np.testing.assert_allclose(own["upper"], expected["marginal_upper"], rtol=1e-10)
    link = fit.predict(periods, random="average", interval="confidence", scale="link")
    np.testing.assert_allclose(expit(link["lower"]), own["lower"], rtol=1e-12)


def test_the_average_of_a_slope_counts_the_slope() -> None:
    """By differences of the mean over θ and β."""
    fit = ms.glmer("n ~ x + (x | g)", clinic(), "poisson")
    new = pd.DataFrame({"x": [-1.0, 0.0, 2.0]})
    table = fit.predict(new, random="average", interval="confidence", scale="link")
    problem, step = fit.problem, 1e-5
    hessian = fit.optimum.hessian
    covariance = 2 * np.linalg.inv(hessian)
    z = np.column_stack([np.ones(3), new["x"]])

    def marginal(psi: np.ndarray) -> np.ndarray:
        beta = problem.linear.fixef(psi[3:].copy())
        own = problem.linear.relative_covariances(psi[:3])[0]
        return beta[0] + beta[1] * new["x"].to_numpy() + 0.5 * np.einsum("ij,jk,ik->i", z, own, z)

    psi = fit.at.psi
    moves = step * np.eye(5)
    slopes = np.column_stack([(marginal(psi + m) - marginal(psi - m)) / (2 * step) for m in moves])
    np.testing.assert_allclose(table["estimate"], marginal(psi), rtol=1e-9)
    np.testing.assert_allclose(table["se"] ** 2, np.einsum("ij,jk,ik->i", slopes, covariance, slopes), rtol=1e-5)


def test_new_levels_add_the_variance_of_the_groups() -> None:
    fit = cbpp_fit()
    new = pd.DataFrame({"period": ["1", "1"], "herd": ["99", "1"]})
    with pytest.raises(ms.DataError, match="levels that the model was not fitted on: '99'"):
        fit.predict(new, interval="confidence")
    table = fit.predict(new, interval="confidence", scale="link", allow_new_levels=True)
    middle = fit.predict(new, random=False, interval="confidence", scale="link")
    variance = fit.varcorr["variance"].iloc[0]
    assert table["se"][0] ** 2 == pytest.approx(middle["se"][0] ** 2 + variance, rel=1e-9)
    assert table["estimate"][0] == pytest.approx(middle["estimate"][0])
    herd = fit.ranef_sd["herd"].loc["1", "Intercept"]
    assert herd < table["se"][1] < table["se"][0]


def test_a_new_response_of_a_factor_left_out_comes_from_any_of_its_levels() -> None:
    fit = cbpp_fit()
    new = pd.DataFrame({"period": ["1"], "herd": ["99"], "size": [20]})
    apart = fit.predict(new, random=False, interval="prediction")
    unknown = fit.predict(new, allow_new_levels=True, interval="prediction")
    pd.testing.assert_frame_equal(apart, unknown)


def test_without_the_hessian_standard_errors_take_the_variances_as_known() -> None:
    fast, full = (ms.glmer("incidence / size ~ period + (1 | herd)", cbpp(), nagq=n) for n in (0, 1))
    one, other = (fit.predict(random=False, interval="confidence", scale="link") for fit in (fast, full))
    x = np.column_stack([np.ones(56), *(cbpp()["period"] == p for p in "234")])
    np.testing.assert_allclose(one["se"], np.sqrt(np.einsum("ij,jk,ik->i", x, fast.vcov, x)), rtol=1e-9)
    group, other_group = (fit.predict(interval="confidence", scale="link")["se"].mean() for fit in (fast, full))
    assert group < other_group
    assert (one["se"] < other["se"]).all()


FAMILIES = {
    "binomial": ("k / m ~ x + (1 | g)", "binomial"),
    "poisson": ("n ~ x + (1 | g)", "poisson"),
    "negative-binomial": ("n ~ x + (1 | g)", "negative-binomial"),
    "gamma": ("a ~ x + (1 | g)", ("gamma", "log")),
}


def drawn(family: str, rng: np.random.Generator) -> pd.DataFrame:
    """20 groups of 8 rows, and one group more; the last row of each was not seen."""
    g = np.repeat(np.arange(21), 8)
    x = rng.normal(size=len(g))
    mean = np.exp(0.8 + 0.4 * x + rng.normal(0, 0.6, 21)[g])
    data = pd.DataFrame({"g": g, "x": x, "m": 12, "mean": mean})
    share = expit(np.log(mean) - 1.5)
    data["k"] = rng.binomial(12, share)
    data["share"] = share
    lumps = rng.gamma(3, mean / 3) if family == "negative-binomial" else mean
    return data.assign(n=rng.poisson(lumps), a=rng.gamma(4, mean / 4))


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_cover(family: str) -> None:
    """In 30 data sets: means of known groups (conditional on nothing) and new responses of known and new groups."""
    rng = np.random.default_rng(11)
    formula, kind = FAMILIES[family]
    column = formula[0]
    inside: dict[str, list[float]] = {"mean": [], "known": [], "new": []}
    for _ in range(30):
        data = drawn(family, rng)
        hidden = data.index % 8 == 7
        seen = data[~hidden & (data["g"] < 20)]
        fit = ms.glmer(formula, seen, kind)
        old, other = data[hidden & (data["g"] < 20)], data[data["g"] == 20][:1]
        mean = fit.predict(old, interval="confidence")
        truth = old["share"] if family == "binomial" else old["mean"]
        inside["mean"].append(float(((mean["lower"] <= truth) & (truth <= mean["upper"])).mean()))
        for name, rows in (("known", old), ("new", other)):
            table = fit.predict(rows, interval="prediction", allow_new_levels=True)
            y = rows[column] / (12 if family == "binomial" else 1)
            inside[name].append(float(((table["lower"] <= y) & (y <= table["upper"])).mean()))
    rates = {name: (np.mean(values), np.std(values) / np.sqrt(len(values))) for name, values in inside.items()}
    assert rates["mean"][0] == pytest.approx(0.95, abs=3.5 * rates["mean"][1])
    slack = 0.0 if family == "gamma" else 0.035  # whole numbers hold more than they promise
    for name in ("known", "new"):
        rate, error = rates[name]
        assert 0.95 - 3.5 * max(error, 0.01) <= rate <= 0.95 + slack + 3.5 * max(error, 0.01), (name, rate, error)


def test_numbers_of_trials_are_those_of_the_new_rows() -> None:
    fit = cbpp_fit()
    new = pd.DataFrame({"period": ["1", "1"], "size": [2, 200]})
    table = fit.predict(new, random=False, interval="prediction")
    assert (table["upper"] * new["size"]).tolist() == pytest.approx(np.round(table["upper"] * new["size"]).tolist())
    assert table["upper"][0] > table["upper"][1] > table["estimate"][1]
    with pytest.raises(ms.DataError, match="the new data have no column 'size': add it, or ask for interval='conf"):
        fit.predict(new[["period"]], random=False, interval="prediction")
    with pytest.raises(ms.DataError, match="the trials of new rows must be whole numbers of at least 1"):
        fit.predict(new.assign(size=[0, 5]), random=False, interval="prediction")


def test_shares_take_trials_from_the_weights() -> None:
    data = cbpp().assign(share=cbpp()["incidence"] / cbpp()["size"])
    fit = ms.glmer("share ~ period + (1 | herd)", data, weights="size")
    pd.testing.assert_frame_equal(
        fit.predict(interval="prediction"), cbpp_fit().predict(interval="prediction"), rtol=1e-6
    )
    given = fit.predict(data[:5].drop(columns="size"), weights=data["size"][:5], interval="prediction")
    pd.testing.assert_frame_equal(given, cbpp_fit().predict(cbpp()[:5], interval="prediction"), rtol=1e-6)
    apart = ms.glmer("share ~ period + (1 | herd)", data, weights=data["size"].to_numpy())
    with pytest.raises(ms.DataError, match="the response is a share of trials, and where a new one will lie depends"):
        apart.predict(data, interval="prediction")


def test_a_calculated_number_of_trials_is_calculated_again() -> None:
    data = cbpp().assign(healthy=cbpp()["size"] - cbpp()["incidence"])
    fit = ms.glmer("incidence / (incidence + healthy) ~ period + (1 | herd)", data)
    pd.testing.assert_frame_equal(
        fit.predict(data, interval="prediction"), cbpp_fit().predict(cbpp(), interval="prediction"), rtol=1e-6
    )


def test_a_gamma_with_weights_asks_for_them() -> None:
    data = clinic().assign(w=np.tile([1.0, 4.0], 60))
    fit = ms.glmer("a ~ x + (1 | g)", data, ("gamma", "log"), weights="w")
    table = fit.predict(interval="prediction")
    widths = np.log(table["upper"] / table["lower"])
    assert widths[::2].mean() > 1.5 * widths[1::2].mean()
    pd.testing.assert_frame_equal(fit.predict(data, interval="prediction"), table, rtol=1e-9)
    apart = ms.glmer("a ~ x + (1 | g)", data, ("gamma", "log"), weights=data["w"].to_numpy())
    with pytest.raises(ms.DataError, match="the model was fitted with weights, which a prediction interval for new"):
        apart.predict(data, interval="prediction")


def test_a_missing_value_has_no_interval() -> None:
    new = pd.DataFrame({"period": ["1", None], "herd": ["1", "1"], "size": [5, 5]})
    for interval in ("confidence", "prediction"):
        table = cbpp_fit().predict(new, interval=interval)
        assert table.iloc[0].notna().all()
        assert table.iloc[1].isna().all()


def test_a_single_yes_or_no_has_an_interval_from_no_to_yes() -> None:
    fit = ms.glmer("y ~ x + (1 | g)", clinic())
    table = fit.predict(interval="prediction")
    assert set(table["lower"]) <= {0.0, 1.0}
    assert ((table["lower"] == 0) & (table["upper"] == 1)).mean() > 0.5


def test_inverse_links_have_no_standard_deviation_of_a_new_response() -> None:
    fit = ms.glmer("a ~ 1 + (1 | g)", clinic().assign(a=clinic()["a"] + 20), "gamma")
    table = fit.predict(interval="prediction")
    assert table["se"].isna().all()
    assert (table["lower"] < table["upper"]).all()


def test_words() -> None:
    fit = cbpp_fit()
    with pytest.raises(ms.MixedsimError, match="interval must be None, 'confidence' or 'prediction', found 'wald'"):
        fit.predict(interval="wald")  # type: ignore[call-overload]
    with pytest.raises(ms.MixedsimError, match="a new response has no value on the scale of the link"):
        fit.predict(interval="prediction", scale="link")
    with pytest.raises(ms.MixedsimError, match="weights belong to new rows: the fitted rows keep those of the fit"):
        fit.predict(interval="prediction", weights=2.0)
    with pytest.raises(ms.MixedsimError, match="level must"):
        fit.predict(interval="confidence", level=95)
