"""Linear combinations of a generalised fit's coefficients, with normal tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.inference.contrasts import Combinations, JointTest, combine, joint_test
from mixedsim.inference.hypotheses import Type, check_type, hypotheses
from mixedsim.models.contrast_table import Contrasts, read_contrasts
from mixedsim.models.generalized_coefficients import check_wald
from mixedsim.models.generalized_covariance import wald
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.tables import f_table, t_table

Floats = NDArray[np.float64]


def combinations(fit: GeneralizedEstimates, contrasts: Floats) -> Combinations:
    """Linear combinations of the fixed effects, on the scale of the link: m × p."""
    return combine(fit.problem.linear, fit.at, wald(fit), contrasts)


def joint(fit: GeneralizedEstimates, contrasts: Floats, null: Floats | float = 0.0) -> JointTest:
    """The χ² test of ``contrasts β = null``, as F on infinite degrees of freedom."""
    return joint_test(fit.problem.linear, fit.at, wald(fit), contrasts, null)


def anova(fit: GeneralizedEstimates, kind: Type, ddf: str) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.anova`."""
    check_type(kind)
    check_wald(ddf)
    back = fit.problem.linear.fixed.transform
    information: Floats = np.asarray(np.linalg.inv(back @ wald(fit).covariance @ back.T), dtype=np.float64)
    terms = hypotheses(fit.design, fit.problem.linear, kind, information)
    return f_table([joint(fit, rows) for rows in terms.values()], list(terms), ddf)


def contrasts(fit: GeneralizedEstimates, given: Contrasts, level: float, jointly: bool) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.contrasts`."""
    rows = read_contrasts(given, fit.coefficient_names)
    if jointly:
        return f_table([joint(fit, rows.matrix, rows.null)], ["joint"], "wald", title="contrast")
    return t_table(combinations(fit, rows.matrix), pd.Index(rows.labels, name="contrast"), level, rows.null)
