"""A handful of crossed effects: all of them in one dense matrix, in as few steps as there are.

With Q effects in all, few enough that a product of Q × Q matrices takes no longer than calling it, nothing is gained by
elimination factor by factor. ``Λ'Z'ZΛ + I = LL'`` and ``R = L⁻¹Λ'`` give the cross-products of everything with
everything in the metric of V⁻¹ at one stroke:

    [Z X y]'V⁻¹[Z X y] = [Z X y]'[Z X y] − half'half,    half = R [Z'Z Z'X Z'y]

of which all else is a part, a sum or a product. Z'V⁻¹Z being at hand, second derivatives are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.elements import Elements

Floats = NDArray[np.float64]
_ONE_THREAD = 2**18  # multiplications in one product, up to which OpenBLAS does not share it out


def fits(cp: CrossProducts) -> bool:
    """Whether every product of `DenseBlocks` is that small; about there the other shapes become the faster ones."""
    return have_room([zz.shape[:2] for zz in cp.zz], cp.p)


def have_room(shapes: Sequence[tuple[int, int]], p: int) -> bool:
    """The same for factors of so many levels and effects, and p fixed effects."""
    effects = sum(j * q for j, q in shapes)
    lines = sum(j * q * q for j, q in shapes)  # of `Elements`
    elements = sum(q * q for _, q in shapes)
    w = p + 1
    most = max(effects * (effects + w) ** 2, elements * lines**2, elements * lines * w**2)
    return bool(most <= _ONE_THREAD)


class DenseBlocks:
    """Cross-products as one symmetric matrix, (Q + p + 1) × (Q + p + 1): all effects, factor by factor, then X and y.

    Parameters
    ----------
    cp : cross-products with one response.
    """

    def __init__(self, cp: CrossProducts) -> None:
        self.elements = Elements([zz.shape[:2] for zz in cp.zz])
        self.size = self.dense_size = self.elements.size
        self.full = _assembled(cp, self.elements)
        self.beside = np.ascontiguousarray(self.full[: self.size])
        self.zz = np.ascontiguousarray(self.full[: self.size, : self.size])
        self.eye = np.eye(self.size)

    def absorb(self, lambdas: Sequence[Floats]) -> DenseAbsorbed:
        """Absorb all random effects at the given Λ."""
        return DenseAbsorbed(self, lambdas)

    def times_zz(self, vectors: list[Floats]) -> list[Floats]:
        """``Z'Z v``: one product."""
        return self.elements.split(self.zz @ self.elements.joined(vectors))


