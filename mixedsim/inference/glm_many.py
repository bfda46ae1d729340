"""Many replicates of one generalised model, fitted together: their estimates and z tests in the units of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Layout
from mixedsim.engine.glm_batch_fit import ManyGlmOptima
from mixedsim.errors import MixedsimError
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.inference.many_scales import ManyScales, many_singular, many_thetas
from mixedsim.inference.parameters import Parameter

Floats = NDArray[np.float64]
_NONE = 1e-12  # length of an effect's row of Λ over that of the other, below which they have no correlation


@dataclass(frozen=True, eq=False)
class GlmTogether:
    """Replicates that were fitted together: s of them, standardised, with the way back.

    Attributes
    ----------
    replicates : their s numbers.
    layout : where θ stands.
    optima : where the search ended; all are settled.
    scales, named : the way back to the units of the data, and what the parameters are called.
    """

    replicates: NDArray[np.intp]
    layout: Layout
    optima: ManyGlmOptima
    scales: ManyScales
    named: tuple[Parameter, ...]

    @property
    def symbols(self) -> tuple[tuple[str, str, str], ...]:
        """(kind, group, term) of every parameter."""
        return tuple((one.kind, one.group, one.term) for one in self.named)

    @property
    def theta(self) -> Floats:
        """s × K, as lme4 orders them."""
        return many_thetas(self.optima.theta, self.layout, self.scales).T

    @property
    def sigma(self) -> Floats:
        """Ones: these families have no dispersion."""
        return np.ones(len(self.replicates))

    @property
    def loglik(self) -> Floats:
        """s log-likelihoods."""
        return -0.5 * self.optima.deviance

    @property
    def converged(self) -> NDArray[np.bool_]:
        """All of them."""
        return np.ones(len(self.replicates), dtype=bool)

    @property
    def singular(self) -> NDArray[np.bool_]:
        """s booleans."""
        return many_singular(self.optima.theta, self.layout, FLAT)

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        """z tests and intervals of the p fixed effects: s × p arrays."""
        check_normal(ddf)
        t = self.scales.fixed
        variance = np.einsum("cpm,pqm,cqm->cm", t, self.optima.covariance, t)
        estimate = self.scales.fixef(self.optima.beta)
        return t_estimates(estimate.T, np.sqrt(variance).T, np.full(estimate.T.shape, np.inf), level)

    def parameters(self, ddf: Ddf, level: float) -> Estimates:
        """The same, and estimates alone of standard deviations and correlations: s × m arrays."""
        fixed = self.coefficients(ddf, level)
        varying = [one for one in self.named if one.kind != "fixed"]
        rest = Estimates.empty(len(self.replicates), len(varying))
        rest.estimate[:] = self._varying(varying)
        return Estimates.beside(fixed, rest)

    def _varying(self, parameters: Sequence[Parameter]) -> Floats:
        """`parameters.values_of`, for all replicates: s × m."""
        halves = self.scales.halves(self.optima.theta, self.layout)
        out = np.empty((len(self.replicates), len(parameters)))
        for k, one in enumerate(parameters):
            rows = halves[one.factor][list(one.effects)]
            lengths = np.sqrt((rows**2).sum(axis=1))
            if one.kind == "sd":
                out[:, k] = lengths[0]
                continue
            zero = lengths.min(axis=0) <= _NONE * lengths.max(axis=0)
            product = np.where(zero, 1.0, lengths[0] * lengths[1])
            r = np.clip((rows[0] * rows[1]).sum(axis=0) / product, -1.0, 1.0)
            out[:, k] = np.where(zero, np.nan, r)
        return out


def check_normal(ddf: Ddf) -> None:
    """Raise `MixedsimError` for Kenward and Roger's method, which is one of linear models."""
    if ddf == "kenward-roger":
        raise MixedsimError(
            "ddf='kenward-roger' is for linear models: tests of a generalised model are Wald's, leave ddf out."
        )
