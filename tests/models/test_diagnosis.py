"""Verdicts: they name what is broken, leave right models alone, and rest on numbers that dense algebra gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.models.broken import fit_to, fitted


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def words(name):
    """The verdicts that depart, by check."""
    return {one.check: one.words for one in fitted(name).diagnose().verdicts("t") if one.fine is False}


@pytest.mark.parametrize(
    ("name", "check", "says"),
    [
        ("heteroscedastic", "spread", "the spread of residuals grows with x"),
        ("heavy tails", "shape of residuals", "heavier tails than normal"),
        ("skewed", "shape of residuals", "skewed to the right"),
        ("two humps", "shape of Intercept by g", "two humps"),
        ("autoregressive", "autocorrelation", "rows one step apart correlate 0."),
        ("curved", "mean", "residuals curve along x, low in the middle"),
    ],
)
def test_what_is_broken_is_named(name, check, says):
    assert words(name)[check].startswith(f"departs: {says}")


@pytest.mark.parametrize("name", ["heavy tails", "autoregressive", "two humps", "curved"])
def test_what_is_not_broken_is_left_alone(name):
    """Tails do not pass for unequal spread, nor autocorrelation for curvature. Outliers do pull."""
    also = {"heavy tails": {"influence of rows"}}.get(name, set())
    assert len(set(words(name)) - also) == 1


def test_a_right_model_is_left_alone():
    """60 right models, 8 checks each at the 1 % level: more than 14 alarms come once in a thousand times."""
    alarms = 0
    for seed in range(60):
        found = fit_to("right", seed).diagnose(n=99, seed=seed).verdicts("t")
        assert len(found) == 9
        alarms += sum(one.fine is False for one in found)
    assert alarms <= 14


def test_residuals_and_modes_are_those_of_the_fit(sleep):
    here = sleep.diagnose().replicated
    assert not here.sampled
    assert here.fitted[:, 0] == pytest.approx(sleep.predict().to_numpy(), rel=1e-10)
    scaled = here.residual[:, 0] * np.sqrt(here.left)
    assert scaled == pytest.approx(sleep.residuals("scaled").to_numpy(), rel=1e-8)
    assert here.left == pytest.approx(1.0 - sleep.influence()["leverage"].to_numpy(), rel=1e-9)


def test_drawn_residuals_and_modes_have_variance_one(sleep):
    here = sleep.diagnose(n=2_000).replicated
    draws = here.residual[:, 1:]
    assert (draws**2).mean(axis=1) == pytest.approx(np.ones(180), abs=5 * np.sqrt(2 / 2_000))
    for modes in here.effects.values():
        assert (modes[:, 1:] ** 2).mean(axis=1) == pytest.approx(np.ones(18), abs=5 * np.sqrt(2.5 / 2_000))


def test_weights_and_offset_are_minded():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 8), "x": rng.normal(size=96)})
    data["w"], data["o"] = rng.uniform(0.3, 3, 96), 10 * rng.normal(size=96)
    data["y"] = data.x + data.o + rng.normal(size=12)[data.g] + rng.normal(size=96) / np.sqrt(data.w)
    fit = ms.lmer("y ~ x + (1 | g)", data, weights="w", offset="o")
    here = fit.diagnose(n=2_000).replicated
    assert here.fitted[:, 0] == pytest.approx(fit.predict().to_numpy(), rel=1e-9)
    own = here.residual[:, 0] * np.sqrt(here.left)
    assert own == pytest.approx(fit.residuals("response").to_numpy() / fit.sigma, rel=1e-8)
    assert (here.residual[:, 1:] ** 2).mean(axis=1) == pytest.approx(np.ones(96), abs=5 * np.sqrt(2 / 2_000))


@pytest.mark.parametrize(
    ("formula", "data"),
    [("strength ~ 1 + (1 | batch/cask)", "Pastes"), ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin")],
)
def test_several_factors(formula, data):
    fit = ms.lmer(formula, ms.datasets.load(data))
    here = fit.diagnose(n=2_000).replicated
    for f, factor in enumerate(fit.design.factors):
        modes = here.effects[f, 0]
        assert modes.shape == (len(factor.levels), 2_001)
        expected = fit.ranef[factor.name]["Intercept"].to_numpy()
        ratio = expected / modes[:, 0]
        assert ratio == pytest.approx(np.full(len(ratio), ratio[0]), rel=0.05), "almost balanced: one factor for all"
        assert (modes[:, 1:] ** 2).mean() == pytest.approx(1.0, abs=0.15)


def test_the_same_seed_gives_the_same_verdicts(sleep):
    one, other, third = sleep.diagnose(seed=3).table("Days"), sleep.diagnose(seed=3).table("Days"), sleep.diagnose()
    pd.testing.assert_frame_equal(one, other)
    assert not one["p"].equals(third.table("Days")["p"])


def test_sleepstudy_is_as_known(sleep):
    """Two subjects with wild days make tails heavy, and neighbouring days agree."""
    table = sleep.diagnose().table("Days")
    assert table.index[~table["fine"].astype(bool)].tolist() == [
        "shape of residuals", "autocorrelation", "collinearity",
    ]  # fmt: skip
    assert table.loc["collinearity", "fine"] is None
    assert table.loc["mean", "verdict"] == "looks fine"


def test_it_prints_as_sentences(sleep):
    lines = repr(sleep.diagnose()).splitlines()
    assert lines[0].startswith("mean: looks fine (p = 0.")
    assert len(lines) == 9


def test_a_singular_fit_says_why_it_is_flat():
    diagnosis = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2")).diagnose()
    shape = diagnosis.shape("Batch").verdict
    assert shape.fine is None
    assert shape.words.startswith("flat: the variance is estimated as zero")
    assert "nothing" not in diagnosis.groups().verdict.words
    assert diagnosis.mean.verdict.words == "all fitted values are alike, and there is no predictor to look along"


def test_many_rows_are_sampled_by_whole_groups():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(800), 25), "x": rng.normal(size=20_000)})
    data["y"] = data.x + rng.normal(size=800)[data.g] + rng.normal(size=20_000)
    fit = ms.lmer("y ~ x + (1 | g)", data)
    diagnosis = fit.diagnose(n=99)
    used = diagnosis.replicated.used
    assert diagnosis.sampled == "a sample of 10,000 of 20,000 rows"
    assert set(data["g"].iloc[used].value_counts()) == {25}
    assert diagnosis.replicated.effects[0, 0].shape[0] == 400
    assert repr(diagnosis).splitlines()[-1] == "(a sample of 10,000 of 20,000 rows)"
    assert all(one.fine is not False for one in diagnosis.verdicts())


def test_few_huge_groups_are_sampled_by_rows():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(np.arange(5), 6_000), "x": rng.normal(size=30_000)})
    data["y"] = data.x + rng.normal(size=5)[data.g] + rng.normal(size=30_000)
    diagnosis = ms.lmer("y ~ x + (1 | g)", data).diagnose(n=99)
    assert len(diagnosis.replicated.used) == 10_000
    assert diagnosis.mean.verdict.fine


def test_a_category_may_have_its_own_spread():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(30), 12), "arm": np.tile(list("abc"), 120)})
    sd = data["arm"].map({"a": 1.0, "b": 1.0, "c": 2.2})
    data["y"] = rng.normal(size=30)[data.g] + sd * rng.normal(size=360)
    verdict = ms.lmer("y ~ arm + (1 | g)", data).diagnose().spread.verdict
    assert verdict.words == "departs: residuals are largest where arm is c"


def test_a_wild_group_is_named():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat([f"g{k}" for k in range(30)], 12), "x": rng.normal(size=360)})
    sd = np.where(data["g"] == "g17", 3.0, 1.0)
    data["y"] = data.x + rng.normal(size=30)[np.repeat(np.arange(30), 12)] + sd * rng.normal(size=360)
    diagnosis = ms.lmer("y ~ x + (1 | g)", data).diagnose()
    assert diagnosis.groups().verdict.words.startswith("departs: residuals of g g17 are ")


def test_a_pulling_row_is_named():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 8), "x": rng.normal(size=160)})
    data["y"] = data.x + rng.normal(size=20)[data.g] + rng.normal(size=160)
    data.loc[44, ["x", "y"]] = [6.0, -4.0]
    verdict = ms.lmer("y ~ x + (1 | g)", data).diagnose().influence.row_verdict
    assert verdict.words.startswith("departs: row 44 pulls more than any should, x by ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n": 98}, "n must be at least 99, so that a test at the 1 % level can reject, found 98"),
        ({"n": 2.5}, "n must be a whole number"),
        ({"seed": "one"}, "seed"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        sleep.diagnose(**options)


def test_wrong_names_are_named(sleep):
    diagnosis = sleep.diagnose(n=99)
    with pytest.raises(ms.MixedsimError, match="no grouping factor 'subject': did you mean 'Subject'"):
        diagnosis.shape("subject")
    with pytest.raises(ms.MixedsimError, match="'Day' does not vary by 'Subject': did you mean 'Days'"):
        diagnosis.shape("Subject", "Day")
    with pytest.raises(ms.MixedsimError, match="no column 'days' to tell the time: did you mean 'Days'"):
        diagnosis.autocorrelation("days")
    with pytest.raises(ms.MixedsimError, match="lags must be a whole number of at least 1, found 0"):
        diagnosis.autocorrelation("Days", lags=0)
    with pytest.raises(ms.DataError, match="one value for each of the 180 rows, found 3"):
        diagnosis.autocorrelation([1.0, 2.0, 3.0])
    with pytest.raises(ms.DataError, match="holds categories, which have no distance in time"):
        diagnosis.autocorrelation("Subject")


def test_dates_are_times():
    data = ms.datasets.load("sleepstudy")
    data["date"] = pd.Timestamp("2024-02-27") + pd.to_timedelta(data["Days"], unit="D")
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data)
    by_date, by_day = (fit.diagnose().autocorrelation(name) for name in ("date", "Days"))
    assert by_date.unit == 1.0
    assert by_date.envelope.observed == pytest.approx(by_day.envelope.observed)
    assert fit.diagnose().autocorrelation(data["Days"].to_numpy()).verdict == by_day.verdict


def test_one_row_a_group_has_no_neighbours():
    diagnosis = ms.glmer("incidence / size ~ period + (1 | row)", ms.datasets.load("cbpp").assign(
        row=[f"r{k}" for k in range(56)], t=range(56))).diagnose(n=99)  # fmt: skip
    assert diagnosis.autocorrelation("t").verdict.words == "too few rows of one group follow each other in time"
    assert diagnosis.groups().verdict.words == "no level of row has two rows to compare"


# ---- generalised models


def test_a_generalised_model_is_judged_by_quantile_residuals():
    fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    diagnosis = fit.diagnose()
    here = diagnosis.replicated
    assert here.residual.shape == (56, 200)
    assert here.fitted[:, 0] == pytest.approx(fit.predict(scale="link").to_numpy(), abs=0.1)
    left = 1.0 - fit.influence()["leverage"].mean()  # what coefficients and modes take up
    assert (here.residual[:, 1:] ** 2).mean() == pytest.approx(left, abs=0.05)
    assert (here.effects[0, 0][:, 1:] ** 2).mean() == pytest.approx(1.0, abs=0.15)
    assert all(one.fine is not False for one in diagnosis.verdicts())


def test_a_curve_that_a_poisson_model_misses_is_named():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"g": np.repeat(np.arange(25), 20), "x": rng.uniform(-2, 2, 500)})
    mean = np.exp(1.0 + 0.3 * data.x + 0.25 * data.x**2 + 0.3 * rng.normal(size=25)[data.g])
    data["y"] = rng.poisson(mean)
    verdict = ms.glmer("y ~ x + (1 | g)", data, family="poisson").diagnose(n=99).mean.verdict
    assert verdict.words == "departs: residuals curve along x, low in the middle"
