"""Fitting functions and the fitted models that people hold in their hands."""

from mixedsim.models.clmm_fit import clmm
from mixedsim.models.clmm_model import CumulativeLinkMixedModel
from mixedsim.models.comparison import anova, compare
from mixedsim.models.dropping import drop1
from mixedsim.models.generalized import GeneralizedLinearMixedModel
from mixedsim.models.glmer import glmer
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.lmer import lmer
from mixedsim.models.table_of_fits import FitTable, table

__all__ = [
    "CumulativeLinkMixedModel",
    "FitTable",
    "GeneralizedLinearMixedModel",
    "LinearMixedModel",
    "anova",
    "clmm",
    "compare",
    "drop1",
    "glmer",
    "lmer",
    "table",
]
