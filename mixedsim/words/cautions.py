"""What a formula says that its author may not have meant."""

from __future__ import annotations

from collections.abc import Iterator

from mixedsim.formula import fixed_terms, unquote
from mixedsim.listing import listed
from mixedsim.words.anatomy import Anatomy, Column, Group

_FEW = 5  # levels below which a standard deviation between them is hardly known


def cautions(model: Anatomy) -> tuple[str, ...]:
    """Warnings in words, each one or two sentences."""
    said = [*_interactions(model), *_fixed_intercept(model)]
    for group in model.groups:
        said += [*_no_mean(model, group), *_zero_matters(group), *_in_the_data(model, group)]
    return tuple(said)


def _interactions(model: Anatomy) -> Iterator[str]:
    terms = [{factor.expr for factor in term.factors} for term in fixed_terms(model.formula.fixed)]
    for term in fixed_terms(model.formula.fixed):
        own = {factor.expr for factor in term.factors}
        missing = [factor.expr for factor in term.factors if len(own) > 1 and {factor.expr} not in terms]
        columns = [column for column in model.fixed if column.term == str(term)]
        if missing and not any("[" in c.name.replace("[T.", "") for c in columns):  # such categories stand in for it
            unless = " (unless it is a category)" if model.frame is None else ""
            yield f"{term} stands without {listed(missing)}: an effect is forced to be 0 where another is 0{unless}."


def _fixed_intercept(model: Anatomy) -> Iterator[str]:
    varies = any(not column.factors for column in _varying(model))
    if varies and all(column.factors and "[" not in column.name for column in model.fixed):
        yield "The intercept varies, but has no fixed effect: its average is forced to be 0."


def _no_mean(model: Anatomy, group: Group) -> Iterator[str]:
    """Effects that vary around a mean that the model leaves out."""
    terms = {frozenset(factor.expr for factor in term.factors) for term in fixed_terms(model.formula.fixed)}
    crossed = {name for term in terms for name in term}
    for block in group.blocks:
        for term in fixed_terms(block.term.effects):
            own = frozenset(factor.expr for factor in term.factors)
            if str(term) != "1" and own not in terms and not own <= crossed:
                name = unquote(str(term))
                yield (
                    f"{name} varies by {group.name} but has no fixed effect: the average of its effects is forced to "
                    f"be 0. Add {term} to the fixed part."
                )


def _zero_matters(group: Group) -> Iterator[str]:
    """Slopes that are uncorrelated with the intercept are so only where zero is now."""
    columns = [column for block in group.blocks for column in block.columns]
    if all(not column.factors for column in columns) or any("[" in column.name for column in columns):
        return
    separate = [b for b in group.blocks if all(column.factors for column in b.columns)]
    for block in separate:
        names = listed([unquote(column.name) for column in block.columns])
        alone = all(column.factors for column in columns)
        what = (
            f"every {group.name} has the same value where {names} is 0"
            if alone
            else f"intercepts and slopes of {names} are uncorrelated where {names} is 0"
        )
        yield f"{what[0].upper()}{what[1:]}: another zero of {names} (centring it, say) gives another model."


def _in_the_data(model: Anatomy, group: Group) -> Iterator[str]:
    if model.frame is None or group.levels is None:
        return
    if group.levels == model.rows and model.family == "gaussian":
        yield f"{group.name} has one row a level: nothing separates its intercept from the residual."
    elif group.levels < _FEW:
        yield f"{group.name} has only {group.levels} levels: the spread between them is hardly known."
    for block in group.blocks:
        for column in block.columns:
            own = frozenset().union(*map(model.reads, column.factors))
            around = {group.name, *group.within}
            if own and all(model.places.get(name) in around for name in own):
                names = listed(sorted(own))
                yield f"{names} never changes within a {group.name}: its effect cannot vary by {group.name}."


def _varying(model: Anatomy) -> list[Column]:
    return [column for group in model.groups for block in group.blocks for column in block.columns]
