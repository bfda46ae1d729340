"""Sphinx extension: the directive ``{api}``, the package's reference made from its docstrings.

``{api} functions`` writes an entry for every public function: how it is called, what it gives back, parameters, errors,
sources and an example. The groups are below. An entry has the anchor ``api-name``; a name in backticks that has an
entry links to it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from docstrings import Part, is_verbatim, paragraphs, plain, read_docstring
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

import mixedsim as ms

CODE: Final = re.compile(r"(``.+?``|`[^`]+`)")
FITS: Final = (ms.LinearMixedModel, ms.GeneralizedLinearMixedModel, ms.CumulativeLinkMixedModel)


@dataclass(frozen=True)
class Entry:
    """One name: how a reader types it, and the thing itself."""

    shown: str
    thing: Any

    @property
    def anchor(self) -> str:
        return "api-" + re.sub(r"[^\w]+", "-", self.shown.removeprefix("ms.")).lower()


def public(owner: Any) -> list[str]:
    return sorted((name for name in dir(owner) if not name.startswith("_")), key=str.casefold)


def functions() -> Iterator[Entry]:
    for name in sorted(ms.__all__, key=str.casefold):
        thing = getattr(ms, name)
        if inspect.isfunction(thing):
            yield Entry(f"ms.{name}", thing)
        if name == "study":
            yield Entry("ms.study", type(thing).__call__)
            yield from (Entry(f"ms.study.{verb}", getattr(thing, verb)) for verb in ("draw", "fit", "summarise"))


def members(owner: Any, prefix: str, without: Iterable[str] = ()) -> Iterator[Entry]:
    for name in public(owner):
        thing = inspect.getattr_static(owner, name)
        thing = getattr(thing, "__func__", getattr(thing, "func", thing))  # classmethods; cached properties
        if name not in without and inspect.getdoc(thing) and not inspect.isclass(thing):
            yield Entry(f"{prefix}.{name}", thing)


def fits() -> Iterator[Entry]:
    yield from members(FITS[0], "fit")


def other_fits() -> Iterator[Entry]:
    known = set(public(FITS[0]))
    seen: set[str] = set()
    for owner in FITS[1:]:
        for entry in members(owner, "fit", without=known | seen):
            seen.add(entry.shown.removeprefix("fit."))
            yield entry


def is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Exception)


def classes() -> Iterator[Entry]:
    for name in sorted(ms.__all__, key=str.casefold):
        thing = getattr(ms, name)
        if inspect.isclass(thing) and not is_error(thing):
            yield Entry(f"ms.{name}", thing)


def errors() -> Iterator[Entry]:
    return (Entry(f"ms.{name}", getattr(ms, name)) for name in sorted(ms.__all__) if is_error(getattr(ms, name)))


def room(module: Any, prefix: str) -> Iterator[Entry]:
    listed = getattr(module, "__all__", None) or public(module)
    for name in sorted(listed, key=str.casefold):
        thing = getattr(module, name)
        if inspect.isfunction(thing):
            yield Entry(f"{prefix}.{name}", thing)


GROUPS: Final = {
    "functions": functions,
    "fits": fits,
    "other-fits": other_fits,
    "population": lambda: members(ms.Population, "population"),
    "sample": lambda: (*members(ms.Sample, "sample"), *members(ms.Truth, "truth")),
    "study": lambda: members(ms.study.Study, "study"),
    "classes": classes,
    "errors": errors,
    "plot": lambda: room(ms.plot, "ms.plot"),
    "explore": lambda: room(ms.explore, "ms.explore"),
    "scenarios": lambda: room(ms.scenarios, "ms.scenarios"),
    "datasets": lambda: room(ms.datasets, "ms.datasets"),
    "classroom": lambda: room(ms.classroom, "ms.classroom"),
}


def entries() -> dict[str, str]:
    """Anchors of all entries by the names under which docstrings speak of them."""
    found = {}
    for group in GROUPS.values():
        for entry in group():
            bare = entry.shown.removeprefix("ms.")
            found |= dict.fromkeys((entry.shown, bare, f"mixedsim.{bare}"), entry.anchor)
    return found


class ApiDirective(SphinxDirective):
    required_arguments = 1
    known: ClassVar[dict[str, str]] = {}

    def run(self) -> list[nodes.Node]:
        group = self.arguments[0]
        if group not in GROUPS:
            raise self.error(f"api: {group!r} is no group; there are {', '.join(GROUPS)}.")
        if not self.known:
            self.known.update(entries())
        return [self._entry(entry) for entry in GROUPS[group]()]

    def _entry(self, entry: Entry) -> nodes.section:
        told = read_docstring(entry.thing)
        if not told.summary:
            raise ExtensionError(f"{entry.shown} has no docstring: every public name needs one")
        section = nodes.section(ids=[entry.anchor], names=[entry.anchor], classes=["api-entry"])
        section += nodes.title("", "", nodes.literal(entry.shown, entry.shown))
        if signature := signature_of(entry):
            section += nodes.literal_block(signature, signature, language="python", classes=["api-signature"])
        section += nodes.paragraph("", "", *self._inline(told.summary))
        section += self._paragraphs(told.text)
        for part in told.parts:
            section += nodes.rubric("", part.title)
            section += self._part(part)
        return section

    def _part(self, part: Part) -> list[nodes.Node]:
        if part.title in ("Parameters", "Attributes", "Raises", "Returns") and part.entries():
            listed = nodes.definition_list(classes=["api-parameters"])
            for name, said in part.entries():
                term = nodes.term("", "", nodes.literal(name, name))
                body = nodes.definition("", *self._paragraphs(said))
                listed += nodes.definition_list_item("", term, body)
            return [listed]
        return self._paragraphs(part.text)

    def _paragraphs(self, text: str) -> list[nodes.Node]:
        told: list[nodes.Node] = []
        for paragraph in paragraphs(text):
            if is_verbatim(paragraph):
                source = plain(paragraph)
                language = "pycon" if source.startswith(">>>") else "text"
                told.append(nodes.literal_block(source, source, language=language))
            else:
                told.append(nodes.paragraph("", "", *self._inline(" ".join(paragraph.split()))))
        return told

    def _inline(self, text: str) -> list[nodes.Node]:
        told: list[nodes.Node] = []
        for piece in CODE.split(text):
            bare = piece.strip("`")
            if piece.startswith("`"):
                code = nodes.literal(bare, bare)
                anchor = self.known.get(bare.removesuffix("()"))
                told.append(nodes.reference("", "", code, refid=anchor, internal=True) if anchor else code)
            elif piece:
                told.append(nodes.Text(piece))
        return told


def signature_of(entry: Entry) -> str:
    """How it is called, without types: those stand in words below."""
    if isinstance(entry.thing, property) or not callable(entry.thing) or is_error(entry.thing):
        return ""
    try:
        given = inspect.signature(entry.thing)
    except ValueError:  # a class whose arguments Python does not tell
        return ""
    kept = [one.replace(annotation=inspect.Parameter.empty) for one in given.parameters.values()]
    kept = [one for one in kept if one.name not in ("self", "cls") and not one.name.startswith("_")]
    parts = [str(one) for one in kept]
    by_keyword = [place for place, one in enumerate(kept) if one.kind is one.KEYWORD_ONLY]
    if by_keyword and not any(one.kind is one.VAR_POSITIONAL for one in kept):
        parts.insert(by_keyword[0], "*")
    shown = ", ".join(parts)
    if len(shown) < 70:
        return f"{entry.shown}({shown})"
    lines = "".join(f"    {part},\n" for part in parts)
    return f"{entry.shown}(\n{lines})"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("api", ApiDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
