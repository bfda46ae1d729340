"""Tests of terms, contrasts, marginal means, ratios and population means of generalised models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import Wald, joint_test
from mixedsim.inference.hypotheses import hypotheses
from mixedsim.models import GeneralizedLinearMixedModel
from tests.models.reference import CASES, MARKS


@pytest.fixture(scope="module")
def herds() -> GeneralizedLinearMixedModel:
    return ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))


def crossed_data() -> pd.DataFrame:
    data = ms.datasets.load("cbpp")
    return data.assign(big=np.where(data["herd"].astype(int) % 3 == 0, "big", "small"))


def counts(seed: int = 11, groups: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), 8)
    x = rng.normal(size=len(group))
    arm = rng.choice(["a", "b"], len(group))
    b = rng.multivariate_normal([0, 0], [[0.8, 0.2], [0.2, 0.3]], groups)[group]
    eta = 0.2 + 0.5 * x + 0.4 * (arm == "b") + b[:, 0] + b[:, 1] * x
    return pd.DataFrame(
        {
            "g": group.astype(str),
            "x": x,
            "arm": arm,
            "n": rng.poisson(np.exp(eta)),
            "yes": (rng.random(len(group)) < 1 / (1 + np.exp(-eta))).astype(int),
            "amount": rng.gamma(3, np.exp(eta) / 3),
            "hours": rng.uniform(1, 3, len(group)),
        }
    )


# ---- tests of terms


@MARKS[0]
def test_the_test_of_a_term_is_that_of_rs_covariance(herds: GeneralizedLinearMixedModel) -> None:
    """b'V⁻¹b for the three periods with R's vcov (reference), which is what car::Anova computes."""
    expect = CASES["cbpp_laplace"]["expect"]
    b, v = np.array(list(expect["fixef"].values()))[1:], np.array(expect["vcov"])[1:, 1:]
    chisq = float(b @ np.linalg.solve(v, b))
    for kind in (1, 2, 3):
        table = herds.anova(kind)
        assert table.columns.tolist() == ["chisq", "df", "p"]
        assert table.loc["period", "chisq"] == pytest.approx(chisq, rel=1e-4)
        assert table.loc["period", "df"] == 3
        assert table.loc["period", "p"] == pytest.approx(stats.chi2.sf(chisq, 3), rel=1e-3)


@pytest.mark.parametrize(("kind", "theirs"), [(2, (22.65312, 0.67097, 3.66544)), (3, (25.55516, 2.49562, 3.66544))])
def test_types_ii_and_iii_are_cars(kind: int, theirs: tuple[float, ...]) -> None:
    """R: car::Anova(glmer(cbind(incidence, size - incidence) ~ period * big + (1 | herd), cbpp, binomial), type,
    vcov. = vcov(model, use.hessian = FALSE)), contr.sum."""
    fit = ms.glmer("incidence / size ~ period * big + (1 | herd)", crossed_data())
    known = np.linalg.inv(fit.at.bordered.information)
    information = np.linalg.inv(fit.problem.linear.vcov(known, 1.0))
    terms = hypotheses(fit.design, fit.problem.linear, kind, information)  # type: ignore[arg-type]
    ours = {}
    for name, rows in terms.items():
        test = joint_test(fit.problem.linear, fit.at, Wald(known), rows)
        ours[name] = test.f * test.df1
    assert [ours["period"], ours["big"], ours["period:big"]] == pytest.approx(theirs, rel=2e-3)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_a_test_does_not_depend_on_the_coding(kind: int) -> None:
    data = crossed_data()
    one = ms.glmer("incidence / size ~ period * big + (1 | herd)", data).anova(kind)
    other = ms.glmer("incidence / size ~ C(period, contr.sum) * C(big, contr.sum) + (1 | herd)", data).anova(kind)
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-4)


def test_contrasts_are_combinations_of_coefficients(herds: GeneralizedLinearMixedModel) -> None:
    table = herds.contrasts(["period[T.3] - period[T.2]", "period[T.4] = -1"])
    b, v = herds.fixef.to_numpy(), herds.vcov.to_numpy()
    weights = np.array([0, -1, 1, 0])
    assert table["estimate"].iloc[0] == pytest.approx(weights @ b)
    assert table["se"].iloc[0] == pytest.approx(np.sqrt(weights @ v @ weights))
    assert table["t"].iloc[1] == pytest.approx((b[3] + 1) / np.sqrt(v[3, 3]))
    joint = herds.contrasts(["period[T.2]", "period[T.3]", "period[T.4]"], joint=True)
    assert joint["chisq"].iloc[0] == pytest.approx(herds.anova().loc["period", "chisq"])


def test_no_other_degrees_of_freedom(herds: GeneralizedLinearMixedModel) -> None:
    with pytest.raises(MixedsimError, match="ddf must be 'wald' for a generalised model, found 'satterthwaite'"):
        herds.anova(ddf="satterthwaite")
    with pytest.raises(MixedsimError, match="type must be 1, 2 or 3, found 4"):
        herds.anova(4)  # type: ignore[arg-type]


# ---- means of a middle group


def test_means_on_the_response_scale_are_predictions(herds: GeneralizedLinearMixedModel) -> None:
    link, response = herds.emmeans("period"), herds.emmeans("period", scale="response")
    new = {"period": ["1", "2", "3", "4"]}
    np.testing.assert_allclose(response["emmean"], herds.predict(new, random=False), rtol=1e-12)
    np.testing.assert_allclose(link["emmean"], herds.predict(new, random=False, scale="link"), rtol=1e-12)
    p = response["emmean"].to_numpy()
    np.testing.assert_allclose(response["se"], p * (1 - p) * link["se"].to_numpy(), rtol=1e-10)
    for end in ("lower", "upper"):
        np.testing.assert_allclose(response[end], 1 / (1 + np.exp(-link[end].to_numpy())), rtol=1e-12)


@MARKS[0]
def test_ratios_of_pairs_are_rs(herds: GeneralizedLinearMixedModel) -> None:
    """R: pairs(emmeans(model, "period"), type = "response", adjust = "tukey"), its formula on R's own estimates."""
    expect = CASES["cbpp_laplace"]["expect"]
    b, v = np.array(list(expect["fixef"].values())), np.array(expect["vcov"])
    table = herds.emmeans("period", scale="response").pairs("tukey")
    assert table.index.tolist()[:2] == ["1 / 2", "1 / 3"]
    assert table.attrs["ratio"] == "odds ratio"
    se = np.sqrt(v[1, 1])
    assert table["ratio"].iloc[0] == pytest.approx(np.exp(-b[1]), rel=1e-5)
    assert table["se"].iloc[0] == pytest.approx(np.exp(-b[1]) * se, rel=1e-4)
    z = -b[1] / se
    assert table["t"].iloc[0] == pytest.approx(z, rel=1e-4)
    assert table["p"].iloc[0] == pytest.approx(stats.studentized_range.sf(np.sqrt(2) * z, 4, np.inf), rel=1e-3)
    half = stats.studentized_range.ppf(0.95, 4, np.inf) / np.sqrt(2) * se
    assert table[["lower", "upper"]].iloc[0].tolist() == pytest.approx(np.exp([-b[1] - half, -b[1] + half]), rel=1e-4)


