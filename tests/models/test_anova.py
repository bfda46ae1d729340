"""Tests of terms: lmerTest's numbers, and that no coding, order or unit changes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

FOLDER = Path(__file__).parent / "unbalanced"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())["models"]
# lmerTest 3.1.3 overlooks that a term contains another if R coded one of its factors in full (as in a + a:b, where it
# then tests a at the first level of b alone); SAS's rule, which it cites, has no such exception. See below.
OVERLOOKED = ("nested_term", "empty_cell", "no_main_effect")
METHODS = ("satterthwaite", "kenward-roger", "wald")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "rows.csv", dtype=dict.fromkeys("gabcdh", str))


def fitted(name: str, rows: pd.DataFrame) -> ms.LinearMixedModel:
    return ms.lmer(ANSWERS[name]["formula"].replace("^", "**"), rows)


@pytest.mark.parametrize("table", ["satterthwaite_1", "satterthwaite_2", "satterthwaite_3", "kenward-roger_3"])
@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in OVERLOOKED])
def test_equals_lmertest(name, table, rows):
    # anova(lmer(formula, rows), type = , ddf = ); unbalanced, one model with an empty cell
    ddf, kind = table.rsplit("_", 1)
    ours = fitted(name, rows).anova(int(kind), ddf)
    theirs = ANSWERS[name]["anova"][table]
    assert len(ours) == len(theirs)
    for (term, row), (_, mine) in zip(theirs.items(), ours.iterrows(), strict=True):
        assert mine["F"] == pytest.approx(row["F"], rel=1e-5), term
        assert mine["df1"] == row["df1"], term
        assert mine["df2"] == pytest.approx(row["df2"], rel=1e-4), term
        assert mine["p"] == pytest.approx(row["p"], rel=1e-4), term


# ---- coding


CODINGS = ["C({}, contr.sum)", "C({}, contr.helmert)", "C({}, contr.poly)", "C({}, contr.treatment('{}2'))"]


@pytest.mark.parametrize("coded", CODINGS)
@pytest.mark.parametrize("ddf", METHODS)
@pytest.mark.parametrize("kind", [1, 2, 3])
def test_no_coding_changes_a_test(kind, ddf, coded, rows):
    plain = ms.lmer("y ~ a * b + a * x + (1 | g)", rows).anova(kind, ddf)
    a, b = (coded.format(v, v) for v in "ab")
    other = ms.lmer(f"y ~ {a} * {b} + {a} * x + (1 | g)", rows).anova(kind, ddf)
    np.testing.assert_allclose(other, plain, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("name", ["crossed", "slopes", "three", *OVERLOOKED[::2]])
def test_type_three_is_what_sum_contrasts_say(name, rows):
    """With sum-to-zero columns every coefficient of a term is an effect averaged over the other factors."""
    formula = ANSWERS[name]["formula"]
    for v in "abc":
        formula = formula.replace(f" {v} ", f" C({v}, contr.sum) ").replace(f":{v} ", f":C({v}, contr.sum) ")
        formula = formula.replace(f" {v}:", f" C({v}, contr.sum):")
    fit = ms.lmer(formula, rows)
    tests = fit.anova(3, "kenward-roger")
    assert set(tests.index) == set(fit.design.x.terms) - {"1"}
    for term, row in tests.iterrows():
        own = np.eye(len(fit.fixef))[[t == term for t in fit.design.x.terms]]
        by_hand = fit.contrasts(own, "kenward-roger", joint=True).loc["joint"]
        np.testing.assert_allclose(row, by_hand, rtol=1e-6)
    plain = fitted(name, rows).anova(3, "kenward-roger")
    np.testing.assert_allclose(tests, plain, rtol=2e-5)


def test_rows_order_and_units_do_not_matter(rows):
    plain = ms.lmer("y ~ a * x + b + (1 | g)", rows).anova()
    shuffled = ms.lmer("y ~ a * x + b + (1 | g)", rows.sample(frac=1, random_state=1)).anova()
    np.testing.assert_allclose(shuffled, plain, rtol=1e-5)
    scaled = ms.lmer("y ~ a * x + b + (1 | g)", rows.assign(x=rows["x"] * 1e6, y=rows["y"] * 1e-6)).anova()
    np.testing.assert_allclose(scaled, plain, rtol=1e-5)


def test_a_boolean_is_a_factor_like_any_other(rows):
    one = ms.lmer("y ~ late * x + (1 | g)", rows.assign(late=rows["b"] == "b2")).anova()
    other = ms.lmer("y ~ b * x + (1 | g)", rows).anova()
    np.testing.assert_allclose(one, other, rtol=1e-5)


# ---- relations between the types


def test_the_last_term_is_the_same_in_all_types(rows):
    tables = [fitted("crossed", rows).anova(kind) for kind in (1, 2, 3)]
    for table in tables[1:]:
        np.testing.assert_allclose(table.loc["a:b", "F"], tables[0].loc["a:b", "F"], rtol=1e-8)
    assert tables[0].loc["a", "F"] != pytest.approx(tables[2].loc["a", "F"], rel=0.01)


def test_types_agree_in_a_balanced_layout():
    fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))
    for kind in (1, 2):
        np.testing.assert_allclose(fit.anova(kind), fit.anova(3), rtol=1e-8)


def test_one_column_terms_are_their_t_tests(rows):
    fit = ms.lmer("y ~ x + w + b + (1 | g)", rows)
    for ddf in METHODS:
        table, tests = fit.coefficients(ddf), fit.anova(ddf=ddf)
        t = table.drop("Intercept")
        np.testing.assert_allclose(tests.iloc[:, 0], t["t"].loc[["x", "w", "b[T.b2]"]] ** 2, rtol=1e-9)
        np.testing.assert_allclose(tests["p"], t["p"].loc[["x", "w", "b[T.b2]"]], rtol=1e-7)


def test_columns(rows):
    fit = fitted("crossed", rows)
    assert list(fit.anova().columns) == ["F", "df1", "df2", "p"]
    assert list(fit.anova(ddf="wald").columns) == ["chisq", "df", "p"]
    assert fit.anova().index.tolist() == ["a", "b", "a:b"]
    assert fit.anova().index.name == "term"


# ---- awkward models


def test_model_without_terms_has_an_empty_table():
    data = ms.datasets.load("Dyestuff")
    for formula in ("Yield ~ 1 + (1 | Batch)", "Yield ~ 0 + (1 | Batch)"):
        table = ms.lmer(formula, data).anova()
        assert list(table.columns) == ["F", "df1", "df2", "p"]
        assert len(table) == 0


def test_term_that_was_dropped_altogether_has_no_degrees_of_freedom(rows):
    fit = ms.lmer("y ~ x + twice + b + (1 | g)", rows.assign(twice=2 * rows["x"]))
    table = fit.anova()
    assert table.loc["twice", "df1"] == 0
    assert np.isnan(table.loc["twice", "p"])
    np.testing.assert_allclose(table.loc[["x", "b"]], ms.lmer("y ~ x + b + (1 | g)", rows).anova(), rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": 4}, "type must be 1, 2 or 3, found 4."),
        ({"type": "III"}, "type must be 1, 2 or 3, found 'III'."),
        ({"type": True}, "type must be 1, 2 or 3, found True."),
        ({"ddf": "kr"}, "ddf must be 'satterthwaite', 'kenward-roger' or 'wald', found 'kr'."),
    ],
)
def test_bad_arguments_are_named(given, said, rows):
    with pytest.raises(ms.MixedsimError) as error:
        fitted("crossed", rows).anova(**given)
    assert str(error.value) == said


def test_kenward_roger_is_computed_once(rows, monkeypatch):
    fit = fitted("crossed", rows)
    assert fit.kenward_roger is fit.kenward_roger
    before = fit.kenward_roger
    fit.anova(ddf="kenward-roger")
    fit.coefficients(ddf="kenward-roger")
    assert fit.kenward_roger is before
