"""A table of cells as text, Markdown, HTML or LaTeX, numbers aligned at their decimal point."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mixedsim.models.table_rows import TableRow

_NUMBER: Final = re.compile(r"[-−<]?\d+(\.\d+)?\**")
_TEX: Final = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", "²": r"$^2$", "∞": r"$\infty$", "−": "$-$", "–": "--",
    "τ": r"$\tau$", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What is written: names of M models, the columns that each has, rows and notes."""

    names: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...]

    @property
    def parts(self) -> list[tuple[str, list[TableRow]]]:
        """Rows under their headings."""
        names = dict.fromkeys(row.part for row in self.rows)
        return [(name, [row for row in self.rows if row.part == name]) for name in names]

    def tails(self) -> list[int]:
        """For each of the M × c columns, how many characters its numbers have from the decimal point on, at most."""
        out = [0] * (len(self.names) * len(self.heads))
        for row in self.rows:
            for j, cell in enumerate(self.flat(row)):
                out[j] = max(out[j], len(tail(cell)))
        return out

    def tails_by_model(self) -> list[list[int]]:
        """The same, model by model."""
        tails, several = self.tails(), len(self.heads)
        return [tails[several * j : several * (j + 1)] for j in range(len(self.names))]

    def flat(self, row: TableRow) -> list[str]:
        """Cells of a row in M × c columns; text that stands for all of a model's is in its first."""
        width = len(self.heads)
        return [cell for own in row.cells for cell in (*own, *[""] * (width - len(own)))]


def tail(cell: str) -> str:
    """What stands from the decimal point of a number on, stars included; nothing of other text."""
    if not _NUMBER.fullmatch(cell):
        return ""
    start = next((k for k, letter in enumerate(cell) if letter in ".*"), len(cell))
    return cell[start:]


def missing(cell: str, longest: int) -> str:
    """What a number lacks at its end to be as long as the longest: ``".00"``; nothing of other text."""
    own = tail(cell)
    if not _NUMBER.fullmatch(cell) or len(own) >= longest:
        return ""
    return ("." if "." not in own and longest > 1 else "0") + "0" * (longest - len(own) - 1)


def as_text(layout: Layout) -> str:
    """Columns of equal width for a terminal."""
    several = len(layout.heads)
    widths = _widths(layout)
    left = max(len(row.label) + 2 for row in layout.rows)

    def across(texts: Sequence[str]) -> str:
        """One text a model, over all of its columns."""
        return "   ".join(text.center(sum(own) + 2 * (several - 1)) for text, own in zip(texts, widths, strict=True))

    def line(row: TableRow) -> str:
        parts = []
        for own, room, tails in zip(row.cells, widths, layout.tails_by_model(), strict=True):
            if len(own) < several:
                parts.append(own[0].center(sum(room) + 2 * (several - 1)))
                continue
            cells = zip(own, room, tails, strict=True)
            parts.append("  ".join((text + " " * len(missing(text, most))).rjust(wide) for text, wide, most in cells))
        return f"  {row.label}".ljust(left) + "  " + "   ".join(parts)

    pad = " " * (left + 2)
    heads = "   ".join("  ".join(h.rjust(w) for h, w in zip(layout.heads, own, strict=True)) for own in widths)
    rule = "─" * (len(pad) + len(heads))
    lines = [pad + across(layout.names), pad + heads, rule]
    for part, rows in layout.parts:
        lines += [part, *map(line, rows)]
    return "\n".join(one.rstrip() for one in [*lines, rule, *(f"Note: {note}" for note in layout.notes)])


def _widths(layout: Layout) -> list[list[int]]:
    """Widths of every model's columns; the first takes what names and texts across all of them need."""
    several, tails = len(layout.heads), layout.tails_by_model()
    out = []
    for j, name in enumerate(layout.names):
        mine = [row.cells[j] for row in layout.rows]
        own = [
            max(len(head), *(len(cells[k]) + len(missing(cells[k], tails[j][k])) for cells in mine if len(cells) > k
                             and len(cells) == several), 0)
            for k, head in enumerate(layout.heads)
        ]  # fmt: skip
        texts = [name, *(cells[0] for cells in mine if len(cells) < several)]
        own[0] += max(0, max(map(len, texts)) - sum(own) - 2 * (several - 1))
        out.append(own)
    return out


