"""What `ms.clmm` says of wrong requests, one sentence each, and of data that it can fit only so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.errors import DataError, FormulaError, MixedsimError
from tests.models.wine import FORMULA, wine, wine_fit


def rated(values: Any) -> pd.DataFrame:
    return wine().assign(rating=values)


def numbers() -> pd.Series[int]:
    return wine()["rating"].astype(int)


CASES: dict[str, tuple[Callable[[], Any], type[MixedsimError], str]] = {
    "text": (
        lambda: ms.clmm(FORMULA, rated(wine()["rating"].astype(str))),
        DataError,
        "the response 'rating' holds categories without an order ('1', '2', '3', '4', '5'), where ms.clmm has to know "
        "which is higher: say so with pd.Categorical(data['rating'], categories=[lowest, ..., highest], ordered=True).",
    ),
    "measurements": (
        lambda: ms.clmm(FORMULA, rated(numbers() + 0.5 * (wine()["judge"] > 1))),
        DataError,
        "the response 'rating' holds measurements, where ms.clmm takes ordered categories: row 8 holds 1.5 (64 such "
        "rows); use ms.lmer, or cut them with pd.cut.",
    ),
    "true and false": (
        lambda: ms.clmm(FORMULA, rated(numbers() > 2)),
        DataError,
        "the response 'rating' has two categories (False and True), where ms.clmm takes three or more: use ms.glmer "
        "with family='binomial', which is the same model for two.",
    ),
    "two categories": (
        lambda: ms.clmm(FORMULA, rated(pd.Categorical(np.where(numbers() > 2, "b", "a"), ordered=True))),
        DataError,
        "the response 'rating' has two categories ('a' and 'b'), where ms.clmm takes three or more: use ms.glmer with "
        "family='binomial', which is the same model for two.",
    ),
    "one category": (
        lambda: ms.clmm(FORMULA, rated(3)),
        DataError,
        "the response 'rating' is 3 in all rows, so there is nothing to model: check the column.",
    ),
    "too many": (
        lambda: ms.clmm(FORMULA, rated(np.arange(72))),
        DataError,
        "the response 'rating' has 72 categories, more than the 50 that ms.clmm takes: that many are measurements for "
        "ms.lmer, or wait to be merged with pd.cut.",
    ),
    "dates": (
        lambda: ms.clmm(FORMULA, rated(pd.Timestamp("2020-01-01") + pd.to_timedelta(wine()["judge"], unit="D"))),
        DataError,
        "where ms.clmm takes ordered categories: make them, for example with pd.cut.",
    ),
    "a calculation": (
        lambda: ms.clmm("log(rating) ~ temp + (1 | judge)", rated(numbers())),
        FormulaError,
        "the response 'log(rating)' is a calculation, where ms.clmm takes a column of ordered categories: add it to "
        "the data first, for example with pd.cut.",
    ),
    "no intercept": (
        lambda: ms.clmm("rating ~ 0 + temp + (1 | judge)", wine()),
        FormulaError,
        "the formula 'rating ~ 0 + temp + (1 | judge)' takes the intercept away, whose place the thresholds of ordered "
        "categories have: leave the 0 or the -1 out.",
    ),
    "a level a row": (
        lambda: ms.clmm("rating ~ temp + (1 | row)", wine().assign(row=range(72))),
        DataError,
        "the grouping factor 'row' has one row a level (72 rows), and each row is a single ordered category, which "
        "tells nothing of (1 | row): leave it out; it takes counts out of several trials to see that they vary more "
        "than chance.",
    ),
    "a link": (
        lambda: ms.clmm(FORMULA, wine(), link="logot"),
        MixedsimError,
        "ms.clmm has the links logit, probit, cloglog, loglog, not 'logot': did you mean 'logit'?",
    ),
    "no nodes": (
        lambda: ms.clmm(FORMULA, wine(), nagq=0),
        MixedsimError,
        "nagq must be a whole number from 1 (Laplace's approximation) to 25 (nodes of the quadrature), found 0.",
    ),
    "many nodes": (
        lambda: ms.clmm(FORMULA, wine(), nagq=26),
        MixedsimError,
        "nagq must be at most 25 nodes, found 26: more of them add nothing.",
    ),
    "nodes for slopes": (
        lambda: ms.clmm("rating ~ temp + (temp | judge)", wine(), nagq=5),
        MixedsimError,
        "nagq=5 needs one grouping factor with one varying effect, as in (1 | group): use nagq=1, the Laplace "
        "approximation, for this model.",
    ),
    "glmer on ordered categories": (
        lambda: ms.glmer(FORMULA, wine()),
        DataError,
        "the response 'rating' has 5 ordered categories ('1', '2', '3', '4', '5'), where a binomial response has two: "
        "use ms.clmm, which models all of them.",
    ),
    "glmer of that family": (
        lambda: ms.glmer(FORMULA, wine(), family="ordinal"),
        MixedsimError,
        "the family 'ordinal' has a model of its own: use ms.clmm(formula, data, link='logit').",
    ),
    "a kind of degrees of freedom": (
        lambda: wine_fit().coefficients("satterthwaite"),
        MixedsimError,
        "ddf must be 'wald' for a generalised model, found 'satterthwaite'",
    ),
    "a way to draw": (
        lambda: wine_fit().simulate(1, random="old"),  # type: ignore[arg-type]
        MixedsimError,
        "random must be 'new' or 'conditional', found 'old'.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_sentence_says_what_is_wrong(name: str) -> None:
    call, kind, sentence = CASES[name]
    with pytest.raises(kind) as found:
        call()
    assert sentence in str(found.value)
    assert "\n" not in str(found.value)


# ---- messages


def drawn(seed: int = 1) -> pd.DataFrame:
    """240 answers out of four, in 20 groups, with a factor that means nothing."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "g": np.repeat(np.arange(20), 12),
            "x": pd.Categorical(rng.choice(list("abc"), 240)),
            "y": rng.integers(0, 4, 240),
        }
    )


