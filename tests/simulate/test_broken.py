"""Populations that contradict themselves: each with the one sentence that a person sees."""

from __future__ import annotations

from typing import Any

import pytest

import mixedsim as ms

RIGHT: dict[str, Any] = {
    "formula": "y ~ x + (1 | therapist)",
    "clusters": {"therapist": 100},
    "size": 50,
    "variables": {"x": ms.Normal(5, 2)},
    "fixef": {"Intercept": 1, "x": 2},
    "ranef": {"therapist": {"sd": [1]}},
    "sigma": 8,
}
ARM = ms.Categorical(["usual", "new"])
SLOPES = "y ~ x + (1 + x | therapist)"

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"formula": 5}, "formula must be text such as 'y ~ x + (1 | g)', found 5."),
    ({"formula": ["y", "x"]}, "formula must be text such as 'y ~ x + (1 | g)', found ['y', 'x']."),
    ({"formula": "y ~ z + (1 | therapist)"}, "formula uses 'z', which is not among the variables: known are 'x'."),
    ({"formula": "y ~ x + (z | therapist)"}, "formula uses 'z', which is not among the variables: known are 'x'."),
    (
        {"formula": "y ~ x + (1 | terapist)"},
        "formula groups by 'terapist', which is not among the clusters: did you mean 'therapist'?",
    ),
    (
        {"formula": "y ~ x + therapist + (1 | therapist)"},
        "formula uses the cluster 'therapist' as a variable: write (1 | therapist).",
    ),
    ({"formula": "log(y) ~ x + (1 | therapist)"}, "formula must have a plain name left of '~', found 'log(y)'."),
    ({"formula": "therapist ~ x"}, "formula has the cluster 'therapist' as its response."),
    (
        {"formula": "y ~ x + (1 | therapist) + (1 + x | therapist)"},
        "formula lets Intercept vary by therapist twice, again in (1 + x | therapist).",
    ),
    ({"clusters": {}}, "clusters must name at least one cluster, as in {'therapist': 100}, found {}."),
    ({"clusters": {"therapist": 0}}, "clusters.therapist must be at least 1, found 0."),
    ({"clusters": {"therapist": 2.5}}, "clusters.therapist must be a whole number, found 2.5."),
    ({"clusters": {"therapist": "ten"}}, "clusters.therapist must be a number, found 'ten'."),
    (
        {"clusters": {"my therapist": 3}},
        "clusters.my therapist must be a name of letters, digits and underscores, found 'my therapist'.",
    ),
    (
        {"clusters": {"class": {"in": "school", "n": 4}, "school": 10}},
        "clusters.class.in must be an earlier cluster, found 'school': there is none before it.",
    ),
    (
        {"clusters": {"school": 3, "class": {"in": "schol", "n": 4}}},
        "clusters.class.in must be an earlier cluster, found 'schol': did you mean 'school'?",
    ),
    ({"clusters": {"school": 3, "class": {"in": "school"}}}, "clusters.class.n is missing."),
    ({"size": 0}, "size must be at least 1, found 0."),
    ({"size": 1.5}, "size must be a whole number, found 1.5."),
    ({"size": (5, 2)}, "size must be (low, high) with low first, found (5, 2)."),
    (
        {"size": (1, 2, 3)},
        "size must be one number or a pair (low, high), or Sizes with one number each, found (1, 2, 3).",
    ),
    (
        {"size": "many"},
        "size must be a whole number, a pair (low, high), Sizes, or a distribution such as Normal, found 'many'.",
    ),
    ({"size": ms.Normal("x", 2)}, "size.mean must be a number, found an expression in x."),
    (
        {"size": ms.Normal(9, 2, level="therapist")},
        "size is a number of units: its distribution has no level and is not hidden.",
    ),
    ({"size": 10**9}, "size makes 1e+11 rows with these clusters; at most 1e+09 are possible."),
    ({"variables": [1]}, "variables must be a mapping from names to variables, found [1]."),
    (
        {"variables": {"x": 5}},
        "variables.x must be a variable such as Normal(5, 2), in YAML {kind: Normal, mean: 5, sd: 2}, found 5.",
    ),
    (
        {"variables": {"x": {"mean": 5, "sd": 2}}},
        "variables.x.kind is missing: say which of Normal, LogNormal, Uniform, Integers, Bernoulli, Binomial, Poisson, "
        "Categorical, Beta, StudentT, Assigned, Derived, ClusterMean, Within, Centered, Lag, Custom.",
    ),
    (
        {"variables": {"x": {"kind": "Norml", "mean": 5, "sd": 2}}},
        "variables.x.kind cannot be 'Norml': did you mean 'Normal'?",
    ),
    ({"variables": {"x": {"kind": "Normal", "mean": 5}}}, "variables.x.sd is missing."),
    (
        {"variables": {"x": {"kind": "Normal", "mean": 5, "std": 2}}},
        "variables.x.std is not a field: did you mean 'sd'?",
    ),
    (
        {"variables": {"x": {"kind": "Normal", "mean": 5, "sd": -2}}},
        "variables.x.sd must not be negative, found -2.",
    ),
    (
        {"variables": {"x": ms.Normal("5 + 0.8 * ses", 2)}},
        "variables.x.mean uses 'ses', which is not an earlier variable: there is none before it.",
    ),
    ({"variables": {"x": ms.Normal("x", 2)}}, "variables.x.mean uses 'x' itself."),
    (
        {"variables": {"x": ms.Normal("z", 2), "z": ms.Normal(0, 1)}},
        "variables.x.mean uses 'z', which comes later: move z before x.",
    ),
    (
        {"variables": {"z": ms.Normal(0, 1), "x": ms.Normal("z", 2, level="therapist")}},
        "variables.x.mean uses 'z', which differs from row to row, but x has one value a therapist.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1, level="terapist")}},
        "variables.x.level must be a cluster, found 'terapist': did you mean 'therapist'?",
    ),
    ({"variables": {"x": ms.Normal(0, 1), "y": ms.Normal(0, 1)}}, "variables.y is also the response of the formula."),
    (
        {"variables": {"x": ms.Normal(0, 1), "therapist": ms.Normal(0, 1)}},
        "variables.therapist is also the name of a cluster.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1), "lambda": ms.Normal(0, 1)}},
        "variables.lambda is a word that formulas keep for themselves: choose another name.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1), "x 2": ms.Normal(0, 1)}},
        "variables.x 2 must be a name of letters, digits and underscores, found 'x 2'.",
    ),
    (
        {"variables": {"arm": ARM, "x": ms.Normal("2 * arm", 1)}},
        "variables.x.mean calculates with arm, which is categorical: write (arm == 'usual').",
    ),
    (
        {"variables": {"arm": ARM, "x": ms.Normal("arm == 'nwe'", 1)}},
        "variables.x.mean compares arm with 'nwe': did you mean 'new'?",
    ),
    (
        {"variables": {"arm": ARM, "x": ms.Normal("arm < 'new'", 1)}},
        "variables.x.mean orders arm, which is categorical: compare it with == or !=.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1), "m": ms.ClusterMean("z")}},
        "variables.m.of uses 'z', which is not an earlier variable: known are 'x'.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1, level="therapist"), "m": ms.ClusterMean("x")}},
        "variables.m.of is 'x', which is constant in every therapist already: its mean is itself.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1), "arm": ARM, "m": ms.ClusterMean("arm")}},
        "variables.m.of must be a numeric variable; arm is categorical.",
    ),
    (
        {"variables": {"x": ms.Normal(0, 1), "m": ms.ClusterMean("x", by="school")}},
        "variables.m.by must be a cluster, found 'school': known are 'therapist'.",
    ),
    (
        {"clusters": {"therapist": 5, "item": 5}, "variables": {"x": ms.Normal(0, 1), "m": ms.ClusterMean("x")}},
        "variables.m.by must be given: which of therapist, item?",
    ),
    ({"fixef": {}}, "fixef.Intercept is missing; expected are Intercept, x."),
    ({"fixef": {"Intercept": 1}}, "fixef.x is missing; expected are Intercept, x."),
    (
        {"fixef": {"Intercept": 1, "x": 2, "z": 1}},
        "fixef.z is no coefficient of the formula; expected are Intercept, x.",
    ),
    ({"fixef": {"Intercept": 1, "x": "two"}}, "fixef.x must be a number, found 'two'."),
    (
        {"fixef": {"Intercept": 1, "x": "0,5"}},
        "fixef.x must be a number, found '0,5': decimals take a point, not a comma, as in 0.5.",
    ),
    (
        {"fixef": {"Intercept": 1, "x": "\u22120.5"}},
        "fixef.x must be a number, found '\u22120.5': the minus sign is the hyphen of the keyboard, as in -0.5.",
    ),
    (
        {"fixef": {"Intercept": 1, "x": "3%"}},
        "fixef.x must be a number, found '3%': a share lies between 0 and 1, so write 3% as 0.03.",
    ),
    (
        {
            "formula": "y ~ x + (1 | school/class)",
            "clusters": {"school": 3, "class": {"in": "school", "n": 4}},
            "ranef": {"school": {"sd": 1}, "school:class": {"sd": 1}},
        },
        "ranef.school:class is no grouping factor of the formula: did you mean 'class:school'?",
    ),
    ({"fixef": {"Intercept": 1, "x": float("inf")}}, "fixef.x must be a finite number, found inf."),
    ({"fixef": [1, 2]}, "fixef must hold one number a coefficient, found [1, 2]."),
    ({"ranef": {}}, "ranef.therapist is missing: the term (1 | therapist) has 1 effect."),
    (
        {"ranef": {"terapist": {"sd": 1}}},
        "ranef.terapist is no grouping factor of the formula: did you mean 'therapist'?",
    ),
    ({"ranef": {"therapist": 1}}, "ranef.therapist must hold sd (and corr), as in {'sd': [1]}, found 1."),
    ({"ranef": {"therapist": {"sds": 1}}}, "ranef.therapist.sds is not a field: did you mean 'sd'?"),
    (
        {"ranef": {"therapist": {"sd": [1], "corr": 0.2}}},
        "ranef.therapist.corr needs two effects to be a correlation: the term (1 | therapist) has 1 effect.",
    ),
    (
        {"formula": SLOPES},
        "ranef.therapist.sd must hold 2 numbers: the term (1 + x | therapist) has 2 effects, found 1.",
    ),
    (
        {"formula": SLOPES, "ranef": {"therapist": {"sd": [1, 2], "corr": [[1]]}}},
        "ranef.therapist.corr must be 2×2: the term (1 + x | therapist) has 2 effects, found 1×1.",
    ),
    ({"sigma": -1}, "sigma must not be negative, found -1."),
    ({"sigma": None}, "sigma is missing: give the standard deviation of the residuals."),
    ({"name": 5}, "name must be text, found 5."),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[message[:60] for _, message in BROKEN])
