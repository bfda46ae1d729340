"""Linear combinations of a fit's coefficients, with whichever degrees of freedom were asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.inference.contrasts import Combinations, JointTest, Method, Wald, check_ddf, combine, joint_test
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.tables import t_table

Floats = NDArray[np.float64]


def coefficients(fit: LinearEstimates, ddf: str, level: float) -> pd.DataFrame:
    """The table behind `LinearMixedModel.coefficients`."""
    found = combinations(fit, np.eye(len(fit.coefficient_names)), ddf)
    return t_table(found, list(fit.coefficient_names), level)


def method(fit: LinearEstimates, ddf: str) -> Method:
    """The method that `ddf` names, for this fit."""
    check_ddf(ddf)
    if ddf == "wald":
        return Wald(fit.optimum.profile.sigma2 * fit.optimum.profile.w_inverse)
    return fit.satterthwaite if ddf == "satterthwaite" else fit.kenward_roger


def combinations(fit: LinearEstimates, contrasts: Floats, ddf: str) -> Combinations:
    """Linear combinations of the fixed effects: m × p."""
    check_ddf(ddf)
    return combine(fit.problem, fit.optimum.profile, method(fit, ddf if len(contrasts) else "wald"), contrasts)


def joint(fit: LinearEstimates, contrasts: Floats, ddf: str, null: Floats | float = 0.0) -> JointTest:
    """The F test of ``contrasts β = null``."""
    return joint_test(fit.problem, fit.optimum.profile, method(fit, ddf), contrasts, null)
