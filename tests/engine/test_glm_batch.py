"""Many generalised fits at once: criterion and derivatives are those of the engine for one, and so are the optima."""

from __future__ import annotations

import numpy as np
import pytest

from mixedsim.engine import Control, glm_batch_fit
from mixedsim.engine.cross_products import Grouping
from mixedsim.engine.glm_batch import glm_newton
from mixedsim.engine.glm_batch_fit import OneDesign, knows, takes_glm
from mixedsim.engine.glm_batch_laplace import ManyLaplace
from mixedsim.engine.glm_batch_rows import boxes_of, places
from mixedsim.engine.glm_batch_tau import bunched
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import minimise_glm
from mixedsim.engine.glm_problem import family_of
from mixedsim.engine.glm_rows import Rows
from tests.engine.glm_cases import LINKS, STRUCTURES, GlmCase, case

KNOWN = [(kind, link) for kind, link in LINKS if kind in ("binomial", "counted", "poisson")]
FAMILIES = [*KNOWN, ("negative-binomial", "log")]
ONE_FACTOR = [
    "one intercept", "intercept and slope", "three effects", "uncorrelated intercept and slope", "no fixed effects",
]  # fmt: skip
STEP = 1e-4


@pytest.fixture(autouse=True)
def _quiet() -> object:
    """As the search does: a trial may leave the range of a link."""
    with np.errstate(all="ignore"):
        yield


def many(one: GlmCase, nagq: int = 1) -> tuple[ManyLaplace, np.ndarray]:
    """The criterion of two replicates with the response of a case, and two ψ."""
    objective = one.objective.changed(nagq=nagq)
    design = OneDesign.of(objective, None)
    y = np.tile(one.objective.family.y[:, None], 2)
    return design.objective(y), np.stack([one.psi, 1.01 * one.psi], axis=1)


@pytest.mark.parametrize("structure", ONE_FACTOR)
@pytest.mark.parametrize(("kind", "link"), FAMILIES)
def test_criterion_and_gradient_are_those_of_one(kind: str, link: str, structure: str) -> None:
    assert structure in STRUCTURES
    one = case(kind, link, structure)
    objective, psi = many(one)
    at = objective.evaluate(psi, np.zeros(objective.shape))
    assert at.found.all()
    alone = [one.objective.evaluate(own, one.begin) for own in psi.T]
    np.testing.assert_allclose(at.gradient, np.stack([own.gradient for own in alone], axis=1), rtol=1e-9, atol=1e-9)
    rise = at.criterion[1] - at.criterion[0]  # constants are another matter: see below
    assert rise == pytest.approx(alone[1].criterion - alone[0].criterion, abs=1e-9)
    q, levels, _ = objective.shape
    np.testing.assert_allclose(at.u[..., 1].T.reshape(levels * q), alone[1].u, atol=1e-10)


