"""How fitted models print, whatever their kind: lme4's layout as text, the same tables as HTML."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from mixedsim.design import Design


class Printed(Protocol):
    """What every fitted model can say of itself."""

    @property
    def design(self) -> Design: ...
    @property
    def formula(self) -> str: ...
    @property
    def coefficient_names(self) -> tuple[str, ...]: ...
    @property
    def vcov(self) -> pd.DataFrame: ...
    @property
    def covariances(self) -> dict[str, pd.DataFrame]: ...
    @property
    def sigma(self) -> float: ...
    @property
    def nobs(self) -> int: ...
    @property
    def n_groups(self) -> dict[str, int]: ...
    @property
    def aic(self) -> float: ...
    @property
    def bic(self) -> float: ...
    @property
    def loglik(self) -> float: ...
    @property
    def deviance(self) -> float: ...
    @property
    def messages(self) -> tuple[str, ...]: ...


class SummaryLayout(ABC):
    """Lays out a fitted model; holds no numbers of its own.

    Attributes
    ----------
    residual_row : whether the residual stands among the random effects.
    """

    residual_row = True

    def __init__(self, fit: Printed) -> None:
        self._fit = fit

    def __str__(self) -> str:
        parts = [self.head(), *self._residuals(), self._random()]
        if len(self._fit.coefficient_names):
            table = self.fixed_table().reset_index(names="")
            parts.append(f"Fixed effects{self.fixed_title(' (', ')')}:\n{columns(table, left=('',))}")
        if len(self._fit.coefficient_names) > 1:
            parts.append(self._correlations())
        parts += [
            f"{title}:\n{columns(table.reset_index(names=''), left=('',))}" for title, table in self.further_tables()
        ]
        parts += [f"Note: {message}" for message in self._fit.messages]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return str(self)

    # ---- what differs by kind of model

    @abstractmethod
    def head(self) -> str:
        """What was fitted and how, and the criteria."""

    @abstractmethod
    def html_head(self) -> tuple[str, str]:
        """The name of the model with the method, and the criterion with its name."""

    @abstractmethod
    def scaled_residuals(self) -> Sequence[float]:
        """Residuals whose quantiles are shown; none where the model has no such residuals."""

    def further_tables(self) -> Sequence[tuple[str, pd.DataFrame]]:
        """Titles and tables of strings below that of the fixed effects."""
        return ()

    @abstractmethod
    def fixed_title(self, before: str, after: str) -> str:
        """Which tests the fixed effects have, between the two texts; nothing where it need not be said."""

    @abstractmethod
    def fixed_table(self) -> pd.DataFrame:
        """Estimates and tests, as strings."""

    # ---- text

    def _criteria(self) -> list[str]:
        """AIC, BIC and likelihood under their names: two lines."""
        fit = self._fit
        names = ("AIC", "BIC", "logLik", "-2*log(L)")
        cells = [f"{value:.1f}" for value in (fit.aic, fit.bic, fit.loglik, fit.deviance)]
        widths = [max(len(a), len(b)) for a, b in zip(names, cells, strict=True)]
        return ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in (names, cells)]

    def _residuals(self) -> list[str]:
        residuals = self.scaled_residuals()
        if not len(residuals):
            return []
        quantiles = np.quantile(residuals, [0, 0.25, 0.5, 0.75, 1])
        names = ("Min", "1Q", "Median", "3Q", "Max")
        cells = [f"{q:.4f}" for q in quantiles]
        lines = (" ".join(name.rjust(8) for name in names), " ".join(cell.rjust(8) for cell in cells))
        return ["\n".join(["Scaled residuals:", *lines])]

    def _random(self) -> str:
        table = self.random_table()
        size = ", ".join(f"{name}, {levels}" for name, levels in self._fit.n_groups.items())
        return (
            f"Random effects:\n{columns(table, left=('Groups', 'Name'))}\n"
            f"Number of obs: {self._fit.nobs}, groups:  {size}"
        )

    def _correlations(self) -> str:
        names = list(self._fit.coefficient_names)
        if len(names) > 12:
            return f"Correlation of fixed effects: {len(names)} × {len(names)}, see .vcov"
        sd = np.sqrt(np.diag(self._fit.vcov))
        corr = self._fit.vcov.to_numpy() / np.outer(sd, sd)
        heads = names
        if max(map(len, names)) > 9:  # long names become numbers, so that the table stays as wide as a page
            heads = [str(i + 1) for i in range(len(names))]
            names = [f"{i} {name}" for i, name in zip(heads, names, strict=True)]
        table = pd.DataFrame(
            [[f"{corr[i, j]:.3f}" if j < i else "" for j in range(len(names) - 1)] for i in range(1, len(names))],
            columns=heads[:-1],
        )
        table.insert(0, "", names[1:])
        return f"Correlation of fixed effects:\n{columns(table, left=('',))}"

    # ---- tables that text and HTML share

    def random_table(self) -> pd.DataFrame:
        """Groups, names, variances, standard deviations and correlations, as strings."""
        fit = self._fit
        rows: list[list[str]] = []
        widest = 0
        variances: list[float] = []
        for factor in fit.design.factors:
            covariance = fit.covariances[factor.name]
            label = factor.name
            for term in factor.terms:
                names = list(term.columns.names)
                sd = np.sqrt(np.diag(covariance.loc[names, names]))
                for i, name in enumerate(names):
                    variances.append(sd[i] ** 2)
                    corr = [
                        f"{covariance.loc[name, names[j]] / (sd[i] * sd[j]):.2f}" if sd[i] * sd[j] > 0 else "NaN"
                        for j in range(i)
                    ]
                    widest = max(widest, len(corr))
                    rows.append([label, name, "", "", *corr])
                    label = ""
        if self.residual_row:
            variances.append(fit.sigma**2)
            rows.append(["Residual", "", "", ""])
        places = decimals(np.sqrt(variances))
        for row, variance in zip(rows, variances, strict=True):
            row[2], row[3] = f"{variance:.{max(places - 1, 0)}f}", f"{np.sqrt(variance):.{places}f}"
            row += [""] * (4 + widest - len(row))
        header = ["Groups", "Name", "Variance", "Std.Dev.", *["Corr", *[""] * widest][:widest]]
        return pd.DataFrame(rows, columns=header)

    # ---- HTML

    def _repr_html_(self) -> str:
        fit = self._fit
        name, criterion = self.html_head()
        facts = [
            f"{fit.nobs} rows",
            *(f"{levels} levels of {html.escape(name)}" for name, levels in fit.n_groups.items()),
            criterion,
            f"AIC {fit.aic:.1f}",
            f"BIC {fit.bic:.1f}",
        ]
        parts = [
            f"<p>{name}<br>",
            f"<code>{html.escape(' '.join(fit.formula.split()))}</code><br>{' · '.join(facts)}</p>",
            _html_table("Random effects", self.random_table(), names=2),
        ]
        if len(fit.coefficient_names):
            title = f"Fixed effects{self.fixed_title(', ', '')}"
            parts.append(_html_table(title, self.fixed_table().reset_index(names=""), names=1))
        parts += [_html_table(title, table.reset_index(names=""), names=1) for title, table in self.further_tables()]
        parts += [f"<p><em>{html.escape(message)}</em></p>" for message in fit.messages]
        return f'<div class="mixedsim-fit">{"".join(parts)}</div>'


def _html_table(title: str, table: pd.DataFrame, names: int) -> str:
    """A table of strings; the first `names` columns are flush left, all others are numbers."""

    def row(tag: str, cells: list[str]) -> str:
        sides = ["left" if j < names else "right" for j in range(len(cells))]
        aligned = [
            f'<{tag} style="text-align:{side};padding:0.15em 0.6em">{html.escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        ]
        return f"<tr>{''.join(aligned)}</tr>"

    head = row("th", [str(c) for c in table.columns])
    body = "".join(row("td", [str(v) for v in values]) for values in table.to_numpy())
    caption = f'<caption style="caption-side:top;text-align:left">{html.escape(title)}</caption>'
    return f'<table class="dataframe">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'


def decimals(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    """Decimals that leave about four significant digits of the smallest positive value worth reading."""
    largest = float(np.max(values, initial=0.0))
    worth = [v for v in values if v > 1e-4 * largest]
    if not worth:
        return 4
    return int(np.clip(3 - np.floor(np.log10(min(worth))), 0, 10))


def columns(table: pd.DataFrame, left: tuple[str, ...]) -> str:
    """A table of strings as aligned text; the named columns are flush left."""
    cells = [[str(c) for c in table.columns], *[[str(v) for v in row] for row in table.to_numpy()]]
    widths = [max(len(row[j]) for row in cells) for j in range(len(table.columns))]
    lines = []
    for row in cells:
        aligned = [
            cell.ljust(w) if name in left and j < 2 else cell.rjust(w)
            for j, (cell, w, name) in enumerate(zip(row, widths, map(str, table.columns), strict=True))
        ]
        lines.append(" " + " ".join(aligned).rstrip())
    return "\n".join(lines)
