"""Whether models can be held against each other: one kind, the same rows, the same response, the same criterion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine.streamed import StreamedDesign
from mixedsim.errors import DataError, MixedsimError
from mixedsim.inference.likelihood_ratio import step
from mixedsim.models.clmm_model import CumulativeLinkMixedModel
from mixedsim.models.generalized import GeneralizedLinearMixedModel
from mixedsim.models.linear import LinearMixedModel

MixedModel: TypeAlias = LinearMixedModel | GeneralizedLinearMixedModel | CumulativeLinkMixedModel
_EXPECTED = (("binomial", "logit"), ("poisson", "log"), ("ordinal", "logit"))
_WORSE = 1e-5  # how much higher the deviance of the larger model may be before rounding cannot explain it


def check_alike(fits: Sequence[MixedModel], verb: str) -> None:
    """Raise unless there are two fits or more, all to the same rows and the same response."""
    for fit in fits:
        if not isinstance(fit, MixedModel):
            raise MixedsimError(
                f"ms.{verb} takes fitted models, found {type(fit).__name__}: fit with ms.lmer first, and name the "
                "options."
            )
    if len(fits) < 2:
        mend = "for the terms of one model, use its .anova()" if verb == "anova" else "fit another one to the same rows"
        raise MixedsimError(f"ms.{verb} compares two models or more, found {len(fits)}: {mend}.")
    first = fits[0]
    for other in fits[1:]:
        _check_one_kind(first, other)
        order = _matched(first, other)
        if order is None:
            alike = first.nobs == other.nobs
            why = f"{first.nobs} each, but not the same" if alike else f"{first.nobs} and {other.nobs}"
            raise DataError(
                f"{name_of(first)} and {name_of(other)} were fitted to different rows ({why}), so they cannot be "
                "compared: fit both to the rows that have values in all of their variables."
            )
        if not _same_response(first, other, order):
            raise DataError(
                f"{name_of(first)} and {name_of(other)} explain different responses "
                f"({first.design.formula.response} and {other.design.formula.response}, with different values), so "
                "they cannot be compared: fit both to one."
            )


def _check_one_kind(one: MixedModel, other: MixedModel) -> None:
    """Raise unless both likelihoods are of one kind: of numbers or of amounts, by one approximation."""
    both = f"{name_of(one)} and {name_of(other)}"
    if isinstance(one, LinearMixedModel) and isinstance(other, LinearMixedModel):
        return
    if isinstance(one, LinearMixedModel) or isinstance(other, LinearMixedModel):
        raise MixedsimError(
            f"{both} are a linear and a generalised model, whose likelihoods cannot be compared: fit both with "
            "ms.lmer, or both with ms.glmer."
        )
    if (one.family == "ordinal") != (other.family == "ordinal"):
        raise MixedsimError(
            f"{both} are a model of ordered categories and another one, whose likelihoods cannot be compared: fit both "
            "with ms.clmm, or both with ms.glmer."
        )
    if one.kind.scaled != other.kind.scaled:
        raise MixedsimError(
            f"{both} have the families {one.family!r} and {other.family!r}, of which one is for counts and one for "
            "amounts, so that their likelihoods cannot be compared: choose by what the response is."
        )
    if one.nagq != other.nagq:
        raise MixedsimError(
            f"{both} were fitted with nagq={one.nagq} and nagq={other.nagq}, which approximate the likelihood "
            f"differently: fit both with one, as in update(nagq={max(one.nagq, other.nagq)})."
        )


def _same_response(one: MixedModel, other: MixedModel, order: NDArray[np.intp] | slice) -> bool:
    """Whether two models explain the same values, out of as many trials."""
    a, b = one.design, other.design
    if isinstance(a, StreamedDesign) and isinstance(b, StreamedDesign):
        return a.formula.response == b.formula.response and a.asked.offset == b.asked.offset
    trials = (np.ones(d.rows) if d.trials is None else d.trials for d in (a, b))
    mine, theirs = trials
    return np.array_equal(a.y, b.y[order]) and np.array_equal(mine, theirs[order])


def same_mean(one: MixedModel, other: MixedModel) -> bool:
    """Whether two generalised models differ in their linear predictors alone, or as Poisson and negative binomial."""
    if isinstance(one, LinearMixedModel) or isinstance(other, LinearMixedModel):
        return True
    counts = {"poisson", "negative-binomial"}
    alike = one.family == other.family or {one.family, other.family} == counts
    return alike and one.link == other.link


def extra_parameters(fit: MixedModel) -> int:
    """Parameters of the family that are at an end of their range in a simpler one: τ of a negative binomial."""
    return 0 if isinstance(fit, LinearMixedModel) else fit.objective.family.extra


def _matched(one: MixedModel, other: MixedModel) -> NDArray[np.intp] | slice | None:
    """The order in which the rows of `other` are those of `one`; None if they are others."""
    a, b = one.design, other.design
    if a.rows != b.rows:
        return None
    if isinstance(a, StreamedDesign) or isinstance(b, StreamedDesign):
        return slice(None) if _same_source(a, b) else None
    if a.index.equals(b.index):
        return slice(None)
    if a.index.is_unique and b.index.is_unique:
        order = b.index.get_indexer(a.index)
        if (order >= 0).all():
            return np.asarray(order, dtype=np.intp)
    # the same positions of tables of one length: the rows have only been renamed
    mine, theirs = (np.arange(d.rows_given)[d.used] for d in (a, b))
    return slice(None) if a.rows_given == b.rows_given and np.array_equal(mine, theirs) else None


def _same_source(a: Design, b: Design) -> bool:
    """Whether two designs were summed over the same rows of one source."""
    if not (isinstance(a, StreamedDesign) and isinstance(b, StreamedDesign)):
        return False
    return a.rows_given == b.rows_given and a.source.is_same(b.source)


def check_criteria(fits: Sequence[MixedModel]) -> None:
    """Raise unless the criteria that were optimised can be subtracted from each other."""
    if len({fit.reml for fit in fits}) > 1:
        reml = next(fit for fit in fits if fit.reml)
        raise MixedsimError(
            f"{name_of(reml)} was fitted by REML and another model by maximum likelihood, so their criteria cannot be "
            "compared: use refit=True."
        )
    if fits[0].reml and not same_fixed(fits):
        raise MixedsimError(
            "these REML fits have different fixed effects, so their criteria cannot be compared: use refit=True, which "
            "refits them by maximum likelihood."
        )


def same_fixed(fits: Sequence[MixedModel]) -> bool:
    """Whether the fixed parts are the same columns: the REML criterion depends on the coding, too."""
    first = fits[0]
    for other in fits[1:]:
        if sorted(first.coefficient_names) != sorted(other.coefficient_names):
            return False
        both = step(first.design, other.design), step(other.design, first.design)
        if not all(what.fixed_nested for what in both):
            return False
    return True


def by_likelihood(fit: MixedModel) -> MixedModel:
    """The same model fitted by maximum likelihood; itself if it is."""
    return fit.update(reml=False) if isinstance(fit, LinearMixedModel) and fit.reml else fit


def all_by_likelihood(fits: Sequence[MixedModel]) -> tuple[tuple[MixedModel, ...], list[str]]:
    """All models by maximum likelihood, and a note on those that were not."""
    again = [name_of(fit) for fit in fits if fit.reml]
    out = tuple(by_likelihood(fit) for fit in fits)
    if not again:
        return out, []
    if len(again) < len(fits):
        who = " and ".join(again)
    else:
        who = "both models" if len(fits) == 2 else f"all {len(fits)} models"
    was, have = ("was", "has") if len(again) == 1 else ("were", "have")
    return out, [f"{who} {was} fitted by REML and {have} been refitted by maximum likelihood."]


def name_of(fit: MixedModel) -> str:
    """The formula, with family and link where these are not what one expects."""
    text = " ".join(fit.formula.split())
    if isinstance(fit, LinearMixedModel) or (fit.family, fit.link) in _EXPECTED:
        return text
    return f"{text} [{fit.family}, {fit.link}]"


def facts(fits: Sequence[MixedModel]) -> pd.DataFrame:
    columns = ("npar", "aic", "bic", "loglik", "deviance")
    values = {column: [getattr(fit, column) for fit in fits] for column in columns}
    return pd.DataFrame(values, index=pd.Index([name_of(fit) for fit in fits], name="model"))


def gain(small: MixedModel, large: MixedModel) -> float:
    """The likelihood ratio; what is negative by rounding is zero."""
    ratio = small.deviance - large.deviance
    return 0.0 if -_WORSE < ratio < 0 else ratio
