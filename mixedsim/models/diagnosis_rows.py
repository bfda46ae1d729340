"""The rows that a diagnosis looks at: residuals of the fit and of responses drawn from it, predictors, times."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.engine.glm_families import Family
from mixedsim.engine.glm_problem import family_of
from mixedsim.errors import DataError, MixedsimError, nearest
from mixedsim.frame import as_frame
from mixedsim.inference.glm_replicated import glm_replicate
from mixedsim.inference.glm_residuals import quantile_residuals
from mixedsim.inference.replicated import Replicated, replicate
from mixedsim.models.influences import Estimates, standard_response
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.prediction import residuals
from mixedsim.reading import dates_as_days, is_numeric, read_column

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
_MOST = 10_000  # rows whose residuals are looked at; more of them are sampled
_MOST_GENERALIZED = 4_000  # where every drawn response is a search of its own


class DiagnosisRows:
    """A fit with `n` responses drawn from it."""

    def __init__(self, fit: Estimates, *, n: int, seed: int) -> None:
        self.fit, self.n, self.seed = fit, n, seed

    @cached_property
    def replicated(self) -> Replicated:
        """Residuals, fitted values and modes of the fit (column 0) and of responses drawn from it."""
        fit = self.fit
        if isinstance(fit, LinearEstimates):
            y = standard_response(fit.design, fit.problem)
            return replicate(
                fit.rows, fit.problem, fit.optimum.profile, y, offset=fit.design.offset, reml=fit.reml, n=self.n,
                seed=self.seed, most=_MOST,
            )  # fmt: skip
        design, kind = fit.design, fit.kind

        def make(y: Floats, used: Codes) -> Family:
            weights = None if design.weights is None else design.weights[used]
            trials = None if design.trials is None else design.trials[used]
            return family_of(kind.family, kind.link, y, weights, trials)

        return glm_replicate(
            fit.problem, fit.objective, fit.at, make, design.y, trials=design.trials, n=self.n, seed=self.seed,
            most=_MOST_GENERALIZED,
        )  # fmt: skip

    @property
    def sampled(self) -> str:
        """What was looked at, where it is not all rows; else empty."""
        here = self.replicated
        return f"a sample of {len(here.used):,} of {self.fit.nobs:,} rows" if here.sampled else ""

    @cached_property
    def shown(self) -> tuple[Floats, Floats, float]:
        """Fitted values and residuals of all rows, and the unit of the latter.

        Residuals around the fitted values, in units of the response (a unit is σ); quantile residuals and linear
        predictors of a generalised model (a unit is 1).
        """
        fit = self.fit
        if isinstance(fit, LinearEstimates):
            residual = residuals(fit, "response").to_numpy(dtype=np.float64)
            return np.asarray(fit.design.y - residual), np.asarray(residual), fit.sigma
        here = self.replicated
        if not here.sampled:
            return here.fitted[:, 0], here.residual[:, 0], 1.0
        drawn = quantile_residuals(fit.objective, fit.at, 1, self.seed, trials=fit.design.trials)
        return np.asarray(fit.at.mode.eta), np.asarray(drawn[:, 0]), 1.0

    @cached_property
    def standardised(self) -> Floats:
        """Residuals of all rows over their standard deviation under the model (of a sample's rows: over σ)."""
        here, (_, residual, unit) = self.replicated, self.shown
        if not here.sampled and len(here.used) == len(residual):
            return here.residual[:, 0]
        weights = self.fit.design.weights
        linear = isinstance(self.fit, LinearEstimates)
        return residual / unit * (1.0 if weights is None or not linear else np.sqrt(weights))

    @cached_property
    def ordinary(self) -> tuple[Floats, Floats]:
        """Fitted values and residuals of least squares with the same fixed part, which knows of no groups."""
        fit = self.check_linear()
        y = standard_response(fit.design, fit.problem)
        rows, scaling = fit.rows, fit.problem.response
        x = rows.x if rows.weights is None else rows.x * rows.weights[:, None]
        fitted = rows.x @ np.linalg.solve(x.T @ rows.x, x.T @ y) if rows.x.shape[1] else np.zeros(len(y))
        offset = 0.0 if fit.design.offset is None else fit.design.offset
        return scaling.centre + scaling.scale * fitted + offset, scaling.scale * (y - fitted)

    def check_linear(self) -> LinearEstimates:
        """The fit, if least squares can stand beside it; raises `MixedsimError` for a generalised model."""
        if isinstance(self.fit, LinearEstimates):
            return self.fit
        raise MixedsimError("compare='OLS' is for linear models: give another fitted model instead.")

    @property
    def numbers(self) -> list[str]:
        """The numeric predictors."""
        return [name for name, values in self.fit.design.variables.items() if is_numeric(values)]

    @cached_property
    def _numbers(self) -> dict[str, Floats]:
        used = self.replicated.used
        return {
            name: np.asarray(values, dtype=np.float64)[used]
            for name, values in self.fit.design.variables.items()
            if is_numeric(values)
        }

    @cached_property
    def _categories(self) -> Mapping[str, tuple[Codes, tuple[str, ...]]]:
        out = {}
        for name, values in self.fit.design.variables.items():
            if isinstance(values, pd.Categorical):
                codes, levels = pd.factorize(values[self.replicated.used], sort=True)
                out[name] = codes.astype(np.intp), tuple(map(str, levels))
        return out

    def _labels(self, f: int) -> list[str]:
        levels = self.fit.design.factors[f].levels
        return [str(levels[k]) for k in self.replicated.levels[f]]


def times(fit: Estimates, time: str | ArrayLike) -> Floats:
    """The time of every row that was used; dates in days.

    Raises
    ------
    MixedsimError, DataError
        If there is no such column, or it holds no times.
    """
    design = fit.design
    if isinstance(time, str):
        frame = as_frame(fit.request.data)
        if time not in frame.columns:
            raise MixedsimError(f"the data have no column {time!r} to tell the time: {nearest(time, frame.columns)}")
        series, name = frame[time].iloc[design.used], time
    else:
        series, name = pd.Series(np.asarray(time)), "time"
        if len(series) == design.rows_given != design.rows:
            series = series.iloc[design.used]
    if len(series) != design.rows:
        raise DataError(f"time must have one value for each of the {design.rows} rows, found {len(series)}.")
    values = dates_as_days(read_column(name, series))
    if not is_numeric(values):
        raise DataError(f"{name!r} holds categories, which have no distance in time: give numbers or dates.")
    out = np.asarray(values, dtype=np.float64)
    if not np.isfinite(out).all():
        count = int((~np.isfinite(out)).sum())
        raise DataError(f"{name!r} has no value in {count} of the rows that were used: give each row its time.")
    return out
