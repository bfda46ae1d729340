"""A fitted linear mixed model fitted again: another formula, response, criterion or optimiser gives another object."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import pandas as pd
from numpy.typing import ArrayLike

from mixedsim.engine import Control
from mixedsim.models import refitting
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.refitting import KEEP, Keep, UsedControl


class LinearRefitting(LinearEstimates):
    """The same model once more, and how the optimiser came to it."""

    @cached_property
    def control(self) -> UsedControl:
        """How the optimiser was told to work; ``control.trace`` tabulates where it went: θ, deviance, gradient."""
        return refitting.used_control(self)

    def update(
        self,
        formula: str | None = None,
        *,
        data: Any = None,
        reml: bool | None = None,
        weights: str | ArrayLike | Keep | None = KEEP,
        offset: str | ArrayLike | Keep | None = KEEP,
        control: Control | Keep | None = KEEP,
    ) -> Self:
        """Another model, fitted with everything that is not named here as it was.

        Parameters
        ----------
        formula : a change such as ``". ~ . + price - (1 | school)"`` (see `mixedsim.update_formula`), or a formula.
        data, reml, weights, offset, control : as in `lmer`; ``weights=None`` takes the weights away.

        Raises
        ------
        FormulaError, DataError
            As `lmer` does, and where a term is to be removed that is not there.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> fit.update(". ~ . - (Days | Subject) + (Days || Subject)", reml=False).formula
        'Reaction ~ Days + (Days || Subject)'
        """
        return type(self)(**refitting.update(self, formula, data, reml, weights, offset, control))

    def refit(self, y: Any) -> Self:
        """The same model fitted to another response on the same rows, which costs far less than `lmer`.

        Parameters
        ----------
        y : n numbers, one for each row that was fitted (or that was given); a Series is matched by its index.

        Raises
        ------
        DataError
            If the values do not fit the rows, are not finite, or all equal.

        Examples
        --------
        >>> import mixedsim as ms
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> other = fit.refit(fit.simulate(1, seed=1)[0])
        >>> other.nobs, bool(other.fixef["Days"] == fit.fixef["Days"])
        (180, False)
        """
        return type(self)(**refitting.refit(self, y))

    def all_optimizers(self, optimizers: Sequence[str] | None = None) -> pd.DataFrame:
        """What each optimiser makes of this model: one row an optimiser.

        Parameters
        ----------
        optimizers : some of those that `mixedsim.Control` names; all if None.

        Returns
        -------
        DataFrame with ``loglik``, ``fixef_difference`` (largest change of a fixed effect from this fit, in standard
        errors), ``evaluations`` of the deviance, ``converged`` and ``seconds``. Where they agree, the optimum is no
        accident of the search.
        """
        return refitting.all_optimizers(self, optimizers)

    def trace(self) -> pd.DataFrame:
        """The optimiser's path: one row an iteration with θ in lme4's units, deviance and largest absolute gradient."""
        return self.control.trace
