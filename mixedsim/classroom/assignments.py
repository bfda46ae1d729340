"""The populations behind the graded exercises, and each student's own draw from them.

No chapter of the book uses these populations: what a chapter teaches has to be carried over to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import pandas as pd

from mixedsim.classroom.seeds import seed_for
from mixedsim.errors import MixedsimError, nearest
from mixedsim.simulate import Bernoulli, Normal, Population


def tutors() -> Population:
    """Pupils within tutors, where the tutor's district moves both the hours of tutoring and the score.

    .. math::

        \\text{district}_j \\sim N(0, 1), \\quad
        \\text{hours}_{ij} \\sim N(6 + 1.2\\,\\text{district}_j,\\ 1.2), \\quad
        \\text{boarding}_{ij} \\sim \\text{Bernoulli}(0.3)

        \\text{score}_{ij} = 40 + 2\\,\\text{hours}_{ij} - 3\\,\\text{boarding}_{ij}
            + 3\\,\\text{district}_j + u_j + e_{ij}, \\quad u_j \\sim N(0, 2),\\ e_{ij} \\sim N(0, 8)

    60 tutors have 5 to 30 pupils each; ``district`` is not in the data. Within tutors an hour is worth 2 points.
    The ordinary regression on ``hours`` is biased by cov(hours, 3 district) / var(hours) = 3.6 / 2.88 = 1.25 and
    comes to 3.25; varying intercepts take most of that away. The empty model's intraclass correlation is about
    ((2 × 1.2 + 3)² + 2²) / (33.2 + 71.7) = 0.32.
    """
    return Population(
        "score ~ hours + boarding + district + (1 | tutor)",
        clusters={"tutor": 60},
        size=(5, 30),
        variables={
            "district": Normal(0, 1, level="tutor", observed=False),
            "hours": Normal("6 + 1.2 * district", 1.2),
            "boarding": Bernoulli(0.3),
        },
        fixef={"Intercept": 40, "hours": 2, "boarding": -3, "district": 3},
        ranef={"tutor": {"sd": [2]}},
        sigma=8,
    )


_POPULATIONS: Final[Mapping[str, Callable[[], Population]]] = MappingProxyType({"01-therapists": tutors})


def names() -> list[str]:
    """Names of the assignments that have a population, in the order of the book."""
    return sorted(_POPULATIONS)


def population(assignment: str) -> Population:
    """The population that the data of `assignment` are drawn from.

    Raises
    ------
    MixedsimError
        If there is no such assignment.
    """
    try:
        return _POPULATIONS[assignment]()
    except (KeyError, TypeError):
        raise MixedsimError(f"there is no assignment {assignment!r}; {nearest(str(assignment), names())}") from None


def data(assignment: str, *, student: str) -> pd.DataFrame:
    """The data of one student for one assignment: the same on every machine, different for every student.

    Parameters
    ----------
    assignment : name such as ``"01-therapists"``; see `names`.
    student : the student's id; capitals and outer blanks do not matter.

    Returns
    -------
    DataFrame
        The observed columns, one row for each unit. A course can set the environment variable
        ``MIXEDSIM_COURSE_SECRET`` wherever the exercise is worked on and graded; then its data differ from those of
        every other course.

    Raises
    ------
    MixedsimError
        If there is no such assignment, or no id.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.classroom.data("01-therapists", student="ab123").columns.to_list()
    ['tutor', 'hours', 'boarding', 'score']
    """
    drawn = population(assignment).draw(seed=seed_for(assignment, student))
    return drawn.data
