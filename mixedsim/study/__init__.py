"""Studies: simulate, fit, and say what came of it."""

from mixedsim.study.pooling import Pooling, pooling
from mixedsim.study.recover import recover
from mixedsim.study.recovery import Recovery
from mixedsim.study.twin import twin
from mixedsim.study.twin_truth import Twin, TwinTruth

__all__ = ["Pooling", "Recovery", "Twin", "TwinTruth", "pooling", "recover", "twin"]
