"""A page taken along as a notebook: it needs the package and what that brings, and every cell of it runs."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
# What imports beside the package and Python itself: the names under which its seven dependencies are imported, and
# IPython, which every notebook has.
BROUGHT = {"mixedsim", "numpy", "scipy", "pandas", "formulaic", "threadpoolctl", "matplotlib", "seaborn", "IPython"}
# The extras of the package that a page may talk about; its text says so.
EXTRAS = {"yaml", "dask", "pyarrow", "arviz_stats", "tqdm", "click"}


@pytest.fixture(scope="module")
def notebooks(html: Path) -> dict[str, Any]:
    found = sorted((html / "_sources").rglob("*.ipynb"))
    assert found, "no page was written as a notebook"
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in found}


def code(notebook: Any) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text(notebook: Any) -> str:
    return "\n\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def test_a_notebook_imports_only_what_the_package_brings(notebooks: dict[str, Any]) -> None:
    imported = set()
    for notebook in notebooks.values():
        for node in ast.walk(ast.parse("\n".join(code(notebook)))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    assert imported - set(sys.stdlib_module_names) <= BROUGHT | EXTRAS
    assert "mixedsim" in imported


def test_the_dependencies_are_still_those(notebooks: dict[str, Any]) -> None:
    required = {re.split(r"[^\w-]", line)[0] for line in metadata.requires("mixedsim") or [] if "extra ==" not in line}
    assert required == BROUGHT - {"mixedsim", "IPython"}


def test_no_word_of_sphinx_is_left_in_a_notebook(notebooks: dict[str, Any]) -> None:
    roles = {
        (name, found.group())
        for name, notebook in notebooks.items()
        for found in re.finditer(r"\{[a-z:]+\}`|^(?:```|:::)\{", text(notebook), re.MULTILINE)
    }
    assert roles == set()


def test_every_page_with_code_links_its_notebook_and_its_data(html: Path, pages: dict[str, BeautifulSoup]) -> None:
    for name, page in pages.items():
        if not (html / "_sources" / name).with_suffix(".ipynb").is_file():
            continue
        links = [str(link["href"]) for link in page.select("p.page-files a[download]")]
        assert links, name
        assert all((html / name).parent.joinpath(link).resolve().is_file() for link in links), name


def test_a_notebook_reads_no_file_of_the_book(notebooks: dict[str, Any]) -> None:
    looked = re.compile(r"""["'](?:\.\./|rosetta/|images/|_static/)""")
    assert [name for name, notebook in notebooks.items() if looked.search("\n".join(code(notebook)))] == []


@pytest.mark.parametrize("name", ["intro"])
def test_a_notebook_runs_outside_of_the_book(notebooks: dict[str, Any], name: str, tmp_path: Path) -> None:
    """As Python runs it, one cell after the other, in an empty folder, where nothing of the book can be imported."""
    script = tmp_path / "page.py"
    block = "import sys\nfor name in ('myst_nb', 'jupyter_book'):\n    sys.modules[name] = None\n"
    script.write_text(block + "\n".join(code(notebooks[name])), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    command = [sys.executable, str(script)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
