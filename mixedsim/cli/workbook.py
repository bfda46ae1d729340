"""The command ``book``: executes and builds the workbook."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

from mixedsim.errors import MixedsimError

_HOLDS: Final = ("_config.yml", "_toc.yml")
# What a checkout's own `make book` asks for too: warnings are errors, all of them shown.
_STRICT: Final = ("--warningiserror", "--keep-going")
# Lies in _build after a build without a warning. Without it every page is read again, since a page that is not read
# does not warn; what its code gave comes from the cache all the same.
_SOUND: Final = ".sound"
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


@click.command(short_help="Execute and build the workbook.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Where _build goes.  [FOLDER]")
@click.option("--draft", is_flag=True, help="Go on where a page warns.")
@click.option("--fresh", is_flag=True, help="Execute every page again, also what nothing has changed for.")
@click.option("--print", "prints", is_flag=True, help="One page for all, and a PDF of it, instead of the pages.")
@click.option("--open", "opens", is_flag=True, help="Open the first page in the browser.")
def book(folder: Path, output: Path | None, draft: bool, fresh: bool, prints: bool, opens: bool) -> None:
    """Execute and build the workbook whose sources are in FOLDER (by default here), and say where to click."""
    missing = [name for name in _HOLDS if not (folder / name).is_file()]
    if missing:
        raise MixedsimError(
            f"{folder.resolve()} holds no workbook ({' and '.join(missing)} missing): "
            "name the folder with mixedsim's sources, mixedsim book FOLDER."
        )
    if importlib.util.find_spec("jupyter_book") is None:
        raise MixedsimError('building the workbook needs Jupyter Book: pip install "mixedsim[book]".')
    build = (output or folder) / "_build"
    if fresh:
        shutil.rmtree(build / ".jupyter_cache", ignore_errors=True)
    kind = "singlehtml" if prints else "html"
    _run(folder, build, kind, draft=draft, fresh=fresh)
    page = (build / kind / ("mixedsim.html" if prints else "index.html")).resolve()
    click.echo(f"\nThe workbook is ready. Open this page:\n  {page.as_uri()}")
    if prints:
        (build / kind / "index.html").unlink(missing_ok=True)  # leads to where the page was before it moved up
        _print(page, build / "mixedsim.pdf")
    if opens:
        click.launch(page.as_uri())


def _run(folder: Path, build: Path, kind: str, *, draft: bool, fresh: bool) -> None:
    sound = build / kind / _SOUND
    every = () if sound.is_file() and not fresh else ("--all",)
    sound.unlink(missing_ok=True)
    strict = () if draft else _STRICT
    # The package has no __main__, and its script need not be on the path.
    run = "from jupyter_book.cli.main import main; main(prog_name='jupyter-book')"
    told = ["build", str(folder), "--path-output", str(build.parent), "--builder", kind, *every, *strict]
    ended = subprocess.run([sys.executable, "-c", run, *told], check=False).returncode
    if ended:
        raise MixedsimError(f"the workbook was not built (exit {ended}): what it stumbled on stands above.")
    if not draft:
        sound.touch()


def _print(page: Path, paper: Path) -> None:
    """A PDF by a browser of this machine, which waits until the formulas are set."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        click.echo("For a PDF, open it and print; with Chromium or Chrome on the path this command makes one itself.")
        return
    told = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--virtual-time-budget=120000"]
    with tempfile.TemporaryDirectory() as profile:
        told += ["--no-sandbox", f"--user-data-dir={profile}", f"--print-to-pdf={paper.resolve()}", page.as_uri()]
        ended = subprocess.run([browser, *told], check=False, capture_output=True).returncode
    if ended or not paper.is_file():
        raise MixedsimError(f"{browser} made no PDF (exit {ended}): open {page.as_uri()} and print it there.")
    click.echo(f"As a PDF:\n  {paper.resolve()}")
