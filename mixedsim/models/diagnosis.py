"""May I trust this fit? Its assumptions, each beside what responses drawn from the fit look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.autocorrelation import succession
from mixedsim.inference.collinearity import SEVERE, collinearity
from mixedsim.inference.envelopes import LEVEL
from mixedsim.inference.influence import Influence
from mixedsim.inference.influence_check import Pull, Pulls, level_pull, pull_words, row_pull
from mixedsim.inference.row_checks import (
    Curves,
    GroupSizes,
    group_check,
    mean_check,
    spread_check,
)
from mixedsim.inference.shape_checks import Shape, shape_check
from mixedsim.inference.time_check import Autocorrelation, autocorrelation_check
from mixedsim.inference.verdict import Verdict, nothing
from mixedsim.models.diagnosis_rows import DiagnosisRows, times
from mixedsim.models.influences import Estimates, LinearParts, factor_number
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Found = TypeVar("Found")
_LEAST = 99
CHECKS = ("mean", "spread", "groups", "residuals", "effects", "time", "rows", "levels", "collinearity")


class Diagnosis(DiagnosisRows):
    """The assumptions of a fit, judged; returned by ``fit.diagnose()``.

    Every check is made when first asked for. Each has a `verdict`: ``"looks fine"``, or ``"departs: …"`` where the fit
    lies outside of what `n` responses drawn from it look like, at the 1 % level. Those responses are analysed at the
    estimated θ, so that the level is not quite exact: over eight right models of 48 to 900 rows, 300 to 600 draws of
    each, single checks departed in 0 to 2 % (the influence of yes-or-no rows in 2.7 %), and any of them in 4 to 6.5 %.

    Attributes
    ----------
    fit : the fitted model.
    n, seed : responses drawn from it, and where the random numbers begin.
    """

    # ---- the checks

    @cached_property
    def mean(self) -> Curves:
        """Is the mean right: residuals along fitted values and numeric predictors."""
        here = self.replicated
        return mean_check(here.residual * np.sqrt(here.left)[:, None], here.fitted, self._numbers)

    @cached_property
    def spread(self) -> Curves:
        """Is the spread the same: √|residual| along fitted values and predictors."""
        here = self.replicated
        return spread_check(here.residual, here.fitted, self._numbers, self._categories)

    def groups(self, group: str | None = None) -> GroupSizes:
        """Are residuals as large in one group as in the next; by the factor with most levels if None."""
        f = 0 if group is None else factor_number(self.fit, group)
        here, factor = self.replicated, self.fit.design.factors[f]
        return self._once(
            ("groups", f), lambda: group_check(here.residual, here.codes[f], self._labels(f), factor.name)
        )

    def shape(self, what: str = "residuals", term: str | None = None) -> Shape:
        """Is the shape normal: of the ``"residuals"``, or of one effect of a grouping factor (its first if None)."""
        here = self.replicated
        if what == "residuals" and what not in self.fit.n_groups:
            labels = self.fit.design.index[here.used]
            return self._once(("shape",), lambda: shape_check(here.residual, "residuals", labels, "row "))
        f = factor_number(self.fit, what)
        factor = self.fit.design.factors[f]
        effect = factor.effects[0] if term is None else term
        if effect not in factor.effects:
            raise MixedsimError(f"{effect!r} does not vary by {what!r}: {nearest(effect, factor.effects)}")
        key = (f, factor.effects.index(effect))
        name = f"{effect} by {what}"
        if key not in here.effects:
            why = "flat: the variance is estimated as zero (a singular fit), so there is no shape to look at"
            return Shape(np.empty(0), np.arange(0), None, nothing(f"shape of {name}", why))
        labels = pd.Index(self._labels(f))
        return self._once(("shape", *key), lambda: shape_check(here.effects[key], name, labels))

    def autocorrelation(self, time: str | ArrayLike, group: str | None = None, lags: int = 10) -> Autocorrelation:
        """Do rows that follow each other agree more than the model says; within the factor with most levels if None.

        Parameters
        ----------
        time : a column of the data, or one number or date a row.
        group : grouping factor.
        lags : the longest lag, in steps of the time.
        """
        if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < 1:
            raise MixedsimError(f"lags must be a whole number of at least 1, found {lags!r}.")
        f = 0 if group is None else factor_number(self.fit, group)
        here = self.replicated
        values = times(self.fit, time)[here.used]

        def make() -> Autocorrelation:
            return autocorrelation_check(here.residual, succession(here.codes[f], values, int(lags)))

        return self._once(("time", time, f, int(lags)), make) if isinstance(time, str) else make()

    @cached_property
    def influence(self) -> Pulls:
        """Does a row, or a level of the factor with most levels, pull more than any should."""
        return self.pulls(None)

    def pulls(self, group: str | None) -> Pulls:
        """Does a row, or a level of a factor, pull more than any should; the one with most levels if None."""
        fit, parts = self.fit, self._linear
        f = 0 if group is None else factor_number(fit, group)
        factor = fit.design.factors[f]
        level = level_pull(parts.of_levels(f, self._row_pull.of), self.n, self.seed, 0.5 * LEVEL)
        words = [
            pull_words(pull, parts.dfbetas(pull.of), fit.coefficient_names, name, labels)
            for pull, name, labels in (
                (self._row_pull, "row", fit.design.index),
                (level, factor.name, factor.levels),
            )
        ]
        return Pulls(factor.name, self._row_pull, level, *words)

    def dfbetas(self, found: Influence) -> Floats:
        """Changes of the coefficients over their standard errors: k × p."""
        return self._linear.dfbetas(found)

    @cached_property
    def _linear(self) -> LinearParts:
        return LinearParts.of(self.fit)

    @cached_property
    def _row_pull(self) -> Pull:
        return row_pull(self._linear.of_rows(), 0.5 * LEVEL)

    @cached_property
    def _made(self) -> dict[tuple[object, ...], Any]:
        return {}

    def _once(self, key: tuple[object, ...], make: Callable[[], Found]) -> Found:
        """What was made before, or is made now."""
        if key not in self._made:
            self._made[key] = make()
        found: Found = self._made[key]
        return found

    @cached_property
    def collinearity(self) -> tuple[pd.DataFrame, Verdict]:
        """Do predictors repeat each other: the table, and its verdict (by common limits; nothing is random here)."""
        table = collinearity_table(self.fit)
        if table["term"].nunique() < 2:
            return table, nothing("collinearity", str(table.attrs["sentence"]))
        wide = table["widening"].to_numpy() ** 2
        fine = bool(wide.max() < SEVERE)
        worst = table.iloc[int(np.argmax(wide.round(9)))]
        how = f"intervals of {worst['term']} are {worst['widening']:.1f} times as wide as alone"
        return table, Verdict("collinearity", fine, float("nan"), "looks fine" if fine else f"departs: {how}")

    # ---- all of them

    def verdicts(self, time: str | ArrayLike | None = None, checks: Sequence[str] = CHECKS) -> list[Verdict]:
        """Every verdict, or those of some `checks`; autocorrelation where a `time` is given."""
        out: list[Verdict] = []
        for check in checks:
            if check == "mean":
                out.append(self.mean.verdict)
            elif check == "spread":
                out.append(self.spread.verdict)
            elif check == "groups":
                out.append(self.groups().verdict)
            elif check == "residuals":
                out.append(self.shape().verdict)
            elif check == "effects":
                for factor in self.fit.design.factors:
                    out += [self.shape(factor.name, effect).verdict for effect in factor.effects]
            elif check == "time" and time is not None:
                out.append(self.autocorrelation(time).verdict)
            elif check == "rows":
                out.append(self.influence.row_verdict)
            elif check == "levels":
                out.append(self.influence.level_verdict)
            elif check == "collinearity":
                out.append(self.collinearity[1])
        return out

    def table(self, time: str | ArrayLike | None = None) -> pd.DataFrame:
        """Every verdict as a table: index check; fine, p, verdict."""
        found = self.verdicts(time)
        return pd.DataFrame(
            {"fine": [v.fine for v in found], "p": [v.p for v in found], "verdict": [v.words for v in found]},
            index=pd.Index([v.check for v in found], name="check"),
        )

    def __repr__(self) -> str:
        lines = [f"{v.check}: {v.sentence}" for v in self.verdicts()]
        return "\n".join([*lines, f"({self.sampled})"] if self.sampled else lines)


def diagnose(fit: Estimates, n: int, seed: Any) -> Diagnosis:
    """The object behind ``fit.diagnose()``."""
    count = whole(n, "n")
    if count < _LEAST:
        raise MixedsimError(f"n must be at least {_LEAST}, so that a test at the 1 % level can reject, found {count}.")
    return Diagnosis(fit, n=count, seed=settle_seed(seed))


def collinearity_table(fit: Estimates) -> pd.DataFrame:
    """The table behind ``fit.collinearity()``."""
    linear = fit.problem if isinstance(fit, LinearEstimates) else fit.problem.linear
    terms = [fit.design.x.terms[j] for j in linear.fixed.kept]
    return collinearity(fit.vcov.to_numpy(), fit.coefficient_names, terms)
