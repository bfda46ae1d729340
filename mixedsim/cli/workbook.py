"""The command ``book``: executes and builds the workbook."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from mixedsim.errors import MixedsimError

_HOLDS: Final = ("_config.yml", "_toc.yml")
# What a checkout's own `make book` asks for too: every page anew, warnings are errors, all of them shown.
_STRICT: Final = ("--all", "--warningiserror", "--keep-going")


@click.command(short_help="Execute and build the workbook.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Where _build goes.  [FOLDER]")
@click.option("--draft", is_flag=True, help="Only pages that changed, and go on where a page warns.")
@click.option("--open", "opens", is_flag=True, help="Open the first page in the browser.")
def book(folder: Path, output: Path | None, draft: bool, opens: bool) -> None:
    """Execute and build the workbook whose sources are in FOLDER (by default here), and say where to click."""
    missing = [name for name in _HOLDS if not (folder / name).is_file()]
    if missing:
        raise MixedsimError(
            f"{folder.resolve()} holds no workbook ({' and '.join(missing)} missing): "
            "name the folder with mixedsim's sources, mixedsim book FOLDER."
        )
    if importlib.util.find_spec("jupyter_book") is None:
        raise MixedsimError('building the workbook needs Jupyter Book: pip install "mixedsim[book]".')
    output = output or folder
    strict = () if draft else _STRICT
    command = [sys.executable, "-c", _RUN, "build", str(folder), "--path-output", str(output), *strict]
    ended = subprocess.run(command, check=False).returncode
    if ended:
        raise MixedsimError(f"the workbook was not built (exit {ended}): what it stumbled on stands above.")
    page = (output / "_build" / "html" / "index.html").resolve()
    click.echo(f"\nThe workbook is ready. Open this page:\n  {page.as_uri()}")
    if opens:
        click.launch(page.as_uri())


# The package has no __main__, and its script need not be on the path.
_RUN: Final = "from jupyter_book.cli.main import main; main(prog_name='jupyter-book')"
