"""The instructor's report: one HTML page that loads nothing and can be mailed, printed, and read on a phone."""

from __future__ import annotations

import sys
from pathlib import Path

from tqdm import tqdm

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.reporting.class_material import material_of
from mixedsim.classroom.reporting.pages import Html, page, tag, together
from mixedsim.classroom.reporting.report_assignment import assignment_section
from mixedsim.classroom.reporting.report_course import course_sections
from mixedsim.errors import MixedsimError
from mixedsim.files import draft


def instructor_report(
    gradebook: Gradebook, course: Course, output: Path | str, *, progress: bool = False, force: bool = True
) -> Path:
    """Write the report of a course to `output`, one HTML page, and give its path back.

    It names students and their marks, and is for the instructor alone. What the students' own data
    give is computed once and kept in a folder beside the gradebook (``GRADEBOOK.answers``).

    Parameters
    ----------
    gradebook : whose marks count.
    course : roster, names, secret, and the folder in which the assignments are built.
    output : the file to write.
    progress : whether to show progress bars on stderr when it takes longer than a second.
    force : whether to replace `output` if it exists.

    Raises
    ------
    MixedsimError
        If the gradebook has no marks, or `output` cannot be written.
    """
    marks, submissions = gradebook.marks(), gradebook.submissions()
    if not len(marks):
        raise MixedsimError("the gradebook has no marks yet: run `mixedsim grade` first.")
    names = sorted(marks["assignment"].unique())
    shown = tqdm(names, desc="report", unit="assignment", delay=1, file=sys.stderr, disable=not progress)
    materials, sections = [], []
    for name in shown:
        material = material_of(name, marks[marks["assignment"] == name], course, progress=progress)
        materials.append(material)
        sections.append(assignment_section(material, course.names))
    text = page(
        f"{course.title}: report", *course_sections(marks, submissions, course, materials), *sections, _reading()
    )
    with draft(str(output), force=force) as file:
        file.write_text(text, encoding="utf-8")
    return Path(output)


def _reading() -> Html:
    told = {
        "Difficulty": "The mean share of a question's points, for right-or-wrong questions the proportion correct: "
        "easy questions have high values. ± is its standard error.",
        "Item–rest": "The correlation of a question's points with the sum of all others. Near 0, the question does "
        "not tell those who know from those who do not; below 0, look at the key. ± is a jackknife standard error.",
        "Upper − lower": "The mean share in the 27 % with the most points minus that in the 27 % with the fewest. "
        "Ebel and Frisbie (1991) call 0.4 and more very good, less than 0.2 poor.",
        "Alpha": "Cronbach's: how far the sum would be the same with other questions of this kind; the interval is "
        "Feldt's.",
        "Answers that fit a classmate's data": "Numbers that equal, in all digits typed, what a classmate's data give "
        "and nothing that the student's own data give. A pair is listed if in a class where everybody worked alone "
        "one would find such a pair in fewer than one assignment of twenty. It is no proof: ask both.",
    }
    parts = [part for words, text in told.items() for part in (tag("dt", tag("strong", words)), tag("dd", text))]
    return together(tag("h2", "How to read these numbers"), tag("dl", *parts))
