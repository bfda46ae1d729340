"""The size that a search for power has found, in words."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mixedsim.inference.shares import per_cent
from mixedsim.listing import unbroken


@dataclass(frozen=True, eq=False)
class FoundSize:
    """The smallest size with the wanted power, as `find_size` returns it.

    Attributes
    ----------
    size : the answer, a whole number.
    lower, upper : 95 % Monte-Carlo interval of the size at which the curve reaches the wanted power: all sizes at which
        the interval of the curve holds it (Fieller 1954, J. R. Stat. Soc. B 16:175). Upper is infinite where power
        grows too little to tell; both are NaN where the smallest size that was tried has the power.
    power, power_lower, power_upper : of the test at `size`, from the curve through all replicates near by.
    false_positive : how often the same test rejects without the effect, over the replicates near by.
    along, parameter, analysis : what was varied, tested and fitted.
    target, alpha : the power that was wanted, and the level of the test.
    table : what was simulated: one row a size with replicates (n), power, lower, upper, false_positive, failed,
        singular.
    replicates : how many in all.
    settled : whether the interval became as narrow as was asked for before the replicates ran out.
    seed : gives the same answer again.
    """

    size: int
    lower: float
    upper: float
    power: float
    power_lower: float
    power_upper: float
    false_positive: float
    along: str
    parameter: str
    analysis: str
    target: float
    alpha: float
    table: pd.DataFrame = field(repr=False)
    replicates: int
    settled: bool
    seed: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words, with its uncertainty and the false-positive rate."""
        said = [
            f"{self.along} = {self.size:,} gives the test of {self.parameter} a power of {per_cent(self.power)} "
            f"({per_cent(self.power_lower)} to {per_cent(self.power_upper)}) at {per_cent(self.alpha, 0)}.",
            f"{per_cent(self.target, 0)} was wanted, {self._takes()}.",
            f"The same test finds an effect where there is none in {per_cent(self.false_positive)}.",
            f"{self.replicates:,} replicates were simulated.",
        ]
        if not self.settled:
            said.append("They were not enough for the precision asked for: allow more with most=.")
        return tuple(said)

    def _takes(self) -> str:
        if np.isnan(self.lower):
            return "and nothing smaller was tried"
        upper = "or more" if np.isinf(self.upper) else f"to {self.upper:.1f}"
        return f"which takes {self.lower:.1f} {upper}"

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        body = self.table.reset_index().to_html(border=0, index=False, float_format="{:.3f}".format)
        said = html.escape(" ".join(self.sentences))
        return f'<div class="mixedsim-size">{unbroken(f"<p>{said}</p>{body}")}</div>'
