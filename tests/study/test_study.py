"""Studies: what a block of replicates says is what each of them says alone."""

from __future__ import annotations

import concurrent.futures
import pickle

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.inference.parameters import parameter_name
from mixedsim.models.many import fit_many
from mixedsim.study import sources
from mixedsim.study.absorbed import Absorbed
from mixedsim.study.recover import estimates_of, truths_of
from mixedsim.study.study_job import StudyJob
from tests.study.clinics import MIXED, assigned, redrawn, slopes

SLOPES = slopes().formula
NUMBERS = ["estimate", "se", "df", "p", "lower", "upper"]
COLUMNS = [
    *("analysis", "replicate", "seed", "parameter", "kind", "group", "truth"),
    *(*NUMBERS, "converged", "singular", "error"),
]


def quiet(*args, **kwargs):
    return ms.study(*args, progress=False, **kwargs)


POPULATIONS_NAME = {"arm[T.b]:x": "x:arm[T.b]"}


def alone(draws, formula, ddf="satterthwaite", reml=True, level=0.95):
    """The same rows, from one fit after the other."""
    parts = []
    for k, sample in enumerate(draws):
        fit = ms.lmer(formula, sample.data, reml=reml)
        table = estimates_of(fit, level).reset_index()
        names = [parameter_name(*symbol) for symbol in table[["kind", "group", "term"]].itertuples(index=False)]
        table["parameter"] = [POPULATIONS_NAME.get(name, name) for name in names]
        tests = fit.coefficients(ddf=ddf, level=level)
        table["p"] = np.nan
        table.loc[: len(tests) - 1, NUMBERS] = tests[NUMBERS].to_numpy()
        known = truths_of(sample.truth) if formula.startswith("y ~") else {}
        truth = {parameter_name(*symbol): value for symbol, value in known.items()}
        table["truth"] = table["parameter"].map(truth)
        parts.append(table.assign(replicate=k, converged=fit.converged, singular=fit.singular))
    return pd.concat(parts, ignore_index=True)


def assert_alike(found, expected, rtol=2e-5):
    """The same rows; estimates and errors to what two optimisers agree on."""
    found = found.reset_index(drop=True)
    assert found["parameter"].tolist() == expected["parameter"].tolist()
    for name in ("replicate", "kind", "group", "converged", "singular"):
        assert found[name].tolist() == expected[name].tolist(), name
    np.testing.assert_allclose(found["truth"], expected["truth"])
    regular = ~found["singular"].to_numpy()
    for name in NUMBERS:
        one, other = (frame[name].to_numpy(dtype=float)[regular] for frame in (found, expected))
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-7, err_msg=name)
    for name in ("estimate", "se"):
        one, other = (frame[name].to_numpy(dtype=float)[~regular] for frame in (found, expected))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4, err_msg=name)


CASES = {
    "predictors redrawn": (redrawn(), MIXED, None),
    "predictors fixed": (assigned(), MIXED, None),
    "responses redrawn": (redrawn(), MIXED, "response"),
    "sizes redrawn": (redrawn(size=(2, 6)), MIXED, None),
    "crossed, slopes": (slopes(), SLOPES, None),
    "crossed, slopes, responses redrawn": (slopes(size=(1, 3)), SLOPES, "response"),
    "missing values": (redrawn(problems=[ms.Missing("y", 0.2)]), MIXED, None),
    "missing values, responses redrawn": (redrawn(problems=[ms.Missing("x", 0.2)]), MIXED, "response"),
    "another model": (slopes(), "y ~ arm + (1 | subject)", None),
    "another response": (assigned(), "I(y * 2) ~ x + (1 | g)", None),
    "a product written the other way": (slopes(), "y ~ arm * x + (1 | subject)", None),
}


@pytest.mark.parametrize("case", CASES)
def test_a_study_is_many_fits(case):
    population, formula, redraw = CASES[case]
    study = quiet(population, formula, n=6, seed=1, redraw=redraw)
    assert study.replicates.columns.tolist() == COLUMNS
    assert_alike(study.replicates, alone(study.draws, formula))


OPTIONS = {
    "wald": {"ddf": "wald"},
    "kenward-roger": {"ddf": "kenward-roger"},
    "ML": {"reml": False},
    "level": {"level": 0.8},
    "ML, wald": {"reml": False, "ddf": "wald"},
}


