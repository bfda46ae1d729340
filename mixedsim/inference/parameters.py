"""The parameters of a linear mixed model by name: coefficients, standard deviations, correlations, and σ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import Problem
from mixedsim.errors import MixedsimError, nearest

Floats = NDArray[np.float64]
Kind = Literal["threshold", "fixed", "sd", "corr", "sigma"]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a linear mixed model.

    Attributes
    ----------
    kind : ``"fixed"``, ``"sd"``, ``"corr"`` or ``"sigma"``; ``"threshold"`` of ordered categories.
    group, term : as in the index of `mixedsim.inference.wald.wald_intervals`.
    factor : number of the grouping factor; -1 for a coefficient and σ.
    effects : places of the effect, or of the two effects, within the factor; of a coefficient its place among the kept.
    """

    kind: Kind
    group: str
    term: str
    factor: int
    effects: tuple[int, ...]

    @property
    def name(self) -> str:
        """As tables show it."""
        return parameter_name(self.kind, self.group, self.term)


def parameter_name(kind: str, group: str, term: str) -> str:
    """The name of a parameter as tables show it: ``x``, ``sd(x | g)``, ``corr(Intercept, x | g)``, ``sigma``."""
    return term if kind in ("threshold", "fixed", "sigma", "tau") else f"{kind}({term} | {group})"


def parameters_of(design: Design, problem: Problem) -> tuple[Parameter, ...]:
    """All parameters: coefficients, standard deviations, correlations, σ, in the order of `wald_intervals`."""
    factors = [(factor.name, [term.columns.names for term in factor.terms]) for factor in design.factors]
    return named_parameters([design.x.names[j] for j in problem.fixed.kept], factors)


def named_parameters(
    coefficients: Sequence[str], factors: Sequence[tuple[str, Sequence[Sequence[str]]]]
) -> tuple[Parameter, ...]:
    """The same from the names of the coefficients, and of each grouping factor with the effects of its terms."""
    fixed = [Parameter("fixed", "", name, -1, (i,)) for i, name in enumerate(coefficients)]
    sds, corrs = [], []
    for f, (group, terms) in enumerate(factors):
        start = 0
        for names in terms:
            for i, name in enumerate(names):
                sds.append(Parameter("sd", group, name, f, (start + i,)))
                for j, other in enumerate(names[:i]):
                    corrs.append(Parameter("corr", group, f"{other}, {name}", f, (start + j, start + i)))
            start += len(names)
    return (*fixed, *sds, *corrs, Parameter("sigma", "", "sigma", -1, ()))


def selected(parameters: Sequence[Parameter], wanted: str | Sequence[str] | None) -> tuple[Parameter, ...]:
    """Those whose name, or kind (``"fixed"``, ``"sd"``, ``"corr"``, ``"sigma"``), is among `wanted`; all if None.

    Raises
    ------
    MixedsimError
        For a name that is neither; the sentence says the nearest.
    """
    if wanted is None:
        return tuple(parameters)
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    known = [p.name for p in parameters]
    kinds = [kind for kind in get_args(Kind) if kind != "threshold" or any(p.kind == kind for p in parameters)]
    for name in names:
        if name not in known and name not in kinds:
            raise MixedsimError(f"the model has no parameter {name!r}: {nearest(name, [*known, *kinds])}")
    return tuple(p for p in parameters if p.name in names or p.kind in names)


def values_of(
    parameters: Sequence[Parameter], problem: Problem, lambdas: Sequence[Floats], sigma: float, beta: Floats
) -> Floats:
    """The parameters' values in the units of the data, from standardised ones; a correlation with a zero is NaN."""
    fixef = problem.fixef(beta.copy())
    halves = [t @ lam for t, lam in zip(problem.varying, lambdas, strict=True)]
    out = np.empty(len(parameters))
    for k, parameter in enumerate(parameters):
        if parameter.kind == "fixed":
            out[k] = fixef[parameter.effects[0]]
        elif parameter.kind == "sigma":
            out[k] = problem.response.scale * sigma
        else:
            rows = halves[parameter.factor][list(parameter.effects)]
            lengths = np.linalg.norm(rows, axis=1)
            if parameter.kind == "sd":
                out[k] = problem.response.scale * sigma * lengths[0]
            else:
                zero = lengths.min() <= 1e-12 * lengths.max()
                out[k] = np.nan if zero else np.clip(rows[0] @ rows[1] / (lengths[0] * lengths[1]), -1.0, 1.0)
    return out
