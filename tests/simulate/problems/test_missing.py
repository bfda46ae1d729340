"""Missing values: as many as they should be, where they should be, for the reason that was given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mixedsim as ms
from tests.simulate.problems.wards import close, complete, spoiled, units

MANY = 600  # wards: 12,000 rows, 3,000 patients


def test_completely_at_random_is_a_share_that_knows_nothing() -> None:
    sample = spoiled(ms.Missing("dose", 0.3), wards=MANY)
    gone = sample.data["dose"].isna().astype(float)
    close(gone, 0.3)
    for known in ("dose", "pain", "age"):
        centred = complete(1, MANY)[known] - complete(1, MANY)[known].mean()
        close((gone - 0.3) * centred, 0)


@pytest.mark.parametrize(
    ("column", "share", "reason"),
    [
        ("pain", "1 / (1 + exp(5 - dose))", lambda sample: sample.data["dose"] - 5),
        ("dose", "1 / (1 + exp(5 - dose))", lambda sample: sample.truth.complete["dose"] - 5),
        ("dose", "1 / (1 + exp(-2 * ses))", lambda sample: 2 * sample.truth.hidden["ses"]),
        ("dose", "logistic((pain - 40) / 5)", lambda sample: (sample.data["pain"] - 40) / 5),
        ("arm", "0.1 + 0.6 * (arm == 'new')", lambda sample: _new(sample.truth.complete)),
    ],
    ids=["at random", "not at random", "not at random, a hidden variable", "by the response", "a category"],
)
def test_the_probability_is_the_one_of_each_row(column: str, share: str, reason: object) -> None:
    sample = spoiled(ms.Missing(column, share), wards=MANY)
    gone = sample.data[column].isna().astype(float)
    score = reason(sample)  # type: ignore[operator]
    expected = score if column == "arm" else pd.Series(expit(score))
    if column == "arm":
        gone, expected = (units(sample.truth.complete, one) for one in (gone, expected))
    surprise = gone.to_numpy() - expected.to_numpy()
    close(surprise, 0)
    close(surprise * (expected - expected.mean()).to_numpy(), 0)
    assert gone[expected > expected.median()].mean() > gone[expected <= expected.median()].mean() + 0.1


def _new(data: pd.DataFrame) -> pd.Series:
    return 0.1 + 0.6 * (data["arm"] == "new")


def test_values_missing_not_at_random_leave_a_mean_that_is_wrong() -> None:
    # E(x | observed) for x ~ N(5, 5) and P(missing | x) = Phi(x - 5), in closed form for the probit, by number here.
    sample = spoiled(ms.Missing("dose", "logistic(dose - 5)"), wards=MANY)
    x = sample.truth.complete["dose"]
    stay = 1 - expit(x - 5)
    expected = (x * stay).sum() / stay.sum()
    seen = sample.data["dose"].dropna()
    assert abs(seen.mean() - expected) < 4.5 * seen.std() / np.sqrt(len(seen))
    assert x.mean() - seen.mean() > 1


def test_what_a_patient_has_once_is_missing_in_all_of_his_rows() -> None:
    sample = spoiled(ms.Missing("age", 0.4), ms.Missing("beds", 0.5), wards=MANY)
    close(units(sample.truth.complete, sample.data["age"].isna()), 0.4)
    close(units(sample.truth.complete, sample.data["beds"].isna(), by="ward"), 0.5)


def test_a_level_makes_rows_go_together() -> None:
    sample = spoiled(ms.Missing("dose", 0.4, level="patient"), wards=MANY)
    close(units(sample.truth.complete, sample.data["dose"].isna()), 0.4)
    rows = spoiled(ms.Missing("dose", 0.4), wards=MANY)
    assert rows.data["dose"].isna().groupby(rows.data["patient"], observed=True).nunique().max() == 2


def test_types() -> None:
    sample = spoiled(*(ms.Missing(column, 0.5) for column in ("falls", "beds", "arm", "pain")))
    assert sample.data.dtypes[["falls", "beds", "pain"]].tolist() == [np.dtype(float)] * 3
    assert sample.data["arm"].cat.categories.tolist() == ["usual", "new", "none"]
    assert sample.data["arm"].isna().any()
    whole = spoiled(ms.Missing("falls", 0)).data["falls"]
    assert whole.dtype == np.dtype(float), "the type of a column does not depend on luck"


@pytest.mark.parametrize("column", ["dose", "falls", "arm", "pain", "beds"])
def test_none_and_all(column: str) -> None:
    none = spoiled(ms.Missing(column, 0))
    pd.testing.assert_frame_equal(none.data, complete(), check_dtype=column not in ("falls", "beds"))
    assert len(none.truth.problems) == 0
    every = spoiled(ms.Missing(column, 1))
    assert every.data[column].isna().all()
    pd.testing.assert_frame_equal(every.data.drop(columns=column), complete().drop(columns=column))


def test_ids_are_missing_only_where_it_is_meant() -> None:
    sample = spoiled(ms.Missing("patient", 0.2, grouping=True), wards=MANY)
    close(sample.data["patient"].isna(), 0.2)
    assert sample.data["ward"].notna().all()


def test_an_outcome_that_is_no_number() -> None:
    population = ms.Population(
        "mood ~ 1 + (1 | g)",
        clusters={"g": 50},
        size=4,
        ranef={"g": {"sd": 1}},
        family={"kind": "ordinal", "thresholds": [-1, 1], "labels": ["bad", "fair", "good"]},
        problems=[ms.Missing("mood", "0.9 * (mood == 'bad')")],
    )
    sample = population.draw(1)
    assert set(sample.truth.complete["mood"][sample.data["mood"].isna()]) == {"bad"}
