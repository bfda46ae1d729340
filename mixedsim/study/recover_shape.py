"""What a family has beside its mean, in the table of a recovery: τ of a negative binomial, σ of a gamma."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mixedsim.inference.glm_shape import shape_estimate
from mixedsim.models import GeneralizedLinearMixedModel
from mixedsim.simulate import Population
from mixedsim.simulate.families import Gamma, NegativeBinomial, family_of
from mixedsim.study.true_values import Symbol

TAU: Symbol = ("tau", "", "tau")
SIGMA: Symbol = ("sigma", "", "sigma")


def shape_truth(population: Population) -> dict[Symbol, float]:
    """The true value, if the family has one: the population's theta, or its cv."""
    family = family_of(population.family)
    if isinstance(family, NegativeBinomial):
        return {TAU: family.theta}
    return {SIGMA: family.cv} if isinstance(family, Gamma) else {}


def with_shape(
    estimates: pd.DataFrame, fit: GeneralizedLinearMixedModel, level: float
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The estimates with one more row where the family has such a parameter, and what must be said of it."""
    found = shape_estimate(fit.objective, fit.optimum, level)
    if found is not None:
        row = [found.estimate, found.se, np.inf, found.lower, found.upper]
        said = () if np.isfinite(found.se) else ("tau has no interval: the data know no end to it.",)
        return _added(estimates, TAU, row), said
    if not fit.kind.scaled:
        return estimates, ()
    said = (
        "sigma, the coefficient of variation, has no interval: it is estimated beside the likelihood. As in lme4 the "
        "sds of effects come out too small beside it (see ms.glmer).",
    )
    return _added(estimates, SIGMA, [fit.sigma, *[np.nan] * 4]), said


def _added(estimates: pd.DataFrame, symbol: Symbol, row: list[float]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([*estimates.index, symbol], names=estimates.index.names)
    return pd.DataFrame(np.vstack([estimates.to_numpy(), row]), index=index, columns=estimates.columns)
