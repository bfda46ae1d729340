"""How the effects of one grouping factor vary together: standard deviations, correlations and their shape.

An entry of the field ``ranef`` is ``{"sd": [2.5, 2], "corr": 0.3}``. The correlation is one number for two effects,
a matrix for more, nothing for none. In place of both, ``{"cov": [[6.25, 1.5], [1.5, 4]]}`` gives the covariance matrix.
Beside either, ``"shape"`` is one of `mixedsim.simulate.shapes`.

Effects are b = T z with T lower-triangular, TT' their covariance matrix and z independent, of mean 0 and variance 1.
So the first effect has the shape of z exactly. A later one that is correlated with it adds up several z, and lies
nearer to the normal shape: with correlation r between two effects and skewness γ of z, the second has skewness
(r³ + (1 − r²)^{3/2})γ. With the shape t, then, two effects are *not* a multivariate t, which would give every unit one
common scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.fields import FieldError, Path, is_list, number, only, shown
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.shapes import NORMAL, Shape, settled_shape, shape_of

Matrix = tuple[tuple[float, ...], ...]
_ROUNDING = 1e-10  # how far an eigenvalue of a correlation matrix may fall below zero by rounding alone
_DOUBTFUL = 1e-5  # a pivot below this has lost too many digits to divide by
_ZERO = 1e-14  # what rounding leaves of a pivot that is zero
_SYMMETRY = 1e-12  # how far a matrix that was computed may miss symmetry, relative to the entry


@dataclass(frozen=True)
class Effects:
    """The effects that vary by one grouping factor, as the formula has them.

    Attributes
    ----------
    group : the factor, ``"therapist"`` or ``"class:school"``.
    names : of the effects, in the order of the formula (``("Intercept", "depression")``).
    terms : for every effect, which random term it stands in; effects of separate terms are uncorrelated.
    written : those terms as one would type them.
    """

    group: str
    names: tuple[str, ...]
    terms: tuple[int, ...]
    written: tuple[str, ...]

    def __str__(self) -> str:
        one = len(self.written) == 1
        count = f"{len(self.names)} effect{'s' * (len(self.names) > 1)}"
        return f"the term{'s' * (not one)} {' + '.join(self.written)} {'has' if one else 'have'} {count}"


@dataclass(frozen=True)
class Covariance:
    """How q effects vary: ``sd`` q numbers of at least 0, ``corr`` q × q, ``shape`` of what they are made from."""

    sd: tuple[float, ...]
    corr: Matrix
    shape: Shape = NORMAL

    def factor(self) -> NDArray[np.float64]:
        """Lower-triangular T, q × q, with T T' the covariance matrix: independent normals times T' are effects."""
        factor = cholesky(self.corr)
        assert factor is not None
        return np.array(self.sd)[:, None] * factor


def settle(given: Any, effects: Effects) -> Frozen[str, Any]:
    """An entry of ``ranef`` in its one form: ``sd`` a tuple, ``corr`` a full matrix, left out where it is all zeros.

    Parameters
    ----------
    given : ``{"sd": …, "corr": …}`` or ``{"cov": …}``; ``sd`` a list, one number, or a mapping from effects to numbers;
        and a ``"shape"``, which the one form leaves out if it is the normal one.
    effects : what the entry must fit.

    Raises
    ------
    FieldError
        If the numbers are too few or too many, a standard deviation is negative, no variables can be correlated so, or
        there is no such shape.
    """
    field = ("ranef", effects.group)
    if not isinstance(given, Mapping):
        raise FieldError(field, f"must hold sd (and corr), as in {{'sd': [1]}}, found {shown(given)}.")
    only(given, ("sd", "corr", "cov", "shape"), field)
    shape = settled_shape(given.get("shape", "normal"), (*field, "shape"))
    if "cov" in given:
        if twice := [key for key in ("sd", "corr") if key in given]:
            raise FieldError((*field, "cov"), f"says what {' and '.join(twice)} says too: give one of the two.")
        sd, corr = _from_cov(given["cov"], effects, (*field, "cov"))
    elif "sd" not in given:
        raise FieldError((*field, "sd"), "is missing.")
    else:
        sd = _sd(given["sd"], effects, (*field, "sd"))
        corr = _corr(given.get("corr"), effects, (*field, "corr"))
    correlated = any(corr[i][j] for i in range(len(corr)) for j in range(i))
    entry = {"sd": sd, "corr": corr if correlated else None, "shape": shape}
    return Frozen({key: value for key, value in entry.items() if value is not None})


def covariances(ranef: Mapping[str, Mapping[str, Any]]) -> dict[str, Covariance]:
    """For every grouping factor, the `Covariance` that its entry in its one form stands for."""
    return {
        group: Covariance(
            sd=entry["sd"],
            corr=entry.get("corr") or _identity(len(entry["sd"])),
            shape=shape_of(entry.get("shape")),
        )
        for group, entry in ranef.items()
    }


def _sd(given: Any, effects: Effects, field: Path) -> tuple[float, ...]:
    if isinstance(given, Mapping):
        only(given, effects.names, field, needed=effects.names)
        return tuple(number(given[name], (*field, name), low=0) for name in effects.names)
    sds = list(given) if is_list(given) else [given]
    sd = tuple(number(one, field, low=0) for one in sds)
    q = len(effects.names)
    if len(sd) != q:
        raise FieldError(field, f"must hold {q} number{'s' * (q > 1)}: {effects}, found {len(sd)}.")
    return sd


def _corr(given: Any, effects: Effects, field: Path) -> Matrix:
    """A correlation matrix from None, a number or rows; symmetric, with ones, not indefinite."""
    q = len(effects.names)
    if given is None:
        return _identity(q)
    if not is_list(given):
        r = number(given, field, low=-1, high=1)
        if q == 1:
            raise FieldError(field, f"needs two effects to be a correlation: {effects}.")
        if q > 2:
            raise FieldError(field, f"must be {q}×{q}: {effects}, found one number.")
        given = [[1.0, r], [r, 1.0]]
    corr = _square(given, effects, field)
    for i in range(q):
        for r in corr[i]:
            number(r, field, low=-1, high=1)
    corr = _apart(correlations(corr, effects.names, field), effects, field)
    if cholesky(corr) is None:
        raise FieldError(field, "is impossible: no effects are correlated like this (a negative eigenvalue).")
    return corr


def _from_cov(given: Any, effects: Effects, field: Path) -> tuple[tuple[float, ...], Matrix]:
    """Standard deviations and correlations of a covariance matrix; one number for one effect."""
    q = len(effects.names)
    cov = _square(given if is_list(given) else [given], effects, field)
    for i in range(q):
        if cov[i][i] < 0:
            raise FieldError(field, f"must have variances on its diagonal, found {shown(cov[i][i])} in row {i + 1}.")
    cov = _apart(symmetric(cov, effects.names, field), effects, field)
    sd = tuple(math.sqrt(cov[i][i]) for i in range(q))
    corr = tuple(tuple(1.0 if i == j else _as_corr(cov[i][j], sd[i], sd[j]) for j in range(q)) for i in range(q))
    if max(abs(r) for row in corr for r in row) > 1 or cholesky(corr) is None:
        raise FieldError(field, "is impossible: no effects vary together like this (a negative eigenvalue).")
    return sd, corr


def _as_corr(covariance: float, sd: float, other: float) -> float:
    """A correlation rounded to 15 digits, so that decimals come back as they were typed and ±1 comes back as ±1."""
    if covariance == 0:
        return 0.0
    smaller, larger = sorted((sd, other))
    if smaller == 0:
        return math.inf  # what does not vary goes with nothing
    return float(f"{covariance / larger / smaller:.15g}")


def _square(given: Any, effects: Effects, field: Path) -> Matrix:
    """Rows of numbers, as many as there are effects and as long."""
    q = len(effects.names)
    rows = [list(row) if is_list(row) else [row] for row in given]
    widest = max((len(row) for row in rows), default=0)
    if len(rows) != q or any(len(row) != q for row in rows):
        raise FieldError(field, f"must be {q}×{q}: {effects}, found {len(rows)}×{widest}.")
    return tuple(tuple(number(value, field) for value in row) for row in rows)


def correlations(matrix: Matrix, names: Sequence[str], field: Path) -> Matrix:
    """The matrix made `symmetric`, or `FieldError` if its diagonal is not all ones."""
    for i in range(len(matrix)):
        if matrix[i][i] != 1:
            raise FieldError(field, f"must have ones on its diagonal, found {shown(matrix[i][i])} in row {i + 1}.")
    return symmetric(matrix, names, field)


def symmetric(matrix: Matrix, names: Sequence[str], field: Path) -> Matrix:
    """The matrix by its lower triangle, or `FieldError` if the upper one differs by more than a computer's rounding."""
    for i in range(len(matrix)):
        for j in range(i):
            if not math.isclose(matrix[i][j], matrix[j][i], rel_tol=_SYMMETRY):
                both = f"{shown(matrix[j][i])} and {shown(matrix[i][j])}"
                raise FieldError(field, f"must be symmetric: {names[j]} and {names[i]} have {both}.")
    return tuple(tuple(matrix[max(i, j)][min(i, j)] for j in range(len(matrix))) for i in range(len(matrix)))


