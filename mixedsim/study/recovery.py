"""What came back: one row a parameter, with the truth beside it."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.listing import listed
from mixedsim.models import CumulativeLinkMixedModel, GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.simulate import Sample


@dataclass(frozen=True, eq=False)
class Recovery:
    """Truth, estimate and interval of every parameter, as `recover` returns them.

    Prints as aligned text, shows as a table in a notebook; both end with a sentence that counts.

    Attributes
    ----------
    table : one row a parameter (index: its name, ``x``, ``sd(x | g)``, ``corr(Intercept, x | g)``, ``sigma``);
        columns truth, estimate, se, lower, upper, covered (whether the interval holds the truth; NA where that cannot
        be said), kind (``"threshold"``, ``"fixed"``, ``"sd"``, ``"corr"``, ``"sigma"``, ``"tau"``), group. What does
        not exist is NaN.
    fit : the fitted model, from `lmer`, `glmer` or `clmm`.
    sample : data and truth.
    level : confidence level of the intervals.
    messages : what a reader should know, in sentences: those of the fit, and why an interval is missing.
    notes : what the population has and the fit ignores, in sentences: AR(1) or other residuals than independent normal
        ones of one sd, effects of another shape, problems of the data. They print below the table, as messages do.

    Examples
    --------
    >>> import mixedsim as ms
    >>> print(ms.recover(ms.scenarios.therapist_plain(), seed=1))
    Recovery of therapist_plain, seed 1: anxiety ~ depression + sex + (1 | therapist)
    <BLANKLINE>
                              truth  estimate     se   lower   upper  covered
    Intercept                    45    ...
    """

    table: pd.DataFrame
    fit: LinearMixedModel | GeneralizedLinearMixedModel | CumulativeLinkMixedModel = field(repr=False)
    sample: Sample = field(repr=False)
    level: float = 0.95
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def held(self) -> int:
        """How many intervals hold the truth."""
        return int(self.table["covered"].sum())

    @property
    def judged(self) -> int:
        """For how many parameters truth and interval are both known."""
        return int(self.table["covered"].notna().sum())

    @property
    def sentence(self) -> str:
        """How many intervals hold the truth, which do not, and what has no counterpart."""
        return " ".join(self._sentences())

    def _sentences(self) -> list[str]:
        table = self.table
        missed = [str(name) for name in table.index[(table["covered"] == False).fillna(False)]]  # noqa: E712
        parts = [f"{self.held} of {self.judged} intervals ({100 * self.level:g} %) hold the truth"]
        if missed:
            parts[0] += f"; not that of {listed(missed)}"
        alone = [str(name) for name in table.index[table["estimate"].isna() & table["truth"].notna()]]
        added = [str(name) for name in table.index[table["truth"].isna()]]
        if alone:
            parts.append(f"Not estimated: {listed(alone)}")
        if added:
            parts.append(f"Without a truth: {listed(added)}")
        return [f"{part}." for part in parts]

    def to_string(self) -> str:
        """The table with its title and sentence, as text."""
        cells = self._cells()
        body = cells.rename_axis(None).to_string()
        said = [*self._sentences(), *(f"Note: {message}" for message in (*self.messages, *self.notes))]
        return "\n\n".join([self._title(), body, "\n".join(said)])

    def __str__(self) -> str:
        return self.to_string()

    def __repr__(self) -> str:
        return self.to_string()

    def _repr_html_(self) -> str:
        title, sentence = html.escape(self._title()), html.escape(self.sentence)
        notes = "".join(f"<p><em>{html.escape(message)}</em></p>" for message in (*self.messages, *self.notes))
        return (
            f'<div class="mixedsim-recovery"><p><strong>{title}</strong></p>'
            f"{self._cells().rename_axis(None).to_html(border=0)}<p>{sentence}</p>{notes}</div>"
        )

    def _title(self) -> str:
        called = self.sample.population.name or "a population"
        return f"Recovery of {called}, seed {self.sample.truth.seed}: {self.fit.formula.strip()}"

    def _cells(self) -> pd.DataFrame:
        """The table as strings: two digits of the smallest standard error, a dash where there is nothing."""
        decimals = decimals_of(self.table["se"].to_numpy(dtype=np.float64))
        shown = {"truth": ["–" if np.isnan(value) else f"{value:.6g}" for value in self.table["truth"]]}
        for column in ("estimate", "se", "lower", "upper"):
            shown[column] = ["–" if np.isnan(value) else f"{value:.{decimals}f}" for value in self.table[column]]
        shown["covered"] = ["–" if pd.isna(value) else "yes" if value else "no" for value in self.table["covered"]]
        return pd.DataFrame(shown, index=self.table.index)


def decimals_of(se: NDArray[np.float64]) -> int:
    """Decimals that show two digits of the smallest standard error that is worth reading."""
    worth = se[np.isfinite(se) & (se > 1e-4 * np.nanmax(se, initial=0.0))]
    if not len(worth):
        return 3
    return int(np.clip(1 - np.floor(np.log10(worth.min())), 0, 10))
