"""The criterion against dense algebra and a general minimiser, its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from mixedsim.engine.glm_laplace import GlmEvaluation
from mixedsim.engine.glm_pirls import NoMode
from mixedsim.errors import MixedsimError
from tests.engine.glm_cases import LINKS, ORDINAL, STRUCTURES, GlmCase, case

STEP = 1e-5


@pytest.fixture(autouse=True)
def _quiet() -> object:
    """As the search does: a trial may leave the range of a link."""
    with np.errstate(all="ignore"):
        yield


def dense_lambda(one: GlmCase, at: GlmEvaluation) -> np.ndarray:
    rows = one.objective.rows
    big = np.zeros((rows.size, rows.size))
    for part, lam, (levels, _) in zip(rows.parts, at.lambdas, rows.shapes, strict=True):
        big[part, part] = np.kron(np.eye(levels), lam)
    return big


def by_differences(one: GlmCase, at: GlmEvaluation) -> np.ndarray:
    out = np.empty(len(one.psi))
    for k in range(len(out)):
        move = np.zeros(len(out))
        move[k] = STEP
        up = one.objective.evaluate(one.psi + move, at.mode.vector).criterion
        down = one.objective.evaluate(one.psi - move, at.mode.vector).criterion
        out[k] = (up - down) / (2 * STEP)
    return out


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize(("kind", "link"), [("counted", "logit"), ("binomial", "probit"), ("gamma", "log")])
def test_the_criterion_against_dense_algebra(kind: str, link: str, structure: str) -> None:
    one = case(kind, link, structure)
    at = one.objective.evaluate(one.psi, one.begin)
    rows, family = one.objective.rows, one.objective.family
    zl = one.z @ dense_lambda(one, at)
    fixed = rows.offset + rows.x @ at.beta

    def penalised(u: np.ndarray) -> float:
        return float(family.at(fixed + zl @ u, at.extra).losses.sum() + u @ u)

    found = minimize(penalised, np.zeros(rows.size), method="BFGS", options={"gtol": 1e-9})
    assert penalised(at.u) <= found.fun + 1e-9
    np.testing.assert_allclose(at.u, found.x, atol=2e-5)
    point = family.at(fixed + zl @ at.u, at.extra)
    m = zl.T @ (point.fisher[:, None] * zl) + np.eye(rows.size)
    expected = family.criterion(float(point.losses.sum()), at.extra)[0] + at.u @ at.u + np.linalg.slogdet(m)[1]
    assert at.criterion == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("nagq", [0, 1])
@pytest.mark.parametrize(("kind", "link"), [*LINKS, *ORDINAL], ids=str)
def test_the_gradient_of_every_family(kind: str, link: str, nagq: int) -> None:
    one = case(kind, link, nagq=nagq)
    at = one.objective.evaluate(one.psi, one.begin)
    expected = by_differences(one, at)
    np.testing.assert_allclose(at.gradient, expected, atol=1e-6 * max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("nagq", [0, 1])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_gradient_of_every_structure(structure: str, nagq: int) -> None:
    one = case("binomial", "probit", structure, nagq=nagq)
    at = one.objective.evaluate(one.psi, one.begin)
    np.testing.assert_allclose(at.gradient, by_differences(one, at), atol=2e-7)


def test_the_criterion_is_even_in_the_sign_of_a_column_and_flat_at_zero() -> None:
    one = case("poisson", "log", "intercept and slope")
    layout = one.objective.layout
    turned = one.psi.copy()
    turned[: layout.size][layout.column == 0] *= -1
    at = one.objective.evaluate(one.psi, one.begin)
    assert one.objective.evaluate(turned, one.begin).criterion == pytest.approx(at.criterion, rel=1e-14)
    singular = one.psi.copy()
    singular[layout.size - 1] = 0.0
    assert one.objective.evaluate(singular, one.begin).gradient[layout.size - 1] == 0.0


def test_without_random_effects_it_is_a_generalised_linear_model() -> None:
    one = case("poisson", "log", "nested")
    psi = one.psi.copy()
    psi[: one.objective.layout.size] = 0.0
    at = one.objective.evaluate(psi, one.begin)
    family, rows = one.objective.family, one.objective.rows
    alone = family.at(rows.offset + rows.x @ at.beta, at.extra)
    assert at.criterion == pytest.approx(family.criterion(float(alone.losses.sum()), at.extra)[0], rel=1e-14)


@pytest.mark.parametrize("nagq", [0, 1])
@pytest.mark.parametrize("kind", ["poisson", "negative-binomial", "ordinal"])
def test_a_predicted_mode_is_right_to_first_order(kind: str, nagq: int) -> None:
    one = case(kind, "cloglog" if kind == "ordinal" else "log", "crossed with slopes on both", nagq=nagq)
    at = one.objective.evaluate(one.psi, one.begin)
    move = np.random.default_rng(1).normal(size=len(one.psi))
    errors = []
    for size in (1e-2, 1e-3):
        psi = one.psi + size * move
        there = one.objective.evaluate(psi, at.mode.vector).mode.vector
        errors.append(float(np.abs(one.objective.predicted(at, psi) - there).max()))
    assert errors[1] < 0.02 * errors[0] < 1e-3


def test_profiled_coefficients_are_where_the_penalised_loss_is_least() -> None:
    one = case("binomial", "cloglog", "crossed", nagq=0)
    at = one.objective.evaluate(one.psi, one.begin)
    held = one.objective.changed(nagq=1)
    for move in (0.01, -0.01):
        psi = np.concatenate([at.theta, at.beta + move])
        assert held.evaluate(psi, at.u).mode.penalised > at.mode.penalised


def test_the_same_mode_from_anywhere() -> None:
    one = case("binomial", "logit", "three crossed factors")
    far = np.random.default_rng(0).normal(0, 8, one.objective.rows.size)
    near, other = one.objective.evaluate(one.psi, one.begin), one.objective.evaluate(one.psi, far)
    np.testing.assert_allclose(near.u, other.u, atol=1e-8)


def test_another_response_on_the_same_design_shares_what_was_laid_out() -> None:
    one, other = (case("poisson", "log", "crossed", seed=seed) for seed in (3, 3))
    changed = one.objective.changed(family=other.objective.family)
    assert changed.shape is one.objective.shape
    assert changed.evaluate(one.psi, one.begin).criterion == other.objective.evaluate(one.psi, one.begin).criterion


def test_a_predictor_beyond_the_link_has_no_mode() -> None:
    one = case("poisson", "identity")
    psi = one.psi.copy()
    psi[one.objective.parts()[1]] = -30.0
    with pytest.raises(NoMode):
        one.objective.evaluate(psi, one.begin)


@pytest.mark.parametrize(
    ("kind", "structure", "nagq", "says"),
    [
        ("poisson", "one intercept", 26, "nagq must be at most 25 nodes, found 26: more of them add nothing."),
        (
            "poisson",
            "crossed",
            5,
            r"nagq=5 needs one grouping factor with one varying effect, as in \(1 \| group\):",
        ),
        ("poisson", "intercept and slope", 5, r"nagq=5 needs one grouping factor with one varying effect"),
        ("gamma", "one intercept", 5, "nagq=5 is for families without a dispersion, and 'gamma' has one: use nagq=1."),
    ],
)
def test_quadrature_for_what_it_cannot_do_is_refused(kind: str, structure: str, nagq: int, says: str) -> None:
    one = case(kind, "log", structure)
    with pytest.raises(MixedsimError, match=says):
        one.objective.changed(nagq=nagq)
