"""What holds for every built page: figures say what they show, computed numbers read as numbers."""

from __future__ import annotations

import re
from pathlib import Path

from bs4 import BeautifulSoup

FILE_PATH = re.compile(r"[/\\]|\.(?:png|svg|jpe?g|gif|webp)$", re.IGNORECASE)


def test_every_picture_has_alt_text_that_is_not_a_file_path(pages: dict[str, BeautifulSoup]) -> None:
    without = [
        (name, image.get("src"), alt)
        for name, page in pages.items()
        for image in page.find_all("img")
        if not (alt := str(image.get("alt") or "").strip()) or FILE_PATH.search(alt)
    ]
    assert without == [], "give the cell `mystnb: image: alt:`, see book/README.md"


def test_every_figure_of_a_chapter_has_a_caption(pages: dict[str, BeautifulSoup]) -> None:
    without = [
        (name, figure.get("id"))
        for name, page in pages.items()
        for figure in page.select("article figure")
        if not figure.select_one("figcaption")
    ]
    assert without == []


def test_no_glued_number_is_missing_or_shows_its_python_type(pages: dict[str, BeautifulSoup]) -> None:
    odd = re.compile(r"np\.\w+\(|^\s*$|^['\"]")
    pasted = {
        (name, number.get_text())
        for name, page in pages.items()
        for number in page.select(".pasted-text, .pasted-inline")
        if not number.find("img")
    }
    assert {(name, text) for name, text in pasted if odd.search(text)} == set()


def test_every_page_with_code_was_executed(html: Path, pages: dict[str, BeautifulSoup]) -> None:
    """The page of run times lists each of them."""
    sources = {name: html / "_sources" / f"{name.removesuffix('.html')}.md" for name in pages}
    coded = {
        Path(name).name
        for name, source in sources.items()
        if source.is_file() and "```{code-cell}" in source.read_text(encoding="utf-8")
    }
    listed = {str(link["href"]) for link in pages["book/run-times.html"].select("article table a[href]")}
    assert coded == {href.split("#")[0] for href in listed}
    assert coded
