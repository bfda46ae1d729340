"""F tests (or χ² tests) of the terms of one model."""

from __future__ import annotations

import pandas as pd

from mixedsim.inference.contrasts import check_ddf
from mixedsim.inference.hypotheses import Type, check_type, hypotheses
from mixedsim.models.combinations import joint
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.tables import f_table


def anova(fit: LinearEstimates, kind: Type, ddf: str) -> pd.DataFrame:
    """The table behind `LinearMixedModel.anova`."""
    check_type(kind)
    check_ddf(ddf)
    terms = hypotheses(fit.design, fit.problem, kind)
    return f_table([joint(fit, rows, ddf) for rows in terms.values()], list(terms), ddf)
