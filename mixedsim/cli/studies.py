"""Commands that draw and fit: ``recover``, ``study``, ``power``."""

# Commands import what they need when they run: `mixedsim --help` must not wait for a fitter to be imported.
# ruff: noqa: PLC0415

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mixedsim.cli.options import FORCE, SEED, SPEC, output_option, patience, write, write_csv
from mixedsim.errors import MixedsimError
from mixedsim.files import STDOUT, draft, refuse_to_overwrite

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from mixedsim.study.draws import Redraw

_MOST_POINTS: Final = 10_000  # of a curve; more is a slip of the pen
_NO_TABLES: Final = (".parquet", ".pq", ".xlsx", ".xls", ".json", ".png", ".svg", ".pdf", ".yml", ".yaml")

_ANALYSIS = click.option(
    "--analysis",
    "analyses",
    multiple=True,
    metavar="NAME=FORMULA",
    help="What is fitted, as in 'naive=y ~ x'; may be given several times. By default SPEC's own formula.",
)
_N = click.option("-n", type=click.IntRange(min=1), default=1000, show_default=True, help="Replicates.")
_ALPHA = click.option(
    "--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True,
    help="Level of the tests.",
)  # fmt: skip
_REDRAW = click.option(
    "--redraw", type=click.Choice(["all", "response"]), default="all", show_default=True,
    help="What is drawn anew in every replicate.",
)  # fmt: skip
_PROCESSES = click.option(
    "--processes", type=click.IntRange(min=1), help="How many work at the same time; the numbers are the same."
)
_PLOT = click.option("--plot", metavar="FILE", help="A picture of it: png, svg or pdf.")


@click.command(short_help="Draw, fit, and compare with the truth.")
@SPEC
@SEED
@click.option("--formula", help="The model to fit; by default the population's own.")
def recover(spec: Path, seed: int, formula: str | None) -> None:
    """Draw from SPEC, fit, and print truth, estimate and 95 % interval of every parameter."""
    from mixedsim.simulate import Population
    from mixedsim.study import recover as recovery_of

    population = Population.from_yaml(spec)
    with patience(f"drawing and fitting {spec.name}"):
        table = recovery_of(population, seed=seed, formula=formula)
    click.echo(table.to_string())


@click.command(short_help="Draw and fit a thousand times; bias, coverage, power.")
@SPEC
@_ANALYSIS
@_N
@SEED
@_REDRAW
@_ALPHA
@_PROCESSES
@output_option()
@_PLOT
@FORCE
def study(
    spec: Path,
    analyses: Sequence[str],
    n: int,
    seed: int,
    redraw: Redraw,
    alpha: float,
    processes: int | None,
    output: str | None,
    plot: str | None,
    force: bool,
) -> None:
    """Draw n data sets from SPEC, analyse each, and print what came of it.

    \b
      mixedsim study clinic.yml --analysis "naive=anxiety ~ depression" \\
          --analysis "mixed=anxiety ~ depression + (1 | therapist)" -n 1000

    The file after -o gets the replicates, one row each, analysis and parameter, as CSV. A folder (a name that ends in
    a slash) gets them as Parquet files while the study runs: if it is interrupted, the same command goes on from there.
    """
    from mixedsim import study as study_of
    from mixedsim.plot import estimates
    from mixedsim.simulate import Population

    folder = output if output is not None and output.endswith(("/", "\\")) else None
    if folder and find_spec("pyarrow") is None:
        raise MixedsimError(
            f"a folder of results, {folder!r}, needs the package pyarrow: install it with  pip install "
            "'mixedsim[scale]', or name a file that ends in .csv."
        )
    _check_targets(None if folder else output, plot, force=force)
    found = study_of(
        Population.from_yaml(spec), _analyses(analyses), n, seed, redraw=redraw, alpha=alpha, executor=processes,
        out=folder,
    )  # fmt: skip
    if output is not None and folder is None:
        write(output, lambda file: write_csv(found.replicates, file, progress=output != STDOUT), force=force)
    _save(plot, lambda: estimates(found), force=force)
    if output != STDOUT:
        click.echo(str(found))


@click.command(short_help="Power by simulation, along a design or to a wanted size.")
@SPEC
@click.option(
    "--along",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="What changes, as in therapist=10:100:10 or size=5,10,20; a second one makes a grid.",
)
@click.option("--parameter", multiple=True, help="The coefficient that is tested; by default all but the intercept.")
@click.option(
    "--find", "target", type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Look for the size with this power, instead of a curve: --along therapist --find 0.8.",
)  # fmt: skip
@_ANALYSIS
@_N
@SEED
@_REDRAW
@_ALPHA
@_PROCESSES
@output_option()
@_PLOT
@FORCE
@click.pass_context
def power(
    ctx: click.Context,
    spec: Path,
    along: Sequence[str],
    parameter: Sequence[str],
    target: float | None,
    analyses: Sequence[str],
    n: int,
    seed: int,
    redraw: Redraw,
    alpha: float,
    processes: int | None,
    output: str | None,
    plot: str | None,
    force: bool,
) -> None:
    """Say how often a test finds an effect, as the design that SPEC describes changes.

    \b
      mixedsim power clinic.yml --along therapist=10:100:10 -n 1000 -o power.csv --plot power.png
      mixedsim power clinic.yml --along therapist --find 0.8 --parameter depression

    The false-positive rate of the same test stands beside every power. With -o a run that was interrupted goes on where
    it stopped when the same command is given again (if pyarrow is installed: pip install "mixedsim[scale]").
    """
    from mixedsim.simulate import Population

    _check_targets(output, plot, force=force)
    if target is not None and ctx.get_parameter_source("n") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--find settles by itself how many replicates it needs: leave out -n.")
    population = Population.from_yaml(spec)
    if target is not None:
        _find(population, along, parameter, target, analyses, seed, redraw, alpha, processes, output, plot, force)
        return
    from mixedsim.plot import power as picture
    from mixedsim.study import power_curve

    names, sizes = zip(*map(_axis, along), strict=True)
    kept = _kept(output)
    curve = power_curve(
        population, names, sizes if len(names) > 1 else sizes[0], analyses=_analyses(analyses),
        parameter=list(parameter) or None, n=n, seed=seed, alpha=alpha, redraw=redraw, executor=processes, out=kept,
    )  # fmt: skip
    _write_table(curve.table, output, force=force)
    _save(plot, lambda: picture(curve), force=force)
    if kept is not None:
        shutil.rmtree(kept, ignore_errors=True)
    if output != STDOUT:
        click.echo(str(curve))


