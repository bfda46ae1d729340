"""Studies: simulate, fit, and say what came of it."""

from mixedsim.study.pooling import Pooling, pooling
from mixedsim.study.recover import recover
from mixedsim.study.recovery import Recovery
from mixedsim.study.twin_truth import Twin, TwinTruth
from mixedsim.study.twinning import twin

__all__ = ["Pooling", "Recovery", "Twin", "TwinTruth", "pooling", "recover", "twin"]
