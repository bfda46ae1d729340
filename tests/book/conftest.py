"""The built workbook, parsed once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup


@pytest.fixture(scope="package")
def html() -> Path:
    """The folder of the built workbook."""
    folder = Path(__file__).parents[2] / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.skip("the workbook is not built: `make book` builds it")
    return folder


@pytest.fixture(scope="package")
def pages(html: Path) -> dict[str, BeautifulSoup]:
    """Every page of the workbook by its path."""
    return {
        page.relative_to(html).as_posix(): BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for page in sorted(html.rglob("*.html"))
        if "_static" not in page.parts
    }
