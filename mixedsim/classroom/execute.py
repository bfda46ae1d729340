"""The inside of the sandbox: executes one notebook and writes down what its variables hold.

Started by `mixedsim.classroom.sandbox` as ``python -m mixedsim.classroom.execute NOTEBOOK ANSWERS NAME...`` in a
process and a folder of its own. This process runs the student's code and therefore knows nothing: no hidden test
and no right answer is in its memory or its folder. What comes back is data in JSON, never objects.

IPython's shell runs the cells (magics, ``!``, top-level ``await`` work as in Jupyter) without Jupyter's kernel: no
second process to start and to clean up, no network port, about a second less for each notebook.
"""

from __future__ import annotations

import json
import os
import sys
import types
from numbers import Real
from pathlib import Path
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

LONGEST_ANSWER: Final = 100_000  # characters of JSON; no exercise asks for more
LONGEST_ERROR: Final = 200
_ABSENT: Final = object()


def main(arguments: list[str]) -> None:
    """Execute the notebook and keep the answers file up to date: before every cell and after the last."""
    notebook, answers, *names = arguments
    cells = code_cells(json.loads(Path(notebook).read_text(encoding="utf-8")))
    _silence_checks()
    shell = _new_shell()
    errors: list[str] = []
    for number, source in enumerate(cells, start=1):
        _write(Path(answers), _collect(shell.user_ns, names), errors, cell=number, done=False)
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            errors.append(f"code cell {number} raised {_one_line(error)}")
    _write(Path(answers), _collect(shell.user_ns, names), errors, cell=len(cells), done=True)


def code_cells(notebook: dict[str, Any]) -> list[str]:
    """Sources of the code cells of a notebook in format 4, each as one text."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def plain(value: Any, *, depth: int = 4) -> Any:
    """`value` as JSON knows it: numbers, text, lists and dictionaries; an absent mark for anything else.

    NumPy's scalars become numbers, arrays and Series with one value become that value, other arrays lists, Series
    dictionaries. The three dots of an unanswered question become None.
    """
    if value is ...:
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value  # numpy.float64 is a float; JSON makes it one
    if isinstance(value, Real):
        return float(value)
    if depth == 0:
        return _ABSENT
    if getattr(value, "size", None) == 1 and hasattr(value, "item"):
        return plain(value.item(), depth=depth - 1)
    if isinstance(value, (list, tuple)):
        return _all_present([plain(item, depth=depth - 1) for item in value])
    if isinstance(value, dict):
        items = {str(key): plain(item, depth=depth - 1) for key, item in value.items()}
        return items if _ABSENT not in items.values() else _ABSENT
    if hasattr(value, "to_dict") and getattr(value, "ndim", 0) == 1:
        return plain(value.to_dict(), depth=depth - 1)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth=depth - 1)
    return _ABSENT


def _all_present(items: list[Any]) -> Any:
    return _ABSENT if any(item is _ABSENT for item in items) else items


def _collect(namespace: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The variables called `names` as plain data; those that are unset, too long or no data are left out."""
    answers = {}
    for name in namespace.keys() & set(names):
        try:
            value = plain(namespace[name])
            if value is not _ABSENT and len(json.dumps(value)) <= LONGEST_ANSWER:
                answers[name] = value
        except Exception:  # whatever a student's object does when it is asked, it is no answer
            continue
    return answers


def _write(path: Path, answers: dict[str, Any], errors: list[str], *, cell: int, done: bool) -> None:
    """Replace the answers file in one step: the process may be killed at any moment."""
    draft = path.with_suffix(".draft")
    record = {"answers": answers, "errors": errors[:1], "n_errors": len(errors), "cell": cell, "done": done}
    draft.write_text(json.dumps(record), encoding="utf-8")
    os.replace(draft, path)


def _one_line(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else error  # without the cell's made-up file name
    text = f"{type(error).__name__}: {said}".strip().removesuffix(":")
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 1] + "…"


def _silence_checks() -> None:
    """Make ``grader.check(...)`` do nothing: visible checks are for the student, grading happens elsewhere."""

    class Notebook:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

    otter = types.ModuleType("otter")
    otter.Notebook = Notebook  # type: ignore[attr-defined]
    sys.modules["otter"] = otter


class _Shell(InteractiveShell):
    """IPython's shell without a window system: ``%matplotlib`` of any kind works and opens nothing.

    There is nobody to leave either: ``exit()`` and ``quit()`` do nothing, and the cells after them are executed.
    """

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing."""

    def enable_matplotlib(self, gui: Any = None) -> tuple[str, str]:
        """Do nothing: ``MPLBACKEND`` has chosen, and ``%matplotlib widget`` would ask for a package of its own."""
        return "agg", "agg"

    def ask_exit(self) -> None:
        """Do nothing."""


def _new_shell() -> Any:  # the methods of IPython's shell are not annotated
    settings = Config()
    settings.HistoryManager.enabled = False
    return _Shell.instance(config=settings)


if __name__ == "__main__":
    main(sys.argv[1:])
