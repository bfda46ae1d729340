"""What explorers draw is what the fitter, asked by hand, gives for the same data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.explore import Explorer

Small = dict[str, Explorer]


def schools(tau: float, sigma: float, size: int, groups: int = 8) -> ms.Population:
    return ms.Population(
        "score ~ 1 + (1 | school)",
        clusters={"school": groups},
        size=size,
        fixef={"Intercept": 50},
        ranef={"school": {"sd": tau}},
        sigma=sigma,
    )


@pytest.mark.parametrize(("tau", "sigma", "size"), [(3, 4, 4), (3, 6, 12), (0, 6, 4)])
def test_means_before_and_after_shrinkage_are_those_of_lmer(small: Small, tau: float, sigma: float, size: int) -> None:
    sample = schools(tau, sigma, size).draw(seed=56)
    fit = ms.lmer("score ~ 1 + (1 | school)", sample.data)
    by_school = sample.data.groupby("school", sort=False, observed=True)["score"].mean()
    drawn = small["shrinkage"].at(tau=tau, sigma=sigma, size=size, spread="equal")
    order = [int(name) - 1 for name in drawn["school"]]
    np.testing.assert_allclose(drawn["raw"], by_school.to_numpy()[order], rtol=1e-12)
    np.testing.assert_allclose(drawn["partial"], fit.coef["school"]["Intercept"].to_numpy()[order], rtol=1e-12)
    np.testing.assert_allclose(drawn["mean"], [fit.fixef["Intercept"]] * 2, rtol=1e-12)
    assert drawn["sigma"] == fit.sigma
    assert drawn["tau"] == pytest.approx(fit.varcorr["sd_or_corr"].iloc[0], rel=1e-12)


def test_each_school_keeps_its_point_on_the_curve_of_the_distance_from_the_mean(small: Small) -> None:
    drawn = small["shrinkage"].at(tau=3, sigma=6, size=4, spread="uneven")
    n, kept = np.array(drawn["n"]), np.array(drawn["kept"])
    assert sorted(n) == [1, 2, 2, 3, 5, 6, 9, 12]  # from a third of four to three times as many
    np.testing.assert_allclose(kept, drawn["tau"] ** 2 / (drawn["tau"] ** 2 + drawn["sigma"] ** 2 / n), rtol=1e-10)
    middle = drawn["mean"][0]
    moved = kept * (np.array(drawn["raw"]) - middle)
    np.testing.assert_allclose(np.array(drawn["partial"]) - middle, moved, atol=1e-10)
    np.testing.assert_allclose(drawn["true_curve"], 9 / (9 + 36 / np.array(drawn["along"])), rtol=1e-12)


def test_schools_keep_their_places_whatever_is_moved(small: Small) -> None:
    places = {state.numbers["school"] == small["shrinkage"].at()["school"] for state in small["shrinkage"].states.flat}
    assert places == {True}
    truth = small["shrinkage"].at(tau=3)["truth"]
    assert truth == sorted(truth)


def test_a_flat_fit_is_drawn_and_says_why(small: Small) -> None:
    explorer = ms.explore.shrinkage(tau=(0, 3), sigma=(4, 6), sizes=(4, 12), groups=8, seed=1)
    flat = [state for state in explorer.states.flat if state.numbers["tau"] == [0.0]]
    assert flat, "no setting is singular: nothing was tested"
    for state in flat:
        assert "no difference between schools, and each gets the mean of all" in state.alt
        assert set(state.numbers["kept"]) == set(state.numbers["curve"]) == {0.0}
        np.testing.assert_allclose(state.numbers["partial"], state.numbers["mean"][0], rtol=1e-12)


@pytest.mark.parametrize(("sd_slope", "corr"), [(4, -0.6), (4, 0), (4, 0.6), (0, 0)])
def test_lines_and_points_are_the_coefficients_of_lmer(small: Small, sd_slope: float, corr: float) -> None:
    people = ms.Population(
        "reaction ~ days + (days | subject)",
        clusters={"subject": 18},
        size=10,
        variables={"days": ms.Assigned(range(10))},
        fixef={"Intercept": 250, "days": 10},
        ranef={"subject": {"sd": [25, sd_slope], "corr": corr}},
        sigma=25,
    )
    data = people.draw(seed=11).data
    fit = ms.lmer("reaction ~ days + (days | subject)", data)
    own = np.array([np.polyfit(rows["days"], rows["reaction"], 1) for _, rows in data.groupby("subject", sort=False)])
    drawn = small["random_slopes"].at(sd_intercept=25, sd_slope=sd_slope, corr=corr)
    coef = fit.coef["subject"]
    np.testing.assert_allclose(drawn["intercept"], coef["Intercept"], rtol=1e-12)
    np.testing.assert_allclose(drawn["slope"], coef["days"], rtol=1e-12)
    np.testing.assert_allclose(np.column_stack([drawn["own_slope"], drawn["own_intercept"]]), own, rtol=1e-8)
    ends = np.reshape(drawn["lines"], (18, 3))
    np.testing.assert_allclose(ends[:, 1], coef["Intercept"] + 9 * coef["days"], rtol=1e-12)
    assert np.isnan(ends[:, 2]).all()  # a gap, or one person's line would go on to the next
    sds = fit.varcorr["sd_or_corr"].to_numpy()
    np.testing.assert_allclose([drawn["sd_intercept"], drawn["sd_slope"], drawn["corr"]], sds, rtol=1e-10)


def test_the_ellipses_hold_95_per_cent_of_the_population_that_they_belong_to(small: Small) -> None:
    drawn = small["random_slopes"].at(sd_intercept=25, sd_slope=4, corr=0.6)
    true = np.array([[25**2, 0.6 * 25 * 4], [0.6 * 25 * 4, 4**2]])
    spread = drawn["sd_intercept"] * drawn["sd_slope"] * drawn["corr"]
    estimated = np.array([[drawn["sd_intercept"] ** 2, spread], [spread, drawn["sd_slope"] ** 2]])
    centre = (drawn["centre_intercept"], drawn["centre_slope"])
    for name, covariance, middle in [("true", true, (250, 10)), ("ellipse", estimated, centre)]:
        away = np.column_stack([drawn[f"{name}_intercept"], drawn[f"{name}_slope"]]) - middle
        distance = np.einsum("ki,ij,kj->k", away, np.linalg.inv(covariance), away)
        np.testing.assert_allclose(distance, -2 * np.log(0.05), rtol=1e-8)  # the 95 % quantile of χ² with 2 df
        np.testing.assert_allclose(away[0], away[-1], atol=1e-9)  # the line is closed


def clinic(effect: float, size: int) -> ms.Population:
    return ms.Population(
        "anxiety ~ depression + poverty + (1 | therapist)",
        clusters={"therapist": 30},
        size=size,
        variables={
            "poverty": ms.Normal(0, 1, level="therapist", observed=False),
            "depression": ms.Normal("8 + 1.5 * poverty", 1.5),
            "depression_mean": ms.ClusterMean("depression"),
        },
        fixef={"Intercept": 40, "depression": 3, "poverty": -effect},
        ranef={"therapist": {"sd": 1}},
        sigma=4,
    )


def test_slopes_under_a_confounder_are_those_of_a_study(small: Small) -> None:
    within_between = "anxiety ~ depression + depression_mean + (1 | therapist)"
    study = ms.study(clinic(9, 10), {"within-between": within_between}, 60, 1)
    drawn = small["confounder"].at(strength=9, size=10)
    assert drawn["wb"] == pytest.approx(study.summary().loc[("within-between", "depression"), "mean"], rel=1e-10)
    first = study.sample(0).data
    fits = {
        "vi": ms.lmer("anxiety ~ depression + (1 | therapist)", first).fixef["depression"],
        "wb": ms.lmer(within_between, first).fixef["depression"],
        "ols": np.polyfit(first["depression"], first["anxiety"], 1)[0],
    }
    for key, slope in fits.items():
        assert drawn[f"{key}_slope"] == pytest.approx(slope, rel=1e-7)
        rise = np.diff(drawn[f"{key}_line"]) / np.diff(drawn["ends"])
        np.testing.assert_allclose(rise, slope, rtol=1e-7)
    assert set(drawn["mean_y"]) == set(first.groupby("therapist", sort=False)["anxiety"].mean())
    assert set(zip(drawn["x"], drawn["y"], strict=True)) <= set(zip(first["depression"], first["anxiety"], strict=True))


@pytest.mark.parametrize("effect", [0, 9])
def test_least_squares_is_biased_by_what_algebra_says_and_within_between_is_not(small: Small, effect: float) -> None:
    """The confounder's effect times its slope on depression: −γ · 1.5 / (1.5² + 1.5²) = −γ/3, within 4 errors."""
    drawn = small["confounder"].at(strength=effect, size=10)
    for key, expected in [("ols", 3 - effect / 3), ("wb", 3)]:
        spread = (drawn[f"{key}_high"][1] - drawn[f"{key}_low"][1]) / 3.92
        assert abs(drawn[key] - expected) < 4 * spread / np.sqrt(60) + 0.03 * (key == "ols")


