"""Functions that remember something of the data (a mean, a standard deviation), told it from all chunks.

``center(x)``, ``scale(x)``, ``standardize(x)`` and ``poly(x, k)`` take their numbers from all rows, not from those of
the first chunk. Means and sums of squares of chunks are combined by Chan, Golub & LeVeque (1983, The American
Statistician 37:242); the orthogonal polynomials follow from Forsythe's recurrence (1957, J. SIAM 5:74), one pass over
the chunks for each degree beyond the first.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mixedsim.columns import ColumnSpec, model_columns
from mixedsim.errors import FormulaError
from mixedsim.formula import fixed_terms

Floats = NDArray[np.float64]
# sums over all rows of what is made of the predictors of some, and their number
Sums = Callable[[Callable[[Mapping[str, Any], int], Floats]], Floats]

_TOLD: Final = ("center", "scale", "standardize", "poly")
_SPLINES: Final = ("bs", "cc", "cr", "cs")


@dataclass(frozen=True)
class Call:
    """A call of such a function.

    Attributes
    ----------
    function : its name.
    text : the call as formulaic names it.
    inside : what it is applied to.
    degree : of a polynomial, else 1.
    given : which of centre and scale are numbers that stand in the call.
    """

    function: str
    text: str
    inside: str
    degree: int = 1
    given: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moments:
    """Number, mean and sum of squared deviations of a chunk's values."""

    n: int
    mean: float
    squares: float

    @classmethod
    def of(cls, values: Floats) -> Moments:
        """Of an array."""
        mean = float(values.mean())
        shifted = values - mean
        return cls(len(values), mean, float(np.dot(shifted, shifted)))

    def __add__(self, other: Moments) -> Moments:
        """Of both together."""
        n = self.n + other.n
        gap = other.mean - self.mean
        mean = self.mean + gap * other.n / n
        return Moments(n, mean, self.squares + other.squares + gap * gap * self.n * other.n / n)


def calls(rhs: str) -> list[Call]:
    """The calls in a right-hand side whose numbers come from all rows.

    Raises
    ------
    FormulaError
        For a spline, a call inside another, and an argument that is no plain number.
    """
    found: dict[str, Call] = {}
    for term in fixed_terms(rhs):
        for factor in term.factors:
            if "(" in factor.expr and any(f"{name}(" in factor.expr for name in (*_TOLD, *_SPLINES)):
                found |= {call.text: call for call in _in(factor.expr)}
    return list(found.values())


def _in(text: str) -> Iterator[Call]:
    if "`" in text:
        raise FormulaError(
            f"{text!r} takes its numbers from all rows of a column with an odd name, which works in memory alone: "
            "give the column a name of letters and digits."
        )
    for node in ast.walk(ast.parse(text, mode="eval")):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        name = node.func.id
        if name in _SPLINES:
            raise FormulaError(
                f"{ast.unparse(node)!r} places its knots by the quantiles of all rows, which works in memory alone: "
                "use poly(x, 3), or add the columns of the spline to the data."
            )
        if name in _TOLD:
            inner = [n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
            if len([one for one in inner if one in (*_TOLD, *_SPLINES)]) > 1:
                raise FormulaError(
                    f"{ast.unparse(node)!r} has one function that learns from all rows inside another, which works in "
                    "memory alone: add the inner one to the data as a column."
                )
            yield Call(name, ast.unparse(node), ast.unparse(node.args[0]), _degree(node), _given(node))


def _degree(node: ast.Call) -> int:
    """k of ``poly(x, k)``; 0 for raw powers, which learn nothing."""
    if ast.unparse(node.func) != "poly":
        return 1
    options = {one.arg: one.value for one in node.keywords}
    raw = options.get("raw", node.args[2] if len(node.args) > 2 else None)
    if isinstance(raw, ast.Constant) and raw.value:
        return 0
    given = options.get("degree", node.args[1] if len(node.args) > 1 else None)
    degree = given.value if isinstance(given, ast.Constant) else 1
    if not isinstance(degree, int):
        raise FormulaError(f"{ast.unparse(node)!r} must name its degree as a whole number, as in poly(x, 2).")
    return degree


def _given(node: ast.Call) -> frozenset[str]:
    """Which of centre and scale the call itself names as a number."""
    options = dict(zip(("center", "scale"), node.args[1:3], strict=False))
    options |= {"scale" if one.arg == "rescale" else str(one.arg): one.value for one in node.keywords}
    told = {what: value for what, value in options.items() if what in ("center", "scale")}
    return frozenset(w for w, v in told.items() if not (isinstance(v, ast.Constant) and isinstance(v.value, bool)))


def values_of(inside: str, columns: Mapping[str, Any], rows: int) -> Floats:
    """What stands in the call's brackets, for the rows of a chunk."""
    column = model_columns(f"0 + I({inside})", columns).columns[0]
    return np.broadcast_to(np.asarray(column, dtype=np.float64), rows)


def tell(spec: ColumnSpec, wanted: Sequence[Call], moments: Mapping[str, Moments], sums: Sums) -> None:
    """Put what the calls remember in the place of what they learned from a few rows."""
    if spec.model_spec is None:
        return
    remembered = spec.model_spec.transform_state
    for call in wanted:
        own = moments[call.inside]
        if call.degree == 0 or call.text not in remembered:
            continue
        if call.function == "poly":
            alpha, norms2 = _recurrence(call, own, sums)
            remembered[call.text].update(alpha=alpha, norms2=norms2)
            continue
        state = remembered[call.text]
        if state.get("center") is not None and "center" not in call.given:
            state["center"] = np.float64(own.mean)
        if state.get("scale") is not None and "scale" not in call.given:
            off = own.mean - (0.0 if state.get("center") is None else float(state["center"]))
            state["scale"] = np.sqrt((own.squares + own.n * off**2) / (own.n - state["ddof"]))


def _recurrence(call: Call, own: Moments, sums: Sums) -> tuple[dict[int, float], dict[int, float]]:
    """The coefficients of the monic orthogonal polynomials: α_0 … α_{k−1} and squared norms 0 … k."""
    alpha = {0: own.mean}
    norms2 = {0: float(own.n), 1: own.squares}
    for k in range(1, call.degree):
        weighted = sums(_Degree(call.inside, k, own.mean, alpha, norms2))
        alpha[k] = own.mean + float(weighted[0] / weighted[1])
        norms2[k + 1] = float(sums(_Degree(call.inside, k + 1, own.mean, alpha, norms2))[1])
    return alpha, norms2


@dataclass(frozen=True)
class _Degree:
    """``Σ (x − m) p_k²`` and ``Σ p_k²`` over some rows."""

    inside: str
    k: int
    mean: float
    alpha: Mapping[int, float]
    norms2: Mapping[int, float]

    def __call__(self, columns: Mapping[str, Any], rows: int) -> Floats:
        x = values_of(self.inside, columns, rows)
        p = _polynomial(x, self.k, self.alpha, self.norms2)
        return np.array([np.dot(x - self.mean, p * p), np.dot(p, p)])


def _polynomial(x: Floats, k: int, alpha: Mapping[int, float], norms2: Mapping[int, float]) -> Floats:
    """The k-th monic orthogonal polynomial at `x`."""
    before, now = np.zeros_like(x), np.ones_like(x)
    for i in range(k):
        following = (x - alpha[i]) * now
        if i:
            following -= norms2[i] / norms2[i - 1] * before
        before, now = now, following
    return now
