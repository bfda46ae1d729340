"""A built page asks the network for nothing: a reader on a train sees everything.

Links that a reader may click (`<a href>`) are fine; whatever the browser would load by itself has to be a file of the
workbook, and it has to be there.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

LOADED = {
    "script": ["src"],
    "link": ["href"],
    "img": ["src", "srcset"],
    "source": ["src", "srcset"],
    "iframe": ["src"],
    "embed": ["src"],
    "object": ["data"],
    "video": ["src", "poster"],
    "audio": ["src"],
    "track": ["src"],
    "input": ["src"],
    "use": ["href", "xlink:href"],
    "image": ["href", "xlink:href"],
}
ELSEWHERE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
# `url(//host/…)` or `@import "https://host/…"`; data: and file names do not match.
IN_STYLE = re.compile(r"""(?:url\(\s*|@import\s+)["']?\s*((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
# What a script would fetch on its own: an import, a fetch or a worker with a literal address.
IN_SCRIPT = re.compile(
    r"""(?:import\s*\(?|from|fetch\(|importScripts\(|new\s+Worker\()\s*["'`]((?:https?:)?//[^"'`]+)"""
)
# Scripts that leave their address to a later click or an option that is off here.
REMOTE_LOADERS = ("unpkg.com/thebe", "require.min.js", "html-manager", "cdn.jsdelivr.net/npm/mathjax")


def loaded_by(page: BeautifulSoup) -> list[str]:
    """Every address that a browser loads with the page."""
    addresses = []
    for tag in page.find_all(list(LOADED)):
        if isinstance(tag, Tag) and not (tag.name == "link" and "canonical" in (tag.get("rel") or [])):
            for attribute in LOADED[tag.name]:
                value = str(tag.get(attribute) or "")
                several = [part.split()[0] for part in value.split(",") if part.strip()]
                addresses += several if attribute == "srcset" else [value]
    return [address for address in addresses if address]


def styles_of(page: BeautifulSoup) -> str:
    inline = [str(tag["style"]) for tag in page.find_all(style=True)]
    return "\n".join(inline + [style.get_text() for style in page.find_all("style")])


def test_no_page_loads_anything_from_elsewhere(pages: dict[str, BeautifulSoup]) -> None:
    remote = {name: list(filter(ELSEWHERE.match, loaded_by(page))) for name, page in pages.items()}
    assert {name: addresses for name, addresses in remote.items() if addresses} == {}


def test_no_style_loads_anything_from_elsewhere(html: Path, pages: dict[str, BeautifulSoup]) -> None:
    styles = {name: styles_of(page) for name, page in pages.items()}
    styles |= {sheet.name: sheet.read_text(encoding="utf-8") for sheet in html.rglob("*.css")}
    remote = {name: IN_STYLE.findall(style) for name, style in styles.items()}
    assert {name: addresses for name, addresses in remote.items() if addresses} == {}


def test_no_script_fetches_anything_from_elsewhere(html: Path, pages: dict[str, BeautifulSoup]) -> None:
    scripts = {
        f"{name} {position}": script.get_text()
        for name, page in pages.items()
        for position, script in enumerate(page.find_all("script", src=False))
    }
    loaded = {
        (html / name).parent.joinpath(unquote(urlsplit(address).path)).resolve()
        for name, page in pages.items()
        for address in loaded_by(page)
        if urlsplit(address).path.endswith(".js") and not ELSEWHERE.match(address)
    }
    scripts |= {path.name: path.read_text(encoding="utf-8") for path in loaded}
    remote = {
        name: IN_SCRIPT.findall(text) + [loader for loader in REMOTE_LOADERS if loader in text]
        for name, text in scripts.items()
    }
    assert {name: addresses for name, addresses in remote.items() if addresses} == {}


def test_every_file_that_a_page_loads_is_there(html: Path, pages: dict[str, BeautifulSoup]) -> None:
    missing = {
        (name, address)
        for name, page in pages.items()
        for address in loaded_by(page)
        if not address.startswith(("data:", "#")) and not ELSEWHERE.match(address)
        if not (html / name).parent.joinpath(unquote(urlsplit(address).path)).is_file()
    }
    assert missing == set()


def test_every_page_with_a_formula_loads_the_bundled_mathjax(pages: dict[str, BeautifulSoup]) -> None:
    with_formulas = {name: page for name, page in pages.items() if page.select(".math")}
    assert with_formulas, "no page has a formula: nothing was tested"
    for name, page in with_formulas.items():
        assert any("_static/mathjax/" in address for address in loaded_by(page)), name


def test_no_button_leads_to_a_cloud_service(pages: dict[str, BeautifulSoup]) -> None:
    launchers = re.compile(r"binder|colab|jupyterhub|deepnote", re.IGNORECASE)
    for name, page in pages.items():
        buttons = [str(link.get("href")) for link in page.select(".article-header-buttons a[href]")]
        assert not any(launchers.search(href) for href in buttons), name
