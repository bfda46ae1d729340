"""Sphinx extension: pages with explorers share one copy of plotly's script, which lies beside them.

plotly.min.js is 5 MB. It comes from the plotly that is installed, stands once in the built workbook, and is loaded by
those pages alone that have an explorer; outputs of cells hold the explorers without it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from mixedsim.explore.explorer import SHARED
from mixedsim.explore.fragment import asset
from mixedsim.explore.library import plotly_script

PLOTLY, EXPLORER = "explorers/plotly.min.js", "explorers/explorer.js"


def setup(app: Sphinx) -> dict[str, bool]:
    os.environ[SHARED] = "page"  # for the kernels that execute the chapters
    app.connect("html-page-context", load_scripts)
    app.connect("build-finished", write_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def has_explorer(doctree: nodes.document | None) -> bool:
    return doctree is not None and any("mixedsim-explorer" in raw.astext() for raw in doctree.findall(nodes.raw))


def load_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if has_explorer(doctree):
        for name in (PLOTLY, EXPLORER):  # deferred scripts run in this order, when the page has been read
            app.add_js_file(name, loading_method="defer")


def write_scripts(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for name, text in ((PLOTLY, plotly_script()), (EXPLORER, asset("explorer.js"))):
        (static / name).parent.mkdir(parents=True, exist_ok=True)
        (static / name).write_text(text, encoding="utf-8")
