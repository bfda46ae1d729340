"""Marginal means of a generalised model on the scale of the response, and their comparison as ratios.

A mean is found on the scale of the link, where the model is linear, and taken back with its interval; its standard
error is that of the delta method. Differences on a logarithmic scale become ratios: of odds, hazards, risks or rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_average import inverse_slope
from mixedsim.inference.glm_responses import means
from mixedsim.models import generalized_combinations
from mixedsim.models.emmeans import Adjust, MarginalMeans, compare, mean_table
from mixedsim.models.generalized_coefficients import coefficients
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_intervals import confint
from mixedsim.models.mean_rows import mean_rows

Floats = NDArray[np.float64]
Scale = Literal["link", "response"]
RatioMethod = Literal["wald", "profile"]
_RATIOS = {
    ("binomial", "logit"): "odds ratio",
    ("binomial", "cloglog"): "hazard ratio",
    ("binomial", "log"): "risk ratio",
    ("poisson", "log"): "rate ratio",
    ("negative-binomial", "log"): "rate ratio",
    ("gamma", "log"): "ratio of means",
    ("inverse-gaussian", "log"): "ratio of means",
}


def ratio_of(fit: GeneralizedEstimates) -> str | None:
    """What the exponential of a coefficient is called; None where the link is no logarithm."""
    return _RATIOS.get((fit.family, fit.link))


class ResponseMeans(MarginalMeans):
    """Marginal means on the scale of the response; `pairs` compares them by ratios."""

    _metadata = ["_means", "_ratio"]  # noqa: RUF012 (pandas' own name for attributes that a subclass adds)
    _ratio: str | None

    def pairs(self, adjust: Adjust | None = "holm") -> pd.DataFrame:
        """Comparisons of all pairs of means within each ``by`` group: ratio, se, df, t, p, lower, upper.

        What the ratios are of, odds, hazards, risks, rates or means, stands in ``.attrs["ratio"]``. With a link that
        is no logarithm they are differences on its scale: estimate in place of ratio.

        Parameters
        ----------
        adjust : as in `MarginalMeans.pairs`; p-values are those of the differences on the scale of the link.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
        >>> fit.emmeans("period", scale="response").pairs()[["ratio", "lower", "upper", "p"]].round(2).head(2)
                  ratio  lower  upper    p
        contrast
        1 / 2      2.70   1.20   6.06  0.0
        1 / 3      3.09   1.31   7.32  0.0
        """
        if self._ratio is None:
            return compare(self._means, adjust)
        return as_ratios(compare(self._means, adjust, "/"), self._ratio)


def as_ratios(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Estimates on a logarithmic scale as ratios: ratio, se, df, t, p, lower, upper."""
    out = table.rename(columns={"estimate": "ratio"})
    for column in ("ratio", "lower", "upper"):
        out[column] = exponential(out[column].to_numpy())
    out["se"] = out["ratio"] * table["se"]
    out.attrs["ratio"] = what
    return out


def exponential(values: Floats) -> Floats:
    """e to the values; infinite where separation leaves an interval without an end."""
    with np.errstate(over="ignore"):
        return np.exp(values)


def emmeans(
    fit: GeneralizedEstimates,
    of: str | Sequence[str],
    by: str | Sequence[str] | None,
    level: float,
    scale: str,
    at: Mapping[str, Any] | None,
) -> MarginalMeans:
    """The table behind `GeneralizedLinearMixedModel.emmeans`."""
    if scale not in get_args(Scale):
        raise MixedsimError(f"scale must be 'link' or 'response', found {scale!r}.")
    own = mean_rows(fit.design, fit.problem.linear, of, by, at)
    table = mean_table(own, lambda rows: generalized_combinations.combinations(fit, rows), level, fit.design)
    if scale == "link":
        return table
    eta = table["emmean"].to_numpy()
    ends = on_response(fit, table[["lower", "upper"]].to_numpy())
    out = ResponseMeans(
        {
            "emmean": on_response(fit, eta),
            "se": np.abs(inverse_slope(fit.family, fit.link, eta)) * table["se"].to_numpy(),
            "df": table["df"].to_numpy(),
            "lower": ends.min(axis=1),
            "upper": ends.max(axis=1),
        },
        index=own.index,
    )
    out._means, out._ratio = table._means, ratio_of(fit)
    return out


def on_response(fit: GeneralizedEstimates, eta: Floats) -> Floats:
    """Means at linear predictors."""
    return means(fit.family, fit.link, eta)


def check_ratio_method(method: object) -> None:
    """Raise `MixedsimError` unless it is a method for the intervals of ratios."""
    if method not in get_args(RatioMethod):
        raise MixedsimError(f"method must be 'wald' or 'profile', found {method!r}.")


def ratios(fit: GeneralizedEstimates, method: str, level: float) -> pd.DataFrame:
    """The table behind `GeneralizedLinearMixedModel.ratios`."""
    what = ratio_of(fit)
    if what is None:
        known = " and ".join(sorted({link for kind, link in _RATIOS if kind == fit.family}))
        raise MixedsimError(
            f"coefficients with the link {fit.link!r} are no logarithms, so they have no ratios: fit the model with "
            f"the link {known}, or compare means with emmeans(..., scale='response')."
        )
    check_ratio_method(method)
    table = coefficients(fit, level=level)
    if method == "profile":
        ends = confint(fit, "profile", level, "fixed", 1, None)
        table[["lower", "upper"]] = ends[["lower", "upper"]].to_numpy()
    return as_ratios(table, what)
