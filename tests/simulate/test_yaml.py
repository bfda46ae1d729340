"""Populations as files: exact inverses, and errors that name the field and the line."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.simulate import yaml_text

SPEC = """\
name: clinic
formula: anxiety ~ depression + price + (1 + depression | therapist)
clusters:
  therapist: 20
size: [3, 8]
variables:
  ses: {kind: Normal, mean: 0, sd: 1, level: therapist, observed: false}
  price: {kind: Integers, low: 0, high: 5, level: therapist}
  depression:
    kind: Normal
    mean: 5 + 0.8 * ses
    sd: 2
fixef:
  Intercept: 45
  depression: 3
  price: -3
ranef:
  therapist: {sd: [1, 0.5], corr: 0.2}
sigma: 8
"""
CLINIC = ms.Population(
    "anxiety ~ depression + price + (1 + depression | therapist)",
    clusters={"therapist": 20},
    size=(3, 8),
    variables={
        "ses": ms.Normal(0, 1, level="therapist", observed=False),
        "price": ms.Integers(0, 5, level="therapist"),
        "depression": ms.Normal("5 + 0.8 * ses", 2),
    },
    fixef={"Intercept": 45, "depression": 3, "price": -3},
    ranef={"therapist": {"sd": [1, 0.5], "corr": 0.2}},
    sigma=8,
    name="clinic",
)


def test_a_file_written_by_hand() -> None:
    assert ms.Population.from_yaml(SPEC) == CLINIC
    assert ms.Population.from_yaml(SPEC).name == "clinic"


def test_what_is_written_reads_well() -> None:
    one_line = "  depression: {kind: Normal, mean: 5 + 0.8 * ses, sd: 2}\n"
    block = "  depression:\n    kind: Normal\n    mean: 5 + 0.8 * ses\n    sd: 2\n"
    assert CLINIC.to_yaml() == SPEC.replace(block, one_line)


def test_a_file_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "clinic.yml"
    text = CLINIC.to_yaml(path)
    assert path.read_text(encoding="utf-8") == text
    for source in (path, str(path)):
        assert ms.Population.from_yaml(source) == CLINIC


def test_numbers_may_be_written_as_people_write_them() -> None:
    text = SPEC.replace("sigma: 8", "sigma: 8e0").replace("mean: 0, sd: 1", "mean: 1/2 - 1/2, sd: 1E+0")
    assert ms.Population.from_yaml(text) == CLINIC


@pytest.mark.parametrize("name", ms.scenarios.names())
def test_scenarios_come_back(name: str) -> None:
    assert_same(getattr(ms.scenarios, name)())


def assert_same(population: ms.Population) -> None:
    again = ms.Population.from_yaml(population.to_yaml())
    assert again == population
    assert (again.name, again.formula) == (population.name, population.formula)
    assert again.to_yaml() == population.to_yaml()


numbers = st.floats(-1e9, 1e9).map(lambda x: x + 0.0)
positive = st.one_of(st.floats(0, 1e6), st.sampled_from([0.1, 1e-5, 1e-300, 1 / 3]))
labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
awkward = st.sampled_from(
    ["yes", "1e3", "1", "null", "~", "a: b", "#", "a, b", "[", "'", '"', "a\nb", " ", "ü", "\x07"]
)
names = st.sampled_from(["x", "z", "on", "y1", "größe", "null", "n", "e"])


@st.composite
def variables(draw: st.DrawFn) -> dict[str, ms.Variable]:
    chosen = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    made: dict[str, ms.Variable] = {}
    for name in chosen:
        level = draw(st.sampled_from([None, "g"]))
        observed = draw(st.booleans())
        numeric = [n for n, v in made.items() if v.categories() is None and (v.level == "g" or level is None)]
        shift = draw(numbers)
        mean: Any = f"{shift!r} + {draw(positive)!r} * {numeric[0]} ** 2" if numeric else shift
        kind = draw(st.integers(0, 5))
        if kind == 0:
            made[name] = ms.Normal(mean, draw(positive), level, observed)
        elif kind == 1:
            made[name] = ms.Uniform(shift, shift + 1, level, observed, draw(st.sampled_from([None, 0, 2])))
        elif kind == 2:
            made[name] = ms.Integers(-draw(st.integers(0, 9)), draw(st.integers(0, 9)), level, observed)
        elif kind == 3:
            made[name] = ms.Bernoulli(draw(st.floats(0, 1)), level, observed)
        elif kind == 4:
            texts = draw(st.lists(st.one_of(labels, awkward), min_size=2, max_size=3, unique=True))
            p = draw(st.floats(0, 1))
            probs = draw(st.sampled_from([None, [p, 1 - p] + [0.0] * (len(texts) - 2)]))
            made[name] = ms.Categorical(texts, probs, level, observed)
        else:
            rows = [n for n, v in made.items() if v.categories() is None and v.level is None]
            made[name] = ms.ClusterMean(rows[0], "g", observed) if rows else ms.Normal(0, 1)
    return made


@st.composite
def populations(draw: st.DrawFn) -> ms.Population:
    made = draw(variables())
    numeric = [n for n, v in made.items() if v.categories() is None]
    slope = numeric[0] if numeric and draw(st.booleans()) else None
    fixed = " + ".join(["1", *numeric])
    return ms.Population(
        f"resp ~ {fixed} + ({f'1 + {slope}' if slope else '1'} | g)",
        clusters={"g": draw(st.integers(1, 5)), **({"h": {"in": "g", "n": 2}} if draw(st.booleans()) else {})},
        size=draw(st.sampled_from([2, (1, 3), ms.Normal(3, 1), ms.Uniform(1, 4)])),
        variables=made,
        fixef={name: draw(numbers) for name in ["Intercept", *numeric]},
        ranef={
            "g": {
                "sd": [draw(positive) for _ in range(1 + bool(slope))],
                **({"corr": draw(st.floats(-1, 1))} if slope else {}),
            }
        },
        sigma=draw(positive),
        name=draw(st.one_of(st.none(), labels, awkward)),
    )


@settings(max_examples=150, deadline=None)
@given(populations())
def test_to_yaml_and_from_yaml_are_inverses(population: ms.Population) -> None:
    assert_same(population)
    pd.testing.assert_frame_equal(
        ms.Population.from_yaml(population.to_yaml()).draw(1).data, population.draw(1).data, check_exact=True
    )


def edited(old: str, new: str) -> str:
    assert SPEC.count(old) == 1
    return SPEC.replace(old, new)


BROKEN = [
    ("    sd: 2\n", "    sd: -2\n", "line 12: variables.depression.sd must not be negative, found -2."),
    ("    sd: 2\n", "", "line 9: variables.depression.sd is missing."),
    ("    sd: 2\n", "    std: 2\n", "line 12: variables.depression.std is not a field: did you mean 'sd'?"),
    ("    sd: 2\n", "    sd:\n", "line 12: variables.depression.sd must be a number, found None."),
    (
        "kind: Normal\n",
        "kind: Gauss\n",
        "line 10: variables.depression.kind cannot be 'Gauss': known are 'Normal', "
        "'LogNormal', 'Uniform', 'Integers', 'Bernoulli', 'Binomial', 'Poisson', 'Categorical', 'Beta', 'StudentT', "
        "'Assigned', 'Derived', ….",
    ),
    (
        "5 + 0.8 * ses",
        "5 + 0.8 * sex",
        "line 11: variables.depression.mean uses 'sex', which is not an earlier variable: did you mean 'ses'?",
    ),
    (
        "5 + 0.8 * ses",
        "import os",
        "line 11: variables.depression.mean must be a number or an expression such as '5 + 0.8 * ses', "
        "found 'import os'.",
    ),
    ("observed: false", "observed: nope", "line 7: variables.ses.observed must be true or false, found 'nope'."),
    (
        "high: 5, level: therapist",
        "high: 5, level: terapist",
        "line 8: variables.price.level must be a cluster, found 'terapist': did you mean 'therapist'?",
    ),
    ("size: [3, 8]", "size: [8, 3]", "line 5: size must be (low, high) with low first, found (8, 3)."),
    ("size: [3, 8]", "size: {kind: Normal, mean: 3}", "line 5: size.sd is missing."),
    ("size: [3, 8]\n", "", "line 1: size is missing."),
    (
        "sigma: 8",
        "sigma: eight",
        "line 19: sigma uses 'eight', which is not among the variables: known are 'ses', 'price', 'depression'.",
    ),
    (
        "sigma: 8",
        "sigma: 1:30",
        "line 19: sigma must be a number or an expression such as '5 + 0.8 * ses', found '1:30'.",
    ),
    (
        "sigma: 8",
        "sigma: 1:30.5",
        "line 19: sigma must be a number or an expression such as '5 + 0.8 * ses', found '1:30.5'.",
    ),
    (
        "sigma: 8",
        "sigma: " + "9" * 5000,
        "line 19: sigma is 5000 characters long; an expression has at most 1000.",
    ),
    (
        "    sd: 2\n",
        "    sd: 2\n    5:\n",
        "line 13: variables.depression.5 is not a field: decimals take a point, not a comma, as in 0.5.",
    ),
    ("sigma: 8", "sigma: 8\nsgima: 8", "line 20: sgima is not a field: did you mean 'sigma'?"),
    ("sigma: 8", "sigma: 8\nsize: 3", "line 20: size is given twice, first on line 5."),
    ("therapist: 20", "therapist: -20", "line 4: clusters.therapist must be at least 1, found -20."),
    (
        "therapist: 20",
        "therapist: {m: 20}",
        "line 4: clusters.therapist.m is not a field: known are 'in', 'n', 'sample', 'rotate'.",
    ),
    ("  price: -3\n", "", "line 13: fixef.price is missing; expected are Intercept, depression, price."),
    (
        "  price: -3\n",
        "  Price: -3\n",
        "line 16: fixef.Price is no coefficient of the formula; expected are Intercept, depression, price.",
    ),
    (
        "sd: [1, 0.5], corr: 0.2",
        "sd: [1, 0.5], corr: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]",
        "line 18: ranef.therapist.corr must be 2×2: the term (1 + depression | therapist) has 2 effects, found 3×3.",
    ),
    (
        "  therapist: {sd: [1, 0.5], corr: 0.2}\n",
        "  therapist:\n    sd: [1, 0.5]\n    corr: 2\n",
        "line 20: ranef.therapist.corr must lie between -1 and 1, found 2.",
    ),
    (
        "  therapist: {sd: [1, 0.5], corr: 0.2}\n",
        "  therapist:\n    sd:\n      - 1\n      - -1\n",
        "line 19: ranef.therapist.sd must not be negative, found -1.",
    ),
    (
        "(1 + depression | therapist)",
        "(1 + depresion | therapist)",
        "line 2: formula uses 'depresion', which is not among the variables: did you mean 'depression'?",
    ),
    ("name: clinic", "name: &a clinic", "line 1: anchors and aliases (& and *) are not used here."),
    (
        "name: clinic",
        "name: !!python/name:os.system clinic",
        "line 1: tags such as tag:yaml.org,2002:python/name:os.system are not used here.",
    ),
    ("name: clinic", "name: 5", "line 1: name must be text, found 5."),
    ("name: clinic", "? [a, b]\n: clinic", "line 1: a field must have a name."),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN, ids=[case[2][:60] for case in BROKEN])
def test_an_edit_that_breaks_it_is_found_by_field_and_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = edited(old, new)
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value) == message
    path = tmp_path / "spec.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(path)
    assert str(caught.value) == f"{path}, {message}"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("  price: -3\n", "   price: -3\n", 16, "this is not YAML: there is a second ': ' here, or the"),
        ("  price: -3\n", " price: -3\n", 16, "this is not YAML: its indentation does not fit the lines above."),
        ("size: [3, 8]", "size: [3, 8", 5, "this is not YAML: this '[' is never closed by ']', or a comma is missing."),
        ("observed: false}", "observed: false", 7, "this is not YAML: this '{' is never closed by '}', or a comma"),
        ("sigma: 8", "sigma: 8\n\tsize: 3", 20, "this is not YAML: indent with spaces, not with a tab."),
        ("sigma: 8\n", "sigma 8\n", 19, "this is not YAML: a field and its value stand on one line with ': ' between"),
        ("name: clinic", "name: 'clinic", 1, "this is not YAML: this quote is never closed."),
        ("sigma: 8", "sigma: 8 # \x07", 19, "this is not YAML: special characters are not allowed (U+0007)."),
        ("sigma: 8", "sigma: {a[T.b]: 2}", 19, "this is not YAML: a name with brackets must stand between quotes here"),
        ("sigma: 8", "sigma: 8\n---\nsigma: 8", 20, "this is not YAML: there must be one population in a file"),
        ("sigma: 8", "sigma: formula: 8", 19, "this is not YAML: there is a second ': ' here, or the indentation"),
        ("size: [3, 8]", "size: " + "[" * 2000 + "]" * 2000, 1, "this is nested too deeply."),
        ("size: [3, 8]", "size: " + "[" * 20 + "]" * 20, 5, "this is nested too deeply."),
    ],
    ids=[
        "indented further",
        "indented less",
        "an open bracket",
        "an open brace",
        "a tab",
        "no colon",
        "an open quote",
        "a control character",
        "a name with brackets",
        "two documents",
        "two colons",
        "two thousand brackets",
        "twenty brackets",
    ],
)
def test_what_is_no_yaml_says_where(old: str, new: str, line: int, said: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(edited(old, new))
    assert str(caught.value).startswith(f"line {line}: {said}")
    assert "\n" not in str(caught.value)


def test_numbers_and_words_mean_what_people_mean() -> None:
    """YAML 1.1 reads 010 as eight, and no as false."""
    assert ms.Population.from_yaml(edited("sigma: 8", "sigma: 010")).sigma == 10
    text = """\
