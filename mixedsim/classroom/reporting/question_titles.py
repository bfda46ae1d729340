"""What the questions of an assignment are called: the headings of the notebook that students were handed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

_HEADING: Final = re.compile(r"^#{1,4}\s*Question\s+(\d+)\s*[:.–-]\s*(.+?)\s*#*$", re.MULTILINE)


def question_titles(built: Path, assignment: str) -> dict[str, str]:
    """For each question ("q1") its heading without "Question 1:"; empty where the notebook was not built.

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
    return {f"q{number}": title for number, title in _HEADING.findall(text)}
