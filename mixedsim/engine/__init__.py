"""The engine: cross-products go in, an optimum comes out. Nothing here has heard of formulas or data frames."""

from mixedsim.engine.covariance import FactorShape, Layout
from mixedsim.engine.cross_products import CrossProducts, Grouping, cross_products
from mixedsim.engine.objective import Objective, Profile
from mixedsim.engine.optimise import Control, Optimum, minimise
from mixedsim.engine.problem import Problem, pose
from mixedsim.engine.structure import Absorbed, Blocks, arrange

__all__ = [
    "Absorbed",
    "Blocks",
    "Control",
    "CrossProducts",
    "FactorShape",
    "Grouping",
    "Layout",
    "Objective",
    "Optimum",
    "Problem",
    "Profile",
    "arrange",
    "cross_products",
    "minimise",
    "pose",
]
