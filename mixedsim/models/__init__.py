"""Fitting functions and the fitted models that people hold in their hands."""

from mixedsim.models.comparison import anova, compare
from mixedsim.models.dropping import drop1
from mixedsim.models.generalized import GeneralizedLinearMixedModel
from mixedsim.models.glmer import glmer
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.lmer import lmer

__all__ = ["GeneralizedLinearMixedModel", "LinearMixedModel", "anova", "compare", "drop1", "glmer", "lmer"]
