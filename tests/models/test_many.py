"""Many fits at once are the fits of `lmer`, one by one: numbers, flags and sentences."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.models.many import ManyFits, fit_many, refit_many
from mixedsim.models.many_alone import Alone
from tests.models.reference import CASES, LINEAR, REFERENCE

COLUMNS = ["estimate", "se", "df", "p", "lower", "upper"]
# What is left to chance: a search stops where a step would lower the deviance by less than 1e-15, some 1e-8 in θ; the
# delta method of a single fit takes its derivatives by differences.
RELATIVE = 2e-6


def together(many: ManyFits) -> int:
    """How many replicates were fitted in company."""
    return sum(len(portion.replicates) for portion in many.portions if not isinstance(portion, Alone))


def close(ours, theirs, scale=0.0):
    np.testing.assert_allclose(ours, theirs, rtol=RELATIVE, atol=max(1e-7 * scale, 1e-20), equal_nan=True)


def same(many: ManyFits, k: int, fit: ms.LinearMixedModel, ddfs=("satterthwaite", "kenward-roger", "wald")) -> None:
    """Replicate k is that fit."""
    assert many.names == fit.coefficient_names
    np.testing.assert_allclose(many.theta[k], fit.theta, atol=1e-6)
    assert many.loglik[k] == pytest.approx(fit.loglik, abs=1e-7)
    assert many.sigma[k] == pytest.approx(fit.sigma, rel=RELATIVE)
    assert many.converged[k] == fit.converged
    assert many.singular[k] == fit.singular
    for ddf in ddfs:
        table = fit.coefficients(ddf)
        found = many.coefficients(ddf)
        for column in COLUMNS:
            close(getattr(found, column)[k], table[column], table["se"].max() if column in ("lower", "upper") else 0.0)


def same_parameters(many: ManyFits, k: int, fit: ms.LinearMixedModel) -> None:
    """Replicate k has that fit's estimates and intervals of all parameters."""
    table = fit.confint("wald")
    found = many.parameters("wald")
    assert len(many.symbols) == len(table)
    # one correlation in a thousand lies so near the boundary that differences have no digits left
    np.testing.assert_allclose(found.estimate[k], table["estimate"], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found.lower[k], table["lower"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.upper[k], table["upper"], rtol=1e-4, atol=1e-6)
    fixed = len(many.names)
    assert np.isnan(found.p[k, fixed:]).all()
    np.testing.assert_array_equal(found.p[k, :fixed], many.coefficients("wald").p[k])


# ---- one design, many responses


@cache
def sleep() -> pd.DataFrame:
    frame = ms.datasets.load("sleepstudy")
    rng = np.random.default_rng(11)
    return frame.assign(w=rng.uniform(0.3, 3, len(frame)), z=rng.normal(size=len(frame)))


MODELS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", {}),
    "maximum likelihood": ("Reaction ~ Days + (Days | Subject)", {"reml": False}),
    "uncorrelated": ("Reaction ~ Days + z + (Days || Subject)", {}),
    "weights and offset": ("Reaction ~ Days + (1 | Subject)", {"weights": "w", "offset": "Days"}),
    "weighted slopes": ("Reaction ~ Days + (Days | Subject)", {"weights": "w"}),
    "no intercept": ("Reaction ~ 0 + Days + (1 | Subject)", {}),
    "no fixed effects": ("Reaction ~ 0 + (Days | Subject)", {}),
    "slope only": ("Reaction ~ Days + (0 + Days | Subject)", {}),
    "three effects": ("Reaction ~ Days + (Days + z | Subject)", {}),
    "crossed": ("Reaction ~ 1 + (1 | Subject) + (1 | Days)", {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_response_is_fitted_as_refit_fits_it(name):
    formula, extra = MODELS[name]
    fit = ms.lmer(formula, sleep(), **extra)
    y = fit.simulate(12, seed=3).to_numpy().copy()
    # hardly anything varies between subjects, and often nothing
    y[:, 6:] += 12 * (np.random.default_rng(5).normal(size=(180, 6)) * fit.sigma - (y[:, 6:] - y[:, 6:].mean(axis=0)))
    many = refit_many(fit, y)
    assert many.failures == {}
    assert len(many) == 12
    ddfs = ("satterthwaite", "wald") if "reml" in extra else ("satterthwaite", "kenward-roger", "wald")
    for k in range(12):
        again = fit.refit(y[:, k])
        same(many, k, again, ddfs if many.names else ())
        same_parameters(many, k, again)


def test_the_batch_does_the_work():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", sleep())
    assert together(refit_many(fit, fit.simulate(200, seed=1))) > 195


def test_two_are_no_company():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", sleep())
    y = fit.simulate(3, seed=1).to_numpy()
    assert together(refit_many(fit, y)) == 3
    assert together(refit_many(fit, y[:, :2])) == 0
    np.testing.assert_allclose(refit_many(fit, y[:, :2]).theta, refit_many(fit, y).theta[:2], atol=1e-7)


def test_the_criterion_can_be_another():
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", sleep())
    y = fit.simulate(3, seed=1)
    many = refit_many(fit, y, reml=False)
    same(many, 1, ms.lmer("Reaction ~ Days + (1 | Subject)", sleep().assign(Reaction=y[1]), reml=False), ("wald",))
    with pytest.raises(ms.MixedsimError, match=r"needs a REML fit: fit the model with reml=True\.$"):
        many.coefficients("kenward-roger")


def test_another_optimiser_is_obeyed():
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", sleep())
    y = fit.simulate(2, seed=1)
    many = refit_many(fit, y, control=ms.Control(optimizer="nelder-mead"))
    assert together(many) == 0
    close(many.sigma, refit_many(fit, y).sigma)


def test_rows_that_were_given_are_rows_that_were_fitted():
    gap = sleep().assign(Days=sleep()["Days"].where(sleep().index != 7))
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", gap)
    y = np.random.default_rng(2).normal(size=(180, 2))
    whole, used = refit_many(fit, y), refit_many(fit, y[fit.design.used])
    np.testing.assert_array_equal(whole.sigma, used.sigma)


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        ([["a"]], "the responses must be a table of numbers, rows × replicates, found list."),
        (
            np.zeros(180),
            "the responses must have one row for each of the 180 rows that were fitted and one column a replicate, "
            "found shape (180,).",
        ),
        (
            np.zeros((180, 0)),
            "the responses must have one row for each of the 180 rows that were fitted and one column a replicate, "
            "found shape (180, 0).",
        ),
    ],
)
def test_what_are_no_responses_is_refused(y, sentence):
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", sleep())
    with pytest.raises(ms.MixedsimError) as error:
        refit_many(fit, y)
    assert str(error.value) == sentence


def test_a_bad_response_is_a_failure_with_its_sentence_and_spoils_no_other():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", sleep())
    y = fit.simulate(6, seed=1).to_numpy().copy()
    good = refit_many(fit, y)
    y[3, 1] = np.nan
    y[:, 2] = 7.0
    y[0, 4] = 1e120
    many = refit_many(fit, y)
    for k in (1, 2, 4):
        with pytest.raises(ms.MixedsimError) as error:
            fit.refit(y[:, k])
        assert many.failures[k] == str(error.value)
        assert not many.converged[k]
        assert not many.singular[k]
        assert np.isnan(many.theta[k]).all()
        assert np.isnan(many.coefficients().p[k]).all()
    close(many.sigma[[0, 3, 5]], good.sigma[[0, 3, 5]])
    assert list(many.failures) == [1, 2, 4]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.skipif(not LINEAR, reason="R's reference answers are not here")
def test_every_reference_case_is_fitted_in_company_as_alone(name, parity):
    case = CASES[name]
    data = parity.read(case, REFERENCE)
    if len(data) > 10_000:
        pytest.skip("large crossed data go one by one")
    fit = parity.fit(ms, case, data)
    y = np.column_stack([fit.design.y, fit.simulate(2, seed=3)])
    many = refit_many(fit, y)
    if len(fit.design.factors) == 1:
        assert together(many) >= 2
    for k, again in enumerate((fit, fit.refit(y[:, 1]), fit.refit(y[:, 2]))):
        np.testing.assert_allclose(many.theta[k], again.theta, atol=1e-6)
        assert many.loglik[k] == pytest.approx(again.loglik, abs=1e-7)
        table = again.coefficients()
        np.testing.assert_allclose(many.coefficients().estimate[k], table["estimate"], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(many.coefficients().df[k], table["df"], rtol=1e-5)


# ---- many data sets

SLOPES = ms.Population(
    "y ~ x + c + (1 + x | g)", clusters={"g": 15}, size=(4, 12),
    variables={"x": ms.Normal(3, 2), "c": ms.Categorical(["a", "b", "c"])},
    fixef={"Intercept": 1, "x": 0.3, "c[T.b]": 0.1, "c[T.c]": 0.5},
    ranef={"g": {"sd": [1, 0.3], "corr": [[1, 0.2], [0.2, 1]]}}, sigma=2,
)  # fmt: skip
FEW = ms.Population(
    "y ~ x + (1 | g)", clusters={"g": 6}, size=20, variables={"x": ms.Normal(3, 2, level="g")},
    fixef={"Intercept": 1, "x": 0.3}, ranef={"g": {"sd": [0.4]}}, sigma=2,
)  # fmt: skip
FORMULAS = {
    "y ~ x + (x | g)": SLOPES,
    "y ~ x * c + (x || g)": SLOPES,
    "y ~ 0 + c + (0 + x | g)": SLOPES,
    "log(exp(y)) ~ I(x**2) + C(c, Sum) + (1 | g)": SLOPES,
    "y ~ I(x > 3) + (c | g)": SLOPES,
    "y ~ 0 + (x | g)": SLOPES,
    "y ~ x + (1 | g:c)": SLOPES,
    "y ~ x + (1 | g) + (1 | c)": SLOPES,
    "y ~ x + (1 | g/c)": SLOPES,
    "y ~ x + (1 + x | g) + (1 | c)": SLOPES,
    "y ~ x + (1 | g)": FEW,
}


@cache
def drawn(population) -> list[pd.DataFrame]:
    return [population.draw(seed=k).data for k in range(12)]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("reml", [True, False])
def test_a_data_set_is_fitted_as_lmer_fits_it(formula, reml):
    datasets = drawn(FORMULAS[formula])
    many = fit_many(formula, datasets, reml=reml)
    assert many.failures == {}
    assert together(many) >= 11
    for k, data in enumerate(datasets):
        fit = ms.lmer(formula, data, reml=reml)
        same(many, k, fit, () if not many.names else ("satterthwaite", "kenward-roger") if reml else ("satterthwaite",))
        same_parameters(many, k, fit)


def test_some_of_them_are_singular():
    assert 0 < fit_many("y ~ x + (1 | g)", drawn(FEW)).singular.mean() < 1


@pytest.mark.parametrize("formula", ["y ~ center(x) + (1 | g)", "y ~ poly(x, 2) + (1 | g)", "y ~ c + (1 | c)"])
def test_what_learns_from_its_data_goes_one_by_one(formula):
    datasets = drawn(SLOPES)[:3]
    many = fit_many(formula, datasets)
    assert together(many) == 0
    for k, data in enumerate(datasets):
        alone = fitted_or_sentence(formula, data)
        if isinstance(alone, str):
            assert many.failures[k] == alone
        else:
            same(many, k, alone, ("satterthwaite",))


def test_factors_may_have_more_levels_in_one_data_set_and_fewer_in_another():
    rng = np.random.default_rng(3)
    datasets = []
    for levels in (7, 20, 9, 18, 8, 21, 22, 6, 17):
        frame = drawn(SLOPES)[levels % 5]
        effects = rng.normal(size=levels)
        h = rng.integers(0, levels, len(frame))
        datasets.append(frame.assign(h=h, y=frame["y"] + effects[h]))
    many = fit_many("y ~ x + (1 | g) + (1 + x | h)", datasets)
    assert together(many) == 9
    for k, data in enumerate(datasets):
        fit = ms.lmer("y ~ x + (1 | g) + (1 + x | h)", data)
        assert many.loglik[k] == pytest.approx(fit.loglik, abs=1e-7)
        table = fit.confint("wald")["estimate"]
        for (kind, group, term), estimate in zip(many.symbols, many.parameters().estimate[k], strict=True):
            name = term if kind in ("fixed", "sigma") else f"{kind}({term} | {group})"
            assert estimate == pytest.approx(table[name], rel=1e-5)


def test_crossed_factors_that_group_alike_are_refused_one_by_one():
    odd = drawn(SLOPES)[0].assign(h=lambda d: d["g"].astype(str) + "x")
    fair = drawn(SLOPES)[1].assign(h=lambda d: np.arange(len(d)) % 7)
    many = fit_many("y ~ x + (1 | g) + (1 | h)", [fair.assign(h=fair["h"].astype(str)), odd])
    assert many.failures == {1: fitted_or_sentence("y ~ x + (1 | g) + (1 | h)", odd)}
    assert "group the rows alike" in many.failures[1]


def test_an_effect_that_varies_twice_is_refused_at_once():
    with pytest.raises(ms.FormulaError, match="varies by 'g' already"):
        fit_many("y ~ x + (1 | g) + (1 + x | g)", drawn(SLOPES))


def test_company_does_not_show():
    datasets = drawn(SLOPES)
    whole = fit_many("y ~ x + c + (x | g)", datasets)
    for some in ([3], [7, 3], [1, 2, 3, 4, 5]):
        part = fit_many("y ~ x + c + (x | g)", [datasets[k] for k in some])
        at = some.index(3)
        np.testing.assert_allclose(part.theta[at], whole.theta[3], atol=1e-7)
        np.testing.assert_allclose(part.coefficients().df[at], whole.coefficients().df[3], rtol=1e-6)
        np.testing.assert_allclose(part.coefficients().estimate[at], whole.coefficients().estimate[3], rtol=1e-9)


def test_stacks_and_portions_do_not_show(monkeypatch):
    from mixedsim.models import many_together

    datasets = drawn(SLOPES)
    whole = fit_many("y ~ x + (x | g)", datasets)
    monkeypatch.setattr(many_together, "_ROWS", 300)
    monkeypatch.setattr(many_together, "_NUMBERS", 100)
    apart = fit_many("y ~ x + (x | g)", datasets)
    assert len(apart.portions) > 1
    np.testing.assert_allclose(apart.theta, whole.theta, atol=1e-7)


def spoilt() -> dict[str, pd.DataFrame]:
    """Data sets with a peculiarity each."""
    good = SLOPES.draw(seed=50).data
    rng = np.random.default_rng(4)
    return {
        "missing values": good.assign(x=good["x"].where(rng.random(len(good)) > 0.1)),
        "missing group": good.assign(g=good["g"].where(good.index != 3)),
        "infinite": good.assign(x=good["x"].where(good.index != 5, np.inf)),
        "constant response": good.assign(y=3.0),
        "constant predictor": good.assign(x=2.0),
        "text response": good.assign(y=good["y"].astype(str)),
        "boolean response": good.assign(y=good["y"] > 0),
        "no column": good.drop(columns="x"),
        "no rows": good[:0],
        "one group": good.assign(g="a"),
        "a group a row": good.assign(g=np.arange(len(good))),
        "a category less": good[good["c"] != "b"],
        "one category": good[good["c"] == "b"],
        "other categories": good.assign(c=good["c"].cat.rename_categories({"b": "d"})),
        "text in place of categories": good.assign(c=good["c"].astype(str), g=good["g"].astype(str)),
        "whole numbers": good.assign(x=good["x"].round().astype(int), g=good["g"].cat.codes),
        "a mapping": good.to_dict("list"),
        "far from zero": good.assign(x=good["x"] + 1e7, y=good["y"] + 1e6),
        "tiny and huge": good.assign(x=good["x"] * 1e-9, y=good["y"] * 1e12),
        "too huge": good.assign(y=good["y"] * 1e110),
        "shuffled": good.sample(frac=1.0, random_state=1),
        "few rows": good[:3],
        "two equal columns": pd.concat([good, good[["x"]]], axis=1),
        "no table": 5,
    }


def fitted_or_sentence(formula: str, data) -> ms.LinearMixedModel | str:
    try:
        return ms.lmer(formula, data)
    except ms.MixedsimError as error:
        return str(error)


@pytest.mark.parametrize("name", spoilt())
@pytest.mark.parametrize("first", [True, False])
def test_a_peculiar_data_set_gets_what_lmer_gives_it(name, first):
    formula = "y ~ x + c + (1 | g)"
    others = drawn(SLOPES)[:4]
    odd = spoilt()[name]
    datasets = [odd, *others] if first else [*others, odd]
    at = 0 if first else 4
    many = fit_many(formula, datasets)
    alone = fitted_or_sentence(formula, odd)
    if isinstance(alone, str):
        assert many.failures == {at: alone}
        assert np.isnan(many.sigma[at])
    else:
        if alone.coefficient_names != ("Intercept", "x", "c[T.b]", "c[T.c]"):
            assert "unlike those of the others" in many.failures[at]
        else:
            assert many.failures == {}
            np.testing.assert_allclose(many.theta[at], alone.theta, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(many.coefficients().df[at], alone.coefficients()["df"], rtol=1e-5)
    for k, data in enumerate(others):
        fit = ms.lmer(formula, data)
        np.testing.assert_allclose(many.theta[k + first], fit.theta, atol=1e-6)


def test_other_parameters_are_named():
    data = drawn(SLOPES)[:3]
    many = fit_many("y ~ c + (1 | g)", [*data, data[0][data[0]["c"] != "b"]])
    assert many.failures == {
        3: "the model of this data set lacks 'c[T.b]', unlike those of the others: a category or a predictor does not "
        "vary in it as it does there."
    }
    wanted = fit_many("y ~ c + (1 | g)", [data[0]]).symbols
    alone = fit_many("y ~ c + (1 | g)", [data[0][data[0]["c"] != "b"]], symbols=wanted)
    assert alone.failures == {0: many.failures[3]}
    assert alone.symbols == wanted
    assert alone.theta.shape == (1, 1)


def test_all_may_fail():
    many = fit_many("y ~ x + (1 | g)", [drawn(SLOPES)[0].assign(y=1.0)] * 2)
    assert many.names == ()
    assert sorted(many.failures) == [0, 1]
    assert many.coefficients().estimate.shape == (2, 0)


def test_there_must_be_data_sets():
    with pytest.raises(ms.MixedsimError, match=r"^datasets must hold at least one table, found none\.$"):
        fit_many("y ~ x + (1 | g)", [])


@pytest.mark.parametrize("datasets", [drawn(FEW)[0], drawn(FEW)[0].to_dict("list"), 5])
def test_one_table_is_no_list_of_tables(datasets):
    with pytest.raises(ms.MixedsimError) as error:
        fit_many("y ~ x + (1 | g)", datasets)
    kind = type(datasets).__name__
    assert str(error.value) == f"datasets must be a list of tables, found {kind}: put [ ] around it."


def test_data_sets_may_come_one_by_one():
    many = fit_many("y ~ x + (1 | g)", (data for data in drawn(FEW)))
    assert len(many) == 12


def test_text_is_read_as_categories_in_company_too():
    datasets = [data.assign(g=data["g"].astype(str), c=data["c"].astype(str)) for data in drawn(SLOPES)]
    many = fit_many("y ~ x + c + (1 | g)", datasets)
    assert together(many) == 12
    same(many, 4, ms.lmer("y ~ x + c + (1 | g)", datasets[4]))


def test_a_slip_in_the_formula_is_said_at_once():
    with pytest.raises(ms.FormulaError):
        fit_many("y ~ x + (1 | g", drawn(SLOPES))


@pytest.mark.parametrize(("ddf", "level"), [("t", 0.95), ("wald", 2.0)])
def test_what_is_no_method_or_level_is_refused(ddf, level):
    many = fit_many("y ~ x + (1 | g)", drawn(FEW)[:2])
    for verb in (many.coefficients, many.parameters):
        with pytest.raises(ms.MixedsimError, match=r"^(ddf must be|level must lie)"):
            verb(ddf, level)


def test_the_level_widens_the_interval():
    many = fit_many("y ~ x + (1 | g)", drawn(FEW)[:2])
    wide, narrow = many.parameters(level=0.99), many.parameters(level=0.5)
    inside = narrow.lower > 0
    assert (wide.lower < narrow.lower)[inside].all()
    assert not (wide.upper < narrow.upper).any()
