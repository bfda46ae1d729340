"""Trying an analysis before a thousand replicates are given to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import pandas as pd

from mixedsim.errors import DataError, FormulaError, MixedsimError
from mixedsim.formula import unquote
from mixedsim.listing import listed
from mixedsim.reading import require
from mixedsim.simulate.families import family_of
from mixedsim.simulate.family import outcome
from mixedsim.study.analysis import Analysis
from mixedsim.study.block import Block
from mixedsim.study.draws import Draws
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
        For a linear model of an outcome that is none.
    """
    for name, analysis in analyses.items():
        if not isinstance(analysis, Analysis):
            continue
        _check_columns(source, name, analysis)
        if not source.linear:
            raise MixedsimError(_nonlinear(source, name))
        if source.extras and not (analysis.is_mixed and shares_design(source, analysis)):
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


def _nonlinear(source: Source, name: str) -> str:
    assert isinstance(source, PopulationSource)
    family = family_of(source.population.family)
    link = " with a log link" if family.kind == "gaussian" else ""
    return (
        f"the analysis {name!r} is a linear model, and {source.name} has {outcome(family.kind)}{link}: give a function "
        "of the data in its place, which returns estimates by name."
    )


def shares_design(source: Source, analysis: Analysis) -> bool:
    """Whether an analysis differs from replicate to replicate in its response alone."""
    return source.design is not None and unquote(analysis.parsed.response) == source.design.response


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
