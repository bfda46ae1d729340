"""Which shape the factorisation takes, decided once from the pattern of the data.

All shapes answer the same questions (`Absorbed`), so that the objective hardly ever asks which one it has:

* `dense.DenseBlocks`: several factors with a handful of effects in all are one dense matrix.
* `nested.NestedBlocks`: one factor, or several that nest. Every block is block-diagonal over levels; nothing fills in.
* `crossed.CrossedBlocks`: the factor with most effects is block-diagonal, all others form one dense Schur complement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.cross_products import CrossBlocks, CrossProducts
from mixedsim.engine.crossed import CrossedBlocks
from mixedsim.engine.dense import DenseBlocks, fits
from mixedsim.engine.nested import NestedBlocks

Floats = NDArray[np.float64]


class Absorbed(Protocol):
    """All random effects absorbed at one Λ: the metric is now ``V⁻¹ = (I + ZΛΛ'Z')⁻¹``.

    Lists have one entry a factor, in the order of the cross-products.
    """

    logdet: float
    """log|V| = log|M|."""
    ww: Floats
    """``[X y]'V⁻¹[X y]``, (p + 1) × (p + 1)."""

    def scores(self, ww_bar: Floats) -> list[Floats]:
        """``∂(log|V| + Σ ww_bar·ww)/∂Σ_f``, symmetric q_f × q_f each; ``ww_bar`` is symmetric."""
        ...

    def modes(self, contrasts: Floats) -> list[Floats]:
        """``ΛΛ'Z'V⁻¹[X y]C`` for the m columns of C, (p + 1) × m: J_f × q_f × m each."""
        ...

    def draw(self, contrast: Floats, rng: np.random.Generator) -> list[Floats]:
        """One draw of the random effects given data, β and Λ (σ = 1): ``modes`` at the contrast plus their noise.

        The noise has the joint covariance ``ΛM⁻¹Λ'``; to use it with another σ, give ``contrast / σ`` and multiply.
        """
        ...

    def covariances(self) -> list[Floats]:
        """Diagonal blocks of ``ΛM⁻¹Λ'``, the conditional covariance of the effects over σ²: J_f × q_f × q_f."""
        ...

    def inner(self, vectors: list[Floats]) -> tuple[Floats, Floats]:
        """``V'Z'V⁻¹ZV`` and ``[X y]'V⁻¹ZV`` for K columns V given as J_f × q_f × K."""
        ...


class Blocks(Protocol):
    """Cross-products laid out for elimination."""

    dense_size: int
    """Rows of the largest dense matrix that is factorised; 0 where everything is block-diagonal."""

    def absorb(self, lambdas: Sequence[Floats]) -> Absorbed:
        """Absorb all random effects at the given Λ."""
        ...

    def times_zz(self, vectors: list[Floats]) -> list[Floats]:
        """``Z'Z v`` for vectors given as J_f × q_f × K."""
        ...


def arrange(cp: CrossProducts) -> Blocks:
    """The blocks for these cross-products: dense where they are few, else nested where they nest, else crossed.

    `cp` holds one response.
    """
    if len(cp.zz) > 1 and fits(cp):
        return DenseBlocks(cp)
    return nested(cp) or crossed(cp)


def nested(cp: CrossProducts) -> NestedBlocks | None:
    """The nested shape, however few effects there are; None where some factors cross."""
    order = sorted(range(len(cp.zz)), key=lambda f: -cp.zz[f].shape[0])
    pairs = {(a, b): _oriented(cp, a, b) for k, a in enumerate(order) for b in order[k + 1 :]}
    if any(_parent(pair, cp.zz[a].shape[0]) is None for (a, _), pair in pairs.items()):
        return None
    return NestedBlocks(cp, order, pairs)


def crossed(cp: CrossProducts) -> CrossedBlocks:
    """The crossed shape, whatever the pattern of two factors or more."""
    largest = max(range(len(cp.zz)), key=lambda f: cp.zz[f].shape[0] * cp.zz[f].shape[1])
    rest = [f for f in range(len(cp.zz)) if f != largest]
    pairs = {(f, g): _oriented(cp, f, g) for f in range(len(cp.zz)) for g in range(len(cp.zz)) if f != g}
    return CrossedBlocks(cp, largest, rest, pairs)


def _oriented(cp: CrossProducts, f: int, g: int) -> CrossBlocks:
    """Pair blocks with factor `f` on the left, sorted by its levels."""
    if f < g:
        return cp.cross[f, g]
    block = cp.cross[g, f]
    by_left = np.lexsort((block.left, block.right))
    return CrossBlocks(block.right[by_left], block.left[by_left], block.blocks[by_left].transpose(0, 2, 1))


def _parent(block: CrossBlocks, levels: int) -> NDArray[np.intp] | None:
    """The one level on the right that each level on the left occurs with; None where some occur with several."""
    if len(block.left) == levels and np.array_equal(block.left, np.arange(levels)):
        return block.right
    return None
