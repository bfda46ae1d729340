"""Do predictors repeat each other? What that costs each coefficient, from the covariance matrix of the fixed effects.

With R the correlations of the estimates, the intercept left out (its own correlation with a predictor says where zero
lies and no more):

* the variance inflation factor of a coefficient is ``[R⁻¹]_kk``, the factor by which its variance exceeds that of
  a predictor unrelated to all others, in the metric of the fit, so that for mixed models groups count;
* for a term of several coefficients, which may be coded in any way, the generalised factor is
  ``det R_tt det R_rr / det R``, with r all other terms (Fox & Monette 1992, J. Am. Stat. Assoc. 87:178);
  ``GVIF^(1/2df)`` is the factor by which intervals widen, comparable between terms;
* condition indices are ``√(λ_max/λ_k)`` with λ the eigenvalues of the information matrix scaled to unit diagonal; a
  coefficient is given that of the direction which carries most of its variance (Belsley, Kuh & Welsch 1980, Regression
  Diagnostics, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MODERATE, SEVERE = 5.0, 10.0  # of GVIF^(1/df): limits in common use (James et al. 2021, section 3.3.3)


def collinearity(vcov: Floats, names: Sequence[str], terms: Sequence[str]) -> pd.DataFrame:
    """Return what collinearity costs every coefficient but the intercept.

    Parameters
    ----------
    vcov : p × p covariance matrix of the fixed effects.
    names, terms : p coefficients, and the term that each belongs to (``"1"`` for the intercept).

    Returns
    -------
    DataFrame with index coefficient and columns ``term``, ``vif``, ``df``, ``gvif``, ``widening`` and
    ``condition_index``; ``attrs["sentence"]`` names the worst. Empty where there is no predictor.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.inference.collinearity import collinearity
    >>> vcov = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, -0.8], [0.0, -0.8, 1.0]])
    >>> collinearity(vcov, ["Intercept", "x", "z"], ["1", "x", "z"])["vif"].round(2).to_dict()
    {'x': 2.78, 'z': 2.78}
    """
    kept = [k for k, term in enumerate(terms) if term != "1"]
    index = pd.Index([names[k] for k in kept], name="coefficient", dtype=object)
    own = np.asarray([terms[k] for k in kept], dtype=object)
    sd = np.sqrt(np.diag(vcov))[kept]
    r = vcov[np.ix_(kept, kept)] / sd[:, None] / sd
    vif = np.diag(np.linalg.inv(r)) if len(r) else np.empty(0)
    gvif, df = np.ones(len(kept)), np.ones(len(kept), dtype=int)
    for term in dict.fromkeys(own):
        mine = own == term
        df[mine] = int(mine.sum())
        gvif[mine] = _logdet(r, mine) if mine.any() else 1.0
    table = pd.DataFrame(
        {
            "term": own,
            "vif": vif,
            "df": df,
            "gvif": gvif,
            "widening": gvif ** (0.5 / df),
            "condition_index": _condition_indices(r),
        },
        index=index,
    )
    table.attrs["sentence"] = _sentence(table)
    return table


def _logdet(r: Floats, mine: NDArray[np.bool_]) -> float:
    """The generalised factor of one term; determinants by their logarithms."""
    parts = [np.linalg.slogdet(r[np.ix_(some, some)])[1] for some in (mine, ~mine)]
    return float(np.exp(sum(parts) - np.linalg.slogdet(r)[1]))


def _condition_indices(r: Floats) -> Floats:
    if not len(r):
        return np.empty(0)
    information = np.linalg.inv(r)
    size = np.sqrt(np.diag(information))
    values, vectors = np.linalg.eigh(information / size[:, None] / size)
    index = np.sqrt(values[-1] / values)
    return np.asarray(index[np.argmax(vectors**2 / values, axis=1)])


def _sentence(table: pd.DataFrame) -> str:
    if not len(table):
        return "There is no predictor beside the intercept, so nothing can be collinear."
    if len(table) == 1:
        return f"{table.index[0]} is the only predictor, so nothing can be collinear."
    if len(set(table["term"])) == 1:
        return f"All coefficients belong to {table['term'].iloc[0]}, so nothing can be collinear."
    inflated = table["widening"].to_numpy(dtype=np.float64) ** 2
    worst = int(np.argmax(inflated.round(9)))  # two predictors share one factor but for rounding
    wide = float(table["widening"].iloc[worst])
    name = str(table["term"].iloc[worst])
    if inflated[worst] < MODERATE:
        return f"Predictors hardly repeat each other: intervals of {name} widen most, {wide:.2f} times."
    word = "strongly" if inflated[worst] >= SEVERE else "somewhat"
    return (
        f"Predictors {word} repeat each other: intervals of {name} are {wide:.1f} times as wide as without the others."
    )
