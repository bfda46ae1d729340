"""Finding and reading what was handed in."""

import json
import stat
import sys
import time
import zipfile

import pytest

from mixedsim.classroom.desk import submissions
from mixedsim.classroom.desk.submissions import Unreadable, find
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
        (b'{"cells": ' + b"1" * 5000 + b"}", "a number has thousands of digits"),
        (b'{"cells": [' + b'{"cell_type":"code","source":""},' * 100_000 + b"1]}", "a cell has no type"),
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


def test_a_sparse_file_of_200_mb_is_refused_by_its_size(tmp_path):
    with open(tmp_path / "x.ipynb", "wb") as file:
        file.truncate(200_000_000)
    started = time.monotonic()
    with pytest.raises(Unreadable, match=r"^the notebook has 200 MB; at most 20 MB are read$"):
        find(tmp_path)[0].read()
    assert time.monotonic() - started < 0.5


def test_a_hundred_thousand_cells_are_too_many(tmp_path):
    cells = [{"cell_type": "code", "source": "1"}] * 100_000
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": cells}))
    with pytest.raises(Unreadable, match=r"^the notebook has 100000 cells; at most 2000 are executed$"):
        find(tmp_path)[0].read()


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}}, "R"),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"name": "ir"}}, "R"),
        ({"kernelspec": {"name": "julia-1.10"}}, "Julia"),
    ],
)
def test_another_language_is_refused_in_one_sentence(tmp_path, metadata, language):
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": [], "metadata": metadata}))
    with pytest.raises(Unreadable) as caught:
        find(tmp_path)[0].read()
    assert str(caught.value) == f"the notebook's language is {language!r}; only Python is graded"


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "my-course", "display_name": "Python 3", "language": "python"}},
        {"kernelspec": {"name": "my-course"}},
        {"kernelspec": "python3", "language_info": 3},
        {"language_info": {"name": "ipython"}},
        None,
    ],
)
def test_python_under_any_name_is_read(tmp_path, metadata):
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": [], "metadata": metadata}))
    assert find(tmp_path)[0].read()["metadata"] == metadata


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
@pytest.mark.parametrize("name", ["x.ipynb", "x.zip"])
def test_a_link_is_not_followed(tmp_path, name):
    """It might lead to somebody else's notebook, or to the solution."""
    (tmp_path / "others").mkdir()
    (tmp_path / "mine").mkdir()
    target = tmp_path / "others" / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("solution.ipynb", NOTEBOOK)
    else:
        target.write_text(NOTEBOOK)
    (tmp_path / "mine" / name).symlink_to(target)
    (one,) = find(tmp_path / "mine")
    with pytest.raises(Unreadable, match=r"^a link to a file, not the file itself$"):
        one.read()
    assert find(tmp_path / "mine" / name)[0].read() == json.loads(NOTEBOOK)  # whoever names it wants it


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    link = zipfile.ZipInfo("x.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Unreadable, match=r"^a link to a file, not the file itself$"):
        find(tmp_path)[0].read()


def test_names_that_leave_the_archive_are_only_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("../../escaped.ipynb", NOTEBOOK)
        archive.writestr("/absolute.ipynb", NOTEBOOK)
    before = sorted(tmp_path.parent.rglob("*"))
    assert [one.read()["nbformat"] for one in find(tmp_path) if one.member] == [4] * len(find(tmp_path))
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_zip_bomb_is_read_no_further_than_a_notebook_is_long(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.ipynb", "w") as file,
    ):
        for _ in range(100):
            file.write(b" " * 3_000_000)
    content = (tmp_path / "x.zip").read_bytes()
    assert len(content) < 1_000_000
    honest = (300_000_000).to_bytes(4, "little")
    assert content.count(honest) == 2
    (tmp_path / "liar.zip").write_bytes(content.replace(honest, (1000).to_bytes(4, "little")))
    liar, bomb = find(tmp_path)
    with pytest.raises(Unreadable, match=r"^the notebook has 300 MB; at most 20 MB are read$"):
        bomb.read()
    with pytest.raises(Unreadable):  # it ends where it said, which is no notebook
        liar.read()


def test_an_archive_of_very_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_MEMBERS", 10)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(11):
            archive.writestr(f"{number}.ipynb", NOTEBOOK)
    (one,) = find(tmp_path)
    with pytest.raises(Unreadable, match=r"^the archive has 11 files; at most 10 are read$"):
        one.read()


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing_is_refused_before_it_is_unpacked(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        archive.writestr("x.ipynb", NOTEBOOK)
    with pytest.raises(Unreadable, match="packed in an unusual way"):
        find(tmp_path)[0].read()


def test_a_damaged_archive_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.ipynb", NOTEBOOK * 50)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[40:60] = b"\xff" * 20
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(Unreadable, match="the file cannot be opened"):
        find(tmp_path)[0].read()
