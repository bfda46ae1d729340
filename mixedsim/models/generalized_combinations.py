"""Linear combinations of a generalised fit's coefficients: normal tests, and what is known of θ and β together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import Combinations, JointTest, Wald, combine, joint_test
from mixedsim.inference.hypotheses import Type, check_type, hypotheses
from mixedsim.models.contrast_table import Contrasts, read_contrasts
from mixedsim.models.generalized_coefficients import check_wald
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.tables import f_table, t_table

Floats = NDArray[np.float64]


def combinations(fit: GeneralizedEstimates, contrasts: Floats) -> Combinations:
    """Linear combinations of the fixed effects, on the scale of the link: m × p."""
    return combine(fit.problem.linear, fit.at, _wald(fit), contrasts)


def joint(fit: GeneralizedEstimates, contrasts: Floats, null: Floats | float = 0.0) -> JointTest:
    """The χ² test of ``contrasts β = null``, as F on infinite degrees of freedom."""
    return joint_test(fit.problem.linear, fit.at, _wald(fit), contrasts, null)


def anova(fit: GeneralizedEstimates, kind: Type, ddf: str) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.anova`."""
    check_type(kind)
    check_wald(ddf)
    back = fit.problem.linear.fixed.transform
    information: Floats = np.asarray(np.linalg.inv(back @ _wald(fit).covariance @ back.T), dtype=np.float64)
    terms = hypotheses(fit.design, fit.problem.linear, kind, information)
    return f_table([joint(fit, rows) for rows in terms.values()], list(terms), ddf)


def contrasts(fit: GeneralizedEstimates, given: Contrasts, level: float, jointly: bool) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.contrasts`."""
    rows = read_contrasts(given, fit.coefficient_names)
    if jointly:
        return f_table([joint(fit, rows.matrix, rows.null)], ["joint"], "wald", title="contrast")
    return t_table(combinations(fit, rows.matrix), pd.Index(rows.labels, name="contrast"), level, rows.null)


def _wald(fit: GeneralizedEstimates) -> Wald:
    """The covariance of the standardised coefficients."""
    if not np.isfinite(fit.fixed_covariance.matrix).all():
        raise MixedsimError(
            "the coefficients have no covariance, because the search ended where the likelihood has no maximum: see "
            "the fit's messages."
        )
    back = np.linalg.inv(fit.problem.linear.fixed.transform)
    return Wald(back @ fit.fixed_covariance.matrix @ back.T)


def joint_covariance(fit: GeneralizedEstimates) -> Floats:
    """Covariance of the standardised (θ, β); what is not known of θ counts for nothing where β's does not count it."""
    at_theta = fit.objective.parts()[0]
    size = at_theta.stop + fit.objective.rows.p
    if fit.fixed_covariance.by_hessian:
        hessian = fit.optimum.hessian[:size, :size]
        unit = 1.0 / np.sqrt(np.diag(hessian))
        return np.asarray(2.0 * np.linalg.inv(hessian * np.outer(unit, unit)) * np.outer(unit, unit))
    out = np.zeros((size, size))
    out[at_theta.stop :, at_theta.stop :] = _wald(fit).covariance
    return out
