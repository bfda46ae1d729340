"""Sphinx extension: the whole workbook on one page, for paper (``mixedsim book --print``).

Sphinx asks a builder's own visitors first, and the format's only where there are none. One extension registers a few
for ``singlehtml``, which hides those that all others register for ``html``; here they come together. And the builder
names its page as the first page of the workbook, in a folder, while the page looks for its files beside itself; so the
page moves up.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ONE_PAGE = "singlehtml"
NAME = "mixedsim.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", join_visitors, priority=900)
    app.connect("builder-inited", make_room)
    app.connect("env-updated", expect_formulas)
    app.connect("build-finished", move_up)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def join_visitors(app: Sphinx, config: object) -> None:
    handlers = app.registry.translation_handlers
    handlers[ONE_PAGE] = {**handlers.get("html", {}), **handlers.get(ONE_PAGE, {})}


def make_room(app: Sphinx) -> None:
    """The theme copies logos into a folder that this builder makes only later."""
    if app.builder.name == ONE_PAGE:
        (Path(app.outdir) / "_static").mkdir(parents=True, exist_ok=True)


def expect_formulas(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Formulas of any page are formulas of the one page."""
    if app.builder.name == ONE_PAGE:
        env.get_domain("math").data["has_equations"][env.config.root_doc] = True
    return []


def move_up(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.name != ONE_PAGE:
        return
    outdir, root = Path(app.outdir), app.config.root_doc
    page = outdir / f"{root}.html"
    text = page.read_text(encoding="utf-8").replace(f'href="{root}.html', 'href="')
    (outdir / NAME).write_text(text, encoding="utf-8")
    page.unlink()
