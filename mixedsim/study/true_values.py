"""The truth that an analysis can be held against.

A coefficient of the same name may be another quantity: that of another response, of a column whose zero lies elsewhere,
of one group among many, or of a combination of columns that the data cannot tell apart. What is no parameter of the
source has no truth, and so no bias and no coverage.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from formulaic.parser.types import Term

from mixedsim.formula import Formula, column_of, fixed_terms, unquote, variables_of
from mixedsim.response import quotient
from mixedsim.simulate.response import TRIALS

Symbol = tuple[str, str, str]  # kind, group and term, as in the index of `wald_intervals`
Variables = frozenset[str]
_Key = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
_COLON = r":(?![^\[(]*[\])])"  # one within brackets belongs to a level's name


def truth_for(
    analysis: Formula,
    source: Formula,
    truth: Mapping[Symbol, float],
    *,
    means: bool = False,
    undetermined: Collection[str] = (),
) -> Mapping[Symbol, float]:
    """The true parameters that mean in the analysis what they mean in the source.

    Without truth are

    - all parameters, where the response is another (``log(y)`` for y);
    - beside indicators of a grouping factor the intercept, which is that of one group, whose truth every replicate
      draws anew, and beside their products with x the slope of x;
    - beside a calculated term that stands for one of the source (``center(x)`` for x) whatever is meant at its zero:
      the intercept, and beside ``center(x):z`` the slope of z; among effects that vary likewise;
    - coefficients that the columns do not determine (`mixedsim.study.ordinary.undetermined`);
    - in a regression on means calculated terms, since no function of a mean is the mean of the function.

    Parameters
    ----------
    analysis, source : formulas.
    truth : of the source.
    means : whether the analysis is of group means.
    undetermined : names of coefficients that the columns of the analysis do not determine.
    """
    if not same_response(analysis, source):
        return {}
    groups = frozenset(name for term in source.terms for name in term.factors)
    own, given = fixed_terms(analysis.fixed), fixed_terms(source.fixed)
    known = set(map(_key, given))
    of_groups = [_read(term) for term in own if _key(term) not in known and _read(term) & groups]
    calculated = [_read(term) for term in own if _is_calculated(term)]
    moved = {"": [*_recast(own, given), *of_groups, *(calculated if means else [])]}
    for group in {group for kind, group, _ in truth if kind in ("sd", "corr")}:
        moved[group] = _recast(_effects(analysis, group), _effects(source, group))
    unknown = {parameter_key(("fixed", "", name)) for name in undetermined}
    return {
        symbol: value
        for symbol, value in truth.items()
        if parameter_key(symbol) not in unknown and not _is_moved(symbol, moved.get(symbol[1], []))
    }


def same_response(analysis: Formula, source: Formula) -> bool:
    """Whether two left sides are one: spaces do not count, and ``passed / trials`` are the trials of ``passed / 6``."""
    own, given = quotient(analysis), quotient(source)
    if own is None or given is None:
        return unquote(analysis.response) == unquote(source.response)
    trials = {given[1], TRIALS} if given[1].isdecimal() else {unquote(given[1])}
    return unquote(own[0]) == unquote(given[0]) and unquote(own[1]) in trials


def parameter_key(symbol: Symbol) -> _Key:
    """What two spellings of one parameter share."""
    kind, group, term = symbol
    effects = term.split(", ") if kind == "corr" else [term]
    return kind, _parts(group), tuple(sorted(_parts(effect) for effect in effects))


def _parts(name: str) -> tuple[str, ...]:
    """The factors of an interaction or combination, sorted."""
    return tuple(sorted(re.split(_COLON, name)))


def _recast(own: Sequence[Term], given: Sequence[Term]) -> list[Variables]:
    """What the calculated terms read that stand for others of the source, or the plain ones that stand for such."""
    known, kept = set(map(_key, given)), set(map(_key, own))
    lost = [term for term in given if _key(term) not in kept]
    return [
        _read(term)
        for term in own
        if _key(term) not in known
        and any(_read(term) & _read(one) and (_is_calculated(term) or _is_calculated(one)) for one in lost)
    ]


def _is_moved(symbol: Symbol, moved: Iterable[Variables]) -> bool:
    kind, _, name = symbol
    effects = name.split(", ") if kind == "corr" else ["Intercept"] if kind == "threshold" else [name]
    return kind != "sigma" and any(_named(effect) <= one for effect in effects for one in moved)


def _effects(formula: Formula, group: str) -> list[Term]:
    """The effects that vary by a group."""
    mine = [term for term in formula.terms if sorted(term.factors) == sorted(group.split(":"))]
    return [effect for term in mine for effect in fixed_terms(term.effects)]


def _key(term: Term) -> frozenset[str]:
    return frozenset(factor.expr for factor in term.factors)


def _read(term: Term) -> Variables:
    """The columns that a term reads; none for the intercept."""
    names = (column_of(factor) for factor in term.factors)
    pairs = zip(names, term.factors, strict=True)
    return frozenset().union(*({name} if name is not None else variables_of(f.expr) for name, f in pairs))


def _is_calculated(term: Term) -> bool:
    return str(term) != "1" and any(column_of(factor) is None for factor in term.factors)


def _named(coefficient: str) -> Variables:
    """The columns that stand in the name of a coefficient: ``x:arm[T.b]`` has x and arm."""
    if coefficient == "Intercept":
        return frozenset()
    return frozenset().union(*(variables_of(re.sub(r"\[[^\[\]]*\]$", "", part)) for part in _parts(coefficient)))
