"""Notebooks that mean harm, each a file in ``adversaries/``: what is said of them, and what they could not do.

None could harm the machine that the tests run on, should a wall be missing: each is bounded by itself.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from mixedsim.classroom.seeds import SECRET_VARIABLE
from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.refusals import landlock_version
from mixedsim.classroom.walled.runs import nursery
from mixedsim.classroom.walled.sandbox import run_notebook
from mixedsim.classroom.walled.walls import described, works
from mixedsim.errors import MixedsimError

FOLDER = Path(__file__).parent / "adversaries"
LIMITS = Limits(seconds=60, memory=1_000_000_000, processes=32, output=5_000_000)
SECRET = "tea at four"
KINDS = ("namespaces", "bubblewrap", "landlock", "limits", "plain")
CLOSED = tuple(kind for kind in KINDS if described(kind).files)
COUNTED = tuple(kind for kind in KINDS if described(kind).processes)


def adversary(name):
    """The notebook of one file."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}\n(.*?)\n```", text, flags=re.DOTALL)
    assert cells, name
    return {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "metadata": {}, "nbformat": 4}


def attack(name, wall, *names, limits=LIMITS, **environment):
    if not works(wall):
        pytest.skip(f"walls of the kind {wall!r} do not stand on this machine")
    return run_notebook(adversary(name), names=names, limits=limits, wall=wall, environment=environment)


def running(mark):
    """Processes whose command line holds `mark`."""
    lines = (file for file in Path("/proc").glob("[0-9]*/cmdline") if file.parent.name != str(os.getpid()))
    found = []
    for file in lines:
        try:
            found += [file] if mark.encode() in file.read_bytes() else []
        except OSError:  # ended meanwhile
            continue
    return found


