"""Equations that can be printed in three ways: Unicode for a terminal, HTML, and LaTeX for a page or a paper.

An equation is built once, as text in which an index stands between two marks, and so does a name that is no plain word.
The ways of printing differ only in what they make of the marks: ``depressionᵢⱼ``, ``<i>depression</i><sub>ij</sub>``,
``\\text{depression}_{ij}``. A few bold letters stand for vectors and matrices; only LaTeX prints them bold.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

OPEN, CLOSE = "\ue000", "\ue001"  # around an index; from the private area, so that no name contains them
_BEGIN, _END = "\ue002", "\ue003"  # around a name that is no plain word
_WIDTH, _LATEX_WIDTH = 96, 80

_INDEXED = re.compile(rf"(?:{_BEGIN}(.*?){_END}|(\w+)){OPEN}(.+?){CLOSE}")
_SUBSCRIPTS = str.maketrans("0123456789aijklmnprstuv[]", "₀₁₂₃₄₅₆₇₈₉ₐᵢⱼₖₗₘₙₚᵣₛₜᵤᵥ₍₎")
_BOLD = dict(zip("𝐲𝐗𝐙𝐛𝐈𝟎𝛃𝛆𝚺", "yXZbI0βεΣ", strict=True))
_PLAIN = str.maketrans(_BOLD)
_MACROS = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi "
    "psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _MACROS.split(), strict=True))
_SIGNS = {
    "−": "-", "·": r" \cdot ", "×": r" \times ", "…": r"\ldots ", "→": r"\to ", "~": r"\sim ", "–": r"\text{–}",
    "≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "²": "^{2}", "ᵀ": r"^{\top}",
    "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "_": r"\_", "{": r"\{", "}": r"\}", "\\": r"\backslash ",
    "==": "=", "!=": r"\neq ", "<=": r"\leq ", ">=": r"\geq ",
}  # fmt: skip
# MathJax knows no escapes in \text but those of dollars, so everything else goes through mathematics there.
_IN_TEXT = {c: f"${sign.strip()}$" for c, sign in _SIGNS.items() if len(c) == 1 and c not in "−–$"}
_IN_TEXT |= {c: rf"$\{word}$" for c, word in _GREEK.items()} | {"$": r"\$", "−": "-", "^": r"$\wedge$"}
_IN_TEXT |= {_BEGIN: "", _END: ""}
_LETTER = r"[^\W\d²ᵀ𝐲𝐗𝐙𝐛𝐈𝟎𝛃𝛆𝚺]"  # of a name; bold ones stand for themselves
_SIGN = r"[^\W²ᵀ𝐲𝐗𝐙𝐛𝐈𝟎𝛃𝛆𝚺]"  # a letter or a digit of a name
_WORD = rf"(?![α-ωΑ-Ω]){_LETTER}{_SIGN}*(?!{_SIGN}|\(|{OPEN})"
_TOKEN = re.compile(
    rf"(?P<indexed>{_INDEXED.pattern})|(?P<named>{_BEGIN}.*?{_END})|(?P<bold>[𝐲𝐗𝐙𝐛𝐈𝟎𝛃𝛆𝚺])"
    r"|(?P<label>(?<==)\ [^][]+(?=\]))|(?P<quoted>'[^']*'|\"[^\"]*\")"
    rf"|(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?(?:e[-−+]?\d+)?(?!{_SIGN}))"
    rf"|(?P<call>{_LETTER}{_SIGN}*)(?=\()|(?P<greek>[α-ωΑ-Ω](?!{_SIGN}))|(?P<words>\ *{_WORD}(?:\ +{_WORD})*\ *)"
    rf"|(?P<word>{_SIGN}+)|(?P<power>\^|\ ?\*\*\ ?)|(?P<sign>[=!<>]=|.)",
    re.DOTALL,
)
_COUNTED = re.compile(r"[a-t]{1,4}(\[i\])?")  # the letters on the left of what they count


@dataclass(frozen=True)
class Matrix:
    """Rows of cells between round brackets; a vector has rows of one cell."""

    rows: tuple[tuple[str, ...], ...]


Part = str | Matrix


@dataclass(frozen=True)
class Equation:
    """One line: left side, ``=`` or ``~``, the addends of the right side, a remark."""

    left: Part
    relation: str
    right: tuple[Part, ...]
    remark: str = ""


Blocks = Iterable[Sequence[Equation]]


class Latex(str):
    """LaTeX of a block of equations, without the dollars; a notebook shows it typeset."""

    def _repr_latex_(self) -> str:
        return f"$$\n{self}\n$$"


def indexed(name: str, index: str) -> str:
    """A name with its index between the marks."""
    return f"{name}{OPEN}{index}{CLOSE}" if index else name


def named(name: str) -> str:
    """A name in marks, unless it is a plain word."""
    return name if re.fullmatch(r"\w+", name) else f"{_BEGIN}{name}{_END}"


def in_unicode(text: str) -> str:
    """Marked text for a terminal."""
    text = _INDEXED.sub(lambda found: (found[1] or found[2]) + found[3].translate(_SUBSCRIPTS), text)
    return text.translate(_PLAIN).replace(_BEGIN, "").replace(_END, "")


def in_html(text: str) -> str:
    """Marked text as HTML."""
    text = _INDEXED.sub(lambda found: f"<i>{found[1] or found[2]}</i><sub>{found[3]}</sub>", html.escape(text))
    return text.translate(_PLAIN).replace(_BEGIN, "").replace(_END, "")


def in_latex(text: str) -> str:
    """Marked text as LaTeX for mathematics mode (amsmath)."""
    pieces, at = [], 0
    while (found := _TOKEN.match(text, at)) is not None:
        at = found.end()
        if found.lastgroup != "power":
            pieces.append(_token(str(found.lastgroup), found))
            continue
        if text[at : at + 1] == "(":  # the brackets of an exponent are shown by its place
            inside = _closing(text, at)
            pieces.append(f"^{{{in_latex(text[at + 1 : inside])}}}")
            at = inside + 1
        else:
            follows = _TOKEN.match(text, at)
            exponent = "" if follows is None else _token(str(follows.lastgroup), follows)
            pieces.append(f"^{{{exponent.strip()}}}")
            at = at if follows is None else follows.end()
    return "".join(pieces)


def _token(kind: str, found: re.Match[str]) -> str:
    text = found.group()
    if kind == "indexed":
        name, index = found[2] or found[3], found[4]
        square = "^{2}" if name.endswith("²") else ""
        return f"{_name(name.removesuffix('²')).strip()}_{{{_index(index)}}}{square}"
    if kind == "named":
        return _name(text[1:-1])
    if kind in ("label", "quoted"):
        return as_words(text.strip())
    if kind == "number":
        mantissa, _, exponent = text.replace(",", "{,}").partition("e")
        return mantissa + (rf" \times 10^{{{int(exponent.replace('−', '-'))}}}" if exponent else "")
    if kind == "call":
        return rf"\{text}" if text in ("log", "exp") else rf"\operatorname{{{_escaped(text)}}}"
    if kind in ("greek", "bold"):
        return _name(text)
    if kind in ("words", "word"):
        single = text.strip()
        return text.replace(single, _name(single)) if len(single) == 1 else as_words(text)
    return _SIGNS.get(text, text)


def as_words(text: str) -> str:
    """Upright words within mathematics."""
    return rf"\text{{{_escaped(text)}}}"


def _name(name: str) -> str:
    """One letter is a symbol, a longer name is upright text."""
    if name in _BOLD:
        plain = _BOLD[name]
        return rf"\boldsymbol{{\{_GREEK[plain]}}}" if plain in _GREEK else rf"\mathbf{{{plain}}}"
    if name in _GREEK:
        return rf"\{_GREEK[name]} "
    return name if len(name) == 1 and name not in _IN_TEXT else as_words(name)


def _index(index: str) -> str:
    return "".join(rf"\{_GREEK[c]} " if c in _GREEK else c for c in index)


def _escaped(text: str) -> str:
    """Text for ``\\text{…}``."""
    return "".join(_IN_TEXT.get(c, c) for c in text)


def _closing(text: str, at: int) -> int:
    """Where the bracket closes that opens at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    return len(text)


