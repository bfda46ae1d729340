"""``mixedsim book``: builds a real, small workbook."""

import importlib.util

import pytest
from click.testing import CliRunner

from mixedsim.cli import main


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "_config.yml").write_text("title: Tiny\nexecute:\n  execute_notebooks: 'off'\n", encoding="utf-8")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: intro\n", encoding="utf-8")
    (tmp_path / "intro.md").write_text("# Tiny\n\nOne page.\n", encoding="utf-8")
    return tmp_path


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["book", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_builds_the_pages_and_says_where_to_click(tiny, tmp_path_factory):
    output = tmp_path_factory.mktemp("out")
    said = run(tiny, "-o", output)
    page = output / "_build" / "html" / "intro.html"
    assert "One page." in page.read_text(encoding="utf-8")
    assert (output / "_build" / "html" / "index.html").resolve().as_uri() in said
    assert not (tiny / "_build").exists()


def test_a_warning_is_an_error_except_in_a_draft(tiny):
    (tiny / "intro.md").write_text("# Tiny\n\n{ref}`nowhere`\n", encoding="utf-8")
    said = run(tiny, code=1)
    assert "the workbook was not built (exit 1): what it stumbled on stands above." in said
    assert "The workbook is ready." in run(tiny, "--draft")


def test_a_folder_without_a_workbook(tmp_path):
    said = run(tmp_path, code=1)
    assert f"Error: {tmp_path.resolve()} holds no workbook (_config.yml and _toc.yml missing): " in said


def test_without_jupyter_book(tiny, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jupyter_book" else found(name))
    assert 'needs Jupyter Book: pip install "mixedsim[book]".' in run(tiny, code=1)
