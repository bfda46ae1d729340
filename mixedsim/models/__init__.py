"""Fitting functions and the fitted models that people hold in their hands."""

from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.lmer import lmer

__all__ = ["LinearMixedModel", "lmer"]
