"""What students of a course are given: complete, their own, and nothing that tells an answer or another's data."""

import io
import json
import os
import shutil
import zipfile

import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom.desk import course_handout
from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.course_handout import hand_out_course
from mixedsim.classroom.enrolment import KEY_FILE
from mixedsim.errors import MixedsimError
from tests.classroom.conftest import NAME

IDS = ["anna", "ben", "zoë-3", "carla"]


def given(course, folder, **settings):
    return list(hand_out_course(course, folder, **settings))


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copied(course, tmp_path):
    """The course, for tests that change it."""
    shutil.copytree(course.folder, tmp_path / "course")
    return Course.load(tmp_path / "course")


def test_everybody_gets_notebook_data_and_key(course, tmp_path, monkeypatch):
    done = given(course, tmp_path / "out")
    assert [(one.student, one.written, one.kept) for one in done] == [(student, 3, 0) for student in IDS]
    for student in IDS:
        folder = tmp_path / "out" / student
        assert sorted(contents(folder)) == [f"{NAME}.ipynb", f"data/{NAME}.csv", KEY_FILE]
        monkeypatch.chdir(folder)
        own = ms.classroom.data(NAME, student=student, course=course.mark)
        table = pd.read_csv(f"data/{NAME}.csv", dtype={"tutor": str})
        assert own["tutor"].astype(str).to_list() == table["tutor"].to_list()
        for column in ("hours", "boarding", "score"):
            assert (own[column].to_numpy() == table[column].to_numpy()).all()


def test_nothing_in_a_students_folder_tells_the_secret_or_anothers_key(course, tmp_path):
    given(course, tmp_path / "out", archives=True)
    keys = {student: key.hex().encode() for student, key in course.keys().items()}
    tables = {student: (tmp_path / "out" / student / "data" / f"{NAME}.csv").read_bytes() for student in IDS}
    assert len(set(tables.values())) == len(IDS)
    for student in IDS:
        files = contents(tmp_path / "out" / student)
        with zipfile.ZipFile(tmp_path / "out" / f"{student}.zip") as archive:
            packed = {name.removeprefix(f"{student}/"): archive.read(name) for name in archive.namelist()}
        assert packed == files
        together = b"\n".join(files.values())
        assert course.secret.encode() not in together
        assert [one for one in IDS if keys[one] in together] == [student]


def test_the_same_roster_makes_the_same_bytes(course, tmp_path):
    given(course, tmp_path / "one", archives=True)
    given(course, tmp_path / "two", archives=True)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_is_there_is_kept_and_the_rest_completed(course, tmp_path):
    given(course, tmp_path, archives=True)
    before, times = contents(tmp_path), {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")}
    (tmp_path / "ben" / KEY_FILE).unlink()
    (tmp_path / "carla.zip").unlink()
    shutil.rmtree(tmp_path / "anna")
    done = given(course, tmp_path, archives=True)
    assert [(one.written, one.kept) for one in done] == [(3, 0), (1, 2), (0, 3), (0, 3)]
    assert contents(tmp_path) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if "anna" not in str(path))


@pytest.mark.parametrize("at", range(9))
def test_an_interrupted_run_is_completed(course, tmp_path, monkeypatch, at):
    """Whatever write is the last one, nothing is half there, and the next run ends where one run would have."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    given(course, whole, archives=True)
    write, left = course_handout._write, iter(range(100))

    def failing(path, content):
        if next(left) == at:
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(course_handout, "_write", failing)
        with pytest.raises(KeyboardInterrupt):
            given(course, parts, archives=True)
    expected = contents(whole)
    assert all(expected[name] == content for name, content in contents(parts).items())
    given(course, parts, archives=True)
    assert contents(parts) == expected


def test_files_that_somebody_changed_are_not_replaced_unasked(course, tmp_path):
    given(course, tmp_path)
    mine = tmp_path / "ben" / f"{NAME}.ipynb"
    built = mine.read_bytes()
    mine.write_bytes(built + b"\n")
    shutil.rmtree(tmp_path / "anna")
    with pytest.raises(MixedsimError, match=r"01-therapists.ipynb' was changed since it was made: move it away"):
        given(course, tmp_path)
    assert not (tmp_path / "anna").exists()  # nothing was written at all
    assert [one.written for one in given(course, tmp_path, force=True)] == [3, 1, 0, 0]
    assert mine.read_bytes() == built


def test_files_of_other_origin_are_not_replaced_unasked(course, tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / f"{NAME}.ipynb").write_text("precious")
    with pytest.raises(MixedsimError, match="is in the way, and was not made by this command"):
        given(course, tmp_path)
    assert (tmp_path / "anna" / f"{NAME}.ipynb").read_text() == "precious"
    given(course, tmp_path, force=True)
    assert (tmp_path / "anna" / f"{NAME}.ipynb").read_text() != "precious"


def test_a_folder_belongs_to_one_course(course, copied, tmp_path):
    given(course, tmp_path / "out")
    (copied.folder / "secret").write_text("f" * 64)
    other = Course.load(copied.folder)
    with pytest.raises(MixedsimError, match="was not built for this course: run `mixedsim exercises build --course"):
        given(other, tmp_path / "out")
    notebook = other.built / NAME / "student" / f"{NAME}.ipynb"
    notebook.write_text(notebook.read_text().replace(course.mark, other.mark))
    with pytest.raises(MixedsimError, match="was made for another course, or from an earlier version of the exercise"):
        given(other, tmp_path / "out")
    given(other, tmp_path / "out", force=True)
    assert json.loads((tmp_path / "out" / "anna" / KEY_FILE).read_text())["course"] == other.mark


def test_only_the_assignments_asked_for(course, tmp_path):
    assert [one.written for one in given(course, tmp_path, assignments=[NAME, NAME])] == [3, 3, 3, 3]
    with pytest.raises(MixedsimError, match=r"'01-therapist' is not built in .*; did you mean '01-therapists'\?"):
        given(course, tmp_path, assignments=["01-therapist"])


def test_nothing_built_is_said(copied, tmp_path):
    shutil.rmtree(copied.built)
    with pytest.raises(MixedsimError, match="nothing is built in"):
        given(copied, tmp_path / "out")


def test_archives_do_not_depend_on_the_hour(course, tmp_path):
    given(course, tmp_path, archives=True)
    archive = tmp_path / "anna.zip"
    before = archive.read_bytes()
    os.utime(tmp_path / "anna" / KEY_FILE, (1, 1))
    archive.unlink()
    given(course, tmp_path, archives=True)
    assert archive.read_bytes() == before
    assert {entry.date_time[0] for entry in zipfile.ZipFile(io.BytesIO(before)).infolist()} == {1980}


def test_an_archive_holds_what_is_there(course, tmp_path):
    """Also when a file of an assignment that is not handed out now was taken away."""
    given(course, tmp_path)
    made = tmp_path / ".made" / "anna.json"
    told = json.loads(made.read_text())
    made.write_text(json.dumps(told | {"99-old.ipynb": {"sha256": "", "source": ""}}))
    given(course, tmp_path, archives=True)
    with zipfile.ZipFile(tmp_path / "anna.zip") as archive:
        assert archive.namelist() == [f"anna/{file}" for file in sorted(contents(tmp_path / "anna"))]


def test_a_damaged_note_of_what_was_made_is_told(course, tmp_path):
    given(course, tmp_path)
    (tmp_path / ".made" / "anna.json").write_text("[")
    with pytest.raises(MixedsimError, match=r"anna.json' is not as it was written: delete it"):
        given(course, tmp_path)
