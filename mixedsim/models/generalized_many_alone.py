"""Replicates of a generalised model that are fitted one by one, and which responses have nothing unusual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Control
from mixedsim.engine.glm_families import Binomial
from mixedsim.errors import MixedsimError
from mixedsim.formula import Formula
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.glm_many import check_normal
from mixedsim.inference.glm_profile import glm_parameters, glm_values
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.models import generalized_refitting
from mixedsim.models.fitting import Request
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_family import Kind
from mixedsim.models.generalized_fitting import fit_generalized
from mixedsim.models.many_one import One
from mixedsim.models.many_portion import Symbol

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GlmAlone(One[GeneralizedEstimates]):
    """One replicate of a generalised model."""

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """(kind, group, term) of every parameter."""
        return tuple((p.kind, p.group, p.term) for p in glm_parameters(self.fit.design, self.fit.problem))

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        """One row."""
        check_normal(ddf)
        fit = self.fit
        se = np.sqrt(np.diag(fit.fixed_covariance.matrix))[None]
        return t_estimates(fit._fixef[None], se, np.full(se.shape, np.inf), level)

    def parameters(self, ddf: Ddf, level: float) -> Estimates:
        """One row."""
        fit, fixed = self.fit, self.coefficients(ddf, level)
        varying = [one for one in glm_parameters(fit.design, fit.problem) if one.kind != "fixed"]
        rest = Estimates.empty(1, len(varying))
        rest.estimate[0] = glm_values(varying, fit.problem, fit.objective, fit.optimum)
        return Estimates.beside(fixed, rest)


def fit_glms_alone(
    formula: Formula, requests: Sequence[Request], kind: Kind, which: Sequence[int]
) -> tuple[list[GlmAlone], dict[int, str]]:
    """Fits to the data sets `which`, and for those that have none the sentence that `glmer` raises."""
    fits, failures = [], {}
    for k in which:
        try:
            fits.append(GlmAlone(k, GeneralizedEstimates(**fit_generalized(formula, requests[k], kind))))
        except (MixedsimError, np.linalg.LinAlgError) as error:
            failures[k] = _sentence(error)
    return fits, failures


def refit_glms_alone(
    fit: GeneralizedEstimates, y: Floats, control: Control, which: Sequence[int]
) -> tuple[list[GlmAlone], dict[int, str]]:
    """The same for the columns of `y`, with the sentence that ``fit.refit`` raises."""
    settled = GeneralizedEstimates(
        design=fit.design, kind=fit.kind, problem=fit.problem, objective=fit.objective, optimum=fit.optimum,
        request=replace(fit.request, control=control),
    )  # fmt: skip
    fits, failures = [], {}
    for k in which:
        try:
            fits.append(GlmAlone(k, GeneralizedEstimates(**generalized_refitting.refit(settled, y[:, k]))))
        except (MixedsimError, np.linalg.LinAlgError) as error:
            failures[k] = _sentence(error)
    return fits, failures


def plain(family: str, y: Floats, trials: Floats | None) -> NDArray[np.bool_]:
    """Which columns of y hold counts of which nothing has to be said: r booleans."""
    most = np.full(len(y), most_of(family)) if trials is None else trials
    good, some, rest = told(y, most[:, None])
    return np.asarray(good.all(axis=0) & some.any(axis=0) & rest.any(axis=0))


def most_of(family: str) -> float:
    """The largest count without trials."""
    return 1.0 if family == Binomial.kind else np.inf


def told(y: Floats, most: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each value is a count up to `most`, whether above 0, and whether below `most`."""
    with np.errstate(invalid="ignore"):
        return (y >= 0) & (y <= most) & (y == np.round(y)) & np.isfinite(y), y > 0, y < most


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, MixedsimError) else f"a matrix could not be factorised: {error}"
