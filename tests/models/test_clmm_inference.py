"""Intervals, tests, means and rows of cumulative-link models, each by another road."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit

import mixedsim as ms
from mixedsim.errors import DataError, MixedsimError
from tests.models.wine import FORMULA, answers, marginal, wine, wine_fit

Z = stats.norm.ppf(0.975)


# ---- intervals


def test_profile_intervals() -> None:
    """R: confint(profile(clmm2(rating ~ temp + contact, random = judge, data = wine), range = c(.1, 4)))"""
    ends = wine_fit().confint()
    names = ["1|2", "2|3", "3|4", "4|5", "temp[T.warm]", "contact[T.yes]", "sd(Intercept | judge)"]
    assert list(ends.index) == names
    np.testing.assert_allclose(ends.loc[names[-1], ["lower", "upper"]].astype(float), [0.5014584, 2.26678], rtol=1e-4)
    assert (ends["lower"] < ends["estimate"]).all()
    assert (ends["upper"] > ends["estimate"]).all()


@pytest.mark.parametrize("k", [0, 2])
def test_the_ends_of_a_thresholds_profile_lie_one_quantile_below_the_maximum(k: int) -> None:
    """The integral itself, at its highest with that threshold held."""
    fit = wine_fit("logit", 25)
    ends = fit.confint(parameters=fit.thresholds.index[k]).iloc[0]
    best = np.array([*fit.thresholds, *fit.fixef, *fit.theta])
    for end in (ends["lower"], ends["upper"]):
        start = np.concatenate([best[:4] + end - best[k], best[4:]])

        def held(rest: np.ndarray, end: float = end) -> float:
            return marginal(np.insert(rest, k, end), "logit")

        found = minimize(held, np.delete(start, k), method="BFGS")
        assert found.fun - fit.deviance == pytest.approx(Z**2, abs=1e-4)


def test_wald_intervals_and_names_of_parameters() -> None:
    fit = wine_fit()
    wald = fit.confint("wald", level=0.9, parameters="threshold")
    half = stats.norm.ppf(0.95) * np.sqrt(np.diag(fit.joint_vcov))[:4]
    np.testing.assert_allclose(wald["upper"] - wald["estimate"], half)
    assert fit.confint("wald", parameters="sd")["lower"].isna().all()
    assert list(fit.confint("wald", parameters=["2|3", "fixed"]).index) == ["2|3", "temp[T.warm]", "contact[T.yes]"]
    with pytest.raises(MixedsimError, match=r"the model has no parameter '1\|22': did you mean '1\|2'\?"):
        fit.confint("wald", parameters="1|22")
    with pytest.raises(MixedsimError, match="the model has no parameter 'Intercept'"):
        fit.confint("wald", parameters="Intercept")


def test_the_bootstrap_refits_what_it_draws() -> None:
    fit = wine_fit()
    drawn, responses = fit.bootstrap(4, seed=3), fit.simulate(4, seed=3)
    again = fit.refit(responses[2])
    if drawn.loc[2, "converged"]:
        names = [*fit.fixef.index, *fit.thresholds.index, "theta1"]
        expected = [*again.fixef, *again.thresholds, *again.theta]
        np.testing.assert_allclose(drawn.loc[2, names].astype(float), expected, atol=1e-5)
    ends = fit.confint("boot", n=4, seed=3)
    table = drawn[drawn["converged"]]
    np.testing.assert_allclose(ends.loc["2|3", "upper"], table["2|3"].quantile(0.975))
    np.testing.assert_allclose(ends.loc["sd(Intercept | judge)", "lower"], table["theta1"].quantile(0.025))


def test_a_replicate_without_some_category_has_no_answer() -> None:
    data = answers().assign(answer=lambda d: d["answer"].cat.codes.clip(0, 3))
    rare = data.iloc[:120].copy()
    rare["answer"] = np.minimum(rare["answer"], 2)
    rare.loc[rare.index[0], "answer"] = 3
    fit = ms.clmm("answer ~ own_room + (1 | home)", rare)
    drawn = fit.bootstrap(30, seed=1)
    assert drawn.attrs["failed"] >= 1
    missing = [k for k in range(30) if fit.simulate(30, seed=1)[k].nunique() < 4]
    assert sorted(drawn.attrs["failures"]) == missing
    assert "no row has category" in drawn.attrs["failures"][missing[0]]
    assert drawn.loc[missing].drop(columns=["converged", "singular"]).isna().all(axis=None)


# ---- tests


def test_likelihood_ratios() -> None:
    """R: drop1(clmm(rating ~ temp + contact + (1 | judge), data = wine), test = "Chi")"""
    fit = wine_fit()
    small = fit.update(". ~ . - contact")
    table = ms.anova(small, fit)
    assert table["chisq"].iloc[1] == pytest.approx(2 * (fit.loglik - small.loglik))
    assert table["df"].tolist()[1] == 1
    dropped = ms.drop1(fit)
    assert dropped.loc["contact", "chisq"] == pytest.approx(14.35, abs=0.005)
    assert dropped.loc["temp", "chisq"] == pytest.approx(34.46, abs=0.005)
    wald = fit.coefficients()
    np.testing.assert_allclose(ms.drop1(fit, "wald")["chisq"], wald["t"] ** 2)
    np.testing.assert_allclose(fit.anova()["p"], wald["p"])
    best = ms.compare(small, fit)
    assert best.index[0] == fit.formula


def test_contrasts_and_joint_tests() -> None:
    fit = wine_fit()
    table = fit.contrasts("temp[T.warm] - contact[T.yes]")
    weights = np.array([1, -1])
    assert table["estimate"].iloc[0] == pytest.approx(weights @ fit.fixef)
    assert table["se"].iloc[0] == pytest.approx(np.sqrt(weights @ fit.vcov.to_numpy() @ weights))
    joint = fit.contrasts(["temp[T.warm]", "contact[T.yes]"], joint=True)
    expected = fit.fixef.to_numpy() @ np.linalg.solve(fit.vcov, fit.fixef)
    assert joint["chisq"].iloc[0] == pytest.approx(expected)


def test_models_of_other_kinds_are_not_compared() -> None:
    data = wine().assign(good=lambda d: (d["rating"] > "3").astype(int))
    other = ms.glmer("good ~ temp + (1 | judge)", data)
    same = ms.glmer("good ~ temp + (1 | judge)", data.assign(good=wine()["rating"].cat.codes.clip(upper=1)))
    for one in (other, same):
        with pytest.raises(MixedsimError, match="ordered categories and another one, whose likelihoods"):
            ms.anova(wine_fit(), one)
    with pytest.raises(MixedsimError, match="approximate the likelihood differently"):
        ms.anova(wine_fit(nagq=5), wine_fit().update(". ~ . - contact"))


def test_odds_ratios() -> None:
    fit = wine_fit()
    ratios = fit.ratios()
    np.testing.assert_allclose(ratios["ratio"], np.exp(fit.fixef))
    assert ratios.attrs["ratio"] == "odds ratio"
    profile = fit.ratios("profile")
    np.testing.assert_allclose(np.log(profile["lower"]), fit.confint(parameters="fixed")["lower"])
    with pytest.raises(MixedsimError, match="coefficients with the link 'probit' are no logarithms of odds"):
        wine_fit("probit").ratios()
    with pytest.raises(MixedsimError, match="method must be 'wald' or 'profile', found 'boot'"):
        fit.ratios("boot")


# ---- means


def test_marginal_means_on_the_latent_scale() -> None:
    fit = wine_fit()
    means = fit.emmeans("temp")
    centre = fit.thresholds.mean()
    contact = fit.fixef["contact[T.yes]"] / 2
    assert means["emmean"].tolist() == pytest.approx([contact - centre, fit.fixef["temp[T.warm]"] + contact - centre])
    row = np.array([-0.25] * 4 + [1, 0.5])
    assert means.loc["warm", "se"] == pytest.approx(np.sqrt(row @ fit.joint_vcov.to_numpy() @ row))
    pairs = means.pairs()
    assert pairs["estimate"].iloc[0] == pytest.approx(-fit.fixef["temp[T.warm]"])
    assert pairs["se"].iloc[0] == pytest.approx(np.sqrt(fit.vcov.iloc[0, 0]))


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog"])
def test_marginal_means_as_probabilities(link: str) -> None:
    fit = wine_fit(link)
    table = fit.emmeans("temp", scale="probability")
    assert table.index.names == ["temp", "rating"]
    np.testing.assert_allclose(table["probability"].groupby(level=0, observed=True).sum(), 1.0)
    latent = {"logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l, "loglog": stats.gumbel_r}[link]

    def share(values: np.ndarray, k: int) -> float:
        ends = np.concatenate([[-np.inf], values[:4], [np.inf]]) - values[4] - 0.5 * values[5]
        return float(latent.cdf(ends[k + 1]) - latent.cdf(ends[k]))

    best = fit.joint_vcov.index.map({**fit.thresholds, **fit.fixef}).to_numpy(dtype=float)
    for k, label in enumerate("12345"):
        slopes = [(share(best + 1e-6 * e, k) - share(best - 1e-6 * e, k)) / 2e-6 for e in np.eye(6)]
        row = table.loc[("warm", label)]
        assert row["probability"] == pytest.approx(share(best, k))
        assert row["se"] == pytest.approx(np.sqrt(slopes @ fit.joint_vcov.to_numpy() @ slopes), rel=1e-5)
        half = Z * row["se"] / (row["probability"] * (1 - row["probability"]))
        assert row["upper"] == pytest.approx(expit(np.log(row["probability"] / (1 - row["probability"])) + half))
    with pytest.raises(MixedsimError, match="scale must be 'link' or 'probability', found 'response'"):
        fit.emmeans("temp", scale="response")  # type: ignore[arg-type]


# ---- variance


def test_shares_of_the_latent_variance() -> None:
    fit = wine_fit()
    between = fit.theta[0] ** 2
    assert fit.icc()["adjusted"] == pytest.approx(between / (between + np.pi**2 / 3))
    eta = fit.predict(random=False, scale="link")
    fixed = eta.var(ddof=1)
    r2 = fit.r2()
    assert r2["marginal"] == pytest.approx(fixed / (fixed + between + np.pi**2 / 3))
    assert r2["conditional"] == pytest.approx((fixed + between) / (fixed + between + np.pi**2 / 3))
    probit = wine_fit("probit")
    assert probit.icc()["adjusted"] == pytest.approx(probit.theta[0] ** 2 / (probit.theta[0] ** 2 + 1))
    with pytest.raises(MixedsimError, match="has the method 'theoretical', found 'delta'"):
        fit.r2(method="delta")


# ---- rows


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_predicted_probabilities(link: str) -> None:
    fit = wine_fit(link)
    rows = pd.DataFrame({"temp": ["warm", "cold"], "contact": ["no", "yes"], "judge": [1, 7]})
    latent = {"logit": stats.logistic, "cloglog": stats.gumbel_l}[link]
    eta = np.array([fit.fixef.iloc[0], fit.fixef.iloc[1]]) + fit.ranef["judge"].loc[[1, 7], "Intercept"].to_numpy()
    np.testing.assert_allclose(fit.predict(rows, scale="link"), eta)
    ends = np.concatenate([[-np.inf], fit.thresholds, [np.inf]])
    expected = np.diff(latent.cdf(ends - eta[:, None]), axis=1)
    found = fit.predict(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)
    assert list(found.columns) == list("12345")
    classes = fit.predict(rows, scale="class")
    assert classes.tolist() == [str(k + 1) for k in expected.argmax(axis=1)]
    assert classes.cat.ordered
    np.testing.assert_allclose(fit.fitted, fit.predict(), rtol=1e-12)
    middle = fit.predict(rows, random=False)
    np.testing.assert_allclose(middle, np.diff(latent.cdf(ends - fit.fixef.to_numpy()[:, None]), axis=1), rtol=1e-10)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog"])
def test_shares_of_the_population_are_averages_over_judges(link: str) -> None:
    fit = wine_fit(link)
    rows = pd.DataFrame({"temp": ["warm"], "contact": ["no"]})
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    eta = fit.fixef.iloc[0] + fit.theta[0] * nodes
    latent = {"logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l, "loglog": stats.gumbel_r}[link]
    ends = np.concatenate([[-np.inf], fit.thresholds, [np.inf]])
    expected = weights @ np.diff(latent.cdf(ends - eta[:, None]), axis=1)
    np.testing.assert_allclose(fit.predict(rows, random="average").to_numpy()[0], expected, rtol=1e-8)
    with pytest.raises(MixedsimError, match="belong to no one place on the latent scale"):
        fit.predict(rows, random="average", scale="link")


def test_missing_new_and_wrong_rows() -> None:
    fit = wine_fit()
    rows = pd.DataFrame({"temp": ["warm", None], "contact": ["no", "no"], "judge": [1, 1]})
    assert fit.predict(rows).iloc[1].isna().all()
    assert fit.predict(rows, scale="class").isna().tolist() == [False, True]
    new = pd.DataFrame({"temp": ["warm"], "contact": ["no"], "judge": [99]})
    with pytest.raises(DataError, match="99"):
        fit.predict(new)
    np.testing.assert_allclose(
        fit.predict(new, allow_new_levels=True), fit.predict(new.drop(columns="judge"), random=False)
    )
    with pytest.raises(MixedsimError, match="scale must be 'probability', 'link' or 'class', found 'response'"):
        fit.predict(scale="response")  # type: ignore[arg-type]


def test_simulated_answers_have_the_shares_of_the_population() -> None:
    fit = wine_fit("cloglog")
    drawn = fit.simulate(1200, seed=1)
    first = drawn.iloc[[0, 4]].apply(lambda row: row.value_counts(normalize=True), axis=1)[list("12345")]
    expected = fit.predict(random="average").iloc[[0, 4]]
    np.testing.assert_allclose(first, expected, atol=4 * np.sqrt(0.25 / 1200))
    given = fit.simulate(1200, seed=1, random="conditional").iloc[0].value_counts(normalize=True)[list("12345")]
    np.testing.assert_allclose(given, fit.fitted.iloc[0], atol=4 * np.sqrt(0.25 / 1200))
    pd.testing.assert_frame_equal(fit.simulate(2, seed=5), fit.simulate(3, seed=5)[[0, 1]])


@pytest.mark.parametrize("kind", ["conditional", "unconditional"])
def test_quantile_residuals_are_standard_normal_in_a_model_that_holds(kind: str) -> None:
    fit = ms.clmm("answer ~ own_room + (1 | home)", answers())
    values = fit.quantile_residuals(seed=1, kind=kind)[0]  # type: ignore[arg-type]
    assert stats.kstest(values, "norm").pvalue > 0.001


# ---- again


def test_update_and_refit() -> None:
    fit = wine_fit()
    assert fit.update(link="probit").loglik == pytest.approx(wine_fit("probit").loglik)
    assert fit.update(nagq=10).loglik == pytest.approx(wine_fit("logit", 10).loglik)
    labels = wine()["rating"]
    assert fit.refit(labels).loglik == pytest.approx(fit.loglik, abs=1e-9)
    assert fit.refit(labels.astype(str).to_numpy()).loglik == pytest.approx(fit.loglik, abs=1e-9)
    merged = fit.refit(np.where(labels == "5", "4", labels.astype(str)))
    assert merged.categories == ("1", "2", "3", "4")
    other = fit.refit(fit.simulate(1, seed=1)[0])
    assert other.update(". ~ . - contact").loglik < other.loglik
    with pytest.raises(DataError, match="the new response holds '9' where the model was fitted to '1', '2', '3', '4'"):
        fit.refit(np.repeat("9", 72))


def test_the_path_ends_at_the_estimates() -> None:
    fit = wine_fit()
    last = fit.trace().iloc[-1]
    names = [*fit.thresholds.index, *fit.fixef.index]
    np.testing.assert_allclose(last[names].astype(float), [*fit.thresholds, *fit.fixef])
    assert last["deviance"] == fit.deviance
    assert fit.profile("sd", level=0.95, points=1).table["value"].tolist()[0] == pytest.approx(0.5015, abs=1e-4)
    assert fit.formula == FORMULA
