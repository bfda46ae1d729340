"""From source to student notebook and autograder."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from mixedsim.classroom.build import Built, assembled, build, key_of, sources, with_student
from mixedsim.classroom.marking import load_key
from mixedsim.classroom.score import load
from mixedsim.classroom.seeds import course_mark, student_key
from mixedsim.errors import MixedsimError

SOURCES = Path(__file__).parents[2] / "exercises"
SOURCE = SOURCES / "01-therapists.md"
QUESTIONS = list(load_key(key_of(SOURCE)).points)
TELLS = "```{code-cell} ipython3\nmodel = 'score ~ hours + boarding + (hours | tutor)'\n```"
LAST = len(QUESTIONS)
SECRET = "tea at four, and then some more of it"


def squeezed(text):
    """`text` without quotes, backslashes and blanks, which tools write in different ways."""
    return re.sub(r"[\s\"'\\]", "", text)


def cells(source):
    """The code cells of a MyST source."""
    return re.findall(r"```\{code-cell\}[^\n]*\n(.*?)\n```", source, flags=re.DOTALL)


def solutions(source):
    """Every line of a source that a student must not see, unless its own text shows it."""
    hidden, open_, text = set(), set(), source.read_text(encoding="utf-8")
    prose = squeezed(re.sub(r"```\{code-cell\}.*?\n```", "", text, flags=re.DOTALL))
    for cell in cells(text):
        in_block = False
        for line in cell.splitlines():
            in_block = in_block or "# BEGIN SOLUTION" in line
            code = line.partition("  # SOLUTION")[0].strip()
            (hidden if in_block or code != line.strip() else open_).add(code)
            in_block = in_block and "# END SOLUTION" not in line
    lines = [line for line in hidden - open_ if len(squeezed(line)) > 12 and not line.startswith("#")]
    return sorted(line for line in lines if squeezed(line) not in prose)


def of_the_key(source):
    """Every line of a key that tells a right answer, or how one is found."""
    lines = [line.strip() for line in key_of(source).read_text(encoding="utf-8").splitlines()]
    tells = re.compile(r"\bown\b|\banswer=|\bwrong=|\balso=|\bdemands=|\bexample=")
    return sorted({line for line in lines if tells.search(line) and len(squeezed(line)) > 12})


@pytest.fixture(scope="module")
def bundles(shared_once):
    """Every exercise of the repository as it is handed out by a course with a secret."""
    return shared_once(
        "bundles", lambda folder: [assembled(source, folder, course_mark(SECRET)) for source in sources(SOURCES)]
    )


@pytest.mark.parametrize("name", [source.stem for source in sources(SOURCES)])
def test_a_student_bundle_holds_one_notebook_without_solution_key_or_secret(bundles, name):
    built, source = Built(name, bundles / name), SOURCES / f"{name}.md"
    files = [path for path in built.student.parent.rglob("*") if path.is_file()]
    assert files == [built.student]
    text = built.student.read_text(encoding="utf-8")
    assert len(solutions(source)) >= 4
    assert len(of_the_key(source)) >= 4
    for line in (*solutions(source), *of_the_key(source)):
        assert squeezed(line) not in squeezed(text), line
    told = text.casefold()
    for word in (
        "# solution",
        "begin solution",
        "# hidden",
        "hidden=true",
        "test_value",
        "must_be_right",
        "otter_key",
        "key.py",
    ):
        assert word not in told, word
    assert SECRET not in text
    assert student_key("reference", secret=SECRET).hex() not in text
    assert text.count(f'course=\\"{course_mark(SECRET)}\\"') == text.count("ms.classroom.data(")


@pytest.mark.parametrize("name", [source.stem for source in sources(SOURCES)])
def test_what_students_must_not_see_is_where_it_belongs(bundles, name):
    """The test above would pass on an empty notebook: make sure that the lines it looks for are found elsewhere."""
    built = Built(name, bundles / name)
    with zipfile.ZipFile(built.autograder) as archive:
        inside = "".join(archive.read(name).decode() for name in archive.namelist() if not name.endswith("/"))
    everywhere = squeezed(inside + built.solution.read_text(encoding="utf-8"))
    lines = (*solutions(SOURCES / f"{name}.md"), *of_the_key(SOURCES / f"{name}.md"))
    assert [line for line in lines if squeezed(line) not in everywhere] == []


def test_what_was_built_and_tried_is_what_the_test_above_looked_at(built, bundles):
    mine, tried = (json.loads(one.student.read_text()) for one in (Built(built.name, bundles / built.name), built))
    of_a_course = ["".join(cell["source"]) for cell in mine["cells"]]
    assert [re.sub(r', course="[0-9a-f]{8}"', "", source) for source in of_a_course] == [
        "".join(cell["source"]) for cell in tried["cells"]
    ]
    assert mine["metadata"] == tried["metadata"]


def test_every_answer_is_three_dots_and_has_a_check(built, handed_out):
    source = "\n".join("".join(cell["source"]) for cell in handed_out["cells"] if cell["cell_type"] == "code")
    for name in ("student", *load_key(key_of(SOURCE)).variables):
        assert f"{name} = ..." in source
    assert re.findall(r'grader\.check\("(q\d)"\)', source) == QUESTIONS


def test_the_autograder_knows_points_and_variables(exercises):
    autograder = load(exercises, "01-therapists")
    assert list(autograder.points) == QUESTIONS
    assert {"student", "icc", "slope", "model", "kept"} <= set(autograder.variables)
    assert len(autograder.variables) == len(QUESTIONS) + 1
    assert len(autograder.version) == 16


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


def faulty(folder, old, new, *, in_key=False):
    """A copy of the exercise and its key in which something is replaced."""
    (folder / "keys").mkdir()
    source = folder / SOURCE.name
    for original, copy, change in ((SOURCE, source, not in_key), (key_of(SOURCE), key_of(source), in_key)):
        text = original.read_text(encoding="utf-8")
        assert old in text or not change
        copy.write_text(text.replace(old, new) if change else text, encoding="utf-8")
    return source


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("icc = between / (between + within)  # SOLUTION", "icc = 0.5  # SOLUTION", "the solution loses points in q1"),
        ("kept = between / (between + within / n)  # SOLUTION", "kept = nothing  # SOLUTION", "loses points in q4"),
        ("# END SOLUTION\nicc", "icc", "Otter Assign cannot use it"),
        ("  # SOLUTION\n```\n\n## Question 4", "\n```\n\n## Question 4", "q3 must have one code cell with `# SOL"),
        ("## Question 3", "## Point 3", "the source asks q1, q2, q4, "),
        (f"## Question {LAST}", f"## Question {LAST + 1}", f"the key has no question {LAST + 1}"),
        ("## Hand in", f"{TELLS}\n\n## Hand in", "unanswered, it gets points in q3"),
    ],
    ids=["wrong solution", "crashing solution", "broken markup", "no solution", "no question", "no key", "tells"],
)  # fmt: skip
def test_a_source_with_a_fault_is_not_built(tmp_path, old, new, says):
    source = faulty(tmp_path, old, new)
    with pytest.raises(MixedsimError, match=re.escape(says)):
        build(source, output=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"01-therapists"', '"02-fixed-or-random"', "is the key of '02-fixed-or-random', not of '01-therapists'"),
        ("KEY = ", "ANSWERS = ", "defines no KEY = Assignment(…)"),
        ("answer=kept", "answer=icc", "the solution loses points in q4"),
    ],
    ids=["another exercise's", "no key", "wrong key"],
)
def test_a_key_with_a_fault_builds_nothing(tmp_path, old, new, says):
    source = faulty(tmp_path, old, new, in_key=True)
    with pytest.raises(MixedsimError, match=re.escape(says)):
        build(source, output=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_source_without_a_key_is_told(tmp_path):
    shutil.copy(SOURCE, tmp_path)
    with pytest.raises(MixedsimError, match=r"an assignment NN-name.md needs keys/NN_name.py beside it"):
        build(tmp_path / SOURCE.name, output=tmp_path / "out")


def test_a_courses_notebook_draws_the_courses_data(course):
    text = (course.built / "01-therapists" / "student" / "01-therapists.ipynb").read_text(encoding="utf-8")
    assert f'student=student, course=\\"{course.mark}\\")' in text
    assert course.secret not in "".join(path.read_text(errors="replace") for path in course.built.rglob("*.ipynb"))


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
