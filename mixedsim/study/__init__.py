"""Studies: simulate, fit, and say what came of it.

``ms.study(population, analyses, n, seed)`` is a whole study. Its three verbs are there alone too: ``ms.study.draw``,
``ms.study.fit``, ``ms.study.summarise``. What it takes and gives back:
"""

import inspect
import sys

from mixedsim.study.analysis import Analysis
from mixedsim.study.draws import Draws, draw
from mixedsim.study.found_size import FoundSize
from mixedsim.study.ladder import Ladder, ladder
from mixedsim.study.pooling import Pooling, pooling
from mixedsim.study.power_along import PowerCurve, power_curve
from mixedsim.study.recover import recover
from mixedsim.study.recovery import Recovery
from mixedsim.study.sampling_distribution import SamplingDistribution, sampling_distribution
from mixedsim.study.size_search import find_size
from mixedsim.study.study_result import Study
from mixedsim.study.studying import fit, study
from mixedsim.study.summarising import summarise
from mixedsim.study.twin_truth import Twin, TwinTruth
from mixedsim.study.twinning import twin
from mixedsim.study.verbs import StudyModule

__all__ = [
    "Analysis",
    "Draws",
    "FoundSize",
    "Ladder",
    "Pooling",
    "PowerCurve",
    "Recovery",
    "SamplingDistribution",
    "Study",
    "Twin",
    "TwinTruth",
    "draw",
    "find_size",
    "fit",
    "ladder",
    "pooling",
    "power_curve",
    "recover",
    "sampling_distribution",
    "summarise",
    "twin",
]

# `help(ms.study)` shows the documentation of a module.
__doc__ = f"{__doc__}\n{inspect.getdoc(study)}"
del study

sys.modules[__name__].__class__ = StudyModule
