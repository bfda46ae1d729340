"""What "the effect of a term" means: hypotheses of types I, II and III.

All three are statements about the treatment-coded coefficients of the full model, carried over to the coefficients
that were fitted (`mixedsim.inference.coding`), so that they do not depend on how the factors were coded.

* Type I: a term after those before it. Its rows are those of R in X = QR, the sequential decomposition.
* Type II: a term after all others that do not contain it.
* Type III: a term in the presence of all others. Its estimable functions are orthogonal to those of the terms that
  contain it, so a main effect is the average over the levels of the other factors, each level counting alike
  (Goodnight 1978, SAS technical report R-101; Kuznetsova et al. 2017, J. Stat. Softw. 82(13), section 4.3).

A term contains another if it has all of its factors and some more, and the same numeric variables. The effect of a
factor that interacts with a numeric x is therefore the one at x = 0.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import Problem
from mixedsim.errors import MixedsimError
from mixedsim.inference.coding import Coding, coding

Floats = NDArray[np.float64]
Type = Literal[1, 2, 3]
_ZERO = 1e-8
_DEPENDENT = 1e-7  # the share of a column's length beside the earlier ones, as where columns are dropped
_TOLERANCES = (1.0, 2.0, 0.5, 5.0, 0.2, 10.0, 0.1)  # times that: rounding may judge a doubtful column differently


def check_type(kind: object) -> None:
    """Raise `MixedsimError` unless `kind` is 1, 2 or 3."""
    if isinstance(kind, bool) or kind not in get_args(Type):
        raise MixedsimError(f"type must be 1, 2 or 3, found {kind!r}.")


def hypotheses(design: Design, problem: Problem, kind: Type, information: Floats | None = None) -> dict[str, Floats]:
    """Return the hypothesis of each term as a matrix L of the statement ``Lβ = 0``: {term: k × p}.

    The columns of L are the p coefficients that could be estimated, in the data's units. A term about which the data
    say nothing (empty cells) has no rows.

    Parameters
    ----------
    design, problem : of the fit.
    kind : 1, 2 or 3.
    information : what takes the place of X'X in types I and II (p × p in the data's units), where rows do not count
        alike: the inverse of the coefficients' covariance, as in R's car.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.inference.hypotheses import hypotheses
    >>> data = ms.datasets.load("sleepstudy").assign(late=lambda d: d["Days"] > 4)
    >>> fit = ms.lmer("Reaction ~ Days * late + (1 | Subject)", data)
    >>> fit.coefficient_names
    ('Intercept', 'Days', 'late', 'Days:late')
    >>> hypotheses(fit.design, fit.problem, 3)["Days"]  # the mean of the two slopes
    array([[0. , 1. , 0. , 0.5]])
    """
    space = _Space(design, problem, information)
    names = [term.name for term in space.coding.terms]
    terms = [t for t, name in enumerate(names) if name != "1"]
    if kind == 1 or len(terms) == 1:
        return {names[t]: space.sequential(t, last=()) for t in terms}
    if kind == 2:
        return {names[t]: space.after_all_others(t) for t in terms}
    return space.unweighted(terms)


class _Space:
    """The treatment-coded coefficients that the data can tell apart, and the way to the fitted ones.

    With X_t treatment-coded and X as fitted, ``X_t b = Xβ`` and ``b = N β``.
    """

    def __init__(self, design: Design, problem: Problem, information: Floats | None) -> None:
        self.coding: Coding = coding(design.x.spec, design.variables)
        kept = list(problem.fixed.kept)
        to_fitted = np.linalg.lstsq(self.coding.treatment, self.coding.fitted, rcond=None)[0]
        whole = np.linalg.lstsq(self.coding.treatment, self.coding.saturated, rcond=None)[0]
        root = _root(problem)
        own: Floats = root if information is None else np.asarray(np.linalg.cholesky(information).T, dtype=np.float64)
        if not problem.fixed.dropped:
            self.of_term = self.coding.of_term
            self.n = to_fitted
            self.saturated = whole
            self.root = _r(own @ np.linalg.inv(to_fitted))
            return
        f = dependence(design, problem) @ np.linalg.inv(to_fitted)  # X_t = X[kept] F
        constant = [t for t, term in enumerate(self.coding.terms) if term.name == "1"]
        found = _independent(root @ f, np.isin(self.coding.of_term, constant), len(kept))
        self.of_term = self.coding.of_term[found]
        self.n = np.linalg.inv(f[:, found])
        self.saturated = self.n @ f @ whole
        self.root = _r(own @ f[:, found])

    def columns(self, term: int) -> NDArray[np.intp]:
        """Positions of a term's treatment-coded columns."""
        return np.flatnonzero(self.of_term == term)

    def containing(self, term: int) -> list[int]:
        """The terms that contain a term."""
        terms = self.coding.terms
        return [t for t, other in enumerate(terms) if other.contains(terms[term])]

    def sequential(self, term: int, last: tuple[int, ...]) -> Floats:
        """The term's rows of R, scaled to a unit diagonal, with the columns of the terms in `last` put at the end."""
        late = np.isin(self.of_term, last)
        order = np.concatenate([np.flatnonzero(~late), np.flatnonzero(late)])
        r = _r(self.root[:, order])
        rows = np.flatnonzero(self.of_term[order] == term)
        out = np.zeros((len(rows), len(order)))
        out[:, order] = np.triu(r)[rows] / np.diag(r)[rows, None]
        return self._fitted(out)

    def after_all_others(self, term: int) -> Floats:
        """Type II: the coefficients themselves where nothing contains the term."""
        containing = self.containing(term)
        if not containing:
            return self._fitted(np.eye(len(self.of_term))[self.columns(term)])
        return self.sequential(term, last=(term, *containing))

    def unweighted(self, terms: list[int]) -> dict[str, Floats]:
        """Type III: each term's estimable functions, less what they share with those of the terms that contain it."""
        estimable = self.saturated.T  # columns: estimable functions of the saturated coefficients, one a coefficient
        out = {}
        for term in terms:
            mine = self.columns(term)
            rows = np.eye(len(self.of_term))[mine]
            beyond = np.flatnonzero(np.isin(self.of_term, self.containing(term)))
            if len(beyond) and len(mine):
                shared = np.linalg.lstsq(estimable[:, beyond], estimable[:, mine], rcond=None)[0]
                rows[:, beyond] -= shared.T
            rows[np.abs(rows) < 1e-12] = 0.0
            out[self.coding.terms[term].name] = self._fitted(rows)
        return out

    def _fitted(self, rows: Floats) -> Floats:
        """Rows about treatment-coded coefficients as rows about the fitted ones; rows of zeros say nothing."""
        rows = rows[(np.abs(rows) > _ZERO).any(axis=1)]
        return np.asarray(rows @ self.n)


