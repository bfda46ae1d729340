"""Commands for teaching: ``exercises build``, ``data``, ``grade``."""

# Commands import what they need when they run: `mixedsim --help` must not wait for a grader to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mixedsim.cli.options import FORCE, output_option, write
from mixedsim.files import STDOUT, refuse_to_overwrite

if TYPE_CHECKING:
    import pandas as pd

FOLDER = click.Path(file_okay=False, path_type=Path)
COURSE = click.option("--course", "course_folder", type=FOLDER, help="A course made by `mixedsim classroom new`.")


@click.group()
def exercises() -> None:
    """Make graded exercises."""


@exercises.command(short_help="Make student notebooks and autograders.")
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--output", type=FOLDER, help="The folder to build in, by default _build/exercises.")
@COURSE
@click.option("--force", is_flag=True, help="Replace notebooks that somebody has worked in since they were built.")
def build(source: Path | None, output: Path | None, course_folder: Path | None, force: bool) -> None:
    """Build student notebook and autograder of SOURCE, a file or a folder (by default `exercises`).

    With --course the sources are those that the course names; its notebooks draw the course's own data, for which
    students need their key (`mixedsim data`).
    """
    from mixedsim.classroom.build import SOURCES
    from mixedsim.classroom.build import build as build_exercises
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.score import EXERCISES

    if course_folder is None:
        done = build_exercises(source or SOURCES, output=output or EXERCISES, force=force, progress=True)
    elif output is not None:
        raise click.UsageError("--course says where to build: leave out -o.")
    else:
        course = Course.load(course_folder)
        sources = course.sources() if source is None else source
        done = build_exercises(sources, output=course.built, force=force, course=course.mark, progress=True)
    for built in done:
        click.echo(f"{built.name}: hand out {os.path.relpath(built.student)}")


@click.command("data", short_help="Make every student's folder: notebooks, data, key.")
@click.option("--course", "course_folder", type=FOLDER, required=True, help="The course's folder.")
@click.option("--roster", type=click.Path(dir_okay=False, path_type=Path), help="Only the students in this list.")
@click.option("--assignment", "assignments", multiple=True, help="Only this one; may be given several times.")
@click.option("-o", "--output", type=FOLDER, required=True, help="The folder for the students' folders.")
@click.option("--zip", "archives", is_flag=True, help="Also a zip archive for each student.")
@click.option("--force", is_flag=True, help="Replace files that are not as they would be made now.")
def hand_out(
    course_folder: Path,
    roster: Path | None,
    assignments: tuple[str, ...],
    output: Path,
    archives: bool,
    force: bool,
) -> None:
    """Make a folder for every student of a course's roster.

    It holds the notebooks, the student's key, and the data as CSV files for those who work in R, SPSS or a
    spreadsheet. What an interrupted run left is completed by the next; what is there is kept.
    """
    from tqdm import tqdm

    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.desk.course_handout import hand_out_course

    course = Course.load(course_folder)
    if roster is not None:
        course = course.only(roster)
    work = hand_out_course(course, output, assignments=assignments or None, archives=archives, force=force)
    done = list(tqdm(work, total=len(course.roster), desc="handing out", unit="student", delay=1, file=sys.stderr))
    written, kept = sum(one.written for one in done), sum(one.kept for one in done)
    people = "1 student" if len(done) == 1 else f"{len(done)} students"
    click.echo(f"{people} in {output}: {written} files written, {kept} there before.", err=True)


@click.command(short_help="Grade what students handed in.")
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@output_option(required=True)
@FORCE
@COURSE
@click.option("--exercises", "exercises_folder", type=FOLDER, help="What was built, by default _build/exercises.")
@click.option("--gradebook", type=click.Path(dir_okay=False, path_type=Path), help="Keep all results in this file.")
@click.option("--lms", type=click.Choice(["moodle", "canvas"]), help="Write FILE as this platform imports it.")
@click.option("--jobs", type=click.IntRange(min=1), help="Notebooks graded at the same time; by default all cores.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for each, by default 120.")
@click.option("--again", is_flag=True, help="Grade also what the gradebook has already.")
def grade(
    submissions: Path,
    output: str,
    force: bool,
    course_folder: Path | None,
    exercises_folder: Path | None,
    gradebook: Path | None,
    lms: str | None,
    jobs: int | None,
    timeout: float | None,
    again: bool,
) -> None:
    """Grade SUBMISSIONS, a notebook, a zip archive or a folder with any of these, into a CSV file.

    One row a notebook: file, assignment, student, the points of each question, total, max, status.

    With --course, or --gradebook, results are kept in a gradebook: what an interrupted grading has done is not done
    again, a notebook that is graded again keeps its history, and points that were changed by hand stay changed.
    """
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.desk.grade import grade as grade_submissions
    from mixedsim.classroom.score import EXERCISES
    from mixedsim.classroom.walled.walls import walls

    course = None if course_folder is None else Course.load(course_folder)
    if course is None and lms is not None:
        raise click.UsageError("--lms needs --course, whose roster says who is who there.")
    if course is not None and exercises_folder is not None:
        raise click.UsageError("--course says what was built: leave out --exercises.")
    refuse_to_overwrite(output, force=force)
    click.echo(walls().says, err=True)
    grades = grade_submissions(
        submissions,
        exercises=exercises_folder or EXERCISES,
        course=course,
        gradebook=gradebook,
        jobs=jobs,
        timeout=timeout,
        again=again,
        progress=True,
    )
    table = grades
    if course is not None and lms is not None:
        from mixedsim.classroom.desk.grade_lists import of_gradebook

        table = of_gradebook(course, gradebook or course.gradebook, lms)
    write_table(table, output, force=force)
    if output != STDOUT:
        others = int((grades["status"] != "graded").sum())
        look = f"; look at the status of {others}" if others else ""
        count = "1 notebook" if len(grades) == 1 else f"{len(grades)} notebooks"
        click.echo(f"{count} in {output}{look}.", err=True)


def write_table(table: pd.DataFrame, output: str, *, force: bool) -> None:
    """Write a table of grades as CSV."""
    write(output, lambda file: table.to_csv(file, index=False, float_format="%g", lineterminator="\n"), force=force)
