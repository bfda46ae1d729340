"""How variables print, and that a file gives them back exactly."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from tests.simulate.variables.populations import NESTED, population

BEFORE = {
    "s": ms.Normal(0, 1, level="school"),
    "x": ms.Normal(0, 1),
    "arm": ms.Categorical(["usual", "new"], level="school"),
}
PRINTED = [
    (ms.LogNormal("x", 0.5), "vᵢⱼₖ ~ LogNormal(xᵢⱼₖ, sd of logs 0.5)"),
    (ms.Binomial(10, "logistic(s)"), "vᵢⱼₖ ~ Binomial(10, logistic(sₖ))"),
    (ms.Poisson("exp(-x)"), "vᵢⱼₖ ~ Poisson(exp(−xᵢⱼₖ))"),
    (ms.Beta(2, 0.5, observed=False), "vᵢⱼₖ ~ Beta(2, 0.5) (not observed)"),
    (ms.StudentT(4, "s", 2, level="school"), "vₖ ~ StudentT(sₖ, sd 2, 4 df)"),
    (
        ms.Categorical(["a", "b"], [1, "exp(x)"]),
        "vᵢⱼₖ ~ Categorical(a: 1, b: exp(xᵢⱼₖ), divided by their sum)",
    ),
    (ms.Assigned([0.5, -1]), "vᵢⱼₖ = 0.5, −1 in turn in each class"),
    (ms.Assigned(range(20), within="school"), "vᵢⱼₖ = 0, 1, 2, …, 19 in turn in each school"),
    (
        ms.Assigned(["a", "b"], level="class", within="whole dataset", shuffle=True),
        "vⱼₖ ~ a, b, shuffled in the whole dataset",
    ),
    (
        ms.Derived("where(arm == 'new' and not x > 1, round(x, 1), min(x, s)) % 2"),
        "vᵢⱼₖ = where(armₖ == 'new' and not xᵢⱼₖ > 1, round(xᵢⱼₖ, 1), min(xᵢⱼₖ, sₖ)) % 2",
    ),
    (ms.Within("x", by="school"), "vᵢⱼₖ = xᵢⱼₖ − its mean in the school"),
    (ms.Centered("s"), "vₖ = sₖ − its mean"),
    (ms.Centered("x", scale=True), "vᵢⱼₖ = (xᵢⱼₖ − its mean) / its sd"),
    (ms.Lag("x", by="class"), "vᵢⱼₖ = xᵢⱼₖ one before in its class, at first 0"),
    (ms.Lag("x", by="school", n=3, first="s"), "vᵢⱼₖ = xᵢⱼₖ 3 before in its school, at first sₖ"),
]


@pytest.mark.parametrize(("variable", "line"), PRINTED, ids=[line for _, line in PRINTED])
def test_every_variable_prints_as_its_equation(variable: ms.Variable, line: str) -> None:
    text = str(population({**BEFORE, "v": variable}, NESTED))
    assert [" ".join(one.split()) for one in text.splitlines() if one.startswith("  v")] == [line]


@pytest.mark.parametrize("variable", [variable for variable, _ in PRINTED], ids=repr)
def test_every_variable_comes_back_from_a_file(variable: ms.Variable) -> None:
    one = population({**BEFORE, "v": variable}, NESTED)
    again = ms.Population.from_yaml(one.to_yaml())
    assert again == one
    assert hash(again) == hash(one)
    assert again.to_yaml() == one.to_yaml()
    pd.testing.assert_frame_equal(again.draw(3).data, one.draw(3).data, check_exact=True)


def test_a_file_written_by_hand() -> None:
    text = """\
formula: anxiety ~ treated + x + (1 | clinic)
clusters: {clinic: 12}
size: 10
variables:
  step: {kind: Assigned, values: [1, 2, 3, 4], level: clinic, shuffle: yes}
  time: {kind: Assigned, values: [0, 1, 2, 3, 4]}
  treated: {kind: Derived, expr: time >= step}
  consent: {kind: Assigned, values: [no, yes], shuffle: true}
  x, z:
    kind: Correlated
    members:
      - {kind: Normal, mean: 0, sd: 1}
      - {kind: Poisson, mean: exp(0.1 * time)}
    within: 0.5
    between: [[1, 0.2], [0.2, 1]]
    icc: [0.1, 1/10]
  stage: {kind: Categorical, levels: [early, late], probs: [1, exp(x)]}
