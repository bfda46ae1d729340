"""Rows of a fitted generalised model: predicted ones, residuals, and responses drawn from it."""

from __future__ import annotations

from typing import Any, Literal, get_args, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.engine import glm_estimates
from mixedsim.errors import MixedsimError
from mixedsim.inference.bootstrap import thetas_of_data
from mixedsim.inference.glm_bootstrap import Replicates, refit_all
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.models.fitting import without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_fitting import family_of_response
from mixedsim.models.generalized_predicted import Scale, predict
from mixedsim.models.generalized_refitting import in_numbers
from mixedsim.models.prediction import Interval
from mixedsim.models.prediction_rows import RandomPart
from mixedsim.models.refitting import theta_names
from mixedsim.models.simulation import RandomEffects, whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
ResidualKind = Literal["response", "pearson", "deviance"]


class GeneralizedPrediction(GeneralizedEstimates):
    """Predictions, residuals, simulated responses and the bootstrap."""

    @overload
    def predict(self, new: Any = None, random: RandomPart = True, *, scale: Scale = "response",
                allow_new_levels: bool = False, interval: None = None, level: float = 0.95,
                offset: str | ArrayLike | None = None,
                weights: str | ArrayLike | None = None) -> pd.Series[float]: ...  # fmt: skip

    @overload
    def predict(self, new: Any = None, random: RandomPart = True, *, scale: Scale = "response",
                allow_new_levels: bool = False, interval: Interval, level: float = 0.95,
                offset: str | ArrayLike | None = None,
                weights: str | ArrayLike | None = None) -> pd.DataFrame: ...  # fmt: skip

    def predict(
        self,
        new: Any = None,
        random: RandomPart = True,
        *,
        scale: Scale = "response",
        allow_new_levels: bool = False,
        interval: Interval | None = None,
        level: float = 0.95,
        offset: str | ArrayLike | None = None,
        weights: str | ArrayLike | None = None,
    ) -> pd.Series[float] | pd.DataFrame:
        """Predicted means, one value a row: probabilities of a binomial model, means of other families.

        With `interval` a DataFrame: estimate, se, df (infinite), lower, upper.

        Parameters
        ----------
        new : a table with the predictors and, if `random`, the grouping factors; the fitted rows if None. A missing
            value gives a missing prediction.
        random : include the random effects (the default); False leaves all at zero, names of grouping factors take
            those effects alone. At zero is a middle group: the mean over groups differs, because links bend, and
            ``"average"`` gives it (exactly: in closed form or by quadrature).
        scale : ``"response"``, or ``"link"`` for the linear predictor, such as the log odds.
        allow_new_levels : take levels that the model has not seen for such as have effects of zero; what is not known
            of them widens the interval.
        interval : ``"confidence"`` for the mean of the row, laid on the scale of the link and taken back; or
            ``"prediction"`` for one new response, without random numbers. A new response comes from any level of a
            factor that `random` leaves out. It is a whole number, and with trials the share of successes: the interval
            of a single yes or no nearly always reaches from 0 to 1.
        level : of the interval.
        offset, weights : of the new rows, if the model has them: a column of `new`, or one number a row (weights for
            a prediction interval only, where they count trials or divide a dispersion).

        Raises
        ------
        DataError
            For a level that the model has not seen, unless allowed, and for an offset, weights or trials that are
            wanted.

        Notes
        -----
        Errors count what is not known of the random effects and what estimating coefficients and variances costs;
        τ and a dispersion are taken as known. See `mixedsim.inference.glm_prediction` (the mean) and
        `mixedsim.inference.glm_predictive` (a new response).

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.predict({"period": ["1", "4"], "herd": ["1", "1"]}).round(3).tolist()
        [0.308, 0.084]
        >>> fit.predict({"period": ["1", "4"]}, random=False, scale="link").round(2).tolist()
        [-1.4, -2.98]

        The chance of a middle herd is not the share of all animals:

        >>> fit.predict({"period": ["1", "4"]}, random=False).round(3).tolist()
        [0.198, 0.048]
        >>> fit.predict({"period": ["1", "4"]}, random="average").round(3).tolist()
        [0.216, 0.057]

        A new herd of ten animals:

        >>> new = {"period": ["1"], "size": [10]}
        >>> fit.predict(new, random=False, interval="prediction").round(2)[["lower", "estimate", "upper"]]
           lower  estimate  upper
        0    0.0       0.2    0.6
        """
        return predict(
            self, new, random, scale=scale, allow_new_levels=allow_new_levels, interval=interval, level=level,
            offset=offset, weights=weights,
        )  # fmt: skip

    @property
    def fitted(self) -> pd.Series[float]:
        """Means of the fitted rows, random effects included."""
        return pd.Series(self.at.mode.point.mean, index=self.design.index, name="fitted")

    def residuals(self, kind: ResidualKind = "response") -> pd.Series[float]:
        """Residuals around the fitted means that include the random effects: one a row.

        Parameters
        ----------
        kind : ``"response"`` (shares of successes less probabilities, counts less means), ``"pearson"`` (over the
            standard deviation that the family gives the row, but for the dispersion), or ``"deviance"`` (signed roots
            of what each row adds to the deviance: lme4's default).
        """
        return residuals(self, kind)

    def simulate(self, n: int = 1, seed: Any = None, random: RandomEffects = "new") -> pd.DataFrame:
        """Responses drawn from the fitted model: rows × n; numbers of successes for ``successes / trials``.

        Parameters
        ----------
        n : how many responses.
        seed : an integer or a numpy Generator; None for numbers that nobody can draw again.
        random : ``"new"`` draws new random effects for every response, as for new groups; ``"conditional"`` keeps
            those of this fit.

        Raises
        ------
        MixedsimError
            If `n`, `seed` or `random` is not of these, or drawn effects lead beyond the range of the link.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.simulate(3, seed=1).shape
        (56, 3)
        """
        return simulate(self, n, seed, random)

    def bootstrap(self, n: int = 1000, seed: Any = None) -> pd.DataFrame:
        """Parametric bootstrap: the model fitted to n responses drawn from it, one row a replicate.

        Parameters
        ----------
        n, seed : how many replicates, and where the random numbers begin, as in `simulate`: replicate k is the fit
            to ``simulate(n, seed)[k]``.

        Returns
        -------
        DataFrame with the coefficients, ``theta1`` ... (lme4's θ, as ``theta``), ``sigma``, for a negative binomial
        ``tau``, then ``converged`` and ``singular``. A replicate without an answer has NaN and ``converged`` False;
        ``attrs`` holds ``failed`` (how many did not converge), ``failures`` (why, by replicate) and ``seed``.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.bootstrap(3, seed=1).columns.tolist()[3:]
        ['period[T.4]', 'theta1', 'sigma', 'converged', 'singular']
        """
        return bootstrap_table(self, n, seed)


