"""Every link inside of the workbook leads to a page that is there, and to a place that is on it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup


def anchors(page: BeautifulSoup) -> set[str]:
    return {str(tag[key]) for key in ("id", "name") for tag in page.find_all(attrs={key: True})}


def test_no_link_inside_of_the_workbook_is_broken(html: Path, pages: dict[str, BeautifulSoup]) -> None:
    there = {(html / name).resolve(): anchors(page) for name, page in pages.items()}
    broken = set()
    for name, page in pages.items():
        for link in page.select("a[href]"):
            address = urlsplit(str(link["href"]))
            if address.scheme or address.netloc or not (address.path or address.fragment):
                continue
            target = (
                (html / name).parent.joinpath(unquote(address.path)).resolve()
                if address.path
                else (html / name).resolve()
            )
            place = unquote(address.fragment)
            if not target.is_file() or (place and target in there and place not in there[target]):
                broken.add((name, str(link["href"])))
    assert broken == set()


def test_no_reference_was_left_unresolved(pages: dict[str, BeautifulSoup]) -> None:
    """A role that Sphinx did not know, or a number that is missing, shows as text."""
    odd = re.compile(r"\{(?:numref|ref|doc|eq|cite|glue:\w+|term|dataset|path)\}|\(\?\)|Fig\. \?")
    left = {
        (name, found.group())
        for name, page in pages.items()
        for article in page.select("article")
        for shown in article.find_all(["p", "li", "td", "figcaption", "legend", "label"])
        for found in odd.finditer(
            "".join(str(t) for t in shown.find_all(string=True) if t.parent.name not in ("code", "span"))
        )
    }
    assert left == set()
