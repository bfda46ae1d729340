"""What R printed for the page "The same in R", and what we and statsmodels say to the same questions."""

from __future__ import annotations

from pathlib import Path

import pytest

import mixedsim as ms

FOLDER = Path(__file__).parents[2] / "book" / "rosetta"
# Of the number itself, or of the standard error or sigma that it is measured in: R stops a little before the optimum.
NEAR = 2e-4


@pytest.fixture(scope="module")
def r() -> dict[str, float]:
    lines = (FOLDER / "numbers.csv").read_text(encoding="utf-8").splitlines()[2:]
    return {name: float(value) for name, value in (line.rsplit(",", 1) for line in lines)}


@pytest.fixture(scope="module")
def fit() -> ms.LinearMixedModel:
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def test_ours_are_the_numbers_of_r(fit: ms.LinearMixedModel, r: dict[str, float]) -> None:
    table, ours = fit.coefficients(), {}
    for name in ("Intercept", "Days"):
        ours |= {f"fixef {name}": table.estimate[name], f"se {name}": table.se[name], f"df {name}": table.df[name]}
    ours |= dict(zip(("sd Intercept", "sd Days"), fit.varcorr.sd_or_corr, strict=False))
    ours |= {"p Days": table.p["Days"], "sigma": fit.sigma, "REML criterion": fit.deviance}
    kenward = fit.anova(ddf="kenward-roger").loc["Days"]
    ours |= {"F Kenward-Roger": kenward.F, "df Kenward-Roger": kenward.df2}
    ours |= {"AIC slopes": fit.update(reml=False).aic}
    assert ours == pytest.approx({name: r[name] for name in ours}, rel=NEAR)
    assert fit.varcorr.sd_or_corr[2] == pytest.approx(r["correlation"], abs=NEAR)
    assert fit.deviance <= r["REML criterion"]


def test_profile_and_conditional_modes_are_those_of_r(fit: ms.LinearMixedModel, r: dict[str, float]) -> None:
    profile, se = fit.confint(method="profile").loc["Days"], fit.coefficients().se["Days"]
    assert profile.lower == pytest.approx(r["profile Days lower"], abs=NEAR * se)
    assert profile.upper == pytest.approx(r["profile Days upper"], abs=NEAR * se)
    assert fit.ranef["Subject"].loc["308", "Days"] == pytest.approx(r["BLUP 308 Days"], abs=NEAR * fit.sigma)


def test_the_transcript_prints_those_numbers(r: dict[str, float]) -> None:
    """Both files come from one run of session.R."""
    told = (FOLDER / "session.txt").read_text(encoding="utf-8")
    for name, digits in (("fixef Days", 3), ("se Days", 3), ("REML criterion", 1), ("chi2", 3), ("BLUP 308 Days", 6)):
        assert f"{r[name]:.{digits}f}" in told, name


def test_statsmodels_gives_the_same_fit_as_its_lines_on_the_page(fit: ms.LinearMixedModel) -> None:
    formulas = pytest.importorskip("statsmodels.formula.api", reason="statsmodels is not installed")
    data = ms.datasets.load("sleepstudy")
    result = formulas.mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="~Days").fit(reml=True)
    assert result.fe_params["Days"] == pytest.approx(fit.fixef["Days"], rel=1e-4)
    assert result.scale == pytest.approx(fit.sigma**2, rel=1e-3)
    assert result.cov_re.loc["Days", "Days"] == pytest.approx(fit.varcorr.variance[1], rel=1e-2)
