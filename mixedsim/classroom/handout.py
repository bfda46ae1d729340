"""One data set for every student of a roster, each with its key, in a folder that is complete or can be completed.

.. code-block:: text

    out/data-ab123.csv         what the student gets
    out/codebook.txt           what the columns are, for students
    out/keys/key-ab123.json    the truth of that data set
    out/keys/codebook.txt      the instructor's codebook, with what is hidden
    out/keys/manifest.json     what the folder is made from, and for every student: file, seed, SHA-256, rows

Every file appears whole or not at all, and a student's key after the data. So whatever interrupts the work, a student
with a key is complete; the next run keeps those and makes the others. The seed of a student depends on the id, the
population's fingerprint and the course's secret, and on nothing else: neither on who else is on the roster nor on its
order, so that one student's data can be made again at any time, byte by byte.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mixedsim.classroom.roster import file_names
from mixedsim.classroom.seeds import course_secret, seed_for
from mixedsim.errors import MixedsimError
from mixedsim.files import draft
from mixedsim.simulate import Population
from mixedsim.simulate.answer_key import key_to

_KEYS: Final = "keys"
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1  # of the folder; one more whenever a version makes other files, or other data of the same seed


@dataclass(frozen=True)
class Handout:
    """What has become of one student: the file, and whether it was there already."""

    student: str
    file: str
    kept: bool


def seed_of(population: Population, student: str, *, secret: str | None = None) -> int:
    """The seed of a student's data from a population; the same everywhere and at any time.

    Parameters
    ----------
    student : the id; capitals and outer blanks do not matter.
    secret : the course's; by default that of the environment, see `course_secret`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.classroom.handout import seed_of
    >>> clinic = ms.scenarios.therapist_plain()
    >>> seed_of(clinic, "AB123", secret="") == seed_of(clinic, "ab123 ", secret="")
    True
    """
    return seed_for(population.fingerprint, student, secret=secret)


def hand_out(
    population: Population,
    students: list[str],
    folder: Path,
    *,
    secret: str | None = None,
    lesson: bool = False,
    force: bool = False,
) -> Iterator[Handout]:
    """Write what is missing of a folder, student by student; see the module for what is in it.

    Parameters
    ----------
    students : ids, as `read_roster` gives them.
    secret : the course's; by default that of the environment.
    lesson : whether every data set must show the population's lesson.
    force : write everything again, also over files of another population.

    Raises
    ------
    MixedsimError
        If two ids would share a file; or if the folder was made from another population, secret or lesson, or by a
        version that makes other data, or holds a data file that is not as it was written. Then nothing is written (with
        `force` all is written again).
    """
    names = file_names(students)
    secret = course_secret() if secret is None else secret
    made_from = {
        "format": _FORMAT,
        "population": population.name,
        "fingerprint": population.fingerprint,
        "lesson": lesson,
        # Tells two secrets apart and tells neither.
        "secret": hashlib.blake2b(secret.encode(), digest_size=8, person=b"mixedsim-which").hexdigest(),
    }
    told = {} if force else _manifest(folder)
    _check_same(folder, told, made_from)
    # Without a manifest nobody knows what the keys that lie there belong to.
    done = {student: _complete(folder, names[student]) for student in students} if told else {}
    return _written(population, names, folder, secret, lesson, made_from, told, {s: d for s, d in done.items() if d})


def _written(
    population: Population,
    names: Mapping[str, str],
    folder: Path,
    secret: str,
    lesson: bool,
    made_from: Mapping[str, Any],
    told: Mapping[str, Any],
    done: Mapping[str, Mapping[str, Any]],
) -> Iterator[Handout]:
    """The work itself; the manifest is written first, so that the folder says what it is, and last."""
    _make(folder / _KEYS)
    if not told:
        for old in (folder / _KEYS).glob("key-*.json"):  # or the next run would take their data for finished
            old.unlink()
    listed: dict[str, Any] = {**told.get("students", {}), **done}
    _write_json(folder / _KEYS / _MANIFEST, {**made_from, "students": listed})
    _write(folder / "codebook.txt", f"{population.codebook(hidden=False)}\n".encode())
    _write(folder / _KEYS / "codebook.txt", f"{population.codebook()}\n".encode())
    try:
        for student, name in names.items():
            if student not in done:
                listed[student] = _draw(population, student, name, folder, secret, lesson)
            yield Handout(student, f"data-{name}.csv", kept=student in done)
    finally:
        _write_json(folder / _KEYS / _MANIFEST, {**made_from, "students": listed})


def _draw(population: Population, student: str, name: str, folder: Path, secret: str, lesson: bool) -> dict[str, Any]:
    """Write data and key of one student, and give back the manifest's entry."""
    sample = population.draw(seed_of(population, student, secret=secret), lesson=lesson)
    text = io.StringIO()
    sample.data.to_csv(text, index=False, lineterminator="\n")
    data = text.getvalue().encode()
    entry = {
        "file": f"data-{name}.csv",
        "seed": sample.truth.seed,
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows": len(sample.data),
    }
    _write(folder / f"data-{name}.csv", data)
    _write_json(folder / _KEYS / f"key-{name}.json", {"student": student, **entry, "key": key_to(sample).to_dict()})
    return entry


def _complete(folder: Path, name: str) -> dict[str, Any] | None:
    """The manifest's entry of a student whose data and key are there; None if something is missing.

    Raises `MixedsimError` if the data are not those that were written.
    """
    data, key = folder / f"data-{name}.csv", folder / _KEYS / f"key-{name}.json"
    if not data.is_file() or not key.is_file():
        return None
    written = _read_json(key)
    entry = {field: written.get(field) for field in ("file", "seed", "sha256", "rows")}
    if hashlib.sha256(data.read_bytes()).hexdigest() != entry["sha256"]:
        problem = "has been changed since it was written: delete it, and it is drawn again"
        raise MixedsimError(f"{str(data)!r} {problem}; or use --force to draw all again.")
    return entry


def _manifest(folder: Path) -> dict[str, Any]:
    """What the folder's manifest says; nothing where there is none."""
    path = folder / _KEYS / _MANIFEST
    return _read_json(path) if path.exists() else {}


def _check_same(folder: Path, told: Mapping[str, Any], made_from: Mapping[str, Any]) -> None:
    """Raise if the folder was made from something else: a course must not get two kinds of data."""
    if not told:
        return
    other = "another population, or another version of mixedsim"
    said = {"format": other, "fingerprint": other, "lesson": "another choice of --lesson", "secret": "another secret"}
    told = {"format": 1, **told}  # the first folders did not say theirs
    for field, what in said.items():
        if told.get(field) != made_from[field]:
            raise MixedsimError(
                f"{str(folder)!r} holds data from {what}: choose another folder, or use --force to draw all again."
            )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MixedsimError(f"cannot make the folder {str(folder)!r}: {error.strerror or error}.") from None


def _write(path: Path, contents: bytes) -> None:
    with draft(str(path), force=True) as beside:
        beside.write_bytes(contents)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write(path, (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        read = None
    if not isinstance(read, dict):
        raise MixedsimError(f"{str(path)!r} is not as it was written: delete it, or use --force to draw all again.")
    return read
