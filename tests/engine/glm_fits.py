"""Fits of generalised models from a formula and a table, for tests of the engine alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedsim.design import Design, build
from mixedsim.engine import Control
from mixedsim.engine.glm_laplace import GlmObjective
from mixedsim.engine.glm_optimise import GlmOptimum, minimise_glm
from mixedsim.engine.glm_problem import GlmProblem, family_of, pose_glm
from mixedsim.formula import parse


@dataclass(frozen=True)
class Fit:
    """Everything from the design to the optimum."""

    design: Design
    problem: GlmProblem
    objective: GlmObjective
    optimum: GlmOptimum

    @property
    def loglik(self) -> float:
        return -self.optimum.evaluation.criterion / 2

    @property
    def beta(self) -> np.ndarray:
        return self.problem.linear.fixef(self.optimum.evaluation.beta)

    @property
    def theta(self) -> np.ndarray:
        return self.problem.linear.theta(self.optimum.evaluation.theta)

    @property
    def names(self) -> list[str]:
        return [self.design.x.names[j] for j in self.problem.linear.fixed.kept]


def design_of(formula: str, data: pd.DataFrame, offset: Any = None) -> Design:
    """A design, with what only linear models must refuse: one row a level, a constant response."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mixedsim.grouping._check_size", lambda *given: None)
        patch.setattr("mixedsim.design.check_varies", lambda *given: None)
        return build(parse(formula), data, offset=offset)


def fit(
    formula: str,
    data: pd.DataFrame,
    family: tuple[str, str],
    *,
    trials: str | None = None,
    offset: Any = None,
    nagq: int = 1,
    theta: float | None = None,
    control: Control | None = None,
) -> Fit:
    """A fit by the steps that `glmer` takes."""
    design = design_of(formula, data, offset)
    counts = None if trials is None else data[trials].to_numpy(float)
    problem = pose_glm(design, family_of(*family, design.y, None, counts, theta))
    objective = GlmObjective(problem.rows, problem.family, problem.layout, nagq)
    optimum = minimise_glm(objective, problem.theta, problem.beta, problem.extra, control)
    return Fit(design, problem, objective, optimum)