def test_pairs_within_groups_and_other_links() -> None:
    data = counts()
    fit = ms.glmer("n ~ x * arm + (1 | g)", data, family="poisson", offset=np.log(data["hours"]))
    means = fit.emmeans("arm", by="x", at={"x": [0, 1]}, scale="response")
    pairs = means.pairs(adjust=None)
    assert pairs.index.tolist() == [(0, "a / b"), (1, "a / b")]
    assert pairs.attrs["ratio"] == "rate ratio"
    ratio = means["emmean"].to_numpy().reshape(2, 2)
    np.testing.assert_allclose(pairs["ratio"], ratio[:, 0] / ratio[:, 1], rtol=1e-10)
    probit = ms.glmer("yes ~ arm + (1 | g)", data, family=("binomial", "probit"))
    plain = probit.emmeans("arm", scale="response").pairs()
    assert plain.loc["a - b", "estimate"] == pytest.approx(-probit.fixef["arm[T.b]"])
    inverse = ms.glmer("amount ~ arm + (1 | g)", data.assign(amount=data["amount"] + 2), family="gamma")
    table = inverse.emmeans("arm", scale="response")
    assert (table["lower"] < table["emmean"]).all()
    assert (table["emmean"] < table["upper"]).all()


def test_complaints_of_means(herds: GeneralizedLinearMixedModel) -> None:
    with pytest.raises(MixedsimError, match="scale must be 'link' or 'response', found 'odds'"):
        herds.emmeans("period", scale="odds")  # type: ignore[arg-type]
    with pytest.raises(MixedsimError, match="'season' is no variable of the fixed part"):
        herds.marginal_means("season")


