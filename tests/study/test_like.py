"""Populations like a fit: the parameters are the fit's, and the data they draw are like the data that were fitted."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.simulate import Assigned, Bernoulli, Categorical, Derived, LogNormal, Normal

STANDARD_ERRORS = 4.5

FITS = {
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "nlschools": "lang ~ IQ + SES + GS + COMB + (IQ | class)",
    "Penicillin": "diameter ~ 1 + (1 | plate) + (1 | sample)",
    "Pastes": "strength ~ 1 + (1 | batch/cask)",
}


@cache
def fitted(name):
    fit = ms.lmer(FITS[name], ms.datasets.load(name))
    return fit, ms.Population.from_fit(fit)


def like(formula, data, **options):
    return ms.Population.from_fit(ms.lmer(formula, data, **options))


# ---- the whole


@pytest.mark.parametrize("name", FITS)
def test_formula_and_parameters_are_those_of_the_fit(name):
    fit, population = fitted(name)
    truth = population.draw(seed=1).truth
    assert population.formula == fit.formula
    np.testing.assert_allclose(truth.fixef, fit.fixef, rtol=1e-14)
    assert list(truth.fixef.index) == list(fit.fixef.index)
    assert population.sigma == fit.sigma
    keys = ["group", "term1", "term2"]
    both = fit.varcorr.merge(truth.varcorr, on=keys)
    assert len(both) == len(fit.varcorr) == len(truth.varcorr)
    np.testing.assert_allclose(both["sd_or_corr_x"], both["sd_or_corr_y"], rtol=1e-9)


@pytest.mark.parametrize("name", FITS)
def test_rows_and_groups_are_as_many_as_in_the_data(name):
    fit, population = fitted(name)
    data = population.draw(seed=1).data
    again = ms.lmer(population.formula, data)
    assert again.nobs == fit.nobs
    assert again.n_groups == fit.n_groups
    for one, other in zip(fit.design.factors, again.design.factors, strict=True):
        assert sorted(np.bincount(one.codes)) == sorted(np.bincount(other.codes))


@pytest.mark.parametrize("name", FITS)
def test_what_it_draws_is_as_informative_as_the_data(name):
    # a twin has the fit's variances exactly, so that only the imitated predictors can make standard errors differ
    fit, population = fitted(name)
    again = ms.lmer(population.formula, ms.twin(population, seed=1).data)
    ratio = np.sqrt(np.diag(again.vcov) / np.diag(fit.vcov))
    np.testing.assert_allclose(ratio, 1, atol=1e-6 if name != "nlschools" else 0.2)


@pytest.mark.parametrize("name", FITS)
def test_fits_to_what_it_draws_are_centred_at_the_fit(name):
    fit, population = fitted(name)
    draws = 10 if name == "nlschools" else 25
    fits = [ms.lmer(population.formula, population.draw(seed=seed).data) for seed in range(draws)]
    se = np.sqrt(np.mean([np.diag(one.vcov) for one in fits], axis=0) / draws)
    away = np.mean([one.fixef for one in fits], axis=0) - fit.fixef
    assert (np.abs(away) < STANDARD_ERRORS * se).all()
    # σ² has some n − p − q degrees of freedom, of which half are a safe guess
    sigma2 = np.mean([one.sigma**2 for one in fits])
    assert abs(sigma2 / fit.sigma**2 - 1) < STANDARD_ERRORS * np.sqrt(2 / (draws * fit.nobs / 2))
    for factor in fit.design.factors:
        # an estimated variance of J levels has at least the variance 2/J; residuals add to it where there are few rows
        found = np.mean([np.diag(one.covariances[factor.name]) for one in fits], axis=0)
        known = np.diag(fit.covariances[factor.name])
        size = [np.mean(np.square(c)) for term in factor.terms for c in term.columns.columns]
        noise = fit.sigma**2 / (np.array(size) * fit.nobs / len(factor.levels))
        bound = STANDARD_ERRORS * (known + noise) * np.sqrt(2 / (len(factor.levels) * draws))
        assert (np.abs(found - known) < bound).all()


@pytest.mark.parametrize("name", FITS)
def test_it_can_be_written_as_a_file(name):
    _, population = fitted(name)
    assert ms.Population.from_yaml(population.to_yaml()) == population


def test_predictors_look_like_those_of_the_data():
    data = ms.datasets.load("nlschools")
    _, population = fitted("nlschools")
    drawn = population.draw(seed=1).data
    for name in ("IQ", "SES"):
        one, other = (frame.groupby("class", observed=True)[name].mean() for frame in (data, drawn))
        assert abs(one.mean() - other.mean()) < STANDARD_ERRORS * one.std() / 133**0.5
        assert abs(one.std() / other.std() - 1) < STANDARD_ERRORS / (2 * 133) ** 0.5
        assert abs(data[name].std() / drawn[name].std() - 1) < 0.1
        assert drawn[name].between(data[name].min(), data[name].max()).all()
    assert (drawn["IQ"] * 2 % 1 == 0).all()
    assert drawn["SES"].dtype.kind == drawn["GS"].dtype.kind == "i"
    for name in ("GS", "COMB"):
        assert drawn.groupby("class", observed=True)[name].nunique().max() == 1
    combined = [frame.drop_duplicates("class")["COMB"].astype(str).eq("1").sum() for frame in (data, drawn)]
    assert combined[0] == combined[1]


# ---- clusters


def rows(**columns):
    """A table of these columns with a response of pure chance."""
    frame = pd.DataFrame(columns)
    return frame.assign(y=np.random.default_rng(1).normal(size=len(frame)))


def test_names_that_are_used_again_in_every_group_are_other_units():
    a = np.repeat(np.arange(6), 6)
    b = np.tile(np.repeat(["x", "y", "z"], 2), 6)
    population = like("y ~ 1 + (1 | a/b)", rows(a=a, b=b))
    assert population.clusters == {"a": 6, "b": {"in": "a", "n": 3}}
    assert population.size == 2


def test_clusters_named_in_any_order_nest_as_they_lie():
    a = np.repeat(np.arange(5), [4, 6, 8, 4, 6])
    b = np.arange(28) // 2
    population = like("y ~ 1 + (1 | b) + (1 | a)", rows(a=a, b=b))
    assert population.clusters == {"a": 5, "b": {"in": "a", "n": ms.Sizes([2, 3, 4, 2, 3])}}


def test_groups_of_any_size_keep_their_sizes():
    sizes = [3, 1, 7, 2, 9, 4]
    shuffled = np.random.default_rng(2).permutation(np.repeat(np.arange(6), sizes))
    population = like("y ~ 1 + (1 | g)", rows(g=shuffled))
    assert population.size == ms.Sizes(sizes)
    assert population.draw(seed=1).data["g"].value_counts(sort=False).tolist() == sizes


def test_crossed_factors_keep_the_rows_of_every_combination():
    counts = np.random.default_rng(3).integers(1, 4, size=(5, 4))
    a, b = (np.repeat(codes, counts.ravel()) for codes in np.indices((5, 4)).reshape(2, -1))
    population = like("y ~ 1 + (1 | a) + (1 | b)", rows(a=a, b=b))
    assert population.clusters == {"a": 5, "b": 4}
    drawn = population.draw(seed=1).data
    np.testing.assert_array_equal(pd.crosstab(drawn["a"], drawn["b"]), counts)


def test_factors_that_cross_within_a_third():
    clinic, patient, therapist = np.indices((4, 5, 3)).reshape(3, -1)
    data = rows(clinic=clinic, patient=clinic * 5 + patient, therapist=clinic * 3 + therapist)
    data = pd.concat([data, data.assign(y=-data["y"] + 0.3)])
    population = like("y ~ 1 + (1 | clinic) + (1 | patient) + (1 | therapist)", data)
    assert population.clusters == {
        "clinic": 4, "patient": {"in": "clinic", "n": 5}, "therapist": {"in": "clinic", "n": 3}
    }  # fmt: skip
    assert population.size == 2


def test_combinations_of_crossed_factors():
    a, b = np.repeat(np.indices((6, 5)).reshape(2, -1), 3, axis=1)
    population = like("y ~ 1 + (1 | a) + (1 | b) + (1 | a:b)", rows(a=a, b=b))
    assert population.clusters == {"a": 6, "b": 5}
    assert population.size == 3


def test_who_meets_only_some_meets_as_many_again():
    rng = np.random.default_rng(4)
    met = [rng.choice(12, size=size, replace=False) for size in rng.integers(3, 9, size=30)]
    a, b = np.repeat(np.arange(30), [len(one) for one in met]), np.concatenate(met)
    population = like("y ~ 1 + (1 | a) + (1 | b)", rows(a=a, b=b))
    drawn = population.draw(seed=1).data
    assert population.size == 1
    many = [frame.groupby("a", observed=True)["b"].nunique() for frame in (pd.DataFrame({"a": a, "b": b}), drawn)]
    assert abs(many[0].mean() - many[1].mean()) < STANDARD_ERRORS * many[0].std() / 30**0.5
    assert not drawn.duplicated(["a", "b"]).any()


def test_who_meets_some_by_turns_does_so_again():
    a = np.repeat(np.arange(12), 3)
    b = (np.arange(36)) % 9
    population = like("y ~ 1 + (1 | a) + (1 | b)", rows(a=a, b=b))
    assert population.clusters == {"a": 12, "b": {"n": 9, "rotate": 3}}


# ---- predictors

G = np.repeat(np.arange(20), 6)
RNG = np.random.default_rng(5)


def variable(values, *, formula="y ~ x + (1 | g)", **columns):
    """How x is imitated beside the groups G."""
    return like(formula, rows(g=G, x=values, **columns)).variables


def test_values_that_come_again_in_every_group_are_given_out_again():
    assert variable(np.tile([0, 1, 2, 4, 8, 16], 20))["x"] == Assigned([0, 1, 2, 4, 8, 16], within="g")
    shuffled = np.concatenate([RNG.permutation([0, 1, 2, 4, 8, 16]) for _ in range(20)])
    assert variable(shuffled)["x"] == Assigned([0, 1, 2, 4, 8, 16], within="g")


def test_combinations_that_come_again_stay_together():
    leg, time = np.tile(["left", "right"] * 3, 20), np.tile(["one", "one", "three", "three", "two", "two"], 20)
    found = variable(leg, formula="y ~ x * time + (1 | g)", time=time)
    data = like("y ~ x * time + (1 | g)", rows(g=G, x=leg, time=time)).draw(seed=1).data
    assert data.groupby(["g", "x", "time"], observed=True).size().eq(1).all()
    assert found["x"].categories() == ("left", "right")
    assert found["time"].categories() == ("one", "three", "two")


def test_whoever_has_fewer_rows_lacks_the_last():
    sizes = [4] * 12 + [3] * 5 + [1] * 3
    g, day = np.repeat(np.arange(20), sizes), np.concatenate([np.arange(size) * 7 for size in sizes])
    population = like("y ~ day + (1 | g)", rows(g=g, day=day))
    assert population.variables["day"] == Assigned([0, 7, 14, 21], within="g")
    assert population.draw(seed=1).data["day"].tolist() == day.tolist()


def test_a_reference_that_does_not_come_first_stays_the_reference():
    sizes = [2] * 15 + [1] * 5
    g = np.repeat(np.arange(20), sizes)
    time = np.concatenate([["pre", "post"][:size] for size in sizes])  # in the alphabet post comes before pre
    population = like("y ~ time + (1 | g)", rows(g=g, time=time))
    assert list(population.fixef) == ["Intercept", "time[T.pre]"]
    assert population.draw(seed=1).data["time"].astype(str).tolist() == time.tolist()
    assert not population.variables["time_number"].observed


def test_visits_of_which_some_did_not_take_place_are_never_two_at_once():
    planned = [0, 3, 6, 9, 12, 24, 36, 48]
    visits = np.concatenate([np.sort(RNG.choice(planned, size=6, replace=False)) for _ in range(20)])
    data = like("y ~ x + (1 | g)", rows(g=G, x=visits)).draw(seed=1).data
    assert not data.duplicated(["g", "x"]).any()
    assert set(data["x"]) == set(planned)


def test_what_is_constant_in_a_group_is_the_groups():
    price = RNG.normal(50, 10, 20)
    found = variable(price[G])["x"]
    assert isinstance(found, Derived)  # prices are not negative, and stay so
    found = variable((price - 50)[G])["x"]
    assert isinstance(found, Normal)
    assert found.level == "g"
    assert abs(found.mean - (price - 50).mean()) < 1e-3
    assert abs(found.sd - price.std(ddof=1)) < 1e-3


def test_named_levels_of_groups_are_as_many_as_in_the_data():
    arm = np.array(["new"] * 7 + ["usual"] * 13)[RNG.permutation(20)]
    found = variable(arm[G])["x"]
    assert isinstance(found, Assigned)
    assert (found.level, found.shuffle) == ("g", True)
    assert sorted(found.values) == sorted(arm)
    assert found.categories() == ("new", "usual")


def test_arms_in_every_region_are_in_every_region_again():
    region = G // 4
    arm = np.tile(np.repeat(["a", "a", "b", "b"], 6), 5)
    population = like("y ~ x + (1 | region/g)", rows(g=G, x=arm, region=region))
    assert population.variables["x"] == Assigned(["a", "a", "b", "b"], level="g", within="region", shuffle=True)
    per_region = population.draw(seed=1).data.drop_duplicates(["region", "g"]).groupby("region", observed=True)["x"]
    assert per_region.apply(lambda one: one.eq("a").sum()).eq(2).all()


def test_named_levels_of_rows_have_their_shares():
    kind = pd.Categorical(RNG.choice(["c", "b", "a"], size=120, p=[0.5, 0.3, 0.2]), categories=["c", "a", "b"])
    found = variable(kind)["x"]
    assert isinstance(found, Categorical)
    assert found.categories() == ("c", "a", "b")
    np.testing.assert_allclose(found.probs, kind.value_counts() / 120)


def test_yes_and_no_and_a_few_steps():
    yes = RNG.random(120) < 0.3
    assert variable(yes)["x"] == variable(yes.astype(int))["x"] == Bernoulli(float(f"{yes.mean():.5g}"))
    steps = RNG.choice([1, 2, 5], size=120, p=[0.6, 0.3, 0.1])
    found = variable(steps)["x"]
    assert isinstance(found, Assigned)
    assert found.shuffle
    assert np.bincount(found.values).tolist() == np.bincount(steps).tolist()


def test_a_scale_within_a_function_of_the_formula():
    dose = RNG.choice([0, 10, 20], size=120)
    population = like("y ~ C(x) + (1 | g)", rows(g=G, x=dose))
    assert list(population.fixef) == ["Intercept", "C(x)[T.10]", "C(x)[T.20]"]
    amount = np.exp(RNG.normal(3, 0.4, 120))
    population = like("y ~ log(x) + (log(x) | g)", rows(g=G, x=amount))
    assert (population.draw(seed=1).data["x"] > 0).all()


def test_numbers_have_a_part_for_every_group_that_matters():
    groups = RNG.normal(0, 3, 20)[G]
    population = like("y ~ x + z + (1 | g)", rows(g=G, x=groups + RNG.normal(size=120), z=RNG.normal(-2, 5, 120)))
    known = population.variables
    assert not known["x_g"].observed
    assert known["x_g"].level == "g"
    assert 1.5 < known["x_g"].sd < 5
    assert abs(known["x"].sd - 1) < STANDARD_ERRORS / np.sqrt(2 * 100)
    assert "z_g" not in known
    assert isinstance(known["z"], Normal)


def test_numbers_are_as_round_as_in_the_data():
    for values, expected in (
        (RNG.normal(0, 30, 120).round(), "round(x_exact)"),
        (RNG.normal(0, 3, 120).round(1), "round(x_exact, 1)"),
        (np.rint(RNG.normal(0, 30, 120)) / 2, "round(x_exact * 2) / 2"),
    ):
        found = variable(values)["x"]
        assert isinstance(found, Derived)
        assert expected in found.expr
        drawn = like("y ~ x + (1 | g)", rows(g=G, x=values)).draw(seed=1).data["x"]
        assert drawn.between(values.min(), values.max()).all()


def test_positive_and_skewed_numbers_are_lognormal():
    income = np.exp(RNG.normal(7, 0.9, 120))
    found = variable(income)["x"]
    assert isinstance(found, LogNormal)
    assert abs(float(str(found.meanlog).split(" + ")[0]) - 7) < STANDARD_ERRORS * 0.9 / 120**0.5
    assert abs(found.sdlog - 0.9) < STANDARD_ERRORS * 0.9 / 240**0.5


def test_dates_count_days():
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, 120), unit="D")
    data = like("y ~ x + (1 | g)", rows(g=G, x=when)).draw(seed=1).data
    assert data["x"].between(19_723, 20_023).all()


def test_hidden_parts_never_take_the_name_of_a_column():
    x = RNG.normal(0, 3, 20)[G] + RNG.normal(size=120)
    known = like("y ~ x + (1 | g)", rows(g=G, x=x, x_g=0.0)).variables
    assert list(known) == ["x_g_", "x"]


# ---- what else


def test_a_predictor_that_was_dropped_has_no_effect():
    x = RNG.normal(size=120)
    fit = ms.lmer("y ~ x + z + (1 | g)", rows(g=G, x=x, z=2 * x))
    population = ms.Population.from_fit(fit)
    assert population.fixef["z"] == 0
    assert population.fixef["x"] == fit.fixef["x"]


def test_only_rows_that_were_fitted_count():
    data = rows(g=G, x=RNG.normal(size=120))
    data.loc[::7, "y"] = np.nan
    assert len(like("y ~ x + (1 | g)", data).draw(seed=1).data) == data["y"].notna().sum()


@pytest.mark.parametrize("formula", ["y ~ x + (x | g)", "y ~ x + (x || g)"])
def test_a_singular_fit_is_a_population_too(formula):
    data = rows(g=G, x=RNG.normal(size=120))
    fit = ms.lmer(formula, data)
    assert fit.singular
    population = ms.Population.from_fit(fit)
    np.testing.assert_allclose(population.ranef["g"]["sd"], np.sqrt(np.diag(fit.covariances["g"])), atol=1e-12)


def test_a_fit_by_maximum_likelihood_and_records_will_do():
    data = rows(g=G, x=RNG.normal(size=120))
    population = like("y ~ x + (1 | g)", data.to_dict("records"), reml=False)
    assert population.sigma == ms.lmer("y ~ x + (1 | g)", data, reml=False).sigma


def test_names_of_groups_and_values_of_the_response_stay_at_home():
    data = rows(g=np.array(list("abcdefghijklmnopqrst"))[G], x=RNG.normal(size=120))
    text = like("y ~ x + (1 | g)", data).to_yaml()
    drawn = ms.Population.from_yaml(text).draw(seed=1).data
    assert set(drawn["g"]) == {str(i) for i in range(1, 21)}
    assert not set(drawn["y"]) & set(data["y"])


def failing():
    data = rows(g=G, h=G % 5, x=RNG.normal(size=120), k=G * 10 + np.tile(np.arange(2), 60), w=1.5)
    return data.assign(both=data["g"] * 100 + np.tile([0, 0, 1, 1, 2, 2], 20), c=np.tile([0, 0, 1, 1, 2, 2], 20))


@pytest.mark.parametrize(
    ("formula", "options", "sentence"),
    [
        ("y ~ x + (1 | g)", {"weights": "w"}, "from_fit cannot imitate a model with weights: fit it without."),
        ("y ~ x + (1 | g)", {"offset": "w"}, "from_fit cannot imitate a model with an offset: fit it without."),
        (
            "exp(y) ~ x + (1 | g)", {},
            "from_fit needs a column as response, found 'exp(y)': add it to the data under a name, and fit that.",
        ),
        (
            "y ~ x + c + (1 | g:c)", {},
            "from_fit cannot imitate c, which explains rows and groups them too: add the column to the data a second "
            "time, under another name, and group by that.",
        ),
        (
            "y ~ x + (1 | g) + (1 | c) + (1 | both)", {},
            "from_fit cannot imitate 'both', which lies in both 'c' and 'g': write (c:g) for the combinations of the "
            "two, or leave one of the terms out.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_imitated_is_said_in_one_sentence(formula, options, sentence):
    with pytest.raises(ms.PopulationError) as caught:
        like(formula, failing(), **options)
    assert str(caught.value) == sentence


def test_factors_crossed_in_a_complicated_way_are_named():
    rng = np.random.default_rng(6)
    data = rows(a=rng.integers(0, 8, 60), b=rng.integers(0, 7, 60), c=rng.integers(0, 6, 60))
    with pytest.raises(ms.PopulationError) as caught:
        like("y ~ 1 + (1 | a) + (1 | b) + (1 | c)", data)
    assert str(caught.value) == (
        "from_fit cannot imitate how a, b, c are crossed, since not all combinations occur: it knows two crossed "
        "factors, of which the second lies in no other."
    )


def test_only_a_fit_will_do():
    with pytest.raises(ms.MixedsimError) as caught:
        ms.Population.from_fit("y ~ x")
    assert str(caught.value) == "from_fit needs a mixed model fitted by lmer or glmer, found str."


@pytest.mark.parametrize(
    ("formula", "kept"),
    [
        ("y ~ np.log(z + (9)) + (1 | g)", True),
        ("y ~ np.log(9 + abs(w) + z) + w + (1 | g)", True),
        ("y ~ 1 + (0 + np.log(z + 9) | g)", True),
        ("y ~ np.log(9 + w) + z + (z | g)", False),
    ],
)
def test_what_a_function_reads_keeps_its_range_wherever_it_stands(formula, kept):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 20), "z": rng.normal(size=400), "w": rng.normal(size=400)})
    data["y"] = rng.normal(size=400) + np.repeat(rng.normal(size=20), 20) * (1 + data["z"])
    variables = like(formula, data).variables
    assert isinstance(variables["z"], ms.Derived if kept else ms.Normal)
    assert not kept or variables["z"].expr.startswith("min(max(z_exact, -")
