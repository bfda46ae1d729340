"""Rows of a fitted cumulative-link mixed model: probabilities of the categories, responses drawn from it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.errors import MixedsimError
from mixedsim.frame import as_frame
from mixedsim.inference.bootstrap import thetas_of_data
from mixedsim.inference.glm_bootstrap import Replicates, refit_all
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.inference.glm_thresholds import average_shares, family_of_categories, shares
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.fitting import without_start
from mixedsim.models.generalized_fitting import family_of_response
from mixedsim.models.prediction_rows import (
    RandomPart,
    Target,
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
Scale = Literal["probability", "link", "class"]


class ClmmRows(ClmmEstimates):
    """Predictions, simulated responses and the bootstrap."""

    def predict(
        self,
        new: Any = None,
        random: RandomPart = True,
        *,
        scale: Scale = "probability",
        allow_new_levels: bool = False,
        offset: str | ArrayLike | None = None,
    ) -> pd.DataFrame | pd.Series[Any]:
        """Predicted probabilities: a DataFrame of rows × categories.

        Parameters
        ----------
        new : a table with the predictors and, if `random`, the grouping factors; the fitted rows if None. A missing
            value gives missing predictions.
        random : include the random effects (the default); False leaves all at zero, names of grouping factors take
            those effects alone. At zero is a middle group: ``"average"`` gives the shares of the population, averaged
            over groups (exactly: in closed form or by quadrature).
        scale : ``"probability"``; ``"class"``, a Series of the likeliest categories; or ``"link"``, a Series of the
            linear predictors, which are to be held against the thresholds.
        allow_new_levels : take levels that the model has not seen for such as have effects of zero.
        offset : of the new rows, if the model has one: a column of `new`, or one number a row.

        Raises
        ------
        DataError
            For a level that the model has not seen, unless allowed, and for an offset that is wanted.
        MixedsimError
            For another scale; for ``"link"`` averaged, which has no meaning.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.predict({"own_room": [0, 1]}, random=False).round(2)
           very bad   bad  fair  good  very good
        0      0.08  0.17  0.33  0.31       0.12
        1      0.04  0.10  0.26  0.39       0.22

        The chances in a middle home are not the shares of all residents:

        >>> fit.predict({"own_room": [0, 1]}, random="average").round(2)
           very bad   bad  fair  good  very good
        0      0.10  0.17  0.29  0.29       0.14
        1      0.05  0.11  0.24  0.35       0.25
        """
        return predict(self, new, random, scale, allow_new_levels, offset)

    @property
    def fitted(self) -> pd.DataFrame:
        """Probabilities of the fitted rows, random effects included: rows × categories."""
        return _frame(self, shares(self.link, _predictors(self, fitted_rows(self.design, self._all)),
                                   self.located.thresholds), self.design.index)  # fmt: skip

    @property
    def _all(self) -> list[bool]:
        return [True] * len(self.design.factors)

    def simulate(self, n: int = 1, seed: Any = None, random: RandomEffects = "new") -> pd.DataFrame:
        """Responses drawn from the fitted model: rows × n ordered categories.

        Parameters
        ----------
        n : how many responses.
        seed : an integer or a numpy Generator; None for numbers that nobody can draw again.
        random : ``"new"`` draws new random effects for every response, as for new groups; ``"conditional"`` keeps
            those of this fit.

        Raises
        ------
        MixedsimError
            If `n`, `seed` or `random` is not of these.

        Examples
        --------
        >>> import mixedsim as ms
        >>> data = ms.scenarios.satisfaction().draw(seed=1).data
        >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
        >>> fit.simulate(2, seed=1)[0].cat.categories.tolist()
        ['very bad', 'bad', 'fair', 'good', 'very good']
        """
        return simulate(self, n, seed, random)

    def bootstrap(self, n: int = 1000, seed: Any = None) -> pd.DataFrame:
        """Parametric bootstrap: the model fitted to n responses drawn from it, one row a replicate.

        Parameters
        ----------
        n, seed : how many replicates, and where the random numbers begin, as in `simulate`: replicate k is the fit
            to ``simulate(n, seed)[k]``. One in which nobody is in some category has no answer.

        Returns
        -------
        DataFrame with the coefficients, ``theta1`` ... (as `theta`), the thresholds, then ``converged`` and
        ``singular``. A replicate without an answer has NaN and ``converged`` False; ``attrs`` holds ``failed`` (how
        many did not converge), ``failures`` (why, by replicate) and ``seed``.
        """
        return bootstrap_table(self, n, seed)


def predict(
    fit: ClmmEstimates,
    new: Any,
    random: RandomPart,
    scale: Scale,
    allow_new_levels: bool,
    offset: str | ArrayLike | None,
) -> pd.DataFrame | pd.Series[Any]:
    """The values behind `CumulativeLinkMixedModel.predict`."""
    if scale not in get_args(Scale):
        raise MixedsimError(f"scale must be 'probability', 'link' or 'class', found {scale!r}.")
    average = random == "average" and random not in fit.n_groups
    if average and scale == "link":
        raise MixedsimError(
            "shares of the population belong to no one place on the latent scale: ask for scale='probability', or for "
            "random=False."
        )
    part = [False] * len(fit.design.factors) if average else taking_part(fit.design.factors, random)
    target = _target(fit, new, part, average, allow_new_levels, offset)
    eta = _predictors(fit, target)
    if scale == "link":
        return pd.Series(eta, index=target.index, name="fitted" if new is None else "predicted")
    thresholds = fit.located.thresholds
    if average:
        found = average_shares(fit.link, eta, thresholds, _spread(fit, target))
    else:
        found = shares(fit.link, eta, thresholds)
    return _frame(fit, found, target.index) if scale == "probability" else _classes(fit, found, target.index)


def _target(
    fit: ClmmEstimates,
    new: Any,
    part: list[bool],
    average: bool,
    allow_new_levels: bool,
    offset: str | ArrayLike | None,
) -> Target:
    if new is None:
        if offset is not None:
            raise MixedsimError("an offset belongs to new rows: the fitted rows keep that of the fit.")
        return fitted_rows(fit.design, part)
    offset = named(offset, fit.request.offset, new)
    needed = [True] * len(part) if average else part
    return new_rows(fit.design, part, needed, as_frame(new), allow_new_levels, offset)


def _predictors(fit: ClmmEstimates, target: Target) -> Floats:
    """η of every row, without the intercept, whose place the thresholds have."""
    kept = fit.problem.linear.fixed.kept
    fixef = of_all_columns(fit.design, kept, fit._fixef)
    fixef[fit._intercept] = 0.0
    return linear_predictor(target, fixef, fit._modes)


def _spread(fit: ClmmEstimates, target: Target) -> Floats:
    """What the random effects add to the variance of every row's predictor."""
    variance = np.zeros(len(target.index))
    for columns, factor in zip(target.z, fit.design.factors, strict=True):
        z = np.column_stack([np.broadcast_to(column, len(variance)) for column in columns])
        variance += np.einsum("ij,jk,ik->i", z, fit.covariances[factor.name].to_numpy(), z)
    return variance


