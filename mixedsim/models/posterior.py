"""Posterior draws in the names and units of the data, with what says whether the chains have mixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.parameters import parameter_name
from mixedsim.inference.posterior import PosteriorDraws, gibbs
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws from the posterior of a linear mixed model.

    Attributes
    ----------
    draws : DataFrame with one row a draw (index chain, draw) and one column a parameter: the coefficients,
        ``sd(x | g)``, ``corr(Intercept, x | g)``, ``sigma``.
    seed : where the random numbers began.
    """

    draws: pd.DataFrame
    seed: int

    @property
    def chains(self) -> dict[str, Floats]:
        """Every parameter as an array of chains × draws, the form in which arviz takes them."""
        shape = (self.draws.index.get_level_values("chain").nunique(), -1)
        return {str(name): self.draws[name].to_numpy().reshape(shape) for name in self.draws.columns}

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """One row a parameter: mean, sd, median, R-hat, effective sample sizes, and an equal-tailed interval.

        Parameters
        ----------
        level : probability of the interval.

        Returns
        -------
        DataFrame with mean, sd, median, rhat, ess_bulk, ess_tail, lower, upper. R-hat above 1.01, or fewer than
        about 400 effective draws, ask for more draws (Vehtari et al. 2021, Bayesian Analysis 16:667).

        Raises
        ------
        MixedsimError
            If `level` is no probability, or arviz-stats, which computes R-hat and effective sizes, is not installed.
        """
        check_level(level)
        rows = {name: self._mixing(values) for name, values in self.chains.items()}
        out = pd.DataFrame.from_dict(rows, orient="index", columns=["rhat", "ess_bulk", "ess_tail"])
        out.insert(0, "median", self.draws.median())
        out.insert(0, "sd", self.draws.std())
        out.insert(0, "mean", self.draws.mean())
        out["lower"] = self.draws.quantile(0.5 - level / 2.0)
        out["upper"] = self.draws.quantile(0.5 + level / 2.0)
        return out

    def _mixing(self, values: Floats) -> tuple[float, float, float]:
        axes = {"chain_axis": 0, "draw_axis": 1}
        stats = self._statistics
        return (
            float(stats.rhat(values, **axes)),
            float(stats.ess(values, **axes)),
            float(stats.ess(values, method="tail", prob=(0.05, 0.95), **axes)),
        )

    @cached_property
    def _statistics(self) -> Any:
        try:  # an extra, and slow to load: it is fetched when a summary is asked for
            return import_module("arviz_stats.base").array_stats
        except ModuleNotFoundError:
            raise MixedsimError(
                'R-hat and effective sample sizes need arviz-stats: pip install "mixedsim[posterior]".'
            ) from None

    def __repr__(self) -> str:
        chains = self.draws.index.get_level_values("chain").nunique()
        table = self.summary().round({"rhat": 3, "ess_bulk": 0, "ess_tail": 0})
        head = f"Posterior: {chains} chains of {len(self.draws) // chains} draws"
        return f"{head}\n\n{table.to_string(float_format='%.4g')}"

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(float_format=lambda v: f"{v:.4g}"))


def draw_posterior(fit: LinearEstimates, draws: int, chains: int, seed: Any, warmup: int | None) -> Posterior:
    """The draws behind `LinearMixedModel.posterior`."""
    kept = whole(draws, "draws")
    burnt = kept // 2 if warmup is None else whole(warmup, "warmup")
    settled = settle_seed(seed)
    rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(settled).spawn(whole(chains, "chains"))]
    found = gibbs(fit.problem, fit.objective, fit.optimum.profile.theta, draws=kept, warmup=burnt, rngs=rngs)
    return Posterior(_table(fit, found), settled)


def _table(fit: LinearEstimates, found: PosteriorDraws) -> pd.DataFrame:
    """Standardised draws in the names and units of the data."""
    chains, kept = found.sigma.shape
    problem = fit.problem
    scale = problem.response.scale
    flat = found.beta.reshape(chains * kept, -1).T
    columns: dict[str, Floats] = dict(zip(fit.coefficient_names, problem.fixef(flat.copy()), strict=True))
    for factor, drawn, t in zip(fit.design.factors, found.covariances, problem.varying, strict=True):
        sigma = scale**2 * (t @ drawn.reshape(chains * kept, *drawn.shape[2:]) @ t.T)
        sds = np.sqrt(np.diagonal(sigma, axis1=1, axis2=2))
        names = factor.effects
        for i, name in enumerate(names):
            columns[parameter_name("sd", factor.name, name)] = sds[:, i]
        start = 0
        for term in factor.terms:
            own = range(start, start + len(term.columns.names))
            for i in own:
                for j in own[: i - start]:
                    label = parameter_name("corr", factor.name, f"{names[j]}, {names[i]}")
                    columns[label] = sigma[:, j, i] / (sds[:, i] * sds[:, j])
            start = own.stop
    columns["sigma"] = scale * found.sigma.reshape(-1)
    index = pd.MultiIndex.from_product([range(chains), range(kept)], names=["chain", "draw"])
    return pd.DataFrame(columns, index=index)
