"""Answers that fit a classmate's data: copiers are found, and classes of honest students are left alone."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from mixedsim.classroom.reporting.copied_answers import RATE, copied_answers, half_units

QUESTIONS = ("q1", "q2", "q3", "q4")
STUDENTS = 100


def class_targets(rng, n=STUDENTS):
    """What the students' data give: q1 a share, q2 what follows from it, q3 a slope, q4 a count; with mistakes."""
    share = np.clip(rng.normal(0.32, 0.05, n), 0.05, 0.9)
    fewest = rng.integers(5, 9, n)
    slope = rng.normal(2.5, 0.25, n)
    columns = {
        ("q1", ""): share,
        ("q1", "residual-share"): 1 - share,
        ("q1", "percent"): 100 * share,
        ("q2", ""): share / (share + (1 - share) / fewest),
        ("q2", "forgot-n"): share,
        ("q3", ""): slope,
        ("q3", "ols"): slope + rng.normal(0.7, 0.1, n),
        ("q4", ""): fewest.astype(float),
    }
    table = pd.DataFrame(columns, index=[f"s{k:03d}" for k in range(n)])
    table.columns = pd.MultiIndex.from_tuples(list(columns), names=["question", "name"])
    return table


def honest(targets, rng, *, right, digits):
    """Each is right, makes a known mistake, or one that nobody knows: then all numbers are off by the same share."""
    numbers = targets.to_numpy()
    places = {question: np.flatnonzero(targets.columns.get_level_values(0) == question) for question in QUESTIONS}
    rows = []
    for own in numbers:
        many, off = int(rng.choice(digits)), 1 + 0.15 * rng.standard_normal()
        row = []
        for at in places.values():
            chance = rng.random()
            if chance < right:
                value = own[at[0]]
            else:
                value = own[rng.choice(at)] if chance < 0.7 else own[at[0]] * off
            row.append(f"{float(f'{value:.{many}g}'):.6g}" if rng.random() > 0.05 else "")
        rows.append(row)
    return pd.DataFrame(rows, index=targets.index, columns=list(QUESTIONS))


def test_half_units_of_what_a_gradebook_keeps():
    found = half_units(["0.32", "12", "-3.25", "1.23457e+06", "0.316612", "0", "", "'a'", "nan", "inf"])
    assert found[:6] == pytest.approx([0.005, 0.5, 0.005, 5, 5e-7, 0.5])
    assert np.isnan(found[6:]).all()


def test_a_small_class_by_hand():
    """Fits are counted to the digits typed; what fits one's own data never counts."""
    targets = pd.DataFrame(
        [[0.311, 5.0], [0.389, 6.0], [0.352, 5.0]],
        index=["a", "b", "c"], columns=pd.MultiIndex.from_tuples([("q1", ""), ("q2", "")], names=["question", "name"]),
    )  # fmt: skip
    given = pd.DataFrame({"q1": ["0.39", "0.389", "0.4"], "q2": ["5", "5", ""]}, index=["a", "b", "c"])
    found = copied_answers(given, targets)
    # a: 0.39 is b's; 5 is a's own. b: 0.389 is b's own; 5 fits a and c. c: 0.4 is b's 0.389 but also c's own 0.352.
    assert found.fits.to_numpy().tolist() == [[0, 1, 0], [1, 0, 1], [0, 0, 0]]
    assert not len(found.listed)  # three students are no class


def test_answers_of_simulations_are_left_out():
    rng = np.random.default_rng(1)
    targets = class_targets(rng, 20)
    given = pd.DataFrame({"q1": [f"{x:.6g}" for x in np.roll(targets["q1", ""], 1)]}, index=targets.index)
    assert copied_answers(given, targets).fits.to_numpy().sum() == 20
    assert copied_answers(given, targets, leave_out=frozenset({"q1"})).fits.to_numpy().sum() == 0


@pytest.mark.parametrize(
    ("right", "digits", "classes"),
    [(0.6, (2, 3, 4, 15), 200), (0.1, (2, 3), 100)],
    ids=["a usual class", "a weak class that types two or three digits"],
)
def test_classes_of_honest_students_are_left_alone(right, digits, classes):
    """Classes of 100 in which anybody is listed are far rarer than the stated rate, which is a bound."""
    rng = np.random.default_rng(7)
    accused = 0
    for _ in range(classes):
        targets = class_targets(rng)
        accused += len(copied_answers(honest(targets, rng, right=right, digits=digits), targets).listed) > 0
    assert accused / classes <= RATE / 2


@pytest.mark.parametrize(("digits", "least"), [(3, 5), (4, 40), (15, 50)])
def test_a_copier_among_a_hundred_students_is_found(digits, least):
    """Three numbers of one classmate, in so many of 50 classes: what was typed to three digits is weak evidence."""
    rng, found = np.random.default_rng(8), 0
    for _ in range(50):
        targets = class_targets(rng)
        given = honest(targets, rng, right=0.6, digits=(2, 3, 4, 15))
        source, copier = targets.index[3], targets.index[40]
        numbers = [targets.loc[source, (question, "")] for question in QUESTIONS[:3]]
        given.loc[copier, list(QUESTIONS[:3])] = [f"{float(f'{x:.{digits}g}'):.6g}" for x in numbers]
        listed = copied_answers(given, targets).listed
        pairs = list(zip(listed["student"], listed["classmate"], strict=True))
        found += (copier, source) in pairs
        assert all(student == copier for student, _ in pairs)
    assert found >= least


def test_a_copied_mistake_is_found_too():
    rng = np.random.default_rng(9)
    targets = class_targets(rng)
    given = honest(targets, rng, right=0.6, digits=(15,))
    wrong = [("q1", "residual-share"), ("q2", "forgot-n"), ("q3", "ols")]
    given.loc["s040", ["q1", "q2", "q3"]] = [f"{targets.loc['s003', one]:.6g}" for one in wrong]
    (row,) = copied_answers(given, targets).listed.to_dict("records")
    assert (row["student"], row["classmate"], row["fit"], row["own"]) == ("s040", "s003", 3, row["answers"] - 3)
    assert row["questions"] == "q1, q2, q3"
    assert row["classes"] < RATE
    assert row["by_chance"] < 0.1


def test_two_hundred_students_take_no_time():
    rng = np.random.default_rng(10)
    targets = class_targets(rng, 200)
    given = honest(targets, rng, right=0.3, digits=(2, 3))
    start = time.perf_counter()
    copied_answers(given, targets)
    assert time.perf_counter() - start < 5
