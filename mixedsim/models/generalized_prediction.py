"""Rows of a fitted generalised model: predicted ones, residuals, and responses drawn from it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.engine import glm_estimates
from mixedsim.errors import MixedsimError
from mixedsim.frame import as_frame
from mixedsim.inference.boundary import flat_directions
from mixedsim.inference.glm_bootstrap import Replicates, refit_all
from mixedsim.inference.glm_responses import generalized_responses, means
from mixedsim.models.fitting import without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_fitting import family_of_response
from mixedsim.models.generalized_population import predict_average
from mixedsim.models.generalized_refitting import in_numbers
from mixedsim.models.prediction_rows import (
    RandomPart,
    fitted_rows,
    linear_predictor,
    named,
    new_rows,
    of_all_columns,
    taking_part,
)
from mixedsim.models.refitting import theta_names
from mixedsim.models.simulation import RandomEffects, whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
Scale = Literal["response", "link"]
ResidualKind = Literal["response", "pearson", "deviance"]


class GeneralizedPrediction(GeneralizedEstimates):
    """Predictions, residuals, simulated responses and the bootstrap."""

    def predict(
        self,
        new: Any = None,
        random: RandomPart = True,
        *,
        scale: Scale = "response",
        allow_new_levels: bool = False,
        offset: str | ArrayLike | None = None,
    ) -> pd.Series[float]:
        """Predicted means, one value a row: probabilities of a binomial model, means of other families.

        Parameters
        ----------
        new : a table with the predictors and, if `random`, the grouping factors; the fitted rows if None. A missing
            value gives a missing prediction.
        random : include the random effects (the default); False leaves all at zero, names of grouping factors take
            those effects alone. At zero is a middle group: the mean over groups differs, because links bend, and
            ``"average"`` gives it (exactly: in closed form or by quadrature).
        scale : ``"response"``, or ``"link"`` for the linear predictor, such as the log odds.
        allow_new_levels : take levels that the model has not seen for such as have effects of zero.
        offset : of the new rows, if the model has one: a column of `new`, or one number a row.

        Raises
        ------
        DataError
            For a level that the model has not seen, unless allowed, and for an offset that is wanted.

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
        """
        return predict(self, new, random, scale, allow_new_levels, offset)

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


def predict(
    fit: GeneralizedEstimates,
    new: Any,
    random: RandomPart,
    scale: Scale,
    allow_new_levels: bool,
    offset: str | ArrayLike | None,
) -> pd.Series[float]:
    """The values behind `GeneralizedLinearMixedModel.predict`."""
    if scale not in get_args(Scale):
        raise MixedsimError(f"scale must be 'response' or 'link', found {scale!r}.")
    if random == "average" and random not in fit.n_groups:
        return predict_average(fit, new, scale, offset)
    part = taking_part(fit.design.factors, random)
    if new is None:
        if offset is not None:
            raise MixedsimError("an offset belongs to new rows: the fitted rows keep that of the fit.")
        target = fitted_rows(fit.design, part)
    else:
        offset = named(offset, fit.request.offset, new)
        target = new_rows(fit.design, part, part, as_frame(new), allow_new_levels, offset)
    fixef = of_all_columns(fit.design, fit.problem.linear.fixed.kept, fit._fixef)
    values = linear_predictor(target, fixef, fit._modes)
    if scale == "response":
        values = means(fit.family, fit.link, values)
    return pd.Series(values, index=target.index, name="fitted" if new is None else "predicted")


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
    make = family_of_response(fit.design, fit.kind)
    parts = [
        refit_all(fit.objective, fit.at, y, make, control)
        for y in generalized_responses(fit.objective, fit.at, fit.design.trials, whole(n, "n"), settled)
    ]
    return _table(fit, join(parts), settled)


def join(parts: list[Replicates]) -> Replicates:
    """Several sets of replicates as one."""
    before = np.cumsum([0, *(len(part.optima) for part in parts)]).tolist()
    failures = {
        start + k: why for start, part in zip(before, parts, strict=False) for k, why in part.failures.items()
    }
    return Replicates([one for part in parts for one in part.optima], failures)


def _table(fit: GeneralizedEstimates, found: Replicates, seed: int) -> pd.DataFrame:
    """Replicates in the names and units of the data."""
    linear, size = fit.problem.linear, fit.problem.layout.size
    negative = bool(fit.objective.family.extra)
    columns = [*fit.coefficient_names, *theta_names(size), "sigma", *(["tau"] if negative else [])]
    values = np.full((len(found.optima), len(columns)), np.nan)
    singular = np.zeros(len(found.optima), dtype=bool)
    for k, optimum in enumerate(found.optima):
        if optimum is None:
            continue
        at = optimum.evaluation
        own = fit.objective.changed(family=at.mode.family)
        sigma = np.sqrt(glm_estimates.dispersion(own, at))
        tau = [np.exp(at.extra[0])] if negative else []
        values[k] = [*linear.fixef(at.beta.copy()), *linear.theta(at.theta), sigma, *tau]
        singular[k] = bool(flat_directions(linear, at))
    out = pd.DataFrame(values, index=pd.RangeIndex(len(values), name="replicate"), columns=columns)
    out["converged"], out["singular"] = found.converged, singular
    out.attrs.update(seed=seed, failed=int((~found.converged).sum()), failures=found.failures)
    return out
