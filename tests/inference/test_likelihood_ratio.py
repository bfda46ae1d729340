"""Reference distributions of likelihood ratios, held against simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.inference.bootstrap import refit_all
from mixedsim.inference.likelihood_ratio import mixture_p, naive_p, step


@pytest.mark.parametrize("df", [1, 2, 5])
@pytest.mark.parametrize("chisq", [0.3, 2.7, 30.0])
def test_the_mixture_is_half_of_each(df, chisq):
    tails = [stats.chi2.sf(chisq, d) if d else 0.0 for d in (df - 1, df)]
    assert mixture_p(chisq, df) == pytest.approx(np.mean(tails), rel=1e-12)
    assert naive_p(chisq, df) == pytest.approx(stats.chi2.sf(chisq, df), rel=1e-12)


def test_no_gain_is_no_surprise():
    assert mixture_p(0.0, 1) == 1.0
    assert mixture_p(1e-12, 2) == 1.0
    assert np.isnan(mixture_p(1.0, 0))
    assert np.isnan(naive_p(1.0, 0))


def design(formula, data):
    return ms.lmer(formula, data).design


def test_a_step_counts_the_directions_that_begin_to_vary():
    data = ms.datasets.load("sleepstudy").assign(z=np.random.default_rng(0).normal(size=180))
    one = design("Reaction ~ Days + (1 | Subject)", data)
    for formula, variances in [
        ("Reaction ~ Days + (Days | Subject)", 1),
        ("Reaction ~ Days + (Days || Subject)", 1),
        ("Reaction ~ Days + (Days + z | Subject)", 2),
        ("Reaction ~ Days + (1 | Subject) + (1 | Days)", 1),
        ("Reaction ~ Days + z + (1 | Subject)", 0),
        ("Reaction ~ Days + (I(Days - 4) | Subject)", 1),
    ]:
        found = step(one, design(formula, data))
        assert (found.fixed_nested, found.random_nested, found.variances) == (True, True, variances), formula
    two = design("Reaction ~ Days + (Days || Subject)", data)
    assert step(two, design("Reaction ~ Days + (Days | Subject)", data)).variances == 0
    assert step(two, one).random_nested is None
    assert not step(design("Reaction ~ Days + z + (1 | Subject)", data), one).fixed_nested


def null_ratios(formula, larger, groups, per, n, seed, reml):
    """Likelihood ratios of `larger` against `formula` where `formula` is true, by the engine."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"g": np.repeat(np.arange(groups), per), "x": np.tile(np.linspace(-1, 1, per), groups)})
    data["y"] = rng.normal(size=groups)[data["g"]] + rng.normal(size=len(data))
    small, large = (ms.lmer(f, data, reml=reml) for f in (formula, larger))
    y = (
        2 + rng.normal(size=(groups, n))[data["g"]] + rng.normal(size=(len(data), n))
    )
    out = []
    for fit in (small, large):
        cp = fit.rows.products((y - y.mean(axis=0)) / y.std(axis=0), fit.problem.cp)
        found = refit_all(cp, fit.problem.layout, reml, fit.optimum.profile.theta)
        assert found.converged.all()
        out.append(found.deviance + fit.problem.deviance_shift(reml))
    scaled = np.array(out)
    # both have the response's mean and sd taken away; the fits' own scales differ between them by nothing
    return scaled[0] - scaled[1]


def test_the_mixture_is_calibrated_where_the_naive_test_is_too_timid():
    """Slopes tested on 400 data sets without any (20 groups of 6): rejections within binomial bounds."""
    n = 400
    ratios = null_ratios("y ~ x + (1 | g)", "y ~ x + (x | g)", groups=20, per=6, n=n, seed=7, reml=True)
    p = np.array([mixture_p(r, 2) for r in ratios])
    naive = np.array([naive_p(r, 2) for r in ratios])
    for alpha in (0.05, 0.1, 0.2):
        rejected = (p < alpha).sum()
        assert stats.binom.cdf(rejected, n, alpha) > 0.002
        assert stats.binom.sf(rejected - 1, n, alpha) > 0.002
    assert (naive < 0.2).mean() < (p < 0.2).mean()
    assert stats.binom.cdf((naive < 0.2).sum(), n, 0.2) < 0.05  # a test that keeps its level would hardly do this


def test_the_bootstrap_agrees_with_the_mixture():
    data = ms.datasets.load("sleepstudy")
    small = ms.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    # a true slope sd so small that the test is in doubt
    y = small.simulate(1, seed=12)[0] + 1.7 * np.random.default_rng(3).normal(size=18).repeat(10) * data["Days"]
    small = small.refit(y)
    table = ms.anova(small, small.update(". ~ . - (1 | Subject) + (Days | Subject)"), test="bootstrap", n=300, seed=5)
    row = table.iloc[1]
    assert 0.005 < row["p_boundary"] < 0.5
    assert row["p_bootstrap"] == pytest.approx(row["p_boundary"], abs=4 * row["mcse"] + 0.01)
    assert row["mcse"] == pytest.approx(np.sqrt(row["p_bootstrap"] * (1 - row["p_bootstrap"]) / 300))
    assert (row["replicates"], row["failed"]) == (300, 0)
    assert table["p_bootstrap"].isna().iloc[0]


def test_the_bootstrap_p_counts_ratios_that_are_as_large():
    """By hand: simulate from the smaller model, fit both, count."""
    data = ms.datasets.load("Dyestuff").assign(t=np.tile(np.arange(5.0), 6))
    small = ms.lmer("Yield ~ 1 + (1 | Batch)", data, reml=False)
    large = small.update(". ~ . + t")
    table = ms.anova(small, large, test="bootstrap", n=40, seed=9)
    drawn = small.simulate(40, seed=9)
    ratios = np.array([small.refit(drawn[k]).deviance - large.refit(drawn[k]).deviance for k in drawn])
    observed = small.deviance - large.deviance
    assert table["p_bootstrap"].iloc[1] == (1 + (ratios >= observed).sum()) / 41


def test_replicates_that_do_not_arrive_are_counted_and_told():
    data = ms.datasets.load("sleepstudy")
    control = ms.Control(max_iterations=1)
    small = ms.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    large = ms.lmer("Reaction ~ Days + (Days | Subject)", data, reml=False, control=control)
    table = ms.anova(small, large, test="bootstrap", n=5, seed=1)
    assert table["failed"].iloc[1] == 5
    assert "5 of 5 replicates did not converge and are left out of p_bootstrap." in table.attrs["notes"]
    assert "one of the models did not converge, so the test is not to be trusted" in table.attrs["note"]
