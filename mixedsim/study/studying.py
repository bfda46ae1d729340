"""The whole study, and its second verb: fit."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from mixedsim.errors import MixedsimError
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.models.power import check_alpha
from mixedsim.simulate import Population
from mixedsim.study.analysis import settled_analyses
from mixedsim.study.draws import Draws, Redraw, draw
from mixedsim.study.progress import Progress
from mixedsim.study.running import run_blocks
from mixedsim.study.study_job import StudyJob
from mixedsim.study.study_result import Study


def study(
    source: Population | LinearMixedModel | GeneralizedLinearMixedModel,
    analyses: Any = None,
    n: int = 1000,
    seed: int | np.random.Generator | None = None,
    *,
    redraw: Redraw | None = None,
    alpha: float = 0.05,
    executor: Any = None,
    chunk: int | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress = None,
    resume: bool = True,
) -> Study:
    """Return what becomes of some analyses in n simulated data sets: draw, fit, summarise.

    Parameters
    ----------
    source : a population; or a model fitted by `mixedsim.lmer` or `mixedsim.glmer`, whose estimates then are the truth,
        and whose rows the design.
    analyses : {name: analysis}; or a list, whose entries are called as their text says; or a single one, which is
        called ``"mixed"``, ``"ols"`` or ``"means"``. An analysis is a formula (with a random term a mixed model, by
        `mixedsim.glmer` where the population draws yes or no, counts or positive amounts; without one least
        squares), an `Analysis` with its options, or a function that takes the data and returns a
        Series of estimates by name, or a table of estimate, se, df, p, lower and upper. None takes the formula of the
        source.
    n : how many data sets.
    seed : an integer gives the same study everywhere; see `study.draw`.
    redraw : ``"all"`` draws everything anew each time; ``"response"`` keeps clusters and predictors of one draw. None
        is ``"all"`` for a population, and ``"response"`` for a fit.
    alpha : level of the tests that the summary counts.
    executor, chunk, out, progress, resume : how a long run is done, see `mixedsim.study.running.run_blocks`: on how
        many processes, where results are kept, whether a bar is shown. None of them changes a number.

    Returns
    -------
    A `Study`: ``summary()``, ``replicates``, ``failures()``, ``sample(k)``.

    Raises
    ------
    MixedsimError
        Before anything is drawn, if an analysis reads a column that the data will not have. After the first
        replicates, if an analysis fails in all of them. What fails in one replicate and not in others is counted in
        the summary, and its error stands in ``replicates``.

    Examples
    --------
    Patients of therapists in poorer quarters are more depressed and more anxious: who leaves out the therapists takes
    the one for the effect of the other.

    >>> import mixedsim as ms
    >>> study = ms.study(
    ...     ms.scenarios.therapist_confounder(therapists=30, patients=8),
    ...     {"naive": "anxiety ~ depression", "within": "anxiety ~ depression + therapist"},
    ...     n=100,
    ...     seed=1,
    ... )
    >>> study.summary()["bias"].unstack("analysis").loc["depression"].round(1).to_dict()
    {'naive': -1.0, 'within': 0.0}
    """
    if out is not None and seed is None:
        raise MixedsimError("out= needs a seed: without one every call is another study, which cannot go on from it.")
    draws = draw(source, n, seed, redraw=redraw)
    return fit(draws, analyses, alpha=alpha, executor=executor, chunk=chunk, out=out, progress=progress, resume=resume)


def fit(
    draws: Draws,
    analyses: Any = None,
    *,
    alpha: float = 0.05,
    executor: Any = None,
    chunk: int | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress = None,
    resume: bool = True,
) -> Study:
    """Return the `Study` of some draws: every analysis of every replicate.

    Parameters
    ----------
    draws : from `study.draw`.
    analyses, alpha, executor, chunk, out, progress, resume : as in `mixedsim.study`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> draws = ms.study.draw(ms.scenarios.therapist_plain(therapists=10, patients=5), n=20, seed=1)
    >>> ms.study.fit(draws, "anxiety ~ depression + (1 | therapist)").replicates.shape
    (80, 16)
    """
    if not isinstance(draws, Draws):
        raise MixedsimError(f"study.fit needs what study.draw returns, found {type(draws).__name__}.")
    check_alpha(alpha)
    settled = settled_analyses(analyses, draws.source)
    job = StudyJob.of(draws, settled)
    results = run_blocks(job, executor=executor, chunk=chunk, out=out, progress=progress, resume=resume)
    return Study(draws, settled, results, alpha)
