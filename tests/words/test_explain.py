"""Equations and sentences of formulas: golden texts, counts, warnings, comparisons."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.equation import Latex
from mixedsim.words import Explanation, FormulaComparison

GOLDEN = Path(__file__).parent / "golden"
NOTATIONS = ("scalar", "hlm", "varying", "matrix")
FORMULAS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
    "without_data": ("y ~ x*z + (x | g)", None),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    "nested": ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    "nested_slopes": ("score ~ x + (x | school/class)", None),
    "cross_level": ("lang ~ IQ*COMB + SES + (IQ | class)", "nlschools"),
    "successes": ("incidence / size ~ period + (1 | herd)", "cbpp"),
    "regression": ("y ~ x", None),
    "slope_only": ("y ~ 0 + x + (0 + w | g)", None),
    "two_terms": ("log(y) ~ I(x - 5) + (1 | g) + (0 + x | g)", None),
    "categories": ("y ~ C(arm) * x + (1 | `my group`)", None),
}


def explained(case, notation="scalar"):
    formula, data = FORMULAS[case]
    return ms.explain(formula, data=None if data is None else ms.datasets.load(data), notation=notation)


@pytest.mark.parametrize("case", FORMULAS)
def test_what_is_printed_is_the_golden_text(case):
    words = explained(case)
    text = "\n\n".join([str(words), *(f"--- {one}\n{words.equations(one)}" for one in NOTATIONS[1:])]) + "\n"
    path = GOLDEN / f"{case}.txt"
    if os.environ.get("MIXEDSIM_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def balanced(latex):
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    assert latex.count(r"\left(") == latex.count(r"\right)")
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert not re.search("[\ue000-\ue003]", latex)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("case", FORMULAS)
def test_latex_is_balanced_and_has_no_character_that_latex_does_not_know(case, notation):
    latex = explained(case, notation).latex
    balanced(latex)
    assert latex.isascii()


@pytest.mark.parametrize(
    ("formula", "data", "counts"),
    [
        ("Reaction ~ Days + (Days | Subject)", "sleepstudy", (2, 2, 1, 1)),
        ("Reaction ~ Days + (Days || Subject)", "sleepstudy", (2, 2, 0, 1)),
        ("Reaction ~ C(Days) + (1 | Subject)", "sleepstudy", (10, 1, 0, 1)),
        ("angle ~ recipe * temperature + (recipe | replicate)", "cake", (18, 3, 3, 1)),
        ("angle ~ recipe + (recipe || replicate)", "cake", (3, 4, 3, 1)),
        ("incidence / size ~ period + (1 | herd)", "cbpp", (4, 1, 0, 0)),
    ],
)
def test_parameters_are_those_that_lme4_would_estimate(formula, data, counts):
    words = ms.explain(formula, data=ms.datasets.load(data))
    assert tuple(words.parameters.values()) == counts


def test_counts_agree_with_the_fitted_model():
    data = ms.datasets.load("cake")
    formula = "angle ~ recipe + temperature + (1 | recipe:replicate)"
    assert sum(ms.explain(formula, data=data).parameters.values()) == ms.lmer(formula, data).npar


def test_data_nest_what_labels_alone_do_not():
    data = pd.DataFrame({"y": range(8), "school": list("aaaabbbb"), "room": list("ppqqrrss")})
    with_data = ms.explain("y ~ 1 + (1 | school) + (1 | room)", data=data)
    assert "room is nested in school: each of its levels occurs in one school only." in with_data.structure
    assert "π₀ⱼₖ = β₀₀ₖ + r₀ⱼₖ" in re.sub(" +", " ", with_data.equations("hlm"))
    without = ms.explain("y ~ 1 + (1 | school) + (1 | room)")
    assert "are crossed (unless the data show" in without.structure[0]


def test_a_variable_of_the_group_stands_on_level_two():
    hlm = explained("cross_level").equations("hlm")
    assert "γ₀₀ + γ₀₁·[COMBⱼ = 1] + u₀ⱼ" in hlm
    assert "γ₁₀ + γ₁₁·[COMBⱼ = 1] + u₁ⱼ" in hlm


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("y ~ x + (0 + x | g)", "Every g has the same value where x is 0: another zero of x"),
        ("y ~ x + (x || g)", "Intercepts and slopes of x are uncorrelated where x is 0"),
        ("y ~ 1 + (x | g)", "x varies by g but has no fixed effect: the average of its effects is forced to be 0."),
        ("y ~ x:z + x + (1 | g)", "x:z stands without z: an effect is forced to be 0 where another is 0"),
        ("y ~ 0 + x + (1 | g)", "The intercept varies, but has no fixed effect"),
    ],
)
def test_warnings_in_words(formula, said):
    assert any(said in warning for warning in ms.explain(formula).warnings)


def test_nothing_is_warned_of_where_nothing_is_wrong():
    assert ms.explain("y ~ x + (x | g)").warnings == ()


def test_data_show_an_effect_that_cannot_vary_and_a_factor_of_few_levels():
    data = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 7], "w": [1, 1, 2, 2, 3, 3], "g": list("aabbcc")})
    warnings = ms.explain("y ~ w + (w | g)", data=data).warnings
    assert "w never changes within a g: its effect cannot vary by g." in warnings
    assert any("g has only 3 levels" in one for one in warnings)


COMPARED = {
    ("y ~ x + (1 | g)", "y ~ x + (x | g)"): (True, "χ² with 2 degrees of freedom", "χ² with 1 and 2 df"),
    ("y ~ x + (x || g)", "y ~ x + (x | g)"): (True, "χ² with 1 degree of freedom", "REML likelihoods can be compared"),
    ("y ~ x", "y ~ x + (1 | g)"): (True, "χ² with 1 degree of freedom", "χ² with 0 and 1 df"),
    ("y ~ x + z + (1 | g)", "y ~ x + (1 | g)"): (True, "χ² with 1 degree", "REML likelihoods of different fixed"),
    ("y ~ x + (1 | g)", "y ~ z + (1 | g)"): (False, "AIC or BIC", "maximum likelihood (not REML)"),
    ("y ~ x + (1 | g)", "y ~ 1 + x + (1 | g)"): (False, "same model", "nothing to test"),
    ("y ~ x + (1 | g)", "log(y) ~ x + (1 | g)"): (False, "different outcomes", "nothing compares"),
}


@pytest.mark.parametrize("pair", COMPARED, ids=" → ".join)
def test_two_formulas(pair):
    nested, *said = COMPARED[pair]
    both = ms.explain(*pair)
    assert isinstance(both, FormulaComparison)
    assert both.nested is nested
    assert all(one in " ".join(both.test) for one in said)
    balanced(both.latex)


def test_the_second_adds_and_drops():
    both = ms.explain("y ~ x + z + (1 | g)", "y ~ x + (x || g)")
    assert both.adds == ("a slope of x for every g (1 standard deviation)",)
    assert both.drops == ("the fixed effect z",)


def test_with_data_nesting_is_that_of_the_columns():
    data = ms.datasets.load("cake")
    coded, plain = "angle ~ 0 + recipe + (1 | replicate)", "angle ~ 1 + recipe + (1 | replicate)"
    assert not ms.explain(coded, plain, data).nested
    assert ms.explain(coded, plain, data).test == ("They are the same model, and there is nothing to test.",)


def test_a_notebook_gets_html_and_mathematics():
    words = ms.explain("y ~ x + (x | g)")
    assert isinstance(words, Explanation)
    assert isinstance(words.latex, Latex)
    assert '<div class="math">$$\n\\begin{aligned}' in words._repr_html_(), "which a book typesets"
    assert "&lt;" not in words._repr_html_().split("$$")[0]
    assert words.equations("hlm")._repr_latex_().startswith("$$\n")
    assert "<code>y ~ x + (1 | g)</code>" in ms.explain("y ~ x + (1 | g)", "y ~ x + (x | g)")._repr_html_()


def test_poisson_and_bernoulli():
    assert "log(μᵢ)" in ms.explain("y ~ x + (1 | g)", family="poisson").equations()
    assert "Bernoulli(pᵢ)" in ms.explain("y ~ x + (1 | g)", family="binomial").equations()


SPACED = pd.DataFrame({"my y": [1.0, 2, 4, 3], "a b": list("uvuv"), "g h": list("ppqq")})


@pytest.mark.parametrize("data", [None, SPACED], ids=["formula", "data"])
def test_names_with_spaces(data):
    words = ms.explain("`my y` ~ `a b` + (1 | `g h`)", data=data)
    assert "my yᵢ = β₀ + β₁·" in words.equations()
    assert r"\text{my y}_{i}" in words.latex
    assert "every g h has an intercept of its own" in words.terms["(1 | `g h`)"]
    balanced(words.latex)


def test_a_change_score():
    assert "(postᵢ − preᵢ) = β₀" in ms.explain("I(post-pre) ~ x + (1 | g)").equations()


def test_a_bad_formula_has_a_caret():
    with pytest.raises(ms.FormulaError) as error:
        ms.explain("y ~ x + (1 | )")
    assert str(error.value) == (
        "nothing stands after the bar: name the grouping factor, as in (1 | g).\n    y ~ x + (1 | )\n               ^"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"notation": "greek"}, "notation must be one of 'scalar', 'hlm', 'varying', 'matrix', found 'greek'."),
        ({"family": "normal"}, "family must be one of 'gaussian', 'binomial', 'poisson', found 'normal'."),
    ],
)
def test_unknown_options(arguments, said):
    with pytest.raises(ms.FormulaError) as error:
        ms.explain("y ~ x", **arguments)
    assert str(error.value) == said


def test_trials_and_another_family():
    with pytest.raises(ms.FormulaError, match="a response of successes / trials is binomial, not poisson"):
        ms.explain("a / b ~ x", family="poisson")


def test_a_missing_column_is_named():
    with pytest.raises(ms.DataError, match="'Day', which the data do not have: did you mean 'Days'"):
        ms.explain("Reaction ~ Day + (1 | Subject)", data=ms.datasets.load("sleepstudy"))
