"""Questions with per-student data for learning platforms: Moodle XML, and QTI 1.2 for Canvas.

The texts come from an exercise's source, the right answers and those of usual mistakes from its key, computed for each
student from the very file that the question hands out.

Neither platform was at hand when this was written: it follows their own readers and markers, which are free software.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from mixedsim.classroom.export import moodle, qti
from mixedsim.classroom.export.qti_item import survives_rounding
from mixedsim.classroom.export.summary import summary
from mixedsim.classroom.export.variants import Exam, Variant, read_exam
from mixedsim.errors import MixedsimError
from mixedsim.files import draft

Format = Literal["moodle", "canvas"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

__all__ = ["FORMATS", "Exam", "Format", "Variant", "canvas_qti", "moodle_xml", "read_exam", "summary"]


def moodle_xml(exam: Exam, variants: Sequence[Variant], target: str, *, force: bool = False) -> None:
    """Write variants as a Moodle XML file.

    Parameters
    ----------
    exam : see `read_exam`.
    variants : from ``exam.variants(keys)``.
    target : the file; it appears whole or not at all.
    force : whether to replace a file that exists.

    Raises
    ------
    MixedsimError
        If the file cannot be written, or exists.

    Examples
    --------
    >>> from pathlib import Path
    >>> exam = read_exam(Path("exercises/01-therapists.md"))  # doctest: +SKIP
    >>> moodle_xml(exam, list(exam.variants({"v001": None})), "quiz.xml")  # doctest: +SKIP
    """
    with draft(target, force=force) as path, path.open("w", encoding="utf-8", newline="\n") as file:
        moodle.write(exam, variants, file)


def canvas_qti(exam: Exam, variants: Sequence[Variant], target: str, *, force: bool = False) -> Mapping[str, str]:
    """Write variants as a zip archive that Canvas imports, and return which questions are not in it, and why.

    Parameters and errors are those of `moodle_xml`.
    """
    lost = {name: _TOO_SMALL for name in exam.exported if not all(survives_rounding(v.items[name]) for v in variants)}
    questions = [name for name in exam.exported if name not in lost]
    if not questions:
        raise MixedsimError(f"{exam.key.name} has no question that Canvas can mark: {_TOO_SMALL}.")
    with draft(target, force=force) as path, io.FileIO(path, "w") as file:
        qti.write(exam, questions, variants, file)
    return lost


_TOO_SMALL: Final = "Canvas rounds what is typed to four decimals, which is too few for its answer"
