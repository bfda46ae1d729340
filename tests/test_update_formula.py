"""R's update grammar: what `.` stands for, what is added, what is removed, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixedsim.errors import FormulaError
from mixedsim.formula import fixed_terms, parse
from mixedsim.update_formula import update_formula, without

OLD = "y ~ x * sex + (x | school) + (1 | batch/cask)"

CHANGES = {
    ". ~ . + price": "y ~ x * sex + price + (x | school) + (1 | batch/cask)",
    "~ . + price": "y ~ x * sex + price + (x | school) + (1 | batch/cask)",
    ". ~ . - x:sex": "y ~ x + sex + (x | school) + (1 | batch/cask)",
    ". ~ . - sex:x": "y ~ x + sex + (x | school) + (1 | batch/cask)",
    ". ~ . - 1": "y ~ 0 + x + sex + x:sex + (x | school) + (1 | batch/cask)",
    ". ~ . - x*sex": "y ~ 1 + (x | school) + (1 | batch/cask)",
    ". ~ . - sex - x:sex + z": "y ~ x + z + (x | school) + (1 | batch/cask)",
    "log(.) ~ .": "log(y) ~ x * sex + (x | school) + (1 | batch/cask)",
    "other ~ .": "other ~ x * sex + (x | school) + (1 | batch/cask)",
    ". ~ . - (x | school)": "y ~ x * sex + (1 | batch/cask)",
    ". ~ . - (1 + x | school) + (x || school)": "y ~ x * sex + (1 | batch/cask) + (x || school)",
    ". ~ . - (1 | cask:batch)": "y ~ x * sex + (x | school) + (1 | batch)",
    ". ~ . - (1 | batch/cask) - (x | school) + (1 | g)": "y ~ x * sex + (1 | g)",
    ". ~ . * z": "y ~ (x + sex + x:sex) * z + (x | school) + (1 | batch/cask)",
    ". ~ (. + z)^2 - x:z": "y ~ x + sex + x:sex + z + sex:z + x:sex:z + (x | school) + (1 | batch/cask)",
    "y ~ z + (1 | g)": "y ~ z + (1 | g)",
    ". ~ z + (1 | g)": "y ~ z + (1 | g)",
}


def meaning(text: str) -> tuple:
    """What a formula says, however it is spelled."""
    read = parse(text)
    terms = {(frozenset(t.factors), frozenset(map(str, fixed_terms(t.effects)))) for t in read.terms}
    return read.response, frozenset(fixed_terms(read.fixed)), terms


@pytest.mark.parametrize(("change", "new"), CHANGES.items())
def test_a_change_gives_the_formula_that_one_would_write(change, new):
    assert meaning(update_formula(parse(OLD), change)) == meaning(new)


def test_what_stays_is_written_as_it_was_typed():
    new = update_formula(parse("y ~ poly(x, 2) + `my z` + Sepal.Length + w + (x||g)"), ". ~ . - w")
    assert new == "y ~ poly(x, 2) + `my z` + `Sepal.Length` + (x||g)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (". ~ . - nope", "there is no fixed effect 'nope' to remove: there are 1, x, sex, x:sex."),
        (". ~ . - (1 | school)", "there is no random term (1 | school) to remove: there are (1 + x | school), "
                                 "(1 | batch), (1 | cask:batch)."),
        ("+ price", "an update has one '~', as in '. ~ . + x': '.' stands for what was there."),
        (". ~", "nothing stands on the right of '~': write '.' for what was there."),
        (". ~ . +", "a term is missing here: write one, or remove the sign before it."),
        (". ~ z - .", "'.' cannot be subtracted: leave it out, and write what is to stay."),
        (". ~ . - 0", "'- 0' is written '+ 1': it puts the intercept back."),
        (". ~ . + (1 | g", "this '(' is never closed: add ')'."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_caret(change, said):
    with pytest.raises(FormulaError) as error:
        update_formula(parse(OLD), change)
    assert str(error.value).split("\n")[0] == said
    assert str(error.value).rstrip().endswith("^")


def test_a_product_needs_something_to_multiply():
    with pytest.raises(FormulaError, match=r"no fixed effects that '\.' could stand for here: write the new"):
        update_formula(parse("y ~ 1 + (1 | g)"), ". ~ . * z")


def test_an_update_is_text():
    with pytest.raises(FormulaError, match=r"an update must be text such as '\. ~ \. \+ x', found int\."):
        update_formula(parse(OLD), 3)


@given(st.lists(st.sampled_from(["a", "b", "a:b", "log(c)", "poly(d, 2)"]), unique=True, max_size=5), st.booleans())
def test_adding_and_removing_leaves_what_was_there(terms, intercept):
    old = parse(" + ".join(["y ~ 1" if intercept else "y ~ 0", *terms, "(1 | g)"]))
    assert meaning(update_formula(old, ". ~ .")) == meaning(old.text)
    longer = parse(update_formula(old, ". ~ . + z + (0 + z | h)"))
    assert meaning(update_formula(longer, ". ~ . - (0 + z | h) - z")) == meaning(old.text)


def test_without_names_one_term():
    assert without(parse("y ~ a * b + (1 | g)"), "a:b").fixed == "a + b"
    assert without(parse("y ~ a + (1 | g)"), "a").fixed == "1"
