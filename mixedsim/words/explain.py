"""A formula in equations and in words."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args, overload

from mixedsim.equation import Blocks, Latex, latex_block, unicode_lines
from mixedsim.errors import FormulaError
from mixedsim.words import comparing
from mixedsim.words.anatomy import Anatomy, Family, anatomy
from mixedsim.words.cautions import cautions
from mixedsim.words.counting import assumed, in_words, parameters_of
from mixedsim.words.levels import levels
from mixedsim.words.notations import matrix, scalar, varying
from mixedsim.words.sentences import arrangement, sentences

Notation = Literal["scalar", "hlm", "varying", "matrix"]
_WRITTEN = {"scalar": scalar, "hlm": levels, "varying": varying, "matrix": matrix}
_WIDTH = 96


class Equations(str):
    """Equations as text in Unicode; `latex` has the same in LaTeX, which a notebook shows."""

    latex: Latex

    def __new__(cls, blocks: Blocks) -> Equations:
        kept = [list(block) for block in blocks]
        made = super().__new__(cls, "\n".join(unicode_lines(kept)[1:]))
        made.latex = latex_block(kept)
        return made

    def _repr_latex_(self) -> str:
        return self.latex._repr_latex_()


@dataclass(frozen=True, eq=False)
class Explanation:
    """What one formula says; prints as text, in a notebook with typeset equations.

    Attributes
    ----------
    anatomy : the formula in parts.
    notation : of the equations that are printed.
    """

    anatomy: Anatomy
    notation: Notation = "scalar"

    def equations(self, notation: Notation | None = None) -> Equations:
        """The equations as text, with LaTeX in ``.latex``; in the printed notation if none is named.

        Raises `FormulaError` for a notation that there is not.
        """
        return Equations(_WRITTEN[_known(notation or self.notation)](self.anatomy))

    @property
    def latex(self) -> Latex:
        """The equations in LaTeX: an ``aligned`` environment, which needs the package amsmath."""
        return self.equations().latex

    @property
    def formula(self) -> str:
        """The formula as it was given."""
        return self.anatomy.formula.text

    @cached_property
    def terms(self) -> dict[str, str]:
        """Every term as it is written → what it means."""
        return dict(sentences(self.anatomy))

    @cached_property
    def parameters(self) -> dict[str, int]:
        """Number of parameters by kind: fixed, standard deviations, correlations, residual."""
        return parameters_of(self.anatomy)

    @property
    def structure(self) -> tuple[str, ...]:
        """How the grouping factors lie to each other, in sentences."""
        return tuple(arrangement(self.anatomy))

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What the formula says that one may not have meant, in sentences."""
        return cautions(self.anatomy)

    def _counts(self) -> str:
        return f"{in_words(self.parameters)}.{assumed(self.anatomy)}"

    def __str__(self) -> str:
        others = ", ".join(f'"{one}"' for one in get_args(Notation) if one != self.notation)
        lines = [self.formula, "", *self.equations().splitlines(), ""]
        for term, sentence in self.terms.items():
            lines += _filled(f"{term}: {sentence}.")
        for sentence in self.structure:
            lines += _filled(sentence)
        lines += ["", *_filled(self._counts())]
        for warning in self.warnings:
            lines += _filled(f"Mind: {warning}")
        return "\n".join([*lines, "", f"Other notations: .equations(…) with {others}"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        terms = "".join(f"<li><code>{html.escape(one)}</code>: {html.escape(s)}.</li>" for one, s in self.terms.items())
        sentences = (*self.structure, self._counts(), *(f"Mind: {one}" for one in self.warnings))
        return f"<div>{_headed(self)}<ul>{terms}</ul>{_paragraphs(sentences)}</div>"


@dataclass(frozen=True, eq=False)
class FormulaComparison:
    """What a second formula adds to a first, and which test compares them; prints as text.

    Attributes
    ----------
    first, second : an `Explanation` of each.
    """

    first: Explanation
    second: Explanation

    @property
    def adds(self) -> tuple[str, ...]:
        """What the second has and the first has not."""
        one, two = self._parts()
        return tuple(comparing.listed_differences(two, one))

    @property
    def drops(self) -> tuple[str, ...]:
        """What the first has and the second has not."""
        one, two = self._parts()
        return tuple(comparing.listed_differences(one, two))

    @property
    def nested(self) -> bool:
        """Whether one of the models is a special case of the other."""
        return comparing.nesting(self.first.anatomy, self.second.anatomy) in ("first", "second")

    @cached_property
    def test(self) -> tuple[str, ...]:
        """Which test compares them and what to mind, in sentences."""
        return tuple(comparing.advice(self.first.anatomy, self.second.anatomy))

    @property
    def latex(self) -> Latex:
        """The equations of both in LaTeX, one below the other."""
        return Latex(f"\\begin{{gathered}}\n{self.first.latex} \\\\[2ex]\n{self.second.latex}\n\\end{{gathered}}")

    def _parts(self) -> tuple[comparing.Parts, comparing.Parts]:
        return comparing.parts(self.first.anatomy), comparing.parts(self.second.anatomy)

    def _sentences(self) -> tuple[str, ...]:
        relation = {
            "same": "Both say the same.",
            "first": "They are nested: the first is a special case of the second.",
            "second": "They are nested: the second is a special case of the first.",
            "neither": "They are not nested: neither is a special case of the other.",
        }[comparing.nesting(self.first.anatomy, self.second.anatomy)]
        return (
            f"The second adds {comparing.joined(list(self.adds))}.",
            f"It drops {comparing.joined(list(self.drops))}.",
            f"The first has {in_words(self.first.parameters)}.",
            f"The second has {in_words(self.second.parameters)}.",
            *([relation] if comparing.comparable(self.first.anatomy, self.second.anatomy) else []),
            *self.test,
        )

    def __str__(self) -> str:
        lines = [f"First:  {self.first.formula}", "", *self.first.equations().splitlines(), ""]
        lines += [f"Second: {self.second.formula}", "", *self.second.equations().splitlines(), ""]
        for sentence in self._sentences():
            lines += _filled(sentence)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<div>{_headed(self.first)}{_headed(self.second)}{_paragraphs(self._sentences())}</div>"


@overload
def explain(
    formula: str, other: None = None, data: Any = None, *, notation: Notation = "scalar", family: Family | None = None
) -> Explanation: ...
@overload
def explain(
    formula: str, other: str, data: Any = None, *, notation: Notation = "scalar", family: Family | None = None
) -> FormulaComparison: ...
def explain(
    formula: str,
    other: str | None = None,
    data: Any = None,
    *,
    notation: Notation = "scalar",
    family: Family | None = None,
) -> Explanation | FormulaComparison:
    """A formula in equations and in words: an `Explanation`, which prints; of two, a `FormulaComparison`.

    Parameters
    ----------
    formula : in lme4's grammar; without a random term it is ordinary regression.
    other : a second formula, to be compared with the first.
    data : a table with the formula's columns. It makes counts exact where categories have several coefficients, shows
        which variables belong to a group and not to a row, and which grouping factors are nested.
    notation : of the equations: ``"scalar"``, one line a row of data; ``"hlm"``, one level at a time with γ and u;
        ``"varying"``, coefficients that differ between groups; ``"matrix"``, y = Xβ + Zb + ε.
    family : ``"gaussian"``, ``"binomial"`` (with the logit link; a response ``successes / trials`` is binomial anyway)
        or ``"poisson"`` (with the log link).

    Raises
    ------
    FormulaError
        If a formula cannot be read, with a caret where it fails; for another notation or family.
    DataError
        If the data lack a column.

    Examples
    --------
    >>> import mixedsim as ms
    >>> words = ms.explain("Reaction ~ Days + (Days | Subject)")
    >>> words.terms["(Days | Subject)"]
    'every Subject has an intercept and a slope of Days of its own; the two may be correlated: 2 standard deviations and 1 correlation'
    >>> print(words.equations("hlm").split("level 1")[0])
    Reactionᵢⱼ = β₀ⱼ + β₁ⱼ·Daysᵢⱼ + rᵢⱼ   (
    >>> ms.explain("Reaction ~ Days + (1 | Subject)", "Reaction ~ Days + (Days | Subject)").adds
    ('a slope of Days for every Subject (1 standard deviation)', 'the correlation of the intercept and the slope of Days between levels of Subject')
    """  # noqa: E501
    _known(notation)
    first = Explanation(anatomy(formula, data, family), notation)
    if other is None:
        return first
    return FormulaComparison(first, Explanation(anatomy(other, data, family), notation))


def _known(notation: Notation) -> Notation:
    if notation not in _WRITTEN:
        allowed = ", ".join(map(repr, _WRITTEN))
        raise FormulaError(f"notation must be one of {allowed}, found {notation!r}.")
    return notation


def _filled(sentence: str) -> list[str]:
    return textwrap.wrap(
        sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _headed(one: Explanation) -> str:
    """A formula as a heading, its equations below."""
    equations = html.escape(one.latex._repr_latex_(), quote=False)
    # A book made by Sphinx typesets what has this class and nothing else; a notebook typesets everything.
    return f'<p><b><code>{html.escape(one.formula)}</code></b></p><div class="math">{equations}</div>'


def _paragraphs(sentences: tuple[str, ...]) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
