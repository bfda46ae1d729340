"""Executing one notebook: what comes back, whatever it does."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from mixedsim.classroom.walled import view
from mixedsim.classroom.walled.execute import plain
from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.sandbox import run_notebook
from mixedsim.classroom.walled.walls import described, walls, works
from mixedsim.errors import MixedsimError


def notebook(*cells):
    return {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "metadata": {}, "nbformat": 4}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        ("text", "text"),
        (None, None),
        (..., None),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (Fraction(1, 4), 0.25),
        (np.array([1, 2]), [1, 2]),
        (np.array([0.5]), 0.5),
        (pd.Series({"a": 1.5, "b": 2.5}), {"a": 1.5, "b": 2.5}),
        ((1, [2, "x"]), [1, [2, "x"]]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_answers_become_plain_data(value, expected):
    assert plain(value) == expected


@pytest.mark.parametrize("value", [object(), pd.DataFrame({"a": [1, 2]}), [object()], {"a": print}, [[[[[[1]]]]]]])
def test_what_is_no_data_is_no_answer(value):
    assert type(plain(value)) is object


def test_answers_errors_and_jupyter_habits():
    outcome = run_notebook(
        notebook(
            "import otter\ngrader = otter.Notebook('anything.ipynb')\ngrader.check('q1')\ngrader.export(pdf=False)",
            "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n!echo hello",
            "import asyncio\nawait asyncio.sleep(0)\nx = 1",
            "undefined_name",
            "y = 'later cells still run'; display(y)",
            "x = = 2",
        ),
        names=["x", "y", "z"],
        timeout=60,
    )
    assert outcome.answers == {"x": 1, "y": "later cells still run"}
    assert outcome.problem == "crashed: code cell 4 raised NameError: name 'undefined_name' is not defined (and 1 more)"


@pytest.mark.parametrize("habit", ["exit()", "quit()", "%matplotlib widget", "%matplotlib"])
def test_what_only_a_live_notebook_needs_does_nothing(habit):
    outcome = run_notebook(notebook(habit, "x = 1"), names=["x"], timeout=60)
    assert (outcome.answers, outcome.problem) == ({"x": 1}, "")


def test_a_syntax_error_is_told_without_a_made_up_file_name():
    assert run_notebook(notebook("x = = 2"), names=[], timeout=60).problem == (
        "crashed: code cell 1 raised SyntaxError: invalid syntax"
    )


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os._exit(3)", "crashed: code cell 2 ended the process with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crashed: code cell 2 was killed by signal 9"),
        ("import sys; sys.exit()", "crashed: code cell 2 raised SystemExit"),
        ("input('your id?')", "crashed: code cell 2 raised EOFError"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_process_that_ends_early_keeps_what_it_had(code, says):
    outcome = run_notebook(notebook("x = 1", code), names=["x"], timeout=60)
    assert outcome.answers == {"x": 1}
    assert outcome.problem.startswith(says)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")
def test_an_endless_loop_is_killed_with_everything_it_started(tmp_path):
    """Where there are no walls: who counts there is the session alone."""
    left = tmp_path / "child"
    start = (
        f"import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nopen({str(left)!r}, 'w').write(str(child.pid))"
    )
    started = time.monotonic()
    outcome = run_notebook(notebook("x = 1", start, "while True: pass"), names=["x"], timeout=10, wall="plain")
    assert time.monotonic() - started < 20
    assert outcome.answers == {"x": 1}
    assert outcome.problem == "timed out: code cell 3 was still running after 10 seconds"
    deadline = time.monotonic() + 5
    while _alive(int(left.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(left.read_text()))


def test_a_grader_that_gives_up_leaves_nothing_running():
    asked = []
    with pytest.raises(KeyboardInterrupt):
        run_notebook(
            notebook("while True: pass"),
            names=[],
            timeout=60,
            stopped=lambda: len(asked) > 3 or asked.append(time.time()),
        )
    assert time.time() - asked[0] < 10


def _alive(pid):
    """Whether a process still runs; one that has ended but was not collected does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
    except OSError:
        os.kill(pid, 0)
        return True


def test_work_happens_in_a_scratch_folder_that_is_gone_afterwards():
    outcome = run_notebook(
        notebook("import os\nopen('mine.txt', 'w').close()\nwhere = os.getcwd()\nfiles = sorted(os.listdir())"),
        names=["where", "files"],
        timeout=60,
    )
    assert outcome.answers["files"] == ["mine.txt", "notebook.ipynb"]  # and no test of any kind
    assert not os.path.exists(outcome.answers["where"])


def test_only_what_was_handed_over_is_in_the_environment(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "tea at four")
    monkeypatch.setenv("LC_TIME", "C")
    code = "import os\nfound, key, time = sorted(os.environ), os.environ['KEY'], os.environ['LC_TIME']"
    names = ["found", "key", "time"]
    answers = run_notebook(notebook(code), names=names, timeout=60, environment={"KEY": "mine"}, wall="plain").answers
    assert (answers["key"], answers["time"]) == ("mine", "C")
    assert "SOME_TOKEN" not in answers["found"]
    assert [name for name in answers["found"] if "SECRET" in name] == []


@pytest.mark.parametrize("name", ["seconds", "memory", "processes", "output"])
def test_a_limit_must_allow_something(name):
    with pytest.raises(MixedsimError, match=rf"^the limit `{name}` must be more than 0, found 0\.$"):
        Limits(**{name: 0})


def test_a_checkout_shows_its_package_and_not_what_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(view.PACKAGE.parent), str(tmp_path)]))
    shown = view.readable()
    assert str(tmp_path) in shown
    assert not any(str(view.PACKAGE.parent / "exercises").startswith(f"{path}/") for path in shown)
    assert any(f"{view.PACKAGE}/".startswith(f"{path}/") for path in shown)
    assert "/etc" not in shown


def test_walls_are_said_in_one_place():
    assert walls() is walls()
    assert walls().wall in ("namespaces", "bubblewrap", "landlock", "limits", "plain")
    assert str(walls()).startswith("Each notebook ")
    assert "can read and change what you can" in str(described("plain"))


def test_walls_that_cannot_be_built_are_an_error_and_no_crash_of_the_student():
    if not works("namespaces"):
        pytest.skip("walls of the kind 'namespaces' do not stand on this machine")
    with pytest.raises(MixedsimError, match=r"^the walls \(namespaces\) around a notebook could not be built: .*mount"):
        run_notebook(notebook("x = 1"), names=["x"], wall="namespaces", limits=Limits(disk=float("inf")))


def test_a_number_of_ones_own_kind_is_plain_data():
    code = "class Mine(float):\n    def __repr__(self): raise ValueError\nx = Mine(0.5)"
    outcome = run_notebook(notebook(code, "y = '\ud800'", "z = 1"), names=["x", "z"], timeout=60)
    assert outcome.answers == {"x": 0.5, "z": 1}
    assert outcome.problem.startswith("crashed: code cell 2 raised UnicodeEncodeError")


def test_many_threads_may_grade_at_once():
    def one(number):
        return run_notebook(notebook(f"x = {number}"), names=["x"], timeout=60).answers["x"]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(8))) == list(range(8))


def test_a_flood_of_output_and_of_answers_does_no_harm():
    outcome = run_notebook(
        notebook("for _ in range(50): print('x' * 1_000_000)", "x = 'y' * 10_000_000", "z = 1"),
        names=["x", "z"],
        timeout=60,
    )
    assert outcome.answers == {"z": 1}
    assert outcome.problem == ""
