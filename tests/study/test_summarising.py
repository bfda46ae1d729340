"""The third verb: every number of a summary against its formula, and its Monte-Carlo error against simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.study import summarise
from mixedsim.study.moments import Moments
from tests.study.clinics import MIXED, redrawn

MEASURES = ["mean", "bias", "rmse", "se_empirical", "se_model", "coverage", "power"]
COLUMNS = [
    "truth",
    *(name for measure in MEASURES for name in (measure, f"{measure}_mcse")),
    *("n", "failed", "singular", "test"),
]


def replicates(rng, n, truth=0.5, sd=1.0, analysis="a", parameter="x"):
    """Estimates, standard errors from a χ² with nine degrees of freedom, and z tests."""
    estimate = rng.normal(truth, sd, n)
    se = sd * np.sqrt(rng.chisquare(9, n) / 9)
    from scipy import special

    return pd.DataFrame(
        {
            "analysis": analysis,
            "parameter": parameter,
            "truth": truth,
            "estimate": estimate,
            "se": se,
            "p": 2 * special.ndtr(-np.abs(estimate / se)),
            "lower": estimate - 1.96 * se,
            "upper": estimate + 1.96 * se,
            "converged": True,
            "singular": False,
        }
    )


@pytest.fixture
def frame():
    return replicates(np.random.default_rng(1), 400)


def test_every_measure_by_its_formula(frame):
    row = summarise(frame, type_sm=True).loc[("a", "x")]
    t, s, p, n, truth = frame["estimate"], frame["se"], frame["p"], 400, 0.5
    covered = (frame["lower"] <= truth) & (truth <= frame["upper"])
    mse = ((t - truth) ** 2).mean()
    spread = t.std(ddof=1)
    model = np.sqrt((s**2).mean())
    hits = t[p < 0.05]
    expected = {
        "truth": truth,
        "mean": t.mean(),
        "mean_mcse": spread / np.sqrt(n),
        "bias": t.mean() - truth,
        "bias_mcse": np.sqrt(((t - t.mean()) ** 2).sum() / (n * (n - 1))),
        "rmse": np.sqrt(mse),
        "rmse_mcse": np.sqrt((((t - truth) ** 2 - mse) ** 2).sum() / (n * (n - 1))) / (2 * np.sqrt(mse)),
        "se_empirical": spread,
        "se_empirical_mcse": spread / np.sqrt(2 * (n - 1)),
        "se_model": model,
        "se_model_mcse": np.sqrt((s**2).var(ddof=1) / (4 * n * model**2)),
        "coverage": covered.mean(),
        "coverage_mcse": np.sqrt(covered.mean() * (1 - covered.mean()) / n),
        "power": (p < 0.05).mean(),
        "power_mcse": np.sqrt((p < 0.05).mean() * (p >= 0.05).mean() / n),
        "type_s": (hits < 0).mean(),
        "type_s_mcse": np.sqrt((hits < 0).mean() * (hits > 0).mean() / len(hits)),
        "type_m": (hits.abs() / truth).mean(),
        "type_m_mcse": (hits.abs() / truth).std(ddof=1) / np.sqrt(len(hits)),
    }
    np.testing.assert_allclose(row[list(expected)].astype(float), list(expected.values()), rtol=1e-12)
    assert row[["n", "failed", "singular", "test"]].tolist() == [400, 0, 0, "power"]
    assert summarise(frame).columns.tolist() == COLUMNS


def test_monte_carlo_errors_are_how_far_studies_lie_apart():
    """Six hundred studies of 150 replicates: the spread of each measure is what each study says of itself."""
    rng = np.random.default_rng(2)
    studies = 600
    parts = [replicates(rng, 150, truth=2.0, parameter=str(k)) for k in range(studies)]
    table = summarise(parts)
    for name in MEASURES:
        claimed = np.sqrt((table[f"{name}_mcse"] ** 2).mean())
        found = table[name].std(ddof=1)
        # the sd of 600 numbers is known to 1/√1200; formulas are of first order in 1/150
        assert abs(found / claimed - 1) < 4 / np.sqrt(2 * studies) + 0.02, name


def test_type_s_and_type_m_are_those_of_theory():
    """An effect of one standard error: Gelman & Carlin's design analysis, by the normal distribution."""
    from scipy import integrate, stats

    rng = np.random.default_rng(3)
    frame = replicates(rng, 200_000, truth=1.0)
    frame["p"] = 2 * stats.norm.sf(frame["estimate"].abs())
    row = summarise(frame, type_sm=True).loc[("a", "x")]
    z = stats.norm.ppf(0.975)
    power = stats.norm.sf(z - 1) + stats.norm.cdf(-z - 1)
    wrong = stats.norm.cdf(-z - 1) / power
    large = sum(
        integrate.quad(lambda t: abs(t) * stats.norm.pdf(t - 1), *ends)[0] for ends in ((-np.inf, -z), (z, np.inf))
    )
    assert abs(row["power"] - power) < 4 * row["power_mcse"]
    assert abs(row["type_s"] - wrong) < 4 * row["type_s_mcse"]
    assert abs(row["type_m"] - large / power) < 4 * row["type_m_mcse"]


