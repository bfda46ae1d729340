"""Commands for a course: ``exercises build``, ``grade``."""

# Commands import what they need when they run: `mixedsim --help` must not wait for a grader to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
from pathlib import Path

import click

from mixedsim.cli.options import FORCE, output_option, write
from mixedsim.files import STDOUT, refuse_to_overwrite


@click.group()
def exercises() -> None:
    """Make graded exercises."""


@exercises.command(short_help="Make student notebooks and autograders.")
@click.argument("source", type=click.Path(path_type=Path), default=Path("exercises"))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("_build/exercises"),
    show_default=True,
    help="The folder to build in.",
)
@click.option("--force", is_flag=True, help="Replace notebooks that somebody has worked in since they were built.")
def build(source: Path, output: Path, force: bool) -> None:
    """Build student notebook and autograder of SOURCE, a file or a folder (by default `exercises`)."""
    from mixedsim.classroom.build import build as build_exercises

    for built in build_exercises(source, output=output, force=force, progress=True):
        click.echo(f"{built.name}: hand out {os.path.relpath(built.student)}")


@click.command(short_help="Grade what students handed in.")
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@output_option(required=True)
@FORCE
@click.option(
    "--exercises",
    "exercises_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("_build/exercises"),
    show_default=True,
    help="What `mixedsim exercises build` has built.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Notebooks graded at the same time; by default all cores.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=120, show_default=True, help="Seconds.")
def grade(
    submissions: Path, output: str, force: bool, exercises_folder: Path, jobs: int | None, timeout: float
) -> None:
    """Grade SUBMISSIONS, a notebook, a zip archive or a folder with any of these, into a CSV file.

    One row a notebook: file, assignment, student, the points of each question, total, max, status.
    """
    from mixedsim.classroom.grade import grade as grade_submissions

    refuse_to_overwrite(output, force=force)
    grades = grade_submissions(submissions, exercises=exercises_folder, jobs=jobs, timeout=timeout, progress=True)
    write(output, lambda file: grades.to_csv(file, index=False, float_format="%g", lineterminator="\n"), force=force)
    if output != STDOUT:
        others = int((grades["status"] != "graded").sum())
        look = f"; look at the status of {others}" if others else ""
        count = "1 notebook" if len(grades) == 1 else f"{len(grades)} notebooks"
        click.echo(f"{count} in {output}{look}.", err=True)
