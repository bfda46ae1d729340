"""How often a test would find an effect in data like these: power by simulation, on the very design of a fit.

Responses are drawn from the fitted model and the model is fitted to each of them. For a linear model one set of
responses answers for every effect size, because an effect is a known sum: with y* drawn at β̂ and
``y = y* + (δ − β̂_j)x_j`` the variance parameters, standard errors and degrees of freedom that are estimated from y are
those from y*, and the estimate is that of y* plus ``δ − β̂_j``. With δ = 0 the same responses say how often the test
rejects a true null, so that no power is shown without it.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import Ddf, check_ddf, two_sided
from mixedsim.inference.responses import responses
from mixedsim.inference.shares import Share, per_cent
from mixedsim.listing import counted, unbroken
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.many import ManyFits, refit_many
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
Tested: TypeAlias = Ddf | Literal["lrt"]
_CALLED: dict[Tested, str] = {
    "satterthwaite": "Satterthwaite's test",
    "kenward-roger": "Kenward and Roger's test",
    "wald": "Wald's z",
    "lrt": "the likelihood-ratio test",
}


class Fitted(Protocol):
    """What is asked of a fit here, linear or generalised."""

    @property
    def fixef(self) -> pd.Series[float]:
        """Fixed effects."""
        ...

    @property
    def singular(self) -> bool:
        """Whether some combination of random effects has no variance."""
        ...

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the fixed effects."""
        ...


@dataclass(frozen=True)
class PowerEstimate:
    """How often a test rejects, by simulation.

    Attributes
    ----------
    parameter, effect : the coefficient, and the size of its effect that was taken for true.
    rejected : in how many of the replicates with a p-value the test rejected at `effect`.
    false : in how many of them it rejects a true null.
    alpha, ddf : level and kind of the test.
    n, failed, singular : replicates, those without a p-value, those with a singular fit.
    seed : gives the same numbers again.
    notes : what a reader should know, in sentences.
    """

    parameter: str
    effect: float
    rejected: Share
    false: Share
    alpha: float
    ddf: Tested
    n: int
    failed: int
    singular: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    @property
    def power(self) -> float:
        """Share of the replicates in which the test rejects."""
        return self.rejected.value

    @property
    def mcse(self) -> float:
        """Monte-Carlo standard error of `power`."""
        return self.rejected.mcse

    @property
    def lower(self) -> float:
        """Lower end of the 95 % Monte-Carlo interval of `power`, see `Share.interval`."""
        return self.rejected.interval()[0]

    @property
    def upper(self) -> float:
        """Upper end of that interval."""
        return self.rejected.interval()[1]

    @property
    def false_positive(self) -> float:
        """Share of the replicates in which the same test rejects without an effect; `alpha` if it is calibrated."""
        return self.false.value

    def __float__(self) -> float:
        return self.power

    def __str__(self) -> str:
        low, high = self.false.interval()
        lines = [
            f"Power to find {self.parameter} = {self.effect:.4g} with {_CALLED[self.ddf]} at "
            f"{per_cent(self.alpha, 0)}: {per_cent(self.power)} ({per_cent(self.lower)} to {per_cent(self.upper)}), "
            f"{counted(self.n, 'replicate')}.",
            f"The same test finds an effect where there is none in {per_cent(self.false_positive)} "
            f"({per_cent(low)} to {per_cent(high)}).",
            *(f"Note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{unbroken(html.escape(line))}</p>" for line in str(self).splitlines())
        return f'<div class="mixedsim-power">{lines}</div>'


def power(
    fit: LinearEstimates, parameter: str, n: int, seed: Any, effect: float | None, ddf: Ddf, alpha: float
) -> PowerEstimate:
    """The estimate behind `LinearMixedModel.power`."""
    check_ddf(ddf)
    check_alpha(alpha)
    position = position_of(fit, parameter)
    assumed = assumed_effect(fit, parameter, effect)
    settled = settle_seed(seed)
    shift = assumed - float(fit.fixef.iloc[position])
    rejected, false, singular, n = [], [], 0, whole(n, "n")
    for found in refits(fit, n, settled):
        table = found.coefficients(ddf, 1.0 - alpha)
        known = np.where(found.converged, 1.0, np.nan)
        estimate, se, df = (known * values[:, position] for values in (table.estimate, table.se, table.df))
        rejected.append(two_sided((estimate + shift) / se, df))
        false.append(two_sided((estimate - float(fit.fixef.iloc[position])) / se, df))
        singular += int(found.singular.sum())
    at_effect, at_null = share_below(rejected, alpha), share_below(false, alpha)
    failed = n - at_effect.n
    return PowerEstimate(
        parameter, assumed, at_effect, at_null, alpha, ddf, n, failed, singular, settled,
        tuple(notes_of(fit, parameter, effect, failed, singular, n)),
    )  # fmt: skip


def refits(fit: LinearEstimates, n: int, seed: int) -> Iterator[ManyFits]:
    """The model fitted to n responses drawn from it, a portion at a time."""
    scaling, offset = fit.problem.response, fit.design.offset
    for standard in responses(fit.rows, fit.problem, fit.optimum.profile, n, seed):
        y = scaling.centre + scaling.scale * standard
        yield refit_many(fit, y if offset is None else y + offset[:, None])


def share_below(p: list[Floats], alpha: float) -> Share:
    """The share of p-values below alpha, among those that exist."""
    values = np.concatenate(p)
    known = np.isfinite(values)
    return Share(int((values[known] < alpha).sum()), int(known.sum()))


def position_of(fit: Fitted, parameter: object) -> int:
    """Where a coefficient stands, or `MixedsimError` if there is none of that name."""
    names = fit.coefficient_names
    if parameter not in names:
        raise MixedsimError(f"the model has no coefficient {parameter!r}: {nearest(str(parameter), names)}")
    return names.index(str(parameter))


def check_alpha(alpha: object) -> None:
    """Raise `MixedsimError` for a level that is no probability between 0 and 1."""
    if isinstance(alpha, bool) or not isinstance(alpha, int | float | np.number) or not 0 < alpha < 1:
        raise MixedsimError(f"alpha must lie between 0 and 1, such as 0.05, found {alpha!r}.")


def assumed_effect(fit: Fitted, parameter: str, effect: object) -> float:
    """The size that a coefficient is to have: what was asked for, or its estimate."""
    if effect is None:
        return float(fit.fixef[parameter])
    if isinstance(effect, bool) or not isinstance(effect, int | float | np.number) or not np.isfinite(effect):
        raise MixedsimError(f"effect must be a number in the units of {parameter}, found {effect!r}.")
    return float(effect)


def notes_of(fit: Fitted, parameter: str, effect: float | None, failed: int, singular: int, n: int) -> Iterator[str]:
    """What a reader of a power should know."""
    if effect is None:
        yield (
            f"the estimate of {parameter} was taken for the truth. Such a power only says what the p-value says; pass "
            "effect= with the smallest effect that would matter (Hoenig & Heisey 2001, Am. Stat. 55:19)."
        )
    if failed:
        yield f"{failed:,} of {n:,} replicates have no p-value; they count neither for nor against the effect."
    if singular:
        yield f"{singular:,} of {n:,} fits are singular."
    if fit.singular:
        yield "the fit is singular, so that all responses were drawn without that part of the variation."