# ---- ratios


def test_ratios_are_exponentials(herds: GeneralizedLinearMixedModel) -> None:
    table, raw = herds.ratios(level=0.9), herds.coefficients(level=0.9)
    for ours, theirs in (("ratio", "estimate"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose(table[ours], np.exp(raw[theirs]))
    assert table["p"].equals(raw["p"])
    profile = herds.ratios("profile")
    ends = herds.confint("profile", parameters="fixed")
    np.testing.assert_allclose(profile[["lower", "upper"]], np.exp(ends[["lower", "upper"]]), rtol=1e-10)


@pytest.mark.parametrize(
    ("response", "family", "what"),
    [
        ("yes", ("binomial", "cloglog"), "hazard ratio"),
        ("n", "poisson", "rate ratio"),
        ("n", "negative-binomial", "rate ratio"),
        ("amount", ("gamma", "log"), "ratio of means"),
    ],
)
def test_ratios_have_names(response: str, family: str, what: str) -> None:
    assert ms.glmer(f"{response} ~ x + (1 | g)", counts(), family=family).ratios().attrs["ratio"] == what


def test_a_probit_model_has_no_ratios() -> None:
    fit = ms.glmer("yes ~ x + (1 | g)", counts(), family=("binomial", "probit"))
    with pytest.raises(MixedsimError) as refused:
        fit.ratios()
    assert str(refused.value) == (
        "coefficients with the link 'probit' are no logarithms, so they have no ratios: fit the model with the link "
        "cloglog and log and logit, or compare means with emmeans(..., scale='response')."
    )
    with pytest.raises(MixedsimError, match="method must be 'wald' or 'profile', found 'boot'"):
        ms.glmer("yes ~ x + (1 | g)", counts()).ratios("boot")  # type: ignore[arg-type]


# ---- means of the population


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("yes ~ x + arm + (x | g)", "binomial"),
        ("n ~ x + arm + (x | g)", "poisson"),
        ("amount ~ x + arm + (x | g)", ("gamma", "log")),
    ],
)
def test_population_means_are_those_of_simulated_rows(formula: str, family: str) -> None:
    data = counts()
    fit = ms.glmer(formula, data, family=family)
    drawn = fit.simulate(2000, seed=1).to_numpy()
    average = fit.predict(random="average").to_numpy()
    error = drawn.std(axis=1, ddof=1) / np.sqrt(2000)
    off = (drawn.mean(axis=1) - average) / error
    assert np.sqrt((off**2).mean()) == pytest.approx(1, abs=0.25)
    middle = fit.predict(random=False).to_numpy()
    assert np.abs((drawn.mean(axis=1) - middle) / error).mean() > 2


