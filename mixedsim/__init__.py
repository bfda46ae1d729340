"""Learn mixed-effects models by making the data yourself.

>>> import mixedsim as ms
>>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
>>> round(fit.sigma, 2)
25.59
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mixedsim import datasets
from mixedsim.engine import Control
from mixedsim.errors import ConvergenceError, DataError, FormulaError, MixedsimError, PopulationError
from mixedsim.models import LinearMixedModel, anova, compare, drop1, lmer
from mixedsim.simulate import (
    Bernoulli,
    Categorical,
    ClusterMean,
    Integers,
    Normal,
    Population,
    Sample,
    Truth,
    Uniform,
    scenarios,
)
from mixedsim.study import pooling, recover

if TYPE_CHECKING:
    from mixedsim import classroom, plot

__version__ = "0.1.0"

__all__ = [
    "Bernoulli",
    "Categorical",
    "ClusterMean",
    "Control",
    "ConvergenceError",
    "DataError",
    "FormulaError",
    "Integers",
    "LinearMixedModel",
    "MixedsimError",
    "Normal",
    "Population",
    "PopulationError",
    "Sample",
    "Truth",
    "Uniform",
    "anova",
    "classroom",
    "compare",
    "datasets",
    "drop1",
    "lmer",
    "plot",
    "pooling",
    "recover",
    "scenarios",
]


def __getattr__(name: str) -> object:
    """Rooms that need matplotlib or an extra are entered when first asked for: importing mixedsim stays quick."""
    if name in ("plot", "classroom"):
        return import_module(f"mixedsim.{name}")
    raise AttributeError(f"module 'mixedsim' has no attribute {name!r}")
