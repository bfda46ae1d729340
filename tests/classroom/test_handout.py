"""One data set a student: the same at any time, whole or not there, and never two kinds in one folder."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom import handout
from mixedsim.classroom.handout import hand_out, seed_of
from mixedsim.classroom.roster import file_names, read_roster

CLINIC = ms.scenarios.therapist_confounder(therapists=5, patients=4)
STUDENTS = ["ab123", "b@uni.de", "0012/7"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def roster(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_everybody_gets_data_and_a_key(tmp_path: Path) -> None:
    done = list(hand_out(CLINIC, STUDENTS, tmp_path / "out", secret="s"))
    assert [one.file for one in done] == ["data-ab123.csv", "data-b@uni.de.csv", "data-0012_7.csv"]
    found = contents(tmp_path / "out")
    assert len(found) == 3 + 3 + 3
    for student, one in zip(STUDENTS, done, strict=True):
        seed = seed_of(CLINIC, student, secret="s")
        data = pd.read_csv(tmp_path / "out" / one.file, dtype={"therapist": str})
        expected = CLINIC.draw(seed).data.astype({"therapist": str})
        pd.testing.assert_frame_equal(data, expected, check_exact=True)
        name = one.file.replace("data", "key").replace("csv", "json")
        key = json.loads((tmp_path / "out" / "keys" / name).read_text())
        assert (key["student"], key["seed"]) == (student, seed)
        assert key["key"]["fixef"] == dict(CLINIC.fixef)
    assert b"ses:" not in found["codebook.txt"]
    assert b"ses: hidden" in found["keys/codebook.txt"]


def test_nobody_depends_on_the_others(tmp_path: Path) -> None:
    list(hand_out(CLINIC, STUDENTS, tmp_path / "all", secret="s"))
    list(hand_out(CLINIC, STUDENTS[1:2], tmp_path / "one", secret="s"))
    several, alone = contents(tmp_path / "all"), contents(tmp_path / "one")
    for name in ("data-b@uni.de.csv", "keys/key-b@uni.de.json", "codebook.txt"):
        assert several[name] == alone[name]
    assert len({several[name] for name in several if name.startswith("data-")}) == 3


def test_seeds_depend_on_id_population_and_secret() -> None:
    seeds = {
        seed_of(population, student, secret=secret)
        for population in (CLINIC, CLINIC.with_(sigma=9))
        for student in ("a", "b")
        for secret in ("", "s")
    }
    assert len(seeds) == 8
    assert seed_of(CLINIC.with_(name="other", about={"sex": "0 or 1"}), " A") == seed_of(CLINIC, "a")


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_an_interrupted_run_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Whatever write is the last one, nothing is half there, and the next run ends where one run would have."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    list(hand_out(CLINIC, STUDENTS, whole, secret="s"))
    write, count = handout._write, iter(range(100))

    def failing(path: Path, data: bytes) -> None:
        if next(count) == 3 + at:  # manifest and codebooks come first
            raise KeyboardInterrupt
        write(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(handout, "_write", failing)
        with pytest.raises(KeyboardInterrupt):
            list(hand_out(CLINIC, STUDENTS, parts, secret="s"))
    left = contents(parts)
    assert all(whole_bytes == contents(whole)[name] for name, whole_bytes in left.items() if "manifest" not in name)
    listed = json.loads(left["keys/manifest.json"])["students"]
    assert list(listed) == STUDENTS[: at // 2]
    kept = [one.student for one in hand_out(CLINIC, STUDENTS, parts, secret="s") if one.kept]
    assert kept == STUDENTS[: at // 2]
    assert contents(parts) == contents(whole)


def test_what_is_finished_is_not_written_again(tmp_path: Path) -> None:
    list(hand_out(CLINIC, STUDENTS, tmp_path, secret="s"))
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in contents(tmp_path) if "data-" in name}
    done = list(hand_out(CLINIC, [*STUDENTS, "new"], tmp_path, secret="s"))
    assert [one.kept for one in done] == [True, True, True, False]
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in before} == before


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"population": CLINIC.with_(sigma=9)}, "another population, or another version of mixedsim"),
        ({"secret": "t"}, "another secret"),
        ({"lesson": True}, "another choice of --lesson"),
    ],
)
def test_a_folder_holds_one_kind_of_data(tmp_path: Path, change: dict, what: str) -> None:
    shows = CLINIC.with_(lesson="rows() > 0")
    change = {**change, "population": change.get("population", shows)}
    list(hand_out(shows, STUDENTS, tmp_path, secret="s"))
    before = contents(tmp_path)
    arguments = {"secret": "s", "students": STUDENTS, "folder": tmp_path, **change}
    with pytest.raises(ms.MixedsimError, match=f"holds data from {what}: choose another folder"):
        hand_out(**arguments)
    assert contents(tmp_path) == before
    assert not any(one.kept for one in hand_out(**arguments, force=True))
    assert all(one.kept for one in hand_out(**arguments))


def test_a_folder_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(hand_out(CLINIC, STUDENTS, tmp_path, secret="s"))
    assert json.loads((tmp_path / "keys" / "manifest.json").read_text())["format"] == handout._FORMAT
    before = contents(tmp_path)
    monkeypatch.setattr(handout, "_FORMAT", handout._FORMAT + 1)
    with pytest.raises(ms.MixedsimError) as caught:
        hand_out(CLINIC, STUDENTS, tmp_path, secret="s")
    assert str(caught.value) == (
        f"{str(tmp_path)!r} holds data from another population, or another version of mixedsim: choose another folder, "
        "or use --force to draw all again."
    )
    assert contents(tmp_path) == before


def test_a_folder_from_before_there_were_formats_is_completed(tmp_path: Path) -> None:
    list(hand_out(CLINIC, STUDENTS[:2], tmp_path, secret="s"))
    path = tmp_path / "keys" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["format"]
    path.write_text(json.dumps(manifest))
    assert [one.kept for one in hand_out(CLINIC, STUDENTS, tmp_path, secret="s")] == [True, True, False]
    assert json.loads(path.read_text())["format"] == 1


def test_with_force_nothing_old_counts_as_finished(tmp_path: Path) -> None:
    """Also for students who are not on the roster with which it was forced."""
    list(hand_out(CLINIC, STUDENTS, tmp_path, secret="s"))
    other = CLINIC.with_(sigma=9)
    list(hand_out(other, STUDENTS[:1], tmp_path, secret="s", force=True))
    assert [one.kept for one in hand_out(other, STUDENTS, tmp_path, secret="s")] == [True, False, False]


def test_data_that_somebody_changed_are_not_handed_out(tmp_path: Path) -> None:
    list(hand_out(CLINIC, STUDENTS, tmp_path, secret="s"))
    path = tmp_path / "data-ab123.csv"
    path.write_text(path.read_text() + "x\n")
    with pytest.raises(ms.MixedsimError, match="has been changed since it was written: delete it"):
        hand_out(CLINIC, STUDENTS, tmp_path, secret="s")
    path.unlink()
    assert [one.kept for one in hand_out(CLINIC, STUDENTS, tmp_path, secret="s")] == [False, True, True]


def test_a_lesson_is_shown_to_everybody(tmp_path: Path) -> None:
    lesson = CLINIC.with_(lesson="pooled(depression) < 2")
    list(hand_out(lesson, [str(i) for i in range(8)], tmp_path, secret="s", lesson=True))
    keys = [json.loads(path.read_text())["key"] for path in (tmp_path / "keys").glob("key-*.json")]
    assert all(key["shows_lesson"] for key in keys)
    assert sum(key["skipped"] for key in keys) > 0


@pytest.mark.parametrize(
    ("text", "students"),
    [
        ("ab1\nCD2 \n\nef3\n", ["ab1", "cd2", "ef3"]),
        ("student\nab1\n", ["ab1"]),
        ("id\n0012\n", ["0012"]),
        ('name;student\nAnn;ab1\nBob;"cd;2"\n', ["ab1", "cd;2"]),
        ("matric\tname\n0012\tAnn\n", ["0012"]),
        ("\ufeffStudent,name\nab1,Ann\n", ["ab1"]),
    ],
)
def test_rosters(tmp_path: Path, text: str, students: list[str]) -> None:
    assert read_roster(roster(tmp_path, text)) == students


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nA \n", "line 2: 'a' stands in it twice, first on line 1; capitals and outer blanks do not matter."),
        ("", " names no student: write one id a line, or a CSV file with a column 'student'."),
        ("student\n", " names no student below its first line, 'student'."),
        ("student,name\n,Ann\n", "line 2: the student id is empty: write your own id between the quotes"),
        ("ab1,Ann\nab2,Bob\n", "line 1: must name the columns of the roster, one of them 'student', found 'ab1'."),
    ],
)
def test_rosters_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ms.MixedsimError) as caught:
        read_roster(roster(tmp_path, text))
    assert said in str(caught.value)


def test_ids_become_names_of_files() -> None:
    names = file_names(["a/b", "müller", "../x", "a b c", "x" * 100, "ß" * 100, "名" * 100])
    assert list(names.values()) == ["a_b", "müller", ".._x", "a_b_c", "x" * 100, "ß" * 100, "名" * 66]


def test_two_ids_with_one_file() -> None:
    with pytest.raises(ms.MixedsimError) as caught:
        file_names(["a/b", "a:b"])
    assert str(caught.value) == "'a/b' and 'a:b' would have one file, data-a_b.csv: change one of the two ids."
