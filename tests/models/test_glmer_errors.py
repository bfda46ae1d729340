"""What `glmer` refuses: one sentence each, with the rows, the values and a way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from tests.models.glmms import cbpp_fit, clinic

FLAT = np.zeros(120)
N = clinic()["n"]


def asked(y: Any, family: Any = "binomial", rhs: str = "x + (1 | g)", **more: Any) -> Callable[[], Any]:
    return lambda: ms.glmer(f"y ~ {rhs}", clinic().assign(y=y), family, **more)


def trials(successes: Any, size: Any, family: Any = "binomial", **more: Any) -> Callable[[], Any]:
    return lambda: ms.glmer("s / t ~ x + (1 | g)", clinic().assign(s=successes, t=size), family, **more)


Y = clinic()["y"]
SENTENCES: list[tuple[Callable[[], Any], str]] = [
    # ---- binomial
    (
        asked(Y + 1),
        "the response 'y' of a binomial model must lie between 0 and 1: row 0 holds 2 (65 such rows); code it as 0 and "
        "1, or write successes / trials for counts.",
    ),
    (
        asked(0.5 * Y),
        "the response 'y' holds shares of an unknown number of trials: row 0 holds 0.5 (65 such rows); pass the "
        "numbers of trials as weights, or write successes / trials.",
    ),
    (
        asked(0.3 * Y, weights=np.full(120, 3)),
        "the response 'y' must be a share of the trials that the weights count: row 0 holds 0.3 of 3, no whole number "
        "of successes (65 such rows); write successes / trials instead.",
    ),
    (
        asked(np.where(Y == 1, "yes", np.where(clinic()["x"] > 0, "no", "dk"))),
        "the response 'y' has 3 categories ('dk', 'no', 'yes'), where a binomial response has two, of which the second "
        "is success: say which it is, as in data['y'] == 'dk'.",
    ),
    (
        asked(["yes"] * 120),
        "the response 'y' is 'yes' in all rows, where a binomial response has two categories, of which the second is "
        "success: check the column.",
    ),
    (
        asked(pd.date_range("2020", periods=120)),
        "the response 'y' holds dates or times (datetime64[us]): turn them into a number, such as days, first.",
    ),
    (
        trials(4 * Y, 3),
        "the successes 's' exceed the trials 't': row 0 has 4 of 3 (65 such rows); the left side is successes / "
        "trials, in this order.",
    ),
    (
        trials(0 * Y, clinic()["g"] % 3),
        "the trials 't' must be whole numbers of at least 1: row 0 holds 0 (40 such rows); drop such rows.",
    ),
    (trials(Y, 1.5), "the trials 't' must be whole numbers: row 0 holds 1.5 (120 such rows); count them."),
    (
        trials(0.5 * Y, 3),
        "the successes 's' must be whole numbers: row 0 holds 0.5 (65 such rows); successes / trials takes the number "
        "of successes, and not their share.",
    ),
    (trials(Y - 1, 3), "the successes 's' must not be negative: row 11 holds -1 (55 such rows); mend them."),
    (
        trials(Y, ["a"] * 120),
        "the response 't' must be numeric, found text or categories such as 'a': mend them, then convert it with "
        "data['t'].astype(float).",
    ),
    (
        asked(Y, rhs="x + (1 | row)"),
        "the grouping factor 'row' has one row a level (120 rows), and each row is a single yes or no, which tells "
        "nothing of (1 | row): leave it out; it takes counts out of several trials to see that they vary more than "
        "chance.",
    ),
    (
        lambda: ms.glmer("n / (n * 0) ~ x + (1 | g)", clinic().assign(n=1)),
        "the trials '(n * 0)' must be whole numbers of at least 1: row 0 holds 0 (120 such rows); drop such rows.",
    ),
    (
        lambda: ms.glmer("I(n / n) ~ x + (1 | g)", clinic(), weights=np.full(120, 2)),
        f"'I(n / n)' is not finite: row {int(np.argmax(N == 0))} holds nan ({int((N == 0).sum())} such rows); check "
        "what goes into it.",
    ),
    # ---- counts and amounts
    (
        lambda: ms.glmer("np.log(n) ~ x + (1 | g)", clinic(), "gamma"),
        f"'np.log(n)' is not finite: row {int(np.argmax(N == 0))} holds -inf ({int((N == 0).sum())} such rows); check "
        "what goes into it.",
    ),
    (
        asked(1e150 * clinic()["a"], "gamma"),
        "the response 'y' holds values of size 3e+151, too extreme to square: change the unit.",
    ),
    (
        asked(N - 3, "poisson"),
        f"the response 'y' must be counts, and none is negative: row {int(np.argmax(N < 3))} holds "
        f"{(N - 3)[N < 3].iloc[0]} ({int((N < 3).sum())} such rows); mend them.",
    ),
    (
        asked(N + 0.5, "negative-binomial"),
        f"the response 'y' must be counts: row 0 holds {N[0] + 0.5:g} (120 such rows); a count is a whole number of at "
        "least 0; for other amounts there is family='gamma'.",
    ),
    (
        asked(Y == 1, "poisson"),
        "the response 'y' is boolean (True or False) where counts were expected: use family='binomial'.",
    ),
    (
        trials(Y, 3, "poisson"),
        "the response 's / t' is successes over trials, which is a binomial model, where counts were expected: for a "
        "rate, write the count and offset=np.log(exposure), or use family='binomial'.",
    ),
    (
        asked(Y, "gamma"),
        "the response 'y' must be positive: row 11 holds 0 (55 such rows); for counts there is family='poisson', for a "
        "mixture with zeros no family here.",
    ),
    (
        asked(FLAT + 2, "gamma"),
        "the response 'y' is constant (2 in all rows), so there is nothing to model: check the column.",
    ),
    (
        asked(clinic()["a"], ("gamma", "log"), rhs="x + (1 | row)"),
        "the grouping factor 'row' has one row a level (120 levels, 120 rows): nothing separates (1 | row) from the "
        "residual; group by a coarser column, or leave the term out.",
    ),
    # ---- families, links, nodes, options
    (asked(Y, "binomail"), "there is no family 'binomail': did you mean 'binomial'?"),
    (
        asked(Y, ("binomial", "probti")),
        "the family 'binomial' has the links logit, probit, cloglog, log, identity, not 'probti': did you mean "
        "'probit'?",
    ),
    (
        asked(Y, "gaussian"),
        "the family 'gaussian' with an identity link is a linear mixed model, which ms.lmer fits exactly: use "
        "ms.lmer(formula, data), and log or another function of the response for another link.",
    ),
    (
        asked(Y, 3),
        "family must be a name such as 'binomial', or a pair of a name and a link such as ('binomial', 'probit'), "
        "found 3.",
    ),
    (asked(Y, nagq=26), "nagq must be at most 25 nodes, found 26: more of them add nothing."),
    (
        asked(Y, nagq=2.5),
        "nagq must be a whole number from 1 (Laplace's approximation) to 25 (nodes of the quadrature), found 2.5.",
    ),
    (
        asked(Y, nagq=5, rhs="x + (x | g)"),
        "nagq=5 needs one grouping factor with one varying effect, as in (1 | group): use nagq=1, the Laplace "
        "approximation, for this model.",
    ),
    (
        asked(Y, nagq=5, rhs="x + (1 | g) + (1 | c)"),
        "nagq=5 needs one grouping factor with one varying effect, as in (1 | group): use nagq=1, the Laplace "
        "approximation, for this model.",
    ),
    (
        asked(clinic()["a"], "gamma", nagq=5),
        "nagq=5 is for families without a dispersion, and 'gamma' has one: use nagq=1.",
    ),
    (
        asked(Y, control=ms.Control(optimizer="bfgs")),
        "ms.glmer has one optimiser, 'newton', found 'bfgs': leave optimizer out, the others are there to compare "
        "linear models with.",
    ),
    (
        asked(Y, control=ms.Control(start=[1, 2])),
        "start must have 1 value, one an element of θ (see a fit's theta), found 2.",
    ),
    # ---- rows of a fit
    (lambda: cbpp_fit().predict(scale="odds"), "scale must be 'response' or 'link', found 'odds'."),
    (
        lambda: cbpp_fit().residuals("scaled"),
        "kind must be 'response', 'pearson' or 'deviance', found 'scaled'.",
    ),
    (lambda: cbpp_fit().simulate(0), "n must be a whole number of at least 1, found 0."),
    (lambda: cbpp_fit().simulate(1, random="all"), "random must be 'new' or 'conditional', found 'all'."),
    (
        lambda: cbpp_fit().coefficients("satterthwaite"),
        "ddf must be 'wald' for a generalised model, found 'satterthwaite': degrees of freedom are known for linear "
        "models alone; profile intervals and likelihood-ratio tests (ms.anova, ms.drop1) do better with few groups.",
    ),
    (
        lambda: cbpp_fit().confint("exact"),
        "method must be 'profile', 'wald' or 'boot', found 'exact'.",
    ),
]


@pytest.mark.parametrize(("ask", "sentence"), SENTENCES, ids=[s[:60] for _, s in SENTENCES])
def test_one_sentence_names_culprit_and_way_out(ask: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ms.MixedsimError) as caught:
        ask()
    assert str(caught.value) == sentence


def test_a_formula_without_random_term_or_with_cbind_shows_where() -> None:
    with pytest.raises(ms.FormulaError, match=r"no random term: add one such as \(1 \| group\)"):
        ms.glmer("y ~ x", clinic())
    with pytest.raises(ms.FormulaError, match="'cbind' is not known here: write successes / trials, for glmer"):
        ms.glmer("cbind(y, n) ~ x + (1 | g)", clinic())


def test_as_many_coefficients_as_rows() -> None:
    wide = clinic().iloc[[0, 1, 2, 10, 11, 12]]
    wide = wide.assign(**{f"z{j}": np.random.default_rng(j).normal(size=6) for j in range(8)})
    rhs = " + ".join(f"z{j}" for j in range(8))
    with pytest.raises(ms.DataError) as caught:
        ms.glmer(f"n ~ {rhs} + (1 | g)", wide, "poisson")
    sentence = "6 rows cannot carry 6 fixed effects and random effects: use more rows or fewer predictors."
    assert str(caught.value) == sentence


def test_missing_values_of_either_side_of_a_quotient_drop_rows() -> None:
    d = clinic().assign(s=clinic()["y"].where(clinic().index > 4), t=np.where(clinic().index == 119, np.nan, 2))
    fit = ms.glmer("s / t ~ x + (1 | g)", d)
    assert fit.nobs == 114
    assert fit.messages == ("6 of 120 rows were dropped because of missing values (s 5, t 1).",)