def residuals(fit: GeneralizedEstimates, kind: ResidualKind) -> pd.Series[float]:
    """The values behind `GeneralizedLinearMixedModel.residuals`."""
    if kind not in get_args(ResidualKind):
        raise MixedsimError(f"kind must be 'response', 'pearson' or 'deviance', found {kind!r}.")
    if kind == "response":
        values = fit.objective.family.y - fit.at.mode.point.mean
    elif kind == "pearson":
        values = glm_estimates.pearson(fit.objective, fit.at)
    else:
        values = glm_estimates.deviance_residuals(fit.objective, fit.at)
    return pd.Series(values, index=fit.design.index, name="residual")


def simulate(fit: GeneralizedEstimates, n: int, seed: Any, random: RandomEffects) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.simulate`."""
    if random not in get_args(RandomEffects):
        raise MixedsimError(f"random must be 'new' or 'conditional', found {random!r}.")
    drawn = generalized_responses(
        fit.objective, fit.at, fit.design.trials, whole(n, "n"), settle_seed(seed), random == "conditional"
    )
    values = in_numbers(fit.design, np.concatenate(list(drawn), axis=1))
    return pd.DataFrame(values, index=fit.design.index, columns=pd.RangeIndex(n, name="replicate"))


def bootstrap_table(fit: GeneralizedEstimates, n: int, seed: Any) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.bootstrap`."""
    settled = settle_seed(seed)
    control = without_start(fit.request.control)
    make, trials = family_of_response(fit.design, fit.kind), fit.design.trials
    parts = [
        refit_all(fit.objective, fit.at, y, make, trials, control)
        for y in generalized_responses(fit.objective, fit.at, trials, whole(n, "n"), settled)
    ]
    return _table(fit, Replicates.joined(parts), settled)


def _table(fit: GeneralizedEstimates, found: Replicates, seed: int) -> pd.DataFrame:
    """Replicates in the names and units of the data."""
    linear, names = fit.problem.linear, theta_names(fit.problem.layout.size)
    out = pd.DataFrame(linear.fixef(found.beta.T).T, columns=list(fit.coefficient_names))
    out[names] = thetas_of_data(linear, found.theta)
    out["sigma"] = np.sqrt(found.sigma2)
    if fit.objective.family.extra:
        out["tau"] = np.exp(found.extra[:, 0])
    out["converged"], out["singular"] = found.converged, found.singular(fit.problem.layout)
    out.attrs.update(seed=seed, failed=int((~found.converged).sum()), failures=found.failures)
    return out.rename_axis("replicate")
