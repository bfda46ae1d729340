"""The last rung of a ladder: predictors split into the mean of their group and the deviation from it.

Mundlak, Y. (1978). On the pooling of time series and cross section data. Econometrica 46, 69–85; Bell, A., Fairbrother,
M. and Jones, K. (2019). Fixed and random effects models: making an informed choice. Quality & Quantity 53, 1051–1074,
eq. 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import DataError
from mixedsim.formula import fixed_terms, spelled, written
from mixedsim.listing import listed
from mixedsim.models import LinearMixedModel
from mixedsim.study.ordinary import DEPENDENT, undetermined
from mixedsim.study.rungs import Ground, Rung, with_messages

Floats = NDArray[np.float64]


def within_between(ground: Ground) -> tuple[Rung, dict[str, str]]:
    """The rung; and by coefficient the name of its group mean."""
    name = "within-between"
    split = _Split.of(ground)
    if not split.deviation:
        why = f"does not exist: no predictor varies within {ground.group!r}, so that there is nothing to split."
        return Rung(name, ground.nothing(), None, (why,)), {}
    fit = ground.fitted(split.formula(ground), ground.frame.assign(**split.columns))
    if isinstance(fit, str):
        return Rung(name, ground.nothing(), None, (f"cannot be fitted: {fit}",)), {}
    table = _determined(fit, ground.level)
    between = {o: m for o, m in split.mean.items() if m in table.index and split.deviation[o] in table.index}
    asked = [*ground.asked, *(mean for mean in between.values() if mean not in ground.asked)]
    renamed = table.rename(index={deviation: one for one, deviation in split.deviation.items()})
    said = _on_split(fit, split, between)
    lost = [one for one in ground.asked if split.deviation.get(one, one) not in table.index]
    if lost:
        said.append(f"cannot tell {listed(lost)}: other columns, or their means, say the same.")
    return Rung(name, ground.table(renamed, asked), fit, with_messages(fit, said)), between


@dataclass(frozen=True, eq=False)
class _Split:
    """Which columns are split, and into what.

    Attributes
    ----------
    columns : the new columns by name, n values each.
    deviation, mean : names of the parts by coefficient; no mean where it does not differ between groups. A mean that
        the formula holds already keeps its name there.
    """

    columns: dict[str, Floats]
    deviation: dict[str, str]
    mean: dict[str, str]

    @classmethod
    def of(cls, ground: Ground) -> _Split:
        columns: dict[str, Floats] = {}
        deviation: dict[str, str] = {}
        mean: dict[str, str] = {}
        constant = [j for j, varies in enumerate(ground.varies) if not varies and ground.names[j] != "Intercept"]
        for j in np.flatnonzero(ground.varies).tolist():
            one, inside = ground.names[j], ground.within[:, j]
            means = ground.x[:, j] - inside
            deviation[one] = _free(f"{one}_within", inside, ground)
            columns[deviation[one]] = inside
            if float(np.ptp(means)) <= DEPENDENT * float(np.abs(ground.x[:, j]).max()):
                continue
            near = 1e-9 * float(np.abs(means).max())
            same = [k for k in constant if np.abs(ground.x[:, k] - means).max() <= near]
            mean[one] = ground.names[same[0]] if same else _free(f"{one}_mean", means, ground)
            if not same:
                columns[mean[one]] = means
        split = {ground.terms[j] for j in np.flatnonzero(ground.varies).tolist()}
        whole = {ground.names[j]: ground.x[:, j] for j in constant if ground.terms[j] in split}  # a factor's rare level
        return cls(columns | whole, deviation, mean)

    def formula(self, ground: Ground) -> str:
        """Terms that are constant within groups as they were written, all other columns by their parts."""
        split = {ground.terms[ground.names.index(one)] for one in self.deviation}
        whole = [term for term in fixed_terms(ground.design.formula.fixed) if str(term) not in split]
        parts = [written(whole), *map(spelled, self.columns)]
        return f"{ground.design.formula.response} ~ {' + '.join(parts)} + {ground.bar('1')}"


def _free(name: str, values: Floats, ground: Ground) -> str:
    """The name for a new column; with the group's behind it if the data have another column of that name."""
    for one in (name, f"{name}_{ground.group}"):
        if one not in ground.frame.columns:
            return one
        old = pd.to_numeric(ground.frame[one], errors="coerce").to_numpy(dtype=np.float64)
        if np.allclose(old, values):
            return one
    raise DataError(f"the data already have columns {name!r} and {one!r} with other values: rename one of them.")


def _on_split(fit: LinearMixedModel, split: _Split, between: Mapping[str, str]) -> list[str]:
    """What became of the predictors, and how far the effects within and between groups lie apart."""
    names = listed(split.deviation)
    if not between:
        return [f"takes {names} from the mean of the level, which differs between levels by nothing, or tells nothing."]
    whose = "its own row is" if len(split.deviation) == 1 else "their own rows are"
    said = [
        f"splits {names}: {whose} the effect of the deviation from the mean of the level, {listed(between.values())} "
        "that of the mean."
    ]
    return [*said, *(_difference(fit, one, split.deviation[one], mean) for one, mean in between.items())]


def _determined(fit: LinearMixedModel, level: float) -> pd.DataFrame:
    """The coefficients that mean what they seem to: a column left out gives others, on which it depends, its share."""
    kept = fit.problem.fixed.kept
    unknown = undetermined(fit.design.x.matrix(), kept)
    return fit.coefficients(level=level).drop(index=[fit.design.x.names[j] for j in unknown if j in kept])


def _difference(fit: LinearMixedModel, one: str, deviation: str, mean: str) -> str:
    """How far the effect of the mean lies from that of the deviation: Mundlak's contrast."""
    v = fit.vcov.loc[[deviation, mean], [deviation, mean]].to_numpy()
    variance = v[0, 0] + v[1, 1] - 2 * v[0, 1]
    gap = float(fit.fixef[mean] - fit.fixef[deviation])
    return (
        f"finds the effect of {one} between levels {abs(gap):.3g} {'above' if gap > 0 else 'below'} the one within "
        f"(standard error {float(np.sqrt(variance)):.2g}): varying intercepts take them for one and the same."
    )
