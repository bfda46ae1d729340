"""What the rows cannot tell apart is refused, or said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedsim.design import build
from mixedsim.errors import DataError
from mixedsim.formula import parse

RNG = np.random.default_rng(5)
N = 60
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "x": RNG.normal(size=N),
        "z": RNG.normal(size=N),
        "c": np.tile(["a", "b", "c"], N // 3),
        "g": np.repeat([f"g{i}" for i in range(6)], N // 6),
        "i": np.repeat(np.arange(6), N // 6),
        "few": np.repeat(["p", "q", "r"], N // 3),
    }
).assign(
    double=lambda d: 2 * d["x"],
    three=3.0,
    zero=0.0,
    alias=lambda d: d["g"].str.upper(),
    row=np.arange(N),
)


def messages(formula, data=FRAME):
    return build(parse(formula), data).messages


REFUSED = [
    (
        "y ~ x + (1 | three)",
        "the grouping factor 'three' has only one level (3.0): nothing can vary between levels; leave out (1 | three).",
    ),
    (
        "y ~ x + (1 | row)",
        "the grouping factor 'row' has one row a level (60 levels, 60 rows): nothing separates (1 | row) from the "
        "residual; group by a coarser column, or leave the term out.",
    ),
    (
        "y ~ x + (1 | g/row)",
        "the grouping factor 'row:g' has one row a level (60 levels, 60 rows): nothing separates (1 | row:g) from the "
        "residual; group by a coarser column, or leave the term out.",
    ),
    (
        "y ~ x + (1 | x)",
        "the grouping factor 'x' has one row a level (60 levels, 60 rows): nothing separates (1 | x) from the "
        "residual; group by a coarser column, or leave the term out.",
    ),
    (
        "y ~ x + (x*z*c | g)",
        "(1 + x + z + c + x:z + x:c + z:c + x:z:c | g) has 72 random effects (6 levels × 12 effects) for 60 rows: "
        "nothing separates them from the residual; drop an effect, as in (1 | g).",
    ),
    (
        "y ~ x + (x + double | g)",
        "the effect 'double' in (1 + x + double | g) cannot be told from the other effects of the term, on which it "
        "depends linearly: leave it out.",
    ),
    (
        "y ~ x + (three | g)",
        "the effect 'three' in (1 + three | g) cannot be told from the other effects of the term, on which it depends "
        "linearly: leave it out.",
    ),
    (
        "y ~ x + (0 + zero | g)",
        "the effect 'zero' in (0 + zero | g) cannot be told from the other effects of the term, on which it depends "
        "linearly: leave it out.",
    ),
    (
        "y ~ g + (1 | g)",
        "'g' has a fixed effect for each of its levels (g), which leaves nothing for the intercept in (1 | g) to "
        "explain: keep one of the two.",
    ),
    (
        "y ~ C(i) + (x | i)",
        "'i' has a fixed effect for each of its levels (C(i)), which leaves nothing for the intercept in (1 + x | i) "
        "to explain: keep one of the two.",
    ),
    (
        "y ~ c * g + (1 | g:c)",
        "'g:c' has a fixed effect for each of its levels (c:g), which leaves nothing for the intercept in (1 | g:c) to "
        "explain: keep one of the two.",
    ),
    (
        "y ~ x + (1 | g) + (1 | alias)",
        "'g' and 'alias' group the rows alike, so nothing tells the effects of Intercept by the one from those by the "
        "other: keep one of them.",
    ),
    (
        "y ~ x + (1 | g/alias)",
        "'g' and 'alias:g' group the rows alike, so nothing tells the effects of Intercept by the one from those by "
        "the other: keep one of them.",
    ),
]


@pytest.mark.parametrize(("formula", "sentence"), REFUSED, ids=[formula for formula, _ in REFUSED])
def test_what_cannot_be_known_is_refused(formula, sentence):
    with pytest.raises(DataError) as caught:
        messages(formula)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ i + (1 | i)",  # a line through the levels, and deviations from it
        "y ~ g + (0 + x | g)",
        "y ~ g + (1 | g:c)",
        "y ~ c + (1 | g:c)",
        "y ~ c + (c | g)",
        "y ~ x + (0 + c | g)",
        "y ~ x + (0 + three | g)",  # an intercept by another name
        "y ~ x + (i | g)",
        "y ~ x + (1 | g) + (0 + x | alias)",
        "y ~ x + (1 | g) + (1 | g:c)",
    ],
)
def test_what_can_be_known_is_not_refused(formula):
    assert messages(formula) == ()


def test_random_effects_are_counted_term_by_term_as_lme4_does():
    two_each = FRAME.iloc[[0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51]]
    assert messages("y ~ x + (x || g)", two_each) == ()
    with pytest.raises(DataError, match="has 12 random effects"):
        messages("y ~ x + (x | g)", two_each)


def test_fewer_than_five_levels_are_said():
    assert messages("y ~ x + (1 | few)") == (
        "'few' has only 3 levels: its standard deviation is known very poorly from so few; "
        "consider it as a fixed effect.",
    )


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        (
            "y ~ x + (c || g)",
            "(1 | g) and (0 + c | g) overlap: 'c[c]' depends linearly on the other effects, so their variances cannot "
            "be told apart; write them as one term with a single bar, or leave one out.",
        ),
        (
            "y ~ x + (three || g)",
            "(1 | g) and (0 + three | g) overlap: 'three' depends linearly on the other effects, so their variances "
            "cannot be told apart; write them as one term with a single bar, or leave one out.",
        ),
    ],
)
def test_uncorrelated_terms_that_overlap_are_said(formula, sentence):
    assert messages(formula) == (sentence,)
