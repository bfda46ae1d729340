"""Dropout: nobody comes back, as many leave as should, and the reason is the one that was given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mixedsim as ms
from mixedsim.simulate.problems.dropout import later
from tests.simulate.problems.wards import STANDARD_ERRORS, close, complete, spoiled

TRIAL = ms.Population(
    "pain ~ 1 + (1 | patient)",
    clusters={"patient": 4000},
    size=5,
    variables={"arm": ms.Categorical(["usual", "new"], level="patient")},
    fixef={"Intercept": 50},
    ranef={"patient": {"sd": 3}},
    sigma=4,
)


def there(sample: ms.Sample) -> np.ndarray:
    """Patients × occasions: whether the row is in the data."""
    seen = np.zeros(len(sample.truth.complete), dtype=bool)
    seen[sample.truth.original_row] = True
    return seen.reshape(-1, 5)


@pytest.mark.parametrize("leaves", ["before", "after"])
def test_whoever_left_does_not_come_back_and_everybody_came(leaves: str) -> None:
    seen = there(TRIAL.with_(problems=[ms.Dropout(0.3, leaves=leaves)]).draw(1))
    assert (np.diff(seen.astype(int), axis=1) <= 0).all()
    assert seen[:, 0].all()


@pytest.mark.parametrize("leaves", ["before", "after"])
def test_a_constant_hazard_leaves_a_geometric_number(leaves: str) -> None:
    seen = there(TRIAL.with_(problems=[ms.Dropout(0.2, leaves=leaves)]).draw(1))
    for occasion in range(1, 5):
        close(seen[:, occasion], 0.8**occasion)


def test_one_arm_leaves_more_often() -> None:
    sample = TRIAL.with_(problems=[ms.Dropout("0.1 + 0.2 * (arm == 'new')")]).draw(1)
    seen, new = there(sample), sample.truth.complete["arm"].to_numpy().reshape(-1, 5)[:, 0] == "new"
    close(seen[new, 4], 0.7**4)
    close(seen[~new, 4], 0.9**4)


@pytest.mark.parametrize("leaves", ["before", "after"])
def test_informative_dropout_reads_the_response_of_its_own_row(leaves: str) -> None:
    sample = TRIAL.with_(problems=[ms.Dropout("logistic((pain - 55) / 2)", leaves=leaves)]).draw(1)
    seen = there(sample)
    hazard = expit((sample.truth.complete["pain"].to_numpy().reshape(-1, 5) - 55) / 2)
    for occasion in range(1, 5):
        at_risk = seen[:, occasion - 1]
        deciding = occasion if leaves == "before" else occasion - 1
        left = at_risk & ~seen[:, occasion]
        close(left[at_risk] - hazard[at_risk, deciding], 0)
        assert hazard[left, deciding].mean() > hazard[at_risk & seen[:, occasion], deciding].mean() + 0.1


def test_at_random_or_not_shows_in_the_mean_that_is_left() -> None:
    """Before the row: the worst values are never seen. After it: among those with equal values, who stays is luck."""
    means = {}
    for leaves in ("before", "after"):
        sample = TRIAL.with_(problems=[ms.Dropout("1 * (pain > 53)", leaves=leaves)]).draw(1)
        seen = sample.data.assign(occasion=sample.truth.original_row % 5)
        means[leaves] = seen.groupby("occasion")["pain"].max()
    assert (means["before"].loc[1:] <= 53).all()
    assert (means["after"] > 60).all()


def test_responses_can_be_gone_while_rows_stay() -> None:
    rows = TRIAL.with_(problems=[ms.Dropout(0.2)]).draw(1)
    cells = TRIAL.with_(problems=[ms.Dropout(0.2, gone="response")]).draw(1)
    assert cells.data["pain"].notna().to_numpy().tolist() == there(rows).ravel().tolist()
    assert cells.data["arm"].notna().all()
    assert (cells.truth.problems["column"] == "pain").all()


def test_a_variable_may_say_which_rows_are_later() -> None:
    sample = spoiled(ms.Dropout(0.3, by="patient", over="day"), wards=100)
    whole = sample.truth.complete
    gone = pd.Series(True, index=whole.index)
    gone[sample.truth.original_row] = False
    days = whole["day"].groupby(whole["patient"], observed=True)
    last = whole["day"].where(~gone).groupby(whole["patient"], observed=True).transform("max")
    assert (whole["day"][gone] > last[gone]).all()
    assert not gone[days.transform("min") == whole["day"]].any()
    assert abs(gone.mean() - (1 - np.mean(0.7 ** np.arange(4)))) < 0.05
    assert (spoiled(ms.Dropout(0.3, by="patient"), wards=100).truth.original_row.diff().dropna() > 0).all()


def test_rows_after_rows_are_removed_are_labelled_anew() -> None:
    sample = spoiled(ms.Dropout(0.5, by="patient"))
    assert sample.data.index.equals(pd.RangeIndex(len(sample.data)))
    kept = complete().loc[sample.truth.original_row].reset_index(drop=True)
    pd.testing.assert_frame_equal(sample.data, kept, check_exact=True)


def test_a_whole_ward_can_leave() -> None:
    sample = spoiled(ms.Dropout(0.1, by="ward"), wards=300)
    rank = sample.truth.complete.groupby("ward", observed=True).cumcount()
    left = np.zeros(len(rank))
    left[sample.truth.original_row] = 1
    tenth = left[(rank == 10).to_numpy()]
    assert abs(tenth.mean() - 0.9**10) < STANDARD_ERRORS * tenth.std() / np.sqrt(len(tenth))


def test_none_and_all() -> None:
    pd.testing.assert_frame_equal(spoiled(ms.Dropout(0, by="patient")).data, complete())
    alone = spoiled(ms.Dropout(1, by="patient"))
    assert len(alone.data) == alone.data["patient"].nunique() == complete()["patient"].nunique()
    baseline = spoiled(ms.Dropout(1, by="patient", leaves="after"))
    pd.testing.assert_frame_equal(alone.data, baseline.data)


@pytest.mark.parametrize("itself", [True, False])
def test_later_rows_by_hand(itself: bool) -> None:
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(40), rng.integers(1, 6, 40))
    leaving = rng.random(len(unit)) < 0.3
    expected = []
    for one in range(40):
        gone = False
        for position, leaves in enumerate(leaving[unit == one]):
            now = leaves and (position > 0 or not itself)
            expected.append(gone or (now and itself))
            gone = gone or now
    assert later(leaving, unit, itself=itself).tolist() == expected