class DenseAbsorbed:
    """See `structure.Absorbed`.

    Attributes
    ----------
    zz, zw : ``Z'V⁻¹Z``, Q × Q, and ``Z'V⁻¹[X y]``, Q × (p + 1).
    """

    def __init__(self, blocks: DenseBlocks, lambdas: Sequence[Floats]) -> None:
        self.blocks = blocks
        size = blocks.size
        lam = blocks.elements.spread(lambdas)
        simple = lam.ndim == 1  # Λ is diagonal
        m = (lam[:, None] * blocks.zz * lam if simple else lam.T @ blocks.zz @ lam) + blocks.eye
        # LAPACK itself: NumPy's wrappers take longer than the work. m is symmetric, so its C-ordered rows are LAPACK's
        # columns; OpenBLAS shares out a trtrs or potri of any size, a potrf or trtri of this size not
        root, failed = lapack.dpotrf(m.T, lower=1, overwrite_a=1, clean=1)
        if failed:
            raise np.linalg.LinAlgError("Λ'Z'ZΛ + I is not positive definite")
        inverse, _ = lapack.dtrtri(root, lower=1)
        self.half_k = inverse * lam if simple else inverse @ lam.T
        half = self.half_k @ blocks.beside
        reduced = blocks.full - half.T @ half
        self.half_c = half[:, size:]
        self.zz, self.zw, self.ww = reduced[:size, :size], reduced[:size, size:], reduced[size:, size:]
        self.logdet = 2.0 * float(np.log(root.diagonal()).sum())

    def scores(self, ww_bar: Floats) -> list[Floats]:
        """``Σ_j (Z'V⁻¹Z − Z'V⁻¹[X y] ww_bar [X y]'V⁻¹Z)_jj``."""
        return self.blocks.elements.diagonal_sums(self.zz - (self.zw @ ww_bar) @ self.zw.T)

    def modes(self, contrasts: Floats) -> list[Floats]:
        """``ΛM⁻¹Λ'Z'[X y]C``."""
        return self.blocks.elements.split(self.half_k.T @ (self.half_c @ contrasts))

    def draw(self, contrast: Floats, rng: np.random.Generator) -> list[Floats]:
        """``R'(half_c c + z)``, with z standard normal: R'R is the covariance."""
        white = rng.standard_normal(self.blocks.size)
        drawn = self.half_k.T @ (self.half_c @ contrast + white)
        return [own[:, :, 0] for own in self.blocks.elements.split(drawn[:, None])]

    def covariances(self) -> list[Floats]:
        """Blocks of ``R'R``."""
        return self.blocks.elements.diagonal_blocks(self.half_k.T @ self.half_k)

    def inner(self, vectors: list[Floats]) -> tuple[Floats, Floats]:
        """Two products."""
        v = self.blocks.elements.joined(vectors)
        return v.T @ self.zz @ v, self.zw.T @ v

    def curvature(
        self, directions: Sequence[Floats], contrast: Floats, w_inverse: Floats, weight: float, r2: float, reml: bool
    ) -> Floats:
        """Second derivatives of the deviance by Σ in the given directions, K × K, as for one factor (`objective`).

        Parameters
        ----------
        directions : for each factor K_f × q_f × q_f.
        contrast, w_inverse, r2 : of the profile; ``weight = ν/r²``.
        reml : whether log|X'V⁻¹X| is part of the deviance.
        """
        p = len(w_inverse)
        elements = self.blocks.elements
        along = elements.aligned(directions)
        ww_bar = weight * (contrast[:, None] * contrast)
        if reml:
            ww_bar[:p, :p] += w_inverse
        inner = 2.0 * ((self.zw @ ww_bar) @ self.zw.T) - self.zz
        hessian = along @ elements.pair_sums(self.zz, inner) @ along.T
        # [X y]'V⁻¹ ∂V V⁻¹[X y] in every direction: −∂ww
        moved = (along @ elements.outer_sums(self.zw)).reshape(-1, p + 1, p + 1)
        a = moved @ contrast
        s = a @ contrast
        hessian -= (weight / r2) * (s[:, None] * s)
        if p:
            hessian -= (2.0 * weight) * (a[:, :p] @ w_inverse @ a[:, :p].T)
            if reml:
                cw = w_inverse @ moved[:, :p, :p]
                hessian -= cw.reshape(len(cw), -1) @ cw.transpose(0, 2, 1).reshape(len(cw), -1).T
        return np.asarray(hessian)


def _assembled(cp: CrossProducts, elements: Elements) -> Floats:
    """``[Z X y]'[Z X y]``."""
    size, p = elements.size, cp.p
    full = np.zeros((size + p + 1, size + p + 1))
    for f, (part, (j, q)) in enumerate(zip(elements.parts, elements.shapes, strict=True)):
        own = full[part, part].reshape(j, q, j, q)
        own[np.arange(j), :, np.arange(j), :] = cp.zz[f]
        full[part, size : size + p] = cp.zx[f].reshape(j * q, p)
        full[part, size + p] = cp.zy[f].reshape(j * q)
    for (f, g), block in cp.cross.items():
        pair = full[elements.parts[f], elements.parts[g]]
        _, qf, qg = block.blocks.shape
        rows = block.left[:, None, None] * qf + np.arange(qf)[:, None]
        pair[rows, block.right[:, None, None] * qg + np.arange(qg)] = block.blocks
        full[elements.parts[g], elements.parts[f]] = pair.T
    full[size:, :size] = full[:size, size:].T
    full[size:-1, size:-1], full[size:-1, -1:], full[-1:, size:-1], full[-1, -1] = cp.xx, cp.xy, cp.xy.T, cp.yy[0]
    return full
