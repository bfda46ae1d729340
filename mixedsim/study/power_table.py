"""Power of every analysis of a study, with the false-positive rate of the same test beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from formulaic.parser.types import Term

from mixedsim.errors import MixedsimError, nearest
from mixedsim.formula import column_of, fixed_terms, parse
from mixedsim.inference.contrasts import two_sided
from mixedsim.inference.shares import Share
from mixedsim.listing import listed
from mixedsim.simulate import Population
from mixedsim.study.analysis import Analysis
from mixedsim.study.fixed_design import is_linear
from mixedsim.study.study_result import Study
from mixedsim.study.true_values import same_response

COLUMNS = (
    "analysis", "parameter", "truth", "power", "power_mcse", "lower", "upper",
    "false_positive", "false_positive_mcse", "n", "failed", "singular",
)  # fmt: skip


def power_rows(
    study: Study, parameters: tuple[str, ...], alpha: float, null: Callable[[str], Study] | None
) -> Iterator[dict[str, Any]]:
    """One row an analysis and parameter, with `COLUMNS`.

    Parameters
    ----------
    study : the replicates.
    parameters : the coefficients that are tested.
    alpha : level of the tests.
    null : gives the same study with a coefficient set to zero, for where the replicates themselves cannot say how often
        a true null is rejected; None where they can (see `says_its_level`).

    An analysis without a coefficient has no row for it. One whose coefficient of that name means something else (see
    `true_values`) has no false-positive rate, except where to set the one to zero is to set the other: of another
    response, or of group means.
    """
    replicates = study.replicates
    for parameter in parameters:
        without = None if null is None else null(parameter).replicates
        mine = replicates[replicates["parameter"] == parameter]
        for analysis, rows in mine.groupby("analysis", sort=False, observed=True):
            truth = float(rows["truth"].iloc[0])
            rejected = _share(_tested(rows), alpha)
            if truth == 0.0:
                false = rejected
            elif without is None:
                false = _share(_shifted(rows), alpha)
            elif np.isnan(truth) and _is_of_rows(study.analyses[str(analysis)], study.draws.source.formula):
                false = Share(0, 0)
            else:
                same = (without["parameter"] == parameter) & (without["analysis"] == analysis)
                false = _share(_tested(without[same]), alpha)
            lower, upper = rejected.interval()
            yield dict(
                zip(
                    COLUMNS,
                    (
                        analysis, parameter, truth, rejected.value, rejected.mcse, lower, upper,
                        false.value, false.mcse, len(rows), len(rows) - rejected.n, int(rows["singular"].sum()),
                    ),
                    strict=True,
                )
            )  # fmt: skip


def check_tested(study: Study, parameters: Sequence[str], *, asked: bool) -> list[str]:
    """Which analyses have no coefficient of the name of one that was asked for, a sentence each.

    Parameters
    ----------
    study : the replicates.
    parameters : the coefficients that are tested.
    asked : whether somebody asked for each of them; else they are all that the source has, and a few will do.

    Raises
    ------
    MixedsimError
        If no analysis has a coefficient of that name; of any of the names, where nobody asked.
    """
    pairs = study.replicates[["analysis", "parameter"]].drop_duplicates().astype(str)
    of = {str(name): list(rows) for name, rows in pairs.groupby("analysis", sort=False)["parameter"]}
    every = list(dict.fromkeys(pairs["parameter"]))
    unknown = [one for one in parameters if one not in every]
    if unknown and (asked or len(unknown) == len(parameters)):
        raise MixedsimError(f"no analysis has a coefficient {unknown[0]!r} to be tested: {nearest(unknown[0], every)}")
    lacking = {name: [one for one in parameters if one not in names] for name, names in of.items()}
    return [f"{name} has no coefficient {listed(absent)}." for name, absent in lacking.items() if absent and asked]


def says_its_level(population: Population, analyses: Mapping[str, Any]) -> bool:
    """Whether replicates with an effect also say how often the test rejects without it.

    The estimate of a linear model that has the column x is shifted by b when ``b x`` is added to the response, and
    nothing else changes; so a test of the true value is a test of zero in the same data without the effect. Not so
    where the column in the data is not the one that acted (errors of measurement, values that are missing because of
    the response), where the response is another (``log(y)``), where the mean of a column is not the column of means
    (``log(x)``, ``x:z``), where the model is a generalised one, in which nothing is shifted by an effect (the variance
    changes with the mean), or where an analysis is a function of its own.
    """
    if not is_linear(population) or population.problems:
        return False
    return all(_is_shifted(one, population.formula) for one in analyses.values())


def _is_shifted(analysis: Any, source: str) -> bool:
    if not isinstance(analysis, Analysis) or analysis.family is not None or not _has_response(analysis, source):
        return False
    terms = () if analysis.aggregate is None else fixed_terms(analysis.parsed.fixed)
    return all(len(term.factors) == 1 and _is_plain(term) for term in terms)


def _is_plain(term: Term) -> bool:
    return str(term) == "1" or all(column_of(factor) is not None for factor in term.factors)


def _is_of_rows(analysis: Any, source: str) -> bool:
    """Whether it is a model of the response, row by row."""
    return isinstance(analysis, Analysis) and analysis.aggregate is None and _has_response(analysis, source)


def _has_response(analysis: Analysis, source: str) -> bool:
    return same_response(analysis.parsed, parse(source))


def _shifted(rows: pd.DataFrame) -> pd.Series[float]:
    """p-values of the tests of the true value."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (rows["estimate"] - rows["truth"]).to_numpy(dtype=float) / rows["se"].to_numpy(dtype=float)
    return _tested(rows.assign(p=two_sided(t, rows["df"].to_numpy(dtype=float))))


def _tested(rows: pd.DataFrame) -> pd.Series[float]:
    """The p-values of fits that converged."""
    return rows["p"].where(rows["converged"])


def _share(p: pd.Series[float], alpha: float) -> Share:
    known = p[np.isfinite(p)]
    return Share(int((known < alpha).sum()), len(known))
