"""What `ms.structure` returns, and how it prints."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass, field

import pandas as pd

from mixedsim.listing import counted

_WIDTH = 100
_MOST = 30  # columns of the data that are printed one by one


@dataclass(frozen=True, eq=False)
class Structure:
    """The structure of a table, before any model. Prints as tables and sentences.

    Attributes
    ----------
    rows : number of rows.
    columns : one row a column of the data (index: its name); kind (group, number, 0-1, two numbers, category, date,
        identifier, constant, empty, unreadable), levels (how many different values), missing, varies (from row to
        row, or by which group: the widest in whose levels it has one value), constant_within (all such groups), and for
        every group g ``between g``: the share of a number's variance that lies between the levels of g (η² = sum of
        squares between / total, chance included; `ms.describe` gives the ICC, which is freed from it). NaN for text.
    groups : one row a group, combinations such as ``school:class`` included; levels, rows_min, rows_median, rows_max
        (rows a level), relation to the other groups, why it was taken for one.
    pairs : one row a pair of groups, read as ``a relation b``; relation (nested in, implicitly nested in, crossed
        with, partially crossed with, same), cells (combinations that occur), possible, rows_a_cell, a_in_each_b,
        b_in_each_a (all three: minimum to maximum and median, as text), why.
    terms : one row a random term; text, group, effect, identified, reason (beginning with "warning" where a term
        can be fitted but tells little).
    formulas : formula and reason, from the simplest on.
    sentences : what a reader should know.
    """

    rows: int
    columns: pd.DataFrame
    groups: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    terms: pd.DataFrame = field(repr=False)
    formulas: pd.DataFrame = field(repr=False)
    sentences: tuple[str, ...] = field(repr=False)

    def to_string(self) -> str:
        """Tables, sentences and formulas as text."""
        parts = [self._title(), self._cells().rename_axis(None).to_string()]
        if len(self.columns) > _MOST:
            parts[-1] += f"\n… and {len(self.columns) - _MOST} more: see .columns"
        parts.append("\n".join(_wrapped(f"* {sentence}") for sentence in self.sentences))
        if len(self.formulas):
            lines = []
            for formula, reason in self.formulas.itertuples(index=False):
                lines += [f"  {formula}", _wrapped(f"      {reason}", indent=6)]
            parts.append("\n".join(["Formulas that these data can carry:", *lines]))
        if len(self.terms):
            parts.append(self._about_terms())
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.to_string()

    def __repr__(self) -> str:
        return self.to_string()

    def _repr_html_(self) -> str:
        sentences = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences)
        formulas = "".join(
            f"<li><code>{html.escape(formula)}</code><br>{html.escape(reason)}</li>"
            for formula, reason in self.formulas.itertuples(index=False)
        )
        parts = [
            f"<p><strong>{self._title()}</strong></p>{self._cells().rename_axis(None).to_html(border=0)}",
            f"<ul>{sentences}</ul>",
            f"<p>Formulas that these data can carry:</p><ul>{formulas}</ul>" if formulas else "",
            f"<p>{html.escape(self._about_terms())}</p>" if len(self.terms) else "",
        ]
        return f'<div class="mixedsim-structure">{"".join(parts)}</div>'

    def _title(self) -> str:
        return f"Structure of {counted(self.rows, 'row')} and {counted(len(self.columns), 'column')}"

    def _cells(self) -> pd.DataFrame:
        """The table of columns as text: shares in percent, a dash where there is none."""
        cells = self.columns.head(_MOST).drop(columns="constant_within").astype({"levels": int})
        if not cells["missing"].any():
            cells = cells.drop(columns="missing")
        for name in [name for name in cells.columns if name.startswith("between ")]:
            shares = ["–" if pd.isna(share) else f"{100 * share:.0f} %" for share in cells[name]]
            cells = cells.drop(columns=name)
            if any(share != "–" for share in shares):
                cells[name] = shares
        return cells

    def _about_terms(self) -> str:
        """How many random terms can be fitted, and what stands in the way of the others."""
        good = self.terms[self.terms["identified"]]
        bad = self.terms[~self.terms["identified"]]
        lines = [f"Random terms: {len(good)} of {len(self.terms)} can be told from the residual (.terms has all)."]
        lines += [f"  not {text}: {reason}" for text, reason in bad[["text", "reason"]].head(6).to_numpy(dtype=object)]
        warned = good[good["reason"].str.startswith("warning")]
        lines += [f"  {text}: {reason}" for text, reason in warned[["text", "reason"]].head(6).to_numpy(dtype=object)]
        return "\n".join(_wrapped(line, indent=6) for line in lines)


def _wrapped(line: str, *, indent: int = 2) -> str:
    return textwrap.fill(line, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)
