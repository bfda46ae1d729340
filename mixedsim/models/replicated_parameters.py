"""The replicates of a bootstrap as parameters in the names and units of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_profile import glm_parameters
from mixedsim.inference.parameters import parameters_of
from mixedsim.models.generalized import GeneralizedLinearMixedModel
from mixedsim.models.intervals import replicated
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.refitting import theta_names


def replicated_parameters(fit: LinearMixedModel | GeneralizedLinearMixedModel, draws: pd.DataFrame) -> pd.DataFrame:
    """Coefficients, standard deviations, correlations and σ of r replicates: one row each, one column a parameter.

    Parameters
    ----------
    fit : the model that was drawn from.
    draws : what its `bootstrap` returned.

    Raises
    ------
    MixedsimError
        If the table is not one of this model.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.models.replicated_parameters import replicated_parameters
    >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    >>> list(replicated_parameters(fit, fit.bootstrap(5, seed=1)).columns)
    ['Intercept', 'sd(Intercept | Batch)', 'sigma']
    """
    names, layout = list(fit.coefficient_names), fit.problem.layout
    p, size = len(names), layout.size
    expected = [*names, *theta_names(size)]
    if list(draws.columns[: p + size]) != expected or "converged" not in draws.columns:
        raise MixedsimError("draws are not those of this fit: give what fit.bootstrap() returned.")
    if isinstance(fit, LinearMixedModel):
        everything = parameters_of(fit.design, fit.problem)
        # by place, not by name: a predictor may be called theta1
        sigma = draws.iloc[:, p + size].to_numpy(dtype=np.float64)
    else:
        everything = glm_parameters(fit.design, fit.problem)
        sigma = draws["sigma"].to_numpy(dtype=np.float64)
    values = replicated(layout, p, everything, draws, sigma)
    return pd.DataFrame(values, index=draws.index, columns=[parameter.name for parameter in everything])
