"""What to write in place of a random term that is richer than the data.

``||`` takes the correlations out of a term of numeric effects. The columns of one factor stay together under it, as in
lme4: ``(c || g)`` is ``(1 | g) + (0 + c | g)``, with all correlations between levels of ``c``. A simpler model of the
same idea is ``(1 | g) + (1 | c:g)``: every two levels correlate alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from formulaic.parser.types import Factor

from mixedsim.design import GroupingFactor, VaryingTerm
from mixedsim.formula import RandomTerm, column_of, fixed_terms, variables_of


def is_separable(term: VaryingTerm) -> bool:
    """Whether ``||`` would make every column an effect of its own: none belongs to a factor or a polynomial."""
    columns = term.columns
    return all(name in ("Intercept", effect) for name, effect in zip(columns.names, columns.terms, strict=True))


def simpler(factor: GroupingFactor, term: VaryingTerm, factors: Sequence[GroupingFactor]) -> str:
    """What to try instead of a term whose columns ``||`` leaves together.

    Parameters
    ----------
    factor, term : the term, and the grouping factor that it is one of.
    factors : all grouping factors of the model: what they have already is not suggested.
    """
    crossed = _crossed_with(term)
    if crossed is None:
        return "leave an effect out"
    by = factor.coding.names
    pieces = []
    if not any("Intercept" in other.columns.names for other in factor.terms if other is not term):
        pieces.append(RandomTerm("1", factor.name, by).text)
    both = (*crossed, *by)
    known = any(set(other.coding.names) == set(both) for other in factors)
    if not known and factor.cells(term) > len(factor.levels):
        pieces.append(RandomTerm("1", ":".join(both), both).text)
    if not pieces:
        return "leave it out"
    return f"try {' + '.join(pieces)} in place of {term.term.text}"


def _crossed_with(term: VaryingTerm) -> tuple[str, ...] | None:
    """The columns of the data whose combined levels vary, if nothing else does: ``c`` of ``(c | g)``."""
    effects = [effect for effect in fixed_terms(term.term.effects) if str(effect) != "1"]
    if len(effects) != 1:
        return None
    names = [name for name in term.columns.names if name != "Intercept"]
    columns = [_category(factor, names) for factor in effects[0].factors]
    return None if None in columns else tuple(column for column in columns if column is not None)


def _category(factor: Factor, names: Sequence[str]) -> str | None:
    """The column behind a factor of a term, if its levels stand in the names of the term's columns."""
    if not all(f"{factor.expr}[" in name for name in names):
        return None
    if factor.expr.startswith("C("):
        (column,) = variables_of(factor.expr)
        return column
    return column_of(factor)
