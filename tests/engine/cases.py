"""Random designs, and plain dense algebra to hold the engine against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from mixedsim.engine import CrossProducts, FactorShape, Grouping, Layout, cross_products


@contextmanager
def by_elimination() -> Iterator[None]:
    """Let designs with few effects be laid out like large ones."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("structure", "start"):
            patch.setattr(f"mixedsim.engine.{module}.fits", lambda cp: False)
        yield


@dataclass(frozen=True)
class Case:
    """Rows of a small random design, for every kind of structure."""

    groups: list[Grouping]
    x: list[np.ndarray | float]
    y: np.ndarray
    weights: np.ndarray | None
    layout: Layout

    @property
    def cp(self) -> CrossProducts:
        return cross_products(self.groups, self.x, self.y, self.weights)

    def rows(self, where: slice) -> CrossProducts:
        """Cross-products of some of the rows."""

        def cut(column):
            return column if isinstance(column, float) else column[where]

        groups = [Grouping(g.codes[where], g.levels, tuple(map(cut, g.columns))) for g in self.groups]
        weights = None if self.weights is None else self.weights[where]
        return cross_products(groups, list(map(cut, self.x)), self.y[where], weights)

    def dense_z(self) -> list[np.ndarray]:
        """Z of every factor as one array: n × (J·q)."""
        out = []
        for g in self.groups:
            q = len(g.columns)
            z = np.zeros((len(self.y), g.levels * q))
            for a, column in enumerate(g.columns):
                z[np.arange(len(self.y)), g.codes * q + a] = column
            out.append(z)
        return out

    def dense_x(self) -> np.ndarray:
        columns = [np.broadcast_to(c, len(self.y)) for c in self.x]
        return np.column_stack(columns) if columns else np.empty((len(self.y), 0))

    def dense_v(self, theta: np.ndarray) -> np.ndarray:
        """V = W⁻¹ + ZΛΛ'Z', n × n."""
        v = np.eye(len(self.y)) if self.weights is None else np.diag(1 / self.weights)
        for z, lam, g in zip(self.dense_z(), self.layout.lambdas(theta), self.groups, strict=True):
            half = z @ np.kron(np.eye(g.levels), lam)
            v = v + half @ half.T
        return v


# name -> (levels and effects of every factor, whether they nest, number of fixed effects)
STRUCTURES = {
    "one intercept": ([(18, (1,))], False, 2),
    "intercept and slope": ([(18, (2,))], False, 3),
    "three effects": ([(18, (3,))], False, 1),
    "uncorrelated intercept and slope": ([(18, (1, 1))], False, 2),
    "no fixed effects": ([(18, (2,))], False, 0),
    "nested": ([(40, (1,)), (8, (1,))], True, 2),
    "nested with slopes inside": ([(40, (2,)), (8, (1,))], True, 2),
    "three nested levels": ([(40, (1,)), (20, (2,)), (5, (1, 1))], True, 2),
    "nested, outer factor named first": ([(8, (2,)), (40, (1,))], True, 2),
    "crossed": ([(24, (1,)), (6, (1,))], False, 2),
    "crossed with slopes on both": ([(24, (2,)), (6, (2,))], False, 3),
    "three crossed factors": ([(24, (1,)), (6, (2,)), (3, (1,))], False, 2),
    "crossed, largest named last": ([(4, (1,)), (24, (1, 1))], False, 0),
}


def make(name: str, weighted: bool = False, rows: int = 200, seed: int = 7) -> Case:
    """The case of that name."""
    rng = np.random.default_rng(seed)
    factors, nested, p = STRUCTURES[name]
    x = [1.0, *(rng.normal(size=rows) for _ in range(p - 1))][:p]
    finest = max(levels for levels, _ in factors)
    fine = np.concatenate([np.arange(finest), rng.integers(0, finest, rows - finest)])
    groups, shapes = [], []
    y = rng.normal(size=rows)
    for levels, terms in factors:
        free = np.concatenate([np.arange(levels), rng.integers(0, levels, rows - levels)])
        codes = fine * levels // finest if nested else free
        columns = (1.0, *(rng.normal(size=rows) for _ in range(sum(terms) - 1)))
        for column in columns:
            y = y + 0.8 * rng.normal(size=levels)[codes] * column
        groups.append(Grouping(codes.astype(np.intp), levels, columns))
        shapes.append(FactorShape(levels, terms))
    weights = rng.uniform(0.5, 2.0, rows) if weighted else None
    return Case(groups, x, y, weights, Layout(shapes))