@pytest.mark.parametrize("population", [redrawn(), assigned()], ids=["redrawn", "fixed"])
@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_an_analysis_reach_its_fits(name, population):
    options = OPTIONS[name]
    study = quiet(population, ms.Analysis(MIXED, **options), n=4, seed=2)
    assert_alike(study.replicates, alone(study.draws, MIXED, **options))


@pytest.mark.parametrize("population", [redrawn(), assigned()], ids=["redrawn", "fixed"])
def test_several_tests_of_one_model_share_its_fits(population, monkeypatch):
    from mixedsim.study import mixed_fitter

    calls = []
    for name in ("fit_many", "refit_many"):
        real = getattr(mixed_fitter, name)
        monkeypatch.setattr(mixed_fitter, name, lambda *a, real=real, **k: calls.append(1) or real(*a, **k))
    ddfs = ("wald", "satterthwaite", "kenward-roger")
    study = quiet(population, {ddf: ms.Analysis(MIXED, ddf=ddf) for ddf in ddfs}, n=3, seed=2)
    assert len(calls) == 1
    for ddf in ddfs:
        rows = study.replicates[study.replicates["analysis"] == ddf]
        assert_alike(rows, alone(study.draws, MIXED, ddf=ddf))


# ---- the paths agree


FIXED = {
    "assigned": (assigned(), MIXED),
    "crossed": (slopes(), SLOPES),
    "ar1": (assigned(residual={"ar1": 0.4}), MIXED),
    "least squares": (assigned(), "y ~ x * w"),
    "indicators": (assigned(), "y ~ x + g"),
    "means": (assigned(), ms.Analysis("y ~ w", aggregate="g")),
}


@pytest.mark.parametrize("case", FIXED)
def test_a_fixed_design_gives_what_drawing_everything_gives(case, monkeypatch):
    population, analysis = FIXED[case]
    fixed = quiet(population, analysis, n=40, seed=5)
    assert fixed.draws.source.design is not None
    monkeypatch.setattr(sources, "design_of", lambda population, seed: None)
    general = quiet(population, analysis, n=40, seed=5)
    assert general.draws.source.design is None
    regular = ~fixed.replicates["singular"].to_numpy()
    exact = [name for name in COLUMNS if name not in NUMBERS]
    pd.testing.assert_frame_equal(fixed.replicates[exact], general.replicates[exact])
    for name in NUMBERS:
        one, other = (study.replicates[name].to_numpy()[regular] for study in (fixed, general))
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    middle = fixed.replicates["estimate"].to_numpy()[regular], general.replicates["estimate"].to_numpy()[regular]
    np.testing.assert_allclose(*middle, rtol=1e-7, atol=1e-9)


def test_the_beginning_of_a_long_study_is_a_short_one():
    few, many = (quiet(redrawn(), {"a": MIXED, "b": "y ~ x"}, n=n, seed=3).replicates for n in (5, 12))
    pd.testing.assert_frame_equal(few, many[: len(few)].reset_index(drop=True), rtol=1e-7)


def test_workers_do_not_change_a_byte():
    given = (assigned(clusters={"g": 200}, size=50), {"mixed": MIXED, "ols": "y ~ x"})  # blocks of 200
    here = quiet(*given, n=410, seed=3).replicates
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        there = quiet(*given, n=410, seed=3, executor=pool, chunk=1).replicates
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_a_job_travels_and_gives_the_same_rows():
    study = {"mixed": ms.Analysis(MIXED), "ols": ms.Analysis("y ~ x"), "mean": numbers}
    job = StudyJob.of(ms.study.draw(assigned(), 8, 1), study)
    before = job.run(0)
    again = pickle.loads(pickle.dumps(job))
    pd.testing.assert_frame_equal(again.run(0), before, check_exact=True)
    assert again.blocks == 1
    assert again.replicates(0) == 8


def numbers(data):
    return pd.Series({"mean of y": data["y"].mean()})


# ---- least squares


def ordinary(data, formula, level=0.95):
    """Dense algebra from the normal equations of NumPy's own least squares, with pinv for the covariance."""
    from scipy import stats

    from mixedsim.columns import model_columns
    from mixedsim.formula import parse

    columns = model_columns(parse(formula).fixed, data)
    x, y = columns.matrix(), data[parse(formula).response].to_numpy(dtype=float)
    estimate, rss, _, _ = np.linalg.lstsq(x, y, rcond=None)
    df = len(y) - x.shape[1]
    se = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * rss[0] / df)
    half = stats.t.ppf(0.5 + level / 2, df) * se
    p = 2 * stats.t.sf(np.abs(estimate / se), df)
    table = pd.DataFrame({"estimate": estimate, "se": se, "df": df, "p": p, "lower": estimate - half})
    table["upper"] = estimate + half
    sigma = np.sqrt(rss[0] / df)
    low, high = (sigma * np.sqrt(df / stats.chi2.ppf(q, df)) for q in (0.5 + level / 2, 0.5 - level / 2))
    table.loc[len(table)] = [sigma, sigma / np.sqrt(2 * df), np.nan, np.nan, low, high]
    return table.set_axis([*columns.names, "sigma"])


