"""Least squares with an indicator for every group, without the indicators.

With J groups, group means ȳⱼ, z̄ⱼ and nⱼ rows each, the coefficients β of the other columns z are those of the
deviations from group means (Frisch & Waugh 1933, Econometrica 1:387); then, with V = (Σ (z − z̄)(z − z̄)')⁻¹ and
group 1 as the reference,

    intercept  α₁ = ȳ₁ − z̄₁'β,                   variance s² (1/n₁ + z̄₁'V z̄₁),
    group j    αⱼ − α₁,                          variance s² (1/nⱼ + 1/n₁ + (z̄ⱼ − z̄₁)'V (z̄ⱼ − z̄₁)),
    s² = Σ (y − ȳ − (z − z̄)'β)² / (n − J − q).

The same numbers as `mixedsim.study.regressions` gives for all columns, at a cost that grows with n q² and not with
n (J + q)²: for a hundred therapists a thousandth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design, build
from mixedsim.errors import DataError
from mixedsim.formula import Formula, fixed_terms, parse, spelled, unquote, variables_of, written
from mixedsim.study.ordinary import DEPENDENT
from mixedsim.study.regressions import Solved

Floats = NDArray[np.float64]
_MANY = 12  # levels from which on it pays


@dataclass(frozen=True)
class Absorbed:
    """A regression with the indicators of one large factor.

    Attributes
    ----------
    formula : the same with the factor as a group, which is a model of other columns and group codes.
    names : of the other columns, the intercept among them.
    levels : of the factor.
    order : where each column of the regression stands among: those of `names`, then the indicators.
    """

    formula: Formula
    names: tuple[str, ...]
    levels: tuple[str, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, parsed: Formula, design: Design, data: pd.DataFrame) -> Absorbed | None:
        """The `Absorbed` of a regression whose columns all have a coefficient; None if it has no large factor alone."""
        terms = fixed_terms(parsed.fixed)
        for term in terms:
            name = unquote(str(term))
            values = design.variables.get(name)
            rest = [other for other in terms if other != term]
            if not isinstance(values, pd.Categorical) or len(values.categories) < _MANY:
                continue
            if "Intercept" not in design.x.names or name in variables_of(written(rest)):
                continue
            formula = parse(f"{parsed.response} ~ {written(rest)} + (1 | {spelled(name)})")
            try:
                inner = build(formula, data)
            except DataError:  # a group of one row each, or what else mixed models cannot do
                return None
            levels = tuple(map(str, inner.factors[0].levels))
            every = [*inner.x.names, *(f"{name}[T.{level}]" for level in levels[1:])]
            if sorted(every) == sorted(design.x.names):
                return cls(formula, inner.x.names, levels, tuple(map(every.index, design.x.names)))
        return None

    def design(self, data: pd.DataFrame) -> Design:
        return build(self.formula, data)

    def columns(self, design: Design) -> tuple[Floats, NDArray[np.intp]] | None:
        """Columns without the intercept, n × q, and group codes."""
        factor = design.factors[0]
        if design.x.names != self.names or tuple(map(str, factor.levels.tolist())) != self.levels:
            return None
        others = [j for j, name in enumerate(self.names) if name != "Intercept"]
        return design.x.matrix()[:, others], factor.codes

    def solved(self, y: Floats, *columns: NDArray[Any]) -> Solved:
        z, codes = columns
        (r, n), q, groups = y.shape, z.shape[2], len(self.levels)
        means = _Means(codes, groups)
        z_mean = np.stack([means(z[:, :, j]) for j in range(q)], axis=2) if q else np.zeros((len(z), groups, 0))
        within = np.stack([z[:, :, j] - means.back(z_mean[:, :, j]) for j in range(q)], axis=2) if q else z
        y_mean = means(y)
        left = y - means.back(y_mean)
        basis, upper = np.linalg.qr(within)
        pivots = np.abs(np.diagonal(upper, axis1=1, axis2=2))
        small = np.maximum(DEPENDENT * np.linalg.norm(within, axis=1), 1e-13 * np.linalg.norm(z, axis=1))
        dependent = (pivots <= small).any(axis=1)
        upper[dependent] = np.eye(q)
        right = np.swapaxes(basis, 1, 2) @ left[:, :, None]
        root = np.linalg.inv(upper)
        beta = root @ right
        left = left - (basis @ right)[:, :, 0]
        sigma = np.sqrt((left * left).sum(axis=1) / (n - groups - q))
        level = y_mean - (z_mean @ beta)[:, :, 0]
        gap = np.concatenate([z_mean[:, :1], z_mean[:, 1:] - z_mean[:, :1]], axis=1) @ root
        share = 1.0 / means.rows
        share = np.concatenate([share[:, :1], share[:, 1:] + share[:, :1]], axis=1) + (gap * gap).sum(axis=2)
        groups_estimate = np.concatenate([level[:, :1], level[:, 1:] - level[:, :1]], axis=1)
        estimate = self._ordered(beta[:, :, 0], groups_estimate)
        size = self._ordered((root * root).sum(axis=2), share)
        return Solved(estimate, sigma[:, None] * np.sqrt(size), sigma, np.broadcast_to(dependent, r))

    def _ordered(self, others: Floats, groups: Floats) -> Floats:
        """Values of the other columns (r × q), and of intercept and indicators (r × J), as the regression has them."""
        one = self.names.index("Intercept")
        every = np.concatenate([others[:, :one], groups[:, :1], others[:, one:], groups[:, 1:]], axis=1)
        return every[:, list(self.order)]


class _Means:
    """Group means for R sets of n rows."""

    def __init__(self, codes: NDArray[np.intp], groups: int) -> None:
        self.codes, self.groups = codes, groups
        self.rows = self._sums(np.ones(codes.shape))

    def __call__(self, values: Floats) -> Floats:
        """r × J means of r × n values."""
        return self._sums(values) / self.rows

    def back(self, means: Floats) -> Floats:
        """One value a row."""
        if len(self.codes) == 1:
            return means[:, self.codes[0]]
        return np.take_along_axis(means, self.codes, axis=1)

    def _sums(self, values: Floats) -> Floats:
        r = len(values)
        where = (self.codes + self.groups * np.arange(r)[:, None]).ravel()
        sums = np.bincount(where, weights=values.ravel(), minlength=r * self.groups)
        return np.asarray(sums, dtype=np.float64).reshape(r, self.groups)
