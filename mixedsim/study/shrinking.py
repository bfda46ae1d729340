"""How far partial pooling moves every group: from its own least squares towards the mean of all.

In a model with random effects Σ and residual variance σ², a group whose own least squares give d_j beside the mean is
moved to ``Σ (Σ + σ² (Z_j'Z_j)⁻¹)⁻¹ d_j`` (Laird & Ware 1982, Biometrics 38:963, eq. 3.2, rewritten for Z_j of full
rank). With a single random intercept that is ``λ_j d_j``, ``λ_j = τ² / (τ² + σ²/n_j)``; the same ratio for one of
several effects, τ_k² over τ_k² plus the effect's own sampling variance, is its reliability (Raudenbush & Bryk 2002,
Hierarchical Linear Models, 2nd edition, chapter 3), and what is really kept of d_jk differs from it, since each effect
borrows from the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.listing import listed
from mixedsim.models import LinearMixedModel
from mixedsim.study.least_squares import fit_groups
from mixedsim.study.pooling import Pooling

Floats = NDArray[np.float64]
_NO_DISTANCE = 1e-9  # of the largest distance from the mean: nothing to keep a share of


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """J groups with q varying effects, before and after partial pooling, in the units of the data.

    Attributes
    ----------
    group : the grouping factor.
    none : J × q DataFrame, the group's own least squares; NaN where its rows do not determine them.
    partial : J × q, fixed plus random effects.
    centre : q fixed effects; 0 for an effect that the fixed part has not.
    covariance : q × q, of the random effects.
    sigma : residual standard deviation.
    sizes : J numbers of rows.
    sampling : J × q, variances of `none` given the mean and σ²; NaN where it is.
    given : what `none` takes from the mixed model, in words; empty if nothing.
    fit : that model.
    """

    group: str
    none: pd.DataFrame
    partial: pd.DataFrame
    centre: pd.Series[float]
    covariance: pd.DataFrame
    sigma: float
    sizes: pd.Series[int]
    sampling: pd.DataFrame
    given: str
    fit: LinearMixedModel = field(repr=False)

    @property
    def incomplete(self) -> pd.Index[Any]:
        """Groups without a least-squares fit of their own."""
        return self.none.index[self.none.isna().any(axis=1)]

    @property
    def kept(self) -> pd.DataFrame:
        """J × q: the share of its own distance from the mean that each group keeps; NaN where it has no distance."""
        own = self.none - self.centre
        far = own.abs() > _NO_DISTANCE * own.abs().max()
        return ((self.partial - self.centre) / own).where(far)

    @property
    def reliability(self) -> pd.DataFrame:
        """J × q: τ² / (τ² + sampling variance), what would be kept if no effect borrowed from another."""
        tau2 = pd.Series(np.diag(self.covariance), index=self.covariance.index)
        return tau2 / (self.sampling + tau2)


def shrinkage_of(source: Pooling | LinearMixedModel, group: str | None = None) -> Shrinkage:
    """The `Shrinkage` of a pooling comparison, or of a fit.

    Of a pooling comparison the numbers are those of its tables. For a fit, and where a predictor of the groups leaves
    no-pooling coefficients undetermined, each group's own least squares take the effects that do not vary, and those of
    other grouping factors, from the mixed model.

    Parameters
    ----------
    source : what `mixedsim.pooling` returned, or a linear mixed model.
    group : grouping factor of a fit; the one with most levels if None.

    Raises
    ------
    MixedsimError
        If the fit has no such factor.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.study.shrinking import shrinkage_of
    >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    >>> shrinkage_of(fit).kept["Intercept"].round(3).unique().tolist()
    [0.783]
    """
    fit = source.fit if isinstance(source, Pooling) else source
    number = _place(fit, group)
    factor = fit.design.factors[number]
    found = _from_fit(fit, number)
    if isinstance(source, Pooling):
        names = list(factor.effects)
        others = source.no_pooling.drop(columns=names)
        unknown = others.columns[others.isna().all(axis=0)]
        if not len(unknown):
            return replace(found, none=source.no_pooling[names], partial=source.partial[names], given="")
    return found


def _place(fit: LinearMixedModel, group: str | None) -> int:
    names = [factor.name for factor in fit.design.factors]
    if group is None:
        return 0
    if group not in names:
        raise MixedsimError(f"the model has no grouping factor {group!r}: {nearest(group, names)}")
    return names.index(group)


def _from_fit(fit: LinearMixedModel, number: int) -> Shrinkage:
    factor = fit.design.factors[number]
    names = list(factor.effects)
    levels = pd.Index(factor.levels, name=factor.name)
    own, sampling, taken = _own_least_squares(fit, number)
    centre = fit.fixef.reindex(names).fillna(0.0)
    return Shrinkage(
        group=factor.name,
        none=pd.DataFrame(own, index=levels, columns=names) + centre,
        partial=fit.ranef[factor.name] + centre,
        centre=centre,
        covariance=fit.covariances[factor.name],
        sigma=fit.sigma,
        sizes=pd.Series(np.bincount(factor.codes, minlength=len(levels)), index=levels, name="rows"),
        sampling=pd.DataFrame(sampling, index=levels, columns=names),
        given=f"{listed(taken)} as in the mixed model" if taken else "",
        fit=fit,
    )


def _own_least_squares(fit: LinearMixedModel, number: int) -> tuple[Floats, Floats, list[str]]:
    """Distances from the mean by each group's own rows (J × q), their sampling variances, and what was held."""
    design, factor = fit.design, fit.design.factors[number]
    n, names, codes, groups = design.rows, list(factor.effects), factor.codes, len(factor.levels)
    rest = _beside(fit, number)
    columns = [np.broadcast_to(c, n) for term in factor.terms for c in term.columns.columns]
    root = np.ones(n) if design.weights is None else np.sqrt(design.weights)
    # columns less their means, where an intercept takes the shift, lose no digits far from zero
    shift = np.array(
        [c.mean() if "Intercept" in names and k != names.index("Intercept") else 0.0 for k, c in enumerate(columns)]
    )
    z = np.column_stack([(c - s) * root for c, s in zip(columns, shift, strict=True)])
    found = fit_groups(z, np.empty((n, 0)), rest * root, codes, groups)
    own = found.own.copy()
    unknown = found.undetermined | np.isnan(own).any(axis=1)
    own[unknown] = np.nan
    back = np.eye(len(names))  # from coefficients of shifted columns to those of the columns themselves
    if "Intercept" in names:
        back[names.index("Intercept")] -= shift
    q = len(names)
    products = np.empty((groups, q, q))
    for i in range(q):
        for j in range(i + 1):
            products[:, i, j] = products[:, j, i] = np.bincount(codes, weights=z[:, i] * z[:, j], minlength=groups)
    sampling = np.full((groups, q), np.nan)
    known = ~unknown
    covariance = back @ np.linalg.inv(products[known]) @ back.T
    sampling[known] = fit.sigma**2 * np.diagonal(covariance, axis1=1, axis2=2)
    others = [name for name in fit.coefficient_names if name not in names]
    others += [f"the effects of {one.name}" for k, one in enumerate(design.factors) if k != number]
    return own @ back.T, sampling, others


def _beside(fit: LinearMixedModel, number: int) -> Floats:
    """What the response has left beside the fixed part and the random effects of other factors: n values."""
    own = fit.design.factors[number]
    rest = fit.residuals().to_numpy(dtype=np.float64).copy()
    modes = fit.ranef[own.name].to_numpy(dtype=np.float64)
    columns = (c for term in own.terms for c in term.columns.columns)
    for k, column in enumerate(columns):
        rest += np.broadcast_to(column, len(rest)) * modes[own.codes, k]
    return np.asarray(rest, dtype=np.float64)
