"""Rows in chunks give the fit of the rows in memory."""

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

CASES = [
    ("sleepstudy", "Reaction ~ Days + (Days | Subject)", 7),
    ("sleepstudy", "Reaction ~ Days + (Days || Subject)", 179),
    ("sleepstudy", "Reaction ~ 0 + (Days | Subject)", 11),
    ("sleepstudy", "log(Reaction) ~ I(Days**2) + Days + (0 + Days | Subject)", 50),
    ("nlschools", "lang ~ IQ + GS + SES + COMB + (1 | class)", 100),
    ("nlschools", "lang ~ center(IQ) * COMB + (IQ | class)", 333),
    ("nlschools", "lang ~ scale(IQ) + poly(SES, 3) + standardize(GS) + (1 | class)", 500),
    ("nlschools", "lang ~ scale(IQ, center=10) + C(GS > 20) + (1 | class)", 500),
    ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", 10),
    ("Pastes", "strength ~ 1 + (1 | batch/cask)", 7),
    ("Dyestuff2", "Yield ~ 1 + (1 | Batch)", 4),
    ("cake", "angle ~ C(recipe, contr.sum) * temperature + (1 | recipe:replicate)", 17),
]


def chunks(data, size):
    return [data.iloc[start : start + size] for start in range(0, len(data), size)]


def same(a, b, tolerance=1e-10):
    """Two fits agree to `tolerance`, in the units of each number's own uncertainty."""
    assert a.formula == b.formula
    assert a.coefficient_names == b.coefficient_names
    assert a.messages == b.messages
    assert (a.nobs, a.n_groups, a.converged, a.singular) == (b.nobs, b.n_groups, b.converged, b.singular)
    se = np.sqrt(np.diag(b.vcov))
    np.testing.assert_array_less(np.abs(a.fixef - b.fixef), tolerance * np.maximum(se, 1e-300) + 1e-300)
    np.testing.assert_allclose(a.vcov, b.vcov, rtol=20 * tolerance, atol=20 * tolerance * np.max(se, initial=0) ** 2)
    assert a.sigma == pytest.approx(b.sigma, rel=tolerance)
    assert a.deviance == pytest.approx(b.deviance, rel=tolerance)
    np.testing.assert_allclose(a.theta, b.theta, rtol=20 * tolerance, atol=20 * tolerance)
    for group in b.ranef:
        pd.testing.assert_index_equal(a.ranef[group].index, b.ranef[group].index, exact=True)
        scale = max(float(np.abs(b.ranef[group].to_numpy()).max()), 1e-6)
        np.testing.assert_allclose(a.ranef[group], b.ranef[group], rtol=0, atol=50 * tolerance * scale)


@pytest.mark.parametrize(("name", "formula", "size"), CASES)
@pytest.mark.parametrize("reml", [True, False])
def test_frames_of_a_data_set(name, formula, size, reml):
    data = ms.datasets.load(name)
    same(ms.lmer(formula, chunks(data, size), reml=reml), ms.lmer(formula, data, reml=reml))


@pytest.fixture
def messy():
    """Every kind of column, with gaps, zero weights and levels that come late."""
    rng = np.random.default_rng(3)
    n = 3000
    data = pd.DataFrame(
        {
            "x": rng.normal(5e6, 2, n),
            "k": rng.integers(0, 5, n),
            "text": rng.choice(["no", "a", "z"], n),
            "id": rng.integers(100, 160, n),
            "wide": rng.integers(0, 50, n) * 10**12,
            "site": rng.choice([f"s{i}" for i in range(40)], n),
            "kind": pd.Categorical(rng.choice(list("qwe"), n), categories=list("wqex")),
            "yes": rng.random(n) < 0.4,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"),
            "w": rng.uniform(0.5, 2, n),
            "o": rng.normal(size=n),
        }
    )
    effects = rng.normal(size=60), rng.normal(size=40)
    x = data["x"] - 5e6
    site = pd.factorize(data["site"], sort=True)[0]
    data["y"] = effects[0][data["id"] - 100] + 0.5 * x + effects[1][site] * (1 + 0.3 * x) + rng.normal(size=n)
    data.loc[rng.integers(0, n, 30), "x"] = np.nan
    data.loc[rng.integers(0, n, 20), "text"] = None
    data.loc[5:9, "y"] = np.nan
    data.loc[17, "w"] = 0.0
    data.loc[:1200, "text"] = data.loc[:1200, "text"].replace("z", "a")  # its first chunks lack a level
    return data


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ x + text + (x | site)", {}),
        ("y ~ x * kind + text + yes + (1 | id) + (x || site)", {}),
        ("y ~ scale(x) + C(k) + (1 | site:id) + (1 | id)", {"weights": "w"}),
        ("y ~ 0 + x + text + (0 + x | wide)", {"weights": "w", "offset": "o"}),
        ("y ~ day + poly(x, 2) + (1 | id/site)", {"offset": "o"}),
        ("y ~ C(kind, contr.sum) + (text | id) + (1 | wide:text)", {}),
        ("y ~ C(k, contr.helmert) : yes + (yes | site)", {"weights": "w"}),
    ],
)
@pytest.mark.parametrize("size", [400, 2999])
def test_messy_columns(messy, formula, options, size):
    same(ms.lmer(formula, chunks(messy, size), **options), ms.lmer(formula, messy, **options), tolerance=1e-8)


