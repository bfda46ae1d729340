"""The optimiser that was asked for works, agrees with Newton's, and is judged by the same facts."""

from __future__ import annotations

import numpy as np
import pytest

import mixedsim as ms
from mixedsim.engine import Control, Objective, minimise
from mixedsim.engine.optimise import OPTIMIZERS
from tests.engine.cases import make

STRUCTURES = ["intercept and slope", "uncorrelated intercept and slope", "nested", "crossed with slopes on both"]


@pytest.fixture(scope="module")
def sleepstudy():
    return ms.datasets.load("sleepstudy")


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("optimizer", [o for o in OPTIMIZERS if o != "newton"])
def test_every_optimiser_ends_where_newton_does_and_says_that_it_arrived(name, optimizer):
    case = make(name)
    objective = Objective(case.cp, case.layout, reml=True)
    newton = minimise(objective)
    other = minimise(objective, control=Control(optimizer=optimizer))
    assert other.converged
    assert other.profile.deviance == pytest.approx(newton.profile.deviance, abs=1e-7)
    np.testing.assert_allclose(other.profile.beta, newton.profile.beta, rtol=0, atol=1e-5)
    assert other.evaluations > newton.evaluations


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_search_that_is_cut_short_is_not_called_converged(optimizer):
    case = make("three effects")
    objective = Objective(case.cp, case.layout, reml=True)
    cut = minimise(objective, control=Control(optimizer=optimizer, max_iterations=1))
    assert not cut.converged
    assert cut.decrease > 1e-6


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_trace_only_goes_down(optimizer):
    case = make("intercept and slope")
    found = minimise(Objective(case.cp, case.layout, reml=False), control=Control(optimizer=optimizer))
    assert (np.diff(found.trace[:, -2]) <= 1e-9).all()
    assert len(found.trace) > 2


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_finds_exact_zeros(optimizer):
    data = ms.datasets.load("Dyestuff2")
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", data, control=Control(optimizer=optimizer))
    assert fit.theta[0] == 0
    assert fit.converged
    assert fit.singular


def test_a_start_is_taken_in_the_units_of_the_data(sleepstudy):
    formula = "Reaction ~ Days + (Days | Subject)"
    start = [0.5, -0.1, 0.3]
    fit = ms.lmer(formula, sleepstudy, control=ms.Control(start=start))
    np.testing.assert_allclose(fit.control.trace.iloc[0][["theta1", "theta2", "theta3"]], start, rtol=1e-10)
    assert fit.loglik == pytest.approx(ms.lmer(formula, sleepstudy).loglik, abs=1e-9)
    assert fit.control.start == tuple(start)


def test_starting_from_the_answer_there_is_nothing_left_to_do(sleepstudy):
    formula = "Reaction ~ Days + (Days | Subject)"
    answer = ms.lmer(formula, sleepstudy).theta
    assert ms.lmer(formula, sleepstudy, control=ms.Control(start=answer)).control.evaluations == 1


def test_the_control_of_a_fit_tells_its_way(sleepstudy):
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    trace = fit.control.trace
    assert trace.columns.tolist() == ["theta1", "theta2", "theta3", "deviance", "gradient"]
    assert trace["deviance"].iloc[-1] == pytest.approx(fit.deviance, abs=1e-9)
    np.testing.assert_allclose(trace.iloc[-1, :3], fit.theta, rtol=1e-12)
    assert fit.control.optimizer == "newton"
    assert fit.control.evaluations == fit.optimum.evaluations


def test_a_looser_tolerance_stops_sooner(sleepstudy):
    formula = "Reaction ~ Days + (Days | Subject)"
    unbalanced = sleepstudy.iloc[25:]  # of balanced data the start is the answer
    loose = ms.lmer(formula, unbalanced, control=ms.Control(tolerance=1.0))
    assert loose.control.evaluations < ms.lmer(formula, unbalanced).control.evaluations


def test_all_optimizers_agree(sleepstudy):
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    table = fit.all_optimizers()
    assert table.index.tolist() == list(OPTIMIZERS)
    assert table.columns.tolist() == ["loglik", "fixef_difference", "evaluations", "converged", "seconds"]
    assert table["converged"].all()
    assert np.ptp(table["loglik"]) < 1e-8
    assert table["fixef_difference"].max() < 1e-6
    assert table["evaluations"].idxmin() == "newton"
    assert fit.all_optimizers(["newton", "bfgs"]).index.tolist() == ["newton", "bfgs"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"optimizer": "bobyqa"}, "optimizer must be one of 'newton', 'bfgs', 'l-bfgs-b', 'nelder-mead', 'powell', "
                                  "found 'bobyqa'; the default ('newton') serves every model, so that it can be "
                                  "left out."),
        ({"tolerance": 0}, "tolerance must be a positive number, found 0."),
        ({"tolerance": "small"}, "tolerance must be a positive number, found 'small'."),
        ({"max_iterations": 0}, "max_iterations must be a whole number of at least 1, or None, found 0."),
        ({"max_iterations": 2.5}, "max_iterations must be a whole number of at least 1, or None, found 2.5."),
        ({"snap": -1}, "snap must be a number of at least 0, found -1."),
        ({"start": [1.0, float("nan")]}, "start must be finite numbers, one an element of θ, found [1.0, nan]."),
        ({"start": "here"}, "start must be finite numbers, one an element of θ, found 'here'."),
        ({"start": {"theta": 1}}, "start must be finite numbers, one an element of θ, found {'theta': 1}."),
    ],
)  # fmt: skip
def test_an_impossible_control_is_refused(arguments, sentence):
    with pytest.raises(ms.MixedsimError) as error:
        ms.Control(**arguments)
    assert str(error.value) == sentence


def test_a_start_of_the_wrong_length_is_refused(sleepstudy):
    with pytest.raises(ms.MixedsimError, match=r"start must have 3 values, one an element of θ .*, found 1\."):
        ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy, control=ms.Control(start=[1]))


def test_a_control_of_another_kind_is_refused(sleepstudy):
    with pytest.raises(ms.MixedsimError, match=r"control must be an ms\.Control, found dict: write ms\.Control"):
        ms.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy, control={"optimizer": "bobyqa"})
