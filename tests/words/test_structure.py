"""The design doctor on real, made and awkward tables."""


import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.formula import parse

RNG = np.random.default_rng(1)


def found(name, **arguments):
    return ms.structure(ms.datasets.load(name), **arguments)


def school_table():
    rows = [(s, c) for s in range(20) for c in range(4) for _ in range(10)]
    frame = pd.DataFrame(rows, columns=["school", "class"]) + 1
    rng = np.random.default_rng(3)
    return frame.assign(ses=rng.normal(size=800), y=rng.normal(size=800))


def term(structure, text):
    return structure.terms.set_index("text").loc[text]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"),
        ("nlschools", "lang ~ IQ_within + IQ_mean + GS + SES + COMB + (1 | class)"),
        ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
        ("Pastes", "strength ~ 1 + (1 | sample) + (1 | batch)"),
        ("cake", "angle ~ recipe + temp + (1 | replicate)"),
        ("cbpp", "incidence ~ size + period + (1 | herd)"),
    ],
)
def test_the_formula_that_textbooks_have_is_among_the_suggestions(name, formula):
    assert formula in found(name).formulas["formula"].tolist()


@pytest.mark.parametrize("name", ms.datasets.names())
def test_suggestions_can_be_fitted(name):
    data = ms.datasets.load(name)
    for formula in ms.structure(data).formulas["formula"]:
        used = parse(formula)
        if used.variables <= set(data.columns):
            assert ms.lmer(formula, data).nobs > 0


def test_ids_used_again_are_written_out():
    structure = ms.structure(school_table(), response="y")
    assert structure.formulas.loc[0, "formula"] == "y ~ 1 + (1 | school:class) + (1 | school)"
    assert structure.groups.loc["school:class", "levels"] == 80
    assert not term(structure, "(1 | class)")["identified"]
    assert term(structure, "(1 | class)")["reason"] == (
        "the same label in two levels of school is not the same class: group by school:class"
    )
    assert "between class" not in structure.columns.columns


def test_a_numbered_combination_is_the_same_term():
    structure = found("Pastes")
    assert "sample numbers the levels of batch:cask: (1 | sample) and (1 | batch:cask) are the same term." in (
        structure.sentences
    )


def test_where_columns_vary():
    columns = found("nlschools").columns
    assert columns["varies"].to_dict() == {
        "lang": "by row",
        "IQ": "by row",
        "class": "by itself",
        "GS": "by class",
        "SES": "by row",
        "COMB": "by class",
    }
    assert columns.loc["GS", "between class"] == 1.0
    data = ms.datasets.load("nlschools")
    means = data.groupby("class", observed=True)["lang"].transform("mean")
    assert columns.loc["lang", "between class"] == pytest.approx(means.var() / data["lang"].var())
    assert columns.loc["GS", "constant_within"] == "class"


def test_the_widest_group_is_the_level():
    frame = school_table().assign(**{"class": lambda d: d.school * 10 + d["class"]})
    frame["size"] = frame["class"].map(dict(zip(frame["class"].unique(), RNG.normal(size=80), strict=True)))
    frame["funds"] = frame["school"].map(dict(zip(range(1, 21), RNG.normal(size=20), strict=True)))
    columns = ms.structure(frame).columns
    assert columns.loc[["size", "funds", "ses"], "varies"].tolist() == ["by class", "by school", "by row"]
    assert columns.loc["funds", "constant_within"] == "school, class"


def test_verdicts_on_terms():
    structure = found("nlschools", response="lang")
    assert term(structure, "(1 + IQ | class)")["identified"]
    assert term(structure, "(1 + GS | class)")["reason"] == (
        "GS has one value in each level of class: no level shows a slope"
    )
    assert term(found("cbpp"), "(1 + period | herd)")["reason"] == "60 random effects (15 levels × 4) for 56 rows"


def test_one_row_a_level_is_refused_and_few_levels_warned_of():
    frame = pd.DataFrame({"clinic": np.repeat(["a", "b", "c"], 10), "y": RNG.normal(size=30)})
    frame["patient"] = np.arange(30) * 3.0
    structure = ms.structure(frame, response="y", groups=["patient"])
    assert term(structure, "(1 | patient)")["reason"] == (
        "one row a level: nothing separates the levels from the residual"
    )
    clinic = term(structure, "(1 | clinic)")
    assert clinic["identified"]
    assert clinic["reason"].startswith("warning: 3 levels only")


def test_terms_that_are_identified_are_not_refused_by_lmer():
    data = school_table()
    for _, row in ms.structure(data, response="y").terms.iterrows():
        if row["identified"]:
            assert ms.lmer(f"y ~ 1 + {row['text']}", data).nobs == 800


