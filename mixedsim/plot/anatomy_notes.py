"""What each part of a printed summary says, in plain words, with the fit's own numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from mixedsim.formula import unquote
from mixedsim.listing import counted, listed
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel

Fit = LinearMixedModel | GeneralizedLinearMixedModel
_HARDLY = 0.1  # correlation
_TOLD = 2  # effects that are explained; the others are read likewise


def note_on(fit: Fit, block: str) -> str:
    """The note beside one block of the summary's text."""
    first = block.split("\n")[0]
    if first.startswith(("Linear mixed model", "Generalised linear mixed model")):
        return _head(fit)
    if first.startswith("REML criterion"):
        return (
            "−2 × the restricted log-likelihood where it is largest. Lower is better, among fits to the same rows with "
            "the same fixed effects."
        )
    if "AIC" in first:
        return (
            f"AIC and BIC weigh how well the model fits against its {fit.npar} parameters. Lower is better, among fits "
            "to the same rows."
        )
    if first.startswith("Scaled residuals"):
        return _residuals(fit)
    if first.startswith("Random effects"):
        return _random(fit)
    if first.startswith("Fixed effects"):
        return _fixed(fit)
    if first.startswith("Correlation of fixed effects"):
        return _correlations(fit)
    return "What to know before trusting the numbers; fit.check() says what to do about it."


def _head(fit: Fit) -> str:
    response = unquote(fit.design.formula.response)
    terms = listed(f"({term.text.strip('()')})".replace(" ", "\u00a0") for term in fit.design.formula.terms)
    said = f"Left of ~ stands what is explained, {response}. {terms} says what varies from group to group."
    if isinstance(fit, GeneralizedLinearMixedModel):
        return f"{said} The {fit.link} of the expected {response} is what the predictors add up to."
    if fit.reml and fit.coefficient_names:
        count = counted(len(fit.coefficient_names), "fixed effect")
        return f"{said} REML counts that {count} had to be estimated, so that variances do not come out too small."
    if fit.reml:
        return said
    return f"{said} Fitted by maximum likelihood, so that models with other fixed effects may be compared with it."


def _residuals(fit: Fit) -> str:
    if isinstance(fit, GeneralizedLinearMixedModel):
        far = int((fit.residuals("pearson").abs() > 3 * fit.sigma).sum())
        return f"Observed minus expected, over the sd that the family gives each row. Beyond ±3: {far} of {fit.nobs:,}."
    far = int((fit.residuals("scaled").abs() > 3).sum())
    usual = 2.0 * float(special.ndtr(-3.0)) * fit.nobs
    return (
        f"What is left of each row, in units of the residual sd ({fit.sigma:.3g}). The median should be near 0. Beyond "
        f"±3: {far} of {fit.nobs:,} rows, where the normal distribution has {usual:.2g}."
    )


def _random(fit: Fit) -> str:
    """The first factor's sds around the fixed effects that they vary about, and what is left."""
    table = fit.varcorr
    group = fit.design.factors[0].name
    table = table[table["group"] == group]
    own = table[table["term2"].isna()]
    sds = list(zip(own["term1"].astype(str), own["sd_or_corr"].astype(float), strict=True))
    said = f"Between levels of {group}: {'; '.join(_scatter(fit, name, sd) for name, sd in sds[:_TOLD])}."
    pairs = table[table["term2"].notna() & table["sd_or_corr"].notna()]
    if len(pairs):
        one, other, value = pairs.iloc[0][["term1", "term2", "sd_or_corr"]]
        with_it = "tend to" if abs(value) >= _HARDLY else "hardly tend to"
        more = "higher" if value > 0 else "lower"
        first, second = ("intercept" if name == "Intercept" else f"effect of {name}" for name in (one, other))
        said += f" Corr {_number(value, '.2f')}: levels with a higher {first} {with_it} have a {more} {second}."
    if isinstance(fit, LinearMixedModel):
        said += f" Within a level, rows scatter with sd {fit.sigma:.3g}."
    return f"{said} A variance is the square of its sd."


def _scatter(fit: Fit, name: str, sd: float) -> str:
    what = "intercepts" if name == "Intercept" else f"slopes of {name}"
    if sd == 0:
        return f"no differences in {what} were found"
    centre = float(fit.fixef.get(name, 0.0))
    low, high = _number(centre - sd), _number(centre + sd)
    return f"{what} scatter about {_number(centre)} with sd {sd:.3g}: two in three lie between {low} and {high}"


def _fixed(fit: Fit) -> str:
    table = fit.coefficients()
    response = unquote(fit.design.formula.response)
    what = f"expected {response}" if isinstance(fit, LinearMixedModel) else f"{fit.link} of the expected {response}"
    names = [str(name) for name in table.index]
    others = [name for name in names if name != "Intercept"]
    parts = []
    if "Intercept" in names:
        where = " where all predictors are 0 (categories at their first level)" if others else ""
        parts.append(f"Intercept: the {what}{where}.")
    if others:
        parts.append(_slope(others[0], others, table))
    return " ".join(parts)


def _slope(name: str, others: list[str], table: pd.DataFrame) -> str:
    """How to read one row of the table."""
    row = {str(column): float(table.loc[[name], column].iloc[0]) for column in table.columns}
    step = "this level, compared with the first," if "[T." in name and ":" not in name else "one unit more"
    beside = any(name in other.split(":") for other in others if other != name)
    at_zero = ", where what it interacts with is 0 or at its first level" if beside else ""
    letter, degrees = ("t", f" on {row['df']:.3g} degrees of freedom") if np.isfinite(row["df"]) else ("z", "")
    chance = f"p = {row['p']:.2g}" if row["p"] >= 2e-16 else "p < 2e-16"
    return (
        f"{name}: {step} goes with {_number(row['estimate'], '+.3g')}{at_zero}, give or take {row['se']:.2g} (Std. "
        f"Error). {letter} is their ratio, {_number(row['t'], '.2f')}{degrees}: {chance}, and the 95 % interval is "
        f"{_number(row['lower'])} to {_number(row['upper'])}."
    )


def _correlations(fit: Fit) -> str:
    one, other = fit.coefficient_names[:2]
    sd = np.sqrt(np.diag(fit.vcov))
    value = float(fit.vcov.to_numpy()[1, 0] / (sd[0] * sd[1]))
    way = "low" if value < 0 else "high"
    return (
        "How the errors of the estimates go together: a property of the design, not of the groups. "
        f"{_number(value, '.2f')}: had {one} come out too high, {other} would tend to be too {way}."
    )


def _number(value: float, form: str = ".3g") -> str:
    return format(value, form).replace("-", "−")
