"""From a stack of data sets to cross-products, standardised data set by data set.

The steps are those of a single fit (`design`, `scaling`, `cross_products`), each taken once for all rows. A data set in
which anything is unusual (a column that does not vary or depends on others, a level for every row) is left out: alone,
it gets its own treatment or its own sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mixedsim.columns import Columns, model_columns
from mixedsim.engine import FactorShape, Layout
from mixedsim.engine.batch_dense_products import DenseProducts
from mixedsim.engine.batch_fit import Products
from mixedsim.engine.batch_products import ManyProducts
from mixedsim.engine.batch_small import pivots
from mixedsim.engine.elements import Elements
from mixedsim.errors import MixedsimError
from mixedsim.formula import Formula, unquote
from mixedsim.inference.many_scales import ManyScales
from mixedsim.inference.parameters import Parameter, named_parameters
from mixedsim.models.many_columns import Column, LevelSums, Made, Scaled, level_codes
from mixedsim.models.many_stack import Codes, Stack, keep
from mixedsim.scaling import SUSPECT

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ManyDesigns:
    """s data sets of one model, ready to be fitted together.

    Attributes
    ----------
    members : their numbers.
    products, layout, scales : cross-products, where θ stands, and the way back to the units of the data.
    parameters : names of all parameters.
    """

    members: Codes
    products: Products
    layout: Layout
    scales: ManyScales
    parameters: tuple[Parameter, ...]

    def goes_with(self, other: ManyDesigns) -> bool:
        """Whether both have the same parameters."""
        return self.parameters == other.parameters


def joined(parts: Sequence[ManyDesigns]) -> ManyDesigns:
    """Designs with the same parameters side by side."""
    several = [part.products for part in parts if isinstance(part.products, DenseProducts)]
    single = [part.products for part in parts if isinstance(part.products, ManyProducts)]
    shapes = zip(*(part.layout.factors for part in parts), strict=True)
    return ManyDesigns(
        members=np.concatenate([part.members for part in parts]),
        products=DenseProducts.joined(several) if several else ManyProducts.joined(single),
        layout=Layout([FactorShape(max(one.levels for one in own), own[0].terms) for own in shapes]),
        scales=ManyScales.joined([part.scales for part in parts]),
        parameters=parts[0].parameters,
    )


def many_designs(formula: Formula, found: Stack) -> ManyDesigns | None:
    """Return those data sets of the stack about which nothing has to be said; None if there are none."""
    made = making(formula, found)
    return None if made is None else made.designs()


def making(formula: Formula, found: Stack) -> Making | None:
    """Return the columns of those data sets about which nothing has to be said; None if there are none."""
    try:
        made = Making(formula, found)
    except MixedsimError:  # one data set may have spoilt it for all: each alone can say for itself
        return None
    if made.sound.all():
        return made
    found = keep(found, made.sound)
    return making(formula, found) if len(found.members) else None


def _response(formula: Formula, found: Stack) -> Floats:
    name = unquote(formula.response)
    if name in found.columns:
        return np.asarray(found.columns[name], dtype=np.float64)
    columns = model_columns(f"0 + I({formula.response})", found.columns).columns
    if len(columns) != 1 or isinstance(columns[0], float):
        raise MixedsimError("the response is not one column.")
    return columns[0]


@dataclass(frozen=True, eq=False)
class _Factor:
    """One grouping factor: its name, the levels of the rows and their number in each data set, and its terms."""

    name: str
    codes: Codes
    levels: Codes
    terms: tuple[Columns, ...]
    made: tuple[tuple[Made, ...], ...]

    @property
    def columns(self) -> list[Column]:
        """All standardised columns that vary by this factor."""
        return [column for term in self.made for column, _, _ in term]

    @property
    def most(self) -> int:
        """Room for levels; no data set has more."""
        return int(self.codes.max()) + 1


class Making:
    """Cross-products in the making, and which data sets are sound so far."""

    def __init__(self, formula: Formula, found: Stack) -> None:
        self.found = found
        shared: dict[str, Floats] = {}
        self.x = model_columns(formula.fixed, found.columns, shared=shared)
        y = _response(formula, found)
        scaled = Scaled(found)
        self.has_intercept = "Intercept" in self.x.names
        self.rows = np.empty((len(self.x.names) + 1, len(y)))
        self.fixed = [
            scaled(c, self.has_intercept and not isinstance(c, float), self.rows[i])
            for i, c in enumerate(self.x.columns)
        ]
        self.y, self.centre, self.scale = scaled(y, self.has_intercept, self.rows[-1])
        factors = [self._factor(formula, group, shared, scaled) for group in formula.groups]
        self.factors = sorted(factors, key=lambda factor: -factor.levels[0])  # as a single fit of the first
        self.gram = self._grams(self.rows)
        self.sound = scaled.sound & self._enough() & self._apart()
        self.sound &= self._independent(self.gram[:-1, :-1], [isinstance(c, float) for c in self.x.columns])
        for factor in factors:
            for term, made in zip(factor.terms, factor.made, strict=True):
                if len(made) > 1:
                    gram = self._grams(np.stack([self._filled(c) for c, _, _ in made]))
                    self.sound &= self._independent(gram, [isinstance(c, float) for c in term.columns])

    def _factor(self, formula: Formula, group: str, shared: dict[str, Floats], scaled: Scaled) -> _Factor:
        mine = [term for term in formula.terms if term.group == group]
        terms = tuple(model_columns(term.effects, self.found.columns, shared=shared) for term in mine)
        made = []
        for term in terms:
            constant = any(isinstance(c, float) for c in term.columns)
            made.append(tuple(scaled(c, constant and not isinstance(c, float)) for c in term.columns))
        codes, levels = level_codes(self.found, [self.found.columns[name] for name in mine[0].factors])
        return _Factor(group, codes, levels, terms, tuple(made))

    def _enough(self) -> NDArray[np.bool_]:
        """Enough rows and levels for what is to be known."""
        n = self.found.sizes
        ok = n > len(self.x.names)
        for factor in self.factors:
            ok &= (factor.levels > 1) & (factor.levels < n)
            for term in factor.terms:
                ok &= factor.levels * len(term.names) < n
        return np.asarray(ok)

    def _apart(self) -> NDArray[np.bool_]:
        """Where no two factors group the rows alike."""
        ok = np.ones(len(self.found.members), dtype=bool)
        for f, one in enumerate(self.factors):
            for other in self.factors[:f]:
                pairs = level_codes(self.found, [one.codes, other.codes])[1]
                ok &= (pairs > one.levels) | (pairs > other.levels)
        return ok

    def _filled(self, column: Column) -> Floats:
        return np.full(self.rows.shape[1], column) if isinstance(column, float) else column

    def _grams(self, rows: Floats) -> Floats:
        """Products of all rows of a matrix (columns of the data) within each data set: c × c × s."""
        if self.found.even:
            wide = rows.reshape(len(rows), len(self.found.sizes), -1).swapaxes(0, 1)
            return np.ascontiguousarray(np.moveaxis(wide @ wide.swapaxes(1, 2), 0, -1))
        ends = [0, *np.cumsum(self.found.sizes).tolist()]
        blocks = [rows[:, a:b] for a, b in pairwise(ends)]
        return np.stack([block @ block.T for block in blocks], axis=-1)

    def _independent(self, gram: Floats, constant: Sequence[bool]) -> NDArray[np.bool_]:
        """Where no column is nearly explained by the others: see `scaling`."""
        first = sorted(range(len(gram)), key=lambda j: not constant[j])
        ordered = gram[first][:, first]
        with np.errstate(all="ignore"):
            left = pivots(ordered)
            return np.asarray((left > SUSPECT * np.einsum("jjr->jr", ordered)).all(axis=0))

    def designs(self) -> ManyDesigns:
        """Everything together."""
        return ManyDesigns(
            members=self.found.members,
            products=self._single() if len(self.factors) == 1 else self._several(),
            layout=self.layout,
            scales=self.scales,
            parameters=self.parameters,
        )

    @property
    def layout(self) -> Layout:
        """Where θ stands."""
        shapes = [FactorShape(factor.most, tuple(len(made) for made in factor.made)) for factor in self.factors]
        return Layout(shapes)

    @property
    def scales(self) -> ManyScales:
        """The way back to the units of the data."""
        fixed = self._transform(self.fixed, self.x.columns, self.has_intercept)
        intercept = self.x.names.index("Intercept") if self.has_intercept else None
        return ManyScales(fixed, tuple(map(self._varying, self.factors)), self.centre, self.scale, intercept)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Names of all parameters."""
        names = [(factor.name, [term.names for term in factor.terms]) for factor in self.factors]
        return named_parameters(self.x.names, names)

    def _varying(self, factor: _Factor) -> Floats:
        """T of one factor, block-diagonal over its terms: q × q × s."""
        size = len(factor.columns)
        out = np.zeros((size, size, len(self.found.members)))
        start = 0
        for term, made in zip(factor.terms, factor.made, strict=True):
            own = slice(start, start + len(made))
            constant = any(isinstance(c, float) for c in term.columns)
            out[own, own] = self._transform(made, term.columns, constant)
            start = own.stop
        return out

    def _transform(self, made: Sequence[Made], columns: Sequence[Column], centred: bool) -> Floats:
        """T with X̃ = X T: size × size × s."""
        out = np.zeros((len(made), len(made), len(self.found.members)))
        intercept = next((i for i, c in enumerate(columns) if isinstance(c, float)), None)
        for i, (_, mean, scale) in enumerate(made):
            out[i, i] = 1.0 / scale
            if centred and intercept is not None and i != intercept:
                out[intercept, i] = -mean / scale
        return out

    def _shared(self) -> dict[str, Floats]:
        """What does not depend on the random effects."""
        p = len(self.x.names)
        return {
            "xx": np.ascontiguousarray(self.gram[:p, :p]),
            "xy": np.ascontiguousarray(self.gram[:p, p]),
            "yy": self.gram[p, p],
            "n": self.found.sizes.astype(np.float64),
            "log_weights": np.zeros(len(self.found.members)),
        }

    def _sums(self, factor: _Factor) -> tuple[Floats, Floats]:
        """Z'Z and Z'[X y] by level: q × q × J × s and q × (p + 1) × J × s."""
        sums = LevelSums(self.found, factor.codes, factor.most)
        right = [*(c for c, _, _ in self.fixed), self.y]
        zz = np.stack([np.stack([sums(a, b) for b in factor.columns]) for a in factor.columns])
        return zz, np.stack([np.stack([sums(a, b) for b in right]) for a in factor.columns])

    def _single(self) -> ManyProducts:
        zz, beside = self._sums(self.factors[0])
        zx, zy = np.ascontiguousarray(beside[:, :-1]), np.ascontiguousarray(beside[:, -1])
        return ManyProducts(zz=zz, zx=zx, zy=zy, **self._shared())

    def _several(self) -> DenseProducts:
        elements = Elements([(factor.most, len(factor.columns)) for factor in self.factors])
        s, p = len(self.found.members), len(self.x.names)
        zz, zw = np.zeros((s, elements.size, elements.size)), np.empty((s, elements.size, p + 1))
        for f, (one, part) in enumerate(zip(self.factors, elements.parts, strict=True)):
            j, q = elements.shapes[f]
            own, beside = self._sums(one)
            zz[:, part, part].reshape(s, j, q, j, q)[:, np.arange(j), :, np.arange(j)] = own.transpose(2, 3, 0, 1)
            zw[:, part] = beside.transpose(3, 2, 0, 1).reshape(s, j * q, p + 1)
            for other, far in zip(self.factors[:f], elements.parts, strict=False):
                block = self._pairs(one, other)
                zz[:, part, far], zz[:, far, part] = block, block.swapaxes(1, 2)
        zx, zy = np.ascontiguousarray(zw[:, :, :p]), np.ascontiguousarray(zw[:, :, p])
        return DenseProducts(elements=elements, zz=zz, zx=zx, zy=zy, **self._shared())

    def _pairs(self, one: _Factor, other: _Factor) -> Floats:
        """Z'Z between two factors: s × (J q) × (K t)."""
        sums = LevelSums(self.found, one.codes * other.most + other.codes, one.most * other.most)
        blocks = np.stack([np.stack([sums(a, b) for b in other.columns]) for a in one.columns])
        q, t, _, s = blocks.shape
        wide = blocks.reshape(q, t, one.most, other.most, s).transpose(4, 2, 0, 3, 1)
        return wide.reshape(s, one.most * q, other.most * t)
