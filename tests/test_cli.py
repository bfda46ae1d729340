"""The commands, as typed."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import mixedsim as ms
from mixedsim.classroom import population
from mixedsim.classroom.marking import load_key
from mixedsim.cli import main


def run(*arguments, code=0):
    """Run a command, require its exit code, and give back what it wrote."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yml"
    path.write_text(population("01-therapists").to_yaml(), encoding="utf-8")
    return path


@pytest.fixture
def broken_spec(spec):
    text = spec.read_text(encoding="utf-8")
    assert "sigma: 8" in text
    spec.write_text(text.replace("sigma: 8", "sigma: -8"), encoding="utf-8")
    return spec


def test_help_names_every_command():
    said = run("--help").stdout
    for command in ("draw", "schema", "recover", "datasets", "exercises", "grade"):
        assert f"\n  {command} " in said


def test_the_version_is_the_packages():
    assert run("--version").stdout == f"mixedsim {ms.__version__}\n"


@pytest.mark.parametrize(
    "command", [["draw"], ["recover"], ["datasets"], ["exercises"], ["exercises", "build"], ["grade"]]
)
def test_every_command_explains_itself(command):
    assert run(*command, "--help").stdout.startswith("Usage: ")


def test_draw_writes_what_the_package_draws(spec, tmp_path):
    run("draw", spec, "--seed", 7, "-o", tmp_path / "data.csv")
    expected = population("01-therapists").draw(seed=7).data
    written = pd.read_csv(tmp_path / "data.csv", dtype={"tutor": str})
    assert written.columns.to_list() == expected.columns.to_list()
    pd.testing.assert_frame_equal(
        written, expected.assign(tutor=expected["tutor"].astype(str)), check_dtype=False, rtol=1e-12
    )


def test_draw_writes_large_data_in_pieces(spec, tmp_path, monkeypatch):
    run("draw", spec, "-o", tmp_path / "whole.csv")
    monkeypatch.setattr("mixedsim.cli.options.CHUNK", 100)
    run("draw", spec, "-o", tmp_path / "pieces.csv")
    assert (tmp_path / "pieces.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_draw_goes_to_the_screen_without_a_file(spec, tmp_path):
    run("draw", spec, "-o", tmp_path / "data.csv")
    for arguments in ([], ["-o", "-"]):
        assert run("draw", spec, *arguments).stdout == (tmp_path / "data.csv").read_text(encoding="utf-8")


def test_an_existing_file_is_kept_unless_forced(spec, tmp_path):
    target = tmp_path / "data.csv"
    target.write_text("precious")
    said = run("draw", spec, "-o", target, code=1).stderr
    assert said == f"Error: {str(target)!r} exists: choose another name, or use --force to replace it.\n"
    assert target.read_text() == "precious"
    run("draw", spec, "-o", target, "--force")
    assert target.read_text() != "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "spec.yml"]  # no draft left behind


def test_a_failure_while_writing_leaves_the_old_file(spec, tmp_path, monkeypatch):
    target = tmp_path / "data.csv"
    target.write_text("precious")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mixedsim.cli.data.write_csv", full)
    said = run("draw", spec, "-o", target, "--force", code=1).stderr
    assert said == f"Error: cannot write {str(target)!r}: No space left on device.\n"
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "spec.yml"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_new_file_is_as_readable_as_any_other(spec, tmp_path):
    run("draw", spec, "-o", tmp_path / "data.csv")
    (tmp_path / "other").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("data.csv", "other")}
    assert len(modes) == 1


