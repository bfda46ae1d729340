"""What a draw gives: data that carry the truth, the same every time, and the same people in every variation."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

CLINIC = ms.Population(
    "anxiety ~ depression * arm + price + (1 + depression | therapist)",
    clusters={"therapist": 40},
    size=(3, 8),
    variables={
        "ses": ms.Normal(0, 1, level="therapist", observed=False),
        "mood": ms.Normal(0, 1, observed=False),
        "price": ms.Normal("6 + 1.5 * ses", 0.5, level="therapist"),
        "depression": ms.Normal("5 + 0.8 * ses + mood", 2),
        "arm": ms.Categorical(["usual", "new"], level="therapist"),
        "depression_mean": ms.ClusterMean("depression"),
    },
    fixef={"Intercept": 45, "depression": 3, "arm[T.new]": 2, "price": -3, "depression:arm[T.new]": 1},
    ranef={"therapist": {"sd": [1, 0.5], "corr": 0.2}},
    sigma=8,
)
STUDY = ms.Population(
    "rt ~ cond + (1 + cond | subject) + (0 + cond || item) + (1 | subject:item)",
    clusters={"subject": 30, "item": 20},
    size=2,
    variables={"cond": ms.Bernoulli(0.5)},
    fixef={"Intercept": 400, "cond": 30},
    ranef={"subject": {"sd": [50, 20], "corr": -0.4}, "item": {"sd": 10}, "subject:item": {"sd": 5}},
    sigma=60,
)
SCHOOLS = ms.Population(
    "score ~ ses + (1 | school/class)",
    clusters={"school": 12, "class": {"in": "school", "n": (2, 4)}},
    size=(5, 9),
    variables={"ses": ms.Normal(0, 1)},
    fixef={"Intercept": 0, "ses": 1},
    ranef={"school": {"sd": 1}, "class:school": {"sd": 0.5}},
    sigma=2,
)
ALL = pytest.mark.parametrize("population", [CLINIC, STUDY, SCHOOLS], ids=["clinic", "study", "schools"])


def test_columns_are_ids_then_observed_variables_then_the_response() -> None:
    data = CLINIC.draw(1).data
    assert list(data.columns) == ["therapist", "price", "depression", "arm", "depression_mean", "anxiety"]
    assert data["therapist"].cat.categories.tolist() == [str(i) for i in range(1, 41)]
    assert data["therapist"].cat.categories.dtype == pd.Index(["1"]).dtype
    assert data["arm"].cat.categories.tolist() == ["usual", "new"]
    assert data.index.equals(pd.RangeIndex(len(data)))


@ALL
def test_the_same_seed_gives_the_same_sample(population: ms.Population) -> None:
    one, again, other = population.draw(1), population.draw(1), population.draw(2)
    pd.testing.assert_frame_equal(one.data, again.data, check_exact=True)
    for group, effects in one.truth.ranef.items():
        pd.testing.assert_frame_equal(effects, again.truth.ranef[group], check_exact=True)
    assert not one.data.equals(other.data)


def test_a_generator_moves_on_and_leaves_its_seed() -> None:
    rng = np.random.default_rng(3)
    one, other = CLINIC.draw(rng), CLINIC.draw(rng)
    assert not one.data.equals(other.data)
    pd.testing.assert_frame_equal(CLINIC.draw(one.truth.seed).data, one.data)


def test_a_draw_without_a_seed_remembers_the_one_it_took() -> None:
    one = CLINIC.draw()
    pd.testing.assert_frame_equal(CLINIC.draw(one.truth.seed).data, one.data)


@ALL
def test_the_response_is_linear_predictor_plus_residual(population: ms.Population) -> None:
    sample = population.draw(1)
    response = sample.data.iloc[:, -1]
    parts = sample.truth.linear_predictor + sample.truth.residuals
    np.testing.assert_allclose(response, parts, rtol=0, atol=1e-12 * abs(response).max())


def test_the_linear_predictor_is_what_one_would_calculate_by_hand() -> None:
    sample = CLINIC.draw(1)
    data = sample.data
    new = (data["arm"] == "new").astype(float)
    fixed = 45 + 3 * data["depression"] + 2 * new - 3 * data["price"] + data["depression"] * new
    effects = sample.truth.ranef["therapist"].loc[data["therapist"]].reset_index(drop=True)
    by_hand = fixed + effects["Intercept"] + effects["depression"] * data["depression"]
    np.testing.assert_allclose(sample.truth.linear_predictor, by_hand, rtol=1e-13)


def test_crossed_and_combined_effects_by_hand() -> None:
    sample = STUDY.draw(1)
    data, ranef = sample.data, sample.truth.ranef
    both = data["subject"].astype(str) + ":" + data["item"].astype(str)
    by_hand = (
        400
        + 30 * data["cond"]
        + ranef["subject"]["Intercept"].loc[data["subject"]].to_numpy()
        + ranef["subject"]["cond"].loc[data["subject"]].to_numpy() * data["cond"]
        + ranef["item"]["cond"].loc[data["item"]].to_numpy() * data["cond"]
        + ranef["subject:item"]["Intercept"].loc[both].to_numpy()
    )
    np.testing.assert_allclose(sample.truth.linear_predictor, by_hand, rtol=1e-13)


def test_nested_effects_by_hand() -> None:
    sample = SCHOOLS.draw(1)
    data, ranef = sample.data, sample.truth.ranef
    both = data["class"].astype(str) + ":" + data["school"].astype(str)
    by_hand = (
        data["ses"]
        + ranef["school"]["Intercept"].loc[data["school"]].to_numpy()
        + ranef["class:school"]["Intercept"].loc[both].to_numpy()
    )
    np.testing.assert_allclose(sample.truth.linear_predictor, by_hand, rtol=1e-13, atol=1e-13)


def test_a_cluster_mean_is_the_mean_of_the_rows() -> None:
    data = CLINIC.draw(1).data
    means = data.groupby("therapist", observed=True)["depression"].transform("mean")
    np.testing.assert_allclose(data["depression_mean"], means, rtol=1e-14)


def test_hidden_variables_stay_in_the_truth() -> None:
    sample = CLINIC.draw(1)
    assert {"ses", "mood"}.isdisjoint(sample.data.columns)
    hidden = sample.truth.hidden
    assert list(hidden.columns) == ["ses", "mood"]
    assert hidden.index.equals(sample.data.index)
    rest = sample.data["price"] - 6 - 1.5 * hidden["ses"]
    assert rest.groupby(sample.data["therapist"], observed=True).nunique().max() == 1
    assert hidden["ses"].groupby(sample.data["therapist"], observed=True).nunique().max() == 1


def test_what_is_done_to_the_data_leaves_the_truth_alone() -> None:
    sample = CLINIC.draw(1)
    before = sample.truth.linear_predictor, sample.truth.ranef["therapist"]
    sample.data.loc[:, "depression"] = 0.0
    effects = sample.truth.ranef["therapist"]
    effects.loc[:, :] = 0.0
    pd.testing.assert_series_equal(sample.truth.linear_predictor, before[0])
    pd.testing.assert_frame_equal(sample.truth.ranef["therapist"], before[1])


def test_the_truth_knows_its_parameters() -> None:
    truth = CLINIC.draw(1).truth
    assert truth.fixef.to_dict() == CLINIC.fixef
    assert truth.sigma == 8
    expected = pd.DataFrame(
        {
            "group": ["therapist"] * 3,
            "term1": ["Intercept", "depression", "Intercept"],
            "term2": [None, None, "depression"],
            "variance": [1.0, 0.25, 0.1],
            "sd_or_corr": [1.0, 0.5, 0.2],
        }
    )
    pd.testing.assert_frame_equal(truth.varcorr, expected)


def test_separate_terms_have_no_covariance_row() -> None:
    table = STUDY.draw(1).truth.varcorr
    assert table["group"].tolist() == ["subject"] * 3 + ["item", "subject:item"]
    assert table["term2"].notna().sum() == 1


def test_random_effects_have_their_covariance() -> None:
    units = 100_000
    sample = CLINIC.with_(clusters={"therapist": units}, size=1).draw(1)
    effects = sample.truth.ranef["therapist"].to_numpy()
    sd, r = np.array([1, 0.5]), 0.2
    # standard errors of a mean, a standard deviation and a correlation of normal data
    assert (abs(effects.mean(axis=0)) < 4 * sd / np.sqrt(units)).all()
    assert (abs(effects.std(axis=0) - sd) < 4 * sd / np.sqrt(2 * units)).all()
    assert abs(np.corrcoef(effects.T)[0, 1] - r) < 4 * (1 - r**2) / np.sqrt(units)


def test_residuals_have_their_sd_and_know_nothing_of_the_rest() -> None:
    sample = CLINIC.with_(clusters={"therapist": 20_000}).draw(1)
    rest = (sample.data["anxiety"] - sample.truth.linear_predictor).to_numpy()
    n = len(rest)
    assert abs(rest.std() - 8) < 4 * 8 / np.sqrt(2 * n)
    assert abs(rest.mean()) < 4 * 8 / np.sqrt(n)
    assert abs(np.corrcoef(rest, sample.data["depression"])[0, 1]) < 4 / np.sqrt(n)


def test_zero_standard_deviations_are_exact() -> None:
    sample = CLINIC.with_(ranef={"therapist": {"sd": [0, 0]}}, sigma=0).draw(1)
    assert (sample.truth.ranef["therapist"] == 0).all(axis=None)
    np.testing.assert_array_equal(sample.data["anxiety"], sample.truth.linear_predictor)


class TestTheSamePeople:
    """A change of the population changes what it says and nothing else: every part has its own random numbers."""

    before = CLINIC.draw(1)

    def test_one_variable_more(self) -> None:
        more = {"age": ms.Normal(40, 10), **CLINIC.variables, "sex": ms.Bernoulli(0.5)}
        after = CLINIC.with_(variables=more).draw(1)
        pd.testing.assert_frame_equal(after.data.drop(columns=["age", "sex"]), self.before.data, check_exact=True)

    def test_another_coefficient(self) -> None:
        after = CLINIC.with_(fixef={**CLINIC.fixef, "price": 0}).draw(1)
        difference = after.data["anxiety"] - self.before.data["anxiety"]
        np.testing.assert_allclose(difference, 3 * self.before.data["price"], rtol=1e-10)

    def test_a_larger_residual_sd(self) -> None:
        after = CLINIC.with_(sigma=16).draw(1)
        np.testing.assert_allclose(after.truth.residuals, 2 * self.before.truth.residuals, rtol=1e-14)

    def test_a_slope_that_stops_varying(self) -> None:
        after = CLINIC.with_(
            formula="anxiety ~ depression * arm + price + (1 | therapist)", ranef={"therapist": {"sd": 1}}
        ).draw(1)
        np.testing.assert_allclose(
            after.truth.ranef["therapist"]["Intercept"], self.before.truth.ranef["therapist"]["Intercept"], rtol=1e-14
        )

    def test_more_therapists(self) -> None:
        fixed = CLINIC.with_(size=5)
        few, many = fixed.draw(1), fixed.with_(clusters={"therapist": 60}).draw(1)
        first = many.data.iloc[: len(few.data)]
        for column in ("price", "depression", "anxiety"):
            np.testing.assert_allclose(first[column], few.data[column], rtol=1e-12)


def test_golden_values() -> None:
    # Written down once from this simulator, to see a platform or a NumPy release that draws other numbers.
    data = ms.scenarios.therapist_price().draw(seed=1).data
    assert data["price"].iloc[::50].head(5).tolist() == [3, 0, 1, 2, 4]
    np.testing.assert_allclose(
        data["depression"].head(3), [8.480477984786333, 3.7853469203563606, 6.954640637666767], rtol=1e-12
    )
    assert data["sex"].head(6).tolist() == [0, 1, 0, 1, 0, 1]
    np.testing.assert_allclose(
        data["anxiety"].head(3), [58.682929294756704, 55.683569538744976, 67.59643338250201], rtol=1e-12
    )


def test_a_sample_and_its_truth_can_be_pickled() -> None:
    sample = CLINIC.draw(1)
    twin = pickle.loads(pickle.dumps(sample))
    pd.testing.assert_frame_equal(twin.data, sample.data)
    assert twin.truth == sample.truth
    assert twin.formula == CLINIC.formula == sample.population.formula


def test_printing() -> None:
    sample = CLINIC.with_(name="clinic", size=5).draw(1)
    assert repr(sample) == f"Sample(clinic, seed 1: 200 rows, 40 therapist; {CLINIC.formula})"
    assert str(sample.truth) == TRUTH_OF_CLINIC


def test_what_a_model_would_not_say_has_a_line_each() -> None:
    """Effect shapes, residuals and problems stand under the last parameter."""
    odd = ms.scenarios.therapist_plain(therapists=5).with_(
        ranef={"therapist": {"sd": [2], "shape": "bimodal"}},
        residual={"shape": {"kind": "t", "df": 4}, "ar1": -0.5},
        problems=[ms.Missing("depression", "0.1 * sex"), ms.Duplicated(0.25)],
    )
    assert str(odd.draw(1).truth).split("\n\n")[-1].splitlines() == [
        "Residual sd  8",
        "Effect shape  therapist: bimodal, two peaks 4 of their sds apart",
        "Residual shape  t, 4 df",
        "Residual AR(1)  −0.5 from row to row in each therapist",
        "Problem  depression: missing, with probability 0.1 * sex",
        "Problem  row: entered twice, with probability 0.25",
    ]


def test_exact_residuals_have_a_line() -> None:
    last = str(ms.scenarios.simpson().draw(1).truth).splitlines()[-1]
    assert last == "Residual moments  exact in each group: mean 0, sd as given, correlation 0 with x"


def test_an_outcome_without_residuals_has_its_problems_printed() -> None:
    visits = ms.scenarios.gp_visits().with_(problems=[ms.Duplicated(0.25)])
    last = str(visits.draw(1).truth).splitlines()[-2:]
    assert last[0].startswith("Outcome  ")
    assert last[1] == "Problem  row: entered twice, with probability 0.25"


TRUTH_OF_CLINIC = """\
Truth of clinic, seed 1

Fixed effects
Intercept                45.0
depression                3.0
arm[T.new]                2.0
price                    -3.0
depression:arm[T.new]     1.0

Random effects
    group      term1      term2  variance  sd_or_corr
therapist  Intercept                 1.00         1.0
therapist depression                 0.25         0.5
therapist  Intercept depression      0.10         0.2

Residual sd  8"""


def test_names_of_units_are_remembered_and_belong_to_each_sample():
    """From one draw to the next, unless they are many; who renames some in one sample renames none in another."""
    for therapists in (12, 10_001):
        clinic = ms.scenarios.therapist_plain(therapists=therapists, patients=1)
        first, second = clinic.draw(1).data["therapist"], clinic.draw(2).data["therapist"]
        renamed = first.cat.rename_categories({"1": "Ada"})
        assert second.cat.categories.tolist() == [str(k) for k in range(1, therapists + 1)]
        assert renamed[0] == "Ada"
        assert first[0] == second[0] == "1"