def ordered(data: pd.DataFrame, y: Any) -> pd.DataFrame:
    return data.assign(y=pd.Categorical.from_codes(np.asarray(y), categories=list("klmn"), ordered=True))


def test_a_cell_at_an_end_runs_away_and_the_rest_is_as_if_it_were_not_there() -> None:
    data = drawn()
    data = ordered(data, np.where(data["x"] == "c", 3, data["y"]))
    fit = ms.clmm("y ~ x + (1 | g)", data)
    assert fit.messages[0].startswith(
        "separation: 'x[T.c]' runs away because all rows with x = 'c' are in the category 'n': the likelihood rises "
        "for ever"
    )
    assert len(fit.messages) == 1
    assert fit.fixef["x[T.c]"] > 10
    rest = ms.clmm("y ~ x + (1 | g)", data[data["x"] != "c"])
    assert fit.loglik == pytest.approx(rest.loglik, abs=1e-5)
    np.testing.assert_allclose(fit.thresholds, rest.thresholds, atol=1e-4)
    # second derivatives are differences: beside a direction without curvature three digits are left of the others
    np.testing.assert_allclose(fit.threshold_table()["se"], rest.threshold_table()["se"], rtol=5e-3)
    assert fit.coefficients().loc["x[T.c]", "se"] > 1000


def test_a_first_level_at_an_end_takes_the_thresholds_along() -> None:
    data = drawn()
    fit = ms.clmm("y ~ x + (1 | g)", ordered(data, np.where(data["x"] == "a", 0, data["y"])))
    assert fit.messages[0].startswith(
        "separation: 'x[T.b]', 'x[T.c]', the thresholds run away because all rows with x = 'a' are in the category 'k':"
    )


def test_a_predictor_that_tells_all_categories() -> None:
    data = drawn().assign(z=lambda d: d["y"] - 0.5 + np.random.default_rng(2).uniform(0, 0.6, 240))
    fit = ms.clmm("y ~ z + (1 | g)", ordered(data, data["y"]))
    assert "'z' tells every category from the next" in fit.messages[0]
    assert np.isfinite(fit.deviance)
    assert np.isfinite(fit.thresholds).all()
    assert (np.diff(fit.thresholds) > 0).all()


def test_a_predictor_that_tells_some_categories_is_no_separation() -> None:
    rng = np.random.default_rng(3)
    data = drawn()
    z = np.where(data["y"] == 0, -2.0, 1.0) + rng.uniform(-1, 1, 240)
    fit = ms.clmm("y ~ z + (1 | g)", ordered(data.assign(z=z), data["y"]))
    assert not [message for message in fit.messages if "separation" in message]
    assert fit.converged


def test_groups_of_one_category_each() -> None:
    data = drawn()
    fit = ms.clmm("y ~ 1 + (1 | g)", ordered(data, data["g"] % 4))
    assert any("every level of 'g' has rows of one category only" in message for message in fit.messages)


def test_no_variance_between_groups_is_a_finding() -> None:
    data = drawn()
    fit = ms.clmm("y ~ x + (x | g)", ordered(data, data["y"]))
    assert fit.singular
    assert fit.converged
    table = fit.check().what_if
    assert "without x by g" in table.index
    np.testing.assert_array_equal(table.loc["as it is", ["x[T.b]", "x[T.c]"]].astype(float), 0)
    small = ms.clmm("y ~ x + (1 | g)", ordered(data, data["y"]))
    assert table.loc["without x by g", "delta_aic"] == pytest.approx(small.aic - fit.aic, abs=1e-5)
    moved = (small.fixef - fit.fixef) / np.sqrt(np.diag(fit.vcov))
    np.testing.assert_allclose(table.loc["without x by g", ["x[T.b]", "x[T.c]"]].astype(float), moved, atol=1e-5)
    assert 0 <= fit.icc()["adjusted"] < 1


def test_missing_answers_are_dropped_with_a_message() -> None:
    fit = ms.clmm(FORMULA, rated(wine()["rating"].where(wine().index != 3)))
    assert fit.nobs == 71
    assert fit.messages == ("1 of 72 rows were dropped because of missing values (rating 1).",)


# ---- print


def test_the_summary_reads_like_rs() -> None:
    text = str(wine_fit())
    for line in (
        "Cumulative link mixed model fit by maximum likelihood (Laplace approximation)",
        "Response: 5 ordered categories (logit link, flexible thresholds)",
        "177.1  193.1   -81.6      163.1",
        " judge  Intercept     1.28    1.131",
        " temp[T.warm]     3.0630     0.5954   5.145 2.68e-07",
        "Thresholds:\n     Estimate Std. Error z value\n 1|2  -1.6237     0.6824  -2.379\n",
        " 2|3   1.5134     0.6037   2.507",
    ):
        assert line in text
    assert "Scaled residuals" not in text
    assert "Gauss-Hermite quadrature with 10 nodes" in str(wine_fit("logit", 10))


def test_the_summary_as_html() -> None:
    page = wine_fit()._repr_html_()
    assert "<strong>Cumulative link mixed model</strong>, 5 ordered categories" in page
    assert "Thresholds</caption>" in page
    assert "2|3" in page
    alone = str(ms.clmm("rating ~ 1 + (1 | judge)", wine()))
    assert "Fixed effects" not in alone
    assert "Thresholds:" in alone
