"""What the questions of an assignment are called: the headings of the notebook that students were handed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

_HEADING: Final = re.compile(r"^#{1,4}\s*Question\s+(\d+)\s*[:.–-]\s*(.+?)\s*#*$", re.MULTILINE)
_STARS: Final = re.compile(r"\s*★+ \([\d.]+ points?\)$")  # what the build adds, and pages show in their own way


def question_titles(built: Path, assignment: str) -> dict[str, str]:
    """For each question ("q1") its heading without "Question 1:", stars and points; empty where nothing was built.

    Parameters
    ----------
    built : the folder that ``mixedsim exercises build`` has filled.
    assignment : its name.
    """
    path = built / assignment / "student" / f"{assignment}.ipynb"
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "markdown")
    return {f"q{number}": _STARS.sub("", title) for number, title in _HEADING.findall(text)}