def test_population_means_are_predictions_with_both_columns() -> None:
    data = counts()
    fit = ms.glmer("yes ~ x + arm + (x | g)", data)
    table = fit.marginal_means("arm", at={"x": 1.5})
    new = {"arm": ["a", "b"], "x": [1.5, 1.5]}
    np.testing.assert_allclose(table["marginal"], fit.predict(new, random="average"), rtol=1e-12)
    np.testing.assert_allclose(table["conditional"], fit.predict(new, random=False), rtol=1e-12)
    ends = fit.emmeans("arm", at={"x": 1.5}, scale="response")
    np.testing.assert_allclose(table["conditional_lower"], ends["lower"], rtol=1e-8)
    link = fit.predict(new, random="average", scale="link")
    np.testing.assert_allclose(1 / (1 + np.exp(-link)), table["marginal"], rtol=1e-12)


def test_intervals_of_population_means_count_theta_too() -> None:
    """The delta method by differences of the whole way from (θ, β) to the log odds, in the units of the data."""
    fit = ms.glmer("yes ~ x + arm + (x | g)", counts())
    level, at = 0.9, {"x": 1.5}
    table = fit.marginal_means("arm", at=at, level=level)
    linear, psi = fit.problem.linear, fit.at.psi
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    x = np.array([[1.0, 1.5, 0.0], [1.0, 1.5, 1.0]])  # Intercept, x, arm

    def log_odds(psi: np.ndarray) -> np.ndarray:
        eta = x @ linear.fixef(psi[3:].copy())
        sigma = linear.relative_covariances(psi[:3])[0]
        sd = np.sqrt(np.einsum("ij,jk,ik->i", x[:, :2], sigma, x[:, :2]))
        mean = 1 / (1 + np.exp(-(eta[:, None] + sd[:, None] * nodes))) @ (weights / weights.sum())
        return np.log(mean / (1 - mean))

    assert fit.coefficient_names == ("Intercept", "x", "arm[T.b]")
    step = 1e-5
    j = np.column_stack([(log_odds(psi + m) - log_odds(psi - m)) / (2 * step) for m in step * np.eye(len(psi))])
    se = np.sqrt(np.diag(j @ (2 * np.linalg.inv(fit.optimum.hessian)) @ j.T))
    half = stats.norm.ppf(0.95) * se
    lower, upper = log_odds(psi) - half, log_odds(psi) + half
    np.testing.assert_allclose(table["marginal_lower"], 1 / (1 + np.exp(-lower)), rtol=1e-6)
    np.testing.assert_allclose(table["marginal_upper"], 1 / (1 + np.exp(-upper)), rtol=1e-6)
    known = np.sqrt(np.diag(j[:, 3:] @ (2 * np.linalg.inv(fit.optimum.hessian))[3:, 3:] @ j[:, 3:].T))
    assert (np.abs(known / se - 1) > 1e-3).all()


def test_pairs_of_population_means(herds: GeneralizedLinearMixedModel) -> None:
    table = herds.marginal_means("period")
    pairs = table.pairs()
    odds = (table["marginal"] / (1 - table["marginal"])).to_numpy()
    assert pairs.index.tolist()[0] == "1 / 2"
    assert pairs["marginal"].iloc[0] == pytest.approx(odds[0] / odds[1])
    assert pairs["difference"].iloc[0] == pytest.approx(table["marginal"].iloc[0] - table["marginal"].iloc[1])
    ratios = herds.emmeans("period", scale="response").pairs(None)
    np.testing.assert_allclose(pairs["conditional"], ratios["ratio"], rtol=1e-10)
    np.testing.assert_allclose(pairs["conditional_upper"], ratios["upper"], rtol=1e-8)
    assert (np.abs(np.log(pairs["marginal"])) < np.abs(np.log(pairs["conditional"]))).all()


