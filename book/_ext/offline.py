"""Sphinx extension: a built page that asks the network for nothing.

Three things would: MathJax, which Sphinx takes from a content delivery network; the script of sphinx-thebe, which
Jupyter Book always loads and which knows where to fetch live code; and the scripts of Jupyter widgets. MathJax comes
as files from the package sphinx-mathjax-offline (its SVG output, which needs no fonts: browsers do not load fonts for
pages opened from disk); thebe's scripts are left out; for widgets the build stops, since a page on paper or on a
train cannot have them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

# tex-svg.js is all of MathJax that ordinary formulas need; the folder holds the TeX packages that it loads on demand.
MATHJAX_FILES = ("tex-svg.js", "input/tex/extensions")


def setup(app: Sphinx) -> dict[str, bool]:
    os.environ["TQDM_DISABLE"] = "1"  # for the kernels: a progress bar in a notebook is a widget
    app.connect("config-inited", use_local_mathjax)
    app.connect("doctree-read", say_where_formulas_are)
    app.connect("doctree-resolved", leave_out_settings_for_live_code, priority=900)
    app.connect("html-page-context", leave_out_remote_scripts, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def use_local_mathjax(app: Sphinx, config: Config) -> None:
    config.mathjax_path = "mathjax/tex-svg.js"
    settings: dict[str, Any] = dict(config.mathjax3_config or {})
    settings["options"] = {**settings.get("options", {}), "enableMenu": False}
    settings["svg"] = {"fontCache": "global"}
    config.mathjax3_config = settings


def say_where_formulas_are(app: Sphinx, doctree: nodes.document) -> None:
    """A page whose only formulas stand in what a cell shows needs MathJax as well."""
    if any('class="math"' in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.env.get_domain("math").data["has_equations"][app.env.docname] = True


def leave_out_settings_for_live_code(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for raw in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in raw.astext() or "kernelName" in raw.astext():
            raw.parent.remove(raw)


def leave_out_remote_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    kept = []
    for script in context.get("script_files", []):
        name, body = str(getattr(script, "filename", script) or ""), getattr(script, "attributes", {}).get("body", "")
        if "thebe" in name or "THEBE" in (body or ""):
            continue
        if name.startswith(("http:", "https:", "//")):
            raise ExtensionError(f"{pagename} would load {name}: a page must not need the network")
        kept.append(script)
    context["script_files"] = kept


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ExtensionError("MathJax is missing: pip install sphinx-mathjax-offline")
    source, target = Path(package.origin).parent / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX_FILES:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
