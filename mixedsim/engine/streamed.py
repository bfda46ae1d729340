"""A fit of rows that come in chunks: cross-products chunk by chunk, added up, and standardised at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.columns import Columns
from mixedsim.design import Design, GroupingFactor, VaryingTerm, check_terms
from mixedsim.engine.covariance import FactorShape, Layout
from mixedsim.engine.cross_products import CrossProducts
from mixedsim.engine.portion import Portion, measured
from mixedsim.engine.problem import Problem, side_by_side
from mixedsim.engine.ruler import RowColumns, Ruler, cut, row_columns
from mixedsim.engine.standardise import Units, first_dependent, fixed_units, in_units, reordered, taken, term_units
from mixedsim.errors import DataError
from mixedsim.formula import Formula, check_varies_once, unquote, variables_of
from mixedsim.grouping import check_factor
from mixedsim.measurements import constant_response
from mixedsim.ranges import check_range, lost_digits
from mixedsim.scaling import FixedScaling, ResponseScaling
from mixedsim.streams import Asked, Chunk, Learned, Source, Tally, learn, sweep
from mixedsim.streams.group_levels import settled
from mixedsim.streams.kept import Kept

Floats = NDArray[np.float64]


class Absent:
    """Rows that are not in memory: whoever asks for them gets one sentence.

    Parameters
    ----------
    source : what they were read from.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def _refuse(self, *_: Any) -> NoReturn:
        raise DataError(
            f"this needs the rows in memory, but the model read them in chunks from {self._source} and kept their sums "
            "alone: fit a DataFrame of them, or of a part."
        )

    __len__ = __iter__ = __getitem__ = __array__ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __neg__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()


@dataclass(frozen=True, eq=False)
class StreamedDesign(Design):
    """A design whose rows are elsewhere: `y`, `x.columns`, `index` and the codes of its factors are `Absent`.

    Attributes
    ----------
    source : where they are.
    asked : which of its columns were read.
    learned : how columns are made of a chunk.
    used_rows : n.
    fixed_covariance : k × k, of the standardised fixed columns over the rows.
    varying_squares : for each factor q × q, the mean of ``z z'`` of its standardised columns over the rows.
    """

    source: Source = None  # type: ignore[assignment]
    asked: Asked = None  # type: ignore[assignment]
    learned: Learned = None  # type: ignore[assignment]
    used_rows: int = 0
    fixed_covariance: Floats = None  # type: ignore[assignment]
    varying_squares: tuple[Floats, ...] = ()

    @property
    def rows(self) -> int:
        """n, the number of rows used."""
        return self.used_rows

    @property
    def in_memory(self) -> bool:
        """False: there are sums alone."""
        return False


@dataclass(frozen=True, eq=False)
class StreamedFactor(GroupingFactor):
    """A grouping factor of which only the levels are in memory.

    Attributes
    ----------
    counts : J numbers of rows.
    """

    counts: NDArray[np.int64] = None  # type: ignore[assignment]

    def rows_by_level(self) -> NDArray[np.int64]:
        """J numbers of rows."""
        return self.counts

    def cells(self, term: VaryingTerm) -> int:
        """How many combinations of levels and effects there may be."""
        return len(self.levels) * len(term.columns.names)


def pose_stream(formula: Formula, source: Source, asked: Asked) -> tuple[StreamedDesign, Problem]:
    """Return design and standardised problem of rows that are read in chunks, twice where they must be.

    Parameters
    ----------
    formula : the parsed formula.
    source : where the rows come from.
    asked : the columns to read.

    Raises
    ------
    DataError
        As `mixedsim.design.build` does, and for a chunk that cannot be read: it names the file.
    """
    check_varies_once(formula)
    learned, first = learn(formula, source, asked)
    rows = row_columns(formula, learned, first)
    ruler = cut(rows)
    summed = _sum(formula, source, asked, learned, ruler, rows)
    units = _units(summed)
    if units.mix is not None:  # columns that nearly depend on each other lose digits in sums: again, made orthogonal
        summed = _sum(formula, source, asked, learned, replace(ruler, mix=units.mix), rows)
        units = _units(summed)
    return _finished(formula, source, asked, learned, summed, units)


@dataclass(frozen=True, eq=False)
class Summed:
    """All rows in one portion, with the ruler that it was measured by and what became of the rows."""

    portion: Portion
    ruler: Ruler
    tally: Tally
    x: Columns  # of the first rows, for names and terms
    terms: tuple[tuple[Columns, ...], ...]


def _sum(formula: Formula, source: Source, asked: Asked, learned: Learned, ruler: Ruler, rows: RowColumns) -> Summed:
    """Read all rows."""
    tally, whole = sweep(source, asked, learned.held, _Measure(formula, learned, ruler))
    return Summed(whole, ruler, tally, rows.x, rows.terms)


