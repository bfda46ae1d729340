"""Commands for a course: ``classroom new``, ``classroom adjust``, ``classroom show``, ``report``, ``feedback``."""

# Commands import what they need when they run: `mixedsim --help` must not wait for a grader to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mixedsim.cli.options import FORCE, output_option
from mixedsim.cli.teaching import FOLDER, write_table
from mixedsim.errors import MixedsimError
from mixedsim.files import refuse_to_overwrite

if TYPE_CHECKING:
    import pandas as pd

    from mixedsim.classroom.desk.gradebook import Gradebook

COURSE_ARGUMENT = click.argument("course_folder", metavar="COURSE", type=FOLDER)
COURSE = click.option("--course", "course_folder", type=FOLDER, required=True, help="The course's folder.")


@click.group()
def classroom() -> None:
    """Keep a course: its roster, secret and gradebook."""


@classroom.command(short_help="Make the folder of a new course.")
@click.argument("folder", type=FOLDER)
@click.option("--title", default="", help="What the course is called; by default as its folder.")
@click.option(
    "--exercises", type=FOLDER, default=Path("exercises"), show_default=True, help="The folder of the sources."
)
def new(folder: Path, title: str, exercises: Path) -> None:
    """Make FOLDER with a course's settings, an empty roster, and a secret that makes its data its own."""
    from mixedsim.classroom.desk.course import new as make

    made = os.path.relpath(make(folder, title=title, exercises=exercises))
    click.echo(f"{made}: fill in {os.path.join(made, 'roster.csv')}, one student a line, then build the exercises:")
    click.echo(f"mixedsim exercises build --course {made}")


@classroom.command(short_help="Change points by hand.")
@COURSE_ARGUMENT
@click.argument("student")
@click.argument("assignment")
@click.argument("question")
@click.argument("points")
@click.option("--reason", required=True, help="One sentence; the student reads it too.")
def adjust(course_folder: Path, student: str, assignment: str, question: str, points: str, reason: str) -> None:
    """Give STUDENT other POINTS for a QUESTION (q1, q2, …) of an ASSIGNMENT than the grader gave.

    They stay when the notebook is graded again. POINTS may be the word `computed`: then the grader's count again.
    """
    with _gradebook(course_folder) as book:
        book.adjust(student, assignment, question, _points(points), reason)
        _echo(_of_student(book, student, assignment))


def _points(text: str) -> float | None:
    if text == "computed":
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise MixedsimError(f"the points must be a number, or the word computed, found {text!r}.") from None


@classroom.command(short_help="Show one student's marks and their history.")
@COURSE_ARGUMENT
@click.argument("student")
def show(course_folder: Path, student: str) -> None:
    """Show the marks of STUDENT, what was changed by hand, and every grading."""
    from mixedsim.classroom.seeds import student_id

    with _gradebook(course_folder) as book:
        marks, submissions = _of_student(book, student), book.submissions()
        wanted = submissions[submissions["student"] == student_id(student)]
        if wanted.empty:
            raise MixedsimError(f"the gradebook has nothing of {student!r}.")
        _echo(marks)
        click.echo("\nEvery grading; * counts.")
        told = wanted.assign(counts=wanted["current"].map({True: "*", False: ""}))
        _echo(told[["counts", "graded", "assignment", "file", "claimed", "total", "max", "status"]])


@classroom.command(short_help="Write the grades in the gradebook as CSV.")
@COURSE_ARGUMENT
@output_option(required=True)
@FORCE
@click.option("--lms", type=click.Choice(["moodle", "canvas"]), help="As this platform imports them.")
def grades(course_folder: Path, output: str, force: bool, lms: str | None) -> None:
    """Write the points of every student of the roster, one column an assignment."""
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.desk.grade_lists import of_gradebook

    refuse_to_overwrite(output, force=force)
    course = Course.load(course_folder)
    write_table(of_gradebook(course, _existing(course.gradebook), lms), output, force=force)


@click.command(short_help="Write the instructor's report.")
@COURSE
@output_option(required=True)
@FORCE
def report(course_folder: Path, output: str, force: bool) -> None:
    """Write one HTML page on a course: scores, items, the usual mistakes, the class as a sampling distribution."""
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.reporting.report import instructor_report

    refuse_to_overwrite(output, force=force)
    course = Course.load(course_folder)
    with _gradebook(course_folder) as book:
        instructor_report(book, course, Path(output), progress=True)
    click.echo(f"{output} is about people: keep it to yourself.", err=True)


@click.command(short_help="Write every student's feedback.")
@COURSE
@click.option("-o", "--output", type=FOLDER, required=True, help="The folder for the pages, one folder a student.")
@click.option("--assignment", metavar="NAME", help="Only this one, such as 01-therapists.")
@click.option("--solutions", is_flag=True, help="Tell the right answers too: once everybody has handed in.")
@click.option("--book", metavar="URL", default="", help="Where the workbook is on the web, for links to its sections.")
def feedback(course_folder: Path, output: Path, assignment: str | None, solutions: bool, book: str) -> None:
    """Write an HTML page for every student and assignment: points, and what to look at again."""
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.reporting.feedback import write_feedback

    course = Course.load(course_folder)
    with _gradebook(course_folder) as marks:
        write_feedback(marks, course, output, assignment=assignment, solutions=solutions, book=book, progress=True)
    click.echo(f"Feedback in {output}.", err=True)


def _gradebook(course_folder: Path) -> Gradebook:
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.desk.gradebook import Gradebook

    return Gradebook(_existing(Course.load(course_folder).gradebook))


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MixedsimError(
            f"there is no gradebook {str(path)!r} yet: run `mixedsim grade SUBMISSIONS --course COURSE` first."
        )
    return path


def _of_student(book: Gradebook, student: str, assignment: str | None = None) -> pd.DataFrame:
    from mixedsim.classroom.seeds import student_id

    marks = book.marks(assignment)
    columns = ["assignment", "question", "points", "max", "outcome", "misconception", "given", "right", "reason"]
    return marks.loc[marks["student"] == student_id(student), columns]


def _echo(table: pd.DataFrame) -> None:
    click.echo(table.to_string(index=False, max_colwidth=60, float_format="%g"))