@pytest.mark.parametrize("structure", ONE_FACTOR)
@pytest.mark.parametrize(("kind", "link"), FAMILIES)
def test_second_derivatives_against_differences(kind: str, link: str, structure: str) -> None:
    one = case(kind, link, structure)
    objective, psi = many(one)
    at = objective.evaluate(psi, np.zeros(objective.shape))
    expected = np.empty((len(one.psi),) * 2)
    for k in range(len(one.psi)):
        move = np.zeros(len(one.psi))
        move[k] = STEP
        up, down = (one.objective.evaluate(one.psi + sign * move, at.u[..., 0].T.reshape(-1)) for sign in (1, -1))
        expected[k] = (up.gradient - down.gradient) / (2 * STEP)
    np.testing.assert_allclose(at.hessian[..., 0], expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("nodes", [2, 5, 9])
@pytest.mark.parametrize(("kind", "link"), KNOWN)
def test_quadrature_is_that_of_one(kind: str, link: str, nodes: int) -> None:
    one = case(kind, link, "one intercept")
    objective, psi = many(one, nodes)
    at = objective.evaluate(psi, np.zeros(objective.shape))
    alone = [one.objective.changed(nagq=nodes).evaluate(own, one.begin) for own in psi.T]
    np.testing.assert_allclose(at.gradient, np.stack([own.gradient for own in alone], axis=1), rtol=1e-9, atol=1e-9)
    assert at.criterion[1] - at.criterion[0] == pytest.approx(alone[1].criterion - alone[0].criterion, abs=1e-9)


@pytest.mark.parametrize("link", ["log", "sqrt", "identity"])
def test_bunches_of_events_on_any_link(link: str) -> None:
    """Lean rows and those of the family say the same, at small and at large tau."""
    rng = np.random.default_rng(6)
    y = rng.negative_binomial(2, 0.4, (5, 4, 3)).astype(float)
    eta = rng.uniform(0.8, 2.0, y.shape)
    log_tau = np.array([-1.0, 2.0, 9.0])
    own = bunched(link, y, np.full(y.shape, 1.5)).given(log_tau)
    point = own.at(eta)
    by_tau = own.by_log_tau(point)
    for k, extra in enumerate(log_tau):
        one = family_of("negative-binomial", link, y[..., k].reshape(-1), np.full(20, 1.5))
        at, known = one.at(eta[..., k].reshape(-1), np.array([extra])), np.array([extra])
        for name in ("mean", "score", "fisher", "observed", "slope"):
            found = getattr(point, name)[..., k].reshape(-1)
            np.testing.assert_allclose(found, getattr(at, name), rtol=1e-9, atol=1e-12)
        value = one.criterion(float(at.losses.sum()), known)[0]
        assert point.losses[..., k].sum() + own.saturated()[k] == pytest.approx(value, rel=1e-11)
        for found, expected in zip(by_tau, one.by_extra(at, known), strict=True):
            np.testing.assert_allclose(found[..., k].reshape(-1), expected[0], rtol=1e-7, atol=1e-10)
    up, down = own.at(eta + 1e-5), own.at(eta - 1e-5)
    bend, observed_bend = own.bends(eta, point)
    np.testing.assert_allclose(bend, (up.slope - down.slope) / 2e-5, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(observed_bend, (up.observed - down.observed) / 2e-5, rtol=1e-5, atol=1e-6)


def test_places_hold_every_row_once_and_copies_weigh_nothing() -> None:
    place, present = places(np.array([2, 0, 2, 2, 0]), 3)
    assert place.shape == (3, 3)
    assert place[present == 1].tolist() == [1, 0, 4, 2, 3]
    assert present.sum(axis=0).tolist() == [2, 0, 3]


# ---- optima


def design(rng: np.random.Generator, q: int, few: bool) -> tuple[Rows, GlmCase]:
    """Rows in 24 levels of 5 to 12 rows; predictors of two values each if `few`."""
    base = case("binomial", "logit", "intercept and slope" if q == 2 else "one intercept")
    codes = np.repeat(np.arange(24), rng.integers(5, 13, 24))
    n = len(codes)
    x = rng.integers(0, 2, (n, 2)) - 0.5 if few else rng.normal(size=(n, 2))
    columns = (1.5, x[:, 0])[:q]
    return Rows([Grouping(codes, 24, columns)], np.column_stack([np.ones(n), x]), 0.1 * np.ones(n)), base


def drawn(rows: Rows, kind: str, rng: np.random.Generator, r: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Responses of r replicates whose levels differ in different measure, the last third not at all, and trials."""
    sd = np.linspace(1.2, 0.0, r).clip(min=0.0) * (np.arange(r) < 2 * r / 3)
    u = rng.normal(size=(rows.size, r)) * sd * 0.6
    eta = rows.offset[:, None] + (rows.x @ [0.2, 0.5, -0.3])[:, None] + rows.z @ u
    if kind == "poisson":
        return rng.poisson(np.exp(eta)).astype(float), None
    trials = rng.integers(1, 6, rows.n) if kind == "counted" else np.ones(rows.n, dtype=int)
    y = rng.binomial(trials[:, None], 1 / (1 + np.exp(-eta))).astype(float)
    return y, trials.astype(float) if kind == "counted" else None


OPTIMA = [
    ("binomial", "logit", 1, 1), ("binomial", "logit", 2, 1), ("binomial", "probit", 1, 1),
    ("binomial", "cloglog", 1, 1), ("counted", "logit", 2, 1), ("poisson", "log", 2, 1),
    ("binomial", "logit", 1, 7), ("counted", "probit", 1, 3), ("poisson", "log", 1, 5),
]  # fmt: skip


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(("kind", "link", "q", "nagq"), OPTIMA)
def test_optima_are_those_of_one_by_one(kind: str, link: str, q: int, nagq: int, few: bool) -> None:
    rng = np.random.default_rng(4)
    rows, base = design(rng, q, few)
    y, trials = drawn(rows, kind, rng, 15)
    name = "binomial" if kind == "counted" else kind
    weights = rng.integers(1, 3, rows.n).astype(float)
    families = [family_of(name, link, np.ascontiguousarray(own), weights, trials) for own in y.T]
    objective = GlmObjective(rows, families[0], base.objective.layout, nagq)
    assert takes_glm(objective, Control())
    theta = np.where(base.objective.layout.diagonal, 0.4, 0.0)
    beta = np.array([0.0, 0.3, 0.0])
    found = OneDesign.of(objective, trials).minimise(y, theta, beta, Control())
    assert found.settled.sum() >= 14
    for k in np.flatnonzero(found.settled):
        alone = minimise_glm(objective.changed(family=families[k]), theta, beta, np.empty(0))
        at = alone.evaluation
        assert alone.converged
        errors = np.sqrt(np.diag(2 * np.linalg.inv(alone.hessian)))
        size = 1e-6 * errors  # a search stops where a step is some 1e-7 standard errors
        assert (np.abs(found.beta[:, k] - at.beta) <= size[-3:]).all()
        assert (np.abs(found.theta[:, k] - at.theta) <= size[:-3]).all()
        assert found.deviance[k] == pytest.approx(at.criterion, abs=1e-8)
        assert (found.theta[:, k] == 0).tolist() == (at.theta == 0).tolist()
        # one by one the second derivatives are differences, which near a singular fit have two digits
        np.testing.assert_allclose(
            np.sqrt(np.diag(found.take(np.array([k])).covariance[..., 0])), errors[-3:], rtol=1e-2
        )


@pytest.mark.parametrize("nagq", [1, 5])
def test_zeros_are_exact(nagq: int) -> None:
    rng = np.random.default_rng(3)
    rows, base = design(rng, 1, False)
    y = rng.poisson(2.0, (rows.n, 30)).astype(float)
    families = [family_of("poisson", "log", np.ascontiguousarray(own), None) for own in y.T]
    objective = GlmObjective(rows, families[0], base.objective.layout, nagq)
    found = OneDesign.of(objective, None).minimise(y, np.array([0.4]), np.zeros(3), Control())
    zero = found.theta[0] == 0
    assert 8 < zero.sum() < 25
    assert found.settled.all()
    for k in range(30):
        at = minimise_glm(objective.changed(family=families[k]), np.array([0.4]), np.zeros(3), np.empty(0)).evaluation
        assert (at.theta[0] == 0) == zero[k]
        assert found.deviance[k] == pytest.approx(at.criterion, abs=1e-8)


def test_rows_that_are_alike_become_one_and_nothing_changes() -> None:
    rng = np.random.default_rng(8)
    rows, base = design(rng, 2, True)
    y, trials = drawn(rows, "counted", rng, 6)
    objective = GlmObjective(rows, family_of("binomial", "logit", y[:, 0], None, trials), base.objective.layout)
    together = OneDesign.of(objective, trials)
    apart = OneDesign(
        boxes_of(rows, False), objective.layout, "binomial", "logit", trials, together.weights, objective.nagq
    )
    assert together.boxes.place.size < 0.7 * apart.boxes.place.size
    theta, beta = np.where(objective.layout.diagonal, 0.4, 0.0), np.zeros(3)
    one, other = (own.minimise(y, theta, beta, Control()) for own in (together, apart))
    assert one.settled.tolist() == other.settled.tolist()
    np.testing.assert_allclose(one.deviance, other.deviance, rtol=1e-12)
    np.testing.assert_allclose(one.beta, other.beta, atol=1e-8)
    np.testing.assert_allclose(one.hessian, other.hessian, rtol=1e-6, atol=1e-6)


def test_a_replicate_does_not_depend_on_its_company(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    rows, base = design(rng, 1, False)
    y, _ = drawn(rows, "poisson", rng, 20)
    objective = GlmObjective(rows, family_of("poisson", "log", y[:, 0], None), base.objective.layout)
    own = OneDesign.of(objective, None)
    theta, beta = np.array([0.4]), np.zeros(3)
    whole = own.minimise(y, theta, beta, Control())
    monkeypatch.setattr(glm_batch_fit, "CHUNK", 1)  # three at a time
    parts = own.minimise(y, theta, beta, Control())
    assert whole.settled.all()
    np.testing.assert_allclose(whole.theta, parts.theta, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(whole.deviance, parts.deviance, rtol=1e-13)


def test_a_few_rounds_do() -> None:
    rng = np.random.default_rng(2)
    rows, base = design(rng, 1, False)
    y, _ = drawn(rows, "poisson", rng, 30)
    objective = GlmObjective(rows, family_of("poisson", "log", y[:, 0], None), base.objective.layout)
    criterion = OneDesign.of(objective, None).objective(y)
    begin = np.tile(np.array([0.4, 0.2, 0.5, -0.3])[:, None], 30)
    found = glm_newton(criterion, begin, np.zeros(criterion.shape), Control())
    assert found.settled.all()
    assert np.median(found.rounds) <= 7


def test_whoever_runs_away_is_left_alone() -> None:
    rows = Rows([Grouping(np.repeat(np.arange(5), 4), 5, (1.0,))], np.ones((20, 1)), np.zeros(20))
    y = np.zeros((20, 4))
    y[:9, 1] = y[::2, 2] = y[1::2, 3] = 1.0
    one = case("binomial", "logit", "one intercept")
    objective = GlmObjective(rows, family_of("binomial", "logit", y[:, 2], None), one.objective.layout)
    found = OneDesign.of(objective, None).minimise(y, np.array([0.5]), np.zeros(1), Control())
    assert not found.settled[0]
    assert found.settled[2:].all()


def test_large_and_little_known_effects_are_left_alone() -> None:
    """All of a level alike, or nearly so: by so much variation, or by another valley of the likelihood."""
    codes = np.repeat(np.arange(8), 4)
    y = np.repeat(np.arange(8) % 2, 4).astype(float)[:, None] * np.ones((1, 3))
    y[0], y[-1] = 1.0, 0.0
    rows = Rows([Grouping(codes, 8, (1.0,))], np.ones((32, 1)), np.zeros(32))
    one = case("binomial", "logit", "one intercept")
    objective = GlmObjective(rows, family_of("binomial", "logit", y[:, 0], None), one.objective.layout)
    found = OneDesign.of(objective, None).minimise(y, np.array([0.5]), np.zeros(1), Control())
    assert (found.theta[0] > 2).all()
    assert not found.settled.any()


@pytest.mark.parametrize(
    ("kind", "nagq", "known"),
    [
        ("binomial", 1, True),
        ("poisson", 25, True),
        ("negative-binomial", 1, True),
        ("negative-binomial", 5, False),
        ("binomial", 0, False),
        ("gamma", 1, False),
        ("binomial", 26, False),
    ],
)
def test_what_the_batch_knows(kind: str, nagq: int, known: bool) -> None:
    assert knows(kind, nagq) == known


def test_what_the_batch_leaves_to_others() -> None:
    crossed = case("binomial", "logit", "crossed").objective
    assert not takes_glm(crossed, Control())
    own = case("binomial", "logit", "one intercept").objective
    assert takes_glm(own, Control())
    assert not takes_glm(own, Control(max_iterations=5))
    # one level with most of the rows: boxes would be filled with copies
    codes = np.r_[np.arange(60), np.zeros(100, dtype=int)]
    rows = Rows([Grouping(codes, 60, (1.0,))], np.ones((160, 1)), np.zeros(160))
    y = np.tile([0.0, 1.0], 80)
    assert not takes_glm(GlmObjective(rows, family_of("binomial", "logit", y, None), own.layout), Control())