def _find(
    population: Any, along: Sequence[str], parameter: Sequence[str], target: float, analyses: Sequence[str], seed: int,
    redraw: Redraw, alpha: float, processes: int | None, output: str | None, plot: str | None, force: bool,
) -> None:  # fmt: skip
    from mixedsim.study import find_size

    if len(along) > 1 or "=" in along[0]:
        raise click.UsageError("--find takes one name after --along, without values: --along therapist --find 0.8.")
    if len(parameter) > 1 or plot is not None:
        raise click.UsageError("--find takes one --parameter, and makes no --plot.")
    with patience("looking for the size"):
        found = find_size(
            population, along[0], power=target, parameter=parameter[0] if parameter else None,
            analysis=_analyses(analyses), seed=seed, alpha=alpha, redraw=redraw, executor=processes,
        )  # fmt: skip
    _write_table(found.table.reset_index(), output, force=force)
    if output != STDOUT:
        click.echo(str(found))


def _check_targets(output: str | None, plot: str | None, *, force: bool) -> None:
    """Say before any work is done that a file cannot be written."""
    for target in (output, plot):
        if target is not None:
            refuse_to_overwrite(target, force=force)
    if output is not None and output != STDOUT and Path(output).suffix.lower() in _NO_TABLES:
        raise MixedsimError(f"the table is written as CSV, which {output!r} does not say: give it a name in .csv.")
    if output is not None and output.endswith(("/", "\\")):
        raise MixedsimError(f"cannot write the table to the folder {output!r}: name a file, such as power.csv.")
    if plot is not None and Path(plot).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise MixedsimError(f"cannot draw {plot!r}: give it a name that ends in .png, .svg or .pdf.")


def _analyses(given: Sequence[str]) -> dict[str, str] | None:
    """{name: formula} from ``name=formula``; a formula alone is called as it reads."""
    out = {}
    for text in given:
        name, found, formula = text.partition("=")
        if not found or "~" in name:
            name, formula = text, text
        if name.strip() in out:
            raise MixedsimError(f"two analyses are called {name.strip()!r}: give them different names.")
        out[name.strip()] = formula.strip()
    return out or None


def _axis(text: str) -> tuple[str, list[float]]:
    """``therapist=10:100:10`` or ``size=5,10`` as a name and its values; the last one is included."""
    name, found, values = text.partition("=")
    try:
        if not found or not name.strip():
            raise ValueError
        numbers = _range(values) if ":" in values else [_number(one) for one in values.split(",")]
    except ValueError:
        raise MixedsimError(
            f"--along {text!r} is no name with values: write therapist=10:100:10 (from, to, step) or size=5,10,20."
        ) from None
    if not 0 < len(numbers) <= _MOST_POINTS:
        count = "no" if not numbers else f"more than {_MOST_POINTS:,}"
        raise MixedsimError(f"--along {text!r} has {count} values: write from:to:step, as in therapist=10:100:10.")
    return name.strip(), numbers


def _range(text: str) -> list[float]:
    """first, first + step, …, none beyond last; in decimals, so that 0.1:0.5:0.1 has 0.3 and not its neighbour."""
    first, last, *step = (Decimal(str(_number(one))) for one in text.split(":"))
    by = step[0] if step else Decimal(1)
    if len(step) > 1 or by <= 0:
        raise ValueError
    count = math.floor((last - first) / by) + 1
    return [_number(str(first + k * by)) for k in range(min(count, _MOST_POINTS + 1))]


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return int(value) if value.is_integer() and "." not in text else value


def _kept(output: str | None) -> Path | None:
    """Where the replicates of an unfinished run are kept, beside its output."""
    if output in (None, STDOUT) or find_spec("pyarrow") is None:
        return None
    assert output is not None
    return Path(f"{output}.unfinished")


def _write_table(table: pd.DataFrame, output: str | None, *, force: bool) -> None:
    if output is not None:
        write(output, lambda file: table.to_csv(file, index=False, lineterminator="\n"), force=force)


def _save(plot: str | None, draw: Any, *, force: bool) -> None:
    if plot is None:
        return
    from matplotlib import pyplot

    figure: Figure = draw()
    with draft(plot, force=force) as path:
        figure.savefig(path, format=Path(plot).suffix[1:].lower(), dpi=150)
    pyplot.close(figure)