@pytest.mark.parametrize(
    ("target", "says"),
    [("nowhere/data.csv", "there is no folder"), (".", "it exists and is no file")],
)
def test_a_target_that_cannot_be_written_is_named_first(spec, tmp_path, target, says, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in run("draw", spec, "-o", target, "--force", code=1).stderr


@pytest.mark.parametrize("command", [["draw", "SPEC"], ["datasets", "cake"], ["study", "SPEC"], ["grade", "."]])
@pytest.mark.parametrize("target", ["data.xlsx", "data.SAV"])
def test_no_csv_hides_behind_the_name_of_another_kind_of_file(spec, tmp_path, monkeypatch, command, target):
    monkeypatch.chdir(tmp_path)
    said = run(*(spec if word == "SPEC" else word for word in command), "-o", target, code=1).stderr
    suffix = Path(target).suffix
    assert said == (
        f"Error: cannot write {target!r}: tables are written as CSV, not as {suffix} files; end the name in .csv, "
        "which spreadsheets and statistics programs open.\n"
    )
    assert not Path(target).exists()


def test_the_example_in_the_help_can_be_drawn_from(tmp_path):
    lines = run("draw", "--help").stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().startswith("formula:"))
    end = next(i for i, line in enumerate(lines) if line.strip() == "sigma: 8")
    example = tmp_path / "example.yml"
    example.write_text("\n".join(line[4:] for line in lines[start : end + 1]))
    assert run("draw", example).stdout.startswith("therapist,depression,anxiety\n1,")


def test_a_roster_gets_a_data_set_each(spec, tmp_path):
    roster = tmp_path / "roster.txt"
    roster.write_text("ab123\ncd456\n", encoding="utf-8")
    out = tmp_path / "out"
    said = run("draw", spec, "--roster", roster, "-o", out, "--secret", "s").stderr
    assert f"2 data sets in {out}; keys in {out / 'keys'}, not for students." in said
    once = (out / "data-cd456.csv").read_bytes()
    (out / "data-cd456.csv").unlink()
    assert "1 of them there before" in run("draw", spec, "--roster", roster, "-o", out, "--secret", "s").stderr
    assert (out / "data-cd456.csv").read_bytes() == once


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--roster needs a folder after -o"),
        (["-o", "out", "--rows", "1e6"], "--roster needs a folder after -o"),
        (["-o", "out", "--seed", "1"], "leave out --seed"),
    ],
)
def test_a_roster_beside_what_contradicts_it(spec, arguments, says):
    assert says in run("draw", spec, "--roster", spec, *arguments, code=2).stderr


def test_draw_can_walk_to_the_lesson(spec, tmp_path):
    lesson = population("01-therapists").with_(lesson="pooled(hours) > 3.3")
    spec.write_text(lesson.to_yaml(), encoding="utf-8")
    run("draw", spec, "--lesson", "-o", tmp_path / "data.csv")
    expected = lesson.draw(seed=1, lesson=True).data
    assert len(pd.read_csv(tmp_path / "data.csv")) == len(expected)
    assert "leave out --rows" in run("draw", spec, "--lesson", "--rows", "1e4", code=2).stderr


