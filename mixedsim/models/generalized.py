"""The fitted generalised linear mixed model: engine results in the units and names of the data.

Its methods are one-line calls down, and stand in files by what they are about:

==========================  ===================================================================
`generalized_estimates`     the parts of a fit and what follows at once: the base of the others
`generalized_coefficients`  tests and intervals of coefficients
`generalized_inference`     tests of terms, contrasts, means of a middle group and of the population, ratios
`generalized_worth`         effect sizes, overdispersion, zeros, quantile residuals
`generalized_check`         what went wrong
`generalized_diagnosis`     influence, collinearity, assumptions
`generalized_prediction`    rows: predicted, left over, drawn
`generalized_refitting`     the same model again
`generalized_studies`       many responses on its design: power, and the true level of its tests
==========================  ===================================================================
"""

from __future__ import annotations

from mixedsim.models.generalized_check import GeneralizedCheck
from mixedsim.models.generalized_coefficients import GeneralizedCoefficients
from mixedsim.models.generalized_diagnosis import GeneralizedDiagnosis
from mixedsim.models.generalized_inference import GeneralizedInference
from mixedsim.models.generalized_prediction import GeneralizedPrediction
from mixedsim.models.generalized_refitting import GeneralizedRefitting
from mixedsim.models.generalized_studies import GeneralizedStudies
from mixedsim.models.generalized_summary import GeneralizedSummary
from mixedsim.models.generalized_worth import GeneralizedWorth


class GeneralizedLinearMixedModel(
    GeneralizedCoefficients,
    GeneralizedInference,
    GeneralizedWorth,
    GeneralizedCheck,
    GeneralizedDiagnosis,
    GeneralizedPrediction,
    GeneralizedRefitting,
    GeneralizedStudies,
):
    """A fitted generalised linear mixed model, as returned by `mixedsim.glmer`.

    Attributes (p fixed effects, F grouping factors, K variance parameters)
    ----------
    fixef : Series of p fixed effects, on the scale of the link.
    vcov : p × p DataFrame, covariance of the fixed effects.
    ranef, ranef_sd : {group: DataFrame of levels × effects}, conditional modes and their standard deviations.
    coef : {group: DataFrame}, fixed plus random effects of every level.
    varcorr : DataFrame with one row a variance and one a covariance.
    sigma : 1, or the square root of the dispersion; tau : that of a negative binomial.
    theta : K elements of the relative covariance factors, as lme4 orders them.
    family, link, nagq : what was fitted.
    loglik, deviance, aic, bic : of the likelihood, with all constants.
    nobs, n_groups : rows used, and levels of every grouping factor.
    converged, singular, messages : what happened, in facts and in words.
    """

    def summary(self) -> GeneralizedSummary:
        """What was fitted and what came out, laid out as lme4 does; prints as text, shows as HTML in a notebook."""
        return GeneralizedSummary(self)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