def test_parts_say_what_the_whole_says(frame):
    other = replicates(np.random.default_rng(4), 90, truth=0.0, parameter="w")
    third = replicates(np.random.default_rng(5), 50, analysis="b")
    whole = pd.concat([frame, other, third], ignore_index=True)
    together = summarise(whole, type_sm=True)
    assert together.index.tolist() == [("a", "x"), ("a", "w"), ("b", "x")]
    for cuts in ([], [400], [7, 8, 411, 500], range(1, 540)):
        parts = np.split(np.arange(len(whole)), cuts)
        apart = summarise((whole.iloc[part] for part in parts), type_sm=True)
        pd.testing.assert_frame_equal(apart, together, rtol=1e-11, atol=1e-14)


def test_only_one_part_has_to_be_in_memory(frame):
    alive = []

    def parts():
        for k in range(20):
            alive.append(k)
            yield frame.iloc[k * 20 : (k + 1) * 20]

    stream = parts()
    summarise(stream)
    assert alive == list(range(20))
    assert next(stream, None) is None


@given(
    st.lists(st.lists(st.floats(-1e3, 1e3), max_size=6), min_size=1, max_size=5),
    st.sampled_from([0.0, 1e9, -1e12]),
)
@settings(max_examples=60, deadline=None)
def test_moments_join_without_losing_digits(parts, shift):
    """Far from zero as near: what a sum of squares would have lost."""
    whole = np.array([value for part in parts for value in part]) + shift
    joined = sum(
        (Moments.of(np.array(part) + shift, np.zeros(len(part), dtype=np.intp), 1) for part in parts[1:]),
        Moments.of(np.array(parts[0]) + shift, np.zeros(len(parts[0]), dtype=np.intp), 1),
    )
    assert joined.n[0] == len(whole)
    if len(whole) > 1:
        slack = 1e-15 * (1 + abs(shift))
        rounding = np.finfo(float).eps * np.abs(whole).max()  # of a mean: what cancels in it leaves that much
        assert joined.average()[0] == pytest.approx(whole.mean(), rel=0, abs=8 * rounding)
        assert joined.sd()[0] == pytest.approx(whole.std(ddof=1), rel=1e-9, abs=8 * (slack + rounding))


def test_what_is_not_known_does_not_count():
    frame = replicates(np.random.default_rng(1), 6)
    frame.loc[0, ["estimate", "se", "p", "lower", "upper"]] = np.nan
    frame.loc[0, "converged"] = False  # failed
    frame.loc[1, "converged"] = False  # has numbers, at which no optimum was found
    frame.loc[2, ["se", "p", "lower", "upper"]] = np.nan  # an estimate alone
    frame.loc[3, "upper"] = np.nan  # no interval
    frame.loc[3, "singular"] = True
    row = summarise(frame).loc[("a", "x")]
    kept = frame.loc[2:]
    assert row[["n", "failed", "singular"]].tolist() == [4, 2, 1]
    assert row["mean"] == pytest.approx(kept["estimate"].mean())
    assert row["power"] == (kept["p"].dropna() < 0.05).mean()
    last = frame.loc[4:]
    assert row["coverage"] == ((last["lower"] <= 0.5) & (last["upper"] >= 0.5)).mean()
    assert row["se_model"] == pytest.approx(np.sqrt((kept["se"].dropna() ** 2).mean()))


