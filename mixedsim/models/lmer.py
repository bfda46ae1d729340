"""`lmer`: formula, design, objective, optimum, result, one after the other."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from mixedsim.engine import Control
from mixedsim.formula import parse
from mixedsim.models.fitting import Request, fit_formula, settle_control, settle_flag
from mixedsim.models.linear import LinearMixedModel


def lmer(
    formula: str,
    data: Any,
    *,
    reml: bool = True,
    weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    control: Control | None = None,
) -> LinearMixedModel:
    """Return a linear mixed model fitted to `data`.

    Parameters
    ----------
    formula : in lme4's grammar, such as ``"Reaction ~ Days + (Days | Subject)"``; see `mixedsim.formula`.
    data : a DataFrame with one row an observation, or anything that becomes one. More rows than memory holds are read
        in chunks, with the same numbers: the path of a Parquet or CSV file or of a folder of them, DataFrames in a list
        or from an iterator, a Dask DataFrame (see `mixedsim.streams`).
    reml : restricted maximum likelihood (the default), or maximum likelihood if False.
    weights : prior weights, a column name or one positive number a row: row i has residual variance σ²/weight_i.
    offset : a known part of the mean, a column name or one number a row (in chunks, column names alone).
    control : the optimiser, its tolerance and start (see `mixedsim.Control`); the default needs none.

    Raises
    ------
    FormulaError, DataError
        One sentence that names the term or column, and how to mend it.

    Notes
    -----
    Bates, Mächler, Bolker & Walker (2015), Fitting linear mixed-effects models using lme4, J. Stat. Softw. 67(1),
    eqs. 30-42, on cross-products of the data (see `mixedsim.engine`).

    Examples
    --------
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> fit.fixef.round(2).to_dict()
    {'Intercept': 251.41, 'Days': 10.47}
    """
    request = Request(data, weights, offset, settle_control(control))
    return LinearMixedModel(**fit_formula(parse(formula), request, settle_flag("reml", reml)))
