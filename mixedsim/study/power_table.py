"""Power of every analysis of a study, with the false-positive rate of the same test beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.inference.contrasts import two_sided
from mixedsim.inference.shares import Share
from mixedsim.simulate import Population
from mixedsim.study.study_result import Study

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
    """
    replicates = study.replicates
    for parameter in parameters:
        without = None if null is None else null(parameter).replicates
        mine = replicates[replicates["parameter"] == parameter]
        for analysis, rows in mine.groupby("analysis", sort=False, observed=True):
            truth = float(rows["truth"].iloc[0])
            rejected = _share(rows["p"], alpha)
            if truth == 0.0:
                false = rejected
            elif without is None:
                false = _share(_shifted(rows), alpha)
            else:
                same = (without["parameter"] == parameter) & (without["analysis"] == analysis)
                false = _share(without.loc[same, "p"], alpha)
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


def says_its_level(population: Population, analyses: Mapping[str, Any]) -> bool:
    """Whether replicates with an effect also say how often the test rejects without it.

    The estimate of a linear model that has the column x is shifted by b when ``b x`` is added to the response, and
    nothing else changes; so a test of the true value is a test of zero in the same data without the effect. Not so
    where the column in the data is not the one that acted (errors of measurement, values that are missing because of
    the response), or where an analysis is a function of its own.
    """
    return not population.problems and not any(callable(analysis) for analysis in analyses.values())


def _shifted(rows: pd.DataFrame) -> pd.Series[float]:
    """p-values of the tests of the true value."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (rows["estimate"] - rows["truth"]).to_numpy(dtype=float) / rows["se"].to_numpy(dtype=float)
    return pd.Series(two_sided(t, rows["df"].to_numpy(dtype=float)), index=rows.index)


def _share(p: pd.Series[float], alpha: float) -> Share:
    known = p[np.isfinite(p)]
    return Share(int((known < alpha).sum()), len(known))
