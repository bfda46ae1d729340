"""Pictures: every function returns a matplotlib figure whose ``alt`` says what it shows."""

from mixedsim.plot.caterpillar import caterpillar
from mixedsim.plot.dag import dag
from mixedsim.plot.pooling import pooling
from mixedsim.plot.recovery import recovery

__all__ = ["caterpillar", "dag", "pooling", "recovery"]