ORDINARY = {
    "two predictors": (redrawn(), "y ~ x + w"),
    "no intercept": (redrawn(), "y ~ 0 + x"),
    "indicators": (redrawn(), "y ~ x + g"),
    "different sizes": (redrawn(size=(2, 6)), "y ~ x"),
    "calculations": (redrawn(), "y ~ x + I(x ** 2) + exp(w)"),
    "fixed": (assigned(), "y ~ x * w"),
    "fixed, a category": (slopes(), "y ~ x * arm"),
}


@pytest.mark.parametrize("case", ORDINARY)
def test_least_squares_are_those_of_dense_algebra(case):
    population, formula = ORDINARY[case]
    study = quiet(population, ms.Analysis(formula, level=0.9), n=5, seed=4)
    for k, sample in enumerate(study.draws):
        rows = study.replicates[study.replicates["replicate"] == k].set_index("parameter")
        expected = ordinary(sample.data, formula, level=0.9)
        assert rows.index.tolist() == expected.index.tolist()
        np.testing.assert_allclose(rows[NUMBERS].astype(float), expected[NUMBERS], rtol=1e-8, atol=1e-12)
    assert study.replicates["converged"].all()
    assert not study.replicates["singular"].any()


MANY = {"clusters": {"g": 15}, "size": (2, 6)}
ABSORBED = {
    "a predictor before": (redrawn(**MANY), "y ~ x + g"),
    "a predictor after": (redrawn(**MANY), "y ~ g + x"),
    "nothing else": (redrawn(**MANY), "y ~ g"),
    "an interaction beside it": (redrawn(**MANY), "y ~ x * I(x * w) + g"),
    "one design": (assigned(clusters={"g": 15}), "y ~ x + I(x ** 2) + g"),
}


