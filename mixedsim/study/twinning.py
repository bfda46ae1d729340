"""Twins: data whose estimates are the truth."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.errors import MixedsimError, PopulationError, nearest, shown
from mixedsim.listing import listed
from mixedsim.simulate import Population, Sample
from mixedsim.simulate.families import family_of
from mixedsim.simulate.problems import Dropout, Missing
from mixedsim.simulate.streams import settle_seed
from mixedsim.study.twin_stage import Made, Stage
from mixedsim.study.twin_truth import Twin, TwinTruth

_ATTEMPTS = 100


def twin(
    population: Population,
    seed: int | np.random.Generator | None = None,
    *,
    reml: bool = True,
    keep: str | ArrayLike | None = None,
) -> Twin:
    """Return a sample whose estimates are the truth: `lmer` gives back every parameter of the population, to 1e-6.

    Clusters and predictors are those of ``population.draw(seed)``. Its random effects and residuals are changed as
    little as need be for fixed effects, standard deviations, correlations and sigma to be estimated without sampling
    error; the standard errors follow from the design. So a published table (estimates, sds, correlations, numbers of
    groups) becomes data that reproduce it.

    Parameters
    ----------
    population : Gaussian, with one number as its sigma, and all variables of its formula observed.
    seed : as in `Population.draw`; no `RSeed`.
    reml : make the REML estimates exact (the default), or those of maximum likelihood.
    keep : which rows have a response: the name of a 0/1 variable of the population (it may be hidden), or one truth
        value a row. All others have none, and the estimates are exact for those that are kept. None keeps all rows
        in which ``population.draw(seed)`` has a response.

    Returns
    -------
    A `Sample`; ``truth.ranef`` and ``truth.residuals`` are those that its response holds, not those of
    ``population.draw(seed)``.

    Raises
    ------
    PopulationError
        If the population is not of that kind, has too few groups, or no draw of effects and residuals can be changed
        so that the estimates are the parameters.
    DataError
        As `lmer` does, where a term of the formula cannot be told from the residual.

    Notes
    -----
    Of all small changes that set the derivatives of the (restricted) likelihood to zero at the parameters, the
    shortest is taken; for the equations see `mixedsim.study.twin_scores`. It is shared out between effects and
    residuals as conditional modes would be. Then the Hessian must be that of a maximum, and a fit that knows nothing
    of the truth must find it; if not, other effects and residuals are drawn, from the same seed. (A standard deviation
    far below its own standard error is found to 1e-5 at least: the likelihood is too flat there to search on.)

    A standard deviation of 0 or a correlation of ±1 is a maximum at the boundary: derivatives vanish where there is
    variance, and the likelihood falls where there is none. About every second draw can be changed so.

    Examples
    --------
    A paper reports 12 clinics with 20 patients each, half of the clinics treated: intercept 45.2, effect −3.1, sd 2.4
    between clinics and 6.8 between patients of one clinic.

    >>> import mixedsim as ms
    >>> trial = ms.Population(
    ...     "score ~ treated + (1 | clinic)",
    ...     clusters={"clinic": 12},
    ...     size=20,
    ...     variables={"treated": ms.Assigned([0, 1], level="clinic")},
    ...     fixef={"Intercept": 45.2, "treated": -3.1},
    ...     ranef={"clinic": {"sd": 2.4}},
    ...     sigma=6.8,
    ... )
    >>> fit = ms.lmer(trial.formula, ms.twin(trial, seed=1).data)
    >>> fit.fixef.round(6).to_dict(), round(fit.sigma, 6), fit.varcorr["sd_or_corr"].round(6).tolist()
    ({'Intercept': 45.2, 'treated': -3.1}, 6.8, [2.4])
    """
    _check(population, reml)
    settled = settle_seed(seed)
    drawn = population.draw(settled)
    stage = Stage.of(drawn, settled, _with_gaps(drawn, keep), reml)
    reasons: Counter[str] = Counter()
    for attempt in range(_ATTEMPTS):
        made = stage.attempt(attempt)
        if isinstance(made, Made):
            return _twin(stage, made, attempt)
        reasons[made] += 1
    criterion = "REML" if reml else "maximum likelihood"
    raise PopulationError(
        f"no twin was found in {_ATTEMPTS} draws, mostly because {reasons.most_common(1)[0][0]}: {criterion} estimates "
        "of so few data are hardly ever like this; take more groups or rows, or larger standard deviations."
    )


def _twin(stage: Stage, made: Made, attempt: int) -> Twin:
    response = stage.response(made)
    truth = TwinTruth(
        population=stage.population,
        seed=stage.seed,
        reml=stage.target.reml,
        attempt=attempt,
        missing=tuple(np.flatnonzero(np.isnan(response)).tolist()),
        effects=made.effects,
        predicted=made.predicted,
        left_over=made.left_over,
    )
    return Twin(stage.data.assign(**{stage.population.plan.response.name: response}), truth)


def _check(population: object, reml: object) -> None:
    """Raise unless the population is one whose parameters `lmer` estimates."""
    if not isinstance(population, Population):
        raise MixedsimError(f"twin needs a Population, found {type(population).__name__}.")
    if not isinstance(reml, bool | np.bool_):
        raise MixedsimError(f"reml must be True or False, found {shown(reml)}.")
    family = family_of(population.family)
    if (family.kind, family.link) != ("gaussian", "identity"):
        found = f"{family.kind} with {family.link} link"
        raise PopulationError(f"family must be gaussian with identity link for a twin, found {found}.")
    if not isinstance(population.sigma, float):
        raise PopulationError(
            f"sigma must be a number for a twin, found {population.sigma!r}: `lmer` estimates one residual sd for all "
            "rows."
        )
    if population.sigma == 0:
        raise PopulationError("sigma must be above 0 for a twin: without residuals there is no maximum to be found.")
    if population.residual and "ar1" in population.residual:
        raise PopulationError("residual has ar1, which `lmer` does not estimate: a twin needs independent residuals.")
    if population.residual and "exact" in population.residual:
        raise PopulationError(
            "residual has exact, whose moments a twin would change: leave it out, or draw the population instead."
        )
    if not population.plan.terms:
        raise PopulationError("formula must have a random term for a twin, such as (1 | g).")
    _check_seen(population)


def _check_seen(population: Population) -> None:
    """Raise unless the data show what the formula reads, and show it as it is."""
    hidden = {name for name, variable in population.variables.items() if not variable.observed}
    unseen = sorted(population.plan.formula.variables & hidden)
    if unseen:
        are = "is" if len(unseen) == 1 else "are"
        raise PopulationError(
            f"formula uses {listed(unseen)}, which {are} hidden: for a twin, a fit of the data must find the truth."
        )
    for step, problem in enumerate(population.problems, start=1):
        if not isinstance(problem, Missing | Dropout):
            raise PopulationError(
                f"problems.{step} is {type(problem).__name__}, which changes values: the rows of a twin may only be "
                "missing (Missing, Dropout)."
            )


def _with_gaps(drawn: Sample, keep: str | ArrayLike | None) -> pd.DataFrame:
    """The data, their response missing where it is not to be kept."""
    if keep is None:
        return drawn.data
    response = drawn.population.plan.response.name
    kept = _mask(drawn, keep)
    return drawn.data.assign(**{response: drawn.data[response].where(kept)})


def _mask(drawn: Sample, keep: str | ArrayLike) -> NDArray[np.bool_]:
    if isinstance(keep, str):
        hidden = drawn.truth.hidden.loc[drawn.truth.original_row]
        known = {**hidden, **drawn.data.drop(columns=drawn.population.plan.response.name)}
        if keep not in known:
            raise PopulationError(f"keep names no variable of the population, {keep!r}: {nearest(keep, known)}")
        values, what = np.asarray(known[keep]), f"keep names {keep!r}, which"
    else:
        values, what = np.asarray(keep), "keep"
    if values.shape != (len(drawn.data),):
        found = f"{len(values)}" if values.ndim == 1 else f"an array of shape {values.shape}"
        raise PopulationError(f"{what} must have one value for each of the {len(drawn.data)} rows, found {found}.")
    if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        raise PopulationError(f"{what} must hold 0 and 1, or False and True, and nothing else.")
    return values.astype(bool)
