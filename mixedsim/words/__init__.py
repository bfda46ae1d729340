"""Words for designs and formulas, before any model is fitted."""

from mixedsim.words.centring import center, within_between
from mixedsim.words.description import Description, describe
from mixedsim.words.doctor import structure
from mixedsim.words.explain import Explanation, FormulaComparison, explain
from mixedsim.words.structure_table import Structure

__all__ = [
    "Description",
    "Explanation",
    "FormulaComparison",
    "Structure",
    "center",
    "describe",
    "explain",
    "structure",
    "within_between",
]
