"""One analysis, many samples: where its estimates lie, and whether a single fit knows how far they lie apart."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, nearest, shown
from mixedsim.inference.shares import per_cent
from mixedsim.listing import counted, unbroken
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.simulate import Population
from mixedsim.study.analysis import Analysis, settled_analyses
from mixedsim.study.draws import Redraw, check_source
from mixedsim.study.progress import Progress
from mixedsim.study.study_result import Study
from mixedsim.study.studying import study
from mixedsim.study.summarising import summarise

_CERTAIN = 3.0  # Monte-Carlo errors beyond which a difference is no accident: with 2 it would be one in 20 times
_TABLE = (
    *("truth", "mean", "mean_mcse", "se_empirical", "se_empirical_mcse", "se_model", "se_model_mcse"),
    *("coverage", "coverage_mcse", "n", "failed"),
)


@dataclass(frozen=True, eq=False)
class SamplingDistribution:
    """The estimates of one analysis in many samples, as `sampling_distribution` returns them.

    Attributes
    ----------
    replicates : one row a replicate and parameter, with the columns of `Study.replicates`.
    title : what was drawn, and what was done with it.
    study : the whole study, in which the other parameters are too.
    """

    replicates: pd.DataFrame = field(repr=False)
    title: str
    study: Study = field(repr=False)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a parameter: truth, mean, se_empirical, se_model and coverage with their ``_mcse``, n and failed.

        ``se_empirical`` is the standard deviation of the estimates; ``se_model`` the standard error that single fits
        report, √(mean of se²), NaN for an estimator that reports none. See `study.summarise`.
        """
        return summarise(self.replicates).droplevel("analysis")[list(_TABLE)]

    @property
    def estimates(self) -> pd.DataFrame:
        """The estimates: replicates × parameters; NaN where a fit failed."""
        fitted = self.replicates["estimate"].where(self.replicates["converged"])
        wide = self.replicates.assign(estimate=fitted).astype({"parameter": str})
        return wide.pivot_table(index="replicate", columns="parameter", values="estimate", dropna=False, sort=False)

    @property
    def truth(self) -> pd.Series[float]:
        """The true values; NaN where there is none. Index: parameter."""
        return self.table["truth"]

    @property
    def mean(self) -> pd.Series[float]:
        """Mean estimates; index: parameter."""
        return self.table["mean"]

    @property
    def se_empirical(self) -> pd.Series[float]:
        """Standard deviations of the estimates: their real standard errors; index: parameter."""
        return self.table["se_empirical"]

    @property
    def se_model(self) -> pd.Series[float]:
        """Standard errors that single fits claim; index: parameter."""
        return self.table["se_model"]

    @property
    def sentences(self) -> tuple[str, ...]:
        """For every parameter, whether the mean meets the truth and the claimed standard error the real one."""
        return tuple(said for name, row in self.table.iterrows() for said in _said(str(name), row))

    def __str__(self) -> str:
        return "\n\n".join([self.title, self._cells().rename_axis(None).to_string(), "\n".join(self.sentences)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences)
        body = self._cells().rename_axis(None).to_html(border=0)
        inner = unbroken(f"<p><strong>{html.escape(self.title)}</strong></p>{body}{said}")
        return f'<div class="mixedsim-sampling">{inner}</div>'

    def _cells(self) -> pd.DataFrame:
        """The table in short, as strings: each number ± its Monte-Carlo error."""
        table = self.table
        cells: dict[str, Sequence[Any]] = {"truth": [_plain(value) for value in table["truth"]]}
        for column, head in (("mean", "mean"), ("se_empirical", "real se"), ("se_model", "claimed se")):
            pairs = zip(table[column], table[f"{column}_mcse"], strict=True)
            cells[head] = [_with_error(value, error) for value, error in pairs]
        cells["n"] = [f"{n:,}" for n in table["n"]]
        if table["failed"].any():
            cells["failed"] = [f"{n:,}" for n in table["failed"]]
        return pd.DataFrame(cells, index=table.index)


def sampling_distribution(
    source: Population | LinearMixedModel | GeneralizedLinearMixedModel,
    analysis: str | Analysis | Callable[[pd.DataFrame], Any] | None = None,
    n: int = 1000,
    seed: int | np.random.Generator | None = None,
    *,
    parameter: str | Sequence[str] | None = None,
    truth: float | Mapping[str, float] | None = None,
    redraw: Redraw | None = None,
    executor: Any = None,
    progress: Progress = None,
) -> SamplingDistribution:
    """Return the estimates of one analysis in n samples, beside the standard errors that it claims for them.

    Parameters
    ----------
    source : a population; or a model fitted by `mixedsim.lmer` or `mixedsim.glmer`, whose estimates are the truth then.
    analysis : a formula, an `Analysis`, or a function of the data that returns a number, or whatever a function in
        `mixedsim.study` may return. None takes the formula of the source.
    n : how many samples.
    seed, redraw, executor, progress : as in `mixedsim.study`.
    parameter : which estimates to keep; if None all coefficients, or all that a function returns.
    truth : true values where the source does not know them, as for a function that returns a number: that number's,
        or values by parameter.

    Raises
    ------
    MixedsimError
        For several analyses at once, or a parameter that the analysis does not estimate; and as `mixedsim.study` does.

    Examples
    --------
    Six therapists of twenty patients each; half of the therapists have a new method, which does nothing.

    >>> import mixedsim as ms
    >>> trial = ms.Population(
    ...     "y ~ new + (1 | therapist)",
    ...     clusters={"therapist": 6},
    ...     size=20,
    ...     variables={"new": ms.Assigned([0, 1], level="therapist")},
    ...     fixef={"Intercept": 0, "new": 0},
    ...     ranef={"therapist": {"sd": 0.5}},
    ...     sigma=1,
    ... )
    >>> naive = ms.sampling_distribution(trial, "y ~ new", n=200, seed=1, parameter="new")
    >>> naive.table[["se_empirical", "se_model"]].round(1)
               se_empirical  se_model
    parameter
    new                 0.4       0.2
    """
    check_source(source)
    asked = _one_analysis(analysis, source)
    found = study(source, asked, n, seed, redraw=redraw, executor=executor, progress=progress)
    rows = found.replicates
    names = _parameters(rows, parameter)
    kept = rows[rows["parameter"].isin(names).to_numpy()].reset_index(drop=True)
    if truth is not None:
        kept = _with_truth(kept, names, truth)
    ((label, one),) = asked.items()
    what = one.label if isinstance(one, Analysis) else label
    title = f"Sampling distribution in {counted(len(found.draws), 'sample')} of {found.draws.source.name}: {what}"
    return SamplingDistribution(kept, title, found)


@dataclass(frozen=True)
class _Number:
    """A function of the data that may return a number, as an analysis of a study; it pickles if the function does."""

    function: Callable[[pd.DataFrame], Any]
    name: str

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, data: pd.DataFrame) -> Any:
        value = self.function(data)
        if isinstance(value, int | float | np.number) or (isinstance(value, np.ndarray) and value.shape == ()):
            return pd.Series({self.name: float(value)})
        return value


