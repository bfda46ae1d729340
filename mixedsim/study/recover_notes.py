"""What a population has and a fit does not: a sentence for each, so that nobody wonders why an interval misses."""

from __future__ import annotations

from collections.abc import Iterator

from mixedsim.formula import Formula
from mixedsim.simulate import Population
from mixedsim.simulate.problems import Miscoded
from mixedsim.simulate.problems.problem import ColumnProblem, Problem
from mixedsim.simulate.remarks import ar1_words, exact_words, problem_words, shape_words


def notes_on(population: Population, formula: Formula, by: str = "lmer") -> tuple[str, ...]:
    """What a fit of `formula` ignores about the population, a sentence each; none where it ignores nothing.

    A problem of a column that the formula does not read is none of the fit. `by` is what fits it, lmer, glmer or clmm.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.study.recover_notes import notes_on
    >>> diary = ms.scenarios.daily_diary()
    >>> notes_on(diary, diary.plan.formula)
    ('the population has AR(1) residuals, which lmer does not model: 0.4 from row to row in each person.',)
    """
    problems = (problem for problem in population.problems if _strikes(problem, formula))
    return (
        *_on_effects(population, by),
        *_on_residuals(population),
        *(f"the data have a problem, which {by} does not model: {problem_words(problem)}." for problem in problems),
    )


def _on_effects(population: Population, by: str) -> Iterator[str]:
    for group, effects in population.ranef.items():
        if "shape" in effects:
            shape = shape_words(effects["shape"])
            yield f"the effects of {group} have another shape than the normal one, which {by} assumes: {shape}."


def _on_residuals(population: Population) -> Iterator[str]:
    if isinstance(population.sigma, str):
        yield f"the residual sd differs from row to row, and lmer estimates one for all: {population.sigma}."
    residual = population.residual or {}
    if "shape" in residual:
        shape = shape_words(residual["shape"])
        yield f"the residuals have another shape than the normal one, which lmer assumes: {shape}."
    if "ar1" in residual:
        yield f"the population has AR(1) residuals, which lmer does not model: {ar1_words(residual)}."
    if "exact" in residual:
        yield f"the residuals are not left to chance, as lmer assumes: {exact_words(residual)}."


def _strikes(problem: Problem, formula: Formula) -> bool:
    """Whether it changes what the fit reads."""
    return not isinstance(problem, ColumnProblem | Miscoded) or problem.target in formula.variables
