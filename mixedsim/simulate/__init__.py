"""Making clustered data whose truth is known: variables, populations, scenarios."""

from mixedsim.simulate import scenarios
from mixedsim.simulate.population import Population
from mixedsim.simulate.sample import Sample, Truth
from mixedsim.simulate.variables import (
    Bernoulli,
    Categorical,
    ClusterMean,
    Integers,
    Normal,
    Uniform,
    Variable,
)

__all__ = [
    "Bernoulli",
    "Categorical",
    "ClusterMean",
    "Integers",
    "Normal",
    "Population",
    "Sample",
    "Truth",
    "Uniform",
    "Variable",
    "scenarios",
]