def test_an_iterator_is_kept_for_another_reading(messy):
    frames = chunks(messy, 700)
    fit = ms.lmer("y ~ x + text + (1 | site)", iter(frames))
    same(fit, ms.lmer("y ~ x + text + (1 | site)", messy), tolerance=1e-9)
    same(fit.update(". ~ . - text"), ms.lmer("y ~ x + (1 | site)", messy).update(". ~ ."), tolerance=1e-9)


def test_chunks_without_a_complete_row(messy):
    frames = chunks(messy, 500)
    hollow = frames[0].assign(x=np.nan)
    same(
        ms.lmer("y ~ x + (1 | site)", [hollow, *frames[1:], frames[0].iloc[:0]]),
        ms.lmer("y ~ x + (1 | site)", pd.concat([hollow, *frames[1:]])),
        tolerance=1e-9,
    )


def test_nearly_collinear_columns_are_read_once_more(messy):
    rng = np.random.default_rng(1)
    data = messy.assign(z=messy["x"] - 5e6, near=messy["x"] - 5e6 + 1e-5 * rng.normal(size=len(messy)), twice=1.0)
    data["twice"] = 2.0 * data["z"] + 3.0
    formula = "y ~ z + twice + near + (1 | site)"
    a, b = ms.lmer(formula, chunks(data, 800)), ms.lmer(formula, data)
    assert a.coefficient_names == b.coefficient_names == ("Intercept", "z", "near")
    np.testing.assert_allclose(a.fixef, b.fixef, rtol=1e-6)
    assert a.deviance == pytest.approx(b.deviance, rel=1e-10)


def test_what_follows_from_sums_alone():
    data = ms.datasets.load("nlschools")
    formula = "lang ~ scale(IQ) * COMB + SES + (IQ | class)"
    a, b = ms.lmer(formula, chunks(data, 500)), ms.lmer(formula, data)
    for ask in (
        lambda fit: fit.coefficients(),
        lambda fit: fit.coefficients("kenward-roger"),
        lambda fit: fit.anova(3),
        lambda fit: fit.anova(2, ddf="kenward-roger"),
        lambda fit: fit.confint("wald"),
        lambda fit: fit.confint("profile"),
        lambda fit: fit.emmeans("COMB"),
        lambda fit: fit.icc(),
        lambda fit: fit.r2(),
        lambda fit: fit.predict(data.head()),
    ):
        np.testing.assert_allclose(
            np.asarray(ask(a).select_dtypes("number") if hasattr(ask(a), "columns") else ask(a), dtype=float),
            np.asarray(ask(b).select_dtypes("number") if hasattr(ask(b), "columns") else ask(b), dtype=float),
            rtol=1e-7,
            atol=1e-9,
        )
    assert "Scaled residuals" in str(b)
    assert str(a).replace("\n\n\n", "\n\n").splitlines()[:4] == str(b).splitlines()[:4]


@pytest.mark.parametrize("weights", [None, "w"])
def test_r2_without_an_intercept_and_with_weights(messy, weights):
    formula = "y ~ 0 + text + yes + (yes | site)"
    a, b = ms.lmer(formula, chunks(messy, 700), weights=weights), ms.lmer(formula, messy, weights=weights)
    np.testing.assert_allclose(a.r2(), b.r2(), rtol=1e-8)
    np.testing.assert_allclose(a.icc(), b.icc(), rtol=1e-8)


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit: fit.residuals(),
        lambda fit: fit.predict(),
        lambda fit: fit.simulate(2, seed=1),
        lambda fit: fit.bootstrap(3, seed=1),
        lambda fit: fit.effective_n(),
        lambda fit: fit.refit(np.zeros(180)),
    ],
)
def test_what_needs_the_rows_says_so(ask):
    data = ms.datasets.load("sleepstudy")
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", chunks(data, 60))
    with pytest.raises(ms.MixedsimError, match="this needs the rows in memory, but the model read them in chunks"):
        ask(fit)


