"""The rows of a table of several fits: what they say, as numbers and as the text of cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from mixedsim.formula import unquote
from mixedsim.inference.contrasts import Ddf
from mixedsim.models.comparable import MixedModel
from mixedsim.models.generalized_means import ratio_of
from mixedsim.models.linear import LinearMixedModel

Uncertainty = Literal["se", "interval"]
Spread = Literal["sd", "variance"]
STARS: Final = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
NOTHING: Final[Mapping[str, float]] = {}


@dataclass(frozen=True)
class Wanted:
    """What the table shows of each fit.

    Attributes
    ----------
    uncertainty : of fixed effects, ``"se"`` or ``"interval"``.
    ddf, level : of their tests and intervals.
    df, p, stars : whether these are shown.
    spread : what random effects are shown as.
    icc, r2 : whether these are shown.
    exponentiate : fixed effects of models with a logarithmic link as ratios.
    digits : of the standard errors, by which estimates are rounded.
    """

    uncertainty: Uncertainty
    ddf: Ddf
    level: float
    df: bool
    p: bool
    stars: bool
    spread: Spread
    icc: bool
    r2: bool
    exponentiate: bool
    digits: int

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the columns that every model has."""
        interval = f"{100 * self.level:g} % interval"
        shown = ["estimate", "se" if self.uncertainty == "se" else interval]
        return (*shown, *(["df"] if self.df else []), *(["p"] if self.p else []))


@dataclass(frozen=True)
class TableRow:
    """One row for M models.

    Attributes
    ----------
    part : ``"Fixed effects"``, ``"Random effects"`` or ``"Model"``.
    label : what it is.
    cells : for each model the texts of its columns; a single one stands for all of them.
    numbers : for each model its numbers by name, in full.
    """

    part: str
    label: str
    cells: tuple[tuple[str, ...], ...]
    numbers: tuple[Mapping[str, float], ...]


def rows_of(fits: Sequence[MixedModel], wanted: Wanted, *, criteria: bool) -> list[TableRow]:
    """All rows from top to bottom; `criteria` says whether AIC and BIC are among them."""
    return [
        *_fixed(fits, wanted),
        *_random(fits, wanted),
        *_facts(fits, wanted, criteria=criteria),
    ]


def _fixed(fits: Sequence[MixedModel], wanted: Wanted) -> list[TableRow]:
    tables = [_coefficients(fit, wanted) for fit in fits]
    rows = []
    for name in dict.fromkeys(str(name) for table in tables for name in table.index):
        numbers = [_numbers(table, name) for table in tables]
        places = _places(fits, numbers, "se", wanted)
        cells = tuple(_fixed_cells(own, some, wanted) for own, some in zip(numbers, places, strict=True))
        rows.append(TableRow("Fixed effects", name, cells, tuple(numbers)))
    return rows


def _coefficients(fit: MixedModel, wanted: Wanted) -> pd.DataFrame:
    if isinstance(fit, LinearMixedModel):
        return fit.coefficients(wanted.ddf, wanted.level)
    if wanted.exponentiate and ratio_of(fit) is not None:
        return fit.ratios(level=wanted.level).rename(columns={"ratio": "estimate"})
    return fit.coefficients(level=wanted.level)


def _numbers(table: pd.DataFrame, name: str) -> Mapping[str, float]:
    if name not in table.index:
        return NOTHING
    shown = table.loc[[name], ["estimate", "se", "df", "p", "lower", "upper"]]
    return {str(column): float(value) for column, value in zip(shown.columns, shown.to_numpy()[0], strict=True)}


def _fixed_cells(own: Mapping[str, float], places: int, wanted: Wanted) -> tuple[str, ...]:
    if not own:
        return ("",) * len(wanted.heads)
    star = next((mark for bound, mark in STARS if own["p"] < bound), "") if wanted.stars else ""
    cells = [f"{text_of(own['estimate'], places)}{star}"]
    if wanted.uncertainty == "se":
        cells.append(text_of(own["se"], places))
    else:
        cells.append(f"[{text_of(own['lower'], places)}, {text_of(own['upper'], places)}]")
    if wanted.df:
        cells.append("∞" if np.isinf(own["df"]) else text_of(own["df"], 1))
    if wanted.p:
        cells.append("<0.001" if own["p"] < 0.0005 else text_of(own["p"], 3))
    return tuple(cells)


