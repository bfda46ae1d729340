"""How the effects of one grouping factor vary together: standard deviations and correlations.

An entry of the field ``ranef`` is ``{"sd": [2.5, 2], "corr": 0.3}``. The correlation is one number for two effects,
a matrix for more, nothing for none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.simulate.fields import FieldError, Path, number, only, shown
from mixedsim.simulate.frozen import Frozen

Matrix = tuple[tuple[float, ...], ...]
_ROUNDING = 1e-10  # how far a pivot of a correlation matrix may fall below zero by rounding alone


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
    """Standard deviations and correlations of q effects: ``sd`` q numbers of at least 0, ``corr`` q × q."""

    sd: tuple[float, ...]
    corr: Matrix

    def factor(self) -> NDArray[np.float64]:
        """Lower-triangular T, q × q, with T T' the covariance matrix: independent normals times T' are effects."""
        factor = _cholesky(self.corr)
        assert factor is not None
        return np.array(self.sd)[:, None] * factor


def settle(given: Any, effects: Effects) -> Frozen[str, Any]:
    """An entry of ``ranef`` in its one form: ``sd`` a tuple, ``corr`` a full matrix, left out where it is all zeros.

    Parameters
    ----------
    given : ``{"sd": …, "corr": …}``; ``sd`` a list, one number, or a mapping from effects to numbers.
    effects : what the entry must fit.

    Raises
    ------
    FieldError
        If the numbers are too few or too many, a standard deviation is negative, or no variables can be correlated so.
    """
    field = ("ranef", effects.group)
    if not isinstance(given, Mapping):
        raise FieldError(field, f"must hold sd (and corr), as in {{'sd': [1]}}, found {shown(given)}.")
    only(given, ("sd", "corr"), field, needed=("sd",))
    sd = _sd(given["sd"], effects, (*field, "sd"))
    corr = _corr(given.get("corr"), effects, (*field, "corr"))
    correlated = any(corr[i][j] for i in range(len(corr)) for j in range(i))
    return Frozen({"sd": sd, "corr": corr} if correlated else {"sd": sd})


def covariances(ranef: Mapping[str, Mapping[str, Any]]) -> dict[str, Covariance]:
    """For every grouping factor, the `Covariance` that its entry in its one form stands for."""
    return {
        group: Covariance(entry["sd"], entry.get("corr") or _identity(len(entry["sd"])))
        for group, entry in ranef.items()
    }


def _sd(given: Any, effects: Effects, field: Path) -> tuple[float, ...]:
    if isinstance(given, Mapping):
        only(given, effects.names, field, needed=effects.names)
        return tuple(number(given[name], (*field, name), low=0) for name in effects.names)
    sds = list(given) if _is_list(given) else [given]
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
    if not _is_list(given):
        r = number(given, field, low=-1, high=1)
        if q == 1:
            raise FieldError(field, f"needs two effects to be a correlation: {effects}.")
        if q > 2:
            raise FieldError(field, f"must be {q}×{q}: {effects}, found one number.")
        given = [[1.0, r], [r, 1.0]]
    rows = [list(row) if _is_list(row) else [row] for row in given]
    widest = max((len(row) for row in rows), default=0)
    if len(rows) != q or any(len(row) != q for row in rows):
        raise FieldError(field, f"must be {q}×{q}: {effects}, found {len(rows)}×{widest}.")
    corr = tuple(tuple(number(r, field, low=-1, high=1) for r in row) for row in rows)
    for i in range(q):
        if corr[i][i] != 1:
            raise FieldError(field, f"must have ones on its diagonal, found {shown(corr[i][i])} in row {i + 1}.")
        for j in range(i):
            first, second = effects.names[j], effects.names[i]
            if corr[i][j] != corr[j][i]:
                both = f"{shown(corr[j][i])} and {shown(corr[i][j])}"
                raise FieldError(field, f"must be symmetric: {first} and {second} have {both}.")
            if corr[i][j] and effects.terms[i] != effects.terms[j]:
                raise FieldError(field, f"must be 0 for {first} and {second}: separate terms are uncorrelated.")
    if _cholesky(corr) is None:
        raise FieldError(field, "is impossible: no effects are correlated like this (a negative eigenvalue).")
    return corr


def _identity(q: int) -> Matrix:
    return tuple(tuple(float(i == j) for j in range(q)) for i in range(q))


def _cholesky(corr: Matrix) -> NDArray[np.float64] | None:
    """Lower-triangular L with L L' = corr, semidefinite ones (correlation ±1) included; None if indefinite.

    Written out because LAPACK's Cholesky refuses a zero pivot; a column with a zero pivot is zero.
    """
    q = len(corr)
    factor = np.zeros((q, q))
    for j in range(q):
        left = np.array([corr[i][j] for i in range(j, q)]) - factor[j:, :j] @ factor[j, :j]
        if left[0] > _ROUNDING:
            factor[j:, j] = left / math.sqrt(left[0])
        elif left[0] < -_ROUNDING or np.abs(left).max() > math.sqrt(_ROUNDING):
            return None
    return factor


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