formula: y ~ arm + (1 | g)
clusters: {g: 3}
size: 2
variables:
  arm: {kind: Categorical, levels: [no, yes], level: g, observed: yes}
fixef: {Intercept: 1, "arm[T.yes]": 2}
ranef: {g: {sd: 1}}
sigma: 1
"""
    assert ms.Population.from_yaml(text).variables["arm"] == ms.Categorical(["no", "yes"], level="g")


def test_an_unreadable_formula_says_where() -> None:
    with pytest.raises(ms.FormulaError, match=r"^line 2: .*never closed"):
        ms.Population.from_yaml(edited("| therapist)", "| therapist"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n", "line 1: a specification starts with a field, 'formula: …', found nothing."),
        ("just text\n", "line 1: a specification starts with a field, 'formula: …', found 'just text'."),
        ("- a\n- b\n", "line 1: a specification starts with a field, 'formula: …', found ['a', 'b']."),
        ("{sigma: 8}", "line 1: formula is missing."),
    ],
)
def test_what_is_no_specification(text: str, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ms.PopulationError, match=r"^there is no file '.*nothing\.yml'\.$"):
        ms.Population.from_yaml(tmp_path / "nothing.yml")
    with pytest.raises(ms.PopulationError, match=r"^cannot read '.*': Is a directory\.$"):
        ms.Population.from_yaml(tmp_path)
    with pytest.raises(ms.PopulationError, match=r"^a specification is a path or YAML text, found 5\.$"):
        ms.Population.from_yaml(5)  # type: ignore[arg-type]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_bytes(b"\xff\xfe\x00formula")
    with pytest.raises(ms.PopulationError, match=r"spec\.yml is not a text file in UTF-8\.$"):
        ms.Population.from_yaml(path)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_bytes(b"\xef\xbb\xbf" + SPEC.encode())
    assert ms.Population.from_yaml(path) == CLINIC


def test_without_pyyaml_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> object:
        if name == "yaml":
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    for call in (CLINIC.to_yaml, lambda: ms.Population.from_yaml(SPEC)):
        with pytest.raises(ms.MixedsimError, match=r"pip install 'mixedsim\[classroom\]'"):
            call()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "formula: y ~ x + (1 | g)\nclusters:\ng: 80\nsize: 3\n",
            "line 3: g is not a field: if it belongs to clusters, indent it by two spaces.",
        ),
        (
            "formula: y ~ x + (1 | g)\nclusters:\n  g:80\nsize: 3\n",
            "line 2: clusters has a colon without a space after it: write 'g: 80'.",
        ),
        (
            "formula: y ~ x + (1 | g)\nclusters:\n  g: 80\nsiz: 3\n",
            "line 4: siz is not a field: did you mean 'size'?",
        ),
    ],
)
def test_a_section_that_is_laid_out_wrongly(text: str, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(text)
    assert str(caught.value) == message


def test_a_number_may_begin_with_sign_and_point() -> None:
    text = ms.scenarios.therapist_plain().to_yaml()
    assert yaml_text.read("{a: -.5, b: +.25, c: -.5e1}", "")[0] == {"a": -0.5, "b": 0.25, "c": -5.0}
    assert yaml_text.read(f"name: {yaml_text.scalar('-.5')}", "")[0] == {"name": "-.5"}
    assert ms.Population.from_yaml(text) == ms.scenarios.therapist_plain()
