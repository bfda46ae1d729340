"""One sentence a term, for somebody who reads a formula for the first time."""

from __future__ import annotations

from itertools import groupby

import pandas as pd

from mixedsim.formula import RandomTerm, fixed_terms, unquote, variables_of
from mixedsim.grammar import FormulaText
from mixedsim.listing import counted, listed
from mixedsim.words.anatomy import Anatomy, Block, Column, Group
from mixedsim.words.counting import sds_and_correlations


def sentences(model: Anatomy) -> tuple[tuple[str, str], ...]:
    """Every term as it is written, and what it means."""
    fixed = [(str(term), fixed_sentence(str(term), model)) for term in fixed_terms(model.formula.fixed)]
    if not any(text == "1" for text, _ in fixed):
        fixed.insert(0, ("0", _no_intercept(model)))
    written = groupby(model.formula.terms, key=lambda term: term.at)
    return (*fixed, *(random_sentence(list(terms), model) for _, terms in written))


def fixed_sentence(term: str, model: Anatomy) -> str:
    """What a term of the fixed part means."""
    y = target(model)
    if term == "1":
        read = variables_of(model.formula.fixed)
        where = f" where every predictor {_at_zero(list(read), model)}" if read else ""
        return f"the intercept: {y}{where}{_over_groups(term, model)}"
    columns = [column for column in model.fixed if column.term == term]
    names = model.factors(term)
    if len(names) > 1:
        first, *rest = names
        what = f"how much the effect of {first} on {y} changes with {' and '.join(rest)}"
        return f"interaction: {what}{_exact(columns, model)}"
    where = _where_zero(term, model)
    if _is_category(names, columns):
        if any(column.factors == () for column in model.fixed) or model.frame is None:
            what = f"how far each level but the first is from the first in {y}"
        else:
            what = f"{y} at each level"
        return f"category: {what}{where}{_exact(columns, model)}{_over_groups(term, model)}"
    if len(columns) > 1:
        return f"curve: {y} bends with it, by {counted(len(columns), 'coefficient')}{where}{_over_groups(term, model)}"
    return f"slope: how much {y} changes when {unquote(term)} is larger by 1{where}{_over_groups(term, model)}"


def target(model: Anatomy) -> str:
    """What the linear predictor is about: the mean, or what the link makes of it."""
    name = unquote(model.response)
    if model.family == "binomial":
        return f"the log-odds of {name}"
    return f"the log of the mean of {name}" if model.family == "poisson" else f"the mean of {name}"