def _one_analysis(given: Any, source: Any) -> dict[str, Any]:
    """The analysis by its name, a function so that it may return a number."""
    if given is not None and not isinstance(given, str | Analysis) and not callable(given):
        raise MixedsimError(
            f"analysis must be one formula, ms.Analysis or function of the data, found {type(given).__name__}: "
            "ms.study compares several."
        )
    ((name, analysis),) = settled_analyses(given, source).items()
    if isinstance(analysis, Analysis):
        return {name: analysis}
    called = "estimate" if name == "function" else name
    return {called: _Number(analysis, called)}


def _parameters(rows: pd.DataFrame, wanted: str | Sequence[str] | None) -> list[str]:
    known = rows.drop_duplicates("parameter")
    names = [str(name) for name in known["parameter"]]
    if wanted is None:
        fixed = [str(name) for name in known.loc[(known["kind"] == "fixed").to_numpy(), "parameter"]]
        others = (known["kind"].astype(str) == "").to_numpy()
        return names if others.any() else fixed or names
    asked = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in asked:
        if name not in names:
            raise MixedsimError(f"the analysis estimates no parameter {name!r}: {nearest(name, names)}")
    if not asked:
        raise MixedsimError(f"parameter is empty: {nearest('', names)}")
    return asked


def _with_truth(rows: pd.DataFrame, names: Sequence[str], truth: Any) -> pd.DataFrame:
    """The rows with true values that their source does not know."""
    if _is_number(truth):
        if len(names) > 1:
            example = f"{{{names[0]!r}: {truth}}}"
            raise MixedsimError(f"truth must name its parameter, since there are {len(names)}: write {example}.")
        truth = {names[0]: truth}
    if not isinstance(truth, Mapping):
        raise MixedsimError(f"truth must be a number, or numbers by parameter, found {shown(truth)}.")
    values = rows["truth"].to_numpy(dtype=np.float64).copy()
    for name, value in truth.items():
        if name not in names:
            raise MixedsimError(f"truth names {name!r}, which is no parameter here: {nearest(name, names)}")
        if not _is_number(value):
            raise MixedsimError(f"truth must be numbers, found {shown(value)} for {name!r}.")
        values[(rows["parameter"] == name).to_numpy()] = float(value)
    return rows.assign(truth=values)


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float | np.number)


def _said(name: str, row: pd.Series[Any]) -> list[str]:
    """Bias, and what the claimed standard error is worth, in words."""
    real, claimed = float(row["se_empirical"]), float(row["se_model"])
    out = []
    bias = float(row["mean"] - row["truth"])
    if abs(bias) > _CERTAIN * float(row["mean_mcse"]):
        side = "above" if bias > 0 else "below"
        out.append(f"{name}: on average {_rounded(abs(bias), row['mean_mcse'])} {side} the truth.")
    if not (real > 0 and claimed > 0):
        return out
    error = float(np.hypot(row["se_empirical_mcse"], row["se_model_mcse"]))
    if abs(claimed - real) <= _CERTAIN * error:
        return [*out, f"{name}: a single fit knows its standard error, to within the Monte-Carlo error."]
    much = "small" if claimed < real else "large"
    return [*out, f"{name}: the standard error of a single fit is {per_cent(abs(claimed / real - 1), 0)} too {much}."]


def _plain(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.6g}"


def _rounded(value: float, error: float) -> str:
    decimals = int(np.clip(1 - np.floor(np.log10(error)), 0, 10)) if np.isfinite(error) and error > 0 else 3
    return f"{value:.{decimals}f}"


def _with_error(value: float, error: float) -> str:
    if np.isnan(value):
        return "–"
    return _rounded(value, error) if np.isnan(error) else f"{_rounded(value, error)} ± {_rounded(error, error)}"
