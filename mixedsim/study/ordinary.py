"""Ordinary least squares with standard errors: what people fit who do not know of groups, or who take them away first.

With n rows, p columns that do not depend on each other, and m parameters spent before (the means of J groups, taken
out of y and of all columns):

    β̂ = (X'X)⁻¹ X'y,   s² = |y − Xβ̂|² / (n − p − m),   var β̂ = s² (X'X)⁻¹,   df = n − p − m.

Taking out group means first gives the same β̂, s² and standard errors as J indicator columns would (Frisch, R. and
Waugh, F. V. (1933). Partial time regressions as compared with individual trends. Econometrica 1, 387–401), without
those columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.inference.contrasts import Combinations
from mixedsim.models.tables import t_table

Floats = NDArray[np.float64]
# R's lm: a column depends on earlier ones if less than this share of its length is left beside them.
DEPENDENT = 1e-7


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """One regression by ordinary least squares, p columns on n rows.

    Attributes
    ----------
    names : p coefficients.
    estimate : p values; NaN where the rows do not determine a coefficient, because its column depends on others.
    covariance : p × p, of the estimates; NaN likewise.
    sigma : residual standard deviation; NaN without degrees of freedom.
    df : degrees of freedom of the residual; 0 or less where the rows do not suffice, and then nothing has an error.
    rows : n.
    """

    names: tuple[str, ...]
    estimate: Floats
    covariance: Floats
    sigma: float
    df: int
    rows: int

    def coefficients(self, level: float = 0.95) -> pd.DataFrame:
        """The table of t tests: index coefficient; estimate, se, df, t, p, lower, upper."""
        df = np.where(np.isnan(self.estimate) | (self.df < 1), np.nan, float(self.df))
        return t_table(Combinations(self.estimate, self.covariance, df), list(self.names), level)


def least_squares(names: Sequence[str], x: Floats, y: Floats, *, spent: int = 0) -> LeastSquares:
    """Return the regression of y on the columns of x.

    Parameters
    ----------
    names : of the p columns. One called ``Intercept`` is taken to be all ones.
    x : n × p.
    y : n values.
    spent : degrees of freedom that were used before, such as the J means that were taken out of both.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.study.ordinary import least_squares
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> fit = least_squares(["Intercept", "x"], np.column_stack([np.ones(4), x]), np.array([1.0, 2.0, 2.0, 4.0]))
    >>> fit.coefficients().loc["x", ["estimate", "se", "df"]].round(3).tolist()
    [0.9, 0.265, 2.0]
    """
    n, p = x.shape
    standard, back = _standardised(tuple(names), x)
    kept = independent(standard, x)
    df = n - len(kept) - spent
    q, r = np.linalg.qr(standard[:, kept])
    right = q.T @ y
    left = y - q @ right
    sigma = float(np.sqrt(left @ left / df)) if df > 0 else float("nan")
    root = back[np.ix_(kept, kept)] @ np.linalg.inv(r)
    estimate, covariance = np.full(p, np.nan), np.full((p, p), np.nan)
    estimate[kept] = root @ right
    covariance[np.ix_(kept, kept)] = sigma**2 * root @ root.T
    unknown = undetermined(x, kept)
    estimate[unknown] = covariance[unknown, :] = covariance[:, unknown] = np.nan
    return LeastSquares(tuple(names), estimate, covariance, sigma, df, n)


def independent(columns: Floats, given: Floats) -> list[int]:
    """Places of the columns that do not depend on earlier ones.

    Parameters
    ----------
    columns : n × p, centred or taken from the means of their groups.
    given : the same as they were before; a column of which next to nothing is left was constant.
    """
    kept: list[int] = []
    basis = np.empty((len(columns), 0))
    for k in range(columns.shape[1]):
        v = columns[:, k].copy()
        for _ in range(2):  # twice is enough for full precision (Giraud, Langou & Rozložník 2005)
            v -= basis @ (basis.T @ v)
        length = float(np.linalg.norm(v))
        if length > DEPENDENT * float(np.linalg.norm(columns[:, k])) and not _is_rounding(columns[:, k], given[:, k]):
            kept.append(k)
            basis = np.column_stack([basis, v / length])
    return kept


def undetermined(columns: Floats, kept: Sequence[int]) -> list[int]:
    """Places of the columns whose coefficients the rows do not determine, given a largest independent set of columns.

    A column that depends on others leaves not only its own coefficient open, but those of these others: with it in the
    model they could have any value (Searle, S. R. (1971). Linear Models, section 5.4, on estimable functions). To leave
    one of them out, as R does, gives the rest another meaning.
    """
    left_out = [k for k in range(columns.shape[1]) if k not in kept]
    if not left_out:
        return []
    known = columns[:, list(kept)]
    lengths = np.linalg.norm(known, axis=0)
    weights = np.linalg.lstsq(known / lengths, columns[:, left_out], rcond=None)[0]
    taken = np.abs(weights) > DEPENDENT * np.maximum(np.linalg.norm(columns[:, left_out], axis=0), 1e-300)
    return sorted([*left_out, *(k for k, open_ in zip(kept, taken.any(axis=1), strict=True) if open_)])


def _is_rounding(left: Floats, given: Floats) -> bool:
    """Whether what is left of a column is the rounding error of what was taken away."""
    return float(np.linalg.norm(left)) <= 1e-13 * float(np.linalg.norm(given))


def _standardised(names: tuple[str, ...], x: Floats) -> tuple[Floats, Floats]:
    """The columns centred, where an intercept takes the shift, and T, p × p, with β = T β̃."""
    back = np.eye(x.shape[1])
    if "Intercept" not in names:
        return x, back
    one = names.index("Intercept")
    means = x.mean(axis=0)
    means[one] = 0.0
    back[one] -= means
    return x - means, back
