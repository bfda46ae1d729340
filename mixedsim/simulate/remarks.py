"""What a population has beyond the parameters of a mixed model, in lines for print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.notation import digits
from mixedsim.simulate.problems.problem import Problem
from mixedsim.simulate.shapes import shape_of

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population


def remarks(population: Population) -> Iterator[tuple[str, str]]:
    """What is remarkable about effects, residuals and data, each with its name; nothing where all is as usual.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.simulate.remarks import remarks
    >>> list(remarks(ms.scenarios.daily_diary()))
    [('Residual AR(1)', '0.4 from row to row in each person')]
    """
    for group, effects in population.ranef.items():
        if "shape" in effects:
            yield "Effect shape", f"{group}: {shape_words(effects['shape'])}"
    residual = population.residual or {}
    if "shape" in residual:
        yield "Residual shape", shape_words(residual["shape"])
    if "ar1" in residual:
        yield "Residual AR(1)", ar1_words(residual)
    if "exact" in residual:
        yield "Residual moments", exact_words(residual)
    for problem in population.problems:
        yield "Problem", problem_words(problem)


def shape_words(entry: Mapping[str, Any]) -> str:
    """A settled shape in words.

    >>> shape_words({"kind": "t", "df": 4})
    't, 4 df'
    """
    return ", ".join([entry["kind"], *shape_of(entry).tail()])


def ar1_words(residual: Mapping[str, Any]) -> str:
    """How the residuals of a settled ``residual`` follow each other.

    >>> ar1_words({"ar1": -0.5, "by": "subject"})
    '−0.5 from row to row in each subject'
    """
    return f"{digits(residual['ar1'])} from row to row in each {residual['by']}"


def exact_words(residual: Mapping[str, Any]) -> str:
    """What is exact of a settled ``residual``.

    >>> exact_words({"exact": ("x",), "by": "group"})
    'exact in each group: mean 0, sd as given, correlation 0 with x'
    """
    others = "".join(f", correlation 0 with {name}" for name in residual["exact"])
    return f"exact in each {residual['by']}: mean 0, sd as given{others}"


def problem_words(problem: Problem) -> str:
    """What befalls what.

    >>> import mixedsim as ms
    >>> problem_words(ms.Missing("depression", 0.1))
    'depression: missing, with probability 0.1'
    """
    return f"{problem.target}: {problem.equation(_write)}"


def _write(value: Parameter) -> str:
    return value if isinstance(value, str) else digits(value)
