"""The marginal means that a model would have if its coefficients were others: the true ones, where they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.models.comparable import MixedModel
from mixedsim.models.generalized_means import on_response
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.mean_rows import mean_rows

Floats = NDArray[np.float64]


def true_means(
    fit: MixedModel,
    of: str,
    by: str | None,
    coefficients: pd.Series[float],
    *,
    at: Mapping[str, Any] | None = None,
    response: bool = True,
) -> pd.Series[float]:
    """Return the means of `emmeans` with these coefficients in place of the estimates.

    Parameters
    ----------
    fit : linear or generalised.
    of, by, at : as in `emmeans`.
    coefficients : by name; NaN where one is not known.
    response : of a generalised model, means on the scale of the response, else of the link.

    Raises
    ------
    MixedsimError
        If a coefficient that the means need is not known.

    Examples
    --------
    >>> import mixedsim as ms
    >>> import pandas as pd
    >>> from mixedsim.models.true_means import true_means
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> true_means(fit, "Days", None, pd.Series({"Intercept": 250.0, "Days": 10.0}), at={"Days": [0, 9]}).tolist()
    [250.0, 340.0]
    """
    linear = fit.problem if isinstance(fit, LinearMixedModel) else fit.problem.linear
    own = mean_rows(fit.design, linear, of, by, at)
    values = coefficients.reindex(list(fit.coefficient_names)).to_numpy(dtype=np.float64)
    needed = (np.nan_to_num(own.rows, nan=1.0) != 0).any(axis=0)
    missing = np.flatnonzero(needed & np.isnan(values))
    if len(missing):
        name = fit.coefficient_names[missing[0]]
        raise MixedsimError(f"truth has no value for {name!r}, without which there are no true means: name it too.")
    eta = own.rows @ np.nan_to_num(values)
    if fit.design.offset is not None:
        eta = eta + float(fit.design.offset.mean())
    if response and not isinstance(fit, LinearMixedModel):
        eta = on_response(fit, eta)
    return pd.Series(eta, index=own.index, name="truth")
