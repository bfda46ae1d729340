"""Centre and scale inside, transform back outside.

A slope is the same whether x is counted in seconds or in milliseconds since 1970, but the digits of ``X'X`` are not.
Columns are therefore standardised before cross-products are taken, and every result is carried back exactly:

* fixed effects: ``X̃ = X T`` with T upper triangular, so ``β = T β̃`` and ``log|X̃'V⁻¹X̃| = log|X'V⁻¹X| + 2 log|T|``;
* varying effects: ``Z̃ = Z T_z`` for each term, so ``Σ = T_z Σ̃ T_z'``. A column is centred only where its term has an
  intercept to absorb the shift; a slope without intercept depends on where zero is, and keeps it;
* the response: ``ỹ = (y − m)/s``, centred only where the fixed part has an intercept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Column = Floats | float

# R's lm calls a column dependent when less than 1e-7 of its length is left beside the earlier ones.
_DEPENDENT = 1e-7
SUSPECT = 1e-6  # squared: below this the Gram matrix cannot tell, and the rows are asked


@dataclass(frozen=True, eq=False)
class FixedScaling:
    """Standardised fixed-effect columns and the way back.

    Attributes
    ----------
    columns : p standardised columns.
    kept, dropped : positions of the columns that stay, and of those that depend linearly on earlier ones.
    transform : p × p upper triangular T with ``X̃ = X T``.
    summed : ``X̃'X̃``, p × p, where the columns are not in memory; else None.
    dependent : what the dropped columns are made of, kept × dropped in the units of the data, where columns are not in
        memory; else None.
    """

    columns: tuple[Column, ...]
    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    transform: Floats
    summed: Floats | None = None
    dependent: Floats | None = None

    def squares(self, rows: int) -> Floats:
        """``X̃'X̃`` over the rows, whatever their weights: p × p."""
        if self.summed is not None:
            return self.summed
        x = np.empty((rows, len(self.kept)), order="F")
        for j, column in enumerate(self.columns):
            x[:, j] = column
        return np.asarray(x.T @ x)

    @property
    def log_det(self) -> float:
        """log|T|."""
        return float(np.log(np.abs(np.diag(self.transform))).sum())


@dataclass(frozen=True)
class ResponseScaling:
    """``ỹ = (y − centre) / scale``."""

    centre: float
    scale: float


class Standardiser:
    """Centres and scales columns, each array once, so that X and Z share what they share.

    Parameters
    ----------
    rows : n.
    weights : prior weights, or None. Weights a million times as large make every residual a thousand times as precise,
        and varying effects a thousand times as large beside it; `unit` takes that back, so that a standardised θ is
        of order 1 whatever the weights' scale.
    """

    def __init__(self, rows: int, weights: Floats | None = None) -> None:
        self.rows = rows
        self.unit = 1.0 if weights is None else 1.0 / float(np.sqrt(weights.mean()))
        self._known: dict[tuple[int, bool], tuple[Floats, float, float]] = {}
        self._owners: list[Floats] = []  # ids are only unique while the arrays live

    def __call__(self, column: Column, centre: bool) -> tuple[Column, float, float]:
        """The column over its scale, less its mean if `centre`; with that mean (or 0) and scale.

        A column that does not vary comes back with scale 0.
        """
        if isinstance(column, float):
            return column, 0.0, 1.0
        key = (id(column), centre)
        if key not in self._known:
            self._owners.append(column)
            mean = float(column.mean()) if centre else 0.0
            shifted = column - mean if centre else column
            scale = float(np.sqrt(np.dot(shifted, shifted) / max(self.rows, 1)))
            if centre and scale <= 1e-12 * abs(mean) and float(column.max()) == float(column.min()):
                scale = 0.0
            self._known[key] = (shifted / scale if scale > 0 else shifted, mean, scale)
        return self._known[key]