def test_the_schema_is_the_packages(tmp_path):
    run("schema", "-o", tmp_path / "schema.json")
    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == ms.Population.schema()
    assert run("schema").stdout == (tmp_path / "schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["draw", "recover"])
def test_greek_letters_do_not_break_a_pipe_on_windows(tmp_path, command):
    greek = tmp_path / "greek.yml"
    text = ms.scenarios.therapist_plain().to_yaml()
    greek.write_text(text.replace("depression", "ώρες"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mixedsim.cli", command, greek],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    if command == "draw":  # data arrive whole, whatever the terminal can show
        assert done.stdout.decode("utf-8").startswith("therapist,ώρες,sex,anxiety")


@pytest.mark.parametrize("command", ["draw", "recover"])
def test_a_broken_spec_is_one_sentence_with_field_and_line(broken_spec, command):
    line = 1 + broken_spec.read_text(encoding="utf-8").split("\n").index("sigma: -8")
    said = run(command, broken_spec, code=1).stderr
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert f"line {line}" in said
    assert "sigma" in said


def test_a_missing_spec_is_one_sentence():
    assert "'absent.yml' does not exist" in run("draw", "absent.yml", code=2).stderr


def test_recover_prints_truth_estimate_and_interval(spec):
    said = run("recover", spec, "--seed", 3, "--formula", "score ~ hours + boarding + (1 | tutor)").stdout
    for word in ("truth", "estimate", "lower", "upper", "hours", "boarding"):
        assert word in said


def test_recover_names_what_is_wrong_with_a_formula(spec):
    said = run("recover", spec, "--formula", "score ~ hour + (1 | tutor)", code=1).stderr
    assert said.startswith("Error: ")
    assert "'hour'" in said


def test_datasets_are_listed_described_and_written(tmp_path):
    listed = run("datasets").stdout.splitlines()
    assert [line.split(":")[0] for line in listed] == ms.datasets.names()
    assert run("datasets", "sleepstudy").stdout.strip() == ms.datasets.info("sleepstudy").strip()
    run("datasets", "sleepstudy", "-o", tmp_path / "sleep.csv")
    assert pd.read_csv(tmp_path / "sleep.csv").shape == ms.datasets.load("sleepstudy").shape
    assert run("datasets", "sleepstudy", "-o", "-").stdout == (tmp_path / "sleep.csv").read_text(encoding="utf-8")
    assert "exists" in run("datasets", "sleepstudy", "-o", tmp_path / "sleep.csv", code=1).stderr


def test_an_unknown_dataset_is_named_with_the_nearest():
    assert "did you mean 'sleepstudy'" in run("datasets", "sleepstud", code=1).stderr
    assert "needs the NAME" in run("datasets", "-o", "x.csv", code=2).stderr


def test_exercises_are_built_and_graded_from_the_command_line(tmp_path):
    source = Path(__file__).parents[1] / "exercises" / "01-therapists.md"
    said = run("exercises", "build", source, "-o", tmp_path / "built").stdout
    assert "01-therapists: hand out" in said
    notebook = tmp_path / "built" / "01-therapists" / "autograder" / "01-therapists.ipynb"
    grades = tmp_path / "grades.csv"
    graded = run("grade", notebook, "-o", grades, "--exercises", tmp_path / "built", "--jobs", 1)
    assert f"1 notebook in {grades}." in graded.stderr
    points = load_key(source.parent / "keys" / "01_therapists.py").points
    full, worth = f"{sum(points.values()):g}", ",".join(f"{one:g}" for one in points.values())
    assert grades.read_text(encoding="utf-8") == (
        f"file,assignment,student,{','.join(points)},total,max,status\n"
        f"01-therapists.ipynb,01-therapists,reference,{worth},{full},{full},graded\n"
    )
    again = run("grade", notebook, "-o", grades, "--exercises", tmp_path / "built", code=1)
    assert "exists: choose another name, or use --force" in again.stderr


def test_a_gradebook_holds_names_that_are_no_text(tmp_path, monkeypatch):
    grades = pd.DataFrame({"file": ["\udcff.ipynb"], "status": ["graded"]}, dtype=object)
    monkeypatch.setattr("mixedsim.classroom.desk.grade.grade", lambda *_, **__: grades)
    run("grade", tmp_path, "-o", tmp_path / "grades.csv")
    assert (tmp_path / "grades.csv").read_text(encoding="utf-8") == "file,status\n\\udcff.ipynb,graded\n"


def test_grading_without_a_build_says_what_to_do(tmp_path):
    (tmp_path / "x.ipynb").write_text("{}")
    said = run("grade", tmp_path, "-o", tmp_path / "grades.csv", "--exercises", tmp_path / "none", code=1).stderr
    assert "run `mixedsim exercises build` first" in said
    assert not (tmp_path / "grades.csv").exists()


def test_building_where_no_exercises_are_says_what_to_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("exercises", "build", code=1).stderr == (
        f"Error: there is no 'exercises' in {str(Path.cwd())!r}: name the folder that holds the exercises, NN-name.md, "
        "or one of these files.\n"
    )


def test_a_missing_extra_is_one_sentence():
    code = "import sys; sys.modules['click'] = None; import mixedsim.cli"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"}
    )
    assert done.returncode == 1
    assert done.stderr == 'The command mixedsim needs click: pip install "mixedsim[classroom]".\n'


def test_help_imports_no_grader():
    code = "import sys, mixedsim.cli; print([m for m in ('otter', 'jupytext', 'IPython', 'tqdm') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
