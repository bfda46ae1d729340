"""Finding and reading what was handed in."""

import json
import zipfile

import pytest

from mixedsim.classroom import submissions
from mixedsim.classroom.submissions import Unreadable, find
from mixedsim.errors import MixedsimError

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": ["x = 1"]}], "metadata": {}, "nbformat": 4})


def test_notebooks_are_found_in_folders_and_archives(tmp_path):
    (tmp_path / "b.ipynb").write_text(NOTEBOOK)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.ipynb").write_text(NOTEBOOK)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "b-checkpoint.ipynb").write_text(NOTEBOOK)
    (tmp_path / "notes.txt").write_text("no notebook")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("anna/c.ipynb", NOTEBOOK)
        archive.writestr("anna/.OTTER_LOG", "log")
        archive.writestr("ben/D.IPYNB", NOTEBOOK)
        archive.writestr("__MACOSX/anna/c.ipynb", "resource fork")
    found = find(tmp_path)
    assert [one.name for one in found] == ["all.zip/anna/c.ipynb", "all.zip/ben/D.IPYNB", "b.ipynb", "deep/er/a.ipynb"]
    assert all(one.read() == json.loads(NOTEBOOK) for one in found)


def test_a_single_file_is_a_submission(tmp_path):
    path = tmp_path / "b.ipynb"
    path.write_text(NOTEBOOK)
    assert [one.name for one in find(path)] == ["b.ipynb"]


def test_nothing_handed_in_is_said_in_one_sentence(tmp_path):
    with pytest.raises(MixedsimError, match="holds no notebook"):
        find(tmp_path)
    with pytest.raises(MixedsimError, match="there is no file or folder"):
        find(tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b'{"cells": [\n{,', "broken JSON in line 2"),
        (b"\xff\xfe\x00", "not text"),
        (b"[1, 2]", "no list of cells"),
        (b'{"worksheets": []}', "no list of cells"),
        (b'{"cells": [1]}', "a cell has no type or no source"),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "a cell has no type or no source"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook_says_why(tmp_path, content, says):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=says):
        find(path)[0].read()


@pytest.mark.parametrize("content", [b"PK but not really", None])
def test_an_archive_without_notebooks_is_one_unreadable_submission(tmp_path, content):
    path = tmp_path / "x.zip"
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
    else:
        path.write_bytes(content)
    (one,) = find(path)
    with pytest.raises(Unreadable, match="not a zip archive, or one without a notebook"):
        one.read()


def test_a_byte_order_mark_is_no_obstacle(tmp_path):
    path = tmp_path / "x.ipynb"
    path.write_text(NOTEBOOK, encoding="utf-8-sig")
    assert find(path)[0].read() == json.loads(NOTEBOOK)


def test_an_archive_within_an_archive_is_not_lost(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.ipynb", NOTEBOOK)
        archive.writestr("late/inner.zip", b"PK")
    notebook, inner = find(tmp_path)
    assert (notebook.name, inner.name) == ("x.zip/a.ipynb", "x.zip/late/inner.zip")
    with pytest.raises(Unreadable, match="an archive within an archive"):
        inner.read()


@pytest.mark.parametrize("zipped", [False, True])
def test_a_huge_notebook_is_not_read(tmp_path, zipped, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST_NOTEBOOK", 1000)
    path = tmp_path / ("x.zip" if zipped else "x.ipynb")
    if zipped:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.ipynb", " " * 2_000_000)
    else:
        path.write_text(" " * 2_000_000)
    with pytest.raises(Unreadable, match="2 MB"):
        find(path)[0].read()
