"""Twins: `lmer` finds the truth, the dense likelihood agrees, and the truth is what the data hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixedsim as ms
from mixedsim.simulate.covariance import covariances
from mixedsim.study import twin_stage
from tests.study.twins import BOUNDARY, DESIGNS, LINE, assert_exact, made

SLOPES = DESIGNS["slopes"]


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", [*DESIGNS, *BOUNDARY])
def test_a_fit_returns_the_parameters(name, reml):
    population = {**DESIGNS, **BOUNDARY}[name]
    twin = ms.twin(population, seed=3, reml=reml)
    fit = ms.lmer(population.formula, twin.data, reml=reml)
    assert_exact(fit, population)
    assert fit.singular == (name in BOUNDARY)


def dense(twin, reml):
    """−2 log L (or the REML criterion) as a function of all variance parameters, by n × n matrices."""
    data, population = twin.data.dropna(), twin.population
    y = data["y"].to_numpy()
    columns = {"Intercept": np.ones(len(data)), **{name: data[name].to_numpy() for name in ("x", "z") if name in data}}
    x = np.column_stack([columns[name] for name in population.fixef]) if population.fixef else np.empty((len(data), 0))
    blocks, start = [], []
    for term in population.plan.terms:
        units = data[list(term.factors)].astype(str).agg(":".join, axis=1)
        z = pd.get_dummies(units).to_numpy(dtype=float)
        where = range(term.first, term.first + len(term.names))
        cov = covariances(population.ranef)[term.group]
        sigma = (cov.factor() @ cov.factor().T)[np.ix_(where, where)]
        for a, one in enumerate(term.names):
            for b, other in enumerate(term.names[: a + 1]):
                part = (z * columns[one][:, None]) @ (z * columns[other][:, None]).T
                blocks.append(part if one == other else part + part.T)
                start.append(sigma[a, b])
    blocks.append(np.eye(len(data)))
    start.append(population.sigma**2)

    def deviance(parameters):
        v = sum(value * block for value, block in zip(parameters, blocks, strict=True))
        inverse = np.linalg.inv(v)
        w = x.T @ inverse @ x
        beta = np.linalg.solve(w, x.T @ inverse @ y) if x.shape[1] else np.empty(0)
        rest = y - x @ beta
        extra = np.linalg.slogdet(w)[1] if reml and x.shape[1] else 0.0
        return np.linalg.slogdet(v)[1] + extra + rest @ inverse @ rest, beta

    return deviance, np.array(start)


def derivatives(function, at, step):
    """Gradient and Hessian by central differences with steps of their own."""
    moves = np.diag(step)
    gradient = np.array([function(at + m) - function(at - m) for m in moves]) / (2 * step)
    four = [
        [function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b) for b in moves]
        for a in moves
    ]
    return gradient, np.array(four) / (4 * np.outer(step, step))


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", ["unbalanced", "slopes", "uncorrelated slopes", "crossed", "nested", "three effects"])
def test_the_parameters_maximise_the_likelihood_in_dense_algebra(name, reml):
    twin = ms.twin(DESIGNS[name], seed=1, reml=reml)
    deviance, truth = dense(twin, reml)
    unit = np.abs(truth).max() + np.abs(truth)
    _, beta = deviance(truth)
    np.testing.assert_allclose(beta, twin.truth.fixef, rtol=1e-9)
    gradient, _ = derivatives(lambda at: deviance(at)[0], truth, 1e-5 * unit)
    _, hessian = derivatives(lambda at: deviance(at)[0], truth, 1e-3 * unit)
    curvature = np.linalg.eigvalsh(hessian * np.outer(unit, unit))
    assert curvature[0] > 0
    # in units in which the deviance curves by `curvature`; differences err by 1e-16 · |deviance| / 1e-5
    assert np.abs(gradient * unit).max() < 1e-6 * curvature[-1]


@pytest.mark.parametrize("name", ["intercepts alone", "slopes alone", "no variance"])
def test_at_the_boundary_the_likelihood_falls_towards_more_variance(name):
    twin = ms.twin(BOUNDARY[name], seed=1)
    deviance, truth = dense(twin, reml=True)
    variance = np.array([0] if name == "no variance" else [0, 2])
    for k in variance[truth[variance] == 0]:
        more = truth.copy()
        more[k] += 1e-3
        assert deviance(more)[0] > deviance(truth)[0]


@st.composite
def populations(draw):
    """A small population with one or two factors, random parameters and predictors."""
    layout = draw(st.sampled_from(["one", "nested", "crossed"]))
    size = draw(st.sampled_from([4, (2, 7), (4, 12)]))
    sd = st.floats(0.2, 5).map(lambda value: round(value, 3))
    bar = draw(st.sampled_from(["1 |", "x |", "x ||", "x + z |"]))
    first = {"1 |": 1, "x |": 2, "x ||": 2, "x + z |": 3}[bar]
    ranef = {"a": {"sd": [draw(sd) for _ in range(first)]}}
    if bar == "x |":
        ranef["a"]["corr"] = round(draw(st.floats(-0.95, 0.95)), 3)
    clusters = {"a": draw(st.integers(8, 14))}
    if layout == "nested":
        clusters["b"] = {"in": "a", "n": (2, 3)}
    elif layout == "crossed":
        clusters["b"] = draw(st.integers(4, 6))
        size = 1 if size == 4 else 2
    more = "" if layout == "one" else " + (1 | b)"
    if more:
        ranef["b"] = {"sd": draw(sd)}
    fixed = draw(st.sampled_from(["1", "x", "x + z", "x * w", "arm"]))
    names = {
        "1": [], "x": ["x"], "x + z": ["x", "z"], "x * w": ["x", "w", "x:w"], "arm": ["arm[T.new]", "arm[T.none]"]
    }[fixed]  # fmt: skip
    fixef = {name: round(draw(st.floats(-50, 50)), 2) for name in ["Intercept", *names]}
    return made(f"y ~ {fixed} + ({bar} a){more}", clusters, size, fixef, ranef, sigma=draw(sd)), draw(st.booleans())


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(populations(), st.integers(0, 2**32 - 1))
def test_twins_of_any_population(case, seed):
    population, reml = case
    twin = ms.twin(population, seed=seed, reml=reml)
    # in a valley that is flat enough, an sd of a tenth of its standard error, the fit stops a little before its end
    assert_exact(ms.lmer(population.formula, twin.data, reml=reml), population, tolerance=1e-5)


# ---- what is true of a twin


@pytest.mark.parametrize("name", DESIGNS)
def test_the_response_is_made_of_its_truth(name):
    population = DESIGNS[name]
    twin = ms.twin(population, seed=5)
    truth = twin.truth
    rows = truth.original_row
    response = (truth.linear_predictor + truth.residuals).loc[rows].to_numpy()
    seen = twin.data["y"].notna().to_numpy()
    np.testing.assert_allclose(twin.data["y"][seen], response[seen], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(truth.missing, np.flatnonzero(~seen))
    np.testing.assert_allclose(truth.complete["y"], truth.linear_predictor + truth.residuals, rtol=1e-12, atol=1e-12)


def test_the_linear_predictor_is_made_of_the_effects():
    truth = ms.twin(SLOPES, seed=5).truth
    complete = truth.complete
    effects = truth.ranef["g"].loc[complete["g"]].to_numpy()
    by_hand = 10 - 2 * complete["x"] + effects[:, 0] + effects[:, 1] * complete["x"]
    np.testing.assert_allclose(truth.linear_predictor, by_hand, rtol=1e-12)


def test_design_and_parameters_are_those_of_the_draw():
    population = DESIGNS["predictors of both levels"]
    twin, drawn = ms.twin(population, seed=5), population.draw(seed=5)
    pd.testing.assert_frame_equal(twin.data.drop(columns="y"), drawn.data.drop(columns="y"))
    pd.testing.assert_frame_equal(twin.truth.hidden, drawn.truth.hidden)
    pd.testing.assert_series_equal(twin.truth.fixef, drawn.truth.fixef)
    pd.testing.assert_frame_equal(twin.truth.varcorr, drawn.truth.varcorr)
    assert twin.population is population
    assert twin.truth.seed == 5


def test_a_twin_of_many_groups_is_nearly_the_draw():
    population = made("y ~ x + (x | g)", {"g": 300}, 10, LINE, {"g": {"sd": [1, 0.5], "corr": 0.3}})
    twin, drawn = ms.twin(population, seed=2), population.draw(seed=2)
    assert twin.truth.attempt == 0
    # the sd of an estimated sd is some 1/√(2 · 300) of it, and nothing else had to be changed
    assert np.corrcoef(twin.truth.residuals, drawn.truth.residuals)[0, 1] > 0.999
    for effect in ("Intercept", "x"):
        assert np.corrcoef(twin.truth.ranef["g"][effect], drawn.truth.ranef["g"][effect])[0, 1] > 0.99
    assert abs(twin.truth.residuals.std() - 1) < 0.02


def test_effects_without_variance_stay_zero():
    truth = ms.twin(BOUNDARY["intercepts alone"], seed=1).truth
    assert (truth.ranef["g"]["x"] == 0).all()
    assert truth.ranef["g"]["Intercept"].std() > 0.5


def test_the_same_seed_gives_the_same_twin():
    one, other = ms.twin(SLOPES, seed=4), ms.twin(SLOPES, seed=np.int64(4))
    pd.testing.assert_frame_equal(one.data, other.data)
    assert one.truth == other.truth
    assert one.truth != ms.twin(SLOPES, seed=5).truth
    assert one.truth != ms.twin(SLOPES, seed=4, reml=False).truth
    assert one.truth != SLOPES.draw(seed=4).truth


def test_what_is_handed_out_can_be_changed_without_harm():
    truth = ms.twin(SLOPES, seed=4).truth
    for spoil in (truth.ranef["g"], truth.residuals, truth.linear_predictor, truth.complete["y"]):
        spoil.iloc[:] = 0
    assert truth.ranef["g"]["x"].abs().min() > 0
    assert truth.residuals.abs().min() > 0
    assert truth.linear_predictor.abs().min() > 0
    assert truth.complete["y"].abs().min() > 0


def test_a_draw_that_allows_no_twin_is_put_aside():
    attempts = [ms.twin(BOUNDARY["intercepts alone"], seed=seed).truth.attempt for seed in range(12)]
    assert attempts[0] != attempts[1] or max(attempts) > 0
    assert 0 in attempts  # about every second draw will do


def test_a_fit_without_estimates_is_a_draw_put_aside(monkeypatch):
    expected = ms.twin(SLOPES, seed=3)
    fits = iter([ms.ConvergenceError("no answer.")])

    def failing_once(*arguments, **options):
        if error := next(fits, None):
            raise error
        return ms.lmer(*arguments, **options)

    monkeypatch.setattr(twin_stage, "lmer", failing_once)
    twin = ms.twin(SLOPES, seed=3)
    assert twin.truth.attempt > expected.truth.attempt
    assert_exact(ms.lmer(SLOPES.formula, twin.data), SLOPES)


def test_fits_without_estimates_end_as_no_twin(monkeypatch):
    def failing(*arguments, **options):
        raise ms.ConvergenceError("no answer.")

    monkeypatch.setattr(twin_stage, "lmer", failing)
    with pytest.raises(ms.PopulationError, match="no twin was found in 100 draws, mostly because a fit found no estim"):
        ms.twin(SLOPES, seed=3)


def test_without_a_seed_every_twin_is_another():
    one, other = ms.twin(SLOPES), ms.twin(SLOPES)
    assert one.truth.seed != other.truth.seed
    pd.testing.assert_frame_equal(one.data, ms.twin(SLOPES, seed=one.truth.seed).data)


def test_it_prints_as_what_it_is():
    twin = ms.twin(SLOPES.with_(name="growth"), seed=4)
    assert repr(twin).startswith("Twin(growth, seed 4: ")
    assert str(twin.truth).endswith("A twin: the REML estimates from its data are these parameters.")
    assert str(ms.twin(SLOPES, seed=4, reml=False).truth).endswith(
        "A twin: the maximum likelihood estimates from its data are these parameters."
    )


def test_the_truth_stands_beside_the_estimates_as_that_of_a_sample():
    twin = ms.twin(SLOPES, seed=4)
    fit = ms.lmer(SLOPES.formula, twin.data)
    pd.testing.assert_series_equal(fit.fixef, twin.truth.fixef, check_names=False, rtol=1e-6)
    merged = fit.varcorr.merge(twin.truth.varcorr, on=["group", "term1", "term2"])
    np.testing.assert_allclose(merged["sd_or_corr_x"], merged["sd_or_corr_y"], rtol=1e-6)


# ---- rows without a response


def test_a_mask_says_which_rows_have_a_response():
    rows = len(SLOPES.draw(seed=1).data)
    keep = np.arange(rows) % 5 != 0
    twin = ms.twin(SLOPES, seed=1, keep=keep)
    np.testing.assert_array_equal(twin.data["y"].notna(), keep)
    assert_exact(ms.lmer(SLOPES.formula, twin.data), SLOPES)
    as_numbers = ms.twin(SLOPES, seed=1, keep=keep.astype(int).tolist())
    pd.testing.assert_frame_equal(twin.data, as_numbers.data)


def test_a_hidden_variable_says_which_rows_have_a_response():
    twin = ms.twin(SLOPES, seed=1, keep="seen")
    seen = twin.truth.hidden["seen"].to_numpy() == 1
    assert 0 < seen.mean() < 1
    np.testing.assert_array_equal(twin.data["y"].notna(), seen)
    assert_exact(ms.lmer(SLOPES.formula, twin.data), SLOPES)


def test_problems_and_keep_both_take_away():
    population = SLOPES.with_(problems=[ms.Missing("y", 0.2)])
    drawn = population.draw(seed=1)
    twin = ms.twin(population, seed=1, keep="seen")
    seen = twin.truth.hidden["seen"].to_numpy() == 1
    np.testing.assert_array_equal(twin.data["y"].notna(), drawn.data["y"].notna() & seen)
    book = twin.truth.problems
    assert (book["column"] == "y").all()
    lost = twin.truth.complete["y"].loc[book["original_row"]]
    np.testing.assert_allclose(book["was"].astype(float), lost)


# ---- what cannot be


def failing(**changes):
    return made("y ~ x + (1 | g)", {"g": 6}, 4, LINE, {"g": {"sd": 1}}, **changes)


@pytest.mark.parametrize(
    ("population", "options", "sentence"),
    [
        ("y ~ x", {}, "twin needs a Population, found str."),
        (SLOPES, {"reml": 1}, "reml must be True or False, found 1."),
        (
            failing(sigma="0.5 + abs(x)"), {},
            "sigma must be a number for a twin, found '0.5 + abs(x)': `lmer` estimates one residual sd for all rows.",
        ),
        (
            failing(sigma=0), {},
            "sigma must be above 0 for a twin: without residuals there is no maximum to be found.",
        ),
        (
            failing(residual={"ar1": 0.4}), {},
            "residual has ar1, which `lmer` does not estimate: a twin needs independent residuals.",
        ),
        (
            ms.scenarios.simpson(), {},
            "residual has exact, whose moments a twin would change: leave it out, or draw the population instead.",
        ),
        (
            failing(sigma=None, family="poisson"), {},
            "family must be gaussian with identity link for a twin, found poisson with log link.",
        ),
        (
            failing(problems=[ms.Missing("y", 0.1), ms.Rounded("y")]), {},
            "problems.2 is Rounded, which changes values: the rows of a twin may only be missing (Missing, Dropout).",
        ),
        (
            made("y ~ seen + (1 | g)", {"g": 6}, 4, {"Intercept": 0, "seen": 1}, {"g": {"sd": 1}}), {},
            "formula uses seen, which is hidden: for a twin, a fit of the data must find the truth.",
        ),
        (
            ms.Population("y ~ 1", clusters={"g": 6}, size=4, fixef={"Intercept": 0}, sigma=1), {},
            "formula must have a random term for a twin, such as (1 | g).",
        ),
        (
            made("y ~ x + (x | g)", {"g": 2}, 20, LINE, {"g": {"sd": [1, 1]}}), {},
            "2 levels of 'g' are too few for a twin: beside the fixed effects they leave room for 1 of the 2 effects "
            "that vary in (1 + x | g).",
        ),
        (
            ms.Population(
                "y ~ arm + x + (1 | g)", clusters={"g": 2}, size=15,
                variables={"arm": ms.Assigned([0, 1], level="g"), "x": ms.Normal(40, 10)},
                fixef={"Intercept": 20.1, "arm": -3.4, "x": 0.12}, ranef={"g": {"sd": 2.2}}, sigma=6.1,
            ), {},
            "2 levels of 'g' are too few for a twin: beside the fixed effects they leave room for 0 of the 1 effects "
            "that vary in (1 | g).",
        ),
        (
            ms.Population(
                "y ~ arm + (1 | g)", clusters={"g": 6}, size=4,
                variables={"arm": ms.Categorical(["usual", "new", "none"], probs=[0.5, 0.499, 0.001])},
                fixef={"Intercept": 0, "arm[T.new]": 1, "arm[T.none]": 1}, ranef={"g": {"sd": 1}}, sigma=1,
            ), {},
            "the rows with a response say nothing of arm[T.none] (seed 1): take another seed, or more rows.",
        ),
        (
            ms.Population(
                "y ~ x + (1 | g)", clusters={"g": 6}, size=4, variables={"x": ms.Bernoulli(0.01)},
                fixef={"Intercept": 0, "x": 1}, ranef={"g": {"sd": 1}}, sigma=1,
            ), {},
            "x cannot be told from the other fixed effects in the rows with a response (seed 1): take another seed, or "
            "more rows.",
        ),
        (SLOPES, {"keep": "sen"}, "keep names no variable of the population, 'sen': did you mean 'seen'?"),
        (SLOPES, {"keep": "x"}, "keep names 'x', which must hold 0 and 1, or False and True, and nothing else."),
        (SLOPES, {"keep": [True, False]}, "keep must have one value for each of the 43 rows, found 2."),
        (SLOPES, {"keep": True}, "keep must have one value for each of the 43 rows, found an array of shape ()."),
        (SLOPES, {"keep": np.full(43, 2)}, "keep must hold 0 and 1, or False and True, and nothing else."),
    ],
)  # fmt: skip
def test_what_cannot_be_twinned_is_said_in_one_sentence(population, options, sentence):
    with pytest.raises(ms.MixedsimError) as caught:
        ms.twin(population, seed=1, **options)
    assert str(caught.value) == sentence


def test_what_no_draw_allows_is_said_in_one_sentence():
    # An sd of a millionth of sigma: the fit calls it zero, and so does everybody else.
    population = made("y ~ x + (1 | g)", {"g": 6}, 4, LINE, {"g": {"sd": 1e-6}})
    with pytest.raises(ms.PopulationError) as caught:
        ms.twin(population, seed=1)
    assert str(caught.value) == (
        "no twin was found in 100 draws, mostly because the likelihood was higher at another sd(Intercept | g) than "
        "1e-06: REML estimates of so few data are hardly ever like this; take more groups or rows, or larger standard "
        "deviations."
    )


def test_what_the_data_cannot_tell_apart_is_said_by_the_fitter():
    population = made("y ~ x + (1 | g)", {"g": 12}, 1, LINE, {"g": {"sd": 1}})
    with pytest.raises(ms.DataError, match="'g' has one row a level"):
        ms.twin(population, seed=1)
