"""From cross-products in provisional units to those in standard units, with the way back to the units of the data.

What `mixedsim.scaling` does with columns is done here with their sums. A column counts as dependent where less than
3e-7 of its length is left beside the earlier ones (1e-7 where the rows can be asked).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine.cross_products import CrossBlocks, CrossProducts
from mixedsim.scaling import SUSPECT

Floats = NDArray[np.float64]
_DEPENDENT = 1e-13  # squared: what rounding leaves of a dependent column in a sum of squares


@dataclass(frozen=True, eq=False)
class Units:
    """Columns X in some units as columns in others.

    Attributes
    ----------
    kept, dropped : positions of the columns that stay, and of those that depend linearly on earlier ones.
    matrix : p × k with X̃ = X B.
    mix : p × p that makes nearly dependent columns orthogonal, or None where they are far from it.
    """

    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    matrix: Floats
    mix: Floats | None


def fixed_units(gram: Floats, n: int, intercept: int | None, constant: Sequence[bool]) -> Units:
    """Return standard units for fixed columns from their Gram matrix.

    Parameters
    ----------
    gram : (1 + p) × (1 + p), ``[1 X]'[1 X]`` of n rows.
    intercept : position of the intercept in X, or None; the other columns are centred where there is one.
    constant : for each column, whether it is the same in all rows.
    """
    p = len(gram) - 1
    means = gram[0, 1:] / n if intercept is not None else np.zeros(p)
    spread = gram[1:, 1:] / n - np.outer(means, means)
    if intercept is not None:
        spread[intercept, :] = spread[:, intercept] = 0.0
        spread[intercept, intercept] = 1.0
        means[intercept] = 0.0
    size = np.diag(spread)
    usable = [j for j in range(p) if j == intercept or (not constant[j] and size[j] > 0)]
    scales = np.ones(p)
    scales[usable] = np.sqrt(size[usable])
    correlation = spread / np.outer(scales, scales)
    order = sorted(usable, key=lambda j: j != intercept)  # never drop the intercept for a predictor's sake
    kept, mix, smallest = _sorted_out(correlation, order)
    dropped = tuple(j for j in range(p) if j not in kept)
    standard = np.diag(1.0 / scales)
    if intercept is not None:
        others = [j for j in range(p) if j != intercept]
        standard[intercept, others] = -means[others] / scales[others]
    nearly = smallest < SUSPECT
    return Units(tuple(sorted(kept)), dropped, standard[:, sorted(kept)], standard @ mix if nearly else None)


def _sorted_out(correlation: Floats, order: Sequence[int]) -> tuple[list[int], Floats, float]:
    """Columns that do not depend on earlier ones, what makes them orthogonal, and the least that is a column's own."""
    p = len(correlation)
    mix = np.eye(p)
    kept: list[int] = []
    smallest = 1.0
    for j in order:
        b = np.linalg.solve(correlation[np.ix_(kept, kept)], correlation[kept, j]) if kept else np.empty(0)
        own = float(correlation[j, j] - correlation[kept, j] @ b)
        if own <= _DEPENDENT * correlation[j, j]:
            continue
        smallest = min(smallest, own)
        mix[kept, j] = -b
        kept.append(j)
    return kept, mix, smallest


def first_dependent(gram: Floats, names: Sequence[str]) -> int | None:
    """The first column that depends linearly on the others before it, or is zero, by its q × q Gram matrix."""
    size = np.diag(gram)
    scales = np.sqrt(np.where(size > 0, size, 1.0))
    order = sorted(range(len(names)), key=lambda j: names[j] != "Intercept")
    kept, _, _ = _sorted_out(gram / np.outer(scales, scales), [j for j in order if size[j] > 0])
    return min(set(range(len(names))) - set(kept), default=None)


def term_units(gram: Floats, n: int, intercept: int | None, unit: float) -> Floats:
    """``T_z`` of one random term from the q × q Gram matrix of its columns."""
    q = len(gram)
    transform = np.eye(q)
    for j in range(q):
        if j == intercept:
            continue
        mean = gram[intercept, j] / n if intercept is not None else 0.0
        size = gram[j, j] / n - mean**2
        if size <= 0:
            continue
        transform[j, j] = 1.0 / np.sqrt(size)
        if intercept is not None:
            transform[intercept, j] = -mean * transform[j, j]
    return transform * unit


def in_units(cp: CrossProducts, fixed: Floats, varying: Sequence[Floats], shift: Floats, scale: float) -> CrossProducts:
    """Cross-products of ``X B``, ``Z T_f`` and ``(y − X m) / s``.

    Parameters
    ----------
    cp : of X, Z and y.
    fixed, varying : B (p × k), and T_f (q_f × q_f) for each factor.
    shift, scale : m (p values) and s.
    """
    xy = (cp.xy - (cp.xx @ shift)[:, None]) / scale
    yy = (cp.yy - 2.0 * shift @ cp.xy + shift @ cp.xx @ shift) / scale**2
    zy = [(zy - (zx @ shift)[:, :, None]) / scale for zx, zy in zip(cp.zx, cp.zy, strict=True)]
    return replace(
        cp,
        zz=tuple(t.T @ zz @ t for zz, t in zip(cp.zz, varying, strict=True)),
        cross={
            (f, g): CrossBlocks(own.left, own.right, varying[f].T @ own.blocks @ varying[g])
            for (f, g), own in cp.cross.items()
        },
        zx=tuple(t.T @ zx @ fixed for zx, t in zip(cp.zx, varying, strict=True)),
        zy=tuple(t.T @ own for own, t in zip(zy, varying, strict=True)),
        xx=fixed.T @ cp.xx @ fixed,
        xy=fixed.T @ xy,
        yy=yy,
    )


def taken(cp: CrossProducts, f: int, where: NDArray[np.intp]) -> CrossProducts:
    """The same with those of factor f's levels alone that stand at `where`, in that order; the others have no rows."""
    zz, zx, zy = list(cp.zz), list(cp.zx), list(cp.zy)
    for blocks in (zz, zx, zy):
        blocks[f] = blocks[f][where]
    place = np.full(len(cp.zz[f]), -1, dtype=np.intp)
    place[where] = np.arange(len(where))
    cross = dict(cp.cross)
    for (left, right), own in cp.cross.items():
        if f in (left, right):
            moved = (place[own.left], own.right) if f == left else (own.left, place[own.right])
            order = np.lexsort(moved[::-1])
            cross[left, right] = CrossBlocks(moved[0][order], moved[1][order], own.blocks[order])
    return replace(cp, zz=tuple(zz), zx=tuple(zx), zy=tuple(zy), cross=cross)


def reordered(cp: CrossProducts, order: Sequence[int]) -> CrossProducts:
    """The same with the factors in another order."""
    cross = {}
    for new_g, g in enumerate(order):
        for new_f, f in enumerate(order[:new_g]):
            own = cp.cross[min(f, g), max(f, g)]
            cross[new_f, new_g] = own if f < g else _turned(own)
    return replace(
        cp, zz=tuple(cp.zz[f] for f in order), zx=tuple(cp.zx[f] for f in order), zy=tuple(cp.zy[f] for f in order),
        cross=cross,
    )  # fmt: skip


def _turned(own: CrossBlocks) -> CrossBlocks:
    where = np.lexsort((own.left, own.right))
    return CrossBlocks(own.right[where], own.left[where], np.swapaxes(own.blocks[where], 1, 2))