def dependence(design: Design, problem: Problem) -> Floats:
    """Return D with ``X = X[kept] D`` for all columns of the formula, in the data's units: p × (p + dropped).

    For each column that was dropped, D says of which of the others it consists.
    """
    kept, dropped = list(problem.fixed.kept), list(problem.fixed.dropped)
    out = np.zeros((len(kept), len(kept) + len(dropped)))
    out[:, kept] = np.eye(len(kept))
    if dropped:
        out[:, dropped] = _dependent(design, problem, dropped)
    return out


def _dependent(design: Design, problem: Problem, dropped: list[int]) -> Floats:
    found = problem.fixed.dependent
    if found is None:
        rows = design.rows
        x = np.column_stack([np.broadcast_to(column, rows) for column in problem.fixed.columns])
        wanted = np.column_stack([np.broadcast_to(design.x.columns[j], rows) for j in dropped])
        found = problem.fixed.transform @ np.linalg.lstsq(x, wanted, rcond=None)[0]
    return np.where(np.abs(found) < 1e-10 * np.abs(found).max(initial=1.0), 0.0, found)


def _root(problem: Problem) -> Floats:
    """R of X = QR for the kept columns in the data's units (prior weights do not count): p × p."""
    squares = problem.fixed.squares(problem.cp.n)
    standard = np.linalg.cholesky(squares).T if len(squares) else squares
    return np.asarray(standard @ np.linalg.inv(problem.fixed.transform))


def _r(a: Floats) -> Floats:
    """The upper triangular factor of a = QR."""
    return np.asarray(np.linalg.qr(a, mode="r"))


def _independent(columns: Floats, constant: NDArray[np.bool_], count: int) -> list[int]:
    """Positions of the `count` columns that do not depend on earlier ones; `constant` says which is the intercept.

    As where columns are dropped, lengths are measured about the intercept: a year is no constant for being large.
    """
    lengths = np.linalg.norm(columns, axis=0)
    if constant.any():
        one = columns[:, constant] / lengths[constant]
        lengths = np.where(constant, lengths, np.linalg.norm(columns - one @ (one.T @ columns), axis=0))
    for factor in _TOLERANCES:
        found = _beyond(columns, factor * _DEPENDENT * lengths)
        if len(found) == count:
            return found
    raise MixedsimError(
        "some fixed effects are so nearly combinations of others that the terms cannot be told apart: centre the "
        "numeric variables, or leave a term out."
    )


def _beyond(columns: Floats, least: Floats) -> list[int]:
    """Positions of the columns of which more than `least` is left beside the earlier ones."""
    basis = np.empty((len(columns), 0))
    found: list[int] = []
    for j, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        if np.linalg.norm(rest) > least[j]:
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
            found.append(j)
    return found