@dataclass(frozen=True, eq=False)
class _Measure:
    """What is done to a chunk; it can be sent to another process."""

    formula: Formula
    learned: Learned
    ruler: Ruler

    def __call__(self, chunk: Chunk, own: Kept) -> Portion:
        return measured(self.formula, self.learned, self.ruler, own)


def _units(summed: Summed) -> Units:
    """Standard units for the fixed columns as they were measured."""
    names, ranges = summed.x.names, summed.portion.ranges
    constant = [name in ranges and ranges[name].low == ranges[name].high for name in names]
    p = len(names)
    return fixed_units(
        summed.portion.gram[: p + 1, : p + 1],
        summed.tally.used,
        names.index("Intercept") if "Intercept" in names else None,
        constant,
    )


def _finished(
    formula: Formula, source: Source, asked: Asked, learned: Learned, summed: Summed, units: Units
) -> tuple[StreamedDesign, Problem]:
    """The design and its problem, levels in their order and columns in standard units."""
    absent, n = Absent(source.name), summed.tally.used
    messages = [*summed.tally.messages(sorted(asked.names)), *learned.messages, *_checked(formula, asked, summed)]
    factors, cp, order = _factors(formula, learned, summed, absent)
    messages += _check_factors(formula, learned, factors, summed, cp, order)
    varying = [_varying(summed, f) for f in order]
    x = Columns(summed.x.names, absent, n, summed.x.terms, learned.specs[formula.fixed])  # type: ignore[arg-type]
    design = StreamedDesign(
        formula=formula,
        y=absent,  # type: ignore[arg-type]
        x=x,
        variables=_typical(formula, learned, summed),
        factors=tuple(factors),
        weights=None if asked.weights is None else absent,  # type: ignore[arg-type]
        offset=None if asked.offset is None else absent,  # type: ignore[arg-type]
        kinds=learned.held.kinds,
        index=absent,  # type: ignore[arg-type]
        used=absent,  # type: ignore[arg-type]
        rows_given=summed.tally.given,
        messages=tuple(dict.fromkeys(messages)),
        source=source,
        asked=asked,
        learned=learned,
        used_rows=n,
        fixed_covariance=_covariance(summed, units),
        varying_squares=tuple(t.T @ summed.portion.varying[f] @ t / n for f, t in zip(order, varying, strict=True)),
    )
    return design, _problem(summed, units, cp, varying, order, absent)


def _covariance(summed: Summed, units: Units) -> Floats:
    """Of the standardised fixed columns, over the rows: k × k."""
    p, n = len(summed.x.names), summed.tally.used
    gram = summed.portion.gram
    means = gram[0, 1 : p + 1] / n
    spread = (gram[1 : p + 1, 1 : p + 1] - n * np.outer(means, means)) / max(n - 1, 1)
    return np.asarray(units.matrix.T @ spread @ units.matrix)


def _varying(summed: Summed, f: int) -> Floats:
    """What the columns of factor f are multiplied by to be standard: q × q."""
    portion, n = summed.portion, summed.tally.used
    starts = np.cumsum([0, *(len(term.names) for term in summed.terms[f])])
    unit = 1.0 / float(np.sqrt(portion.weight / n))
    own = []
    for k, term in enumerate(summed.terms[f]):
        where = slice(starts[k], starts[k + 1])
        centre = term.names.index("Intercept") if "Intercept" in term.names else None
        own.append(term_units(portion.varying[f][where, where], n, centre, unit))
    return side_by_side(own)


def _checked(formula: Formula, asked: Asked, summed: Summed) -> list[str]:
    """What the range of a column says against it."""
    name = unquote(formula.response)
    response = summed.portion.ranges[""]
    if response.low == response.high and summed.tally.used > 1:
        raise constant_response(formula, response.low, asked.offset is not None)
    check_terms(formula, summed.x.terms)
    messages = []
    for what, own in summed.portion.ranges.items():
        label = repr(what or name)
        if not np.isfinite([own.low, own.high]).all():
            raise DataError(f"the column {label} is not finite in some rows: check what goes into it.")
        check_range(f"column {label} holds", np.array([own.low, own.high]))
        messages += lost_digits(label, own.low, own.high)
    return messages


def _factors(
    formula: Formula, learned: Learned, summed: Summed, absent: Absent
) -> tuple[list[StreamedFactor], CrossProducts, list[int]]:
    """Grouping factors, the one with most levels first; the cross-products alike; and the order of the formula's."""
    factors, cp = [], summed.portion.cp
    for f, group in enumerate(formula.groups):
        levels, where = settled(summed.portion.levels[f], summed.portion.rows[f], learned.sorted)
        cp = taken(cp, f, where)
        mine = [term for term in formula.terms if term.group == group]
        terms = tuple(
            VaryingTerm(term, replace(own, columns=absent, rows=summed.tally.used))  # type: ignore[arg-type]
            for term, own in zip(mine, summed.terms[f], strict=True)
        )
        counts = summed.portion.rows[f][where]
        factors.append(StreamedFactor(group, absent, levels, terms, counts))  # type: ignore[arg-type]
    order = sorted(range(len(factors)), key=lambda f: -len(factors[f].levels))
    return [factors[f] for f in order], reordered(cp, order), order


