"""The folder of a course: made once, read with care."""

import stat
import subprocess
import sys

import pytest

from mixedsim.classroom.desk.course import Course, display_name, new
from mixedsim.classroom.seeds import course_mark, student_key
from mixedsim.errors import MixedsimError


@pytest.fixture
def course(tmp_path):
    """A new course with two students."""
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "01-one.md").touch()
    (tmp_path / "exercises" / "02-two.md").touch()
    folder = new(tmp_path / "course", title="Mixed models: spring", exercises=tmp_path / "exercises")
    (folder / "roster.csv").write_text("student,name,email\nAB123,Zoë Young,z@uni.example\ncd456,,\n", encoding="utf-8")
    return folder


def settings(folder, text):
    (folder / "course.yml").write_text(text, encoding="utf-8")
    return Course.load(folder)


def test_a_new_course_can_be_loaded(course):
    loaded = Course.load(course)
    assert loaded.title == "Mixed models: spring"
    assert loaded.roster == ["ab123", "cd456"]
    assert loaded.names == {"ab123": "Zoë Young", "cd456": ""}
    assert loaded.lms["ab123"] == {"name": "Zoë Young", "email": "z@uni.example"}
    assert [path.name for path in loaded.sources()] == ["01-one.md", "02-two.md"]
    assert loaded.mark == course_mark(loaded.secret)
    assert loaded.keys()["ab123"] == student_key("ab123", secret=loaded.secret)
    assert (loaded.built, loaded.gradebook) == (course / "built", course / "gradebook.sqlite")
    assert loaded.secret not in repr(loaded)


def test_two_courses_have_two_long_secrets(course, tmp_path):
    other = new(tmp_path / "other", exercises=tmp_path / "exercises")
    secrets = {(folder / "secret").read_text().strip() for folder in (course, other)}
    assert [len(bytes.fromhex(secret)) for secret in secrets] == [32, 32]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_the_secret_is_its_owners_alone(course):
    assert stat.S_IMODE((course / "secret").stat().st_mode) == 0o600


def test_the_secret_is_never_committed(course):
    """Git itself is asked what it would take."""
    git = ["git", "-C", str(course)]
    for name in ("gradebook.sqlite", "report.html", "grades.csv"):
        (course / name).touch()
    try:
        subprocess.run([*git, "init", "--quiet"], check=True)
    except FileNotFoundError:
        pytest.skip("there is no git on this machine")
    subprocess.run([*git, "add", "--all"], check=True)
    listed = subprocess.run([*git, "ls-files"], check=True, capture_output=True, text=True).stdout
    assert listed.split() == [".gitignore", "course.yml"]


def test_nothing_is_overwritten(course, tmp_path):
    before = (course / "secret").read_text()
    with pytest.raises(MixedsimError, match="is not empty: choose another name, or empty it"):
        new(course, exercises=tmp_path / "exercises")
    assert (course / "secret").read_text() == before


def test_a_course_needs_exercises_to_begin_with(tmp_path):
    with pytest.raises(MixedsimError, match="say where their sources are with --exercises"):
        new(tmp_path / "course", exercises=tmp_path / "nowhere")
    assert not (tmp_path / "course").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title: A\ntimout: 3\n", "line 2: `timout` is no setting of a course; did you mean 'timeout'?"),
        ("title: A\n\ntimeout: soon\n", "line 3: `timeout` must be a number, found 'soon'."),
        ("title: A\ntimeout: 0\n", "line 2: `timeout` must be greater than 0, found 0."),
        ("timeout: 3\n", "line 1: `title` is missing: a course needs a title."),
        ("title: ''\n", "line 1: `title` must not be empty."),
        ("title: [a]\n", "line 1: `title` must be text, found ['a']."),
        ("title: A\nassignments: []\n", "line 2: `assignments` must not be empty."),
        ("title: A\nassignments:\n  - 01-one\n  - 2\n", "line 4: `assignments.2` must be text, found 2."),
        ("title: A\ntitle: B\n", "line 2: title is given twice, first on line 1."),
        ("title\n", "line 1: settings are written as `title: My course`, one a line."),
        ("title: {a\n", "line 1: this is not YAML: this '{' is never closed by '}', or a comma is missing."),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_line(course, text, says):
    with pytest.raises(MixedsimError) as caught:
        settings(course, text)
    assert str(caught.value) == f"{course / 'course.yml'}, {says}"


def test_settings_change_what_they_say(course):
    loaded = settings(
        course,
        "title: B\nexercises: other\nassignments: [02-two]\nroster: r.csv\nbuilt: b\ngradebook: g.db\ntimeout: 7\n",
    )
    (course / "r.csv").write_text("student\nef789\n")
    assert (loaded.title, loaded.roster, loaded.timeout) == ("B", ["ef789"], 7)
    assert (loaded.built, loaded.gradebook) == (course / "b", course / "g.db")
    with pytest.raises(MixedsimError, match=r"there is no exercise NN-name.md in .*other'"):
        loaded.sources()


def test_only_the_assignments_named_belong_to_it(course):
    text = "title: B\nexercises: ../exercises\nassignments: [02-two]\n"
    assert [path.name for path in settings(course, text).sources()] == ["02-two.md"]
    with pytest.raises(MixedsimError, match=r"names the assignment '02-tow', but .* did you mean '02-two'\?"):
        settings(course, text.replace("02-two", "02-tow")).sources()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("secret", None, "copy it from where the course was made; with another secret, all students would have"),
        ("secret", "tea\n", "is too short to keep a secret: it must have 16 characters or more"),
        ("course.yml", None, "make a course with `mixedsim classroom new FOLDER`"),
        ("roster.csv", "student,name,email\n", "names no student below its first line"),
        ("roster.csv", None, "cannot read"),
    ],
)
def test_what_is_missing_is_named(course, name, content, says):
    (course / name).unlink()
    if content is not None:
        (course / name).write_text(content)
    with pytest.raises(MixedsimError, match=says):
        Course.load(course).roster  # noqa: B018


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"name": "Zoë Young"}, "Zoë Young"),
        ({"Full name": "Zoë Young", "email": "x"}, "Zoë Young"),
        ({"First name": "Zoë", "Surname": "Young"}, "Zoë Young"),
        ({"last_name": "Young"}, "Young"),
        ({}, ""),
    ],
)
def test_names_stand_in_one_column_or_two(columns, name):
    assert display_name(columns) == name
