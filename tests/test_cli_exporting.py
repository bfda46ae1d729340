"""The command ``mixedsim exercises export``."""

import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from mixedsim.classroom.desk.course import new
from mixedsim.cli import main

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _at_the_sources(monkeypatch):
    monkeypatch.chdir(ROOT)


def run(*arguments):
    return CliRunner().invoke(main, ["exercises", "export", *map(str, arguments)])


def names_in(path):
    return [one.findtext("name/text") for one in ET.parse(path).getroot() if one.find("name") is not None]


def test_variants_of_nobody_for_moodle(tmp_path):
    target = tmp_path / "quiz.xml"
    done = run("01-therapists", "--format", "moodle", "--students", 2, "-o", target, "--summary")
    assert done.exit_code == 0, done.output
    assert names_in(target)[:2] == ["01-therapists q1 v001", "01-therapists q1 v002"]
    assert "q3 is not exported: a formula can be written in many ways" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("2 variants of q1, q2, q4")
    assert done.stdout.split()[:4] == ["kind", "variants", "different", "low"]


def test_a_course_gives_every_student_a_variant_with_its_secret(tmp_path):
    course = new(tmp_path / "course", exercises=ROOT / "exercises")
    (course / "roster.csv").write_text("student,name\nAB123,Zoë\ncd456,Jo\n", encoding="utf-8")
    target, anonymous = tmp_path / "quiz.zip", tmp_path / "anonymous.zip"
    done = run("01-therapists", "--format", "canvas", "--course", course, "-o", target)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(target) as archive:
        assert [name for name in archive.namelist() if name.startswith("media/")] == [
            "media/01-therapists-ab123.csv",
            "media/01-therapists-cd456.csv",
        ]
    done = run("01-therapists", "--format", "canvas", "--course", course, "--students", 1, "-o", anonymous)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(anonymous) as archive:
        assert "media/01-therapists-v001.csv" in archive.namelist()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["01-therapists", "--format", "moodle", "-o", "x.xml"], "say for whom: --course FOLDER or --students N."),
        (["01-therapists", "--format", "moodle", "--students", "2", "-o", "x.zip"], "must end in .xml for moodle."),
        (["01-therapists", "--format", "canvas", "--students", "2", "-o", "-"], "must end in .zip for canvas."),
        (["01-therapists", "--format", "moodle", "--students", "0", "-o", "x.xml"], "must be 1 to 5,000, found 0."),
        (["01-therapits", "--format", "moodle", "--students", "2", "-o", "x.xml"], "did you mean '01-therapists'?"),
        (["01-therapists", "--format", "moodle", "--students", "2", "-o", "no/x.xml"], "there is no folder 'no'."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(arguments, said):
    done = run(*arguments)
    assert done.exit_code in (1, 2)
    assert done.output.splitlines()[-1].startswith("Error: ")
    assert said in done.output.splitlines()[-1]


def test_a_file_that_exists_is_replaced_only_if_told_to(tmp_path):
    target = tmp_path / "quiz.xml"
    target.write_text("mine")
    arguments = ["01-therapists", "--format", "moodle", "--students", 1, "-o", target]
    assert "use --force" in run(*arguments).output
    assert target.read_text() == "mine"
    assert run(*arguments, "--force").exit_code == 0
    assert len(names_in(target)) >= 3