def scale_fixed(columns: Sequence[Column], has_intercept: bool, standardise: Standardiser) -> FixedScaling:
    """Standardise the fixed-effect columns and set aside those that depend on earlier ones.

    Parameters
    ----------
    columns : the fixed-effect columns as the formula gives them; the intercept is the float 1.0.
    has_intercept : whether one of them is the intercept (then the others are centred).
    standardise : shared with the varying effects.
    """
    scaled: list[Column] = []
    means, scales = [], []
    for column in columns:
        is_constant = isinstance(column, float)
        values, mean, scale = standardise(column, has_intercept and not is_constant)
        scaled.append(values)
        means.append(mean)
        scales.append(scale)
    kept, q = _independent(scaled, np.array(scales), standardise.rows)
    dropped = tuple(j for j in range(len(columns)) if j not in kept)
    transform = np.zeros((len(kept), len(kept)))
    intercept = next((i for i, j in enumerate(kept) if isinstance(columns[j], float)), None)
    for i, j in enumerate(kept):
        transform[i, i] = 1.0 / scales[j]
        if intercept is not None and i != intercept:
            transform[intercept, i] = -means[j] / scales[j]
    out: tuple[Column, ...] = tuple(scaled[j] for j in kept)
    if q is not None:
        orthonormal, r = q
        out = tuple(orthonormal.T)
        transform = transform @ np.linalg.inv(r)
    return FixedScaling(out, tuple(kept), dropped, transform)


def _independent(scaled: Sequence[Column], scales: Floats, rows: int) -> tuple[list[int], tuple[Floats, Floats] | None]:
    """Positions of columns that do not depend on earlier ones; with Q and R of them where the rows had to be asked."""
    usable = [j for j in range(len(scaled)) if scales[j] > 0]
    # the intercept is judged first, wherever it stands: never drop it for a predictor's sake
    usable.sort(key=lambda j: not isinstance(scaled[j], float))
    matrix = np.empty((rows, len(usable)), order="F")
    for i, j in enumerate(usable):
        matrix[:, i] = scaled[j]
    gram = matrix.T @ matrix / max(rows, 1)
    if _all_pivots_large(gram):
        return sorted(usable), None
    # modified Gram-Schmidt, twice: exact to rounding, and only where the Gram matrix was in doubt
    basis = np.empty_like(matrix)
    kept: list[int] = []
    for i, j in enumerate(usable):
        v = matrix[:, i].copy()
        size = np.linalg.norm(v)
        for _ in range(2):
            q = basis[:, : len(kept)]
            v -= q @ (q.T @ v)
        if np.linalg.norm(v) > _DEPENDENT * size:
            basis[:, len(kept)] = v / np.linalg.norm(v)
            kept.append(j)
    kept.sort()
    chosen = np.column_stack([np.broadcast_to(scaled[j], rows) for j in kept]) if kept else np.empty((rows, 0))
    orthonormal, r = np.linalg.qr(chosen)
    root_n = np.sqrt(rows)
    return kept, (np.asfortranarray(orthonormal * root_n), r / root_n)


def _all_pivots_large(gram: Floats) -> bool:
    """Whether no column is nearly explained by the earlier ones (squared share left above `SUSPECT`)."""
    try:
        pivots = np.diag(np.linalg.cholesky(gram)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((pivots > SUSPECT * np.diag(gram)).all())


def scale_varying(columns: Sequence[Column], standardise: Standardiser) -> tuple[tuple[Column, ...], Floats]:
    """Standardise the columns of one random term: the columns and T_z with ``Z̃ = Z T_z``.

    A term with an intercept may be centred, because its covariance matrix is free: any invertible change of its
    columns is only another way to write it down.
    """
    intercept = next((i for i, c in enumerate(columns) if isinstance(c, float)), None)
    transform = np.eye(len(columns))
    out: list[Column] = []
    for i, column in enumerate(columns):
        values, mean, scale = standardise(column, intercept is not None and i != intercept)
        if scale == 0:  # a column of zeros or beside the intercept a constant: left as it is, its variance is 0
            out.append(column)
            continue
        transform[i, i] = 1.0 / scale
        if intercept is not None and i != intercept:
            transform[intercept, i] = -mean / scale
        out.append(values)
    if standardise.unit != 1.0:
        return tuple(column * standardise.unit for column in out), transform * standardise.unit
    return tuple(out), transform


def scale_response(y: Floats, has_intercept: bool) -> tuple[Floats, ResponseScaling]:
    """Standardise the response."""
    centre = float(y.mean()) if has_intercept else 0.0
    shifted = y - centre
    scale = float(np.sqrt(np.dot(shifted, shifted) / len(y)))
    return shifted / scale, ResponseScaling(centre, scale)