def test_slips_gaps_and_useless_columns_are_said():
    n = 200
    frame = pd.DataFrame({"patient": np.repeat([f"p{i}" for i in range(20)], 10), "mood": RNG.normal(size=n)})
    frame["sex"] = np.repeat(np.arange(20) % 2, 10)
    frame["const"], frame["none"], frame["odd"] = 1, np.nan, [object()] * n
    frame["dose"] = [f"{v:.1f}" for v in RNG.choice([0.5, 1.5, 2.5], n)]
    frame.loc[5, "mood"] = np.inf
    frame.loc[6, "mood"] = np.nan
    frame.loc[3, "sex"] = 1 - frame.loc[3, "sex"]
    said = ms.structure(frame, response="mood").sentences
    assert "sex has one value in each level of patient but for 1 of 20: is that a slip?" in said
    assert "mood is infinite in 1 row, counted as missing here: replace or remove them." in said
    assert "Values are missing in mood (1): a model leaves out every row that misses one of its columns." in said
    assert "const has the same value in all rows and can explain nothing." in said
    assert "none has no values at all." in said
    assert "dose has numbers kept as text: convert with pd.to_numeric." in said


def test_a_wide_table_is_told_to_be_long():
    frame = pd.DataFrame(RNG.normal(size=(50, 4)), columns=["score1", "score2", "score3", "score4"])
    structure = ms.structure(frame.assign(id=range(50)))
    assert structure.formulas.empty
    assert structure.sentences[-1].startswith("score1, score2, score3 and score4 look like one measurement taken 4")


def test_items_by_number_can_be_named():
    frame = pd.DataFrame({"who": np.repeat([f"s{i}" for i in range(30)], 12), "q": np.tile(range(1, 13), 30)})
    frame["rt"] = RNG.normal(size=360)
    assert ms.structure(frame).columns.loc["q", "kind"] == "number"
    structure = ms.structure(frame, groups="q", response="rt")
    assert structure.pairs.loc[0, "relation"] == "crossed with"
    assert structure.formulas.loc[0, "formula"] == "rt ~ 1 + (1 | who) + (1 | q)"


def test_a_simulated_table_gives_its_own_formula():
    sample = ms.scenarios.therapist_confounder().draw(seed=1)
    structure = ms.structure(sample.data)
    assert "anxiety ~ price + depression + sex + (1 | therapist)" in structure.formulas["formula"].tolist()


def test_names_that_are_no_words_are_quoted():
    frame = pd.DataFrame({"my y": RNG.normal(size=60), "x 1": RNG.normal(size=60), "my id": np.repeat(range(12), 5)})
    formula = ms.structure(frame).formulas.loc[1, "formula"]
    assert formula == "`my y` ~ `x 1` + (1 | `my id`)"
    assert ms.lmer(formula, frame).nobs == 60


def test_a_zero_one_outcome_is_said_to_ask_for_another_model():
    frame = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "y": np.tile([0, 1], 30)})
    assert "y is 0 or 1: a logistic model (family binomial) says more than a linear one." in (
        ms.structure(frame, response="y").sentences
    )


def test_seventy_thousand_crossed_rows_are_read_as_a_small_table_is():
    n = 70_000
    frame = pd.DataFrame({"s": RNG.integers(1, 2973, n), "d": RNG.integers(1, 1129, n)})
    frame["dept"], frame["service"], frame["y"] = frame.d * 7919 % 14 + 1, RNG.integers(0, 2, n), RNG.integers(1, 6, n)
    structure = ms.structure(frame, response="y")
    assert structure.columns["kind"].tolist() == ["group", "group", "group", "0-1", "number"]
    assert structure.pairs["relation"].tolist() == ["partially crossed with", "partially crossed with", "nested in"]


@pytest.mark.parametrize("kind", [dict, "records", "categories", "floats", "shuffled"])
def test_the_way_a_table_is_kept_makes_no_difference(kind):
    frame = school_table()
    ways = {
        dict: lambda: frame.to_dict("list"),
        "records": lambda: frame.to_dict("records"),
        "categories": lambda: frame.astype({"school": "category", "class": "category"}),
        "floats": lambda: frame.astype({"school": float, "class": float}),
        "shuffled": lambda: frame.sample(frac=1, random_state=2),
    }
    expected = ms.structure(frame, response="y")
    result = ms.structure(ways[kind](), response="y")
    assert result.formulas["formula"].tolist() == expected.formulas["formula"].tolist()
    pd.testing.assert_frame_equal(result.columns, expected.columns, rtol=1e-9)


def test_it_prints_as_text_and_as_html():
    structure = ms.structure(school_table().rename(columns={"ses": "a<b"}))
    text, page = str(structure), structure._repr_html_()
    assert text.startswith("Structure of 800 rows and 4 columns\n\n")
    assert max(map(len, text.splitlines())) <= 120
    assert "a<b" in text
    assert "a<b" not in page
    assert "a&lt;b" in page
    assert repr(structure) == text


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (3, {}, "the data must be a table, found int: pass a DataFrame, a mapping of columns or a list of records."),
        ({"x": []}, {}, "the data have no rows, or no columns: check how they were read or filtered."),
        ({"x": [1]}, {"response": "y"}, "response names a column 'y', which the data do not have: known are 'x'."),
        ({"xx": [1]}, {"groups": ["xy"]}, "groups names a column 'xy', which the data do not have: known are 'xx'."),
    ],
    ids=["no table", "no rows", "no response", "no group"],
)
def test_what_is_no_table_is_an_error(data, arguments, message):
    with pytest.raises(ms.DataError) as error:
        ms.structure(data, **arguments)
    assert str(error.value) == message


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_rows_are_no_reason_to_fail(rows):
    frame = pd.DataFrame({"y": [1.5, 2.5, 4.0], "g": ["a", "a", "b"], "x": [1, 2, 2], "when": pd.NaT}).head(rows)
    assert str(ms.structure(frame))


