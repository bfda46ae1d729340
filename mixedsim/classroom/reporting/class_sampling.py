"""The class as a sampling distribution: everybody's interval for the same truth, from everybody's own data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import bdtr

from mixedsim.classroom.marking import Showcase
from mixedsim.plot.style import FAINT, INK, TRUTH, Picture, dress, look, picture, say

LEVEL: Final = 0.95
_HIT, _MISS = "#7a9cb3", "#b3261e"


@dataclass(frozen=True)
class ClassIntervals:
    """The intervals of one showcase.

    Parameters
    ----------
    showcase : formula and coefficient.
    table : index: student; estimate, lower, upper (NaN where there is none), truth, skipped.
    """

    showcase: Showcase
    table: pd.DataFrame

    @property
    def known(self) -> pd.DataFrame:
        """The students who have an interval, from the smallest estimate to the largest."""
        return self.table.dropna(subset=["lower", "upper"]).sort_values(["estimate", "lower"], kind="stable")

    @property
    def missers(self) -> pd.DataFrame:
        """Those whose interval does not hold the truth; ``side`` is ``"below"`` or ``"above"`` it."""
        known = self.known
        below, above = known["upper"] < known["truth"], known["lower"] > known["truth"]
        side = np.where(below, "below", "above")
        return known.assign(side=side)[below | above]

    @property
    def hits(self) -> int:
        """How many intervals hold the truth."""
        return len(self.known) - len(self.missers)

    @property
    def expected(self) -> tuple[int, int]:
        """Between which numbers the hits lie in 95 of 100 classes of this size (`binomial_range`)."""
        return binomial_range(len(self.known), LEVEL)

    def sentences(self) -> list[str]:
        """What was found, counted and compared with what the binomial distribution expects."""
        n = len(self.known)
        if not n:
            return [f"No student's data gave an interval for {self.showcase.coefficient}."]
        low, high = self.expected
        sides = self.missers["side"].value_counts()
        said = [
            f"{n} students have an interval each. {self.hits} hold the truth, {self.truth}; {n - self.hits} miss it"
            + (f" ({sides.get('below', 0)} below, {sides.get('above', 0)} above)." if n > self.hits else "."),
            f"Of {n} independent 95 % intervals, {low} to {high} hold the truth in 95 of 100 classes. "
            + self._verdict(),
        ]
        without = len(self.table) - n
        if without:
            said.append(f"{without} more have no interval: the model could not be fitted to their data.")
        again = int((self.table["skipped"] > 0).sum())
        if again:
            said.append(
                f"The data of {again} were drawn more than once, until they showed the lesson: such data are not quite "
                "random, and the share may differ from 95 % for that reason."
            )
        return said

    @property
    def truth(self) -> str:
        """The truth as text."""
        return f"{self.table['truth'].iloc[0]:.4g}".replace("-", "−")

    def _verdict(self) -> str:
        low, high = self.expected
        if self.hits < low:
            return "Here they are fewer."
        return "Here they are more." if self.hits > high else "So it is here."


def binomial_range(n: int, share: float) -> tuple[int, int]:
    """The central range that a Binomial(n, share) count leaves in at most 2.5 % of cases on either side.

    Parameters
    ----------
    n : trials.
    share : probability of a hit.

    Examples
    --------
    >>> binomial_range(187, 0.95)
    (171, 183)
    """
    below = bdtr(np.arange(n + 1), n, share)
    return int(np.argmax(below > 0.025)), int(np.argmax(below >= 0.975))


def class_picture(found: ClassIntervals) -> Picture:
    """All intervals beside each other, from the smallest estimate to the largest, truth and missers marked.

    A misser has another colour, a wider line, and a triangle that points to the truth.
    """
    known, missers = found.known, found.missers
    at = pd.Series(np.arange(1.0, len(known) + 1), index=known.index)
    sheet = picture(5.2, 3.0)
    with look():
        ax = sheet.subplots()
        dress(ax)
        width = float(np.clip(165.0 / max(len(known), 1), 0.7, 4.0))
        hit = known.index.difference(missers.index, sort=False)
        ax.vlines(at[hit], known.loc[hit, "lower"], known.loc[hit, "upper"], color=_HIT, lw=width, zorder=2)
        ax.vlines(at[missers.index], missers["lower"], missers["upper"], color=_MISS, lw=1.5 * width, zorder=3)
        ax.plot(at, known["estimate"], ".", color=INK, ms=min(2.5 * width, 4.0), mec="none", zorder=4)
        for side, mark, edge in (("below", "^", "upper"), ("above", "v", "lower")):
            these = missers[missers["side"] == side]
            ax.plot(at[these.index], these[edge], mark, color=_MISS, ms=6.5, zorder=5)
        truth = float(found.table["truth"].iloc[0])
        ax.axhline(truth, color=INK, lw=TRUTH.width, ls=TRUTH.dashes, zorder=6)
        ax.annotate(
            f"truth {found.truth}", (1.0, truth), (4, 0), xycoords=ax.get_yaxis_transform(),
            textcoords="offset points", color=FAINT, fontsize=8.5, va="center",
        )  # fmt: skip
        ax.set_xlim(0, len(known) + 1)
        ax.set_xlabel("students, from the smallest estimate to the largest")
        ax.set_ylabel(found.showcase.coefficient)
    say(sheet, _alt(found))
    return sheet


def _alt(found: ClassIntervals) -> str:
    known = found.known
    low, high = known["estimate"].min(), known["estimate"].max()
    spread = f" The estimates go from {low:.3g} to {high:.3g}." if len(known) else ""
    return (
        f"{len(known)} intervals for {found.showcase.coefficient}, sorted by estimate; {found.hits} hold the truth, "
        f"{found.truth}, and {len(known) - found.hits} miss it.{spread}"
    )
