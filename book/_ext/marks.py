"""Sphinx extension: marks that a reader finds again on every page.

- Boxes get a look by their title: "Claim on trial", "Verdict", "Key points", and the folded "In symbols" that hold
  the formulas of a section for those who come to them second.
- The stars of an exercise are read aloud as its level.
- ``{path}`pictures` `` and ``{path}`equations` `` say which of the two ways through a chapter a section belongs to.
"""

from __future__ import annotations

import re
from typing import Any, Final

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.writers.html5 import HTML5Translator
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node

logger = logging.getLogger(__name__)

BOXES: Final = {
    re.compile(r"claim on trial", re.IGNORECASE): "claim",
    re.compile(r"verdict", re.IGNORECASE): "verdict",
    re.compile(r"key points", re.IGNORECASE): "key-points",
    re.compile(r"(the same )?in symbols", re.IGNORECASE): "in-symbols",
}
PATHS: Final = {"pictures": "Picture first", "equations": "Equation first"}
STARS: Final = re.compile("(★+)")


class stars(nodes.inline):
    """One to three stars of an exercise."""


class PathRole(SphinxRole):
    """``pictures`` or ``equations``, as a small sign before a paragraph."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if self.text not in PATHS:
            logger.warning("{path} is `pictures` or `equations`, not `%s`.", self.text, location=self.get_location())
            return [], []
        return [nodes.inline(self.text, PATHS[self.text], classes=["path", f"path-{self.text}"])], []


def name_boxes(app: Sphinx, doctree: nodes.document) -> None:
    for box in doctree.findall(nodes.admonition):
        title = box.next_node(nodes.title)
        if title is not None:
            box["classes"] += [name for start, name in BOXES.items() if start.match(title.astext())]


def say_levels(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for exercise in doctree.findall(lambda node: isinstance(node, (exercise_node, exercise_enumerable_node))):
        title = next(iter(exercise.findall(nodes.title)), None)
        for text in list(title.findall(nodes.Text)) if title is not None else []:
            if not STARS.search(text):
                continue
            parts = [stars("", part) if STARS.fullmatch(part) else nodes.Text(part) for part in STARS.split(text)]
            text.parent.replace(text, parts)


def visit_stars(self: HTML5Translator, node: stars) -> None:
    level = f"level {len(node.astext())} of 3"
    self.body.append(f'<span class="stars" role="img" aria-label="{level}" title="{level}">')


def depart_stars(self: HTML5Translator, node: stars) -> None:
    self.body.append("</span>")


def nothing(self: Any, node: nodes.Node) -> None:
    """Elsewhere stars are stars."""


def setup(app: Sphinx) -> dict[str, bool]:
    plain = (nothing, nothing)
    app.add_node(stars, html=(visit_stars, depart_stars), latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_role("path", PathRole())
    app.connect("doctree-read", name_boxes)
    app.connect("doctree-resolved", say_levels, priority=900)
    app.add_js_file("symbols.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