def test_a_parameter_without_truth_still_has_a_mean():
    frame = replicates(np.random.default_rng(1), 50).assign(truth=np.nan)
    row = summarise(frame, type_sm=True).loc[("a", "x")]
    assert row[["bias", "bias_mcse", "rmse", "rmse_mcse", "coverage", "type_s", "type_m"]].isna().all()
    assert row[["mean", "mean_mcse", "se_empirical", "se_model", "power"]].notna().all()
    assert row["test"] == "rejections"


def test_rejections_of_a_true_null_are_type_one_errors():
    row = summarise(replicates(np.random.default_rng(1), 50, truth=0.0), type_sm=True).loc[("a", "x")]
    assert row["test"] == "type I error"
    assert row[["type_s", "type_m"]].isna().all()


def test_one_replicate_has_a_mean_and_no_error():
    row = summarise(replicates(np.random.default_rng(1), 1)).loc[("a", "x")]
    assert row["n"] == 1
    assert row[["mean_mcse", "bias_mcse", "se_empirical", "rmse_mcse"]].isna().all()
    assert row[["mean", "bias", "rmse", "se_model", "coverage"]].notna().all()


def test_nothing_but_failures_is_nothing():
    frame = replicates(np.random.default_rng(1), 5)
    frame[["estimate", "se", "p", "lower", "upper"]] = np.nan
    row = summarise(frame.assign(converged=False), type_sm=True).loc[("a", "x")]
    assert row[["n", "failed"]].tolist() == [0, 5]
    assert row[[name for name in MEASURES if name != "truth"]].isna().all()
    assert pd.isna(row["test"])


def test_alpha_is_the_level_of_the_tests():
    study = ms.study(redrawn(), MIXED, 60, 1, progress=False, alpha=0.2)
    p = study.replicates.loc[study.replicates["parameter"] == "x", "p"]
    assert study.summary().loc[("mixed", "x"), "power"] == (p < 0.2).mean()
    assert study.summary(alpha=0.01).loc[("mixed", "x"), "power"] == (p < 0.01).mean()
    pd.testing.assert_frame_equal(summarise(study.replicates, alpha=0.2), study.summary(), rtol=1e-12)
    tests = study.summary().loc["mixed", "test"]
    assert tests.tolist()[:3] == ["power", "power", "type I error"]
    assert tests[3:].isna().all()


def test_a_frame_that_went_through_a_text_file_says_the_same(tmp_path):
    study = ms.study(redrawn(), MIXED, 20, 1, progress=False)
    study.replicates.to_csv(tmp_path / "kept.csv", index=False)
    again = summarise(pd.read_csv(tmp_path / "kept.csv"))
    pd.testing.assert_frame_equal(again, study.summary(), rtol=1e-9)


BAD = {
    "no rows": (lambda frame: summarise(frame[:0]), "there are no replicates to be summarised."),
    "no parts": (lambda frame: summarise([]), "there are no replicates to be summarised."),
    "a column": (
        lambda frame: summarise(frame[["analysis", "parameter"]]),
        "the replicates of a study must have a column 'truth', found analysis and parameter.",
    ),
    "alpha": (
        lambda frame: summarise(frame, alpha=0),
        "alpha must lie between 0 and 1, such as 0.05, found 0.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_summarised(name, frame):
    call, sentence = BAD[name]
    with pytest.raises(ms.MixedsimError) as error:
        call(frame)
    assert str(error.value) == sentence
