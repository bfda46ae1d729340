"""How the columns of a formula are made of factor levels: three codings of one space.

Each column of X is a product of numeric columns and of codes of factor levels. Written in products of numeric columns
and *treatment* indicators ("level k of a", k = 2, 3, …), the atoms, the following are plain matrices of small numbers:

* `fitted`: the columns as the formula codes them (treatment, sum, polynomial, Helmert …);
* `treatment`: the same columns had every factor been coded against its first level;
* `saturated`: for each term a column for every combination of levels, dependent on each other.

So a hypothesis can be stated in whatever coding is convenient and carried over to the coefficients that were fitted,
and it never depends on how somebody chose to code a factor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from formulaic.parser.types import Term as FormulaicTerm
from numpy.typing import NDArray

from mixedsim.columns import ColumnSpec
from mixedsim.formula import column_of, fixed_terms
from mixedsim.plain_columns import reduced

Floats = NDArray[np.float64]
Atom = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Term:
    """A term of the fixed part: its name, and which of its parts are factors and which are numbers."""

    name: str
    factors: frozenset[str]
    numeric: frozenset[str]

    def contains(self, other: Term) -> bool:
        """Whether the other term is part of this one: the same numbers, and some factors fewer."""
        return self.numeric == other.numeric and other.factors < self.factors


@dataclass(frozen=True, eq=False)
class Coding:
    """Three codings of the space that the fixed effects span (a atoms, p columns, s saturated columns).

    Attributes
    ----------
    terms : the terms, the intercept (named ``"1"``) among them.
    of_term : p integers, the term that each column belongs to.
    fitted, treatment : a × p.
    saturated : a × s.
    """

    terms: tuple[Term, ...]
    of_term: NDArray[np.intp]
    fitted: Floats
    treatment: Floats
    saturated: Floats


@dataclass(frozen=True, eq=False)
class _Part:
    """A factor or number within a term: l × k codes (rows of a number are its k columns), and whether l are levels."""

    name: str
    codes: Floats
    reduced: bool
    is_factor: bool

    @property
    def treatment(self) -> Floats:
        """The same part coded against its first level."""
        if not self.is_factor:
            return self.codes
        return np.eye(len(self.codes))[:, 1 if self.reduced else 0 :]

    @property
    def saturated(self) -> Floats:
        """The same part with a column for each level."""
        return np.eye(len(self.codes))


Blocks = list[tuple[str, list[list[_Part]]]]  # of each term its name, and the products that it is made of


def coding(spec: ColumnSpec, variables: Mapping[str, Any]) -> Coding:
    """Return the `Coding` of the fixed part that `spec` describes.

    Parameters
    ----------
    spec : of the fixed-effect columns.
    variables : the columns of the data that they are made of; a boolean one is a factor with two levels.
    """
    blocks = _plain(spec) if spec.model_spec is None else _structured(spec)
    blocks = _switched(blocks, {name for name, v in variables.items() if getattr(v, "dtype", None) == np.bool_})
    atoms: dict[Atom, int] = {}
    fitted, treatment, saturated, terms, of_term = [], [], [], [], []
    for number, (name, scoped) in enumerate(blocks):
        parts = {part.name: part for pieces in scoped for part in pieces}
        factors = frozenset(n for n, part in parts.items() if part.is_factor)
        terms.append(Term(name, factors, frozenset(parts) - factors))
        for pieces in scoped:
            fitted.append(_expand(pieces, [part.codes for part in pieces], atoms))
            treatment.append(_expand(pieces, [part.treatment for part in pieces], atoms))
            of_term += [number] * fitted[-1][1].shape[1]
        whole = list(parts.values())
        saturated.append(_expand(whole, [part.saturated for part in whole], atoms))
    return Coding(
        tuple(terms),
        np.array(of_term, dtype=np.intp),
        *(_stack(some, len(atoms)) for some in (fitted, treatment, saturated)),
    )


def _plain(spec: ColumnSpec) -> Blocks:
    """Plain terms: every number is one column, every factor is coded against its first level."""
    terms = fixed_terms(spec.rhs)

    def part(term: FormulaicTerm, name: str) -> _Part:
        if name not in spec.levels:
            return _Part(name, np.ones((1, 1)), False, False)
        without_first = reduced(term, name, terms)
        return _Part(name, np.eye(len(spec.levels[name]))[:, int(without_first) :], without_first, True)

    return [
        (str(term), [[part(term, name) for f in term.factors if (name := column_of(f)) is not None]])
        for term in terms
    ]


def _structured(spec: ColumnSpec) -> Blocks:
    """Terms as formulaic put them together; a term may be spread over several products."""
    model = spec.model_spec
    assert model is not None
    contrasts = {factor.expr: state for factor, state in model.factor_contrasts.items()}
    names = " ".join(name for entry in model.structure for name in entry.columns)

    def part(expr: str, reduced: bool) -> _Part:
        if expr not in contrasts:
            columns = set(re.findall(rf"(?<![\w.`]){re.escape(expr)}(\[[^\]]*\])", names))
            return _Part(expr, np.eye(max(len(columns), 1)), False, False)
        matrix = contrasts[expr].get_coding_matrix(reduced_rank=reduced)
        return _Part(expr, np.asarray(matrix, dtype=np.float64), reduced, True)

    return [
        (
            str(entry.term),
            [
                [part(f.factor.expr, bool(f.reduced)) for f in scoped.factors if f.factor.expr != "1"]
                for scoped in entry.scoped_terms
            ],
        )
        for entry in model.structure
    ]


def _switched(blocks: Blocks, switches: set[str]) -> Blocks:
    """Boolean columns as factors, where every term with one stands beside the same term without (else as 0 and 1)."""
    present = [{part.name for part in pieces} for _, scoped in blocks for pieces in scoped]
    switches = {s for s in switches if all(names - {s} in present for names in present if s in names)}
    yes = np.array([[0.0], [1.0]])

    def switched(part: _Part) -> _Part:
        return _Part(part.name, yes, True, True) if part.name in switches and not part.is_factor else part

    return [(name, [[switched(part) for part in pieces] for pieces in scoped]) for name, scoped in blocks]


def _expand(pieces: Sequence[_Part], codes: Sequence[Floats], atoms: dict[Atom, int]) -> tuple[list[int], Floats]:
    """The products of the pieces' columns, the first piece's varying fastest: their atoms, and coefficients."""
    labels: list[Atom] = [()]
    values = []
    for piece, matrix in zip(pieces, codes, strict=True):
        # the value v_k of a code at level k is v_1 plus (v_k − v_1) times the indicator of level k
        value = np.vstack([matrix[:1], matrix[1:] - matrix[:1]]) if piece.is_factor else matrix
        values.append(value)
        labels = [
            (*label, (piece.name, k)) if k or not piece.is_factor else label
            for k in range(len(value))
            for label in labels
        ]
    block: Floats = np.ones((1, 1))
    for value in values:
        block = np.asarray(np.kron(value, block), dtype=np.float64)
    rows = [atoms.setdefault(tuple(sorted(label)), len(atoms)) for label in labels]
    return rows, block


def _stack(blocks: Sequence[tuple[list[int], Floats]], atoms: int) -> Floats:
    """The blocks side by side, each row where its atom stands."""
    out = np.zeros((atoms, sum(block.shape[1] for _, block in blocks)))
    start = 0
    for rows, block in blocks:
        out[rows, start : start + block.shape[1]] = block
        start += block.shape[1]
    return out
