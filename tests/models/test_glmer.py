"""`glmer` against R: the reference's cases by its own tool, and families that it has no case of."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mixedsim as ms
from mixedsim.models import GeneralizedLinearMixedModel
from tests.models.glmms import cbpp, cbpp_fit, clinic
from tests.models.reference import CASES, MARKS, REFERENCE

GLMM = [name for name, case in CASES.items() if case["kind"] == "glmm"]


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS) for name in GLMM])
def test_fit_equals_lme4(name: str, parity: ModuleType) -> None:
    ledger = parity.Ledger(1)  # not the wider one that generalised cases may have
    parity.run_case(ms, CASES[name], REFERENCE, "fit", ledger)
    standard_errors = ("std_errors", "vcov")  # lme4 takes its second derivatives by differences of differences
    bad = [b for b in ledger.bad if b[0] not in standard_errors or b[4] > 20 * parity.TOLERANCE[b[0]][0]]
    assert ledger.count > 20
    assert not bad, bad[:5]


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS) for name in GLMM])
def test_coefficients_and_wald_intervals_equal_lme4(name: str, parity: ModuleType) -> None:
    case, expect = CASES[name], CASES[name]["expect"]
    fit = parity.fit(ms, case, parity.read(case, REFERENCE))
    names = expect["coef_names_formulaic"]
    table = fit.coefficients().rename(index={ours: r for r, ours in names.items()})
    if not set(expect["z_values"]) <= set(table.index):  # verbagg: R's names of interactions with a reversed order
        table = fit.coefficients().set_axis(expect["coef_order"], axis=0)
    for r, z in expect["z_values"].items():
        assert table.loc[r, "t"] == pytest.approx(z, rel=2e-3)
        assert table.loc[r, "p"] == pytest.approx(expect["p_values"][r], rel=2e-2, abs=1e-12)
        assert table.loc[r, ["lower", "upper"]].tolist() == pytest.approx(
            expect["confint_wald"][r], abs=2e-3 * table.loc[r, "se"]
        )
    assert np.isinf(table["df"]).all()


# R 4.2.2, lme4 1.1.31 with glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5),
# tolPwrss = 1e-12) on cbpp and sleepstudy; fixef, sqrt(diag(vcov)), theta, sigma, logLik, AIC, BIC, the first of
# residuals(m, "pearson"), residuals(m, "deviance"), residuals(m, "response"), predict(m) and ranef(m)[[1]].
R = {
    # glmer(incidence ~ period + offset(log(size)) + (1 | herd), cbpp, poisson)
    "Poisson with an offset": (
        [-1.6483648677, -0.8440644116, -0.9662891731, -1.3910464152],
        [0.1938572269, 0.2845326875, 0.3055176433, 0.4091885494],
        [0.4915790037],
        (1.0, -90.24164772, 190.4832954, 200.6100539),
        (-1.075178755, -1.198819172, -2.204690915, 1.436200787, 0.4455083247),
    ),
    # cbpp$obs <- factor(seq_len(nrow(cbpp)))
    # glmer(cbind(incidence, size - incidence) ~ period + (1 | herd) + (1 | obs), cbpp, binomial)
    "one row a level": (
        [-1.500291840, -1.226508919, -1.328840445, -1.866264940],
        [0.2967131189, 0.4803121294, 0.4939210134, 0.593611409],
        [0.8910784399, 0.1839470874],
        (1.0, -87.31915554, 186.6383111, 198.7904212),
        (-0.2048517721, -0.2084683923, -0.02022655876, -1.635460488, -0.2248443131),
    ),
    # glmer(Reaction ~ Days + (1 | Subject), sleepstudy, Gamma("log"))
    "gamma, log": (
        [5.53172983572, 0.03380681718],
        [0.04383653834, 0.002438459483],
        [0.7207175637],
        (0.105401472, -870.4042548, 1748.80851, 1761.580337),
        (-0.1202276967, -0.1254149476, -34.10430617, 5.647791518, 0.1160616828),
    ),
    # glmer(Reaction ~ Days + (Days || Subject), sleepstudy, Gamma("log"))
    "gamma, log, slopes": (
        [5.52958228840, 0.03357943349],
        [0.03999897558, 0.006989893105],
        [0.7705893903, 0.1381573727],
        (0.08902019666, -846.2962414, 1702.592483, 1718.557267),
        (-0.04460128137, -0.04528217848, -11.65031474, 5.565325886, 0.03574359805),
    ),
    # glmer(I(Reaction / 300) ~ Days + (1 | Subject), sleepstudy, Gamma)
    "gamma, inverse": (
        [1.21467000749, -0.03479037328],
        [0.04984497512, 0.002359163496],
        [0.7978738826],
        (0.102825781, 161.0825215, -314.165043, -301.3932156),
        (-0.1155521939, -0.1203294039, -0.1086825223, 1.063208614, -0.1514613931),
    ),
    # glmer(Reaction ~ Days + (1 | Subject), sleepstudy, inverse.gaussian("log"))
    "inverse Gaussian, log": (
        [5.54615264890, 0.03250933646],
        [0.04271803965, 0.002433599763],
        [12.0009961],
        (0.006147256466, -869.0761841, 1746.152368, 1758.924196),
        (-0.007011267213, -0.007465271031, -33.36615523, 5.645185928, 0.09903327913),
    ),
    # glmer.nb(incidence ~ period + offset(log(size)) + (1 | herd), cbpp, nb.control = list(tol = 1e-9))
    "negative binomial": (
        [-1.5476339259, -0.9957738076, -1.0311447803, -1.5674620548],
        [0.2403120137, 0.3834605976, 0.3958428785, 0.4965906949],
        [0.2115911752],
        (1.0, -87.40591157, 186.8118231, 198.9639333),
        (-0.4799879194, -0.5462685507, -1.394886623, 1.222270365, 0.1308469614),
    ),
    # sleepstudy$slow <- sleepstudy$Reaction > 300
    # glmer(slow ~ Days + (Days | Subject), sleepstudy, binomial)
    "truth values, slopes": (
        [-3.5187509037, 0.6662469289],
        [0.9078488471, 0.1619457313],
        [2.034824395, -0.1926736449, 0.3007682485],
        (1.0, -85.56886902, 181.137738, 197.1025223),
        (-0.3123899852, -0.4315427952, -0.08891090926, -2.327005838, 1.191745066),
    ),
    # glmer(slow ~ Days + (1 | Subject), sleepstudy, binomial, weights = rep(2, 180))
    "truth values, weights": (
        [-3.5186002891, 0.6268096796],
        [0.6641909566, 0.07257752138],
        [2.177003107],
        (1.0, -156.5036185, 319.0072371, 328.5861076),
        (-0.4642333953, -0.6398019654, -0.09727439189, -2.227882873, 1.290717416),
    ),
}


@cache
def theirs(name: str) -> GeneralizedLinearMixedModel:
    herds, sleep = cbpp(), ms.datasets.load("sleepstudy")
    slow = sleep.assign(slow=sleep["Reaction"] > 300)
    observed = herds.assign(obs=range(len(herds)))
    size = np.log(herds["size"])
    return {
        "Poisson with an offset": lambda: ms.glmer("incidence ~ period + (1|herd)", herds, "poisson", offset=size),
        "one row a level": lambda: ms.glmer("incidence / size ~ period + (1|herd) + (1|obs)", observed),
        "gamma, log": lambda: ms.glmer("Reaction ~ Days + (1|Subject)", sleep, ("gamma", "log")),
        "gamma, log, slopes": lambda: ms.glmer("Reaction ~ Days + (Days||Subject)", sleep, ("gamma", "log")),
        "gamma, inverse": lambda: ms.glmer("I(Reaction / 300) ~ Days + (1|Subject)", sleep, "gamma"),
        "inverse Gaussian, log": lambda: ms.glmer("Reaction ~ Days + (1|Subject)", sleep, ("inverse.gaussian", "log")),
        "negative binomial": lambda: ms.glmer("incidence ~ period + (1|herd)", herds, "nbinom", offset=size),
        "truth values, slopes": lambda: ms.glmer("slow ~ Days + (Days|Subject)", slow),
        "truth values, weights": lambda: ms.glmer("slow ~ Days + (1|Subject)", slow, weights=np.full(180, 2)),
    }[name]()


@pytest.mark.parametrize("name", R)
def test_other_families_equal_lme4(name: str) -> None:
    fixef, errors, theta, (sigma, loglik, aic, bic), (pearson, deviance, response, link, ranef) = R[name]
    fit = theirs(name)
    assert fit.converged
    scaled = name.startswith(("gamma", "inverse"))
    assert [said.partition(" in ")[0] for said in fit.messages] == scaled * [
        "the standard deviations of random effects come out too small"
    ]
    # bobyqa stops 1e-10 of its radius, and not of the likelihood, from the optimum
    np.testing.assert_allclose((fit.fixef.to_numpy() - fixef) / errors, 0, atol=1e-5)
    np.testing.assert_allclose(fit.coefficients()["se"], errors, rtol=1e-4)
    np.testing.assert_allclose(fit.theta, theta, rtol=5e-6)
    assert fit.sigma == pytest.approx(sigma, rel=1e-6)
    assert (fit.loglik, fit.aic, fit.bic) == pytest.approx((loglik, aic, bic), abs=1e-5)
    # lme4's glmer.nb seeks tau by itself, to fewer digits
    digits = 5e-6 if name == "negative binomial" else 2e-6
    assert fit.residuals("pearson").iloc[0] == pytest.approx(pearson, rel=digits)
    assert fit.residuals("deviance").iloc[0] == pytest.approx(deviance, rel=digits)
    assert fit.residuals().iloc[0] == pytest.approx(response, rel=digits)
    assert fit.predict(scale="link").iloc[0] == pytest.approx(link, rel=digits)
    assert next(iter(fit.ranef.values())).iloc[0, 0] == pytest.approx(ranef, rel=2 * digits)


def test_tau_of_the_negative_binomial_is_rs() -> None:
    """R: getME(m, "glmer.nb.theta") is 2.282023."""
    assert theirs("negative binomial").tau == pytest.approx(2.282023292, rel=5e-6)
    assert cbpp_fit().tau == np.inf


def test_every_way_to_write_a_binomial_response_is_the_same_model() -> None:
    d = cbpp().assign(share=cbpp()["incidence"] / cbpp()["size"], well=cbpp()["size"] - cbpp()["incidence"])
    one = cbpp_fit()
    for other in (
        ms.glmer("share ~ period + (1 | herd)", d, weights="size"),
        ms.glmer("incidence / (incidence + well) ~ period + (1 | herd)", d),
        ms.glmer("incidence / size ~ period + (1 | herd)", d, weights="size"),  # lme4's own spelling
    ):
        assert other.loglik == pytest.approx(one.loglik, abs=1e-10)
        np.testing.assert_allclose(other.fixef, one.fixef, rtol=1e-8)


def test_single_trials_are_the_same_model_but_for_the_binomial_coefficients() -> None:
    rows = cbpp().index.repeat(cbpp()["size"])
    d = cbpp().loc[rows]
    first = d.groupby(level=0).cumcount() < d["incidence"]
    one = cbpp_fit()
    answers = {
        "ill": first.astype(int),
        "answer": np.where(first, "yes", "no"),
        "ordered": pd.Categorical(np.where(first, "ill", "healthy"), categories=["healthy", "ill"]),
        "truth": first,
    }
    logliks = []
    for name, values in answers.items():
        fit = ms.glmer(f"{name} ~ period + (1 | herd)", d.assign(**{name: values}))
        np.testing.assert_allclose(fit.fixef, one.fixef, rtol=1e-6)
        np.testing.assert_allclose(fit.theta, one.theta, rtol=1e-6)
        logliks.append(fit.loglik)
    assert np.ptp(logliks) < 1e-9


def test_the_second_category_is_success() -> None:
    d = clinic().assign(answer=np.where(clinic()["y"] == 1, "yes", "no"))
    turned = d.assign(answer=pd.Categorical(d["answer"], categories=["yes", "no"]))
    one, other = (ms.glmer("answer ~ x + (1 | g)", data) for data in (d, turned))
    np.testing.assert_allclose(one.fixef, -other.fixef, rtol=1e-8)
    assert one.design.categories == ("no", "yes")


def test_families_and_links_have_the_names_that_people_type() -> None:
    d = clinic()
    for typed, family, link in (
        ("binomial", "binomial", "logit"),
        ("Bernoulli", "binomial", "logit"),
        (("binomial", "probit"), "binomial", "probit"),
    ):
        fit = ms.glmer("y ~ x + (1 | g)", d, typed)
        assert (fit.family, fit.link) == (family, link)
    for typed in ("nbinom", "negative binomial", "Negative-Binomial", "nb", "negbin"):
        assert ms.glmer("n ~ x + (1 | g)", d, typed).family == "negative-binomial"
    assert ms.glmer("a ~ x + (1 | g)", d, "Gamma").link == "inverse"
    assert ms.glmer("a ~ x + (1 | g)", d, ["gamma", "log"]).link == "log"
    assert ms.glmer("n ~ x + (1 | g)", d, ("poisson", "square-root")).link == "sqrt"


def test_nodes_of_the_quadrature_change_the_likelihood_and_keep_its_constants() -> None:
    fit = cbpp_fit()
    logliks = [fit.update(nagq=n).loglik for n in (1, 5, 15, 25)]
    assert logliks[0] == fit.loglik
    assert abs(logliks[3] - logliks[2]) < 1e-6 < abs(logliks[1] - logliks[0])
    assert all(abs(loglik - fit.loglik) < 0.1 for loglik in logliks)


def test_what_a_fit_says_of_itself() -> None:
    fit = cbpp_fit()
    assert (fit.nobs, fit.n_groups, fit.npar, fit.nagq, fit.reml) == (56, {"herd": 15}, 5, 1, False)
    assert fit.deviance == pytest.approx(-2 * fit.loglik)
    assert fit.converged
    assert not fit.singular
    assert fit.messages == ()
    table = fit.varcorr
    assert table.loc[0, "sd_or_corr"] == pytest.approx(fit.theta[0])
    np.testing.assert_allclose(
        fit.coef["herd"]["Intercept"], fit.fixef["Intercept"] + fit.ranef["herd"]["Intercept"], rtol=1e-14
    )
    assert fit.trace()["deviance"].iloc[-1] == pytest.approx(fit.deviance, abs=1e-9)
    assert fit.trace()["theta1"].iloc[-1] == pytest.approx(fit.theta[0], rel=1e-6)


def test_a_start_and_a_permutation_change_nothing() -> None:
    one = cbpp_fit()
    begun = ms.glmer(one.formula, cbpp(), control=ms.Control(start=[2.0]))
    mixed = ms.glmer(one.formula, cbpp().sample(frac=1, random_state=1))
    for other in (begun, mixed):
        assert other.loglik == pytest.approx(one.loglik, abs=1e-9)
        np.testing.assert_allclose(other.fixef, one.fixef, rtol=1e-6)


def test_a_model_without_fixed_effects_is_a_model() -> None:
    fit = ms.glmer("y ~ 0 + (1 | g)", clinic())
    assert fit.fixef.empty
    assert fit.converged
    assert "Fixed effects" not in str(fit)


def test_it_prints_as_text_and_html() -> None:
    text = str(cbpp_fit())
    head = "Generalised linear mixed model fit by maximum likelihood (Laplace approximation)"
    assert text.startswith(f"{head}\nFamily: binomial (logit link)")
    assert " herd   Intercept    0.412   0.6423\nNumber of obs: 56, groups:  herd, 15" in text
    assert " period[T.2]  -0.9923     0.3066  -3.236  0.00121" in text
    assert "Residual  " not in text
    page = cbpp_fit()._repr_html_()
    assert "-0.9923" in page
    assert "z value" in page
    assert "quadrature with 10 nodes" in str(cbpp_fit().update(nagq=10))
    assert "tau = 2.282" in str(theirs("negative binomial"))
    assert "Residual" in str(theirs("gamma, log"))


@pytest.mark.parametrize(("family", "response"), [("poisson", "n"), ("binomial", "s / t")])
def test_many_groups_give_the_truth_back_within_monte_carlo_error(family: str, response: str) -> None:
    rng = np.random.default_rng(17)
    groups, size, n = 60, 8, 60
    beta, sd = np.array([0.4, 0.6]), 0.7
    g = np.repeat(np.arange(groups), size)
    d = pd.DataFrame({"g": g, "x": rng.normal(size=groups * size), "t": 6, "n": 1, "s": 1})
    fit = ms.glmer(f"{response} ~ x + (1 | g)", d.assign(n=rng.poisson(2, len(d)), s=g % 6), family)
    found = []
    for _ in range(n):
        eta = beta[0] + beta[1] * d["x"] + sd * rng.normal(size=groups)[g]
        y = rng.poisson(np.exp(eta)) if family == "poisson" else rng.binomial(6, expit(eta))
        one = fit.refit(y)
        inside = one.coefficients()[["lower", "upper"]].to_numpy()
        covered = (inside[:, 0] < beta) & (beta < inside[:, 1])
        found.append([*one.fixef, one.theta[0], *covered])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(n)
    assert (np.abs(mean[:2] - beta) < 4 * error[:2]).all()
    # by maximum likelihood a variance is too small by about a share of 1 / groups, here of its root half of that
    assert abs(mean[2] - sd) < 4 * error[2] + 0.01
    assert (mean[3:] > 0.85).all()  # 0.95, less 3.5 Monte-Carlo errors
