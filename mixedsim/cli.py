"""The commands: ``mixedsim draw``, ``schema``, ``recover``, ``datasets``, ``exercises build``, ``grade``.

Every command writes its files in one step and never over an existing one unless told to. What goes wrong and can be
mended is one sentence on stderr and exit code 1.
"""

# Commands import what they need when they run: `mixedsim --help` must not wait for a grader to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

try:
    import click
except ModuleNotFoundError:
    raise SystemExit('The command mixedsim needs click: pip install "mixedsim[classroom]".') from None

from mixedsim import __version__
from mixedsim.errors import MixedsimError
from mixedsim.files import STDOUT, draft, refuse_to_overwrite

if TYPE_CHECKING:
    import pandas as pd

CHUNK: Final = 50_000  # rows written between two updates of the progress bar
CHUNK_ROWS: Final = 1_000_000  # rows held at a time where data are drawn in chunks


class OneSentence(click.Group):
    """A group of commands that reports a `MixedsimError` as one sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MixedsimError as error:
            raise click.ClickException(str(error)) from error


_SPEC = click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_SEED = click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same data.")
_FORCE = click.option("--force", is_flag=True, help="Replace files that exist.")


def _output(required: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "-o", "--output", metavar="FILE", required=required, help="Where to write; - is the screen or a pipe."
    )


@click.group(cls=OneSentence, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="mixedsim %(version)s")
def main() -> None:
    """Learn mixed-effects models by making the data yourself."""
    # A pipe on Windows has a code page without Greek letters: better a question mark than a traceback.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


@main.command(short_help="Draw data from a population in a YAML file.")
@_SPEC
@_SEED
@_output()
@_FORCE
@click.option(
    "--rows",
    type=float,
    metavar="ROWS",
    help="About how many rows, as in 1e8: with more or fewer units of the first cluster, a chunk at a time.",
)
@click.option("--chunk", type=click.IntRange(min=1), help=f"Rows to hold at a time, by default {CHUNK_ROWS:,}.")
@click.option("--processes", type=click.IntRange(min=1), help="How many draw at the same time; same seed, same file.")
@click.option("--lesson", is_flag=True, help="Walk on from the seed until the data show the population's lesson.")
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A list of students: one data set each, with keys and codebooks, in the folder after -o.",
)
@click.option("--secret", help="The course's secret, for --roster; by default that in MIXEDSIM_COURSE_SECRET.")
@click.pass_context
def draw(
    ctx: click.Context,
    spec: Path,
    seed: int,
    output: str | None,
    force: bool,
    rows: float | None,
    chunk: int | None,
    processes: int | None,
    lesson: bool,
    roster: Path | None,
    secret: str | None,
) -> None:
    """Draw data from the population that the YAML file SPEC describes.

    They become a CSV file, a Parquet file if the name after -o ends in .parquet, or a folder of Parquet files if it
    ends in a slash. Without -o they go to the screen or the next program in a pipe, as CSV.

    With --rows the data may be larger than memory. It is another data set than without, for the same seed too, and
    its clusters are whole numbers.

    With --roster every student gets a data set of his or her own, data-ID.csv, and the folder a codebook; keys, and
    the instructor's codebook, are in its subfolder keys. The roster is a CSV file with a column `student` (or else
    its first column), or text with one id a line. A student's seed depends on the id, SPEC and --secret alone, so the
    same data can be drawn again at any time. What an interrupted run left is completed by the next.

    A SPEC looks like this:

    \b
      formula: anxiety ~ depression + (1 | therapist)
      clusters:
        therapist: 100                # therapists
      size: 50                        # patients each
      variables:
        depression: {kind: Normal, mean: 5, sd: 2}
      fixef:
        Intercept: 45
        depression: 3
      ranef:
        therapist: {sd: [1]}
      sigma: 8
    """
    from mixedsim.drawing import check_target, kind_of, write_blocks, write_frame
    from mixedsim.simulate import Population
    from mixedsim.simulate.streaming import blocks_of

    if roster is not None:
        if output in (None, STDOUT) or rows is not None or chunk or processes:
            raise click.UsageError("--roster needs a folder after -o, and goes without --rows, --chunk, --processes.")
        if ctx.get_parameter_source("seed") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("--roster gives every student a seed of their own: leave out --seed.")
        assert output is not None
        _hand_out(spec, roster, Path(output), secret=secret, lesson=lesson, force=force)
        return
    if secret is not None:
        raise click.UsageError("--secret needs --roster.")
    target = output or STDOUT
    check_target(target, force=force)
    population = Population.from_yaml(spec)
    if rows is not None and lesson:
        raise click.UsageError("--lesson is for data that fit into memory: leave out --rows.")
    if rows is not None:
        blocks = blocks_of(population, seed, rows)
        write_blocks(blocks, target, chunk=chunk or CHUNK_ROWS, processes=processes or 1, force=force)
        return
    if chunk or processes:
        raise click.UsageError("--chunk and --processes need --rows.")
    with _patience(f"drawing from {spec.name}"):
        sample = population.draw(seed=seed, lesson=lesson)
    data = sample.data
    if lesson and sample.truth.skipped:
        click.echo(f"Seed {sample.truth.seed}: {sample.truth.skipped} before it did not show the lesson.", err=True)
    if kind_of(target) == "csv":
        _write(target, lambda file: _write_csv(data, file, progress=target != STDOUT), force=force)
    else:
        write_frame(data, target, force=force)


def _hand_out(spec: Path, roster: Path, folder: Path, *, secret: str | None, lesson: bool, force: bool) -> None:
    """A data set for every student of the roster, and a sentence on what was written and what was there."""
    from tqdm import tqdm

    from mixedsim.classroom.handout import hand_out
    from mixedsim.classroom.roster import read_roster
    from mixedsim.simulate import Population

    students = read_roster(roster)
    work = hand_out(Population.from_yaml(spec), students, folder, secret=secret, lesson=lesson, force=force)
    done = list(tqdm(work, total=len(students), desc="drawing", unit="student", delay=1, file=sys.stderr))
    kept = sum(one.kept for one in done)
    before = f", {kept} of them there before" if kept else ""
    click.echo(f"{len(done)} data sets in {folder}{before}; keys in {folder / 'keys'}, not for students.", err=True)


@main.command(short_help="Write the JSON schema of populations, for editors.")
@_output()
@_FORCE
def schema(output: str | None, force: bool) -> None:
    """Write the JSON schema of YAML populations, by which editors complete fields and mark mistakes.

    With the schema in the file population.schema.json beside it, a SPEC begins with this line:

    \b
      # yaml-language-server: $schema=population.schema.json
    """
    import json

    from mixedsim.simulate import Population

    refuse_to_overwrite(output or STDOUT, force=force)
    text = json.dumps(Population.schema(), ensure_ascii=False, indent=1) + "\n"
    _write(output or STDOUT, lambda file: print(text, end="", file=file), force=force)


@main.command(short_help="Draw, fit, and compare with the truth.")
@_SPEC
@_SEED
@click.option("--formula", help="The model to fit; by default the population's own.")
def recover(spec: Path, seed: int, formula: str | None) -> None:
    """Draw from SPEC, fit, and print truth, estimate and 95 % interval of every parameter."""
    from mixedsim.simulate import Population
    from mixedsim.study import recover as recovery_of

    population = Population.from_yaml(spec)
    with _patience(f"drawing and fitting {spec.name}"):
        table = recovery_of(population, seed=seed, formula=formula)
    click.echo(table.to_string())


@main.command(short_help="List, describe or export the bundled data.")
@click.argument("name", required=False)
@_output()
@_FORCE
def datasets(name: str | None, output: str | None, force: bool) -> None:
    """List the bundled data sets, describe the one called NAME, or write it as CSV with -o."""
    from mixedsim import datasets as bundled

    if name is None:
        if output is not None:
            raise click.UsageError("-o needs the NAME of a data set.")
        for known in bundled.names():
            click.echo(bundled.info(known).splitlines()[0])
    elif output is None:
        click.echo(bundled.info(name))
    else:
        refuse_to_overwrite(output, force=force)
        data = bundled.load(name)
        _write(output, lambda file: _write_csv(data, file, progress=output != STDOUT), force=force)


@main.group()
def exercises() -> None:
    """Make graded exercises."""


@exercises.command(short_help="Make student notebooks and autograders.")
@click.argument("source", type=click.Path(exists=True, path_type=Path), default=Path("exercises"))
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


@main.command(short_help="Grade what students handed in.")
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@_output(required=True)
@_FORCE
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
    _write(output, lambda file: grades.to_csv(file, index=False, float_format="%g", lineterminator="\n"), force=force)
    if output != STDOUT:
        others = int((grades["status"] != "graded").sum())
        look = f"; look at the status of {others}" if others else ""
        count = "1 notebook" if len(grades) == 1 else f"{len(grades)} notebooks"
        click.echo(f"{count} in {output}{look}.", err=True)


def _write(target: str, write: Callable[[IO[str]], None], *, force: bool) -> None:
    """Let `write` fill a file beside `target`, then put it in its place: a reader never sees half a file."""
    if target == STDOUT:
        if not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # the same text as in a file
        write(sys.stdout)
        return
    # What a file is called or an error says need not be text that UTF-8 can hold; it must not cost the others.
    with (
        draft(target, force=force) as path,
        path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        write(file)


def _write_csv(data: pd.DataFrame, file: IO[str], *, progress: bool) -> None:
    from tqdm import tqdm

    with tqdm(
        total=len(data), desc="writing", unit="row", unit_scale=True, delay=1, file=sys.stderr, disable=not progress
    ) as bar:
        for start in range(0, max(len(data), 1), CHUNK):
            rows = data.iloc[start : start + CHUNK]
            rows.to_csv(file, index=False, header=start == 0, lineterminator="\n")
            bar.update(len(rows))


@contextlib.contextmanager
def _patience(what: str) -> Iterator[None]:
    """After a second, show on stderr what is going on and for how long; nothing where nobody watches."""
    done = threading.Event()

    def tell() -> None:
        seconds = 0
        while not done.wait(1):
            seconds += 1
            click.echo(f"\r{what}: {seconds} s ", nl=False, err=True)
        if seconds:
            click.echo(err=True)

    teller = threading.Thread(target=tell, daemon=True)
    if sys.stderr.isatty():
        teller.start()
    try:
        yield
    finally:
        done.set()
        if teller.is_alive():
            teller.join()


if __name__ == "__main__":
    main()
