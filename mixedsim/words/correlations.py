"""How two variables go together: over all rows, within groups, and between groups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mixedsim.words.variance import Codes, Floats, deviations


def correlations(numbers: Mapping[str, Floats], codes: Mapping[str, Codes]) -> pd.DataFrame:
    """One row a pair of variables (index x, y): total, and for each group within and between.

    Total is the correlation of all rows; within, that of deviations from the level's mean; between, that of level
    means, each level counting once. The three may differ in sign (Robinson, W. S. (1950). Ecological correlations and
    the behavior of individuals. American Sociological Review 15, 351–357). A pair with missing values uses the rows,
    or levels, that have both. With several groups the columns are ``within g`` and ``between g``.
    """
    names = list(numbers)
    first, second = np.triu_indices(len(names), k=1)
    out = {"total": _correlation(pd.DataFrame(numbers), first, second)}
    for group, c in codes.items():
        within, means = {}, {}
        for name, values in numbers.items():
            use = np.isfinite(values) & (c >= 0)
            part = np.full(len(values), np.nan)
            part[use] = deviations(values[use], c[use])
            mean = np.full(int(c.max()) + 1, np.nan)
            mean[c[use]] = values[use] - part[use]
            within[name], means[name] = part, mean
        tail = f" {group}" if len(codes) > 1 else ""
        out[f"within{tail}"] = _correlation(pd.DataFrame(within), first, second)
        out[f"between{tail}"] = _correlation(pd.DataFrame(means), first, second)
    index = pd.MultiIndex.from_arrays([[names[i] for i in first], [names[j] for j in second]], names=["x", "y"])
    return pd.DataFrame(out, index=index)


def _correlation(table: pd.DataFrame, first: Codes, second: Codes) -> Floats:
    """Correlations of pairs of columns; NaN where one does not vary."""
    if not len(first):
        return np.empty(0)
    scale = table.abs().max()
    spread = table.max() - table.min()
    flat = ~(spread > 1e-12 * scale)  # level means of a constant differ in their last digits
    centred = (table - table.mean()).mask(np.broadcast_to(flat.to_numpy(), table.shape))
    return centred.corr().to_numpy()[first, second]
