"""Left sides that are no measurements: how they are taken apart, and what a design holds of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedsim.design import build
from mixedsim.errors import DataError
from mixedsim.formula import parse
from mixedsim.response import READERS, quotient, read_binomial, read_counts

DATA = pd.DataFrame(
    {
        "s": [0, 2, 3, 1],
        "t": [2, 3, 3, 4],
        "my y": [1, 0, 1, 0],
        "yes": [True, False, True, False],
        "answer": ["no", "yes", "no", "yes"],
        "w": [2.0, 1.0, 3.0, 4.0],
        "g": list("aabb"),
    }
)


@pytest.mark.parametrize(
    ("left", "sides"),
    [
        ("s / t", ("s", "t")),
        ("s/(s + f)", ("s", "(s + f)")),
        ("`my / y` / t", ("`my / y`", "t")),
        ("s", None),
        ("I(s / t)", None),
        ("log(s / t)", None),
        ("s / t / u", None),
        ("s // t", None),
    ],
)
def test_a_quotient_has_one_bar_outside_brackets(left: str, sides: tuple[str, str] | None) -> None:
    assert quotient(parse(f"{left} ~ 1 + (1 | g)")) == sides


def read(left: str, weights: str | None = None, kind: str = "binomial") -> object:
    return build(parse(f"{left} ~ 1 + (1 | g)"), DATA, weights, reader=READERS[kind], residual=False)


def test_successes_and_trials() -> None:
    design = read("s / t")
    np.testing.assert_array_equal(design.y, DATA["s"])
    np.testing.assert_array_equal(design.trials, DATA["t"])
    assert (design.weights, design.shares, design.categories) == (None, False, None)
    np.testing.assert_array_equal(read("s / 4").trials, [4, 4, 4, 4])
    np.testing.assert_array_equal(read("s / (s + 1)").trials, DATA["s"] + 1)


def test_zeros_and_ones_have_no_trials_unless_whole_weights_count_them() -> None:
    design = read("`my y`")
    assert design.trials is None
    counted = read("`my y`", "w")
    np.testing.assert_array_equal(counted.y, [2, 0, 3, 0])
    np.testing.assert_array_equal(counted.trials, DATA["w"])
    assert counted.weights is None
    assert counted.shares
    broken = build(
        parse("`my y` ~ 1 + (1 | g)"), DATA, [0.5, 1, 1, 1], reader=read_binomial, residual=False
    )
    assert broken.trials is None
    np.testing.assert_array_equal(broken.weights, [0.5, 1, 1, 1])


def test_categories_remember_what_they_are_called() -> None:
    for left, categories in (("yes", (False, True)), ("answer", ("no", "yes"))):
        design = read(left)
        assert design.categories == categories
    np.testing.assert_array_equal(read("answer").y, [0, 1, 0, 1])
    np.testing.assert_array_equal(read("s > 1").y, [0, 1, 1, 0])


def test_an_effect_of_every_row_is_welcome_where_nothing_is_left_over() -> None:
    formula, data = parse("s ~ 1 + (1 | row)"), DATA.assign(row=range(4))
    assert len(build(formula, data, reader=read_counts, residual=False).factors[0].levels) == 4
    with pytest.raises(DataError, match="one row a level"):
        build(formula, data, reader=read_counts)
