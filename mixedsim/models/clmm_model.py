"""The fitted cumulative-link mixed model: engine results in the units and names of the data.

Its methods stand in files by what they are about, as those of `generalized` do:

====================  =====================================================================
`clmm_estimates`      the parts of a fit and what follows at once: the base of the others
`clmm_coefficients`   tests and intervals of thresholds and coefficients, odds ratios
`clmm_inference`      tests of terms, contrasts, profiles, marginal means
`generalized_worth`   explained variance, intraclass correlation, quantile residuals
`generalized_check`   what went wrong
`clmm_rows`           rows: probabilities predicted, responses drawn
`clmm_refitting`      the same model again
====================  =====================================================================
"""

from __future__ import annotations

from mixedsim.models.clmm_coefficients import ClmmCoefficients
from mixedsim.models.clmm_inference import ClmmInference
from mixedsim.models.clmm_refitting import ClmmRefitting
from mixedsim.models.clmm_rows import ClmmRows
from mixedsim.models.clmm_summary import ClmmSummary
from mixedsim.models.generalized_check import GeneralizedCheck
from mixedsim.models.generalized_worth import ExplainedVariance, QuantileResiduals


class CumulativeLinkMixedModel(
    ClmmCoefficients,
    ClmmInference,
    ExplainedVariance,
    QuantileResiduals,
    GeneralizedCheck,
    ClmmRows,
    ClmmRefitting,
):
    """A fitted cumulative-link mixed model, as returned by `mixedsim.clmm`.

    Attributes (K categories, p fixed effects, F grouping factors)
    ----------
    categories : the K categories, from low to high.
    thresholds : Series of K − 1 thresholds, named by the categories on both sides: ``low|high``.
    fixef : Series of p fixed effects on the latent scale; there is no intercept, whose place the thresholds have.
    vcov : p × p DataFrame, covariance of the fixed effects; joint_vcov : of thresholds and fixed effects.
    ranef, ranef_sd : {group: DataFrame of levels × effects}, conditional modes and their standard deviations.
    coef : {group: DataFrame}, fixed plus random effects of every level.
    varcorr : DataFrame with one row a variance and one a covariance.
    theta : elements of the relative covariance factors, as lme4 orders them.
    link, nagq : what was fitted.
    loglik, deviance, aic, bic : of the likelihood.
    nobs, n_groups : rows used, and levels of every grouping factor.
    converged, singular, messages : what happened, in facts and in words.
    """

    def summary(self) -> ClmmSummary:
        """What was fitted and what came out, as R's ordinal shows it; prints as text, shows as HTML in a notebook."""
        return ClmmSummary(self)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
