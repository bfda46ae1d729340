"""`clmm`: formula, link, design, objective, optimum, result, one after the other."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from mixedsim.engine import Control
from mixedsim.formula import parse
from mixedsim.models.clmm_model import CumulativeLinkMixedModel
from mixedsim.models.fitting import Request, settle_control
from mixedsim.models.generalized_family import settle_ordinal
from mixedsim.models.generalized_fitting import check_control, fit_generalized


def clmm(
    formula: str,
    data: Any,
    link: str = "logit",
    nagq: int = 1,
    *,
    weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    control: Control | None = None,
) -> CumulativeLinkMixedModel:
    """Return a cumulative-link mixed model fitted to `data`: ordered categories, such as answers from bad to good.

    ``P(y ≤ k) = F(α_k − x'β − z'b)``: a latent variable that the predictors move is cut at K − 1 thresholds α_k. With
    the logit this is the model of proportional odds.

    Parameters
    ----------
    formula : in lme4's grammar, such as ``"rating ~ temp + contact + (1 | judge)"``. The response is a column of three
        or more ordered categories (``pd.Categorical(..., ordered=True)``), or of whole numbers in their order.
    data : a DataFrame with one row an observation, or anything that becomes one.
    link : ``"logit"``, ``"probit"``, ``"cloglog"`` or ``"loglog"``: the latent variable is logistic, normal, or has
        an extreme-value distribution, of minima or of maxima.
    nagq : nodes of the quadrature, up to 25, for models with one varying effect; 1 is Laplace's approximation.
    weights : prior weights, a column name or one positive number a row: that often the row's likelihood counts.
    offset : a known part of the linear predictor, a column name or one number a row.
    control : the optimiser's tolerance and start (see `mixedsim.Control`); the default needs none.

    Raises
    ------
    FormulaError, DataError, MixedsimError
        One sentence that names the term, column, row or option, and how to mend it.

    Notes
    -----
    McCullagh (1980), J. R. Stat. Soc. B 42:109; Tutz & Hennevogl (1996), Comput. Stat. Data Anal. 22:537. Likelihood,
    signs and names are those of R's ordinal with flexible thresholds, without its nominal and scale effects; cloglog
    and loglog are those of its ``clm``, which its ``clmm`` (2025.12) exchanges. Standard errors count what estimating
    thresholds and variances costs. See `mixedsim.engine.glm_ordinal`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.satisfaction().draw(seed=1).data
    >>> fit = ms.clmm("answer ~ own_room + (1 | home)", data)
    >>> fit.fixef.round(2).to_dict()
    {'own_room': 0.74}
    >>> fit.thresholds.round(1).to_dict()
    {'very bad|bad': -2.5, 'bad|fair': -1.1, 'fair|good': 0.3, 'good|very good': 2.0}
    """
    kind = settle_ordinal(link, nagq)
    request = Request(data, weights, offset, check_control(settle_control(control)))
    return CumulativeLinkMixedModel(**fit_generalized(parse(formula), request, kind))