fixef: {Intercept: 1, treated: 2, x: 3}
ranef: {clinic: {sd: 1}}
sigma: 1
"""
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value) == "line 16: variables.x, z.icc must be a number, found '1/10'."
    one = ms.Population.from_yaml(text.replace("1/10", "0.1"))
    assert one.variables["consent"] == ms.Assigned(["no", "yes"], within="clinic", shuffle=True)
    assert one.variables["x"].block.between == 0.2
    assert one.variables["x"].block.icc == 0.1
    assert ms.Population.from_yaml(one.to_yaml()) == one


BROKEN = [
    ("values: [0, 1]", "values: 5", "line 6: variables.a.values must be a list of numbers or texts, found 5."),
    ("values: [0, 1]", "valeus: [0, 1]", "line 6: variables.a.valeus is not a field: did you mean 'values'?"),
    ("within: g", "within: h", "line 6: variables.a.within must be a cluster, found 'h': known are 'g'."),
    (
        "a > 0",
        "a >",
        "line 7: variables.d.expr must be a number or an expression such as '5 + 0.8 * ses', found 'a >'.",
    ),
    (
        "a > 0",
        "open(a)",
        "line 7: variables.d.expr calls 'open' in 'open(a)', which is no function here: known are 'exp', 'log', "
        "'sqrt', 'abs', 'floor', 'round', 'min', 'max', 'logistic', 'where'.",
    ),
    ("corr: 0.5", "corr: 1.5", "line 12: variables.x, z.corr must lie between -1 and 1, found 1.5."),
    ("corr: 0.5", "cor: 0.5", "line 12: variables.x, z.cor is not a field: did you mean 'corr'?"),
    ("sd: 1}", "sd: -1}", "line 10: variables.x, z.members.1.sd must not be negative, found -1."),
    (
        "mean: a",
        "mean: b",
        "line 11: variables.x, z.members.2.mean uses 'b', which is not an earlier variable: known are 'a', 'd', 'x'.",
    ),
    (
        "kind: Poisson",
        "kind: Derived",
        "line 11: variables.x, z.members.2.mean is not a field: known are 'expr', 'observed'.",
    ),
    ("  x, z:", "  x:", "line 8: variables.x is Correlated, whose key must name each of its members, as in 'x, z'."),
    ("  x, z:", "  x, z, w:", "line 8: variables.x, z, w names 3 variables, but Correlated has 2 members."),
    ("n: 2", "n: 0", "line 13: variables.l.n must be at least 1, found 0."),
    (
        "of: x",
        "of: q",
        "line 13: variables.l.of uses 'q', which is not an earlier variable: known are 'a', 'd', 'x', 'z'.",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN, ids=[message[:60] for *_, message in BROKEN])
def test_a_broken_file_names_field_and_line(old: str, new: str, message: str) -> None:
    text = """\
formula: y ~ 1
clusters:
  g: 3
size: 4
variables:
  a: {kind: Assigned, values: [0, 1], within: g}
  d: {kind: Derived, expr: a > 0}
  x, z:
    kind: Correlated
    members: [{kind: Normal, mean: 0, sd: 1},
      {kind: Poisson, mean: a}]
    corr: 0.5
  l: {kind: Lag, of: x, n: 2}
fixef: {Intercept: 1}
sigma: 1
"""
    assert ms.Population.from_yaml(text).draw(1)
    assert text.count(old) == 1
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text.replace(old, new))
    assert str(caught.value) == message


shares = st.floats(0, 1)
numbers = st.floats(-3, 3).map(lambda x: x + 0.0)
levels = st.sampled_from([None, "g", "h"])


@st.composite
def distributions(draw: st.DrawFn, level: str | None, mean: Any) -> Any:
    """One distribution whose parameters stay within their bounds whatever `mean` is."""
    size = draw(st.floats(0, 2))
    observed = draw(st.booleans())
    return draw(
        st.sampled_from(
            [
                ms.Normal(mean, size, level, observed),
                ms.LogNormal(f"min({mean}, 3)" if isinstance(mean, str) else mean, size, level, observed),
                ms.Binomial(draw(st.integers(0, 9)), f"logistic({mean})", level, observed),
                ms.Poisson(f"min(exp({mean}), 9)", level, observed),
                ms.Beta(size + 1, f"1 + abs({mean})", level, observed),
                ms.StudentT(size + 3, mean, size, level, observed),
                ms.Categorical(["a", "no", "1"], [size, "exp(x0)", 1] if level is None else None, level, observed),
            ]
        )
    )


@st.composite
def variables(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"x0": ms.Normal(0, 1)}
    for i in range(1, draw(st.integers(2, 5))):
        level = draw(levels)
        numeric = [name for name in made if name.startswith("x")]
        mean = draw(numbers) if level else f"0.1 * {draw(st.sampled_from(numeric))} + {draw(shares)!r}"
        kind = draw(st.integers(0, 6))
        if kind == 0:
            one = draw(distributions(level, mean))
            made[f"c{i}" if one.categories() or level else f"x{i}"] = one
        elif kind == 1:
            values = draw(st.sampled_from([range(3), ["no", "yes", "1"], [0.1, 2]]))
            within = draw(st.sampled_from([None, "whole dataset"]))
            made[f"a{i}"] = ms.Assigned(values, level, within, draw(st.booleans()), draw(st.booleans()))
        elif kind == 2:
            made[f"x{i}"] = ms.Derived(f"where(x0 > {draw(numbers)!r}, x0, not x0)")
        elif kind == 3:
            made[f"x{i}"] = ms.Within("x0", draw(st.sampled_from(["g", "h"])), draw(st.booleans()))
        elif kind == 4:
            made[f"x{i}"] = ms.Centered("x0", draw(st.booleans()))
        elif kind == 5:
            made[f"x{i}"] = ms.Lag("x0", draw(st.sampled_from(["g", "h"])), draw(st.integers(1, 3)), draw(numbers))
        else:
            members = [draw(distributions(None, 0.5)) for _ in range(draw(st.integers(2, 3)))]
            icc = draw(st.sampled_from([None, draw(shares), [draw(shares) for _ in members]]))
            r = draw(st.floats(-0.5, 1))
            manner: dict[str, Any] = (
                {"corr": r} if icc is None else {"within": r, "between": r**2, "icc": icc, "by": "g"}
            )
            made[", ".join(f"m{i}{k}" for k in range(len(members)))] = ms.Correlated(members, **manner)
    return made


@settings(max_examples=80, deadline=None)
@given(variables())
def test_to_yaml_and_from_yaml_are_inverses(made: dict[str, Any]) -> None:
    one = population(made, {"g": 3, "h": {"in": "g", "n": 2}}, size=3)
    again = ms.Population.from_yaml(one.to_yaml())
    assert again == one
    assert hash(again) == hash(one)
    assert again.to_yaml() == one.to_yaml()
    assert eval(repr(one), vars(ms)) == one
    pd.testing.assert_frame_equal(again.draw(1).data, one.draw(1).data, check_exact=True)
