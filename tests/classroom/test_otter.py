"""Otter's own grader, on the archive that we build: the same marks as ours."""

from __future__ import annotations

import json
import subprocess
import sys

from mixedsim.classroom.build import with_student


def test_otter_grades_a_solution_and_a_wrong_answer(built, solution, edited, tmp_path):
    notebook = with_student(edited(solution, kept="1 - between / (between + within / n)"), "anna")
    (tmp_path / "handed-in.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "from otter.cli import cli; cli()",
        "run",
        "-a",
        str(built.autograder),
        "-o",
        str(tmp_path),
    ]
    subprocess.run(
        [*command, str(tmp_path / "handed-in.ipynb")], cwd=tmp_path, check=True, capture_output=True, timeout=120
    )
    results = json.loads((tmp_path / "results.json").read_text())
    scores = {test["name"]: test["score"] for test in results["tests"] if "score" in test}
    assert scores["q4"] == 0
    assert all(score > 0 for name, score in scores.items() if name != "q4")
    said = next(test["output"] for test in results["tests"] if test["name"] == "q4")
    assert "asked was the other part" in said
