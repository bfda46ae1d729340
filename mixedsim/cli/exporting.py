"""The command ``exercises export``."""

# Commands import what they need when they run: `mixedsim --help` must not wait for a grader to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mixedsim.cli.options import FORCE
from mixedsim.files import STDOUT, refuse_to_overwrite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixedsim.classroom.export import Exam

_ENDS: Final = {"moodle": ".xml", "canvas": ".zip"}
_SOURCES: Final = Path("exercises")


@click.command("export", short_help="Write questions for Moodle or Canvas.")
@click.argument("assignment")
@click.option("--format", "form", type=click.Choice(list(_ENDS)), required=True, help="Moodle XML, or Canvas' QTI zip.")
@click.option(
    "--course",
    "course_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The course's folder: one variant for every student of its roster, with the course's secret.",
)
@click.option("--students", type=int, metavar="N", help="N variants that belong to nobody: v001, v002, …")
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write: FILE.xml or FILE.zip.")
@click.option("--summary", "tell", is_flag=True, help="Print a table: how right answers spread, question by question.")
@FORCE
def export(
    assignment: str, form: str, course_folder: Path | None, students: int | None, output: str, tell: bool, force: bool
) -> None:
    """Write the questions of ASSIGNMENT (such as 01-therapists) that a learning platform can mark.

    Numbers, choices and sortings are written, each with data, right answers and feedback of its own for every variant.
    Formulas, rankings and designs stay in the notebook. With --course and --students both, the N variants are made
    with the course's secret.
    """
    from tqdm import tqdm

    from mixedsim.classroom.export import canvas_qti, moodle_xml, read_exam, summary

    if course_folder is None and students is None:
        raise click.UsageError("say for whom: --course FOLDER or --students N.")
    if not output.endswith(_ENDS[form]) or output == STDOUT:
        raise click.UsageError(f"the name after -o must end in {_ENDS[form]} for {form}.")
    refuse_to_overwrite(output, force=force)
    source, keys = _wanted(assignment, course_folder, students)
    exam = read_exam(source)
    work = tqdm(exam.variants(keys), total=len(keys), desc="variants", unit="student", delay=1, file=sys.stderr)
    variants = list(work)
    lost = dict(exam.left_out)
    if form == "moodle":
        moodle_xml(exam, variants, output, force=force)
    else:
        lost.update(canvas_qti(exam, variants, output, force=force))
    if tell:
        click.echo(summary(exam, variants).drop(columns="note").to_string(float_format="%.4g", na_rep=""))
    _say(exam, lost, len(variants), output)


def _wanted(assignment: str, course_folder: Path | None, students: int | None) -> tuple[Path, Mapping[str, bytes]]:
    """The source, and each variant's key."""
    from mixedsim.classroom.desk.course import Course
    from mixedsim.classroom.export.whose import anonymous, find_source

    if course_folder is None:
        assert students is not None
        return find_source(assignment, sorted(_SOURCES.glob("[0-9][0-9]-*.md"))), anonymous(students)
    course = Course.load(course_folder)
    keys = course.keys() if students is None else anonymous(students, secret=course.secret)
    return find_source(assignment, course.sources()), keys


def _say(exam: Exam, lost: Mapping[str, str], count: int, output: str) -> None:
    for name in exam.key.points:
        if name in lost:
            click.echo(f"{name} is not exported: {lost[name]}.", err=True)
    written = ", ".join(name for name in exam.key.points if name not in lost)
    size = f"{os.path.getsize(output) / 1e6:.1f} MB"
    many = "1 variant" if count == 1 else f"{count} variants"
    click.echo(f"{many} of {written} in {output}, {size}.", err=True)
