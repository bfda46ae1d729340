"""The classroom: data of one's own for every student, exercises from source to grade.

Students need `data`, which is here with nothing but the core package behind it. Instructors also use
`mixedsim.classroom.build` and `mixedsim.classroom.desk.grade` (or the commands ``mixedsim exercises build`` and
``mixedsim grade``), which need ``pip install "mixedsim[classroom]"`` and are therefore not imported here.
"""

from mixedsim.classroom.assignments import data, names, population

__all__ = ["data", "names", "population"]
