"""Pictures: every function returns a matplotlib figure whose ``alt`` says what it shows."""

from mixedsim.plot.caterpillar import caterpillar
from mixedsim.plot.coverage import coverage
from mixedsim.plot.dag import dag
from mixedsim.plot.ladder import ladder
from mixedsim.plot.p_values import p_values
from mixedsim.plot.pooling import pooling
from mixedsim.plot.power import power
from mixedsim.plot.recovery import recovery
from mixedsim.plot.sampling_distribution import sampling_distribution
from mixedsim.plot.study_estimates import estimates

__all__ = [
    "caterpillar",
    "coverage",
    "dag",
    "estimates",
    "ladder",
    "p_values",
    "pooling",
    "power",
    "recovery",
    "sampling_distribution",
]
