"""The gradebook: an SQLite file that keeps every grading, and what the instructor has changed by hand.

=============== ====================================================================================================
`runs`          one row for each time that submissions were graded; one without `finished` was interrupted
`submissions`   one row for each notebook that was graded, and again when it is graded again: nothing is replaced
`handed_in`     which files a run has seen, and which row of `submissions` says what became of each
`marks`         the questions of each of these
`adjustments`   what was changed by hand: it belongs to student, assignment and question, and so outlives regrading
=============== ====================================================================================================

Every notebook is one transaction. SQLite's rollback journal undoes on opening what was not finished, so that the file
is whole whenever its process is killed. Its write-ahead log would do so too, and faster, but with two files beside the
gradebook, which people forget to copy, and not on network disks, where courses often lie.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pandas as pd

from mixedsim.classroom.desk.gradebook_tables import APPLICATION, FORMAT, MARKS, POINTS, SUBMISSIONS, TABLES
from mixedsim.classroom.desk.graded import Graded, as_text
from mixedsim.classroom.seeds import student_id
from mixedsim.errors import MixedsimError, nearest

_PATIENCE: Final = 30.0  # seconds to wait for another process that is writing


class Gradebook:
    """The gradebook in a file, which is made if it does not exist; ``":memory:"`` keeps it for this process alone.

    Raises
    ------
    MixedsimError
        If the file is no gradebook, or one of a later version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        try:
            self._db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
            self._open()
        except sqlite3.DatabaseError as error:
            raise MixedsimError(f"cannot open the gradebook {self.path!r}: {error}.") from None

    def _open(self) -> None:
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            (application,) = self._db.execute("PRAGMA application_id").fetchone()
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables and application != APPLICATION:
                raise MixedsimError(f"{self.path!r} is a database, but no gradebook: choose another name.")
            if version > FORMAT:
                raise MixedsimError(f"{self.path!r} was made by a later version of mixedsim: use that one.")
            if not tables:
                for statement in TABLES.strip().split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {FORMAT}")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that the block writes, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def begin(self, source: str, *, walls: str = "", again: bool = False) -> int:
        """The number of a run over what lies at `source`: a new one, or the last one if it was interrupted there.

        Parameters
        ----------
        source : what was handed in.
        walls : what stands between the notebooks and everything else, for the record.
        again : whether all is graded again; such a run is another one than the usual.
        """
        with self._transaction():
            last = self._db.execute("SELECT run, source, again, finished FROM runs ORDER BY run DESC LIMIT 1")
            run, *told = last.fetchone() or (0, "", 0, "")
            if told == [source, again, None]:
                self._db.execute("UPDATE runs SET walls = ? WHERE run = ?", (walls, run))
                return int(run)
            columns = "INSERT INTO runs (source, walls, again, started) VALUES (?, ?, ?, ?)"
            added = self._db.execute(columns, (source, walls, again, _now()))
            return int(added.lastrowid or 0)

    def finish(self, run: int) -> None:
        """Note that all of a run is graded."""
        with self._transaction():
            self._db.execute("UPDATE runs SET finished = ? WHERE run = ?", (_now(), run))

    def known(self, file: str, sha256: str) -> tuple[Graded, int] | None:
        """The latest grading of a file with these contents, without its marks, and its run; None if there was none."""
        found = self._db.execute(
            "SELECT assignment, version, student, claimed, status, run FROM submissions WHERE file = ? AND sha256 = ? "
            "ORDER BY submission DESC LIMIT 1",
            (file, sha256),
        ).fetchone()
        if found is None:
            return None
        assignment, version, student, claimed, status, run = found
        return Graded(file, sha256, assignment, student, version, claimed, status), int(run)

    def keep(self, run: int, files: Mapping[str, str]) -> None:
        """Note that files (name -> SHA-256) were handed in again, and that their latest grading stands."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO handed_in (run, file, submission) VALUES "
                "(?1, ?2, (SELECT max(submission) FROM submissions WHERE file = ?2 AND sha256 = ?3))",
                [(run, file, sha256) for file, sha256 in files.items()],
            )

    def add(self, run: int, graded: Graded) -> None:
        """Write what became of one notebook, in one transaction."""
        with self._transaction():
            added = self._insert(
                "INSERT INTO submissions (run, file, sha256, assignment, version, student, claimed, status, total, "
                "max, graded, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run, graded.file, graded.sha256, graded.assignment, graded.version, graded.student, graded.claimed,
                    graded.status, graded.total, graded.maximum, _now(), graded.seconds,
                ),
            )  # fmt: skip
            submission = added.lastrowid
            for position, one in enumerate(graded.verdicts, start=1):
                self._insert(
                    "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        submission, one.question, position, *graded.kinds.get(one.question, ("", 0)), one.points,
                        one.maximum, one.outcome, one.misconception, one.feedback, one.given, one.right,
                    ),
                )  # fmt: skip
            self._insert("INSERT OR REPLACE INTO handed_in VALUES (?, ?, ?)", (run, graded.file, submission))

    def _insert(self, command: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        return self._db.execute(command, [as_text(value) if isinstance(value, str) else value for value in values])

    def adjust(self, student: str, assignment: str, question: str, points: float | None, reason: str) -> None:
        """Put other points in the place of those that were computed, now and whenever the notebook is graded again.

        Parameters
        ----------
        student, assignment, question : of a notebook that has been graded.
        points : from 0 to what the question is worth; None takes an adjustment back.
        reason : one sentence, which the student reads too.

        Raises
        ------
        MixedsimError
            If there is no such mark, the points are out of bounds, or there is no reason.
        """
        student = student_id(student)
        maximum = self._maximum(student, assignment, question)
        if points is not None and not 0 <= points <= maximum:
            raise MixedsimError(f"the points of {question} must lie between 0 and {maximum:g}, found {points:g}.")
        if not reason.strip():
            raise MixedsimError("an adjustment needs a reason, one sentence that the student reads too.")
        with self._transaction():
            self._db.execute(
                "INSERT INTO adjustments (student, assignment, question, points, reason, made) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (student, assignment, question, points, reason.strip(), _now()),
            )

    def _maximum(self, student: str, assignment: str, question: str) -> float:
        """What a question is worth, if the student has a mark for it."""
        marks, place = self.marks(), "the gradebook"
        for column, value in (("student", student), ("assignment", assignment), ("question", question)):
            known = marks[column].drop_duplicates().to_list()
            if value not in known:
                raise MixedsimError(f"{place} has no marks for the {column} {value!r}; {nearest(value, known)}")
            marks, place = marks[marks[column] == value], repr(value)
        return float(marks["max"].iloc[0])

    def submissions(self) -> pd.DataFrame:
        """One row for each grading of a notebook, the first graded first.

        Columns: ``submission`` (a number), ``run``, ``file``, ``sha256``, ``assignment``, ``student`` (whose it is),
        ``claimed`` (the id in the notebook), ``status``, ``total`` (with adjustments, where it counts), ``max``,
        ``graded`` (when), ``seconds``, ``current`` (whether it is what counts for this student and assignment).
        """
        return self._table(f"{SUBMISSIONS} ORDER BY s.submission").astype({"current": bool})

    def of_run(self, run: int) -> pd.DataFrame:
        """The rows of `submissions` that stand for what a run has seen, in the order of the files' names."""
        query = f"{SUBMISSIONS} JOIN handed_in h ON h.submission = s.submission WHERE h.run = ? ORDER BY s.file"
        return self._table(query, run).astype({"current": bool})

    def points_of(self, run: int) -> pd.DataFrame:
        """The points of all questions that a run has seen: ``submission, question, points``, with adjustments."""
        return self._table(POINTS, run)

    def marks(self, assignment: str | None = None) -> pd.DataFrame:
        """The marks that count: of each student and assignment those of the latest notebook, adjustments applied.

        Columns: ``student, assignment, question, kind, level, points, max, outcome, misconception, feedback, given,
        right, adjusted`` (whether by hand), ``reason`` (of that), ``submission, file, status``.
        """
        marks = self._table(MARKS).astype({"adjusted": bool})
        return marks if assignment is None else marks[marks["assignment"] == assignment].reset_index(drop=True)

    def history(self, student: str, assignment: str) -> pd.DataFrame:
        """All gradings of one student's notebooks for one assignment, as in `submissions`, the first graded first."""
        query = f"{SUBMISSIONS} WHERE s.student = ? AND s.assignment = ? ORDER BY s.submission"
        return self._table(query, student_id(student), assignment).astype({"current": bool})

    def adjustments(self) -> pd.DataFrame:
        """All that was changed by hand, also what was taken back: ``student, assignment, question, points, …``."""
        return self._table(
            "SELECT student, assignment, question, points, reason, made FROM adjustments ORDER BY adjustment"
        )

    def runs(self) -> pd.DataFrame:
        """The runs: ``run, source, walls, again, started, finished``."""
        return self._table("SELECT run, source, walls, again, started, finished FROM runs ORDER BY run")

    def _table(self, query: str, *parameters: Any) -> pd.DataFrame:
        found = self._db.execute(query, parameters)
        return pd.DataFrame(found.fetchall(), columns=[column[0] for column in found.description])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
