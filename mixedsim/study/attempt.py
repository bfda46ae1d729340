"""Trying an analysis before a thousand replicates are given to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import pandas as pd

from mixedsim.errors import DataError, FormulaError, MixedsimError
from mixedsim.formula import unquote
from mixedsim.listing import listed
from mixedsim.reading import require
from mixedsim.response import quotient
from mixedsim.simulate.family import outcome
from mixedsim.study.analysis import Analysis
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
from mixedsim.study.generalized import outcome_words
from mixedsim.study.ordinal import clmm_link
from mixedsim.study.sources import PopulationSource, Source

Result = TypeVar("Result")
_TRIED = 20  # replicates on which an analysis may fail before it is the analysis that is wrong
_ASKED = 5  # of them: how many may lack a coefficient before it is the analysis that has one too many


class Mistake(MixedsimError):
    """A function of one's own that is wrong, whatever the data."""


class AnalysisFails(MixedsimError):
    """An analysis that fails wherever it is tried."""


def check_analyses(source: Source, analyses: Mapping[str, Any]) -> None:
    """Raise unless the data will show every column that an analysis reads, and have an outcome for its model.

    Nothing is drawn for that.

    Raises
    ------
    DataError
        For a column that is hidden or that nobody has.
    MixedsimError
        For a linear model of an outcome that is none, and options that its model does not have.
    """
    for name, analysis in analyses.items():
        if not isinstance(analysis, Analysis):
            continue
        _check_columns(source, name, analysis)
        _check_model(source, name, analysis)
        same = analysis.is_mixed and analysis.family_and_link in (None, source.glmer_family)
        if source.extras and not (same and shares_design(source, analysis)):
            what = " and ".join(source.extras)
            raise MixedsimError(
                f"the analysis {name!r} cannot take over the {what} of the fitted model, as only mixed models of its "
                f"response do: leave {name!r} out, or fit the model without."
            )


def _check_columns(source: Source, name: str, analysis: Analysis) -> None:
    absent = sorted(one for one in analysis.columns if _is_absent(one, source.columns))
    if not absent:
        return
    hidden = [one for one in absent if one in source.hidden]
    culprits = hidden or absent
    are, it = ("is", "it") if len(culprits) == 1 else ("are", "them")
    why = f"not observed, so that no fit can see {it}" if hidden else "not drawn"
    raise DataError(
        f"the analysis {name!r} uses {listed(map(repr, culprits))}, which {are} {why}: "
        f"the columns of the data are {listed(source.columns, most=30)}."
    )


def _is_absent(name: str, columns: Iterable[str]) -> bool:
    try:
        require(dict.fromkeys(columns), [name])
    except DataError:
        return True
    return False


def _check_model(source: Source, name: str, analysis: Analysis) -> None:
    if source.linear and analysis.family is None:
        if analysis.nagq != 1:
            raise MixedsimError(
                f"the analysis {name!r} has nagq={analysis.nagq}, and a linear model has no quadrature: leave nagq "
                "out, or give a family."
            )
        return
    fitted = source.glmer_family is not None or _is_ordinal(source)
    if not analysis.is_mixed or (analysis.family is None and not fitted):
        raise MixedsimError(_nonlinear(source, name))
    if analysis.ddf == "kenward-roger":
        raise MixedsimError(
            f"the analysis {name!r} has ddf='kenward-roger', which is for linear models, and {source.name} has "
            f"{_outcome(source)}: leave ddf out."
        )
    _check_exposure(source, name, analysis)


def _is_ordinal(source: Source) -> bool:
    return isinstance(source, PopulationSource) and clmm_link(source.population) is not None


def _check_exposure(source: Source, name: str, analysis: Analysis) -> None:
    link = (analysis.family_and_link or source.glmer_family or ("", ""))[1]
    if link == "log" and source.exposure in source.hidden:
        raise DataError(
            f"the analysis {name!r} needs the exposure {source.exposure!r}, which is not observed, so that no fit can "
            "see it: set observed=True."
        )


def _nonlinear(source: Source, name: str) -> str:
    return (
        f"the analysis {name!r} is a linear model, and {source.name} has {_outcome(source)}: give a function of the "
        "data in its place, which returns estimates by name."
    )


def _outcome(source: Source) -> str:
    if isinstance(source, PopulationSource):
        return outcome_words(source.population)
    assert source.glmer_family is not None  # a fit that is not linear
    return outcome(source.glmer_family[0])


def shares_design(source: Source, analysis: Analysis) -> bool:
    """Whether an analysis differs from replicate to replicate in its response alone."""
    if source.design is None:
        return False
    sides = None if source.linear else quotient(analysis.parsed)
    return unquote(analysis.parsed.response if sides is None else sides[0]) == source.design.response


def attempted(
    draws: Draws, name: str, fit: Callable[[pd.DataFrame], Result], whole: Callable[[Result], bool] = lambda _: True
) -> tuple[int, Result]:
    """The first replicate on which an analysis works, and what it gives there.

    Where the first one that works is not `whole` (a predictor happens not to vary in it), one of the next few that is
    takes its place.

    Raises
    ------
    MixedsimError
        If it works on none of the first 20.
    """
    first: MixedsimError | None = None
    in_part: tuple[int, Result] | None = None
    for k in range(min(len(draws), _TRIED)):
        if in_part is not None and k >= _ASKED:
            break
        data = Block(draws, k, k + 1).data[0]
        try:
            found = k, fit(data)
        except (FormulaError, Mistake):
            raise
        except MixedsimError as error:
            first = first or error
            continue
        if whole(found[1]):
            return found
        in_part = in_part or found
    if in_part is not None:
        return in_part
    tried = f"each of the first {_TRIED} replicates" if len(draws) > _TRIED else "every replicate"
    why = str(first).replace(f"the analysis {name!r}", "it", 1)
    raise AnalysisFails(f"the analysis {name!r} fails in {tried}, in the first because {why}") from first
