"""How far a run is: in a terminal, in a notebook, in a function of the caller's, or nowhere."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from mixedsim import MixedsimError
from mixedsim.study import progress
from mixedsim.study.progress import Tally
from mixedsim.study.running import run_blocks
from tests.study.toy_jobs import Toy


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar appears after a fifth of the usual second."""
    assert progress._DELAY == 1
    monkeypatch.setattr(progress, "_DELAY", 0.2)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def count(wanted: object, stream: io.StringIO, seconds: float = 0.0) -> None:
    """30 of 100 are there; after some seconds there are 50, and then all."""
    with contextlib.redirect_stderr(stream), Tally(wanted, done=30, total=100) as tally:
        time.sleep(seconds)
        tally.add(20)
        tally.add(50)


def test_a_terminal_shows_a_bar_with_the_time_left(terminal):
    pytest.importorskip("tqdm")
    with contextlib.redirect_stderr(terminal), Tally(None, done=30, total=100) as tally:
        time.sleep(0.5)
        tally.add(20)
        text = terminal.getvalue()
    assert "replicates:  50%" in text
    assert "50/100 [00:00<00:01" in text  # 20 in half a second: 50 in more than one


def test_nothing_is_shown_of_what_is_done_at_once(terminal):
    count(None, terminal)
    assert terminal.getvalue() == ""


def test_a_log_file_gets_nothing_unless_it_is_asked_for(log):
    pytest.importorskip("tqdm")
    count(None, log, seconds=0.3)
    assert log.getvalue() == ""
    count(True, log, seconds=0.3)
    assert "100/100" in log.getvalue()


def test_tqdms_own_switch_is_heard(terminal, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    count(None, terminal, seconds=0.3)
    assert terminal.getvalue() == ""


def test_false_shows_nothing(terminal):
    count(False, terminal, seconds=0.3)
    assert terminal.getvalue() == ""


def test_a_function_is_told_from_the_beginning_to_the_end(terminal):
    told: list[tuple[int, int]] = []
    count(lambda *numbers: told.append(numbers), terminal, seconds=0.3)
    assert told == [(30, 100), (50, 100), (100, 100)]
    assert terminal.getvalue() == ""


def test_a_run_tells_how_many_replicates_are_done():
    told: list[tuple[int, int]] = []
    run_blocks(Toy(n=10), progress=lambda *numbers: told.append(numbers))
    assert told == [(0, 10), (4, 10), (8, 10), (10, 10)]


@pytest.mark.parametrize(("widgets", "module"), [(True, "tqdm.notebook"), (False, "tqdm")])
def test_a_notebook_gets_its_own_bar_where_it_can_show_one(monkeypatch, log, widgets, module):
    asked = []

    def bar(**options):
        return SimpleNamespace(update=lambda _: None, close=lambda: None)

    def importing(name):
        asked.append(name)
        return SimpleNamespace(tqdm=bar)

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if widgets else None)
    monkeypatch.setattr("importlib.import_module", importing)
    count(None, log)
    assert asked == [module]


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch, log):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object()))
    monkeypatch.setattr("importlib.import_module", lambda name: pytest.fail("nobody looks"))
    count(None, log)


def test_without_tqdm_a_terminal_stays_silent_and_true_says_what_to_install(monkeypatch, terminal):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    count(None, terminal, seconds=0.3)
    assert terminal.getvalue() == ""
    with pytest.raises(
        MixedsimError,
        match=r"^a progress bar needs the package tqdm: install it with  pip install 'mixedsim\[classroom\]', or leave "
        r"out progress=True\.$",
    ):
        count(True, terminal)


def test_a_bar_is_loaded_when_it_is_shown():
    code = (
        "import sys; from mixedsim.study.running import run_blocks; from tests.study.toy_jobs import Toy;"
        "run_blocks(Toy()); print([m for m in ('tqdm', 'distributed') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
