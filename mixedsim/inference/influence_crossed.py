"""What the rows of each level tell about the fixed effects where factors cross: no level stands alone.

With S the rows of a level, ``A = (V⁻¹X)_S' [(V⁻¹)_SS]⁻¹ (V⁻¹X)_S`` is what is lost with them: ``X'V⁻¹X`` of the other
rows is W − A, and ``β̂ − β̂_(S) = (W − A)⁻¹ (V⁻¹X)_S' [(V⁻¹)_SS]⁻¹ e_S`` (`influence` has the sources).

``(V⁻¹)_SS`` is ``I − Z_S ΛM⁻¹Λ' Z_S'``. As the fit holds the factorisation (`engine.crossed`), z_i'ΛM⁻¹Λ'z_k is what
rows of one level of the first factor share, plus ``g_i'g_k`` with g_i the row in the coordinates of the dense part.
Levels of like size are treated together. Very large ones are subtracted from the cross-products instead, and what is
left is factorised anew: there that is the cheaper way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import block_diag

from mixedsim.engine import Grouping, Objective, Profile, cross_products
from mixedsim.engine.cross_products import CrossBlocks, CrossProducts
from mixedsim.engine.crossed import CrossedAbsorbed
from mixedsim.engine.dense import DenseAbsorbed
from mixedsim.engine.structure import arrange
from mixedsim.inference.whitened import Codes, Whitened, side_by_side

Floats = NDArray[np.float64]
_LARGE = 500  # rows of a level, beyond which a factorisation of the rest costs less than one of its rows
_CELLS = 2e7  # numbers in one block of coordinates


def crossed_information(
    objective: Objective, at: Profile, rows: Whitened, factor: int, left: Floats
) -> tuple[Floats, Floats]:
    """Return A, k × p × p, and ``(V⁻¹X)_S' [(V⁻¹)_SS]⁻¹ e_S``, k × p, for the k levels of a factor.

    Parameters
    ----------
    objective, at, rows : as in `influence.row_influence`.
    factor : the number of the factor.
    left : ``V⁻¹X``, n × p.
    """
    codes = rows.codes[factor]
    levels, p = objective.cp.zz[factor].shape[0], objective.cp.p
    told, pull = np.zeros((levels, p, p)), np.zeros((levels, p))
    count = np.bincount(codes, minlength=levels)
    by_level = np.argsort(codes, kind="stable")
    begin = np.cumsum(count) - count
    space = _coordinates(objective, at, rows)
    right = np.column_stack([left, rows.residual])
    for some in _alike(count, space.width):
        size = int(count[some].max())
        place = begin[some, None] + np.arange(size)
        there = np.arange(size) < count[some, None]
        at_rows = by_level[np.where(there, place, 0)]
        inverse = np.eye(size) - space.shared(at_rows, there)
        mine = np.where(there[:, :, None], right[at_rows], 0.0)
        solved = np.linalg.solve(inverse, mine)
        both = mine.transpose(0, 2, 1) @ solved
        told[some], pull[some] = both[:, :p, :p], both[:, :p, p]
    for level in np.flatnonzero(count > _LARGE):
        mine = by_level[begin[level] : begin[level] + count[level]]
        told[level], pull[level] = _by_factorising(objective, at, rows, mine)
    return 0.5 * (told + told.transpose(0, 2, 1)), pull


def _alike(count: NDArray[np.intp], width: int) -> Iterator[NDArray[np.intp]]:
    """Levels of similar size, as many as fit into one block."""
    order = np.argsort(count, kind="stable")
    order = order[(count[order] > 0) & (count[order] <= _LARGE)]
    done = 0
    while done < len(order):
        # sizes rise: the last of the block decides how much room each level takes
        size = count[order[done:]].astype(float)
        room = (np.arange(len(size)) + 1) * size * (width + size)
        padded = size <= 1.25 * size[0] + 4
        take = max(1, int(np.count_nonzero((room <= _CELLS) & padded)))
        yield order[done : done + take]
        done += take


@dataclass(frozen=True, eq=False)
class _Coordinates:
    """Rows in coordinates in which ``z_i'ΛM⁻¹Λ'z_k = g_i'g_k``, plus what rows of one level of the first factor share.

    Attributes
    ----------
    places : n × m sparse, and ``half`` m × m, with ``g = half · places``.
    first, first_k, first_codes : of the factor that is absorbed level by level: z, z'K and levels; empty if none is.
    """

    places: sparse.csr_array
    half: Floats
    first: Floats
    first_k: Floats
    first_codes: Codes

    @property
    def width(self) -> int:
        """m."""
        return len(self.half)

    def shared(self, rows: NDArray[np.intp], there: NDArray[np.bool_]) -> Floats:
        """``z_i'ΛM⁻¹Λ'z_k`` for the rows of each of b levels: b × r × r; 0 where there is no row."""
        shape = rows.shape
        g = np.asarray(self.places[rows.ravel()] @ self.half.T).reshape(*shape, -1)
        g[~there] = 0.0
        out = g @ g.transpose(0, 2, 1)
        if len(self.first_codes):
            levels = np.where(there, self.first_codes[rows], -1)
            alike = (levels[:, :, None] == levels[:, None, :]) & there[:, :, None] & there[:, None, :]
            out += np.where(alike, self.first_k[rows] @ self.first[rows].transpose(0, 2, 1), 0.0)
        return np.asarray(out)


def _coordinates(objective: Objective, at: Profile, rows: Whitened) -> _Coordinates:
    absorbed = at.absorbed
    none = np.empty((0, 0)), np.empty((0, 0)), np.empty(0, dtype=np.intp)
    if isinstance(absorbed, DenseAbsorbed):
        return _Coordinates(_sparse(rows, list(range(len(rows.z))), objective), absorbed.half_k, *none)
    assert isinstance(absorbed, CrossedAbsorbed)
    blocks = absorbed.blocks
    lambdas = objective.layout.lambdas(at.theta)
    lam = block_diag(*(np.kron(np.eye(j), lambdas[f]) for f, (j, _) in zip(blocks.rest, blocks.shapes, strict=True)))
    first, codes = rows.z[blocks.first], rows.codes[blocks.first]
    first_k = np.einsum("na,nab->nb", first, absorbed.k[codes])
    beside = side_by_side(first_k, codes, len(absorbed.k)) @ blocks.a_1r
    places = sparse.csr_array(_sparse(rows, blocks.rest, objective) - sparse.csr_array(beside))
    return _Coordinates(places, absorbed.root_solve(lam.T), first, first_k, codes)


def _sparse(rows: Whitened, factors: list[int], objective: Objective) -> sparse.csr_array:
    """The effects of these factors side by side, n × m."""
    parts = [side_by_side(rows.z[f], rows.codes[f], objective.cp.zz[f].shape[0]) for f in factors]
    return sparse.csr_array(sparse.hstack(parts))


def _by_factorising(objective: Objective, at: Profile, rows: Whitened, some: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """A and the pull of one level, from what the cross-products of all other rows say."""
    groups = [
        Grouping(codes[some], cp_zz.shape[0], tuple(z[some].T))
        for z, codes, cp_zz in zip(rows.z, rows.codes, objective.cp.zz, strict=True)
    ]
    # the residual itself stands for y: without these rows β̂ is off by what they pulled
    cp = cross_products(groups, list(rows.x[some].T), _response(at, rows)[some])
    absorbed = arrange(_less(objective.cp, cp)).absorb(objective.layout.lambdas(at.theta))
    p = len(at.beta)
    w = absorbed.ww[:p, :p]
    return np.linalg.inv(at.w_inverse) - w, w @ at.beta - absorbed.ww[:p, p]


def _response(at: Profile, rows: Whitened) -> Floats:
    """y, put together again from residual, modes and fixed part."""
    y = rows.residual + rows.x @ at.beta
    for z, codes, modes in zip(rows.z, rows.codes, at.absorbed.modes(at.contrast[:, None]), strict=True):
        y += np.einsum("nq,nq->n", z, modes[codes, :, 0])
    return y


def _less(one: CrossProducts, other: CrossProducts) -> CrossProducts:
    """Cross-products of the rows of `one` that are not in `other`."""
    minus = replace(
        other, zz=tuple(-a for a in other.zz), zx=tuple(-a for a in other.zx), zy=tuple(-a for a in other.zy),
        cross={key: CrossBlocks(b.left, b.right, -b.blocks) for key, b in other.cross.items()},
        xx=-other.xx, xy=-other.xy, yy=-other.yy, n=-other.n,
    )  # fmt: skip
    return one + minus
