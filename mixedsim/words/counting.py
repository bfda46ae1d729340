"""How many parameters a formula has, by kind."""

from __future__ import annotations

from collections.abc import Mapping

from mixedsim.listing import counted
from mixedsim.words.anatomy import Anatomy

KINDS = ("fixed", "standard deviations", "correlations", "residual")


def parameters_of(model: Anatomy) -> dict[str, int]:
    """Parameters by kind: fixed, standard deviations, correlations, residual (1 for a Gaussian outcome, else 0)."""
    sizes = [len(block.columns) for group in model.groups for block in group.blocks]
    pairs = sum(size * (size - 1) // 2 for size in sizes)
    return dict(zip(KINDS, (len(model.fixed), sum(sizes), pairs, int(model.family == "gaussian")), strict=True))


def in_words(counts: Mapping[str, int]) -> str:
    """``4 parameters: 2 fixed effects, 1 standard deviation of a random effect, …``."""
    said = [
        counted(counts["fixed"], "fixed effect"),
        *([counted(counts["standard deviations"], "standard deviation")] if counts["standard deviations"] else []),
        *([counted(counts["correlations"], "correlation")] if counts["correlations"] else []),
        *(["1 residual standard deviation"] if counts["residual"] else []),
    ]
    return f"{counted(sum(counts.values()), 'parameter')}: {', '.join(said)}"


def assumed(model: Anatomy) -> str:
    """What the counts take for granted as long as there are no data."""
    columns = [*model.fixed, *(one for group in model.groups for block in group.blocks for one in block.columns)]
    if model.frame is not None or not any(column.factors for column in columns):
        return ""
    return (
        " Each predictor is counted as one number; a category has one for each level but the first: give data= for "
        "exact counts."
    )


def sds_and_correlations(size: int, pairs: int) -> str:
    """``2 standard deviations and 1 correlation``."""
    sds = counted(size, "standard deviation")
    return f"{sds} and {counted(pairs, 'correlation')}" if pairs else sds
