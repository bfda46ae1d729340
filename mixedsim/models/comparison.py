"""Several models of the same rows: likelihood-ratio tables and information criteria."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.inference.glm_bootstrap import GlmFitted, glm_bootstrap_ratio
from mixedsim.inference.likelihood_ratio import (
    Fitted,
    RatioBootstrap,
    Step,
    bootstrap_ratio,
    mixture_p,
    naive_p,
    step,
)
from mixedsim.models.comparable import (
    MixedModel,
    all_by_likelihood,
    check_alike,
    check_criteria,
    extra_parameters,
    facts,
    gain,
    name_of,
    same_fixed,
    same_mean,
)
from mixedsim.models.comparison_table import HEADS, ComparisonTable
from mixedsim.models.fitting import without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_fitting import family_of_response
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed

RatioTest = Literal["chisq", "bootstrap"]
Criterion = Literal["aic", "aicc", "bic"]


def anova(
    *fits: MixedModel,
    refit: bool = True,
    test: RatioTest = "chisq",
    n: int = 1000,
    seed: Any = None,
) -> ComparisonTable:
    """Likelihood-ratio tests of models against each other: one row a model, from the smallest to the largest.

    Parameters
    ----------
    fits : two or more fits to the same rows and the same response.
    refit : fit by maximum likelihood what was fitted by REML, and say so; False compares the fits as they are.
    test : ``"chisq"``, or ``"bootstrap"``: every model is also tested against responses drawn from the one before it.
    n, seed : replicates and random numbers of the bootstrap.

    Returns
    -------
    DataFrame with index model (its formula); ``npar, aic, bic, loglik, deviance``, and against the row before
    ``chisq, df, p``. Where the larger model adds a variance, ``p`` is too large, because a variance cannot be negative;
    ``p_boundary`` is then from ``½ χ²_{df−1} + ½ χ²_df``, and NaN where that rule does not hold (``attrs["note"]``
    says why). The bootstrap adds ``p_bootstrap``, ``mcse`` (its Monte-Carlo standard error), ``replicates`` and
    ``failed``.

    Raises
    ------
    MixedsimError
        For fewer than two fits; for different rows or responses (`DataError`); without `refit`, for REML fits with
        different fixed effects, or REML beside ML; for linear beside generalised models, or other approximations.

    Notes
    -----
    Self & Liang (1987), J. Am. Stat. Assoc. 82:605; Stram & Lee (1994), Biometrics 50:1171. Bootstrap: Halekoh &
    Højsgaard (2014), J. Stat. Softw. 59(9), section 4.2. Replicates in which the larger model gains nothing count as
    such, as they do in the mixture; pbkrtest's ``PBmodcomp`` leaves them out, and its p-values are larger for that.

    Examples
    --------
    >>> import mixedsim as ms
    >>> slopes = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> ms.anova(slopes.update(". ~ . - (Days | Subject) + (1 | Subject)"), slopes)
    Likelihood-ratio tests by maximum likelihood
    <BLANKLINE>
                                       npar     AIC     BIC  logLik deviance  chisq df         p p boundary
    Reaction ~ Days + (1 | Subject)       4  1802.1  1814.9  -897.0   1794.1
    Reaction ~ Days + (Days | Subject)    6  1763.9  1783.1  -876.0   1751.9  42.14  2  7.07e-10   3.96e-10
    <BLANKLINE>
    Note: both models were fitted by REML and have been refitted by maximum likelihood.
    """
    if test not in get_args(RatioTest):
        raise MixedsimError(f"test must be 'chisq' or 'bootstrap', found {test!r}.")
    check_alike(fits, "anova")
    notes: list[str] = []
    if refit:
        fits, notes = all_by_likelihood(fits)
    else:
        check_criteria(fits)
    ordered = sorted(fits, key=lambda fit: fit.npar)
    pairs = list(pairwise(ordered))
    steps = [step(small.design, large.design) for small, large in pairs]
    table = facts(ordered)
    rows = [_test(small, large, what, notes) for (small, large), what in zip(pairs, steps, strict=True)]
    for name in ("chisq", "df", "p", "p_boundary"):
        table[name] = [np.nan, *(row[name] for row in rows)]
    table["df"] = table["df"].astype("Int64")
    if test == "bootstrap":
        _add_bootstrap(table, pairs, whole(n, "n"), settle_seed(seed), notes)
    criterion = "REML" if ordered[0].reml else "maximum likelihood"
    return ComparisonTable.make(table, f"Likelihood-ratio tests by {criterion}", notes)


def compare(*fits: MixedModel, by: Criterion = "aic") -> ComparisonTable:
    """Information criteria of models of the same rows, the best first.

    Parameters
    ----------
    fits : two or more fits to the same rows and the same response. REML fits with different fixed effects have
        criteria that cannot be compared: all are then refitted by maximum likelihood, and a note says so.
    by : the criterion for ``delta`` and ``weight``: ``"aic"``, ``"aicc"`` or ``"bic"``.

    Returns
    -------
    DataFrame with index model (its formula); ``npar, loglik, aic, aicc, bic``, ``delta`` (above the best) and
    ``weight`` (``exp(−delta/2)`` over its sum: Akaike weights, Burnham & Anderson 2002, Model Selection and
    Multimodel Inference, section 2.9). AICc adds ``2k(k + 1)/(n − k − 1)`` for k parameters and n rows, and is
    infinite where that denominator is not positive.

    Raises
    ------
    MixedsimError
        For fewer than two fits, different rows or responses (`DataError`), or an unknown criterion.

    Examples
    --------
    >>> import mixedsim as ms
    >>> slopes = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"), reml=False)
    >>> ms.compare(slopes, slopes.update(". ~ . - (Days | Subject) + (Days || Subject)"))["weight"].round(2).tolist()
    [0.72, 0.28]
    """
    if by not in get_args(Criterion):
        raise MixedsimError(f"by must be 'aic', 'aicc' or 'bic', found {by!r}.")
    check_alike(fits, "compare")
    notes: list[str] = []
    if len({fit.reml for fit in fits}) > 1 or (fits[0].reml and not same_fixed(fits)):
        fits, notes = all_by_likelihood(fits)
    table = facts(fits)
    k, rows = table["npar"].to_numpy(dtype=np.float64), fits[0].nobs
    left = rows - k - 1
    with np.errstate(divide="ignore"):
        table["aicc"] = np.where(left > 0, table["aic"] + 2 * k * (k + 1) / np.maximum(left, 0), np.inf)
    table = table[["npar", "loglik", "aic", "aicc", "bic"]].sort_values(by, kind="stable")
    best = float(table[by].min())
    table["delta"] = table[by] - best if np.isfinite(best) else np.nan
    likelihood = np.exp(-0.5 * table["delta"])
    table["weight"] = likelihood / likelihood.sum()
    criterion = "REML" if fits[0].reml else "maximum likelihood"
    return ComparisonTable.make(table, f"Models by {HEADS[by]}, fitted by {criterion}", notes)


def _test(small: MixedModel, large: MixedModel, what: Step, notes: list[str]) -> dict[str, float]:
    """The test of one row against the row before it; what cannot be tested is NaN, and a note says why."""
    chisq, df = gain(small, large), large.npar - small.npar
    out = {"chisq": chisq, "df": df, "p": naive_p(chisq, df), "p_boundary": np.nan}
    pair = f"{name_of(large)} against {name_of(small)}"
    alike = same_mean(small, large)
    if df == 0 or not what.fixed_nested or chisq < 0 or not alike:
        if not alike:
            why = "they have different families or links"
        elif df == 0:
            why = "they have equally many parameters"
        elif not what.fixed_nested:
            why = "the fixed effects of the one are not among those of the other"
        else:
            why = "the larger model fits worse, so it does not contain the smaller one"
        notes.append(f"no test of {pair}: {why}; use ms.compare.")
        return out | {"p": np.nan}
    if not (small.converged and large.converged):
        notes.append(f"{pair}: one of the models did not converge, so the test is not to be trusted.")
    hint = "test='bootstrap' gives one"
    # τ of a negative binomial counts as a variance: at its end the model is Poisson
    added = what.variances + extra_parameters(large) - extra_parameters(small)
    if what.random_nested is None:
        why = "whether the larger model adds variances cannot be told, so p_boundary is missing"
        notes.append(f"{pair}: {why}; {hint}.")
    elif added > 1:
        notes.append(
            f"{pair}: {added} variances are tested at once, for which there is no general boundary-corrected "
            f"p-value; {hint}."
        )
    elif added == 1 and small.singular:
        notes.append(
            f"{pair}: the smaller model is singular itself, where the boundary correction does not apply; {hint}."
        )
    elif added == 1:
        out["p_boundary"] = mixture_p(chisq, df)
    return out


def _add_bootstrap(
    table: pd.DataFrame,
    pairs: Sequence[tuple[MixedModel, MixedModel]],
    n: int,
    seed: int,
    notes: list[str],
) -> None:
    """Columns of the parametric bootstrap, filled in place."""
    found = []
    for small, large in pairs:
        if large.npar == small.npar:
            found.append((np.nan, np.nan, 0, 0))
            continue
        ratio = _bootstrap(small, large, n, seed)
        found.append((ratio.p, ratio.mcse, len(ratio.ratios), ratio.failed))
        if ratio.failed:
            notes.append(f"{ratio.failed} of {n} replicates did not converge and are left out of p_bootstrap.")
    values = np.array([(np.nan,) * 4, *found], dtype=np.float64)
    table["p_bootstrap"], table["mcse"] = values[:, 0], values[:, 1]
    for j, name in ((2, "replicates"), (3, "failed")):
        table[name] = pd.Series(values[:, j], index=table.index).astype("Int64")


def _bootstrap(small: MixedModel, large: MixedModel, n: int, seed: int) -> RatioBootstrap:
    """Ratios of responses drawn from the smaller model."""
    control = without_start(large.request.control)
    if isinstance(small, LinearMixedModel) and isinstance(large, LinearMixedModel):
        return bootstrap_ratio(_fitted(small), _fitted(large), gain(small, large), n, seed, control)
    assert not isinstance(small, LinearMixedModel)
    assert not isinstance(large, LinearMixedModel)
    return glm_bootstrap_ratio(_refittable(small), _refittable(large), gain(small, large), n, seed, control)


def _fitted(fit: LinearMixedModel) -> Fitted:
    return Fitted(fit.rows, fit.problem, fit.objective, fit.optimum.profile, fit.design.offset)


def _refittable(fit: GeneralizedEstimates) -> GlmFitted:
    return GlmFitted(fit.objective, fit.at, family_of_response(fit.design, fit.kind), fit.design.trials)
