"""Replicates that are fitted one by one, because their design is their own or the batch does not know their model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control, Objective
from mixedsim.errors import MixedsimError
from mixedsim.formula import Formula
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.inference.parameters import parameters_of
from mixedsim.inference.wald import wald_intervals
from mixedsim.models import refitting
from mixedsim.models.combinations import combinations
from mixedsim.models.fitting import Request, fit_formula
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.many_one import One
from mixedsim.models.many_portion import Symbol

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Alone(One[LinearEstimates]):
    """One replicate of a linear model."""

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """(kind, group, term) of every parameter."""
        return tuple((p.kind, p.group, p.term) for p in parameters_of(self.fit.design, self.fit.problem))

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        """One row."""
        found = combinations(self.fit, np.eye(len(self.fit.coefficient_names)), ddf)
        return t_estimates(found.estimate[None], found.se[None], found.df[None], level)

    def parameters(self, ddf: Ddf, level: float) -> Estimates:
        """One row."""
        fit = self.fit
        at, known = fit.optimum.profile, fit.variance_parameters
        table = wald_intervals(fit.design, fit.problem, fit.objective, at, known, level=level, ddf="wald")
        fixed = self.coefficients(ddf, level)
        rest = table.to_numpy(dtype=np.float64)[len(fit.coefficient_names) :].T[:, None]
        estimate, se, df, lower, upper = rest
        return Estimates.beside(fixed, Estimates(estimate, se, df, np.full_like(estimate, np.nan), lower, upper))


def fit_alone(
    formula: Formula, datasets: Sequence[Any], reml: bool, control: Control, which: Sequence[int] | None = None
) -> tuple[list[Alone], dict[int, str]]:
    """Fits, and for data sets that have none the sentence that `lmer` raises."""
    fits, failures = [], {}
    for k in range(len(datasets)) if which is None else which:
        try:
            fits.append(Alone(k, LinearEstimates(**fit_formula(formula, Request(datasets[k], control=control), reml))))
        except (MixedsimError, np.linalg.LinAlgError) as error:
            failures[k] = _sentence(error)
    return fits, failures


def refit_alone(
    fit: LinearEstimates, y: Floats, reml: bool, control: Control, which: Sequence[int] | None = None
) -> tuple[list[Alone], dict[int, str]]:
    """The same for the columns of `y`, with the sentence that ``fit.refit`` raises."""
    settled = LinearEstimates(
        design=fit.design,
        problem=fit.problem,
        objective=fit.objective if reml == fit.reml else Objective(fit.problem.cp, fit.problem.layout, reml),
        optimum=fit.optimum,
        request=replace(fit.request, control=control),
    )
    fits, failures = [], {}
    for k in range(y.shape[1]) if which is None else which:
        try:
            fits.append(Alone(k, LinearEstimates(**refitting.refit(settled, y[:, k]))))
        except (MixedsimError, np.linalg.LinAlgError) as error:
            failures[k] = _sentence(error)
    return fits, failures


def _sentence(error: Exception) -> str:
    if isinstance(error, MixedsimError):
        return str(error)
    return f"the cross-products could not be factorised: {error}"
