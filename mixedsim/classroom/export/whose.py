"""For whom variants are made, and of which source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mixedsim.classroom.seeds import course_secret, student_key
from mixedsim.errors import MixedsimError, nearest

MOST = 5000  # far more variants than a platform takes


def anonymous(count: int, *, secret: str | None = None) -> dict[str, bytes]:
    """Keys of variants that belong to nobody: v001, v002, …

    Parameters
    ----------
    count : how many, up to 5,000.
    secret : the course's; by default that in the environment. Without one, everybody who has the exercises' keys can
        compute the answers.

    Examples
    --------
    >>> list(anonymous(3))
    ['v001', 'v002', 'v003']
    """
    if not 1 <= count <= MOST:
        raise MixedsimError(f"the number of variants must be 1 to {MOST:,}, found {count:,}.")
    secret, width = course_secret() if secret is None else secret, max(3, len(str(count)))
    ids = [f"v{number:0{width}d}" for number in range(1, count + 1)]
    return {one: student_key(one, secret=secret) for one in ids}


def find_source(assignment: str, sources: Sequence[Path]) -> Path:
    """The source of an assignment, by its name or by its file's.

    Raises
    ------
    MixedsimError
        If there is none.
    """
    if assignment.endswith(".md") and Path(assignment).is_file():
        return Path(assignment)
    for source in sources:
        if assignment in (source.stem, source.name):
            return source
    raise MixedsimError(f"there is no assignment {assignment!r}; {nearest(assignment, [one.stem for one in sources])}")