def _check_factors(
    formula: Formula,
    learned: Learned,
    factors: list[StreamedFactor],
    summed: Summed,
    cp: CrossProducts,
    order: list[int],
) -> list[str]:
    evidence = _FromSums(factors, cp, [summed.portion.varying[f] for f in order])
    categories = {name for name, kind in learned.held.kinds.items() if kind == "categories"}
    messages = []
    for place in sorted(range(len(factors)), key=lambda i: order[i]):  # in the formula's order, as in memory
        others = [factors[i] for i in range(len(factors)) if order[i] < order[place]]
        messages += check_factor(factors[place], others, formula.fixed, categories, evidence=evidence)
    return messages


@dataclass(frozen=True, eq=False)
class _FromSums:
    """Whether effects can be told apart, from sums over the rows."""

    factors: list[StreamedFactor]
    cp: CrossProducts
    grams: list[Floats]

    def dependent(self, factor: GroupingFactor, terms: Sequence[VaryingTerm]) -> str | None:
        """The first effect of these terms that depends linearly on earlier ones, or is zero in all rows."""
        place = self._place(factor)
        names = [name for term in factor.terms for name in term.columns.names]
        starts = np.cumsum([0, *(len(term.columns.names) for term in factor.terms)])
        own = [j for t, term in enumerate(factor.terms) if term in terms for j in range(starts[t], starts[t + 1])]
        first = first_dependent(self.grams[place][np.ix_(own, own)], [names[j] for j in own])
        return None if first is None else names[own[first]]

    def alike(self, a: GroupingFactor, b: GroupingFactor) -> bool:
        """Whether two factors with equally many levels group the rows alike."""
        f, g = sorted((self._place(a), self._place(b)))
        return len(self.cp.cross[f, g].left) == len(a.levels)

    def _place(self, factor: GroupingFactor) -> int:
        return next(i for i, own in enumerate(self.factors) if own is factor)


def _typical(formula: Formula, learned: Learned, summed: Summed) -> dict[str, Any]:
    """Few values with the levels and the mean of every predictor: what a reference grid asks for."""
    out: dict[str, Any] = {}
    for name in sorted(variables_of(formula.fixed)):
        if name in learned.levels and learned.held.kinds[name] == "categories":
            out[name] = pd.Categorical(learned.levels[name], categories=learned.levels[name])
        elif name in learned.levels:
            out[name] = learned.levels[name].to_numpy()
        elif name in summed.portion.means:
            boolean = name in learned.booleans
            out[name] = np.array([False, True]) if boolean else np.array([summed.portion.means[name][1]])
    return out


def _problem(
    summed: Summed,
    units: Units,
    cp: CrossProducts,
    varying: Sequence[Floats],
    order: Sequence[int],
    absent: Absent,
) -> Problem:
    """The standardised problem, and the way back to the units of the data."""
    portion, ruler, n = summed.portion, summed.ruler, summed.tally.used
    names, kept = summed.x.names, list(units.kept)
    intercept = names.index("Intercept") if "Intercept" in names else None
    terms = [summed.terms[f] for f in order]
    before = [side_by_side([ruler.term(term) for term in some]) for some in terms]
    shapes = [FactorShape(len(zz), tuple(len(t.names) for t in some)) for zz, some in zip(cp.zz, terms, strict=True)]
    mean = float(portion.gram[0, -1]) / n if intercept is not None else 0.0
    scale = float(np.sqrt(portion.gram[-1, -1] / n - mean**2))
    shift = np.zeros(len(names))
    if intercept is not None:
        shift[intercept] = mean
    return Problem(
        cp=in_units(cp, units.matrix, varying, shift, scale),
        layout=Layout(shapes),
        fixed=FixedScaling(
            absent,  # type: ignore[arg-type]
            units.kept,
            units.dropped,
            (ruler.fixed(summed.x) @ units.matrix)[kept],
            units.matrix.T @ portion.gram[1:-1, 1:-1] @ units.matrix,
            _dependent(portion.gram[1:-1, 1:-1], ruler.fixed(summed.x), units),
        ),
        varying=tuple(a @ b for a, b in zip(before, varying, strict=True)),
        response=ResponseScaling(ruler.response.centre + mean * ruler.response.scale, scale * ruler.response.scale),
        intercept=kept.index(intercept) if intercept is not None else None,
    )


def _dependent(gram: Floats, before: Floats, units: Units) -> Floats:
    """What the dropped columns are made of, in the units of the data: kept × dropped."""
    kept, dropped, b = list(units.kept), list(units.dropped), units.matrix
    found = b @ np.linalg.solve(b.T @ gram @ b, b.T @ gram[:, dropped])
    return np.asarray(((before @ found)[kept] - before[np.ix_(kept, dropped)]) / before[dropped, dropped])