def unicode_lines(blocks: Blocks) -> list[str]:
    """Equations in Unicode, aligned at their relation, an empty line before each block."""
    blocks = [list(block) for block in blocks]
    lefts = [_box(one.left) for block in blocks for one in block]
    widest = max((len(left[0]) for left in lefts), default=0)
    lines: list[str] = []
    for block in blocks:
        lines.append("")
        for one in block:
            if any(isinstance(part, Matrix) for part in (one.left, *one.right)):
                remark = [f"  ({in_unicode(one.remark)})"] if one.remark else []
                left = [f"  {line:<{widest}}" for line in _box(one.left)]
                lines += _beside([left, [f" {one.relation} "], *map(_box, one.right), remark or [""]])
            else:
                start = f"  {_box(one.left)[0]:<{widest}} {one.relation} "
                lines += _wrapped(start, [_box(part)[0] for part in one.right], in_unicode(one.remark))
    return lines


def latex_block(blocks: Blocks) -> Latex:
    """Equations as one ``aligned`` environment, a little space between blocks."""
    texts = []
    for block in blocks:
        rows = []
        for one in block:
            left, relation = _left_in_latex(one)
            lines = list(map(_line_in_latex, _lines(one)))
            if one.relation == ":":
                lines = [_prose(" ".join(map(str, one.right)))]
            remark = rf"\quad {_prose(f'({one.remark})')}" if one.remark else ""
            rows.append(f"{left} {relation}" + " \\\\\n&\\quad {}".join(lines) + remark)
        texts.append(" \\\\\n".join(rows))
    return Latex("\\begin{aligned}\n" + " \\\\[1ex]\n".join(texts) + "\n\\end{aligned}")