def _apart(matrix: Matrix, effects: Effects, field: Path) -> Matrix:
    """The same matrix, or `FieldError` if effects of separate terms have no zero between them."""
    for i in range(len(matrix)):
        for j in range(i):
            if matrix[i][j] and effects.terms[i] != effects.terms[j]:
                first, second = effects.names[j], effects.names[i]
                raise FieldError(field, f"must be 0 for {first} and {second}: separate terms are uncorrelated.")
    return matrix


def _identity(q: int) -> Matrix:
    return tuple(tuple(float(i == j) for j in range(q)) for i in range(q))


def cholesky(corr: Matrix) -> NDArray[np.float64] | None:
    """Lower-triangular L with L L' = corr, semidefinite ones (correlation ±1) included; None if indefinite.

    Written out because LAPACK's Cholesky refuses a zero pivot; a column with a zero pivot is zero. A pivot that is
    nearly zero has lost its digits in the subtraction: then the eigenvectors decide, which lose none.
    """
    q = len(corr)
    factor = np.zeros((q, q))
    for j in range(q):
        left = np.array([corr[i][j] for i in range(j, q)]) - factor[j:, :j] @ factor[j, :j]
        if left[0] > _DOUBTFUL:
            factor[j:, j] = left / math.sqrt(left[0])
        elif np.abs(left).max() > _ZERO:
            return _by_eigenvectors(np.array(corr, dtype=np.float64))
    return factor


def _by_eigenvectors(corr: NDArray[np.float64]) -> NDArray[np.float64] | None:
    values, vectors = np.linalg.eigh(corr)
    if values[0] < -_ROUNDING:
        return None
    upper: Any = np.linalg.qr((vectors * np.sqrt(values.clip(min=0.0))).T, mode="r")
    return np.asarray(upper.T * np.where(np.diag(upper) < 0, -1.0, 1.0))