def test_a_population_that_contradicts_itself(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population(**{**RIGHT, **change})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"x": ms.Normal(0, 1), "b": ms.Bernoulli("0.5 + 0.15 * x")},
            r"variables\.b\.p must lie between 0 and 1, but '0\.5 \+ 0\.15 \* x' reaches -?[\d.]+\.",
        ),
        (
            {"x": ms.Normal(6, 2), "b": ms.Normal("log(x)", 1)},
            r"variables\.b\.mean is not a finite number everywhere: look at 'log\(x\)'\.",
        ),
        (
            {"x": ms.Normal(6, 2), "b": ms.Normal(0, "x")},
            r"variables\.b\.sd must not be negative, but 'x' reaches -[\d.]+\.",
        ),
        (
            {"x": ms.Normal(6, 2), "b": ms.Uniform(0, "x")},
            r"variables\.b\.high must be at least low; in this draw it falls below\.",
        ),
    ],
    ids=["a probability", "a logarithm", "a standard deviation", "a bound"],
)
def test_an_expression_that_leaves_its_bounds_in_a_draw(variables: dict[str, ms.Variable], message: str) -> None:
    population = ms.Population(**{**RIGHT, "variables": variables})
    with pytest.raises(ms.PopulationError, match=f"^{message}$"):
        population.draw(1)


def test_an_unreadable_formula_is_a_formula_error() -> None:
    with pytest.raises(ms.FormulaError, match="never closed"):
        ms.Population(**{**RIGHT, "formula": "y ~ x + (1 | therapist"})
