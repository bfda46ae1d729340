"""How fitted models print: a few golden texts, and what must stand in every one."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

import mixedsim as ms

SLOPES = """\
Linear mixed model fit by REML
Formula: Reaction ~ Days + (Days | Subject)

REML criterion at convergence: 1743.6

Scaled residuals:
     Min       1Q   Median       3Q      Max
 -3.9536  -0.4634   0.0231   0.4634   5.1793

Random effects:
 Groups   Name      Variance Std.Dev. Corr
 Subject  Intercept   612.09   24.740
          Days         35.07    5.922 0.07
 Residual             654.94   25.592
Number of obs: 180, groups:  Subject, 18

Fixed effects (t tests with Satterthwaite's degrees of freedom):
           Estimate Std. Error    df t value Pr(>|t|)
 Intercept  251.405      6.825 17.00  36.838   <2e-16
 Days        10.467      1.546 17.00   6.771 3.26e-06

Correlation of fixed effects:
      Intercept
 Days    -0.138"""

NO_FIXED_ML = """\
Linear mixed model fit by maximum likelihood
Formula: Reaction ~ 0 + (Days | Subject)

   AIC     BIC  logLik  -2*log(L)
1840.8  1853.6  -916.4     1832.8

Scaled residuals:
     Min       1Q   Median       3Q      Max
 -3.9425  -0.4600  -0.0039   0.4607   5.1676

Random effects:
 Groups   Name      Variance Std.Dev. Corr
 Subject  Intercept  63770.0   252.53
          Days         142.2    11.93 0.88
 Residual              654.9    25.59
Number of obs: 180, groups:  Subject, 18"""


def test_random_slopes_read_like_lme4():
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    assert str(fit) == SLOPES
    assert repr(fit.summary()) == SLOPES


def test_a_model_without_fixed_effects_is_a_model():
    fit = ms.lmer("Reaction ~ 0 + (Days | Subject)", ms.datasets.load("sleepstudy"), reml=False)
    assert str(fit) == NO_FIXED_ML


def test_a_singular_fit_says_which_component_and_what_to_try():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    assert fit.singular
    assert fit.varcorr["variance"][0] == 0
    assert str(fit).endswith(
        "Note: singular fit: the standard deviation of Intercept by 'Batch' is estimated as zero: "
        "the data show no such variation beyond the residual; the term may be left out."
    )


def test_long_names_are_numbered_in_the_correlations():
    fit = ms.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", ms.datasets.load("cake"))
    assert " 2 recipe[T.B]      -0.707\n" in str(fit)


def test_many_fixed_effects_leave_their_correlations_to_vcov():
    fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))
    assert "Correlation of fixed effects: 18 × 18, see .vcov" in str(fit)


@pytest.mark.parametrize("name", ["sleepstudy", "Dyestuff2"])
def test_html_holds_the_numbers_of_the_text(name):
    formula = {"sleepstudy": "Reaction ~ Days + (Days | Subject)", "Dyestuff2": "Yield ~ 1 + (1 | Batch)"}[name]
    fit = ms.lmer(formula, ms.datasets.load(name))
    page = BeautifulSoup(fit._repr_html_(), "html.parser")
    random, fixed = page.find_all("table")
    cells = [td.text for td in random.find_all("td")]
    assert f"{fit.sigma:.3f}" in cells
    assert [tr.td.text for tr in fixed.tbody.find_all("tr")] == list(fit.fixef.index)
    for message in fit.messages:
        assert message in page.text
