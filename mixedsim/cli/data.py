"""Commands that make data or show them: ``draw``, ``schema``, ``datasets``."""

# Commands import what they need when they run: `mixedsim --help` must not wait for a grader to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from mixedsim.cli.options import FORCE, SEED, SPEC, output_option, patience, write, write_csv
from mixedsim.files import STDOUT, refuse_to_overwrite

CHUNK_ROWS: Final = 1_000_000  # rows held at a time where data are drawn in chunks


@click.command(short_help="Draw data from a population in a YAML file.")
@SPEC
@SEED
@output_option()
@FORCE
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
    with patience(f"drawing from {spec.name}"):
        sample = population.draw(seed=seed, lesson=lesson)
    data = sample.data
    if lesson and sample.truth.skipped:
        click.echo(f"Seed {sample.truth.seed}: {sample.truth.skipped} before it did not show the lesson.", err=True)
    if kind_of(target) == "csv":
        write(target, lambda file: write_csv(data, file, progress=target != STDOUT), force=force)
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


@click.command(short_help="Write the JSON schema of populations, for editors.")
@output_option()
@FORCE
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
    write(output or STDOUT, lambda file: print(text, end="", file=file), force=force)


@click.command(short_help="List, describe or export the bundled data.")
@click.argument("name", required=False)
@output_option()
@FORCE
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
        write(output, lambda file: write_csv(data, file, progress=output != STDOUT), force=force)
