"""Engine arrays as labelled tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.design import GroupingFactor
from mixedsim.errors import MixedsimError
from mixedsim.inference import satterthwaite_df

if TYPE_CHECKING:
    from mixedsim.models.linear import LinearMixedModel

Floats = NDArray[np.float64]


def by_level(factors: Sequence[GroupingFactor], values: Sequence[Floats]) -> dict[str, pd.DataFrame]:
    """One J × q array a factor as {group: DataFrame of levels × effects}."""
    return {
        factor.name: pd.DataFrame(
            array, index=pd.Index(factor.levels, name=factor.name), columns=list(factor.effects)
        )
        for factor, array in zip(factors, values, strict=True)
    }


def coef(fixef: pd.Series[float], ranef: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Fixed plus random effects; an effect that only varies starts from zero."""
    out = {}
    for group, effects in ranef.items():
        columns = list(fixef.index) + [c for c in effects.columns if c not in fixef.index]
        base = fixef.reindex(columns, fill_value=0.0)
        out[group] = effects.reindex(columns=columns, fill_value=0.0) + base
    return out


def varcorr(factors: Sequence[GroupingFactor], covariances: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Variances (`term2` missing) and, within each term, covariances with their correlations."""
    rows: list[tuple[str, str, str | None, float, float]] = []
    for factor in factors:
        matrix = covariances[factor.name]
        for term in factor.terms:
            names = term.columns.names
            for i, name in enumerate(names):
                variance = float(matrix.loc[name, name])  # type: ignore[arg-type]
                rows.append((factor.name, name, None, variance, float(np.sqrt(variance))))
                for other in names[:i]:
                    covariance = float(matrix.loc[other, name])  # type: ignore[arg-type]
                    size = np.sqrt(variance * float(matrix.loc[other, other]))  # type: ignore[arg-type]
                    rows.append((factor.name, other, name, covariance, covariance / size if size > 0 else np.nan))
    rows.sort(key=lambda row: (list(covariances).index(row[0]), row[2] is not None))
    return pd.DataFrame(rows, columns=["group", "term1", "term2", "variance", "sd_or_corr"])


def coefficients(fit: LinearMixedModel, ddf: str, level: float) -> pd.DataFrame:
    """The table behind `LinearMixedModel.coefficients`."""
    if ddf not in ("satterthwaite", "wald"):
        raise MixedsimError(f"ddf must be 'satterthwaite' or 'wald', found {ddf!r}.")
    if not 0 < level < 1:
        raise MixedsimError(f"level must lie between 0 and 1, found {level!r}.")
    estimate = fit.fixef
    se = np.sqrt(np.diag(fit.vcov.to_numpy()))
    if ddf == "wald" or len(estimate) == 0:
        df = np.full(len(estimate), np.inf)
    else:
        df = satterthwaite_df(
            fit.objective, fit.optimum.profile, fit.variance_parameters, fit.problem.fixed.transform
        )
    t = estimate.to_numpy() / se
    # scipy.special knows the t distribution as scipy.stats does, and loads in a tenth of the time
    p = 2.0 * special.stdtr(df, -np.abs(t))
    half = special.stdtrit(df, 0.5 + level / 2.0) * se
    return pd.DataFrame(
        {"estimate": estimate, "se": se, "df": df, "t": t, "p": p, "lower": estimate - half, "upper": estimate + half}
    )
