"""How many parameters a formula has, by kind."""

from __future__ import annotations

from collections.abc import Mapping

from mixedsim.words.anatomy import Anatomy

KINDS = ("fixed", "standard deviations", "correlations", "residual")
_SINGULAR = {"standard deviations": "standard deviation", "correlations": "correlation"}


def counted(model: Anatomy) -> dict[str, int]:
    """Parameters by kind: fixed, standard deviations, correlations, residual (1 for a Gaussian outcome, else 0)."""
    sizes = [len(block.columns) for group in model.groups for block in group.blocks]
    pairs = sum(size * (size - 1) // 2 for size in sizes)
    return dict(zip(KINDS, (len(model.fixed), sum(sizes), pairs, int(model.family == "gaussian")), strict=True))


def in_words(counts: Mapping[str, int]) -> str:
    """``4 parameters: 2 fixed effects, 1 standard deviation of a random effect, …``."""
    said = [
        plural(counts["fixed"], "fixed effect"),
        *([plural(counts["standard deviations"], "standard deviation")] if counts["standard deviations"] else []),
        *([plural(counts["correlations"], "correlation")] if counts["correlations"] else []),
        *(["1 residual standard deviation"] if counts["residual"] else []),
    ]
    return f"{plural(sum(counts.values()), 'parameter')}: {', '.join(said)}"


def assumed(model: Anatomy) -> str:
    """What the counts take for granted as long as there are no data."""
    columns = [*model.fixed, *(one for group in model.groups for block in group.blocks for one in block.columns)]
    if model.frame is not None or not any(column.factors for column in columns):
        return ""
    return (
        " Each predictor is counted as one number; a category has one for each level but the first: give data= for "
        "exact counts."
    )


def plural(number: int, noun: str) -> str:
    """``1 term``, ``2 terms``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def spread(size: int, pairs: int) -> str:
    """``2 standard deviations and 1 correlation``."""
    sds = plural(size, "standard deviation")
    return f"{sds} and {plural(pairs, 'correlation')}" if pairs else sds
