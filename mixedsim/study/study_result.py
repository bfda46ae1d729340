"""What a study found: every replicate, and what they say together."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.inference.shares import per_cent
from mixedsim.listing import counted, listed, unbroken
from mixedsim.models.fitting import settle_flag
from mixedsim.simulate import Sample
from mixedsim.study.analysis import Analyses, Analysis
from mixedsim.study.draws import Draws
from mixedsim.study.fit_sources import FitSample
from mixedsim.study.jobs import Results
from mixedsim.study.recover_notes import notes_on
from mixedsim.study.sources import PopulationSource
from mixedsim.study.summarising import summarise

_FEW = 6  # parameters without a truth that a table shows


@dataclass(frozen=True, eq=False)
class Study:
    """The replicates of a study, as `mixedsim.study` returns them. Prints as a table, shows as one in a notebook.

    The table has a column n where estimates are missing, and sentences on what failed or is singular; `summary` has
    all counts.

    Attributes
    ----------
    draws : what was drawn; ``draws[k]`` is replicate k with its truth.
    analyses : what was done with each, by name.
    results : the rows, block by block; in memory, or in the folder `out`.
    alpha : level of the tests that `summary` counts.

    Examples
    --------
    >>> import mixedsim as ms
    >>> study = ms.study(ms.scenarios.therapist_plain(therapists=10, patients=5), n=100, seed=1)
    >>> study.summary().loc[("mixed", "depression"), ["bias", "bias_mcse"]].astype(float).round(1).tolist()
    [-0.0, 0.1]
    """

    draws: Draws
    analyses: Analyses
    results: Results = field(repr=False)
    alpha: float = 0.05

    @cached_property
    def replicates(self) -> pd.DataFrame:
        """One row a replicate, analysis and parameter.

        Columns: analysis, replicate (from 0), seed, parameter (as `mixedsim.recover` shows it), kind (``"fixed"``,
        ``"sd"``, ``"corr"``, ``"sigma"``; empty for what only a function of one's own knows), group, truth (NaN
        where the source has no such parameter, or means something else by it, see `true_values`), estimate, se, df, p,
        lower, upper (NaN where they do not exist), converged, singular, error (None, or why there is no fit: then all
        numbers are NaN). Text is in categories.
        """
        return self.results.frame()

    def summary(self, *, alpha: float | None = None, type_sm: bool = False) -> pd.DataFrame:
        """Bias, rmse, standard errors, coverage and power of every analysis and parameter: see `study.summarise`.

        Parameters
        ----------
        alpha : level of the tests; that of the study if None.
        type_sm : add how often what is significant has the wrong sign, and how much too large it is.
        """
        settle_flag("type_sm", type_sm)
        return summarise(iter(self.results), alpha=self.alpha if alpha is None else alpha, type_sm=type_sm)

    def failures(self) -> pd.DataFrame:
        """The fits that failed: replicate, seed, analysis, error; one row each."""
        columns = ["replicate", "seed", "analysis", "error"]
        parts = [part.loc[~part["converged"], columns].drop_duplicates() for part in self.results]
        return pd.concat(parts, ignore_index=True).fillna({"error": "the fit did not converge"})

    def sample(self, k: int) -> Sample | FitSample:
        """The data of replicate k with their truth: what the fits of that replicate saw."""
        return self.draws[k]

    def __str__(self) -> str:
        notes = "\n".join(self._sentences())
        return f"{self._title()}\n\n{self._cells().to_string(line_width=_columns())}\n\n{notes}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self._sentences())
        title = html.escape(self._title())
        inner = unbroken(f"<p><strong>{title}</strong></p>{self._cells().to_html(border=0)}{notes}")
        return f'<div class="mixedsim-study">{inner}</div>'

    def _title(self) -> str:
        anew = "" if self.draws.redraw == "all" else ", new responses on one design"
        return (
            f"Study of {self.draws.source.name}: {counted(len(self.draws), 'replicate')} from seed "
            f"{self.draws.seed}{anew}; {self.draws.source.formula.strip()}"
        )

    @cached_property
    def _summary(self) -> pd.DataFrame:
        return self.summary()

    def _cells(self) -> pd.DataFrame:
        """The summary in short, as strings; without the parameters that have no truth, where they are many."""
        summary = self._summary[~self._hidden()]
        numbers = {name: summary[name].to_numpy(dtype=np.float64) for name in ("truth", "mean", "bias", "mean_mcse")}
        shown: dict[str, list[str]] = {"truth": [], "mean": [], "bias": []}
        for truth, mean, bias, error in zip(*numbers.values(), strict=True):
            decimals = _decimals(error)
            shown["truth"].append("–" if np.isnan(truth) else f"{truth:.6g}")
            shown["mean"].append(_plain(mean, decimals))
            shown["bias"].append(_with_error(bias, error, decimals))
        shown["coverage"] = _shares(summary, "coverage")
        for test in ("power", "type I error", "rejections"):
            asked = summary["test"] == test
            if asked.any():
                texts = _shares(summary, "power")
                shown[test] = [text if yes else "–" for text, yes in zip(texts, asked, strict=True)]
        if (summary["n"] != len(self.draws)).any():
            shown["n"] = [f"{value:,}" for value in summary["n"]]
        return pd.DataFrame(shown, index=pd.MultiIndex.from_tuples(summary.index))

    def _hidden(self) -> NDArray[np.bool_]:
        """Parameters without a truth, in analyses that have more than a few of them."""
        unknown = self._summary["truth"].isna()
        many = unknown.groupby(level="analysis", sort=False).transform("sum") > _FEW
        return (unknown & many).to_numpy(dtype=np.bool_)

    def _sentences(self) -> Iterator[str]:
        yield "± is one Monte-Carlo standard error; four times as many replicates halve it."
        summary = self._summary
        tests = [name for name in ("power", "type I error") if (summary["test"] == name).any()]
        if tests:
            null = "; where the truth is 0, that is the type I error" if tests[-1] == "type I error" else ""
            yield f"Tests reject where p < {self.alpha:g}{null}."
        for name, rows in summary.groupby(level="analysis", sort=False):
            failed = int(rows["failed"].max())
            if failed:
                yield (
                    f"{name} failed in {failed:,} of {len(self.draws):,} replicates, which count neither for nor "
                    "against anything; study.failures() says why."
                )
            singular = int(rows["singular"].max())
            if singular:
                yield f"{name} is singular in {singular:,} of {len(self.draws):,} replicates."
        if self._hidden().any():
            yield f"{self._hidden().sum():,} parameters without a truth are left out here; study.summary() has them."
        levels = {one.level for one in self.analyses.values() if isinstance(one, Analysis)}
        if levels:
            yield (
                f"Coverage is that of {listed(per_cent(level, 0) for level in sorted(levels))} intervals"
                f"{'; an sd at zero has none, and does not count' if summary['singular'].any() else ''}."
            )
        yield from (f"Note: {note}" for note in self._notes())

    def _notes(self) -> list[str]:
        """What the population has and linear models ignore."""
        source = self.draws.source
        if not isinstance(source, PopulationSource):
            return []
        models = [one.parsed for one in self.analyses.values() if isinstance(one, Analysis) and one.is_mixed]
        return list(dict.fromkeys(note for model in models for note in notes_on(source.population, model)))


def _decimals(error: float) -> int:
    """So many that an error shows two digits."""
    return int(np.clip(1 - np.floor(np.log10(error)), 0, 10)) if np.isfinite(error) and error > 0 else 3


def _plain(value: float, decimals: int) -> str:
    return "–" if np.isnan(value) else f"{value:.{decimals}f}"


def _with_error(value: float, error: float, decimals: int) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.{decimals}f}" if np.isnan(error) else f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _shares(summary: pd.DataFrame, name: str) -> list[str]:
    pairs: Any = zip(summary[name], summary[f"{name}_mcse"], strict=True)
    return [_share(value, error) for value, error in pairs]


def _share(value: float, error: float) -> str:
    """All or none of the replicates have no error, which is not to say that the share is certain."""
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f} ± {100 * error:.1f} %" if error > 0 else per_cent(value)


def _columns() -> int | None:
    """How wide the terminal is that is printed to; None for files, pipes and notebooks."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (AttributeError, OSError, ValueError):
        return None