def _lines(one: Equation) -> list[list[Part]]:
    """The addends of the right side, on as many lines as they need."""
    if any(isinstance(part, Matrix) for part in one.right):
        return [list(one.right)]
    lines: list[list[Part]] = [[]]
    width = start = len(_box(one.left)[0]) + 3
    for part in one.right:
        own = len(_box(part)[0]) + 1
        if lines[-1] and width + own > _LATEX_WIDTH:
            lines.append([])
            width = start
        lines[-1].append(part)
        width += own
    return lines


def _prose(text: str) -> str:
    """Words, as text if nothing in them has an index."""
    return in_latex(text) if _INDEXED.search(text) else as_words(text)


def _left_in_latex(one: Equation) -> tuple[str, str]:
    """The left side and the relation."""
    sign = _SIGNS.get(one.relation, one.relation).strip()
    if one.relation != ":":
        return _part_in_latex(one.left), f"&{sign} "
    letters = isinstance(one.left, str) and _COUNTED.fullmatch(one.left)
    return str(one.left) if letters else _part_in_latex(one.left), r"&\text{: }"


def _line_in_latex(line: Sequence[Part]) -> str:
    """Addends of one line; around matrices, the outer brackets are as tall as those."""
    if not any(isinstance(part, Matrix) for part in line):
        return in_latex(" ".join(map(str, line)))
    text = " ".join(_part_in_latex(part) for part in line)
    return r"\right)".join(text.replace("(", r"\left(", 1).rsplit(")", 1))


def _part_in_latex(part: Part) -> str:
    if isinstance(part, str):
        return in_latex(part)
    rows = [" & ".join(map(in_latex, row)) for row in part.rows]
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"


def _box(part: Part) -> list[str]:
    """A part as lines of equal width."""
    if isinstance(part, str):
        return [in_unicode(part)]
    cells = [[in_unicode(cell) for cell in row] for row in part.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = ["  ".join(cell.center(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    last = len(rows) - 1
    ends = [("(", ")")] if last == 0 else [("⎛", "⎞"), *[("⎜", "⎟")] * (last - 1), ("⎝", "⎠")]
    return [f"{a}{row}{b}" for (a, b), row in zip(ends, rows, strict=True)]


def _beside(boxes: Sequence[Sequence[str]]) -> list[str]:
    """Boxes side by side, each at middle height."""
    height = max(map(len, boxes))
    columns = []
    for box in boxes:
        width, above = max(map(len, box)), (height - len(box)) // 2
        padded = [" " * width] * above + [f"{line:<{width}}" for line in box]
        columns.append([line for line, _ in zip_longest(padded, range(height), fillvalue=" " * width)])
    return ["".join(row).rstrip() for row in zip(*columns, strict=True)]


def _wrapped(start: str, parts: list[str], remark: str) -> list[str]:
    """Addends on as many lines as they need, continued under the first; the remark behind the last."""
    lines, current = [], start + parts[0]
    for part in parts[1:]:
        if len(current) + 1 + len(part) > _WIDTH:
            lines.append(current)
            current = " " * len(start) + part
        else:
            current += " " + part
    if remark and len(current) + len(remark) > _WIDTH:
        lines.append(current)
        current = " " * len(start) + f"({remark})"
    elif remark:
        current += f"   ({remark})"
    return [*lines, current]
