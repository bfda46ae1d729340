"""Fixed terms left out one at a time."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.formula import fixed_terms
from mixedsim.inference.contrasts import Ddf
from mixedsim.inference.hypotheses import hypotheses
from mixedsim.inference.likelihood_ratio import naive_p
from mixedsim.models import generalized_refitting
from mixedsim.models.combinations import joint
from mixedsim.models.comparable import MixedModel, by_likelihood, facts, gain, name_of
from mixedsim.models.comparison_table import ComparisonTable
from mixedsim.models.fitting import fit_formula
from mixedsim.models.generalized_fitting import fit_generalized
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.refitting import on_rows
from mixedsim.models.tables import f_table
from mixedsim.update_formula import without


def drop1(fit: MixedModel, test: Literal["lrt"] | Ddf = "lrt") -> pd.DataFrame:
    """Each fixed term that can be left out, tested: a term that is part of an interaction cannot.

    Parameters
    ----------
    fit : a fitted model.
    test : ``"lrt"`` fits the model without the term, by maximum likelihood; ``"satterthwaite"``, ``"kenward-roger"`` or
        ``"wald"`` test the term within the model, as `LinearMixedModel.anova` does; generalised models have
        ``"lrt"`` and ``"wald"``.

    Returns
    -------
    DataFrame with index term. With ``"lrt"``: ``npar, aic, bic, loglik, deviance, chisq, df, p``, and the whole model
    as first row, ``<none>``. Otherwise the columns of `LinearMixedModel.anova`.

    Raises
    ------
    MixedsimError
        If the model has no term to leave out, or the test is unknown.

    Examples
    --------
    >>> import mixedsim as ms
    >>> fit = ms.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", ms.datasets.load("cake"))
    >>> ms.drop1(fit)[["chisq", "df", "p"]].round(3)  # the interaction: it contains the two others
    Left out one at a time, by maximum likelihood
    <BLANKLINE>
                chisq df    p
    <none>
    recipe:temp  0.08  2 0.96
    <BLANKLINE>
    Note: the model was fitted by REML and has been refitted by maximum likelihood.
    """
    if not isinstance(fit, MixedModel):
        raise MixedsimError(f"drop1 takes a fitted model, found {type(fit).__name__}: fit it with ms.lmer first.")
    if test not in ("lrt", *get_args(Ddf)):
        known = ", ".join(map(repr, ("lrt", *get_args(Ddf))))
        raise MixedsimError(f"test must be one of {known}, found {test!r}.")
    terms = droppable(fit.design.formula.fixed)
    if not terms:
        raise MixedsimError(f"the model {name_of(fit)} has no fixed term that could be left out.")
    if test != "lrt":
        return _within(fit, terms, test)
    whole_fit = by_likelihood(fit)
    smaller = _without_each(fit, terms)
    table = facts([whole_fit, *smaller]).set_axis(pd.Index(["<none>", *terms], name="term"), axis=0)
    table["chisq"] = [np.nan, *(gain(other, whole_fit) for other in smaller)]
    table["df"] = [np.nan, *(whole_fit.npar - other.npar for other in smaller)]
    table["df"] = table["df"].astype("Int64")
    table["p"] = [np.nan, *(naive_p(gain(m, whole_fit), whole_fit.npar - m.npar) for m in smaller)]
    notes = ["the model was fitted by REML and has been refitted by maximum likelihood."] if fit.reml else []
    return ComparisonTable.make(table, "Left out one at a time, by maximum likelihood", notes)


def _within(fit: MixedModel, terms: list[str], ddf: Ddf) -> pd.DataFrame:
    """Tests within the model."""
    if isinstance(fit, LinearMixedModel):
        tested = hypotheses(fit.design, fit.problem, 2)
        return f_table([joint(fit, tested[term], ddf) for term in terms], terms, ddf)
    return fit.anova(2, ddf).loc[terms]


def _without_each(fit: MixedModel, terms: list[str]) -> list[MixedModel]:
    """The model without each of the terms, on the same rows."""
    formulas = [without(fit.design.formula, term) for term in terms]
    if isinstance(fit, LinearMixedModel):
        request = on_rows(fit)
        return [LinearMixedModel(**fit_formula(formula, request, reml=False)) for formula in formulas]
    request = generalized_refitting.on_rows(fit)
    return [type(fit)(**fit_generalized(formula, request, fit.kind)) for formula in formulas]


def droppable(fixed: str) -> list[str]:
    """Terms of a right-hand side that no other term contains; the intercept is none of them."""
    terms = [term for term in fixed_terms(fixed) if str(term) != "1"]
    factors = {str(term): {f.expr for f in term.factors} for term in terms}
    return [name for name, own in factors.items() if not any(own < other for other in factors.values())]
