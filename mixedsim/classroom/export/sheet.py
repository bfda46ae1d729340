"""What an exercise's source says, without what is only for a notebook: the story, the questions, names of tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jupytext

from mixedsim.classroom.export.markup import code, html
from mixedsim.classroom.marking import Assignment
from mixedsim.errors import MixedsimError

# A sentence before the first question that says one of these is about the notebook, or about digits, which each
# question says for itself; and so is one behind it that goes on in this way.
_OF_NOTEBOOKS: Final = re.compile(
    r"grader\.check|student id|notebook|three dots|significant digits|drawn from your id", re.IGNORECASE
)
_GOES_ON: Final = re.compile(r"(It|They|More)\b")
_SENTENCES: Final = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*`])")
_DRAWN: Final = re.compile(r"(?m)^(\w+) = ms\.classroom\.data\(([^()]*)\)")
_PART: Final = re.compile(r"part=[\"']([\w-]+)[\"']")
_LOOKS: Final = re.compile(r"^(import .*|from .* import .*|\w+(\.(head|tail|info|describe)\(\d*\))?;?)$")


@dataclass(frozen=True)
class Asked:
    """One question's text.

    Attributes
    ----------
    heading : as in "Question 1: how much lies between tutors?".
    body : its text and given code, as HTML; not the answer.
    """

    heading: str
    body: str


@dataclass(frozen=True)
class Sheet:
    """A source's texts.

    Attributes
    ----------
    story : what stands before the first question, as HTML.
    asked : question ("q1") -> its text.
    tables : part (None for the main data) -> the variable that the text calls it by.
    """

    story: str
    asked: Mapping[str, Asked]
    tables: Mapping[str | None, str]

    def so_far(self, question: str) -> str:
        """The questions before this one, as HTML: a question may go on from them. ``""`` for the first."""
        before = list(self.asked)[: list(self.asked).index(question)]
        return "".join(f"<h4>{self.asked[name].heading}</h4>\n{self.asked[name].body}" for name in before)


def read_sheet(source: Path, key: Assignment) -> Sheet:
    """The texts of an exercise's source, a file of MyST Markdown.

    Raises
    ------
    MixedsimError
        If the source cannot be read, its questions are not the key's, or a text of it can be shown by the book only.
    """
    try:
        cells = jupytext.read(source, fmt="md:myst").cells
    except OSError as error:
        raise MixedsimError(f"cannot read {str(source)!r}: {error.strerror}.") from None
    try:
        return _read(cells, key)
    except MixedsimError as error:
        raise MixedsimError(f"{source.name}: {error}") from None


def _read(cells: Sequence[Mapping[str, Any]], key: Assignment) -> Sheet:
    story: list[str] = []
    asked: dict[str, Asked] = {}
    tables: dict[str | None, str] = {}
    section, heading, body = "story", "", story
    for kind, text in _pieces(cells):
        if kind == "code":
            tables.update(_drawn(text))
            body.append(_given(text))
            continue
        if text.startswith("## ") and (asked or section != "story" or text.startswith("## Question ")):
            _keep(asked, section, heading, body)
            heading, _, text = text.removeprefix("## ").partition("\n")
            numbered = re.match(r"Question (\d+)\b", heading)
            section, body = (f"q{numbered[1]}" if numbered else ""), []
        body.append(html(_without_notebook(text) if section == "story" else text))
    _keep(asked, section, heading, body)
    if list(asked) != list(key.points):
        raise MixedsimError(f"the source asks {', '.join(asked)}, its key {', '.join(key.points)}.")
    return Sheet("".join(story), asked, tables)


def _keep(asked: dict[str, Asked], section: str, heading: str, body: list[str]) -> None:
    """A section is a question, or it is the story, or what is said at the end, which is about handing in."""
    if section not in ("story", ""):
        asked[section] = Asked(html(heading).removeprefix("<p>").removesuffix("</p>\n"), "".join(body))


def _pieces(cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Kind and text of each cell; text is cut before each heading of the second rank."""
    pieces = []
    for cell in cells:
        text = "".join(cell["source"])
        cut = re.split(r"(?m)^(?=## )", text) if cell["cell_type"] == "markdown" else [text]
        pieces += [(str(cell["cell_type"]), piece.strip()) for piece in cut if piece.strip()]
    return pieces


def _without_notebook(text: str) -> str:
    """What makes sense outside a notebook, without the title."""
    paragraphs = [one for one in re.split(r"\n\s*\n", text) if not one.startswith("# ")]
    return "\n\n".join(_kept(one) if _OF_NOTEBOOKS.search(one) else one for one in paragraphs)


def _kept(paragraph: str) -> str:
    """The sentences of a paragraph that are not about the notebook."""
    kept, dropped = [], False
    for sentence in _SENTENCES.split(paragraph):
        dropped = bool(_OF_NOTEBOOKS.search(sentence)) or (dropped and bool(_GOES_ON.match(sentence)))
        if not dropped:
            kept.append(sentence)
    return " ".join(kept)


def _drawn(source: str) -> dict[str | None, str]:
    """The tables that a cell draws: part -> variable."""
    found: dict[str | None, str] = {}
    for variable, arguments in _DRAWN.findall(source):
        part = _PART.search(arguments)
        found[part[1] if part else None] = variable
    return found


def _given(source: str) -> str:
    """A cell's code as HTML, unless it holds the answer, draws the data, or only looks at them."""
    lines = [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
    if "SOLUTION" in source or _DRAWN.search(source) or all(_LOOKS.match(line.strip()) for line in lines):
        return ""
    return code(source)
