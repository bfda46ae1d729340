"""What became of one notebook that was handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mixedsim.classroom.marking import Verdict


@dataclass(frozen=True)
class Graded:
    """What became of one notebook.

    Attributes
    ----------
    file : its path within what was handed in.
    sha256 : of its contents; ``""`` if they cannot be read.
    assignment, student : whose answers to what; ``""`` where that could not be found out.
    version : of the key that it was marked with.
    claimed : the id in the notebook.
    status : ``"graded"``, or what happened (``"crashed: …"``, ``"timed out: …"``, ``"unreadable: …"``).
    maximum : the points that the assignment is worth.
    verdicts : the marks of its questions.
    kinds : question -> its kind and level.
    seconds : that it took.
    """

    file: str
    sha256: str = ""
    assignment: str = ""
    student: str = ""
    version: str = ""
    claimed: str = ""
    status: str = "graded"
    maximum: float = 0.0
    verdicts: Sequence[Verdict] = ()
    kinds: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def points(self) -> dict[str, float]:
        """Points by question."""
        return {verdict.question: verdict.points for verdict in self.verdicts}

    @property
    def total(self) -> float:
        """The points together."""
        return sum(self.points.values())


def as_text(name: str) -> str:
    """A file's name, or an answer, may hold what is no text: it is written out, because not every table can keep it.

    Examples
    --------
    >>> as_text("caf\\udce9.ipynb")
    'caf\\\\udce9.ipynb'
    """
    return name.encode(errors="backslashreplace").decode()
