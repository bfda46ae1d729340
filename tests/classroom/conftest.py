"""One build of the exercises, shared by all tests (and by all of pytest's worker processes)."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mixedsim.classroom.build import Built, build
from mixedsim.classroom.desk.course import Course, new
from mixedsim.classroom.marking import Own

SOURCES = Path(__file__).parents[2] / "exercises"
NAME = "01-therapists"


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker to ask for it fills with `make`, while the others wait."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, ready = root / name, root / f"{name}.ready"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 120
        while not ready.exists():
            assert time.monotonic() < deadline, f"{name} was never finished; see the other worker's error"
            time.sleep(0.1)
        return folder
    make(folder)
    ready.touch()
    return folder


@pytest.fixture(scope="session")
def shared_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """``shared_once(name, make)``: a folder that `make` fills once for all tests and worker processes."""
    return lambda name, make: once(tmp_path_factory, name, make)


@pytest.fixture(scope="session")
def exercises(shared_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The folder in which the first exercise of the repository is built; the others are as it is."""
    return shared_once("built-exercises", lambda folder: build(SOURCES / f"{NAME}.md", output=folder))


SECRET = "tea at four, and a biscuit"
ROSTER = """\
student,name,email,ID,Identifier,Section
anna,Anna Li,anna@uni.example,4711,Participant 101,A
ben,Ben de Vries,ben@uni.example,4712,Participant 102,B
Zoë-3,Zoë Young,zoe@uni.example,4713,Participant 103,A
carla,,,,,
"""


@pytest.fixture(scope="session")
def course(shared_once: Callable[[str, Callable[[Path], object]], Path]) -> Course:
    """A course with a secret, in which the first exercise is built; tests copy what they change."""

    def make(folder: Path) -> None:
        made = new(folder / "course", title="Spring", exercises=SOURCES)
        (made / "roster.csv").write_text(ROSTER, encoding="utf-8")
        (made / "secret").write_text(SECRET, encoding="utf-8")  # so that everybody's data are always the same
        build(SOURCES / f"{NAME}.md", output=made / "built", course=Course.load(made).mark)

    return Course.load(shared_once("a-course", make) / "course")


@pytest.fixture(scope="session")
def built(exercises: Path) -> Built:
    return Built(NAME, exercises / NAME)


@pytest.fixture(scope="session")
def solution(built: Built) -> dict[str, Any]:
    """The notebook with the source's own solutions."""
    return json.loads(built.solution.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def handed_out(built: Built) -> dict[str, Any]:
    """The notebook as a student gets it."""
    return json.loads(built.student.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def edited() -> Callable[..., dict[str, Any]]:
    """``edited(solution, icc="0.5")``: a copy of a notebook with other right-hand sides."""
    return _edited


def _edited(notebook: dict[str, Any], **answers: str) -> dict[str, Any]:
    copy = json.loads(json.dumps(notebook))
    for name, code in answers.items():
        hits = 0
        for cell in copy["cells"]:
            lines = "".join(cell["source"]).split("\n")
            for i, line in enumerate(lines):
                if cell["cell_type"] == "code" and line.startswith(f"{name} = "):
                    lines[i], hits = f"{name} = {code}", hits + 1
            cell["source"] = "\n".join(lines)
        assert hits == 1, f"{name} is assigned {hits} times"
    return copy


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest) -> Own:
    """Anna's data for the assignment that a module calls NAME."""
    return Own(request.module.NAME, "anna")


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, own: Own) -> dict[str, Any]:
    """Her right answers by variable, of the key that a module calls KEY."""
    return {question.variable: question.right_answer(own) for question in request.module.KEY.questions}