def diary(**columns):
    rng = np.random.default_rng(4)
    between, within = np.repeat(rng.normal(size=30), 8), rng.normal(size=240)
    parts = {"stress": within + between, "stress_within": within, "stress_between": between}
    frame = pd.DataFrame({"person": np.repeat([f"p{i}" for i in range(30)], 8), **parts, "y": rng.normal(size=240)})
    return frame.assign(**columns)


def ranks(structure, data):
    """Rank and number of the columns in each suggested fixed part."""
    for formula in structure.formulas["formula"].iloc[1:]:
        wide = data
        if "stress_mean" in formula:
            wide = ms.within_between(data[[c for c in data if c != "stress_within"]], "stress", "person")
        names = formula.split(" ~ ")[1].split(" + (")[0]
        matrix = ms.lmer(f"y ~ {names} + (1 | person)", wide).fixef
        columns = names.split(" + ")
        design = np.column_stack([np.ones(len(wide)), wide[columns].astype(float)])
        yield np.linalg.matrix_rank(design), len(columns) + 1, len(matrix)


def test_the_sum_of_two_parts_is_left_out_and_the_parts_stay():
    data = diary()
    structure = ms.structure(data, response="y")
    assert structure.formulas["formula"].tolist() == [
        "y ~ 1 + (1 | person)",
        "y ~ stress_within + stress_between + (1 | person)",
        "y ~ stress_within + stress_between + (1 + stress_within | person)",
    ]
    assert (
        "stress is left out of the formulas: it is a linear function of stress_within and stress_between, so beside "
        "them it has no coefficient of its own."
    ) in structure.sentences


def test_a_copy_in_other_units_is_left_out():
    data = diary(hours=lambda d: 60 * d.stress + 7).drop(columns=["stress_within", "stress_between"])
    structure = ms.structure(data, response="y")
    assert "y ~ stress + (1 | person)" in structure.formulas["formula"].tolist()
    assert (
        "hours is left out of the formulas: it is a linear function of stress, so beside it it has no coefficient of "
        "its own."
    ) in structure.sentences


def test_the_mean_by_another_name_does_not_stand_beside_the_mean():
    data = diary(usual=lambda d: d.groupby("person")["stress"].transform("mean"))
    data = data.drop(columns=["stress_within", "stress_between"])
    structure = ms.structure(data, response="y")
    formulas = structure.formulas["formula"].tolist()
    assert "y ~ stress + usual + (1 | person)" in formulas
    assert "y ~ stress_within + stress_mean + (1 | person)" in formulas
    assert all(rank == number == fitted for rank, number, fitted in ranks(structure, data))


def test_a_category_and_its_contrast_do_not_stand_side_by_side():
    arm = np.tile(["old", "new"], 120)
    structure = ms.structure(diary(arm=arm, contrast=np.where(arm == "old", -0.5, 0.5)), response="y")
    assert not any("arm" in formula for formula in structure.formulas["formula"])
    assert "contrast" in structure.formulas.loc[1, "formula"]


def test_predictors_never_known_in_the_same_rows_do_not_stand_side_by_side():
    first = np.arange(240) < 120
    early = np.where(first, RNG.normal(size=240), np.nan)
    late = np.where(first, np.nan, RNG.normal(size=240))
    structure = ms.structure(diary(early=early, late=late), response="y")
    assert not any("late" in formula for formula in structure.formulas["formula"])
    assert (
        "late is left out of the formulas: the rows in which nothing is missing do not tell it from the other "
        "predictors."
    ) in structure.sentences


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            (-0.5, 0.5),
            "x is a number with two values, -0.5 and 0.5: its coefficient is the difference between the two.",
        ),
        (
            (-1, 1),
            "x is a number with two values, -1 and 1: its coefficient is the difference between the two, divided by 2.",
        ),
    ],
)
def test_a_contrast_is_a_number_with_two_values(values, sentence):
    structure = ms.structure(diary(x=np.tile(values, 120)), response="y")
    assert structure.columns.loc["x", "kind"] == "two numbers"
    assert sentence in structure.sentences
    assert " + x + " in structure.formulas.loc[1, "formula"]


def test_an_outcome_of_two_numbers_asks_for_a_logistic_model():
    said = ms.structure(diary(x=np.tile([1, 2], 120)), response="x").sentences
    assert "x has two values: as 0 and 1, in a logistic model (family binomial), it says more." in said
