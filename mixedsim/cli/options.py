"""What several commands share: their options, and how they write and wait."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from mixedsim.errors import MixedsimError
from mixedsim.files import STDOUT, draft

if TYPE_CHECKING:
    import pandas as pd

CHUNK: Final = 50_000  # rows written between two updates of the progress bar

# What the name of a file promises and no command writes: a program that opens such a file would find a broken one.
_OTHERS: Final = (".dta", ".feather", ".ods", ".rda", ".rdata", ".rds", ".sas7bdat", ".sav", ".xls", ".xlsx")

SPEC = click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
SEED = click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same data.")
FORCE = click.option("--force", is_flag=True, help="Replace files that exist.")


def output_option(required: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option -o."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        required=required,
        callback=_promises_nothing_else,
        help="Where to write; - is the screen or a pipe.",
    )


def _promises_nothing_else(_ctx: click.Context, _option: click.Parameter, target: str | None) -> str | None:
    """The target, unless its name says that it is a kind of file that is not written here."""
    suffix = Path(target or "").suffix
    if suffix.lower() in _OTHERS:
        raise MixedsimError(
            f"cannot write {target!r}: tables are written as CSV, not as {suffix} files; end the name in .csv, which "
            "spreadsheets and statistics programs open."
        )
    return target


def write(target: str, write: Callable[[IO[str]], None], *, force: bool) -> None:
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


def write_csv(data: pd.DataFrame, file: IO[str], *, progress: bool) -> None:
    """Write a table, with a bar where it takes longer than a second."""
    from tqdm import tqdm  # noqa: PLC0415  # only where something is written

    with tqdm(
        total=len(data), desc="writing", unit="row", unit_scale=True, delay=1, file=sys.stderr, disable=not progress
    ) as bar:
        for start in range(0, max(len(data), 1), CHUNK):
            rows = data.iloc[start : start + CHUNK]
            rows.to_csv(file, index=False, header=start == 0, lineterminator="\n")
            bar.update(len(rows))


@contextlib.contextmanager
def patience(what: str) -> Iterator[None]:
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
