"""Rows of a fitted linear mixed model: predicted ones, residuals, and responses drawn from it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, overload

import pandas as pd
from numpy.typing import ArrayLike

from mixedsim.models import augmenting, prediction, simulation
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.prediction_rows import RandomPart


class LinearPrediction(LinearEstimates):
    """Predictions, residuals, simulated responses and the bootstrap."""

    @overload
    def predict(self, new: Any = None, random: RandomPart = True, *, allow_new_levels: bool = False,
                interval: None = None, level: float = 0.95, offset: str | ArrayLike | None = None,
                weights: str | ArrayLike | None = None) -> pd.Series[float]: ...  # fmt: skip

    @overload
    def predict(self, new: Any = None, random: RandomPart = True, *, allow_new_levels: bool = False,
                interval: prediction.Interval, level: float = 0.95, offset: str | ArrayLike | None = None,
                weights: str | ArrayLike | None = None) -> pd.DataFrame: ...  # fmt: skip

    def predict(
        self,
        new: Any = None,
        random: RandomPart = True,
        *,
        allow_new_levels: bool = False,
        interval: prediction.Interval | None = None,
        level: float = 0.95,
        offset: str | ArrayLike | None = None,
        weights: str | ArrayLike | None = None,
    ) -> pd.Series[float] | pd.DataFrame:
        """Predicted means, one value a row; with `interval` a DataFrame: estimate, se, df, lower, upper.

        Parameters
        ----------
        new : a table with the predictors and, if `random`, the grouping factors; the fitted rows if None. A missing
            value gives a missing prediction.
        random : include the random effects (the default); False gives the mean of the population, names of grouping
            factors those effects alone.
        allow_new_levels : predict the population's mean for levels that the model has not seen; what is not known of
            them widens the interval.
        interval : ``"confidence"`` for the mean, ``"prediction"`` for one new observation. Where `random` leaves a
            factor out, the mean is that of the population, and a new observation comes from any of its levels.
        level : of the interval.
        offset, weights : of the new rows, if the model has them: a column of `new`, or one number a row (weights for
            a prediction interval only).

        Raises
        ------
        DataError
            For a level that the model has not seen, unless allowed, and for an offset or weights that are wanted.

        Notes
        -----
        Intervals take the joint uncertainty of fixed and random effects (Henderson 1975, Biometrics 31:423) and
        Satterthwaite's degrees of freedom; see `mixedsim.inference.prediction_variance`.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> new = {"Days": [3, 3], "Subject": ["308", "new"]}
        >>> fit.predict(new, allow_new_levels=True, interval="prediction").round(0)[["lower", "estimate", "upper"]]
           lower  estimate  upper
        0  260.0     313.0  366.0
        1  199.0     283.0  366.0
        """
        return prediction.predict(
            self, new, random=random, allow_new_levels=allow_new_levels, interval=interval, level=level,
            offset=offset, weights=weights,
        )  # fmt: skip

    def residuals(self, kind: prediction.ResidualKind = "response") -> pd.Series[float]:
        """Residuals around the fitted values that include the random effects: one a row.

        Parameters
        ----------
        kind : ``"response"`` (in units of y), ``"pearson"`` (times √weight), or ``"scaled"`` (those over sigma).
        """
        return prediction.residuals(self, kind)

    def augment(
        self,
        new: Any = None,
        *,
        to: str | os.PathLike[str] | None = None,
        keep: Sequence[str] = (),
        random: RandomPart = True,
        allow_new_levels: bool = False,
        force: bool = False,
    ) -> pd.DataFrame | None:
        """The rows with two columns more: ``fitted``, and ``residual`` where the response is known.

        All rows come back, those with missing values without a fitted one, so that they can be laid beside the data.

        Parameters
        ----------
        new : rows, or a source of rows in chunks; those of the fit if None.
        to : a Parquet file, or a folder (it ends in a slash), to which rows that are read in chunks must go; a table in
            memory is returned if None.
        keep : columns to take along, beside those of the formula.
        random : include the random effects (the default); False gives the mean of the population, names of grouping
            factors those effects alone.
        allow_new_levels : take the population's mean for levels that the model has not seen.
        force : replace a file of that name.

        Raises
        ------
        DataError, MixedsimError
            As `predict` does; if `to` is missing for rows in chunks, is no Parquet file, or exists.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.augment().round(1).head(2)
           Reaction  Days Subject  fitted  residual
        0     249.6     0     308   253.7      -4.1
        1     258.7     1     308   273.3     -14.6
        """
        return augmenting.augment(self, new, to, keep, random, allow_new_levels, force)

    def simulate(self, n: int = 1, seed: Any = None, random: simulation.RandomEffects = "new") -> pd.DataFrame:
        """Responses drawn from the fitted model: rows × n, in the units of the response that was fitted.

        Parameters
        ----------
        n : how many responses.
        seed : an integer or a numpy Generator; None for numbers that nobody can draw again.
        random : ``"new"`` draws new random effects for every response, as for new subjects; ``"conditional"`` keeps
            those of this fit. Residuals are always new, with variance σ²/weight.

        Raises
        ------
        MixedsimError
            If `n`, `seed` or `random` is not of these.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.simulate(3, seed=1).shape
        (180, 3)
        """
        return simulation.simulate(self, n, seed, random)

    def bootstrap(self, n: int = 1000, seed: Any = None) -> pd.DataFrame:
        """Parametric bootstrap: the model fitted to n responses drawn from it, one row a replicate.

        Parameters
        ----------
        n, seed : how many replicates, and where the random numbers begin, as in `simulate`: replicate k is the fit
            to ``simulate(n, seed)[k]``.

        Returns
        -------
        DataFrame with the coefficients, ``theta1`` ... (lme4's θ, as ``theta``), ``sigma``, ``converged`` and
        ``singular``. A replicate without an answer has NaN and ``converged`` False; ``attrs`` holds ``failed`` (how
        many did not converge), ``failures`` (why, by replicate) and ``seed``.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.bootstrap(20, seed=1).columns.tolist()
        ['Intercept', 'Days', 'theta1', 'theta2', 'theta3', 'sigma', 'converged', 'singular']
        """
        return simulation.bootstrap_table(self, n, seed)
