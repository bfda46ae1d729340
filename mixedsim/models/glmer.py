"""`glmer`: formula, family, design, objective, optimum, result, one after the other."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from mixedsim.engine import Control
from mixedsim.formula import parse
from mixedsim.models.fitting import Request, settle_control
from mixedsim.models.generalized import GeneralizedLinearMixedModel
from mixedsim.models.generalized_family import settle_kind
from mixedsim.models.generalized_fitting import check_control, fit_generalized


def glmer(
    formula: str,
    data: Any,
    family: str | tuple[str, str] = "binomial",
    nagq: int = 1,
    *,
    weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    control: Control | None = None,
) -> GeneralizedLinearMixedModel:
    """Return a generalised linear mixed model fitted to `data`: yes or no, counts, positive amounts.

    Parameters
    ----------
    formula : in lme4's grammar, such as ``"incidence / size ~ period + (1 | herd)"``. Left side of a binomial model:
        ``successes / trials``, a share with the trials as `weights`, 0 and 1, False and True, or two categories, of
        which the second is success.
    data : a DataFrame with one row an observation, or anything that becomes one.
    family : a name, or a pair of a name and a link, of which the first is the default: ``"binomial"`` (logit, probit,
        cloglog, log, identity), ``"poisson"`` (log, identity, sqrt), ``"negative-binomial"`` (the same),
        ``"gamma"`` (inverse, log, identity), ``"inverse-gaussian"`` (inverse-square, inverse, log, identity).
    nagq : nodes of the quadrature, up to 25, for models with one varying effect; 1 is Laplace's approximation.
    weights : prior weights, a column name or one positive number a row: that often the row's likelihood counts.
    offset : a known part of the linear predictor, a column name or one number a row.
    control : the optimiser's tolerance, start, and number of steps in all (see `mixedsim.Control`); the default needs
        none. There is no optimiser but ``"newton"``.

    Raises
    ------
    FormulaError, DataError, MixedsimError
        One sentence that names the term, column, row or option, and how to mend it.

    Notes
    -----
    Bates, Mächler, Bolker & Walker (2015), Fitting linear mixed-effects models using lme4, J. Stat. Softw. 67(1),
    section 2; Pinheiro & Chao (2006), J. Comput. Graph. Stat. 15:58 (quadrature). Standard errors count what
    estimating the variances costs. See `mixedsim.engine.glm_laplace`.

    Where data are separated (a category without a success, a predictor that tells all successes from all failures) the
    likelihood has no maximum: a message names predictor and cell, and ``converged`` is False.

    Gamma and inverse Gaussian models follow lme4's criterion, in which random effects are penalised as if the
    dispersion were 1. Coefficients and their intervals are good; the dispersion comes out somewhat too large and, the
    larger part, standard deviations of random effects too small: with groups of 20, a coefficient of variation of 0.5
    and an sd of 0.6, they are 0.51 and 0.37 on average, here as in lme4. Where the sd matters, `mixedsim.lmer` of the
    logarithm of the amount has it right.

    Examples
    --------
    >>> import mixedsim as ms
    >>> fit = ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp"))
    >>> fit.fixef.round(2).to_dict()
    {'Intercept': -1.4, 'period[T.2]': -0.99, 'period[T.3]': -1.13, 'period[T.4]': -1.58}
    """
    kind = settle_kind(family, nagq)
    request = Request(data, weights, offset, check_control(settle_control(control)))
    return GeneralizedLinearMixedModel(**fit_generalized(parse(formula), request, kind))
