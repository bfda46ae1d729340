"""The fitted linear mixed model: engine results in the units and names of the data.

Its methods are one-line calls down, and stand in five files by what they are about:

====================  ===================================================================
`linear_estimates`    the parts of a fit and what follows at once: the base of the others
`linear_inference`    tests, intervals, marginal means, posterior
`linear_worth`        effect sizes, independent rows, messages
`linear_diagnosis`    influence, collinearity, assumptions
`linear_prediction`   rows: predicted, left over, drawn
`linear_refitting`    the same model again
====================  ===================================================================
"""

from __future__ import annotations

from mixedsim.models.linear_diagnosis import LinearDiagnosis
from mixedsim.models.linear_inference import LinearInference
from mixedsim.models.linear_prediction import LinearPrediction
from mixedsim.models.linear_refitting import LinearRefitting
from mixedsim.models.linear_studies import LinearStudies
from mixedsim.models.linear_worth import LinearWorth
from mixedsim.models.summary import Summary


class LinearMixedModel(LinearInference, LinearWorth, LinearDiagnosis, LinearPrediction, LinearRefitting, LinearStudies):
    """A fitted linear mixed model, as returned by `mixedsim.lmer`.

    Attributes (p fixed effects, F grouping factors, K variance parameters)
    ----------
    fixef : Series of p fixed effects.
    vcov : p × p DataFrame, covariance of the fixed effects.
    ranef, ranef_sd : {group: DataFrame of levels × effects}, conditional modes and their standard deviations.
    coef : {group: DataFrame}, fixed plus random effects of every level.
    varcorr : DataFrame with one row a variance and one a covariance.
    sigma : residual standard deviation.
    theta : K elements of the relative covariance factors, as lme4 orders them.
    loglik, deviance, aic, bic : of the criterion that was optimised (REML or ML).
    nobs, n_groups : rows used, and levels of every grouping factor.
    converged, singular, messages : what happened, in facts and in words.
    """

    def summary(self) -> Summary:
        """What was fitted and what came out, laid out as lme4 does; prints as text, shows as HTML in a notebook."""
        return Summary(self)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
