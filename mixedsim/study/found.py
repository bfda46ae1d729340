"""What one analysis found in a block of replicates, and the rows that tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.inference.many_estimates import Estimates
from mixedsim.inference.parameters import parameter_name
from mixedsim.study.true_values import Symbol, parameter_key

NUMBERS = tuple(one.name for one in fields(Estimates))  # estimate, se, df, p, lower, upper
COLUMNS = (
    *("analysis", "replicate", "seed", "parameter", "kind", "group", "truth"),
    *(*NUMBERS, "converged", "singular", "error"),
)


@dataclass(frozen=True, eq=False)
class Found:
    """Estimates of one analysis in m replicates.

    Attributes
    ----------
    estimates : m × S, one column a parameter; NaN for a replicate that failed.
    converged, singular : m booleans; a replicate that failed is neither.
    failures : {place in the block: a sentence}.
    """

    estimates: Estimates
    converged: NDArray[np.bool_]
    singular: NDArray[np.bool_]
    failures: Mapping[int, str]

    @classmethod
    def nothing(cls, replicates: int, parameters: int, failures: Mapping[int, str]) -> Found:
        """No replicate with an estimate."""
        no = np.zeros(replicates, dtype=bool)
        return cls(Estimates.empty(replicates, parameters), no, no.copy(), failures)


@dataclass(frozen=True)
class Parameters:
    """The parameters of one analysis, as the rows show them.

    Attributes
    ----------
    names, kinds, groups : of the S parameters; a parameter that the source has too is called as there.
    truths : S values, NaN where the source has no such parameter.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    truths: tuple[float, ...]

    @classmethod
    def of(cls, symbols: Sequence[Symbol], truth: Mapping[Symbol, float]) -> Parameters:
        """The parameters of a model; ``x:z`` and ``z:x`` are one and the same."""
        true = {parameter_key(symbol): (symbol, value) for symbol, value in truth.items()}
        known = [true.get(parameter_key(symbol), (symbol, float("nan"))) for symbol in symbols]
        shown = [symbol for symbol, _ in known]
        return cls(
            names=tuple(parameter_name(*symbol) for symbol in shown),
            kinds=tuple(kind for kind, _, _ in shown),
            groups=tuple(group for _, group, _ in shown),
            truths=tuple(value for _, value in known),
        )

    @classmethod
    def named(cls, names: Sequence[str], truth: Mapping[Symbol, float]) -> Parameters:
        """Parameters of which only the names are known, as `mixedsim.recover` shows them; another has no kind."""
        true = {parameter_name(*symbol): (symbol, value) for symbol, value in truth.items()}
        known = [true.get(name, (("", "", name), float("nan"))) for name in names]
        return cls(
            names=tuple(names),
            kinds=tuple(symbol[0] for symbol, _ in known),
            groups=tuple(symbol[1] for symbol, _ in known),
            truths=tuple(value for _, value in known),
        )

    def __len__(self) -> int:
        return len(self.names)


def rows_of(
    found: Mapping[str, Found], parameters: Mapping[str, Parameters], first: int, seeds: NDArray[np.int64]
) -> pd.DataFrame:
    """One row a replicate, analysis and parameter, in this order; columns as `COLUMNS`.

    Parameters
    ----------
    found, parameters : by analysis. All blocks of a study have the same parameters, and so the same categories.
    first : number of the first replicate.
    seeds : of the m replicates.
    """
    m, sizes = len(seeds), [len(parameters[name]) for name in found]
    total = sum(sizes)

    def labels(values: Sequence[str]) -> pd.Categorical[str]:
        codes, categories = pd.factorize(np.array(values, dtype=object))
        return pd.Categorical.from_codes(np.tile(codes, m), categories=pd.Index(categories), validate=False)

    def facts(of: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        return np.repeat(np.stack(of, axis=1), sizes, axis=1).ravel()

    every = [parameters[name] for name in found]
    columns = {
        "analysis": labels([name for name, size in zip(found, sizes, strict=True) for _ in range(size)]),
        "replicate": np.repeat(np.arange(first, first + m, dtype=np.int64), total),
        "seed": np.repeat(seeds, total),
        "parameter": labels([name for one in every for name in one.names]),
        "kind": labels([kind for one in every for kind in one.kinds]),
        "group": labels([group for one in every for group in one.groups]),
        "truth": np.tile(np.array([value for one in every for value in one.truths]), m),
        **{
            number: np.concatenate([getattr(one.estimates, number) for one in found.values()], axis=1).ravel()
            for number in NUMBERS
        },
        "converged": facts([one.converged for one in found.values()]),
        "singular": facts([one.singular for one in found.values()]),
        "error": pd.Series(_errors(list(found.values()), sizes, m), dtype=object),  # text or not, in every block
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _errors(found: Sequence[Found], sizes: Sequence[int], m: int) -> NDArray[np.object_]:
    """The sentence of every row, None where nothing failed."""
    out = np.full((m, sum(sizes)), None, dtype=object)
    start = 0
    for one, size in zip(found, sizes, strict=True):
        for k, sentence in one.failures.items():
            out[k, start : start + size] = sentence
        start += size
    return out.ravel()
