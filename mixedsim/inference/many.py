"""Many replicates of one model, fitted together: their estimates, tests and intervals in the units of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mixedsim.engine import Layout
from mixedsim.engine.batch_cells import OneFactor
from mixedsim.engine.batch_dense import Dense
from mixedsim.engine.batch_fit import ManyOptima, Products, objective_of, portions
from mixedsim.engine.batch_profiles import Profiles
from mixedsim.engine.threads import threads_for
from mixedsim.errors import MixedsimError
from mixedsim.inference.boundary import FLAT
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.many_estimates import Estimates, t_estimates
from mixedsim.inference.many_kenward_roger import ManyKenwardRoger, Traces
from mixedsim.inference.many_satterthwaite import many_satterthwaite
from mixedsim.inference.many_scales import ManyScales, many_singular, many_thetas
from mixedsim.inference.many_variance import ManyVariances
from mixedsim.inference.many_wald import ManyWald
from mixedsim.inference.parameters import Parameter

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Together:
    """Replicates that were fitted together: s of them, standardised, with the way back.

    Attributes
    ----------
    replicates : their s numbers.
    products, layout, reml : the cross-products and the model.
    optima : where the search ended; all are settled.
    scales, named : the way back to the units of the data, and what the parameters are called.
    """

    replicates: NDArray[np.intp]
    products: Products
    layout: Layout
    reml: bool
    optima: ManyOptima
    scales: ManyScales
    named: tuple[Parameter, ...]

    @cached_property
    def nu(self) -> Floats:
        """n − p of each replicate, or n for maximum likelihood."""
        return self.products.n - (self.products.p if self.reml else 0)

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
        """s residual standard deviations."""
        return np.asarray(self.scales.scale * np.sqrt(self.optima.r2 / self.nu))

    @property
    def loglik(self) -> Floats:
        """s (restricted) log-likelihoods."""
        return -0.5 * (self.optima.deviance + self.scales.deviance_shift(self.nu, self.reml))

    @property
    def converged(self) -> NDArray[np.bool_]:
        """All of them."""
        return np.ones(len(self.replicates), dtype=bool)

    @property
    def singular(self) -> NDArray[np.bool_]:
        """s booleans."""
        return many_singular(self.optima.theta, self.layout, FLAT)

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        """Tests and intervals of the p fixed effects: s × p arrays."""
        if not self.products.p:
            return Estimates.empty(len(self.replicates), 0)
        self._check(ddf)
        parts = [portion.coefficients(ddf, level) for portion in self._portions()]
        return Estimates.below(parts)

    def parameters(self, ddf: Ddf, level: float) -> Estimates:
        """The same and intervals of all variance parameters: s × m arrays."""
        self._check(ddf)
        parts = [portion.parameters(ddf, level, self.named) for portion in self._portions()]
        return Estimates.below(parts)

    def _check(self, ddf: Ddf) -> None:
        if ddf == "kenward-roger" and self.products.p and not self.reml:
            raise MixedsimError("Kenward-Roger's method needs a REML fit: fit the model with reml=True.")

    def _portions(self) -> Iterator[_Inference]:
        start = 0
        with threads_for(0):
            for part in portions(self.products):
                own = slice(start, start + part.replicates)
                start = own.stop
                objective = objective_of(part, self.layout, self.reml)
                yield _Inference(objective, self.optima.theta[:, own], self.scales.take(own))


class _Inference:
    """What follows from the likelihood at the optima of some replicates."""

    def __init__(self, objective: OneFactor | Dense, theta: Floats, scales: ManyScales) -> None:
        self.objective, self.theta, self.scales = objective, theta, scales
        self.at: Profiles = objective.evaluate(theta)

    @cached_property
    def known(self) -> ManyVariances:
        return ManyVariances.of(self.theta, self.at, self.objective.nu)

    def coefficients(self, ddf: Ddf, level: float) -> Estimates:
        scales = self.scales
        tests: dict[str, Callable[[], tuple[Floats, Floats]]] = {
            "wald": self._normal, "satterthwaite": self._satterthwaite, "kenward-roger": self._kenward_roger,
        }  # fmt: skip
        variance, df = tests[ddf]()
        with np.errstate(invalid="ignore"):  # an adjusted variance below zero is none
            se = scales.scale * np.sqrt(variance)
        return t_estimates(scales.fixef(self.at.beta).T, se.T, df.T, level)

    def parameters(self, ddf: Ddf, level: float, parameters: Sequence[Parameter]) -> Estimates:
        wald = ManyWald(self.known, self.objective.layout, self.scales, float(special.ndtri(0.5 + level / 2.0)))
        rest = wald.estimates(parameters)
        return Estimates.beside(self.coefficients(ddf, level), rest) if len(self.at.beta) else rest

    def _normal(self) -> tuple[Floats, Floats]:
        rows = self.scales.fixed
        variance = self.at.r2 / self.objective.nu * np.einsum("cpm,pqm,cqm->cm", rows, self.at.w_inverse, rows)
        return variance, np.full_like(variance, np.inf)

    def _satterthwaite(self) -> tuple[Floats, Floats]:
        return many_satterthwaite(self.at, self.known, self.scales.fixed)

    def _kenward_roger(self) -> tuple[Floats, Floats]:
        traces, ww = Traces.of(self.objective, self.theta)
        method = ManyKenwardRoger.of(traces, self.at, ww, self.objective.rows, self.objective.nu)
        return method.tests(self.scales.fixed)
