"""Sphinx extension: every page with code can be taken along, as a notebook that needs the package and nothing else.

The notebook lies in ``_sources`` beside the page's own text, behind the download button and behind a line under the
title. That line also links the data sets that the page loads, as tables. A page that talks about a data set without
loading it says ``{dataset}`sleepstudy` ``, which links the same table.
"""

from __future__ import annotations

import ast
import posixpath
import shutil
from importlib import resources
from pathlib import Path
from typing import Any, Final

import nbformat
from docutils import nodes
from hidden_cells import Cell, pruned
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from myst_parser.config.main import MdParserConfig
from page_markdown import Numbers, captions_in, is_solution, pieces
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.osutil import relative_uri

logger = logging.getLogger(__name__)

SOURCES: Final = "_sources"
TABLES: Final = "_static/data"
RUN: Final = (
    "*This notebook is a page of the workbook. It runs where `mixedsim` and Jupyter are installed; cells that the page "
    "folds are folded here too.*"
)
FOLDED: Final = {"jupyter": {"source_hidden": True}}
FOLDING: Final = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


class dataset_link(nodes.literal):
    """The name of a bundled data set; in HTML a link to its table."""


class DatasetRole(SphinxRole):
    """`` {dataset}`sleepstudy` ``: the name, and behind it the table as a file."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if self.text not in bundled():
            known = ", ".join(bundled())
            logger.warning("there is no data set %r; there are %s.", self.text, known, location=self.get_location())
            return [nodes.literal(self.text, self.text)], []
        return [dataset_link(self.text, self.text)], []


def bundled() -> dict[str, Path]:
    """Data sets of the package by name, with their files."""
    folder = Path(str(resources.files("mixedsim.datasets") / "data"))
    return {path.stem: path for path in sorted(folder.glob("*.csv"))}


def source_notebook(app: Sphinx, docname: str) -> Any:
    """The page as myst-nb reads it, before anything is executed; None for a page without code."""
    path = app.env.doc2path(docname)
    text = Path(path).read_text(encoding="utf-8")
    reader = create_nb_reader(path, MdParserConfig(), NbParserConfig(), text)
    notebook = reader.read(text) if reader is not None else None
    if notebook is None or not any(cell.cell_type == "code" for cell in notebook.cells):
        return None
    return notebook


def write_notebook(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.name != "html" or (source := source_notebook(app, docname)) is None:
        return
    numbered = app.env.toc_fignumbers.get(docname, {})

    def numbers(kind: str, name: str) -> str:
        return ".".join(map(str, numbered.get(kind, {}).get(name, ())))

    path = Path(app.outdir) / SOURCES / f"{docname}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(as_notebook(doctree, source, numbers), path)
    add_line(app, doctree, docname, used_data(source))


def as_notebook(doctree: nodes.document, source: Any, numbers: Numbers) -> Any:
    """Text from the resolved page, code from its source, hidden cells where they stood."""
    code = {place: cell for place, cell in enumerate(source.cells) if cell.cell_type == "code"}
    hidden = {place: "remove-cell" in cell.metadata.get("tags", []) for place, cell in code.items()}
    kept = dict(zip(code, pruned([Cell(cell.source, hidden[place]) for place, cell in code.items()]), strict=True))
    cells, waiting = [], [RUN]
    done = -1

    def flush() -> None:
        if waiting:
            cells.append(nbformat.v4.new_markdown_cell("\n\n".join(waiting)))
            waiting.clear()

    def add_code_until(last: int, *, folds: bool = False) -> None:
        nonlocal done
        for place in range(done + 1, last + 1):
            if kept.get(place):
                flush()
                folded = FOLDING & set(code[place].metadata.get("tags", []))
                cells.append(nbformat.v4.new_code_cell(kept[place], metadata=FOLDED if folded or folds else {}))
        done = last

    for piece in pieces(doctree, numbers):
        if isinstance(piece, str):
            waiting.append(piece)
        else:
            add_code_until(piece["cell_index"], folds=is_solution(piece))
            waiting += captions_in(piece, numbers)
    add_code_until(len(source.cells) - 1)
    flush()
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def used_data(source: Any) -> list[str]:
    """Names in `datasets.load("…")` of any cell, each once."""
    names: dict[str, None] = {}
    for cell in source.cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
            match node:
                case ast.Call(func=ast.Attribute(attr="load"), args=[ast.Constant(value=str(name)), *_]):
                    names[name] = None
    return [name for name in names if name in bundled()]


def add_line(app: Sphinx, doctree: nodes.document, docname: str, data: list[str]) -> None:
    """The line under the title: this page as a notebook, its data as tables."""
    title = doctree.next_node(nodes.title)
    if title is None:
        return
    links = [link(app, docname, f"{SOURCES}/{docname}.ipynb", "this page as a notebook")]
    links += [link(app, docname, f"{TABLES}/{name}.csv", f"{name}.csv") for name in data]
    line = nodes.raw("", f'<p class="page-files">Take along: {", ".join(links)}</p>', format="html")
    title.parent.insert(title.parent.index(title) + 1, line)


def link(app: Sphinx, docname: str, target: str, text: str) -> str:
    address = relative_uri(app.builder.get_target_uri(docname), target)
    return f'<a href="{address}" download="{posixpath.basename(target)}">{text}</a>'


def tell_theme(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    if (Path(app.outdir) / SOURCES / f"{pagename}.ipynb").is_file():
        context["ipynb_source"] = f"{pagename}.ipynb"


def copy_tables(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir) / TABLES
        target.mkdir(parents=True, exist_ok=True)
        for path in bundled().values():
            shutil.copyfile(path, target / path.name)


def visit_dataset(self: Any, node: dataset_link) -> None:
    docname = self.builder.current_docname
    self.body.append(link(self.builder.app, docname, f"{TABLES}/{node.astext()}.csv", f"<code>{node.astext()}</code>"))
    raise nodes.SkipNode


def visit_plain(self: Any, node: dataset_link) -> None:
    self.visit_literal(node)


def depart_plain(self: Any, node: dataset_link) -> None:
    self.depart_literal(node)


def setup(app: Sphinx) -> dict[str, bool]:
    plain = (visit_plain, depart_plain)
    app.add_node(dataset_link, html=(visit_dataset, depart_plain), latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_role("dataset", DatasetRole())
    app.connect("doctree-resolved", write_notebook, priority=950)
    app.connect("html-page-context", tell_theme, priority=400)
    app.connect("build-finished", copy_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