def _frame(fit: ClmmEstimates, found: Floats, index: pd.Index[Any]) -> pd.DataFrame:
    return pd.DataFrame(found, index=index, columns=list(fit.categories))


def _classes(fit: ClmmEstimates, found: Floats, index: pd.Index[Any]) -> pd.Series[Any]:
    """The likeliest category of every row; none where it has no probabilities."""
    known = np.isfinite(found.sum(axis=1))
    codes = np.where(known, np.argmax(np.where(known[:, None], found, 0.0), axis=1), -1)
    return pd.Series(_labelled(fit, codes), index=index, name="class")


def _labelled(fit: ClmmEstimates, codes: NDArray[Any]) -> pd.Categorical[Any]:
    labels = pd.Index(list(fit.categories))
    return pd.Categorical.from_codes(codes.astype(np.intp), categories=labels, ordered=True)


def simulate(fit: ClmmEstimates, n: int, seed: Any, random: RandomEffects) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.simulate`."""
    if random not in get_args(RandomEffects):
        raise MixedsimError(f"random must be 'new' or 'conditional', found {random!r}.")
    drawn = generalized_responses(
        fit.objective, fit.at, None, whole(n, "n"), settle_seed(seed), random == "conditional"
    )
    codes = np.concatenate(list(drawn), axis=1)
    columns = {k: _labelled(fit, codes[:, k]) for k in range(codes.shape[1])}
    return pd.DataFrame(columns, index=fit.design.index).rename_axis(columns="replicate")


def bootstrap_table(fit: ClmmEstimates, n: int, seed: Any) -> pd.DataFrame:
    """The table behind `CumulativeLinkMixedModel.bootstrap`."""
    settled = settle_seed(seed)
    control = without_start(fit.request.control)
    make = family_of_response(fit.design, fit.kind)
    found = Replicates.joined(
        [
            refit_all(fit.objective, fit.at, y, make, None, control)
            for y in generalized_responses(fit.objective, fit.at, None, whole(n, "n"), settled)
        ]
    )
    return _table(fit, found, settled)


def _table(fit: ClmmEstimates, found: Replicates, seed: int) -> pd.DataFrame:
    """Replicates in the names and units of the data."""
    linear, family = fit.problem.linear, family_of_categories(fit.objective)
    beta = linear.fixef(found.beta.T).T
    assert linear.intercept is not None
    intercept = beta[:, linear.intercept]
    out = pd.DataFrame(np.delete(beta, linear.intercept, axis=1), columns=list(fit.coefficient_names))
    out[theta_names(fit.problem.layout.size)] = thetas_of_data(linear, found.theta)
    cuts = np.array([family.cuts(extra) for extra in found.extra]).reshape(len(beta), -1)
    out[list(fit.threshold_names)] = cuts - intercept[:, None]
    out["converged"], out["singular"] = found.converged, found.singular(fit.problem.layout)
    out.attrs.update(seed=seed, failed=int((~found.converged).sum()), failures=found.failures)
    return out.rename_axis("replicate")
