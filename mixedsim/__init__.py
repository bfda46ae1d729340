"""Learn mixed-effects models by making the data yourself.

>>> import mixedsim as ms
>>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
>>> round(fit.sigma, 2)
25.59
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mixedsim.errors import ConvergenceError, DataError, FormulaError, MixedsimError, PopulationError

if TYPE_CHECKING:
    from mixedsim import classroom, datasets, plot
    from mixedsim.engine import Control
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

__version__ = "0.1.0"

# A room is entered when something in it is first asked for: whoever simulates does not wait for the fitter, and
# nobody waits for matplotlib. Type checkers read the imports above.
_ROOMS = {
    "engine": ("Control",),
    "models": ("LinearMixedModel", "anova", "compare", "drop1", "lmer"),
    "simulate": (
        "Bernoulli",
        "Categorical",
        "ClusterMean",
        "Integers",
        "Normal",
        "Population",
        "Sample",
        "Truth",
        "Uniform",
        "scenarios",
    ),
    "study": ("pooling", "recover"),
}
_MODULES = ("classroom", "datasets", "plot")
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}

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
    if name in _MODULES:
        return import_module(f"mixedsim.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'mixedsim' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"mixedsim.{_WHERE[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
