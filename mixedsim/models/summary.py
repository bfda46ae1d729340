"""How a fitted linear mixed model prints."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mixedsim.models.combinations import coefficients
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.prediction import residuals
from mixedsim.models.summary_layout import SummaryLayout, decimals


class Summary(SummaryLayout):
    """Lays out a fitted linear mixed model; holds no numbers of its own."""

    def __init__(self, fit: LinearEstimates) -> None:
        super().__init__(fit)
        self.fit = fit

    def head(self) -> str:
        """Method, formula and criterion."""
        fit = self.fit
        method = "REML" if fit.reml else "maximum likelihood"
        lines = [f"Linear mixed model fit by {method}", f"Formula: {' '.join(fit.formula.split())}", ""]
        lines += [f"REML criterion at convergence: {fit.deviance:.1f}"] if fit.reml else self._criteria()
        return "\n".join(lines)

    def html_head(self) -> tuple[str, str]:
        """As `SummaryLayout.html_head`."""
        method = "REML" if self.fit.reml else "maximum likelihood"
        criterion = "REML criterion" if self.fit.reml else "−2 log L"
        return f"<strong>Linear mixed model</strong> fitted by {method}", f"{criterion} {self.fit.deviance:.1f}"

    def scaled_residuals(self) -> Sequence[float]:
        """Residuals over sigma; none where the rows are not in memory."""
        if not self.fit.design.in_memory:
            return []
        return residuals(self.fit, "scaled").tolist()

    def fixed_title(self, before: str, after: str) -> str:
        """Satterthwaite's t tests."""
        return f"{before}t tests with Satterthwaite's degrees of freedom{after}"

    def fixed_table(self) -> pd.DataFrame:
        """Estimates with Satterthwaite's degrees of freedom, as strings."""
        table = coefficients(self.fit, ddf="satterthwaite", level=0.95)
        places = decimals(table["se"].to_numpy())
        return pd.DataFrame(
            {
                "Estimate": [f"{v:.{places}f}" for v in table["estimate"]],
                "Std. Error": [f"{v:.{places}f}" for v in table["se"]],
                "df": [f"{v:.2f}" if v < 1e5 else f"{v:.3g}" for v in table["df"]],
                "t value": [f"{v:.3f}" for v in table["t"]],
                "Pr(>|t|)": [f"{v:.3g}" if v >= 2e-16 else "<2e-16" for v in table["p"]],
            },
            index=table.index,
        )