def _random(fits: Sequence[MixedModel], wanted: Wanted) -> list[TableRow]:
    """Standard deviations or variances, correlations or covariances; the residual last."""
    found: dict[str, list[Mapping[str, float]]] = {}
    single, pair = ("sd", "correlation") if wanted.spread == "sd" else ("variance", "covariance")
    column = "sd_or_corr" if wanted.spread == "sd" else "variance"
    for k, fit in enumerate(fits):
        table = fit.varcorr
        for group, one, other, value in zip(table["group"], table["term1"], table["term2"], table[column], strict=True):
            alone = pd.isna(other)
            label = f"{group}: {single} of {one}" if alone else f"{group}: {pair} of {one} and {other}"
            found.setdefault(label, [NOTHING] * len(fits))[k] = {"estimate": float(value)}
        if isinstance(fit, LinearMixedModel) or fit.kind.scaled:
            residual = fit.sigma if wanted.spread == "sd" else fit.sigma**2
            found.setdefault(f"residual: {single}", [NOTHING] * len(fits))[k] = {"estimate": float(residual)}
        if not isinstance(fit, LinearMixedModel) and np.isfinite(fit.tau):
            found.setdefault("τ of the negative binomial", [NOTHING] * len(fits))[k] = {"estimate": fit.tau}
    order = sorted(found, key=lambda label: label.startswith("residual: "))
    rows = []
    for label in order:
        numbers = found[label]
        is_correlation = ": correlation of " in label and wanted.spread == "sd"
        places = [2] * len(fits) if is_correlation else _places(fits, numbers, "estimate", wanted)
        cells = tuple(
            _alone(text_of(own["estimate"], some) if own else "", wanted)
            for own, some in zip(numbers, places, strict=True)
        )
        rows.append(TableRow("Random effects", label, cells, tuple(numbers)))
    return rows


def _alone(text: str, wanted: Wanted) -> tuple[str, ...]:
    """A cell in the column of estimates, and nothing in the others."""
    return (text, *[""] * (len(wanted.heads) - 1))


def _places(fits: Sequence[MixedModel], numbers: Sequence[Mapping[str, float]], by: str, wanted: Wanted) -> list[int]:
    """Decimals for each model: models of one response share them."""
    responses = [unquote(fit.design.formula.response) for fit in fits]
    shared = {}
    for response in set(responses):
        sizes = [n[by] for n, own in zip(numbers, responses, strict=True) if n and own == response]
        shared[response] = decimals_of(sizes, wanted.digits)
    return [shared[response] for response in responses]


def _facts(fits: Sequence[MixedModel], wanted: Wanted, *, criteria: bool) -> list[TableRow]:
    rows = []

    def add(label: str, value: Callable[[MixedModel], float | None], places: int) -> None:
        numbers = [value(fit) for fit in fits]
        cells = tuple(_alone("" if v is None else text_of(v, places), wanted) for v in numbers)
        known = tuple(NOTHING if v is None else {"estimate": float(v)} for v in numbers)
        rows.append(TableRow("Model", label, cells, known))

    add("rows", lambda fit: float(fit.nobs), 0)
    for group in dict.fromkeys(name for fit in fits for name in fit.n_groups):
        add(f"levels of {group}", lambda fit, group=group: fit.n_groups.get(group), 0)  # type: ignore[misc]
    if wanted.icc:
        add("ICC, adjusted", lambda fit: float(fit.icc()["adjusted"]), 3)
    if wanted.r2:
        add("R², marginal", lambda fit: float(fit.r2()["marginal"]), 3)
        add("R², conditional", lambda fit: float(fit.r2()["conditional"]), 3)
    words = {
        "fitted by": [method_of(fit) for fit in fits],
        "dependent variable": [unquote(fit.design.formula.response) for fit in fits],
    }
    if any(not isinstance(fit, LinearMixedModel) for fit in fits):
        words["family (link)"] = [family_of(fit) for fit in fits]
    for label, texts in words.items():
        rows.append(TableRow("Model", label, tuple((text,) for text in texts), (NOTHING,) * len(fits)))
    restricted = any(fit.reml for fit in fits)
    add("log-likelihood (REML: restricted)" if restricted else "log-likelihood", lambda fit: fit.loglik, 1)
    if criteria:
        add("AIC", lambda fit: fit.aic, 1)
        add("BIC", lambda fit: fit.bic, 1)
    return rows


def method_of(fit: MixedModel) -> str:
    """``"REML"``, ``"ML"``, or ``"ML"`` with its approximation."""
    if isinstance(fit, LinearMixedModel):
        return "REML" if fit.reml else "ML"
    return f"ML (quadrature, {fit.nagq} nodes)" if fit.nagq > 1 else "ML (Laplace)"


def family_of(fit: MixedModel) -> str:
    """``"binomial (logit)"``."""
    return "gaussian (identity)" if isinstance(fit, LinearMixedModel) else f"{fit.family} ({fit.link})"


def decimals_of(sizes: Sequence[float], digits: int) -> int:
    """Decimals that leave so many digits of the smallest of these sizes that is worth reading."""
    known = np.abs([size for size in sizes if np.isfinite(size)])
    worth = known[known > 1e-4 * known.max(initial=0.0)]
    if not len(worth):
        return digits - 1
    return int(np.clip(digits - 1 - np.floor(np.log10(worth.min())), 0, 10))


def text_of(value: float, places: int) -> str:
    """A number with so many decimals; a dash where there is none."""
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text
