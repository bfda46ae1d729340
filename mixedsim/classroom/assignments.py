"""The populations behind the graded exercises, and each student's own draw from them.

No chapter of the book uses these populations: what a chapter teaches has to be carried over to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import pandas as pd

from mixedsim.classroom.enrolment import find_key
from mixedsim.classroom.populations import (
    bakeries,
    bees,
    bicycles,
    carriers,
    choirs,
    climbers,
    dairies,
    dogs,
    ferries,
    gardens,
    hens,
    kitchens,
    learners,
    runners,
    swifts,
    therapists,
)
from mixedsim.classroom.seeds import seed_for
from mixedsim.errors import MixedsimError, nearest
from mixedsim.simulate import Population, Sample

# Name of the assignment, and after a stroke the part of it that has data of its own.
_POPULATIONS: Final[Mapping[str, Callable[[], Population]]] = MappingProxyType(
    {
        "00-placement": bicycles.second_hand,
        "01-therapists": therapists.tutors,
        "02-fixed-or-random": hens.flock,
        "02-fixed-or-random/shells": hens.shells,
        "04-varying-slopes": runners.heat,
        "06-shrinkage": dairies.tasted,
        "07-prediction": carriers.rounds,
        "07-prediction/hired": carriers.hired,
        "09-confounder": gardens.watered,
        "09-confounder/others": gardens.under_glass,
        "10-contextual": kitchens.crews,
        "10-contextual/tips": kitchens.tipped,
        "12-crossed-and-nested": bees.hives,
        "12-crossed-and-nested/tasting": bees.tasting,
        "13-repeated-measures": climbers.groups,
        "13-repeated-measures/hands": climbers.hands,
        "14-tests": dogs.shelters,
        "14-tests/homes": dogs.homes,
        "16-diagnosis": ferries.curved,
        "16-diagnosis/B": ferries.fan,
        "16-diagnosis/C": ferries.drift,
        "16-diagnosis/D": ferries.tails,
        "16-diagnosis/E": ferries.slip,
        "18-planning": choirs.records,
        "19-yes-no": swifts.boxes,
        "19-yes-no/visits": swifts.visits,
        "20-missing": learners.evening,
        "22-final-case": bakeries.fair,
    }
)


def names() -> list[str]:
    """Names of the assignments that have a population, in the order of the book."""
    return sorted({name.partition("/")[0] for name in _POPULATIONS})


def parts(assignment: str) -> list[str | None]:
    """The parts of an assignment that have data: None is the main one."""
    own = [name.partition("/") for name in _POPULATIONS]
    return [part or None for name, _, part in own if name == assignment]


def population(assignment: str, part: str | None = None) -> Population:
    """The population that the data of `assignment`, or of one part of it, are drawn from.

    Raises
    ------
    MixedsimError
        If there is no such assignment, or it has no such part.
    """
    if not isinstance(assignment, str) or assignment not in names():
        raise MixedsimError(f"there is no assignment {assignment!r}; {nearest(str(assignment), names())}")
    if part not in parts(assignment):
        known = ", ".join(repr(one) for one in parts(assignment))
        raise MixedsimError(f"{assignment!r} has no part {part!r}; it has {known}.")
    return _POPULATIONS[assignment if part is None else f"{assignment}/{part}"]()


def sample(assignment: str, student: str, *, part: str | None = None, key: bytes | None = None) -> Sample:
    """One student's data with their truth; `data` gives the data alone, which is what students use.

    Parameters
    ----------
    assignment, student, part : as in `data`.
    key : the student's key; None finds it (`enrolment.find_key`).
    """
    drawn_from = population(assignment, part)
    seed = seed_for(assignment if part is None else f"{assignment}/{part}", student, key=key or find_key(student))
    return drawn_from.draw(seed=seed, lesson=drawn_from.lesson is not None)


def data(assignment: str, *, student: str, part: str | None = None, course: str | None = None) -> pd.DataFrame:
    """The data of one student for one assignment: the same on every machine, different for every student.

    Parameters
    ----------
    assignment : name such as ``"01-therapists"``; see `names`.
    student : the student's id; capitals and outer blanks do not matter.
    part : where an assignment has several tables, the name of another than the first.
    course : the mark of a course with a secret, which its notebooks carry: data of that course are drawn with the
        student's key, which stands in the file ``mixedsim-key.json`` that the student was given.

    Returns
    -------
    DataFrame
        The observed columns, one row for each unit. Where the population has a lesson, the data show it. A course can
        also set the environment variable ``MIXEDSIM_COURSE_SECRET`` wherever the exercise is worked on and graded;
        then its data differ from those of every other course.

    Raises
    ------
    MixedsimError
        If there is no such assignment or part, no id, or no key where one is needed.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.classroom.data("01-therapists", student="ab123").columns.to_list()
    ['tutor', 'hours', 'boarding', 'score']
    """
    population(assignment, part)
    return sample(assignment, student, part=part, key=find_key(student, course)).data
