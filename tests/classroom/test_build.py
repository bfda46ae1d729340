"""From source to student notebook and autograder."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mixedsim.classroom.build import build, sources, with_student
from mixedsim.classroom.score import load
from mixedsim.errors import MixedsimError

SOURCES = Path(__file__).parents[2] / "exercises"
SOURCE = SOURCES / "01-therapists.md"


def squeezed(text):
    """`text` without quotes, backslashes and blanks, which tools write in different ways."""
    return re.sub(r"[\s\"'\\]", "", text)


def cells(source):
    """The code cells of a MyST source."""
    return re.findall(r"```\{code-cell\}[^\n]*\n(.*?)\n```", source, flags=re.DOTALL)


def secrets():
    """Every line of the source that a student must not see: hidden tests and solutions."""
    hidden, open_ = set(), set()
    for cell in cells(SOURCE.read_text(encoding="utf-8")):
        in_block = cell.startswith("# HIDDEN")
        for line in cell.splitlines():
            in_block = in_block or "# BEGIN SOLUTION" in line
            code = line.partition("  # SOLUTION")[0].strip()
            (hidden if in_block or code != line.strip() else open_).add(code)
            in_block = in_block and "# END SOLUTION" not in line
    return sorted(line for line in hidden - open_ if len(squeezed(line)) > 12 and not line.startswith("#"))


def test_the_student_bundle_holds_one_notebook_and_no_secret(built):
    files = [path for path in built.student.parent.rglob("*") if path.is_file()]
    assert files == [built.student]
    text = built.student.read_text(encoding="utf-8")
    assert len(secrets()) >= 10
    for line in secrets():
        assert squeezed(line) not in squeezed(text), line
    assert "hidden=True" not in text
    assert "solution" not in text.casefold()
    assert "HIDDEN" not in text


def test_the_secrets_are_where_they_belong(built):
    """The test above would pass on an empty notebook: make sure that the lines it looks for are found elsewhere."""
    with zipfile.ZipFile(built.autograder) as archive:
        tests = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("tests/"))
    everywhere = squeezed(tests + built.solution.read_text(encoding="utf-8"))
    assert [line for line in secrets() if squeezed(line) not in everywhere] == []


def test_every_answer_is_three_dots_and_has_a_check(built, handed_out):
    source = "\n".join("".join(cell["source"]) for cell in handed_out["cells"] if cell["cell_type"] == "code")
    for name in ("student", "icc", "slope", "model", "kept"):
        assert f"{name} = ..." in source
    assert re.findall(r'grader\.check\("(q\d)"\)', source) == ["q1", "q2", "q3", "q4"]


def test_four_questions_with_visible_and_hidden_tests(exercises):
    autograder = load(exercises, "01-therapists")
    assert autograder.points == {"q1": 2.0, "q2": 2.0, "q3": 2.0, "q4": 2.0}
    assert autograder.variables == ["icc", "kept", "model", "slope", "student"]


@pytest.mark.filterwarnings("ignore")  # Otter's own imports and widgets
def test_a_visible_check_says_where_to_look(built, tmp_path, monkeypatch):
    import otter

    shutil.copy(built.student, tmp_path)
    monkeypatch.chdir(tmp_path)
    grader = otter.Notebook(built.student.name)
    said = {
        answer: str(grader.check("q1", global_env={"icc": answer})).replace("\n", " ")
        for answer in (..., 31, "0,3", 0.3)
    }
    assert "Hint: `icc` has no answer yet: replace the three dots by your number." in said[...]
    assert "Hint: `icc` is 31, but must lie between 0 and 1. It is a share of a whole" in said[31]
    assert "write the number without quotes" in said["0,3"]
    assert "All test cases passed!" in said[0.3]
    assert "Whether the value is right, only the grader knows." in said[0.3]


def test_otters_own_grader_agrees(built):
    """The archive is an ordinary one of Otter's: a course may grade with Otter, Docker or an LMS instead."""
    code = (
        "from otter.api import grade_submission; "
        f"results = grade_submission({str(built.solution)!r}, {str(built.autograder)!r}, quiet=True); "
        "print(f'points: {results.total:g} of {results.possible:g}')"
    )
    here = os.environ | {"PYTHONPATH": str(SOURCES.parent)}  # Otter's kernel starts in a folder of its own
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=here)
    assert "points: 8 of 8" in done.stdout, done.stderr


def test_a_build_replaces_an_earlier_one_but_not_somebodys_work(exercises, tmp_path):
    shutil.copytree(exercises, tmp_path / "exercises")
    (one,) = build(SOURCE, output=tmp_path / "exercises")
    one.student.write_text(one.student.read_text() + "\n")
    with pytest.raises(
        MixedsimError, match=r"'student/01-therapists.ipynb' in it was changed: copy it, or use --force"
    ):
        build(SOURCE, output=tmp_path / "exercises")
    assert sorted(path.name for path in (tmp_path / "exercises").iterdir()) == ["01-therapists"]


def test_a_folder_of_other_origin_is_not_replaced(tmp_path):
    (tmp_path / "01-therapists").mkdir()
    with pytest.raises(MixedsimError, match="it was not made by this command"):
        build(SOURCE, output=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("icc = between / (between + within)  # SOLUTION", "icc = 0.5  # SOLUTION", "the solution loses points in q1"),
        ("name: 01-therapists", "name: other", "must say `name: 01-therapists`, found 'other'"),
        ("# HIDDEN\ndef test_value(model)", "def test_value(model)", "q3 needs a visible check and a hidden test"),
        ("# BEGIN TESTS", "# BEGIN TEST", "Otter Assign cannot use it"),
        ("kept = between / (between + within / n)  # SOLUTION", "kept = nothing  # SOLUTION", "loses points in q4"),
    ],
    ids=["wrong solution", "wrong name", "no hidden test", "broken markup", "crashing solution"],
)
def test_a_source_with_a_fault_is_not_built(tmp_path, old, new, says):
    source = tmp_path / SOURCE.name
    text = SOURCE.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(MixedsimError, match=re.escape(says)):
        build(source, output=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_sources_are_named_with_two_digits(tmp_path):
    assert SOURCE in sources(SOURCES)
    assert all(re.match(r"\d\d-", source.name) for source in sources(SOURCES))  # the README is none
    with pytest.raises(MixedsimError, match="no exercise"):
        sources(tmp_path)


def test_with_student_wants_exactly_one_line(handed_out):
    cell = {"cell_type": "code", "source": "student = 1", "metadata": {}}
    assert "student = 'anna'" in json.dumps(with_student(handed_out, "anna"))
    with pytest.raises(MixedsimError, match="found 2"):
        with_student(handed_out | {"cells": [*handed_out["cells"], cell]}, "anna")


def test_a_file_that_is_no_exercise_is_said(tmp_path):
    with pytest.raises(MixedsimError, match=r"README\.md is no exercise"):
        build(SOURCES / "README.md", output=tmp_path)


def test_the_first_cell_says_why_the_name_matters(handed_out):
    assert "keep its name, 01-therapists.ipynb" in "".join(handed_out["cells"][0]["source"]).splitlines()[0]
