"""How a fitted cumulative-link mixed model prints."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from mixedsim.models.clmm_coefficients import coefficients, threshold_table
from mixedsim.models.clmm_estimates import ClmmEstimates
from mixedsim.models.summary_layout import SummaryLayout, decimals


class ClmmSummary(SummaryLayout):
    """Lays out a fitted cumulative-link mixed model; holds no numbers of its own."""

    residual_row = False

    def __init__(self, fit: ClmmEstimates) -> None:
        super().__init__(fit)
        self.fit = fit

    def head(self) -> str:
        """Method, link, formula and criteria."""
        return "\n".join(
            [
                f"Cumulative link mixed model fit by maximum likelihood ({self._method()})",
                f"Response: {self._response()}",
                f"Formula: {' '.join(self.fit.formula.split())}",
                "",
                *self._criteria(),
            ]
        )

    def _method(self) -> str:
        nodes = self.fit.nagq
        return f"Gauss-Hermite quadrature with {nodes} nodes" if nodes > 1 else "Laplace approximation"

    def _response(self) -> str:
        return f"{len(self.fit.categories)} ordered categories ({self.fit.link} link, flexible thresholds)"

    def html_head(self) -> tuple[str, str]:
        """As `SummaryLayout.html_head`."""
        name = f"<strong>Cumulative link mixed model</strong>, {html.escape(self._response())}, by {self._method()}"
        return name, f"−2 log L {self.fit.deviance:.1f}"

    def scaled_residuals(self) -> Sequence[float]:
        """None: categories have no distance from a mean."""
        return ()

    def fixed_title(self, before: str, after: str) -> str:
        """Wald's z tests."""
        return f"{before}Wald z tests on the latent scale{after}"

    def fixed_table(self) -> pd.DataFrame:
        """Estimates with z tests, as strings."""
        table = coefficients(self.fit)
        places = decimals(table["se"].to_numpy())
        return pd.DataFrame(
            {
                "Estimate": [f"{v:.{places}f}" for v in table["estimate"]],
                "Std. Error": [f"{v:.{places}f}" for v in table["se"]],
                "z value": [f"{v:.3f}" for v in table["t"]],
                "Pr(>|z|)": [f"{v:.3g}" if v >= 2e-16 else "<2e-16" for v in table["p"]],
            },
            index=table.index,
        )

    def further_tables(self) -> Sequence[tuple[str, pd.DataFrame]]:
        """The thresholds."""
        table = threshold_table(self.fit)
        places = decimals(table["se"].to_numpy())
        shown = {
            "Estimate": [f"{v:.{places}f}" for v in table["estimate"]],
            "Std. Error": [f"{v:.{places}f}" for v in table["se"]],
            "z value": [f"{v:.3f}" for v in table["estimate"] / table["se"]],
        }
        return [("Thresholds", pd.DataFrame(shown, index=table.index))]
