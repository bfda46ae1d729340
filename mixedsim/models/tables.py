"""Arrays as labelled tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.design import GroupingFactor
from mixedsim.inference.contrasts import Combinations, JointTest, check_level, two_sided

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
    out = pd.DataFrame(rows, columns=["group", "term1", "term2", "variance", "sd_or_corr"])
    return out.astype({"term2": object}).assign(term2=pd.Series([row[2] for row in rows], dtype=object))


def f_table(tests: Sequence[JointTest], names: Sequence[str], ddf: str, title: str = "term") -> pd.DataFrame:
    """One row a test: F, df1, df2, p; for ``ddf="wald"`` chisq, df, p."""
    index = pd.Index(list(names), name=title)
    p = np.array([test.p for test in tests], dtype=float)
    f = np.array([test.f for test in tests], dtype=float)
    df1 = np.array([test.df1 for test in tests], dtype=np.intp)
    if ddf == "wald":
        return pd.DataFrame({"chisq": f * df1, "df": df1, "p": p}, index=index)
    df2 = np.array([test.df2 for test in tests], dtype=float)
    return pd.DataFrame({"F": f, "df1": df1, "df2": df2, "p": p}, index=index)


def t_table(
    found: Combinations, names: list[str] | pd.Index[Any], level: float, null: Floats | float = 0.0
) -> pd.DataFrame:
    """One row a combination: estimate, se, df, t, p, lower, upper; t and p compare with `null`."""
    estimate, se, df = found.estimate, found.se, found.df
    half = half_width(found, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (estimate - null) / se
    p = two_sided(t, df)
    return pd.DataFrame(
        {"estimate": estimate, "se": se, "df": df, "t": t, "p": p, "lower": estimate - half, "upper": estimate + half},
        index=names,
    )


def half_width(found: Combinations, level: float) -> Floats:
    """Half the width of each t interval."""
    check_level(level)
    return np.asarray(special.stdtrit(found.df, 0.5 + level / 2.0) * found.se)