@pytest.mark.parametrize("case", ABSORBED)
def test_indicators_of_many_groups_are_taken_out_and_come_back(case):
    population, formula = ABSORBED[case]
    study = quiet(population, formula, n=5, seed=4)
    (fitter,) = StudyJob.of(study.draws, study.analyses).fitters
    assert isinstance(fitter.way, Absorbed)
    for k, sample in enumerate(study.draws):
        rows = study.replicates[study.replicates["replicate"] == k].set_index("parameter")
        expected = ordinary(sample.data, formula)
        assert rows.index.tolist() == expected.index.tolist()
        np.testing.assert_allclose(rows[NUMBERS].astype(float), expected[NUMBERS], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("formula", ["y ~ w + g", "y ~ 0 + g + x", "y ~ x * g", "y ~ x + I(x ** 2)"])
def test_where_indicators_do_not_stand_alone_all_columns_are_solved(formula):
    study = quiet(redrawn(clusters={"g": 15}, size=6), formula, n=3, seed=4)
    (fitter,) = StudyJob.of(study.draws, study.analyses).fitters
    assert not isinstance(fitter.way, Absorbed)
    assert study.replicates["error"].isna().all()
    x = study.replicates.query("parameter == 'x' and replicate == 2")
    if len(x) and "*" not in formula:
        np.testing.assert_allclose(
            x[NUMBERS].astype(float), ordinary(study.sample(2).data, formula).loc[["x"], NUMBERS], rtol=1e-8
        )


def test_portions_of_a_block_change_no_number(monkeypatch):
    from mixedsim.study import ordinary_fitter

    before = quiet(redrawn(**MANY), {"a": "y ~ x + w", "b": "y ~ x + g"}, n=20, seed=1).replicates
    monkeypatch.setattr(ordinary_fitter, "_PORTION", 300)
    after = quiet(redrawn(**MANY), {"a": "y ~ x + w", "b": "y ~ x + g"}, n=20, seed=1).replicates
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_far_from_zero_least_squares_lose_no_digits():
    near = redrawn()
    far = near.with_(variables={**near.variables, "year": ms.Derived("x + 1000000")}, fixef={**near.fixef})
    one, other = (quiet(far, f"y ~ {name}", n=5, seed=4).replicates for name in ("x", "year"))
    slope, shifted = (frame[frame["parameter"] == name] for frame, name in ((one, "x"), (other, "year")))
    np.testing.assert_allclose(shifted["estimate"], slope["estimate"], rtol=1e-8)
    np.testing.assert_allclose(shifted["se"], slope["se"], rtol=1e-8)


def test_a_predictor_that_the_indicators_explain_has_no_row():
    study = quiet(redrawn(), "y ~ w + g", n=4, seed=1)
    names = study.replicates["parameter"].unique().tolist()
    assert names == ["Intercept", "w", *[f"g[T.{k}]" for k in range(2, 8)], "sigma"], "one indicator follows from w"
    assert study.replicates["error"].isna().all()


def test_with_wald_least_squares_take_the_normal_distribution():
    t, z = (
        quiet(redrawn(), ms.Analysis("y ~ x", ddf=ddf), n=4, seed=1).replicates for ddf in ("satterthwaite", "wald")
    )
    coefficient = t["kind"] == "fixed"
    assert (z.loc[coefficient, "df"] == np.inf).all()
    assert (z.loc[coefficient, "p"] < t.loc[coefficient, "p"]).all()
    np.testing.assert_array_equal(z["estimate"], t["estimate"])
    np.testing.assert_array_equal(z["se"], t["se"])


@pytest.mark.parametrize("population", [redrawn(size=(2, 6)), assigned()], ids=["redrawn", "fixed"])
def test_aggregated_least_squares_are_those_of_means(population):
    study = quiet(population, ms.Analysis("y ~ x * w" if "xw" not in population.variables else "y ~ w", aggregate="g"),
                  n=4, seed=1)  # fmt: skip
    formula = next(iter(study.analyses.values())).formula
    for k, sample in enumerate(study.draws):
        means = sample.data.groupby("g", observed=True).mean(numeric_only=True).reset_index()
        rows = study.replicates[study.replicates["replicate"] == k]
        np.testing.assert_allclose(
            rows[NUMBERS].astype(float), ordinary(means, formula)[NUMBERS], rtol=1e-8, atol=1e-12
        )
    last = study.replicates.iloc[-1]
    assert last["parameter"] == "sigma"
    assert np.isnan(last["truth"]), "the residual sd of means is none of the population's"


# ---- functions


def test_a_function_says_what_it_likes():
    def fitted(data):
        return ms.lmer(MIXED, data).coefficients()

    study = quiet(redrawn(), {"own": fitted, "ours": MIXED}, n=4, seed=1)
    own, ours = (study.replicates[study.replicates["analysis"] == name] for name in ("own", "ours"))
    ours = ours[ours["kind"] == "fixed"]
    for name in ("parameter", "kind", "truth", "replicate", "seed"):
        assert own[name].tolist() == ours[name].tolist()
    np.testing.assert_allclose(own[NUMBERS].astype(float), ours[NUMBERS].astype(float), rtol=2e-5, atol=1e-7)


def test_a_function_of_another_outcome():
    population = redrawn(family="binomial", sigma=None)

    def share(data):
        return {"share": data["y"].mean()}

    study = quiet(population, share, n=30, seed=1)
    assert study.replicates["parameter"].unique().tolist() == ["share"]
    assert study.replicates["kind"].unique().tolist() == [""]
    assert study.replicates["estimate"].tolist() == [sample.data["y"].mean() for sample in study.draws]
    summary = study.summary().loc[("share", "share")]
    assert np.isnan(summary["truth"])
    assert summary["mean"] == pytest.approx(study.replicates["estimate"].mean())


def test_a_function_cannot_change_the_data_of_others():
    def spoils(data):
        data["y"] = 0.0
        return {"nothing": 0.0}

    study = quiet(redrawn(), {"spoils": spoils, "ols": "y ~ x"}, n=3, seed=1)
    alone = quiet(redrawn(), {"ols": "y ~ x"}, n=3, seed=1)
    ols = study.replicates[study.replicates["analysis"] == "ols"]
    np.testing.assert_array_equal(ols["estimate"], alone.replicates["estimate"])


# ---- from a fitted model


def test_a_fit_is_studied_at_its_own_estimates():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    study = quiet(fit, n=200, seed=1)
    table = study.summary().loc["mixed"]
    assert table.loc["Days", "truth"] == fit.fixef["Days"]
    assert (table["bias"].abs() < 4 * table["bias_mcse"])[["Intercept", "Days", "sigma"]].all()
    assert abs(table.loc["Days", "coverage"] - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 200)
    own = fit.refit(study.sample(7).data["Reaction"])
    row = study.replicates.query("replicate == 7 and parameter == 'Days'").iloc[0]
    assert row["estimate"] == pytest.approx(own.fixef["Days"], rel=1e-8)


def test_weights_and_offset_of_a_fit_go_with_it():
    data = ms.datasets.load("sleepstudy").copy()
    data["w"] = 1.0 + data["Days"]
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", data, weights="w", offset=2 * data["Days"])
    study = quiet(fit, {"same": fit.formula, "less": "Reaction ~ 1 + (1 | Subject)"}, n=3, seed=1)
    row = study.replicates.query("analysis == 'same' and replicate == 2 and parameter == 'Days'").iloc[0]
    assert row["estimate"] == pytest.approx(fit.refit(study.sample(2).data["Reaction"]).fixef["Days"], rel=1e-7)
    with pytest.raises(ms.MixedsimError) as error:
        quiet(fit, {"ols": "Reaction ~ Days"}, n=3, seed=1)
    assert str(error.value) == (
        "the analysis 'ols' cannot take over the weights and offset of the fitted model, as only mixed models of its "
        "response do: leave 'ols' out, or fit the model without."
    )


# ---- it is calibrated


def test_a_thousand_replicates_find_the_truth_and_keep_the_level():
    """True effect and null effect, each to within four Monte-Carlo errors of what theory promises."""
    population = assigned(clusters={"g": 12})
    study = quiet(population, {"mixed": MIXED, "z": ms.Analysis(MIXED, ddf="wald"), "ols": "y ~ x + w"}, n=1000, seed=8)
    table = study.summary()
    assert (table["bias"].abs() < 4 * table["bias_mcse"]).loc[(["mixed", "ols"], ["Intercept", "x", "w"]),].all()
    null = table.xs("w", level="parameter")
    assert (null["test"] == "type I error").all()
    error = np.sqrt(0.05 * 0.95 / 1000)
    assert abs(null.loc["mixed", "power"] - 0.05) < 4 * error
    assert null.loc["z", "power"] > 0.05 + 4 * error, "twelve groups are few for z"
    assert null.loc["ols", "power"] > 0.2, "rows of one group are no independent ones"
    assert abs(table.loc[("mixed", "w"), "coverage"] - 0.95) < 4 * error
    assert table.loc[("mixed", "x"), "test"] == "power"


def test_factors_of_which_now_one_and_now_the_other_is_larger_are_no_failure():
    """Parameters come in the order of the factors' sizes, and these are drawn anew."""
    population = ms.Population(
        "y ~ x + (1 + x | g) + (1 | item)",
        clusters={"area": 3, "g": {"in": "area", "n": (1, 6)}, "item": 9},
        size=2,
        variables={"x": ms.Normal(0, 1)},
        fixef={"Intercept": 0, "x": 1},
        ranef={"g": {"sd": [1, 0.5]}, "item": {"sd": [0.5]}},
        sigma=1,
    )
    study = quiet(population, n=12, seed=1)
    larger = {sample.data["g"].cat.categories.size > 9 for sample in study.draws}
    assert larger == {True, False}
    assert study.replicates["error"].isna().all()
    for k, sample in enumerate(study.draws):
        fit = ms.lmer(population.formula, sample.data)
        rows = study.replicates.query(f"replicate == {k}").set_index("parameter")["estimate"]
        expected = estimates_of(fit, 0.95)["estimate"]
        expected.index = [parameter_name(*symbol) for symbol in expected.index]
        np.testing.assert_allclose(rows, expected[rows.index], rtol=2e-4, atol=1e-4)


def test_the_order_of_factors_reaches_theta_too():
    rng = np.random.default_rng(1)
    frames = []
    for a, b in ((8, 5), (5, 8)):
        frame = pd.DataFrame({"a": rng.integers(0, a, 200), "b": rng.integers(0, b, 200), "x": rng.normal(size=200)})
        frame["y"] = (
            rng.normal(size=a)[frame["a"]] + (1 + rng.normal(size=b))[frame["b"]] * frame["x"] + rng.normal(size=200)
        )
        frames.append(frame)
    formula = "y ~ x + (1 | a) + (x | b)"
    many = fit_many(formula, frames)
    assert not many.failures
    first, second = (ms.lmer(formula, frame).theta for frame in frames)
    np.testing.assert_allclose(many.theta, [first, [second[3], *second[:3]]], rtol=1e-5, atol=1e-6)