def as_markdown(layout: Layout) -> str:
    """A pipe table; what is special in Markdown is escaped."""
    tails, several = layout.tails(), len(layout.heads)
    top = ["", *(cell for name in layout.names for cell in (escape_markdown(name), *[""] * (several - 1)))]
    grid = [top, ["", *(escape_markdown(head) for _ in layout.names for head in layout.heads)]]
    for part, rows in layout.parts:
        grid.append([f"**{part}**", *[""] * (len(top) - 1)])
        for row in rows:
            cells = zip(layout.flat(row), tails, strict=True)
            aligned = [escape_markdown(cell) + " " * len(missing(cell, most)) for cell, most in cells]
            grid.append([escape_markdown(row.label), *aligned])
    widths = [max(3, *(len(cells[j]) for cells in grid)) for j in range(len(top))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        return f"| {' | '.join([first, *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))])} |"

    rule = "|".join(["", ":" + "-" * (widths[0] + 1), *("-" * (wide + 1) + ":" for wide in widths[1:]), ""])
    notes = [f"\nNote: {escape_markdown(note)}" for note in layout.notes]
    return "\n".join([line(top), rule, *map(line, grid[1:]), *notes])


def escape_markdown(text: str) -> str:
    """Text that Markdown takes for itself."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", text)


def as_html(layout: Layout) -> str:
    """A table without colours of its own, so that it is read on dark pages too."""
    several, tails = len(layout.heads), layout.tails()
    line = "border-bottom:1px solid currentColor"
    number = "white-space:nowrap;font-variant-numeric:tabular-nums"

    def cell(tag: str, text: str, style: str, span: int = 1) -> str:
        across = f' colspan="{span}"' if span > 1 else ""
        return f'<{tag}{across} style="{style};padding:0.1em 0.6em">{text}</{tag}>'

    models = "".join(cell("th", html.escape(name), f"text-align:center;{line}", several) for name in layout.names)
    heads = "".join(
        cell("th", html.escape(head), f"text-align:right;white-space:nowrap;font-weight:normal;{line}")
        for _ in layout.names
        for head in layout.heads
    )
    left = cell("th", "", "text-align:left")
    lines = [f"<tr>{left}{models}</tr>", f"<tr>{cell('th', '', f'text-align:left;{line}')}{heads}</tr>"]
    body = []
    for part, rows in layout.parts:
        title = cell("th", html.escape(part), "text-align:left", len(tails) + 1)
        body.append(f"<tr>{title}</tr>")
        for row in rows:
            cells = [cell("td", html.escape(row.label), "text-align:left;padding-left:1.2em")]
            for j, own in enumerate(row.cells):
                if len(own) < several:
                    cells.append(cell("td", html.escape(own[0]), "text-align:center", several))
                    continue
                for k, text in enumerate(own):
                    shown = html.escape(text).replace("-", "−") + _blank(missing(text, tails[j * several + k]))
                    cells.append(cell("td", shown, f"text-align:right;{number}"))
            body.append(f"<tr>{''.join(cells)}</tr>")
    notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in layout.notes)
    return (
        f'<div class="mixedsim-table"><table style="border-collapse:collapse;border-top:2px solid;'
        f'border-bottom:2px solid"><thead>{"".join(lines)}</thead><tbody>{"".join(body)}</tbody></table>{notes}</div>'
    )


def _blank(lacking: str) -> str:
    """Spaces as wide as digits and points."""
    return "".join("\u2008" if letter == "." else "\u2007" for letter in lacking)


def as_latex(layout: Layout, caption: str | None, label: str | None) -> str:
    """A tabular for the package booktabs; within a table if it has a caption."""
    several, tails = len(layout.heads), layout.tails()
    count = 1 + len(tails)
    bars = [f"\\cmidrule(lr){{{2 + several * j}-{1 + several * (j + 1)}}}" for j in range(len(layout.names))]
    top = " & ".join(["", *(f"\\multicolumn{{{several}}}{{c}}{{{escape_latex(name)}}}" for name in layout.names)])
    heads = " & ".join(["", *(escape_latex(head) for _ in layout.names for head in layout.heads)])
    lines = [f"\\begin{{tabular}}{{l{'r' * len(tails)}}}", "\\toprule", f"{top} \\\\", *bars, f"{heads} \\\\"]
    for part, rows in layout.parts:
        lines += ["\\midrule", f"\\multicolumn{{{count}}}{{l}}{{\\textit{{{escape_latex(part)}}}}} \\\\"]
        lines += [f"{_latex_row(row, several, tails)} \\\\" for row in rows]
    lines.append("\\bottomrule")
    for note in layout.notes:
        lines.append(f"\\multicolumn{{{count}}}{{p{{0.9\\linewidth}}}}{{\\footnotesize {escape_latex(note)}}} \\\\")
    lines.append("\\end{tabular}")
    if caption is None:
        return "\n".join(lines)
    named = [f"\\label{{{label}}}"] if label is not None else []
    around = ["\\begin{table}", "\\centering", f"\\caption{{{escape_latex(caption)}}}", *named, *lines, "\\end{table}"]
    return "\n".join(around)


def _latex_row(row: TableRow, several: int, tails: Sequence[int]) -> str:
    cells = [escape_latex(row.label)]
    for j, own in enumerate(row.cells):
        if len(own) < several:
            cells.append(f"\\multicolumn{{{several}}}{{c}}{{{escape_latex(own[0])}}}")
            continue
        for k, text in enumerate(own):
            lacking = missing(text, tails[j * several + k])
            hidden = f"\\phantom{{{lacking}}}" if lacking else ""
            cells.append(escape_latex(text.replace("-", "−")) + hidden)
    return " & ".join(cells)


def escape_latex(text: str) -> str:
    """Text that LaTeX takes for itself; a bracket or star must not follow the end of a row."""
    return "".join(_TEX.get(letter, letter) for letter in text)


WRITERS: Final[dict[str, Callable[[Layout], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "latex": lambda layout: as_latex(layout, None, None),
}
