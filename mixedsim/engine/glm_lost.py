"""Separation, as the search sees it: rows of whose linear predictor nothing is known any more.

Where a category has no success, or a predictor tells successes from failures without error, the likelihood rises for
ever, ever more slowly (Albert & Anderson 1984, Biometrika 71:1). A search ends where nothing worth while is left to
gain, which is no maximum: what remains there is next to no curvature along some way out, and a standard error of the
rows on it that means nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOST = 50.0  # standard error of a linear predictor, on a scale on which 5 is much
_LEAST = 1e-10  # of a curvature, over what its diagonal says: what rounding leaves


def loses_rows(x: Floats, hessian: Floats, at_beta: slice) -> bool:
    """Whether some row's linear predictor has a standard error of more than 50.

    Parameters
    ----------
    x : n × p.
    hessian : second derivatives of −2 log L by all parameters, of which `at_beta` are the coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedsim.engine.glm_lost import loses_rows
    >>> [loses_rows(np.ones((3, 1)), np.array([[curvature]]), slice(0, 1)) for curvature in (1.0, 1e-6)]
    [False, True]
    """
    if not x.size:
        return False
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian * scale[:, None] * scale)
    half = (scale[:, None] * vectors / np.sqrt(np.maximum(np.abs(values), _LEAST)))[at_beta]
    most = float((x * x).sum(axis=1).max()) * float((half * half).sum())
    if 2.0 * most < LOST**2:  # no row can be, whatever its direction
        return False
    rows = x @ half
    return bool(2.0 * (rows * rows).sum(axis=1).max() > LOST**2)


def lost_replicates(x: Floats, covariance: Floats) -> NDArray[np.bool_]:
    """The same for r replicates, from the covariance of their coefficients: r booleans.

    Parameters
    ----------
    x : p × rows, or p × rows × r where each replicate has its own.
    covariance : p × p × r, standardised as x is.
    """
    trace = np.einsum("ppr->r", covariance)
    most = (x * x).sum(axis=0).max(axis=0)
    out = np.zeros(len(trace), dtype=bool)
    for k in np.flatnonzero(~(most * trace < LOST**2)).tolist():
        own = x if x.ndim == 2 else x[..., k]
        out[k] = not float(np.einsum("pn,pq,qn->n", own, covariance[..., k], own).max()) < LOST**2
    return out