def test_a_log_link_shifts_all_counts_alike() -> None:
    """E exp(η + b) = exp(η + s²/2): rate ratios of the population are those within a group."""
    fit = ms.glmer("n ~ arm + (1 | g)", counts(), family="poisson")
    pairs = fit.marginal_means("arm").pairs()
    assert pairs["marginal"].iloc[0] == pytest.approx(pairs["conditional"].iloc[0], rel=1e-12)
    table = fit.marginal_means("arm")
    variance = fit.varcorr["variance"][0]
    np.testing.assert_allclose(table["marginal"], table["conditional"] * np.exp(variance / 2), rtol=1e-12)


def test_several_factors_and_slopes_that_are_no_fixed_effects() -> None:
    data = counts().assign(h=lambda d: (d.index % 6).astype(str))
    crossed = ms.glmer("n ~ arm + (1 | g) + (1 | h)", data, family="poisson")
    total = crossed.varcorr["variance"].sum()
    table = crossed.marginal_means("arm")
    np.testing.assert_allclose(table["marginal"] / table["conditional"], np.exp(total / 2), rtol=1e-10)
    slope = ms.glmer("n ~ arm + (x | g)", data, family="poisson")
    z = np.array([1.0, data["x"].mean()])
    variance = z @ slope.covariances["g"].to_numpy() @ z
    table = slope.marginal_means("arm")
    np.testing.assert_allclose(table["marginal"] / table["conditional"], np.exp(variance / 2), rtol=1e-8)


def test_a_singular_fit_has_no_two_means() -> None:
    data = counts().assign(coin=np.random.default_rng(1).integers(0, 2, 480), h=lambda d: (d.index % 7).astype(str))
    fit = ms.glmer("coin ~ arm + (1 | h)", data)
    assert fit.singular
    table = fit.marginal_means("arm")
    np.testing.assert_allclose(table["marginal"], table["conditional"], rtol=1e-12)
    np.testing.assert_allclose(table["marginal_lower"], table["conditional_lower"], rtol=1e-3)


def test_inverse_links_have_no_population() -> None:
    fit = ms.glmer("amount ~ arm + (1 | g)", counts().assign(amount=lambda d: d["amount"] + 2), family="gamma")
    for ask in (lambda: fit.marginal_means("arm"), lambda: fit.predict(random="average")):
        with pytest.raises(MixedsimError, match="with the link 'inverse' the mean over normal random effects does not"):
            ask()


def test_separated_and_empty_cells_are_numbers_or_nan() -> None:
    none = ms.datasets.load("cbpp").assign(incidence=lambda d: d["incidence"].where(d["period"] != "4", 0))
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", none)
    table = fit.marginal_means("period")
    assert table.loc["4"].tolist() == pytest.approx([0, 0, 1, 0, 0, 1], abs=1e-6)
    assert 0 < table.loc["1", "marginal_lower"] < table.loc["1", "marginal_upper"] < 1
    assert table.pairs().loc["1 / 4", "conditional_upper"] == fit.ratios().loc["period[T.4]", "upper"] == np.inf
    data = counts()
    odd = data.assign(part=np.where(data["arm"] == "a", "p", np.where(data["x"] > 0, "p", "q")))
    fit = ms.glmer("n ~ arm * part + (1 | g)", odd, family="poisson")
    for table in (fit.marginal_means("arm", by="part"), fit.emmeans("arm", by="part", scale="response")):
        assert table.isna().any(axis=1).tolist() == [False, False, True, False]


def test_complete_separation_leaves_no_error_without_a_sentence() -> None:
    """An arm in which everybody succeeds: its coefficient runs away, and nothing is known of its size."""
    data = counts()
    data["yes"] = np.where(data["arm"] == "b", 1, data["yes"])
    fit = ms.glmer("yes ~ arm + (1 | g)", data)
    assert any("arm[T.b]" in message for message in fit.messages)
    assert np.isfinite(fit.fixef).all()
    table = fit.coefficients()
    assert not table.loc["arm[T.b]", "p"] < 0.05
    low, high = fit.confint(method="profile").loc["arm[T.b]", ["lower", "upper"]]
    assert low > 0
    assert high == np.inf
