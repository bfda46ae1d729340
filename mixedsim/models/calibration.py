"""Whether 5 % is 5 % on the design of a fit: how often each test of each coefficient rejects a true null.

Responses are drawn from the fitted model. In each of them a test of "β_j is what it was drawn with" is a test of a true
null; for t and z tests it is the test of zero after ``(β_j)x_j`` has been taken from the response, which changes the
estimate by β_j and nothing else. The likelihood-ratio test is fitted twice to that response, by maximum likelihood,
without and with the coefficient.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.engine import CrossProducts
from mixedsim.errors import MixedsimError
from mixedsim.inference.bootstrap import refit_all
from mixedsim.inference.contrasts import two_sided
from mixedsim.inference.responses import responses
from mixedsim.inference.shares import Share, per_cent
from mixedsim.listing import counted, listed, unbroken
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.many import refit_many
from mixedsim.models.power import check_alpha
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
Test = Literal["wald", "satterthwaite", "kenward-roger", "lrt"]


@dataclass(frozen=True, eq=False)
class Calibration:
    """How often each test rejects a true null, as `LinearMixedModel.calibrate` returns it.

    Attributes
    ----------
    table : index (coefficient, test); columns ``rate``, ``mcse``, ``lower``, ``upper`` (exact 95 % Monte-Carlo
        interval), ``n`` (replicates with a p-value) and ``failed`` (those without).
    alpha : the rate that a calibrated test has.
    n, singular : replicates, and how many of them have a singular fit.
    seed : gives the same numbers again.
    """

    table: pd.DataFrame
    alpha: float
    n: int
    singular: int
    seed: int
    formula: str = field(repr=False)

    @property
    def off(self) -> pd.DataFrame:
        """The rows of the table that are further from `alpha` than chance explains.

        Their intervals do not hold `alpha` at a level that all intervals of the table keep together (Bonferroni).
        """
        level = 1.0 - 0.05 / len(self.table)
        hits = (self.table["rate"] * self.table["n"]).round().fillna(0)
        ends = [Share(int(h), int(n)).interval(level) for h, n in zip(hits, self.table["n"], strict=True)]
        return self.table[[low > self.alpha or high < self.alpha for low, high in ends]]

    @property
    def sentence(self) -> str:
        """Which tests hold their level on this design, and which do not."""
        wrong = self.off
        if wrong.empty:
            return f"No test is further from {per_cent(self.alpha, 0)} than chance explains."
        keys = zip(*(wrong.index.get_level_values(level) for level in ("coefficient", "test")), strict=True)
        rates = [per_cent(rate) for rate in wrong["rate"]]
        said = [f"{test} for {name} ({rate})" for (name, test), rate in zip(keys, rates, strict=True)]
        return f"Further from {per_cent(self.alpha, 0)} than chance explains: {listed(said)}."

    def __str__(self) -> str:
        return f"{self._title()}\n\n{self._cells().to_string()}\n\n{self.sentence}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        title, sentence = html.escape(self._title()), html.escape(self.sentence)
        body = self._cells().to_html(border=0)
        inner = unbroken(f"<p><strong>{title}</strong></p>{body}<p>{sentence}</p>")
        return f'<div class="mixedsim-calibration">{inner}</div>'

    def _title(self) -> str:
        singular = f", {self.singular:,} of them singular" if self.singular else ""
        responses = counted(self.n, "response")
        return f"False positives of {self.formula.strip()}: {responses} without the effect{singular}"

    def _cells(self) -> pd.DataFrame:
        pairs = zip(100 * self.table["rate"], 100 * self.table["mcse"], strict=True)
        said = [f"{rate:.1f} ± {error:.1f} %" for rate, error in pairs]
        cells = pd.Series(said, index=self.table.index).reset_index(name="cell")
        names, tests = cells["coefficient"].unique(), cells["test"].unique()
        wide = cells.pivot_table(index="coefficient", columns="test", values="cell", aggfunc="first", observed=True)
        return wide.loc[names, tests].rename_axis(index=None, columns=None)


def calibrate(fit: LinearEstimates, n: int, seed: Any, tests: Sequence[Test] | None, alpha: float) -> Calibration:
    """The table behind `LinearMixedModel.calibrate`."""
    check_alpha(alpha)
    wanted, n, settled = _wanted(fit, tests), whole(n, "n"), settle_seed(seed)
    names = fit.coefficient_names
    p: dict[Test, list[Floats]] = {test: [] for test in wanted}
    singular = 0
    for standard in responses(fit.rows, fit.problem, fit.optimum.profile, n, settled):
        if set(wanted) - {"lrt"}:
            found = refit_many(fit, _raw(fit, standard))
            singular += int(found.singular.sum())
        for test in wanted:
            if test == "lrt":
                p[test].append(_likelihood_ratios(fit, standard))
            else:
                tests_of = found.coefficients(test, 1.0 - alpha)
                values = two_sided((tests_of.estimate - fit.fixef.to_numpy()) / tests_of.se, tests_of.df)
                p[test].append(np.where(found.converged[:, None], values, np.nan))
    rows = [
        rate_row(name, test, np.concatenate(p[test])[:, j], alpha) for j, name in enumerate(names) for test in wanted
    ]
    table = pd.DataFrame(rows).set_index(["coefficient", "test"])
    return Calibration(table, alpha, n, singular, settled, fit.formula)


def _wanted(fit: LinearEstimates, tests: Sequence[Test] | None) -> list[Test]:
    known = [test for test in get_args(Test) if fit.reml or test != "kenward-roger"]
    if not fit.coefficient_names:
        raise MixedsimError("calibrate is about tests of fixed effects, and this model has none: add one.")
    if tests is None:
        return known
    given: Sequence[Test] = tests if isinstance(tests, list | tuple) else [tests]  # type: ignore[list-item]
    for test in given:
        if test not in get_args(Test):
            raise MixedsimError(f"tests must be among {listed(map(repr, get_args(Test)))}, found {test!r}.")
        if test not in known:
            raise MixedsimError("Kenward-Roger's method needs a REML fit: fit the model with reml=True.")
    if not given:
        raise MixedsimError(f"tests must name at least one of {listed(map(repr, known))}.")
    return list(dict.fromkeys(given))


def rate_row(name: str, test: str, p: Floats, alpha: float) -> dict[str, Any]:
    """One row of `Calibration.table`, from the p-values of a test."""
    known = np.isfinite(p)
    share = Share(int((p[known] < alpha).sum()), int(known.sum()))
    lower, upper = share.interval()
    return {
        "coefficient": name, "test": test, "rate": share.value, "mcse": share.mcse, "lower": lower, "upper": upper,
        "n": share.n, "failed": len(p) - share.n,
    }  # fmt: skip


def _raw(fit: LinearEstimates, standard: Floats) -> Floats:
    """Standardised responses in the units of the data."""
    y = fit.problem.response.centre + fit.problem.response.scale * standard
    return y if fit.design.offset is None else y + fit.design.offset[:, None]


def _likelihood_ratios(fit: LinearEstimates, standard: Floats) -> Floats:
    """p-values of the likelihood-ratio test of every coefficient being what it is: r × p."""
    layout, theta, t = fit.problem.layout, fit.optimum.profile.theta, fit.problem.fixed.transform
    beta = fit.optimum.profile.beta
    # Without Xβ̂ every coefficient is zero in truth, and one full model serves all of the nulls.
    cp = fit.rows.products(standard - (fit.rows.x @ beta)[:, None], fit.problem.cp)
    full = refit_all(cp, layout, False, theta, None)
    out = np.empty((standard.shape[1], len(beta)))
    for j in range(len(beta)):
        null = refit_all(_without(cp, t[j]), layout, False, theta, None)
        ratio = np.where(full.converged & null.converged, null.deviance - full.deviance, np.nan)
        out[:, j] = special.chdtrc(1, np.maximum(ratio, 0.0))
    return out


def _without(cp: CrossProducts, direction: Floats) -> CrossProducts:
    """The cross-products of the model in which ``direction · β = 0``: β = Nγ with N a basis of the others."""
    basis = np.linalg.qr(direction[:, None], mode="complete")[0][:, 1:]
    return replace(cp, zx=tuple(zx @ basis for zx in cp.zx), xx=basis.T @ cp.xx @ basis, xy=basis.T @ cp.xy)
