"""Sphinx extension: what a page's code gave is kept, as long as nothing changed that the code can see.

jupyter-cache compares the code cells of a page alone. A cell's result hangs on more: the package, the libraries below
it, the files beside the pages. So all of those are hashed, and each hash has a cache folder of its own: change a line
of the package, and every page is read and executed again. ``make clean``, or ``mixedsim book --fresh``, forgets all.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import platform
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

PACKAGE = "mixedsim"
# Whatever computes or draws in a page; a new version may give another last digit.
BELOW = ("numpy", "scipy", "pandas", "formulaic", "matplotlib", "seaborn", "plotly", "ipython", "ipykernel", "myst-nb")
# Files in the book's folder that no cell sees: text, looks, the extensions themselves.
UNSEEN = {".md", ".css", ".js", ".svg", ".bib", ".pyc"}
KEPT = 3  # hashes whose results stay, for going back and forth between two versions
ALWAYS = ("book/run-times",)  # pages about the other pages


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", choose_folder)
    app.connect("env-get-outdated", read_again)
    app.connect("build-finished", remove_what_left)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def choose_folder(app: Sphinx, config: Config) -> None:
    folder = Path(app.outdir).parent / ".jupyter_cache"
    config.nb_execution_cache_path = str(folder / seen_by_the_code(Path(app.srcdir)))
    older = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in older[KEPT:]:
        shutil.rmtree(path)


def read_again(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> Iterable[str]:
    """All pages where package or extensions changed; the pages about pages where anything did."""
    state = Path(app.config.nb_execution_cache_path).name + digest([Path(__file__).parent], suffixes={".py"})
    before, env.mixedsim_state = getattr(env, "mixedsim_state", state), state  # type: ignore[attr-defined]
    if before != state:
        return env.found_docs
    return [name for name in ALWAYS if name in env.found_docs] if added | changed | removed else []


def remove_what_left(app: Sphinx, exception: Exception | None) -> None:
    """Pages that the contents do not list any more, and their notebooks."""
    if exception is not None or app.builder.name != "html":
        return
    outdir = Path(app.outdir)
    for folder, ending in ((outdir, ".html"), (outdir / "_sources", ".ipynb"), (outdir / "_sources", ".md")):
        for path in (folder / "book").glob(f"*{ending}"):
            if f"book/{path.name.removesuffix(ending)}" not in app.env.found_docs:
                path.unlink()


def seen_by_the_code(book: Path) -> str:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ExtensionError(f"{PACKAGE} is not installed: pip install . in the project's folder")
    installed = {one.name: one.version for one in importlib.metadata.distributions()}
    versions = [platform.python_version(), *(f"{name} {installed.get(name)}" for name in BELOW)]
    beside = [path for path in (book / "book").glob("*") if path.name not in ("_ext", "__pycache__")]
    measured = digest(
        [book / "benchmarks" / "results"], suffixes={".csv", ".json", ".md"}
    )  # some pages quote long runs
    return digest([Path(spec.origin).parent, *beside], f"{' '.join(versions)} {measured}")[:16]


def digest(places: list[Path], text: str = "", suffixes: set[str] | None = None) -> str:
    """A hash of ``text`` and of all files in ``places``: their names and what they hold."""
    total = hashlib.sha256(text.encode())
    for path in sorted(files_in(places)):
        if path.suffix in suffixes if suffixes else path.suffix not in UNSEEN:
            total.update(path.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def files_in(places: list[Path]) -> Iterator[Path]:
    for place in places:
        yield from [place] if place.is_file() else (path for path in place.rglob("*") if path.is_file())