def test_rates_of_false_positives_are_those_of_a_study(small: Small) -> None:
    trial = ms.Population(
        "score ~ treated + (1 | clinic)",
        clusters={"clinic": 20},
        size=10,
        variables={"treated": ms.Assigned([0, 1], level="clinic")},
        fixef={"Intercept": 20, "treated": 0},
        ranef={"clinic": {"sd": float(np.sqrt(0.3))}},
        sigma=float(np.sqrt(0.7)),
    )
    mixed = "score ~ treated + (1 | clinic)"
    analyses = {
        "ols": "score ~ treated",
        "z": ms.Analysis(mixed, ddf="wald"),
        "satterthwaite": mixed,
        "kr": ms.Analysis(mixed, ddf="kenward-roger"),
        "means": ms.Analysis("score ~ treated", aggregate="clinic"),
    }
    study = ms.study(trial, analyses, 200, 1)
    rates = study.summary().xs("treated", level="parameter")["power"]
    drawn = small["p_values"].at(clusters=20, icc=0.3, test="z")
    for key in analyses:
        assert drawn[key] == pytest.approx(rates[key], abs=1e-12)
        assert drawn[f"{key}_rate"][1] == pytest.approx(100 * rates[key], abs=1e-10)
        assert drawn[f"{key}_low"][1] < 100 * rates[key] < drawn[f"{key}_high"][1]
    p = study.replicates.query("analysis == 'z' and parameter == 'treated'")["p"]
    np.testing.assert_allclose(drawn["bins"], np.histogram(p, bins=20, range=(0, 1))[0] / 200)
    assert drawn["ols"] > 0.3 > 0.15 > drawn["means"]  # rows of one clinic are not independent; its mean is one number


