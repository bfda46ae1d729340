"""How a fitted generalised linear mixed model prints."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from mixedsim.models.generalized_coefficients import coefficients
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_prediction import residuals
from mixedsim.models.summary_layout import SummaryLayout, decimals


class GeneralizedSummary(SummaryLayout):
    """Lays out a fitted generalised linear mixed model; holds no numbers of its own."""

    def __init__(self, fit: GeneralizedEstimates) -> None:
        super().__init__(fit)
        self.fit = fit
        self.residual_row = fit.kind.scaled

    def head(self) -> str:
        """Method, family, formula and criteria."""
        fit = self.fit
        return "\n".join(
            [
                f"Generalised linear mixed model fit by maximum likelihood ({self._method()})",
                f"Family: {self._family()}",
                f"Formula: {' '.join(fit.formula.split())}",
                "",
                *self._criteria(),
            ]
        )

    def _method(self) -> str:
        nodes = self.fit.nagq
        if nodes > 1:
            return f"Gauss-Hermite quadrature with {nodes} nodes"
        return "Laplace approximation" if nodes else "Laplace approximation, fixed effects from penalised least squares"

    def _family(self) -> str:
        tau = f", tau = {self.fit.tau:.4g}" if self.fit.objective.family.extra else ""
        return f"{self.fit.family} ({self.fit.link} link{tau})"

    def html_head(self) -> tuple[str, str]:
        """As `SummaryLayout.html_head`."""
        name = f"<strong>Generalised linear mixed model</strong>, {html.escape(self._family())}, by {self._method()}"
        return name, f"−2 log L {self.fit.deviance:.1f}"

    def scaled_residuals(self) -> Sequence[float]:
        """Pearson residuals over sigma."""
        return (residuals(self.fit, "pearson") / self.fit.sigma).tolist()

    def fixed_title(self, before: str, after: str) -> str:
        """Wald's z tests."""
        return f"{before}Wald z tests on the scale of the link{after}"

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
