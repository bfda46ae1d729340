"""Studies: simulate, fit, and say what came of it."""

from mixedsim.study.pooling import Pooling, pooling
from mixedsim.study.recover import recover
from mixedsim.study.recovery import Recovery

__all__ = ["Pooling", "Recovery", "pooling", "recover"]