def random_sentence(terms: list[RandomTerm], model: Anatomy) -> tuple[str, str]:
    """A bar term as it is written, and what it means; `terms` are what it stands for."""
    text = _as_written(terms[0], model)
    groups = [model.group(name) for name in dict.fromkeys(term.group for term in terms)]
    blocks = [[block for block in group.blocks if block.term in terms] for group in groups]
    columns = [column for block in blocks[0] for column in block.columns]
    pairs = sum(len(b.columns) * (len(b.columns) - 1) // 2 for own in blocks for b in own)
    size = sum(len(block.columns) for own in blocks for block in own)
    double = "||" in text
    own = _listed_effects(blocks[0], model)
    said = f"every {_unit(groups[0])} has {own} of its own{_kept(columns, groups[0])}"
    said += "".join(f", and so has every {_unit(group)}" for group in groups[1:])
    if len(columns) > 1:
        which = "the two" if len(columns) == 2 else "they"
        if double and not pairs:
            said += f"; the two bars keep {which} uncorrelated"
        elif double:
            said += "; the two bars keep effects of different variables uncorrelated"
        else:
            said += f"; {which} may be correlated"
    if len(groups) > 1:
        said = f"stands for {' + '.join(f'({term.effects} | {term.group})' for term in terms)}: {said}"
    counts = sds_and_correlations(size, pairs) + (" and no correlation" if double and not pairs and size > 1 else "")
    several = model.frame is None and any(_is_category(model.factors(column.term), [column]) for column in columns)
    at_least = "at least " if several else ""
    return text, f"{said}: {at_least}{counts}"


def arrangement(model: Anatomy) -> list[str]:
    """How the grouping factors lie to each other."""
    said = []
    for at, one in enumerate(model.groups):
        for two in model.groups[at + 1 :]:
            if two.name in one.within and not set(two.factors) < set(one.factors):
                said.append(f"{one.name} is nested in {two.name}: each of its levels occurs in one {two.name} only.")
            elif two.name not in one.within and one.name not in two.within:
                unless = "" if model.frame is not None else " (unless the data show one to lie within the other)"
                said.append(
                    f"{one.name} and {two.name} are crossed{unless}: neither lies within the other, and a row has an "
                    "effect of both."
                )
    if not model.groups:
        said.append("No term varies by group: this is ordinary regression, in which all rows are independent.")
    return said


def _no_intercept(model: Anatomy) -> str:
    if model.frame is not None and any("[" in column.name for column in model.fixed):
        return "no intercept: a category has a value for each of its levels instead"
    unless = "" if model.frame is not None else ", unless a category has a value for each of its levels instead"
    return f"no intercept: {target(model)} is 0 where every predictor is 0{unless}"


def _over_groups(term: str, model: Anatomy) -> str:
    """For a coefficient that varies: that the fixed one is the average."""
    by = [group for group in model.groups for block in group.blocks if _has(block, term)]
    if not by:
        return ""
    # an average effect on a log or log-odds is that of an average group, not the average over groups
    average = "average" if model.family == "gaussian" else "typical"
    names = f" and the {average} ".join(dict.fromkeys(_unit(group) for group in by))
    return f", for the {average} {names}"


def _has(block: Block, term: str) -> bool:
    return any(column.term == term for column in block.columns)


def _where_zero(term: str, model: Anatomy) -> str:
    """Where a main effect holds, if the term is also part of an interaction."""
    own = set(model.factors(term))
    others: dict[str, None] = {}
    for one in fixed_terms(model.formula.fixed):
        factors = model.factors(str(one))
        if own < set(factors):
            others |= dict.fromkeys(name for name in factors if name not in own)
    return f", where {listed(list(others))} {_at_zero(list(others), model)}" if others else ""


def _at_zero(names: list[str], model: Anatomy) -> str:
    """``is 0``, or what takes the place of 0 if one of the variables is, or may be, a category."""
    if model.frame is None:
        return "is 0 (or at its first level)"
    known = [name for name in names if name in model.frame]
    numeric = [name for name in known if pd.api.types.is_numeric_dtype(model.frame[name])]
    if len(numeric) == len(known):
        return "is 0"
    return "is 0 or at its first level" if numeric else "is at its first level"


def _is_category(factors: tuple[str, ...], columns: list[Column]) -> bool:
    """Whether a term is known to be a category: by ``C(…)``, or by the names of its columns."""
    if len(factors) > 1:
        return False
    return factors[0].startswith("C(") or any(
        column.name.startswith(f"{factors[0]}[") and "(" not in factors[0] for column in columns
    )


def _exact(columns: list[Column], model: Anatomy) -> str:
    if model.frame is None or len(columns) == 1:
        return ""
    return f" ({counted(len(columns), 'coefficient')})"


def _as_written(term: RandomTerm, model: Anatomy) -> str:
    """The brackets of the formula in which the term stands."""
    text = model.formula.text
    depth = FormulaText(text).depth
    end = next(i for i in range(term.at, len(text)) if 0 <= depth[i] < depth[term.at - 1] + 1)
    return f"({' '.join(text[term.at : end].split())})"


def _unit(group: Group) -> str:
    """``class within its school``, ``combination of a and b``."""
    if len(group.factors) == 1:
        return group.name
    inner, *outer = group.factors
    if any(set(name.split(":")) == set(outer) for name in group.within):
        return f"{inner} within its {' and '.join(outer)}"
    return f"combination of {listed(list(group.factors))}"


def _kept(columns: list[Column], group: Group) -> str:
    """What the levels of a group share although they have slopes of their own."""
    if any(not column.factors for column in columns) or any("[" in column.name for column in columns):
        return ""
    elsewhere = any(not column.factors for block in group.blocks for column in block.columns)
    if elsewhere:
        return ", uncorrelated with the intercept of the other term"
    return ", but no intercept of its own"


def _listed_effects(blocks: list[Block], model: Anatomy) -> str:
    terms = [(term, block) for block in blocks for term in dict.fromkeys(c.term for c in block.columns)]
    return listed([_effect(term, block, model) for term, block in terms])


def _effect(term: str, block: Block, model: Anatomy) -> str:
    if term == "1":
        return "an intercept"
    columns = [column for column in block.columns if column.term == term]
    factors = model.factors(term)
    if _is_category(factors, columns):
        name = factors[0]
        if len(columns) > 1 or "[" in columns[0].name:
            every = "[T." not in columns[0].name
            what = "a value for each level" if every else "a difference for each level but the first"
            return f"{what} of {name} ({len(columns)})"
        return f"a difference for each level but the first of {name}"
    if len(factors) > 1:
        return f"an interaction of {' and '.join(factors)}"
    return f"a slope of {factors[0]}"
