"""What a notebook's process has reported, put together and put into words; none of it is trusted beyond being data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mixedsim.classroom.walled.limits import Limits, size
from mixedsim.classroom.walled.warden import Verdict

LARGEST_FACT: Final = 5_000_000  # bytes of one line
LARGEST_REPORT: Final = 50_000_000  # bytes of all lines
_LONGEST_PHRASE: Final = 300


@dataclass(frozen=True)
class Outcome:
    """What executing a notebook left behind.

    Attributes
    ----------
    answers : the variables that were asked for and held data when the notebook ended (or was ended).
    problem : ``""``, or one phrase such as ``"crashed: code cell 3 raised NameError: …"`` or ``"timed out: …"``.
    """

    answers: Mapping[str, Any]
    problem: str


@dataclass
class Record:
    """What has been reported so far; bytes are fed in as they come."""

    names: frozenset[str]
    answers: dict[str, Any] = field(default_factory=dict)
    cell: int = 0
    error: str = ""
    n_errors: int = 0
    wall: str = ""
    wall_cell: int = 0
    done: bool = False
    n_bytes: int = 0
    _begun: bytes = b""

    def feed(self, content: bytes) -> None:
        """Read what has come; what is no fact, and all that comes after the end or is too much, is left out."""
        if self.done or self.too_much:
            return
        self.n_bytes += len(content)
        *lines, self._begun = (self._begun + content).split(b"\n")
        self._begun = self._begun[: LARGEST_FACT + 1]
        for line in lines:
            if len(line) <= LARGEST_FACT and not self.done:
                self._take(line)

    @property
    def too_much(self) -> bool:
        """Whether more was reported than is read."""
        return self.n_bytes > LARGEST_REPORT

    def _take(self, line: bytes) -> None:
        try:
            fact = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(fact, dict):
            return
        if isinstance(fact.get("cell"), int):
            self.cell = fact["cell"]
        if isinstance(fact.get("answers"), dict):
            self.answers = {name: value for name, value in fact["answers"].items() if name in self.names}
        if isinstance(fact.get("error"), str):
            self.error, self.n_errors = self.error or _one_line(fact["error"]), self.n_errors + 1
        if not self.wall and isinstance(fact.get("wall"), str):
            self.wall, self.wall_cell = fact["wall"], self.cell
        self.done = fact.get("done") is True


def outcome(record: Record, verdict: Verdict | None, limits: Limits) -> Outcome:
    """The answers, and one phrase that says what went wrong first (``""`` if nothing did)."""
    return Outcome(record.answers, _one_line(_problem(record, verdict, limits)))


def _problem(record: Record, verdict: Verdict | None, limits: Limits) -> str:
    where = f"code cell {record.cell}" if record.cell else "starting up"
    if verdict is None:
        return f"crashed: {where} ended the process that watched it"
    if verdict.end == "time":
        return f"timed out: {where} was still running after {limits.seconds:g} seconds"
    if verdict.end == "memory":
        return f"ran out of memory: {where} and what it started took more than {size(limits.memory)}"
    if verdict.end == "processes":
        return f"started too many processes: {where} had more than {limits.processes} running at once"
    if record.too_much:
        return f"reported more than {size(LARGEST_REPORT)}: {where}"
    if not record.done and record.wall != "output":
        by_signal = f"was killed by signal {verdict.code}"
        how = by_signal if verdict.end == "signal" else f"ended the process with exit code {verdict.code}"
        return f"crashed: {where} {how}"
    said = _at_a_wall(record, limits) or (f"crashed: {record.error}" if record.error else "")
    return said + (f" (and {record.n_errors - 1} more)" if record.n_errors > 1 else "")


def _at_a_wall(record: Record, limits: Limits) -> str:
    """What a notebook wanted and could not have; ``""`` if it ran into no wall."""
    where = f"code cell {record.wall_cell}"
    return {
        "memory": f"ran out of memory: {where} asked for more than {size(limits.memory)}",
        "processes": f"started too many processes: {where} was refused another one",
        "file": f"wrote a file larger than {size(limits.file)}: {where}",
        "disk": f"wrote more than {size(limits.disk)}: {where}",
        "network": f"asked for the network, which grading does not have: {where}",
        "outside": f"wrote outside its folder: {where} was refused it",
        "output": f"printed more than {size(limits.output)}: {where}",
    }.get(record.wall, "")


def _one_line(text: str) -> str:
    """`text` without line ends, control characters and half characters, and not too long for a table."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= _LONGEST_PHRASE else shown[: _LONGEST_PHRASE - 1] + "…"
