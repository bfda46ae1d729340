"""How long a class takes to grade, and whether a grading that was killed half-way ends with the same grades.

Run ``python benchmarks/grading.py [--students 200] [--jobs 2]``; the table is printed and written to
``benchmarks/results/grading.md``. Every student of a made-up roster hands in the first exercise: most of them the
solution, the others with usual mistakes, a cell that crashes, an endless loop, somebody else's id, or a broken file.
The class is graded once without interruption. It is graded once more by a process of its own, which is killed (SIGKILL,
its workers with it) when half of the notebooks are graded, and then resumed. Times are by the clock on the wall, with
all that belongs to them: starting Python, its workers, and the walls.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pandas as pd

import mixedsim
from mixedsim.classroom.build import build, with_student
from mixedsim.classroom.desk.course import Course, new
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.walled.walls import walls

NAME = "01-therapists"
SOURCES = Path(__file__).parents[1] / "exercises"
RESULTS = Path(__file__).parent / "results" / "grading.md"
TIMEOUT = 20
# Of every twenty students one does each of these; the others hand in the solution.
HABITS = {
    1: ("slope", "__import__('numpy').polyfit(data['hours'], data['score'], 1)[0]"),
    2: ("icc", "between**0.5 / (between**0.5 + within**0.5)"),
    3: ("model", "'score ~ hours + boarding + (1 | tutor)'"),
    4: ("slope", "varying.fixef['hour']"),
    5: ("kept", "1 - between / (between + within / n)"),
}
LOOPS, BORROWS, BROKEN = 50, 6, 7  # of every fifty one; of every twenty one each


def hand_in(course: Course, folder: Path) -> None:
    """Write every student's notebook, in a folder called by the student's id."""
    solution = json.loads((course.built / NAME / "autograder" / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    text = json.dumps(solution).replace("student=student)", f'student=student, course=\\"{course.mark}\\")')
    for number, student in enumerate(course.roster):
        named = course.roster[number - 1] if number % 20 == BORROWS else student
        notebook = with_student(json.loads(text), named)
        if number % 20 in HABITS:
            replace_answer(notebook, *HABITS[number % 20])
        if number % LOOPS == LOOPS - 1:
            replace_answer(notebook, "slope", "all(zero == 0 for zero in iter(int, 1))")
        path = folder / student / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text("{" if number % 20 == BROKEN else json.dumps(notebook), encoding="utf-8")


def replace_answer(notebook: dict, name: str, code: str) -> None:
    """Put another right-hand side into the line ``name = …``."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = re.sub(rf"(?m)^{name} = .*$", f"{name} = {code}", "".join(cell["source"]))


def command(course: Course, folder: Path, gradebook: Path, output: Path, jobs: int) -> list[str]:
    """What an instructor would type."""
    return [
        sys.executable, "-m", "mixedsim.cli", "grade", str(folder), "--course", str(course.folder), "--gradebook",
        str(gradebook), "-o", str(output), "--jobs", str(jobs), "--timeout", str(TIMEOUT),
    ]  # fmt: skip


def graded(gradebook: Path) -> int:
    """Notebooks in a gradebook."""
    if not gradebook.is_file():
        return 0
    with Gradebook(gradebook) as book:
        return len(book.submissions())


def killed_half_way(arguments: list[str], gradebook: Path, half: int) -> tuple[float, int]:
    """Seconds until the grader was killed, and what it had graded."""
    started = time.perf_counter()
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL, start_new_session=True) as grader:
        while graded(gradebook) < half:
            if grader.poll() is not None:
                raise SystemExit("the grader ended before it could be killed")
            time.sleep(0.05)
        os.killpg(grader.pid, signal.SIGKILL)
    return time.perf_counter() - started, graded(gradebook)


def timed(arguments: list[str]) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(arguments, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Grade, kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        folder = new(root / "course", exercises=SOURCES)
        (folder / "roster.csv").write_text("student\n" + "".join(f"s{k:04d}\n" for k in range(options.students)))
        course = Course.load(folder)
        build(SOURCES / f"{NAME}.md", output=course.built, course=course.mark)
        hand_in(course, root / "submissions")
        busy = os.getloadavg()[0]

        def arguments(name: str) -> list[str]:
            return command(course, root / "submissions", root / f"{name}.sqlite", root / f"{name}.csv", options.jobs)

        whole = timed(arguments("whole"))
        again = timed([*arguments("whole"), "--force"])
        until, done = killed_half_way(arguments("parts"), root / "parts.sqlite", options.students // 2)
        rest = timed(arguments("parts"))
        one, other = (pd.read_csv(root / f"{name}.csv") for name in ("whole", "parts"))
        with Gradebook(root / "whole.sqlite") as book, Gradebook(root / "parts.sqlite") as parts:
            seconds = book.submissions()["seconds"]
            same = book.marks().drop(columns="submission").equals(parts.marks().drop(columns="submission"))
            twice = len(parts.submissions()) - options.students
        statuses = Counter(re.split(r": ", status)[0] for status in one["status"])
        lines = [
            "# Grading a class",
            "",
            f"`python benchmarks/grading.py --students {options.students} --jobs {options.jobs}`: the first exercise, "
            f"{options.students} notebooks, {options.jobs} at a time; Python {platform.python_version()}, mixedsim "
            f"{mixedsim.__version__}. {walls().says}",
            "",
            f"The machine has {os.cpu_count()} cores; other work ran on it meanwhile (load {busy:.1f} at first), and "
            f"the grading at niceness {os.nice(0)}. An idle machine is faster.",
            "",
            "| | seconds |",
            "| --- | --- |",
            f"| all of it, without interruption | {whole:.0f} |",
            f"| for each notebook | {whole / options.students:.2f} |",
            f"| median of one notebook, from reading to marks | {seconds.median():.2f} |",
            f"| the same command again: nothing is left to grade | {again:.1f} |",
            f"| until the kill, {done} notebooks graded | {until:.0f} |",
            f"| the rest, resumed | {rest:.0f} |",
            "",
            f"Grades after kill and resumption equal those without: {'yes' if same and one.equals(other) else 'NO'}; "
            f"notebooks graded twice: {twice}. Statuses: "
            + ", ".join(f"{count} {status}" for status, count in statuses.most_common())
            + f". A notebook that never ends takes its {TIMEOUT} seconds.",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
