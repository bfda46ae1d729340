"""Responses drawn from a fitted model, and the model fitted to them again."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, shown
from mixedsim.inference.bootstrap import Replicates, bootstrap, thetas_of_data
from mixedsim.inference.responses import responses
from mixedsim.models.fitting import without_start
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.refitting import theta_names
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
_MOST = 1_000_000_000
RandomEffects = Literal["new", "conditional"]


def simulate(fit: LinearEstimates, n: int, seed: Any, random: RandomEffects) -> pd.DataFrame:
    """The table behind `LinearMixedModel.simulate`."""
    if random not in ("new", "conditional"):
        raise MixedsimError(f"random must be 'new' or 'conditional', found {random!r}.")
    modes = fit.objective.modes(fit.optimum.profile) if random == "conditional" else None
    drawn = responses(
        fit.rows, fit.problem, fit.optimum.profile, whole(n, "n"), settle_seed(seed), modes
    )
    scaling = fit.problem.response
    values = np.concatenate([scaling.centre + scaling.scale * y for y in drawn], axis=1)
    if fit.design.offset is not None:
        values += fit.design.offset[:, None]
    return pd.DataFrame(values, index=fit.design.index, columns=pd.RangeIndex(n, name="replicate"))


def bootstrap_table(fit: LinearEstimates, n: int, seed: Any) -> pd.DataFrame:
    """The table behind `LinearMixedModel.bootstrap`."""
    control = without_start(fit.request.control)
    settled = settle_seed(seed)
    found = bootstrap(
        fit.rows, fit.problem, fit.objective, fit.optimum.profile, whole(n, "n"), settled, control
    )
    return _table(fit, found, settled)


def _table(fit: LinearEstimates, found: Replicates, seed: int) -> pd.DataFrame:
    """Replicates in the names and units of the data."""
    problem = fit.problem
    columns: dict[str, Floats | NDArray[np.bool_]] = dict(
        zip(fit.coefficient_names, problem.fixef(found.beta.T.copy()), strict=True)
    )
    thetas = np.full_like(found.theta, np.nan)
    known = np.isfinite(found.deviance)
    thetas[known] = thetas_of_data(problem, found.theta[known])
    columns |= dict(zip(theta_names(problem.layout.size), thetas.T, strict=True))
    columns["sigma"] = problem.response.scale * np.sqrt(found.sigma2)
    columns["converged"] = found.converged
    columns["singular"] = found.singular(problem.layout)
    out = pd.DataFrame(columns, index=pd.RangeIndex(len(found.deviance), name="replicate"))
    out.attrs.update(seed=seed, failed=int((~found.converged).sum()), failures=found.failures)
    return out


def whole(n: object, name: str) -> int:
    """A number of replicates: a whole number of at least 1, and one that can be lived to see."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise MixedsimError(f"{name} must be a whole number of at least 1, found {n!r}.")
    if n > _MOST:
        raise MixedsimError(f"{name} must be at most {_MOST:,} replicates, found {shown(n)}.")
    return int(n)
