"""From cross-products of many replicates to their optima, a portion at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.batch import newton
from mixedsim.engine.batch_cells import OneFactor
from mixedsim.engine.batch_dense import Dense
from mixedsim.engine.batch_dense_products import DenseProducts, dense_starts
from mixedsim.engine.batch_products import ManyProducts
from mixedsim.engine.batch_start import many_starts
from mixedsim.engine.covariance import Layout
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.optimise import Control
from mixedsim.engine.threads import threads_for

Floats = NDArray[np.float64]
Products = ManyProducts | DenseProducts
_CHUNK = 300_000  # numbers in the largest array: what a processor's cache holds
_DENSE = 100  # random effects of several factors beyond which one by one is as fast


@dataclass(frozen=True, eq=False)
class ManyOptima:
    """Optima of r replicates, standardised (replicates on the last axis).

    Attributes
    ----------
    theta, beta, r2, deviance : K × r, p × r, r, r.
    settled : those that are at a minimum; θ of the others is a place to begin.
    """

    theta: Floats
    beta: Floats
    r2: Floats
    deviance: Floats
    settled: NDArray[np.bool_]

    def take(self, which: NDArray[np.intp]) -> ManyOptima:
        """Those of some replicates."""
        return ManyOptima(*(getattr(self, name)[..., which] for name in ManyOptima.__annotations__))


def minimise_many(products: Products, layout: Layout, reml: bool, control: Control) -> ManyOptima:
    """Return the optima of all replicates that Newton's method settles in company."""
    parts = []
    with threads_for(0):
        for part in portions(products):
            parts.append(newton(objective_of(part, layout, reml), starts(part, layout), control))
    return ManyOptima(*(np.concatenate([getattr(p, n) for p in parts], axis=-1) for n in ManyOptima.__annotations__))


def products_of(cp: CrossProducts) -> Products:
    """The cross-products of many responses on one design, as the batch wants them."""
    return ManyProducts.of(cp) if len(cp.zz) == 1 else DenseProducts.of(cp)


def portions(products: Products) -> Iterator[Products]:
    """The replicates in portions that the cache holds."""
    size = max(1, _CHUNK // products.size)
    return (products.take(slice(k, k + size)) for k in range(0, products.replicates, size))


def objective_of(products: Products, layout: Layout, reml: bool) -> OneFactor | Dense:
    """The deviance of these replicates."""
    if isinstance(products, DenseProducts):
        return Dense(products, layout, reml)
    return OneFactor(products.cells(), layout, reml)


def worth_it(products: Products) -> bool:
    """Whether there are enough replicates for company to cost less than going one by one."""
    return products.replicates >= (Dense.company if isinstance(products, DenseProducts) else OneFactor.company)


def starts(products: Products, layout: Layout) -> Floats:
    """Where the search for θ begins: K × r."""
    if isinstance(products, DenseProducts):
        return dense_starts(products, layout)
    return many_starts(products, layout)


def takes(layout: Layout, control: Control) -> bool:
    """Whether the batch knows this model and this way of optimising."""
    effects = sum(shape.levels * shape.effects for shape in layout.factors)
    return (len(layout.factors) == 1 or effects <= _DENSE) and takes_control(control)


def takes_control(control: Control) -> bool:
    """Whether the batch optimises in this way: by Newton's method, from its own start, to the end."""
    return control.optimizer == "newton" and control.max_iterations is None and control.start is None
