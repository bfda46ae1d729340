"""How a fitted model prints: lme4's layout as text, the same tables as HTML."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd

from mixedsim.models.combinations import coefficients
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.prediction import residuals


class Summary:
    """Lays out a fitted model; holds no numbers of its own."""

    def __init__(self, fit: LinearEstimates) -> None:
        self.fit = fit

    def __str__(self) -> str:
        parts = [self._head(), self._residuals(), self._random()]
        if len(self.fit.coefficient_names):
            parts.append(self._fixed())
        if len(self.fit.coefficient_names) > 1:
            parts.append(self._correlations())
        parts += [f"Note: {message}" for message in self.fit.messages]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return str(self)

    # ---- text

    def _head(self) -> str:
        fit = self.fit
        method = "REML" if fit.reml else "maximum likelihood"
        lines = [f"Linear mixed model fit by {method}", f"Formula: {' '.join(fit.formula.split())}", ""]
        if fit.reml:
            lines.append(f"REML criterion at convergence: {fit.deviance:.1f}")
        else:
            names = ("AIC", "BIC", "logLik", "-2*log(L)")
            values = (fit.aic, fit.bic, fit.loglik, fit.deviance)
            cells = [f"{value:.1f}" for value in values]
            widths = [max(len(a), len(b)) for a, b in zip(names, cells, strict=True)]
            lines.append("  ".join(a.rjust(w) for a, w in zip(names, widths, strict=True)))
            lines.append("  ".join(b.rjust(w) for b, w in zip(cells, widths, strict=True)))
        return "\n".join(lines)

    def _residuals(self) -> str:
        quantiles = np.quantile(residuals(self.fit, "scaled"), [0, 0.25, 0.5, 0.75, 1])
        names = ("Min", "1Q", "Median", "3Q", "Max")
        cells = [f"{q:.4f}" for q in quantiles]
        return "\n".join(
            [
                "Scaled residuals:",
                " ".join(name.rjust(8) for name in names),
                " ".join(cell.rjust(8) for cell in cells),
            ]
        )

    def _random(self) -> str:
        table = self.random_table()
        size = ", ".join(f"{name}, {levels}" for name, levels in self.fit.n_groups.items())
        return (
            f"Random effects:\n{_columns(table, left=('Groups', 'Name'))}\n"
            f"Number of obs: {self.fit.nobs}, groups:  {size}"
        )

    def _fixed(self) -> str:
        table = self.fixed_table().reset_index(names="")
        return f"Fixed effects (t tests with Satterthwaite's degrees of freedom):\n{_columns(table, left=('',))}"

    def _correlations(self) -> str:
        names = list(self.fit.coefficient_names)
        if len(names) > 12:
            return f"Correlation of fixed effects: {len(names)} × {len(names)}, see .vcov"
        sd = np.sqrt(np.diag(self.fit.vcov))
        corr = self.fit.vcov.to_numpy() / np.outer(sd, sd)
        heads = names
        if max(map(len, names)) > 9:  # long names become numbers, so that the table stays as wide as a page
            heads = [str(i + 1) for i in range(len(names))]
            names = [f"{i} {name}" for i, name in zip(heads, names, strict=True)]
        table = pd.DataFrame(
            [[f"{corr[i, j]:.3f}" if j < i else "" for j in range(len(names) - 1)] for i in range(1, len(names))],
            columns=heads[:-1],
        )
        table.insert(0, "", names[1:])
        return f"Correlation of fixed effects:\n{_columns(table, left=('',))}"

    # ---- tables that text and HTML share

    def random_table(self) -> pd.DataFrame:
        """Groups, names, variances, standard deviations and correlations, as strings."""
        fit = self.fit
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
        variances.append(fit.sigma**2)
        rows.append(["Residual", "", "", ""])
        decimals = _decimals(np.sqrt(variances))
        for row, variance in zip(rows, variances, strict=True):
            row[2], row[3] = f"{variance:.{max(decimals - 1, 0)}f}", f"{np.sqrt(variance):.{decimals}f}"
            row += [""] * (4 + widest - len(row))
        header = ["Groups", "Name", "Variance", "Std.Dev.", *["Corr", *[""] * widest][:widest]]
        return pd.DataFrame(rows, columns=header)

    def fixed_table(self) -> pd.DataFrame:
        """Estimates with Satterthwaite's degrees of freedom, as strings."""
        table = coefficients(self.fit, ddf="satterthwaite", level=0.95)
        decimals = _decimals(table["se"].to_numpy())
        return pd.DataFrame(
            {
                "Estimate": [f"{v:.{decimals}f}" for v in table["estimate"]],
                "Std. Error": [f"{v:.{decimals}f}" for v in table["se"]],
                "df": [f"{v:.2f}" if v < 1e5 else f"{v:.3g}" for v in table["df"]],
                "t value": [f"{v:.3f}" for v in table["t"]],
                "Pr(>|t|)": [f"{v:.3g}" if v >= 2e-16 else "<2e-16" for v in table["p"]],
            },
            index=table.index,
        )

    # ---- HTML

    def _repr_html_(self) -> str:
        fit = self.fit
        method = "REML" if fit.reml else "maximum likelihood"
        facts = [
            f"{fit.nobs} rows",
            *(f"{levels} levels of {html.escape(name)}" for name, levels in fit.n_groups.items()),
            f"{'REML criterion' if fit.reml else '−2 log L'} {fit.deviance:.1f}",
            f"AIC {fit.aic:.1f}",
            f"BIC {fit.bic:.1f}",
        ]
        parts = [
            f"<p><strong>Linear mixed model</strong> fitted by {method}<br>",
            f"<code>{html.escape(' '.join(fit.formula.split()))}</code><br>{' · '.join(facts)}</p>",
            _html_table("Random effects", self.random_table(), names=2),
        ]
        if len(fit.coefficient_names):
            title = "Fixed effects, t tests with Satterthwaite's degrees of freedom"
            parts.append(_html_table(title, self.fixed_table().reset_index(names=""), names=1))
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


def _decimals(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
    """Decimals that leave about four significant digits of the smallest positive value worth reading."""
    largest = float(np.max(values, initial=0.0))
    worth = [v for v in values if v > 1e-4 * largest]
    if not worth:
        return 4
    return int(np.clip(3 - np.floor(np.log10(min(worth))), 0, 10))


def _columns(table: pd.DataFrame, left: tuple[str, ...]) -> str:
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
