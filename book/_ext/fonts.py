"""Sphinx extension: Matplotlib's search for fonts happens before the chapters run.

On a new machine Matplotlib looks for fonts when it is first used, and says so on stderr where that takes long. A
chapter that writes to stderr stops the build, so no chapter may be the first to use it.
"""

from __future__ import annotations

import importlib

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", find_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def find_fonts(app: Sphinx) -> None:
    importlib.import_module("matplotlib.font_manager")
