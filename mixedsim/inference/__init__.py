"""Degrees of freedom, covariances and intervals: functions of the engine's objects, never of fitted models."""

from mixedsim.inference.profile import LikelihoodProfile, likelihood_profile, profile_intervals
from mixedsim.inference.satterthwaite import satterthwaite_df
from mixedsim.inference.variance_parameters import VarianceParameters, variance_parameters

__all__ = [
    "LikelihoodProfile",
    "VarianceParameters",
    "likelihood_profile",
    "profile_intervals",
    "satterthwaite_df",
    "variance_parameters",
]
