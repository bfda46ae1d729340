"""Exercise 20: other roads to a right answer, and the biases that the population promises."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.populations.learners import evening

KEY = load_key(Path(__file__).parents[2] / "exercises" / "keys" / "20_missing.py")
FORMULA = "words ~ month * partner + (1 + month | learner)"


@pytest.fixture(scope="module")
def anna():
    return Own("20-missing", "anna")


def outcomes(own, **answers):
    return {
        mark.question: (mark.points, mark.misconception) for mark in KEY.mark(answers, own) if mark.outcome != "missing"
    }


def test_where_month_is_zero_does_not_matter(anna):
    centred = ms.lmer(FORMULA, anna.data.assign(month=anna.data["month"] - 2))
    share = (anna.data["month"] == 4).sum() / 160  # nobody comes back
    assert outcomes(anna, complete=share, worth=centred.fixef["month:partner"]) == {"q1": (1, ""), "q4": (2, "")}


def test_the_expected_score_by_hand(anna):
    data, fit = anna.data, ms.lmer(FORMULA, anna.data)
    once = data[data.groupby("learner", observed=True)["month"].transform("size") == 1].query("partner == 0")
    row = once.loc[once["words"].idxmin()]
    cov = _covariance(fit)
    at, then = np.array([1, 0]), np.array([1, 4])
    pulled = (then @ cov @ at) / (at @ cov @ at + fit.sigma**2) * (row["words"] - fit.fixef["Intercept"])
    expected = fit.fixef["Intercept"] + 4 * fit.fixef["month"] + pulled
    assert outcomes(anna, expected=expected) == {"q5": (2, "")}


def _covariance(fit):
    table = fit.varcorr
    sds = table[table["term2"].isna() & (table["group"] == "learner")]["sd_or_corr"].to_numpy()
    corr = table[table["term2"].notna()]["sd_or_corr"].iloc[0]
    return np.outer(sds, sds) * np.array([[1, corr], [corr, 1]])


def test_two_mistakes_in_the_mechanisms_cost_two_fifths(anna):
    given = {"a": "MNAR", "b": "MNAR", "c": "MCAR", "d": "MNAR", "e": "MNAR"}
    points, mistake = outcomes(anna, mechanisms=given)["q2"]
    assert np.isclose(points, 2 * 3 / 5)
    assert mistake == "seen-for-unseen"


def test_the_biases_of_the_docstring():
    drawn = evening().with_(clusters={"learner": 8000}).draw(seed=1)
    seen, everybody = drawn.data, drawn.truth.complete
    complete = seen[seen.groupby("learner", observed=True)["month"].transform("size") == 5]
    wide = seen.pivot_table(index=["learner", "partner"], columns="month", values="words", observed=True)
    carried = (
        wide.ffill(axis=1).reset_index().melt(id_vars=["learner", "partner"], var_name="month", value_name="words")
    )
    found = {
        name: ms.lmer(FORMULA, rows.assign(month=rows["month"].astype(float))).fixef["month:partner"]
        for name, rows in {"all": seen, "complete": complete, "carried": carried}.items()
    }
    assert abs(found["all"] - 2) < 0.25
    assert abs(found["complete"] - 0.8) < 0.25
    assert abs(found["carried"] - 2.9) < 0.25
    ends = [_difference(rows[rows["month"] == 4]) for rows in (seen, everybody)]
    assert abs(ends[0] + 1.4) < 1
    assert abs(ends[1] - 8) < 1


def _difference(rows: pd.DataFrame) -> float:
    means = rows.groupby("partner")["words"].mean()
    return float(means[1] - means[0])
