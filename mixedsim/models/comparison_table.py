"""A table of models with a title and notes, which stay with it when it prints."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

HEADS = {"aic": "AIC", "aicc": "AICc", "bic": "BIC", "loglik": "logLik", "p_boundary": "p boundary",
          "p_bootstrap": "p bootstrap"}  # fmt: skip
_DECIMALS = {"aic": 1, "aicc": 1, "bic": 1, "loglik": 1, "deviance": 1, "chisq": 2, "delta": 1, "weight": 3}


class ComparisonTable(pd.DataFrame):
    """A DataFrame that prints with its title and its notes (``attrs["title"]``, ``attrs["note"]``)."""

    @property
    def _constructor(self) -> type[ComparisonTable]:
        return ComparisonTable

    @classmethod
    def make(cls, table: pd.DataFrame, title: str, notes: Sequence[str]) -> ComparisonTable:
        """The table with a title and notes; ``attrs["note"]`` is all notes as one text, empty if there are none."""
        out = cls(table)
        out.attrs.update(title=title, note=" ".join(notes), notes=tuple(notes))
        return out

    def cells(self) -> pd.DataFrame:
        """Everything as one reads it: few digits, nothing where there is nothing."""
        shown: dict[str, list[str]] = {}
        for name in map(str, self.columns):
            if name == "p_boundary" and self[name].isna().all():
                continue
            shown[HEADS.get(name, name)] = [_cell(name, value) for value in self[name]]
        return pd.DataFrame(shown, index=self.index)

    def __str__(self) -> str:
        parts = [self.cells().rename_axis(None).to_string(max_colwidth=None)]
        if title := self.attrs.get("title"):
            parts.insert(0, title)
        parts += [f"Note: {note}" for note in self.attrs.get("notes", ())]
        return "\n\n".join("\n".join(line.rstrip() for line in part.split("\n")) for part in parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title = html.escape(self.attrs.get("title", ""))
        notes = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in self.attrs.get("notes", ()))
        return f"<p><strong>{title}</strong></p>{self.cells().to_html(border=0)}{notes}"


def _cell(name: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        number = float(value)
        if name in _DECIMALS:
            return f"{number:.{_DECIMALS[name]}f}"
        return "<2e-16" if name.startswith("p") and number < 2e-16 else f"{number:.3g}"
    return str(value)
