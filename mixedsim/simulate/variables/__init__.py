"""The variables that a population can have, one a file, and how they are made from a specification."""

from mixedsim.simulate.variables.assigned import Assigned
from mixedsim.simulate.variables.bernoulli import Bernoulli
from mixedsim.simulate.variables.beta import Beta
from mixedsim.simulate.variables.binomial import Binomial
from mixedsim.simulate.variables.categorical import Categorical
from mixedsim.simulate.variables.centered import Centered
from mixedsim.simulate.variables.cluster_mean import ClusterMean
from mixedsim.simulate.variables.correlated import Correlated, Member
from mixedsim.simulate.variables.custom import Custom
from mixedsim.simulate.variables.derived import Derived
from mixedsim.simulate.variables.integers import Integers
from mixedsim.simulate.variables.kinds import KINDS, variable_from
from mixedsim.simulate.variables.lag import Lag
from mixedsim.simulate.variables.lognormal import LogNormal
from mixedsim.simulate.variables.normal import Normal
from mixedsim.simulate.variables.poisson import Poisson
from mixedsim.simulate.variables.settling import entries_of, levels_of, settled_variables
from mixedsim.simulate.variables.student_t import StudentT
from mixedsim.simulate.variables.uniform import Uniform
from mixedsim.simulate.variables.variable import Drawn, Variable
from mixedsim.simulate.variables.within import Within

__all__ = [
    "KINDS",
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
    "Drawn",
    "Integers",
    "Lag",
    "LogNormal",
    "Member",
    "Normal",
    "Poisson",
    "StudentT",
    "Uniform",
    "Variable",
    "Within",
    "entries_of",
    "levels_of",
    "settled_variables",
    "variable_from",
]