def below_the_nursery():
    """Processes that runs have left behind; none a moment after the last run."""
    deadline = time.monotonic() + 10
    while (left := _children(nursery().process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


SAID = {
    "much-memory": "ran out of memory: code cell 2 asked for more than 1 GB",
    "memory-in-many": "ran out of memory: code cell 2 and what it started took more than 400 MB",
    "fork-bomb": "started too many processes: code cell 2 had more than 32 running at once",
    "many-threads": "started too many processes: code cell 2 had more than 32 running at once",
    "endless-loop": "timed out: code cell 2 was still running after 4 seconds",
    "endless-output": "printed more than 5 MB: code cell 2",
    "large-file": "wrote a file larger than 100 MB: code cell 1",
    "sys-exit": "crashed: code cell 2 raised SystemExit: all questions right",
    "os-exit": "crashed: code cell 2 ended the process with exit code 0",
    "kill-oneself": "crashed: code cell 2 was killed by signal 9",
    "rewritten-tests": "",
    "flooded-report": "reported more than 50 MB: code cell 2",
}
# What the limits must be for the test to be quick and mild.
MILDER = {"endless-loop": {"seconds": 4.0}, "memory-in-many": {"memory": 400_000_000}}
# Without a world of its own: what the warden alone must do. Without a warden: what must end even there; these are few,
# because Python starts anew for each.
CASES = [(name, wall) for name in SAID for wall in ("namespaces", "bubblewrap")]
CASES += [(name, "limits") for name in ("much-memory", "memory-in-many", "fork-bomb", "endless-loop", "kill-oneself")]
CASES += [(name, "plain") for name in ("os-exit", "endless-output")]


@pytest.mark.parametrize(("name", "wall"), CASES)
def test_each_gets_one_phrase_in_bounded_time_and_keeps_its_answers(name, wall):
    limits = Limits(**(vars(LIMITS) | MILDER.get(name, {})))
    started = time.monotonic()
    outcome = attack(name, wall, "x", "y", limits=limits)
    assert time.monotonic() - started < 50
    assert outcome.problem == SAID[name]
    assert outcome.answers["x"] == (1 if name != "rewritten-tests" else "wrong")
    assert outcome.answers.get("y") == (2 if name in ("much-memory", "large-file", "sys-exit") else None)


@pytest.mark.parametrize("wall", ["namespaces", "bubblewrap"])
def test_the_disk_is_bounded_where_it_is_ones_own(wall):
    assert attack("large-disk", wall, "x").problem == "wrote more than 500 MB: code cell 1"


@pytest.mark.parametrize("wall", COUNTED)
def test_nothing_is_left_running(wall):
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    outcome = attack("leaves-a-daemon", wall, "x", "y", MARK=mark)
    assert (outcome.answers, outcome.problem) == ({"x": 1, "y": 2}, "")
    assert running(mark) == []
    for bomb in ("fork-bomb", "memory-in-many"):
        attack(bomb, wall, limits=Limits(seconds=60, processes=5))
    assert wall == "bubblewrap" or below_the_nursery() == []


def test_the_search_for_leftovers_finds_one():
    mark = f"mark-{time.monotonic_ns()}"
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", mark])
    try:
        deadline = time.monotonic() + 20
        while not running(mark) and time.monotonic() < deadline:  # until the child has become Python
            time.sleep(0.05)
        assert [file.parent.name for file in running(mark)] == [str(child.pid)]
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def outside(tmp_path):
    """A folder with what belongs to others."""
    (tmp_path / "other.ipynb").write_text("another's answer is 7")
    (tmp_path / "grades.csv").write_text("another,7")
    (tmp_path / "secret").write_text(SECRET)
    return tmp_path


@pytest.mark.parametrize("wall", CLOSED)
def test_nothing_outside_is_written(wall, outside):
    outcome = attack("writes-outside", wall, "tried", OUTSIDE=str(outside))
    assert outcome.answers == {"tried": 10}
    assert sorted(path.name for path in outside.iterdir()) == ["grades.csv", "other.ipynb", "secret"]
    assert (outside / "grades.csv").read_text() == "another,7"
    said = (
        "crashed: code cell 3 raised PermissionError" if wall == "landlock" else "wrote outside its folder: code cell 3"
    )
    assert outcome.problem.startswith(said)


@pytest.mark.parametrize("wall", CLOSED)
def test_nothing_of_others_is_read(wall, outside):
    outcome = attack("reads-others", wall, "found", OUTSIDE=str(outside))
    assert (outcome.answers, outcome.problem) == ({"found": []}, "")


def test_without_walls_the_same_notebook_reads_all_of_it(outside):
    """The counterpart: the attack works where nothing keeps it off."""
    assert "another's answer is 7" in attack("reads-others", "plain", "found", OUTSIDE=str(outside)).answers["found"]


SEARCH = """
import json, os, sys
from mixedsim.classroom.walled.sandbox import run_notebook
from mixedsim.classroom.walled.walls import works
notebook, kinds, outside = json.loads(sys.stdin.read())
given = {"OUTSIDE": outside, "GRADER": str(os.getpid())}
print(json.dumps({
    kind: dict(run_notebook(notebook, names=["found"], timeout=60, wall=kind, environment=given).answers)
    for kind in kinds if works(kind)
}))
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """What is found of the secret behind each kind of wall, when the grader has it in its environment."""
    if sys.platform != "linux":
        pytest.skip("there is no /proc to look into")
    outside = tmp_path_factory.mktemp("course")
    (outside / "secret").write_text(SECRET)
    done = subprocess.run(
        [sys.executable, "-c", SEARCH],
        input=json.dumps([adversary("reads-the-secret"), KINDS, str(outside)]),
        env=os.environ | {SECRET_VARIABLE: SECRET, "ANOTHER_TOKEN": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("wall", CLOSED)
def test_the_secret_is_nowhere(wall, searched):
    if wall not in searched:
        pytest.skip(f"walls of the kind {wall!r} do not stand on this machine")
    assert searched[wall] == {"found": []}


def test_without_walls_the_graders_memory_is_still_closed(searched):
    (found,) = searched["limits"].values()
    assert [os.path.basename(place) for place in found] == ["secret"]  # but every file of the grader's is open


def test_the_secret_is_not_passed_on_by_mistake():
    with pytest.raises(MixedsimError, match="must not reach a student's notebook: pass the student's own key"):
        attack("sys-exit", "plain", **{SECRET_VARIABLE: SECRET})


@contextmanager
def server(folder):
    """A server on this machine that notes who called: its port, and what it heard."""
    heard = []
    with (
        socket.socket() as stream,
        socket.socket(type=socket.SOCK_DGRAM) as datagram,
        socket.socket(socket.AF_UNIX) as local,
    ):
        stream.bind(("127.0.0.1", 0))
        datagram.bind(stream.getsockname())
        local.bind(str(folder / "socket"))
        stream.listen()
        local.listen()
        for one in (stream, datagram, local):
            one.settimeout(0.2)
        over = threading.Event()

        def listen(one, hear):
            while not over.is_set():
                try:
                    hear(one)
                    heard.append(one.type)
                except TimeoutError:
                    continue

        acts = [(stream, socket.socket.accept), (datagram, lambda one: one.recv(9)), (local, socket.socket.accept)]
        threads = [threading.Thread(target=listen, args=act) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield stream.getsockname()[1], heard
        finally:
            over.set()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize("wall", CLOSED)
@pytest.mark.skipif(sys.platform != "linux", reason="walls of Linux")
def test_nobody_is_called(wall, tmp_path):
    with server(tmp_path) as (port, heard):
        outcome = attack("uses-the-network", wall, "x", PORT=str(port), OUTSIDE=str(tmp_path))
    assert heard == []
    assert outcome.answers == {"x": 1}
    assert outcome.problem == "asked for the network, which grading does not have: code cell 3"


@pytest.mark.parametrize("wall", ["limits", "plain"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_without_walls_only_python_itself_refuses_the_network(wall, tmp_path):
    if sys.platform != "linux":
        pytest.skip("local sockets of Linux")
    with server(tmp_path) as (port, heard):
        outcome = attack("uses-the-network", wall, PORT=str(port), OUTSIDE=str(tmp_path))
    assert heard  # this machine calls itself: the server of this test works
    assert outcome.problem == "asked for the network, which grading does not have: code cell 3"


@pytest.mark.parametrize("wall", ["namespaces", "plain"])
def test_a_forged_report_is_one_way_to_type_an_answer(wall):
    outcome = attack("forged-report", wall, "x", "y")
    assert outcome.answers == {"x": 42}
    assert outcome.problem.startswith("crashed: [2J All right xxx")
    assert len(outcome.problem) <= 300


@pytest.mark.parametrize("wall", CLOSED)
def test_the_warden_cannot_be_killed(wall):
    if wall == "landlock" and works(wall) and not _signals_are_scoped():
        pytest.skip("this kernel's Landlock does not keep signals in")
    outcome = attack("kill-the-warden", wall, "x", "y")
    assert (outcome.answers, outcome.problem) == ({"x": 1, "y": 2}, "")


def _signals_are_scoped():
    return landlock_version() >= 6


def test_who_kills_the_warden_is_told_so_and_leaves_nothing():
    outcome = attack("kill-the-warden", "limits", "x", "y")
    assert outcome.answers["x"] == 1
    assert outcome.problem == "crashed: code cell 2 ended the process that watched it"
    assert below_the_nursery() == []


@pytest.mark.parametrize("wall", CLOSED)
def test_no_rights_are_gained_within(wall):
    names = ("made", "mounted", "remounted", "traced")
    outcome = attack("world-within", wall, *names)
    # Landlock lets worlds be made, but nothing be mounted in them.
    made = outcome.answers["made"] if wall == "landlock" else [-1, -1]
    assert outcome.answers == {"made": made, "mounted": -1, "remounted": -1, "traced": -1}


def test_cell_outputs_are_not_believed():
    forged = {"output_type": "execute_result", "data": {"text/plain": "q1 passed! x = 42"}, "metadata": {}}
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [forged], "execution_count": 1}
    notebook = {"cells": [cell], "metadata": {"total": 100, "x": 42}, "nbformat": 4}
    outcome = run_notebook(notebook, names=["x"], timeout=60)
    assert (outcome.answers, outcome.problem) == ({"x": 1}, "")


def test_a_hundred_thousand_cells_end_when_the_time_is_up():
    cells = [{"cell_type": "code", "source": f"x = {i}"} for i in range(100_000)]
    outcome = run_notebook({"cells": cells, "metadata": {}, "nbformat": 4}, names=["x"], timeout=3)
    assert re.fullmatch(r"timed out: code cell \d+ was still running after 3 seconds", outcome.problem)
    assert outcome.answers["x"] >= 0


def test_a_nursery_that_was_killed_is_replaced():
    if not works("limits"):
        pytest.skip("there is a nursery on Linux only")
    old = nursery().process
    os.kill(old.pid, signal.SIGKILL)
    old.wait()
    assert attack("os-exit", "limits", "x").answers == {"x": 1}
    assert nursery().process.pid != old.pid
