"""Pictures: every function returns a matplotlib figure whose ``alt`` says what it shows."""

from mixedsim.plot.anatomy import summary
from mixedsim.plot.autocorrelation_panel import autocorrelation
from mixedsim.plot.bootstrap_clouds import bootstrap
from mixedsim.plot.caterpillar import caterpillar
from mixedsim.plot.coefficients import forest
from mixedsim.plot.collinearity_panel import collinearity
from mixedsim.plot.consistency_panels import consistency
from mixedsim.plot.coverage import coverage
from mixedsim.plot.dag import dag
from mixedsim.plot.diagnostics_page import diagnostics
from mixedsim.plot.estimated_means import means
from mixedsim.plot.fitted import fit
from mixedsim.plot.icc_pairs import icc
from mixedsim.plot.influence_panels import influence
from mixedsim.plot.ladder import ladder
from mixedsim.plot.marginal_effects import effects
from mixedsim.plot.missing_map import missing
from mixedsim.plot.p_values import p_values
from mixedsim.plot.pooling import pooling
from mixedsim.plot.posterior_densities import posterior
from mixedsim.plot.power import power
from mixedsim.plot.profile_picture import profile
from mixedsim.plot.qq_panel import qq
from mixedsim.plot.recovery import recovery
from mixedsim.plot.residual_panels import residuals
from mixedsim.plot.sampling_distribution import sampling_distribution
from mixedsim.plot.scatter import data
from mixedsim.plot.schematic import models
from mixedsim.plot.shrinkage_picture import shrinkage
from mixedsim.plot.simpsons_paradox import simpson
from mixedsim.plot.structure_picture import structure
from mixedsim.plot.study_estimates import estimates

__all__ = [
    "autocorrelation",
    "bootstrap",
    "caterpillar",
    "collinearity",
    "consistency",
    "coverage",
    "dag",
    "data",
    "diagnostics",
    "effects",
    "estimates",
    "fit",
    "forest",
    "icc",
    "influence",
    "ladder",
    "means",
    "missing",
    "models",
    "p_values",
    "pooling",
    "posterior",
    "power",
    "profile",
    "qq",
    "recovery",
    "residuals",
    "sampling_distribution",
    "shrinkage",
    "simpson",
    "structure",
    "summary",
]
