"""Small random generalised designs, and plain dense algebra to hold the engine against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from mixedsim.engine.covariance import Layout
from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_problem import family_of
from mixedsim.engine.glm_rows import Rows
from tests.engine.cases import STRUCTURES, make

# every family with its links; "counted" is binomial with trials and weights
LINKS = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("binomial", "log"),
    ("binomial", "identity"),
    ("counted", "logit"),
    ("poisson", "log"),
    ("poisson", "sqrt"),
    ("poisson", "identity"),
    ("negative-binomial", "log"),
    ("gamma", "log"),
    ("gamma", "inverse"),
    ("gamma", "identity"),
    ("inverse-gaussian", "log"),
    ("inverse-gaussian", "inverse-square"),
]
ORDINAL = [("ordinal", link) for link in ("logit", "probit", "cloglog", "loglog")]
# where η lies, for links that are not defined everywhere
CENTRES = {"log": -1.5, "identity": 0.5, "sqrt": 3.0, "inverse": 3.0, "inverse-square": 3.0}


@dataclass(frozen=True)
class GlmCase:
    """A design with a response drawn at known effects, and a ψ at which all means are possible."""

    objective: GlmObjective
    psi: np.ndarray
    beta: np.ndarray
    z: np.ndarray

    @property
    def begin(self) -> np.ndarray:
        """Where the search for the mode begins."""
        u = np.zeros(self.objective.rows.size)
        return np.concatenate([u, self.beta]) if self.objective.profiled else u


def respond(kind: str, link: str, eta: np.ndarray, rng: np.random.Generator, theta: float | None = None) -> Family:
    """A family with responses drawn at η; "counted" is binomial with trials and weights."""
    if kind == "ordinal":
        y = np.searchsorted([-1.0, 0.2, 1.3], eta + rng.logistic(size=len(eta))).astype(float)
        return family_of(kind, link, y, rng.uniform(0.5, 2, len(eta)), categories=4)
    mean = {
        "logit": expit,
        "probit": expit,
        "cloglog": lambda e: -np.expm1(-np.exp(e)),
        "log": np.exp,
        "identity": np.asarray,
        "sqrt": np.square,
        "inverse": np.reciprocal,
        "inverse-square": lambda e: e**-0.5,
    }[link](eta)
    n = len(eta)
    if kind == "counted":
        trials = rng.integers(1, 9, n).astype(float)
        return family_of(
            "binomial", link, rng.binomial(trials.astype(int), mean).astype(float), rng.uniform(0.5, 2, n), trials
        )
    y = {
        "binomial": lambda: rng.binomial(1, mean),
        "poisson": lambda: rng.poisson(mean),
        "negative-binomial": lambda: rng.poisson(mean * rng.gamma(2, 0.5, n)),
        "gamma": lambda: mean * rng.gamma(3, 1 / 3, n),
        "inverse-gaussian": lambda: rng.wald(mean, 5.0),
    }[kind]()
    return family_of(kind, link, np.asarray(y, dtype=float), rng.uniform(0.5, 2, n), theta=theta)


def case(
    kind: str, link: str, structure: str = "intercept and slope", nagq: int = 1, seed: int = 3, size: float = 1.0
) -> GlmCase:
    """A case with that response on one of the engine's small designs."""
    rng = np.random.default_rng(seed)
    linear = make(structure)
    x = linear.dense_x()
    narrow = 0.03 if CENTRES.get(link, 0.0) else 0.4
    beta = narrow * rng.normal(size=x.shape[1])
    offset = np.full(len(x), CENTRES.get(link, 0.0)) + 0.1 * narrow * rng.normal(size=len(x))
    groups = [
        type(g)(g.codes, g.levels, tuple(narrow * 2 * np.broadcast_to(c, len(x)) for c in g.columns))
        for g in linear.groups
    ]
    rows = Rows(groups, x, offset)
    z = rows.z.toarray()
    effects = 0.3 * rng.normal(size=z.shape[1])
    family = respond(kind, link, offset + x @ beta + z @ effects, rng)
    layout = Layout(linear.layout.factors)
    objective = GlmObjective(rows, family, layout, nagq)
    theta = size * rng.uniform(0.3, 0.8, layout.size) * np.where(layout.diagonal, 1.0, -0.5)
    extra = np.full(family.extra, 0.7)
    psi = np.concatenate([theta, extra] if nagq == 0 else [theta, beta, extra])
    return GlmCase(objective, psi, beta, z)


__all__ = ["LINKS", "ORDINAL", "STRUCTURES", "GlmCase", "case", "respond"]