# ---- bad input


def refused(formula, frames, **options):
    with pytest.raises(ms.MixedsimError) as caught:
        ms.lmer(formula, frames, **options)
    return str(caught.value)


def test_the_sentences_of_memory_are_those_of_chunks(messy):
    bad = {
        "y ~ nothing + (1 | site)": messy,
        "y ~ x": messy,
        "y ~ x + (1 | one)": messy.assign(one=1),
        "y ~ text + (1 | row)": messy.assign(row=np.arange(len(messy))),
        "flat ~ x + (1 | site)": messy.assign(flat=2.0),
        "yes ~ x + (1 | site)": messy,
        "text ~ x + (1 | site)": messy,
        "y ~ only + (1 | site)": messy.assign(only="a"),
        "y ~ gone + (1 | site)": messy.assign(gone=np.nan),
        "y ~ x + (1 | site) + (1 | twin)": messy.assign(twin="t" + messy["site"]),
        "y ~ x + (text + I(text == 'a') | site)": messy,
        "y ~ site + (1 | site)": messy,
    }
    for formula, data in bad.items():
        with pytest.raises(ms.MixedsimError) as memory:
            ms.lmer(formula, data)
        assert refused(formula, chunks(data, 700)) == str(memory.value)


def test_infinite_values_are_named_with_their_chunk(messy):
    frames = chunks(messy, 1000)
    frames[1] = frames[1].assign(x=frames[1]["x"].where(np.arange(1000) != 7, np.inf))
    said = refused("y ~ x + (1 | site)", frames)
    assert said.startswith("column 'x' holds infinite values: row 7 of frame number 1 holds inf (1 such row")


def test_a_column_of_another_kind_is_named_with_its_chunk(messy):
    frames = chunks(messy, 1000)
    frames[2] = frames[2].assign(x=frames[2]["x"].astype(str))
    said = refused("y ~ x + (1 | site)", frames)
    assert said == (
        "column 'x' holds categories in frame number 2, where it held numbers in frame number 0: write it alike "
        "everywhere."
    )


def test_a_column_that_is_missing_in_one_chunk(messy):
    frames = chunks(messy, 1000)
    frames[2] = frames[2].drop(columns="x")
    assert refused("y ~ x + (1 | site)", frames) == (
        "frame number 2 has no column 'x', which the frames before it have: give all frames the same columns."
    )


def test_weights_must_be_a_column(messy):
    said = refused("y ~ x + (1 | site)", chunks(messy, 1000), weights=np.ones(len(messy)))
    assert said == (
        "weights must be the name of a column where the rows are read in chunks, found ndarray: add them to the frames "
        "as a column."
    )


def test_splines_are_refused(messy):
    assert "places its knots by the quantiles of all rows" in refused(
        "y ~ bs(x, df=4) + (1 | site)", chunks(messy, 999)
    )


def test_no_frames(messy):
    assert "there are no frames to read" in refused("y ~ x + (1 | site)", iter([]))


# ---- several models


def test_likelihood_ratios_of_models_that_read_the_same_frames():
    data = ms.datasets.load("nlschools")
    frames = chunks(data, 400)
    formulas = ["lang ~ IQ + (1 | class)", "lang ~ IQ + SES + (1 | class)", "lang ~ IQ + SES + (IQ | class)"]
    first = ms.lmer(formulas[0], frames)
    few = [first, first.update(". ~ . + SES"), first.update(". ~ . + SES - (1 | class) + (IQ | class)")]
    a, b = ms.anova(*few), ms.anova(*(ms.lmer(formula, data) for formula in formulas))
    np.testing.assert_allclose(a.astype(float), b.astype(float), rtol=1e-7)
    with pytest.raises(ms.MixedsimError, match="were fitted to different rows"):
        ms.anova(few[0], ms.lmer(formulas[1], chunks(data, 300)))
    with pytest.raises(ms.MixedsimError, match="were fitted to different rows"):
        ms.anova(few[0], ms.lmer(formulas[1], data))
