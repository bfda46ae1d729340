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
    from mixedsim import classroom, datasets, explore, plot
    from mixedsim.engine import Control
    from mixedsim.models import (
        CumulativeLinkMixedModel,
        GeneralizedLinearMixedModel,
        LinearMixedModel,
        anova,
        clmm,
        compare,
        drop1,
        glmer,
        lmer,
        table,
    )
    from mixedsim.simulate import (
        Assigned,
        Bernoulli,
        Beta,
        Binomial,
        Categorical,
        Centered,
        ClusterMean,
        Correlated,
        Custom,
        Derived,
        Dropout,
        Duplicated,
        Integers,
        Lag,
        Limits,
        LogNormal,
        MeasurementError,
        Miscoded,
        Missing,
        Normal,
        Outliers,
        Poisson,
        Population,
        Rounded,
        RSeed,
        Sample,
        Shifted,
        Sizes,
        StudentT,
        Truth,
        Uniform,
        Within,
        scenarios,
    )
    from mixedsim.study import Analysis, find_size, ladder, pooling, power_curve, recover, sampling_distribution, twin
    from mixedsim.study.verbs import StudyModule
    from mixedsim.words import center, describe, explain, structure, within_between

    study: StudyModule

__version__ = "0.1.0"

# A room is entered when something in it is first asked for: whoever simulates does not wait for the fitter, and
# nobody waits for matplotlib. Type checkers read the imports above.
_ROOMS = {
    "engine": ("Control",),
    "models": (
        "CumulativeLinkMixedModel",
        "GeneralizedLinearMixedModel",
        "LinearMixedModel",
        "anova",
        "clmm",
        "compare",
        "drop1",
        "glmer",
        "lmer",
        "table",
    ),
    "simulate": (
        "Assigned",
        "Bernoulli",
        "Beta",
        "Binomial",
        "Categorical",
        "Centered",
        "ClusterMean",
        "Correlated",
        "Custom",
        "Derived",
        "Dropout",
        "Duplicated",
        "Integers",
        "Lag",
        "Limits",
        "LogNormal",
        "MeasurementError",
        "Miscoded",
        "Missing",
        "Normal",
        "Outliers",
        "Poisson",
        "Population",
        "RSeed",
        "Rounded",
        "Sample",
        "Shifted",
        "Sizes",
        "StudentT",
        "Truth",
        "Uniform",
        "Within",
        "scenarios",
    ),
    "study": ("Analysis", "find_size", "ladder", "pooling", "power_curve", "recover", "sampling_distribution", "twin"),
    "words": ("center", "describe", "explain", "structure", "within_between"),
}
_MODULES = ("classroom", "datasets", "explore", "plot", "study")
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Analysis",
    "Assigned",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Centered",
    "ClusterMean",
    "Control",
    "ConvergenceError",
    "Correlated",
    "CumulativeLinkMixedModel",
    "Custom",
    "DataError",
    "Derived",
    "Dropout",
    "Duplicated",
    "FormulaError",
    "GeneralizedLinearMixedModel",
    "Integers",
    "Lag",
    "Limits",
    "LinearMixedModel",
    "LogNormal",
    "MeasurementError",
    "Miscoded",
    "Missing",
    "MixedsimError",
    "Normal",
    "Outliers",
    "Poisson",
    "Population",
    "PopulationError",
    "RSeed",
    "Rounded",
    "Sample",
    "Shifted",
    "Sizes",
    "StudentT",
    "Truth",
    "Uniform",
    "Within",
    "anova",
    "center",
    "classroom",
    "clmm",
    "compare",
    "datasets",
    "describe",
    "drop1",
    "explain",
    "explore",
    "find_size",
    "glmer",
    "ladder",
    "lmer",
    "plot",
    "pooling",
    "power_curve",
    "recover",
    "sampling_distribution",
    "scenarios",
    "structure",
    "study",
    "table",
    "twin",
    "within_between",
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
