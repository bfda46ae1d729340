"""Where the effects of all factors stand in one vector, and sums over levels of what stands there.

An *element* is one place of one Σ_f: a factor f with two of its effects, (a, b). All elements of all factors in a row,
E = Σ_f q_f² of them, turn what the likelihood needs of Z'V⁻¹Z into sums that know nothing of factors or levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Elements:
    """The Q effects of F factors side by side: factor by factor, level by level, effect by effect.

    Parameters
    ----------
    shapes : levels and effects (J_f, q_f) of every factor.

    Attributes
    ----------
    size : Q = Σ_f J_f q_f.
    parts : for each factor where its effects stand.
    places : for each factor which elements are its own.
    single : whether every factor has one effect; its elements are then the factors.
    """

    def __init__(self, shapes: Sequence[tuple[int, int]]) -> None:
        self.shapes = list(shapes)
        ends = np.cumsum([j * q for j, q in self.shapes]).tolist()
        self.size = int(ends[-1])
        self.parts = [slice(end - j * q, end) for end, (j, q) in zip(ends, self.shapes, strict=True)]
        self.single = all(q == 1 for _, q in self.shapes)
        places = np.cumsum([0, *(q * q for _, q in self.shapes)]).tolist()
        self.places = [slice(a, b) for a, b in pairwise(places)]
        counts = [j for j, q in self.shapes for _ in range(q * q)]
        # one line for each element and level: first and second effect, and (as a column of 0 and 1) whose line it is
        self.first, self.second = self._lines()
        self.member = np.repeat(np.eye(len(counts)), counts, axis=0)
        # where in a Q × Q matrix the first effect of one line (column) meets the second of another (row)
        self.meet = self.first if self.single else self.second[:, None] * self.size + self.first

    def _lines(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """First and second effect of every line."""
        if self.single:
            return np.arange(self.size), np.arange(self.size)
        first, second = [], []
        for part, (j, q) in zip(self.parts, self.shapes, strict=True):
            level = part.start + q * np.arange(j)
            one, other = np.divmod(np.arange(q * q)[:, None], q)
            first.append((one + level).reshape(-1))
            second.append((other + level).reshape(-1))
        return np.concatenate(first), np.concatenate(second)

    def joined(self, vectors: Sequence[Floats]) -> Floats:
        """Vectors given as J_f × q_f × K in one array, Q × K."""
        return np.concatenate([v.reshape(-1, v.shape[2]) for v in vectors])

    def split(self, joined: Floats) -> list[Floats]:
        """The inverse of `joined`."""
        return [joined[part].reshape(j, q, -1) for part, (j, q) in zip(self.parts, self.shapes, strict=True)]

    def spread(self, matrices: Sequence[Floats]) -> Floats:
        """One matrix a factor, repeated for its levels: Q × Q, or the Q values of its diagonal where all are 1 × 1."""
        lines = self.member @ np.concatenate([m.reshape(-1) for m in matrices])
        if self.single:
            return np.asarray(lines)
        out = np.zeros((self.size, self.size))
        out[self.first, self.second] = lines
        return out

    def aligned(self, directions: Sequence[Floats]) -> Floats:
        """Directions of every Σ_f, K_f × q_f × q_f each, as rows of numbers by element: K × E."""
        out = np.zeros((sum(map(len, directions)), self.places[-1].stop))
        begin = 0
        for place, own in zip(self.places, directions, strict=True):
            out[begin : begin + len(own), place] = own.reshape(len(own), -1)
            begin += len(own)
        return out

    def diagonal_sums(self, matrix: Floats) -> list[Floats]:
        """``Σ_j matrix_jj`` over the levels of each factor: symmetric q_f × q_f for a symmetric Q × Q matrix."""
        sums = (matrix.diagonal() if self.single else matrix[self.first, self.second]) @ self.member
        return [sums[place].reshape(q, q) for place, (_, q) in zip(self.places, self.shapes, strict=True)]

    def diagonal_blocks(self, matrix: Floats) -> list[Floats]:
        """``matrix_jj`` of every level of each factor: J_f × q_f × q_f."""
        out = []
        for part, (j, q) in zip(self.parts, self.shapes, strict=True):
            own = matrix[part, part].reshape(j, q, j, q)
            out.append(own[np.arange(j), :, np.arange(j), :])
        return out

    def pair_sums(self, a: Floats, b: Floats) -> Floats:
        """T, E × E, with ``u'Tv = Σ_ij tr(U a_ij V b_ji)`` over all pairs of levels, for U, V given by element.

        `a` and `b` are symmetric, Q × Q.
        """
        products = a * b if self.single else a.take(self.meet) * b.take(self.meet).T
        return np.asarray(self.member.T @ products @ self.member)

    def outer_sums(self, rows: Floats) -> Floats:
        """``Σ_j rows_ja rows_jb'`` of every element (a, b): E × c² for rows of c numbers, Q × c."""
        one, other = (rows, rows) if self.single else (rows[self.first], rows[self.second])
        products = one[:, :, None] * other[:, None, :]
        return np.asarray(self.member.T @ products.reshape(len(products), -1))
