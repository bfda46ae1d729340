"""The gallery shows every picture of the package, each with the three lines that make it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import mixedsim as ms

GALLERY = Path(__file__).parents[2] / "book" / "gallery.md"
TEXT = GALLERY.read_text(encoding="utf-8")
CELL = re.compile(r"^```\{code-cell\}\n(?:---\n(.*?)\n---\n)?(.*?)^```", re.MULTILINE | re.DOTALL)
CELLS = [(options or "", code.strip().split("\n")) for options, code in CELL.findall(TEXT)]
DRAWING = [(options, lines) for options, lines in CELLS if lines[-1].startswith("ms.plot.")]


def functions(room: object) -> list[str]:
    return [name for name in room.__all__ if inspect.isfunction(getattr(room, name))]


@pytest.mark.parametrize("name", functions(ms.plot))
def test_every_picture_has_a_cell_that_draws_it(name: str) -> None:
    drawn = [lines for _, lines in DRAWING if lines[-1].startswith(f"ms.plot.{name}(")]
    assert len(drawn) == 1, f"give ms.plot.{name} its entry in book/gallery.md"


@pytest.mark.parametrize("name", functions(ms.explore))
def test_every_explorer_stands_in_a_chapter_and_the_gallery_says_where(name: str) -> None:
    shown = [
        page.name for page in (GALLERY.parent).glob("[0-2]*.md") if f"ms.explore.{name}(" in page.read_text("utf-8")
    ]
    assert len(shown) == 1
    assert f"`ms.explore.{name}()`" in TEXT


def test_three_lines_make_each_picture_and_fit_the_page() -> None:
    assert [lines for _, lines in DRAWING if len(lines) > 3 or max(map(len, lines)) > 75] == []


def test_each_picture_has_alt_text_a_caption_and_a_name_of_its_own() -> None:
    names = []
    pattern = re.compile(
        r"^    alt: \w[^\n]{30,}\.$.*^    name: ([\w-]+)$.*^    caption: \|\n      \S[^\n]{20,}",
        re.MULTILINE | re.DOTALL,
    )
    for options, lines in DRAWING:
        found = pattern.search(options)
        assert found, lines[-1]
        names.append(found[1])
    assert len(set(names)) == len(names)