@pytest.mark.parametrize("name", ["shrinkage", "random_slopes", "confounder", "p_values"])
def test_one_seed_gives_the_same_and_another_gives_another(name: str) -> None:
    options: dict[str, dict[str, object]] = {
        "shrinkage": {"tau": (1, 3), "sigma": (4, 6), "sizes": (4, 5)},
        "random_slopes": {"sd_intercept": (5, 6), "sd_slope": (1, 2), "corr": (0, 0.1)},
        "confounder": {"sizes": (4, 5), "strengths": (0, 1), "n": 5},
        "p_values": {"clusters": (4, 6), "icc": (0, 0.1), "n": 10},
    }
    first, again, other = (getattr(ms.explore, name)(**options[name], seed=seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first.table(), again.table())
    assert not first.table().equals(other.table())


def test_every_option_changes_what_it_names() -> None:
    little = {"tau": (1, 3), "sigma": (4, 6), "sizes": (4, 5)}
    assert [len(ms.explore.shrinkage(**little, groups=k).table()) for k in (5, 9)] == [5, 9]
    little = {"sd_intercept": (5, 6), "sd_slope": (1, 2), "corr": (0, 0.1)}
    assert [len(ms.explore.random_slopes(**little, groups=k).table()) for k in (5, 9)] == [5, 9]
    little = {"sizes": (4, 5), "strengths": (0, 1)}
    few = ms.explore.confounder(**little, groups=6, n=5)
    assert len(few.at()["mean_x"]) == 6
    assert "mean slope of 5 data sets" in few.alt
    small_clinics, large = (ms.explore.p_values(clusters=(6, 20), icc=(0, 0.5), size=m, n=100) for m in (2, 30))
    assert small_clinics.at(icc=0.5)["ols"] < large.at(icc=0.5)["ols"]
    assert "of 100 trials" in large.alt


SEVERAL = "must be at least two different"
SENTENCES = [
    ("shrinkage", {"tau": (1,)}, f"tau {SEVERAL} numbers from 0 to 100, found (1,)."),
    ("shrinkage", {"tau": 3}, f"tau {SEVERAL} numbers from 0 to 100, found 3."),
    ("shrinkage", {"tau": (1, float("nan"))}, f"tau {SEVERAL} numbers from 0 to 100, found (1, nan)."),
    ("shrinkage", {"sigma": (0, 2)}, f"sigma {SEVERAL} numbers from 0.1 to 100, found (0, 2)."),
    ("shrinkage", {"sizes": (2, 2.5)}, f"sizes {SEVERAL} whole numbers from 2 to 500, found (2, 2.5)."),
    ("shrinkage", {"sizes": "ab"}, f"sizes {SEVERAL} whole numbers from 2 to 500, found 'ab'."),
    ("shrinkage", {"groups": 4}, "groups must be a whole number of at least 5, found 4."),
    ("random_slopes", {"corr": (0, 1)}, f"corr {SEVERAL} numbers from -0.99 to 0.99, found (0, 1)."),
    ("random_slopes", {"sd_slope": (1, 1)}, f"sd_slope {SEVERAL} numbers from 0 to 100, found (1, 1)."),
    ("random_slopes", {"groups": True}, "groups must be a whole number of at least 5, found True."),
    ("confounder", {"strengths": (-1, 2)}, f"strengths {SEVERAL} numbers from 0 to 100, found (-1, 2)."),
    ("confounder", {"n": 1}, "n must be a whole number of at least 5, found 1."),
    ("p_values", {"icc": (0, 1)}, f"icc {SEVERAL} numbers from 0 to 0.95, found (0, 1)."),
    ("p_values", {"clusters": (2, 4)}, f"clusters {SEVERAL} whole numbers from 4 to 1000, found (2, 4)."),
    ("p_values", {"size": 1}, "size must be a whole number of at least 2, found 1."),
]


@pytest.mark.parametrize(("name", "options", "sentence"), SENTENCES)
def test_a_grid_that_is_none_is_one_sentence(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ms.MixedsimError) as raised:
        getattr(ms.explore, name)(**options)
    assert str(raised.value) == sentence
