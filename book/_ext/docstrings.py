"""A docstring of the package in its parts: what you get, parameters, errors, notes, examples."""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass, field
from typing import Final

SECTIONS: Final = ("Parameters", "Returns", "Attributes", "Raises", "Notes", "Examples", "See Also")
HEADING: Final = re.compile(rf"^({'|'.join(SECTIONS)})\n-+\n", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A section: its paragraphs, or its entries with what is said of each."""

    title: str
    text: str

    def entries(self) -> list[tuple[str, str]]:
        """Lines at the margin, each with what is indented below it or stands after its colon."""
        told: list[tuple[str, str, list[str]]] = []
        for line in self.text.splitlines():
            if line[:1].strip():
                name, _, rest = line.partition(" : ")
                told.append((name.strip(), rest.strip(), []))
            elif told:
                told[-1][2].append(line)
        return [(name, f"{rest}\n{textwrap.dedent(chr(10).join(lines))}".strip()) for name, rest, lines in told]


@dataclass(frozen=True)
class Docstring:
    summary: str
    text: str
    parts: list[Part] = field(default_factory=list)


def read_docstring(thing: object) -> Docstring:
    told = inspect.getdoc(thing) or ""
    pieces = HEADING.split(told)
    before = pieces[0].strip()
    summary, _, text = before.partition("\n\n")
    parts = [Part(title, body.strip("\n")) for title, body in zip(pieces[1::2], pieces[2::2], strict=True)]
    return Docstring(" ".join(summary.split()), text.strip(), parts)


def paragraphs(text: str) -> list[str]:
    """Paragraphs, those that are indented as a whole being code or tables to keep as they are."""
    return [part.rstrip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def is_verbatim(paragraph: str) -> bool:
    """Code, or a table drawn with signs."""
    return paragraph.startswith("    ") or paragraph.lstrip().startswith((">>>", "==="))


def plain(paragraph: str) -> str:
    return textwrap.dedent(paragraph)
