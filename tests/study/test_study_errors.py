"""What is refused before anything is drawn, and what is counted afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.study import draws as draws_module
from mixedsim.study.analysis import settled_analyses
from tests.study.clinics import MIXED, redrawn


def quiet(*args, **kwargs):
    return ms.study(*args, progress=False, **kwargs)


def hiding():
    population = redrawn()
    return population.with_(variables={**population.variables, "w": ms.Normal(0, 1, level="g", observed=False)})


BEFORE = {
    "a column that is not drawn": (
        lambda: quiet(redrawn(), {"naive": "y ~ z"}, 3, 1),
        "the analysis 'naive' uses 'z', which is not drawn: the columns of the data are g, x, w and y.",
    ),
    "two of them": (
        lambda: quiet(redrawn(), {"naive": "y ~ z * v"}, 3, 1),
        "the analysis 'naive' uses 'v' and 'z', which are not drawn: the columns of the data are g, x, w and y.",
    ),
    "a hidden one": (
        lambda: quiet(hiding(), {"mixed": MIXED}, 3, 1),
        "the analysis 'mixed' uses 'w', which is not observed, so that no fit can see it: the columns of the data are "
        "g, x and y.",
    ),
    "a group that is not drawn": (
        lambda: quiet(redrawn(), {"means": ms.Analysis("y ~ x", aggregate="school")}, 3, 1),
        "the analysis 'means' uses 'school', which is not drawn: the columns of the data are g, x, w and y.",
    ),
    "a column that a fit's data have not": (
        lambda: quiet(
            ms.lmer("Reaction ~ Days + (1 | Subject)", ms.datasets.load("sleepstudy")), {"a": "Reaction ~ x"}, 3
        ),
        "the analysis 'a' uses 'x', which is not drawn: the columns of the data are Reaction, Days and Subject.",
    ),
    "another outcome": (
        lambda: quiet(redrawn(family="poisson", sigma=None, name="visits"), "y ~ x", 3, 1),
        "the analysis 'ols' is a linear model, and visits has a poisson outcome: give a function of the data in its "
        "place, which returns estimates by name.",
    ),
    "a log link": (
        lambda: quiet(redrawn(family=("gaussian", "log")), MIXED, 3, 1),
        "the analysis 'mixed' is a linear model, and a population has a gaussian outcome with a log link: give a "
        "function of the data in its place, which returns estimates by name.",
    ),
    "no analyses": (
        lambda: quiet(redrawn(), {}, 3, 1),
        "analyses are empty: give at least one formula, as in {'mixed': 'y ~ x + (1 | g)'}.",
    ),
    "no analysis": (
        lambda: quiet(redrawn(), {"a": 3}, 3, 1),
        "the analysis 'a' must be a formula, ms.Analysis or a function of the data, found 3.",
    ),
    "no analyses at all": (
        lambda: quiet(redrawn(), 3, 3, 1),
        "analyses must be formulas by name, as in {'mixed': 'y ~ x + (1 | g)'}, found 3: write n=3.",
    ),
    "a name that is none": (
        lambda: quiet(redrawn(), {1: MIXED}, 3, 1),
        "the name of an analysis must be text, found 1.",
    ),
    "one name twice": (
        lambda: quiet(redrawn(), [MIXED, MIXED], 3, 1),
        f"two analyses are called {MIXED!r}: name them, as in {{'first': …, 'second': …}}.",
    ),
    "ddf": (
        lambda: ms.Analysis(MIXED, ddf="z"),
        "ddf must be 'satterthwaite', 'kenward-roger' or 'wald', found 'z'.",
    ),
    "level": (lambda: ms.Analysis(MIXED, level=95), "level must lie between 0 and 1, found 95."),
    "reml": (lambda: ms.Analysis(MIXED, reml="no"), "reml must be True or False, found 'no'."),
    "ML of least squares": (
        lambda: ms.Analysis("y ~ x", reml=False),
        "reml=False is for mixed models, and 'y ~ x' has no random term: leave reml out.",
    ),
    "Kenward and Roger after ML": (
        lambda: ms.Analysis(MIXED, reml=False, ddf="kenward-roger"),
        "ddf='kenward-roger' needs reml=True: its correction is one of the REML estimates.",
    ),
    "a mixed model of means": (
        lambda: ms.Analysis("y ~ x + (1 | g)", aggregate="g"),
        "aggregate='g' leaves one row a unit, in which nothing varies by group: leave (1 | g) out.",
    ),
    "aggregate": (
        lambda: ms.Analysis("y ~ x", aggregate=True),
        "aggregate must be the name of a cluster, found True.",
    ),
    "alpha": (lambda: quiet(redrawn(), MIXED, 3, 1, alpha=5), "alpha must lie between 0 and 1, such as 0.05, found 5."),
    "no draws": (lambda: ms.study.fit(redrawn(), MIXED), "study.fit needs what study.draw returns, found Population."),
}


@pytest.mark.parametrize("name", BEFORE)
def test_refused_before_anything_is_drawn(name, monkeypatch):
    call, sentence = BEFORE[name]

    def no_draw(*args, **kwargs):
        raise AssertionError("something was drawn")

    monkeypatch.setattr(ms.Population, "draw", no_draw)
    with pytest.raises(ms.MixedsimError) as error:
        call()
    assert str(error.value) == sentence


def test_a_formula_that_cannot_be_read_is_an_error_of_its_own():
    with pytest.raises(ms.FormulaError, match="no '~'"):
        quiet(redrawn(), "y", 3, 1)


ALWAYS = {
    "one row a level": (
        "y ~ x + (1 | g:x)",
        "the analysis 'a' fails in each of the first 20 replicates, in the first because",
    ),
    "one row a level, few replicates": (
        "y ~ x + (1 | g:x)",
        "the analysis 'a' fails in every replicate, in the first because",
    ),
    "categories of which there is no mean": (
        ms.Analysis("y ~ g", aggregate="w"),
        "the analysis 'a' fails in each of the first 20 replicates, in the first because",
    ),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_what_always_fails_is_wrong(name):
    analysis, start = ALWAYS[name]
    with pytest.raises(ms.MixedsimError) as error:
        quiet(redrawn(), {"a": analysis}, 5 if "few" in name else 30, 1)
    assert str(error.value).startswith(start)


def test_analyses_by_whatever_they_were_given():
    def mine(data):
        return {}

    names = {
        "y ~ x + (1 | g)": ["mixed"],
        "y ~ x": ["ols"],
        ms.Analysis("y ~ x", aggregate="g"): ["means"],
        mine: ["mine"],
        ("y ~ x", MIXED): ["y ~ x", MIXED],
        (ms.Analysis(MIXED), ms.Analysis(MIXED, ddf="wald", level=0.9), ms.Analysis(MIXED, reml=False), mine): [
            MIXED,
            f"{MIXED}, wald, level 0.9",
            f"{MIXED}, ML",
            "mine",
        ],
    }
    for given, expected in names.items():
        assert list(settled_analyses(given)) == expected
    assert list(settled_analyses(None, MIXED)) == ["mixed"]
    assert settled_analyses(None, redrawn())["mixed"].formula == MIXED


# ---- failures that belong to a replicate


def rare():
    """Twelve rows, and a treatment that hardly anybody gets: in some replicates nobody."""
    return ms.Population(
        "y ~ arm + (1 | g)",
        clusters={"g": 4},
        size=3,
        variables={"arm": ms.Categorical(["no", "yes"], [0.9, 0.1])},
        fixef={"Intercept": 0, "arm[T.yes]": 1},
        ranef={"g": {"sd": [1]}},
        sigma=1,
    )


@pytest.mark.parametrize("formula", ["y ~ arm + (1 | g)", "y ~ arm"])
def test_a_failed_fit_is_counted_and_never_dropped(formula):
    study = quiet(rare(), {"a": formula}, n=60, seed=1)
    without = [k for k, sample in enumerate(study.draws) if sample.data["arm"].nunique() < 2]
    assert 5 < len(without) < 40, "some, not all"
    rows, parameters = study.replicates, study.replicates["parameter"].nunique()
    failed = rows[rows["error"].notna()]
    assert len(rows) == 60 * parameters
    assert failed["replicate"].unique().tolist() == without
    assert len(failed) == len(without) * parameters
    assert failed[["estimate", "se", "df", "p", "lower", "upper"]].isna().all(axis=None)
    assert not failed[["converged", "singular"]].any(axis=None)
    assert failed["error"].str.contains("arm").all() or failed["error"].str.contains("coefficients").all()
    summary = study.summary()
    assert (summary["failed"] == len(without)).all()
    assert (summary["n"] == 60 - len(without)).all()
    p = rows.loc[rows["parameter"] == "arm[T.yes]", "p"].dropna()
    assert summary.loc[("a", "arm[T.yes]"), "power"] == (p < 0.05).mean(), "a failure is no test that kept silent"
    failures = study.failures()
    assert failures.columns.tolist() == ["replicate", "seed", "analysis", "error"]
    assert failures["replicate"].tolist() == without
    assert f"a failed in {len(without)} of 60 replicates" in str(study)


def test_a_study_in_which_nothing_fails_says_so_with_an_empty_table():
    failures = quiet(redrawn(), "y ~ x", n=3, seed=1).failures()
    assert len(failures) == 0
    assert failures.columns.tolist() == ["replicate", "seed", "analysis", "error"]


@pytest.mark.parametrize("error", [ms.DataError("too flat."), ValueError("too flat"), ZeroDivisionError("too flat"),
                                   np.linalg.LinAlgError("too flat")])  # fmt: skip
def test_what_a_method_may_run_into_is_counted(error):
    def sometimes(data):
        if data["y"].iloc[0] < 1:
            raise error
        return {"first": data["y"].iloc[0]}

    study = quiet(redrawn(), {"f": sometimes}, n=30, seed=1)
    below = [k for k, sample in enumerate(study.draws) if sample.data["y"].iloc[0] < 1]
    assert study.failures()["replicate"].tolist() == below
    own = isinstance(error, ms.MixedsimError)
    said = str(error) if own else f"the function stopped with {type(error).__name__} (too flat)."
    assert set(study.failures()["error"]) == {said}


def test_a_mistake_in_a_function_stops_the_study_and_names_the_replicate():
    def wrong(data):
        if data["y"].iloc[0] < 0:
            raise KeyError("nothing")
        return {"first": 1.0}

    draws = ms.study.draw(redrawn(), 30, 1)
    k = next(k for k, sample in enumerate(draws) if sample.data["y"].iloc[0] < 0)
    assert k > 0
    with pytest.raises(ms.MixedsimError) as error:
        ms.study.fit(draws, {"f": wrong}, progress=False)
    assert str(error.value) == (
        f"the analysis 'f' stopped with KeyError ('nothing') in replicate {k}, seed {draws.seeds[k]}: "
        f"study.draw(…)[{k}].data are the data."
    )
    assert isinstance(error.value.__cause__, KeyError)


def test_what_a_function_must_return():
    fit = ms.lmer(MIXED, redrawn().draw(seed=1).data)
    for returned, found in (
        (None, "None"),
        (3.0, "3.0"),
        ([1.0], "list"),
        (pd.DataFrame({"se": [1.0]}), "a table with 'se'"),
        (pd.Series(dtype=float), "an empty Series"),
        (fit, "a LinearMixedModel: return its coefficients()"),
    ):
        with pytest.raises(ms.MixedsimError) as error:
            quiet(redrawn(), {"f": lambda data, returned=returned: returned}, 3, 1)
        assert str(error.value) == (
            "the analysis 'f' fails in every replicate, in the first because it must return a Series of estimates by "
            f"parameter, or a table with a column estimate (and se, df, p, lower, upper), found {found}."
        )
    for returned, why in (
        ({"m": "big"}, "it must return numbers, found 'big'."),
        ({"m": np.nan}, "it has returned no estimate, only missing values."),
    ):
        with pytest.raises(ms.MixedsimError) as error:
            quiet(redrawn(), {"f": lambda data, returned=returned: returned}, 3, 1)
        assert str(error.value) == f"the analysis 'f' fails in every replicate, in the first because {why}"


def test_a_function_that_returns_other_names_has_failed_there():
    def moods(data):
        return {"up" if data["y"].iloc[0] > 1 else "down": 1.0}

    study = quiet(redrawn(), {"f": moods}, n=20, seed=1)
    first = study.replicates["parameter"][0]
    other = "down" if first == "up" else "up"
    assert set(study.failures()["error"]) == {f"the function returned {other} here, and {first} elsewhere."}


def test_a_replicate_that_cannot_be_drawn_is_named():
    """A probability above 1 now and then: to leave those replicates out would be to study another population."""
    population = redrawn(variables={"x": ms.Normal(0, 1), "p": ms.Derived("0.6 + 0.15 * x"), "w": ms.Bernoulli("p")})
    draws = ms.study.draw(population, 40, 2)
    with pytest.raises(ms.PopulationError) as error:
        ms.study.fit(draws, "y ~ x", progress=False)
    start, _, rest = str(error.value).partition(" cannot be drawn: ")
    k = int(start.split()[1])
    assert start == f"replicate {k} (seed {draws.seeds[k]})"
    with pytest.raises(ms.PopulationError) as own:
        population.draw(int(draws.seeds[k]))
    assert str(own.value) == rest


# ---- results in a folder


def mean_of_y(data):
    return {"mean": data["y"].mean()}


def test_a_folder_knows_its_study(tmp_path):
    pytest.importorskip("pyarrow")
    given = {"mixed": MIXED, "mean": mean_of_y}
    study = quiet(redrawn(), given, n=12, seed=1, out=tmp_path / "kept")
    again = quiet(redrawn(), given, n=12, seed=1, out=tmp_path / "kept")
    pd.testing.assert_frame_equal(study.replicates, again.replicates, check_exact=True)
    pd.testing.assert_frame_equal(study.summary(), quiet(redrawn(), given, n=12, seed=1).summary(), check_exact=True)
    assert study.replicates.dtypes.equals(quiet(redrawn(), given, n=12, seed=1).replicates.dtypes)
    others = (
        ((redrawn(), given, 12, 2), {}),
        ((redrawn(sigma=2), given, 12, 1), {}),
        ((redrawn(), {"mixed": ms.Analysis(MIXED, ddf="wald"), "mean": mean_of_y}, 12, 1), {}),
        ((redrawn(), given, 12, 1), {"redraw": "response"}),
        ((redrawn(), {"mixed": MIXED, "mean": lambda data: {"mean": data["y"].median()}}, 12, 1), {}),
    )
    for args, kwargs in others:
        with pytest.raises(ms.MixedsimError):
            quiet(*args, **kwargs, out=tmp_path / "kept")


def test_a_function_that_uses_what_nobody_can_compare_cannot_be_kept(tmp_path):
    pytest.importorskip("pyarrow")
    weights = np.ones(3)

    class Mean:
        def __call__(self, data):
            return {"m": data["y"].mean()}

    for function, sentence in (
        (
            lambda data: {"m": weights.sum() * data["y"].mean()},
            "the analysis 'f' uses weights, a ndarray, of which a folder of results cannot tell whether it is the same "
            "next time: make it inside the function, or leave out out=.",
        ),
        (
            Mean(),
            "the analysis 'f' is a Mean, and a folder of results cannot tell it from another one: make it a function, "
            "or leave out out=.",
        ),
    ):
        with pytest.raises(ms.MixedsimError) as error:
            quiet(redrawn(), {"f": function}, 3, 1, out=tmp_path / "kept")
        assert str(error.value) == sentence


def test_a_folder_needs_a_seed(tmp_path):
    with pytest.raises(ms.MixedsimError) as error:
        quiet(redrawn(), n=3, out=tmp_path / "kept")
    assert str(error.value) == (
        "out= needs a seed: without one every call is another study, which cannot go on from it."
    )


def test_the_size_of_blocks_changes_no_number(monkeypatch):
    before = quiet(redrawn(), {"a": MIXED, "b": "y ~ x"}, n=20, seed=1).replicates
    monkeypatch.setattr(draws_module, "_MOST", 7)
    after = quiet(redrawn(), {"a": MIXED, "b": "y ~ x"}, n=20, seed=1).replicates
    pd.testing.assert_frame_equal(before, after, rtol=1e-7)


def test_blocks_with_and_without_failures_have_the_same_types(monkeypatch):
    monkeypatch.setattr(draws_module, "_MOST", 4)
    study = quiet(rare(), {"a": "y ~ arm + (1 | g)"}, n=24, seed=1)
    frames = list(study.results)
    assert len({frame["error"].notna().any() for frame in frames}) == 2, "some with, some without"
    for frame in frames:
        assert frame.dtypes.equals(frames[0].dtypes)
    assert study.replicates.dtypes.equals(frames[0].dtypes)
    assert {type(one) for one in study.replicates["error"]} == {str, type(None)}


def test_a_replicate_that_lacks_a_coefficient_is_no_pattern_for_the_others() -> None:
    """With three clinics chance may give all of them the treatment, in the first replicate as in any other."""
    few = ms.Population(
        "y ~ treated + (1 | clinic)", clusters={"clinic": 3}, size=6,
        variables={"treated": ms.Bernoulli(0.5, level="clinic")},
        fixef={"Intercept": 1, "treated": 2}, ranef={"clinic": {"sd": 1}}, sigma=1,
    )  # fmt: skip
    seed = next(seed for seed in range(50) if ms.study.draw(few, 1, seed)[0].data["treated"].std() == 0)
    for analysis in ("y ~ treated + (1 | clinic)", "y ~ treated"):
        found = ms.study(few, analysis, n=60, seed=seed)
        alike = [found.sample(k).data["treated"].std() == 0 for k in range(60)]
        table = found.summary().xs("treated", level="parameter").iloc[0]
        assert table["failed"] == sum(alike)
        assert set(found.failures()["replicate"]) == set(np.flatnonzero(alike))


def test_beside_indicators_of_groups_the_intercept_has_no_truth() -> None:
    pop = ms.scenarios.therapist_plain(therapists=6, patients=5)
    truth = ms.study(pop, {"a": "anxiety ~ depression", "b": "anxiety ~ depression + therapist"}, n=3, seed=1)
    by_name = truth.summary()["truth"]
    assert by_name["a", "Intercept"] == 45.0
    assert np.isnan(by_name["b", "Intercept"])
    assert by_name["b", "depression"] == 3.0
