"""A folder that keeps the blocks of a study as they come, so that a run that ends early goes on where it stopped.

Every block is written to a file of its own as soon as it is there; when all blocks of a group are, one file takes their
place. Groups are fixed ranges of blocks, so that a finished folder is the same, byte by byte, however its blocks came
in, and however often the run was interrupted. Files appear whole or not at all (`mixedsim.files.draft`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mixedsim.errors import MixedsimError
from mixedsim.files import draft
from mixedsim.listing import counted
from mixedsim.study.jobs import Job, Results
from mixedsim.study.lock import LOCK, Lock
from mixedsim.study.parts import FORMAT, Damaged, Part, arrow, packed, read_frames, read_part

GROUP: Final = 32  # blocks a file, in a finished folder
# Parquet readers that are given a folder pass over names that begin with an underscore.
MANIFEST: Final = "_study.json"
_OWN = re.compile(r"part-\d{5,}\.parquet|block-\d{7,}\.parquet")
_DRAFT = re.compile(r"\.(part-|block-|_study)")


class InMemory:
    """Keeps blocks in memory."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._frames: dict[int, pd.DataFrame] = {}

    def __contains__(self, block: int) -> bool:
        return block in self._frames

    def add(self, block: int, frame: pd.DataFrame) -> None:
        self._frames[block] = frame

    def beat(self) -> None:
        """There is nobody to tell that the run is alive."""

    @property
    def safe(self) -> str:
        """What is left when the run stops here, as the end of a sentence."""
        return "nothing is kept (with out=, a folder, the same call would go on from what was done)"

    def results(self) -> Results:
        frames = [self._frames[block].reset_index(drop=True) for block in range(self._job.blocks)]
        return Results(self._job.blocks, _total(self._job), frames.__getitem__)


class Store:
    """Keeps blocks in a folder that it holds for itself; made by `opened`."""

    def __init__(self, name: str, job: Job) -> None:
        self._name, self._job = name, job
        self._folder = Path(name).absolute()  # results are read later, when the working folder may be another one
        self._lock = Lock(self._folder)
        self._study = _hash(job)
        self._where: dict[int, tuple[Path, int]] = {}  # block → file and row group

    def __contains__(self, block: int) -> bool:
        return block in self._where

    def add(self, block: int, frame: pd.DataFrame) -> None:
        """Write a block, and the file of its group if it was the last one missing.

        Raises
        ------
        MixedsimError
            If it cannot be written; what was written before is still there.
        """
        part = Part(self._study, {block: self._job.replicates(block)})
        path = self._folder / f"block-{block:07}.parquet"
        with self._told():
            _write(path, packed(part, [frame]))
            self._where[block] = (path, 0)
            self._gather(block // GROUP)
            self._lock.beat()

    def beat(self) -> None:
        """Say that the run is alive, though no block has come in for some time."""
        with self._told():
            self._lock.beat()

    @property
    def safe(self) -> str:
        """What is left when the run stops here, as the end of a sentence."""
        there = sum(map(self._job.replicates, self._where))
        whole = counted(_total(self._job), "replicate")
        return f"{there:,} of {whole} are safe in {self._name!r}, and the same call goes on from them"

    def results(self) -> Results:
        read = _Reader({block: self._where[block] for block in range(self._job.blocks)})
        return Results(self._job.blocks, _total(self._job), read, self._name)

    @contextlib.contextmanager
    def held(self, *, resume: bool) -> Iterator[None]:
        """Make the folder, if need be, and hold it."""
        with _plainly(self._name):
            _refuse_foreign(self._name, self._job, resume=resume)
            self._folder.mkdir(exist_ok=True)
            self._lock.take()
        try:
            with _plainly(self._name):
                _refuse_foreign(self._name, self._job, resume=resume)  # another run may have been here meanwhile
            yield
        finally:
            self._lock.release()

    def prepare(self) -> None:
        """Take stock of what is there, and write down what the folder is for."""
        with _plainly(self._name):
            for path in sorted(self._folder.iterdir()):
                if _DRAFT.match(path.name):
                    path.unlink()  # a run was killed while it wrote
                elif _OWN.fullmatch(path.name):
                    self._take_in(path)
        with self._told():
            manifest = {"format": FORMAT, "study": self._study, "blocks": self._job.blocks}
            text = json.dumps(manifest | {"replicates": _total(self._job)}, indent=1) + "\n"
            _write(self._folder / MANIFEST, text.encode())
            for group in range(-(-self._job.blocks // GROUP)):
                self._gather(group)

    def _take_in(self, path: Path) -> None:
        """Trust a file's blocks if it is whole; remove it if it is damaged."""
        try:
            part = read_part(path)
        except Damaged as damage:
            warnings.warn(f"{str(path)!r} is damaged ({damage}): its replicates are run again.", stacklevel=2)
            path.unlink()
            return
        if part.study != self._study:
            raise MixedsimError(
                f"{self._name!r} holds {path.name!r}, which does not belong to this study: move it elsewhere, "
                "or choose another folder."
            )
        for row_group, (block, replicates) in enumerate(part.replicates.items()):
            # The last block of a run that was shorter has fewer replicates: it is run again.
            if block < self._job.blocks and replicates == self._job.replicates(block):
                self._where.setdefault(block, (path, row_group))

    def _gather(self, group: int) -> None:
        """Put the blocks of a group into one file, if all are there and this has not been done."""
        blocks = range(group * GROUP, min((group + 1) * GROUP, self._job.blocks))
        path = self._folder / f"part-{group:05}.parquet"
        if not all(block in self._where for block in blocks):
            return
        if any(self._where[block][0] != path for block in blocks):
            part = Part(self._study, {block: self._job.replicates(block) for block in blocks})
            _write(path, packed(part, map(_Reader(self._where), blocks)))
            self._where.update({block: (path, k) for k, block in enumerate(blocks)})
        for block in blocks:
            (self._folder / f"block-{block:07}.parquet").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What the operating system complains of, as one sentence that says what is safe."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise MixedsimError(f"cannot write to {self._name!r}: {reason}; {self.safe}.") from error


class _Reader:
    """Reads blocks by their number, each when it is asked for."""

    def __init__(self, where: dict[int, tuple[Path, int]]) -> None:
        self._where = where

    def __call__(self, block: int) -> pd.DataFrame:
        path, row_group = self._where[block]
        return next(read_frames(path, [row_group]))


@contextlib.contextmanager
def opened(out: str | os.PathLike[str], job: Job, *, resume: bool) -> Iterator[Store]:
    """The folder `out`, held for one run of `job`; what is there of it already is in it.

    Parameters
    ----------
    out : a folder that exists or can be made; empty, or with the results of this study, of as many or fewer replicates.
    resume : False refuses a folder that is not empty.

    Raises
    ------
    MixedsimError
        If the folder holds anything else, is in use by another run, or cannot be written; if pyarrow is missing.

    Warns
    -----
    UserWarning
        If a file is damaged, so that its replicates are run again.
    """
    arrow()
    store = Store(os.path.expanduser(out), job)
    with store.held(resume=resume):
        store.prepare()
        yield store


@contextlib.contextmanager
def _plainly(name: str) -> Iterator[None]:
    """What the operating system complains of, as one sentence."""
    try:
        yield
    except OSError as error:
        raise MixedsimError(f"cannot use the folder {name!r}: {error.strerror or error}.") from error


def _refuse_foreign(name: str, job: Job, *, resume: bool) -> None:
    """Raise unless the folder can be made, is empty, or holds this study and nothing else."""
    folder = Path(name)
    if not folder.is_dir():
        if folder.exists():
            raise MixedsimError(f"out={name!r} is a file: name a folder.")
        if not folder.parent.is_dir():
            raise MixedsimError(f"cannot make the folder {name!r}: there is no folder {str(folder.parent)!r}.")
        return
    names = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
    strange = [one for one in names if not one.startswith(".") and one != MANIFEST and not _OWN.fullmatch(one)]
    if strange:
        raise MixedsimError(
            f"{name!r} holds {strange[0]!r}, which no study wrote: choose an empty folder, or one with results of this "
            "study and nothing else."
        )
    if not any(one == MANIFEST or _OWN.fullmatch(one) for one in names):
        return
    if not resume:
        raise MixedsimError(
            f"{name!r} holds results already and resume is False: choose another folder, delete this one, or leave "
            "out resume=False to go on from them."
        )
    _refuse_other_study(name, job)


def _refuse_other_study(name: str, job: Job) -> None:
    """Raise if the folder is of another study, or of more replicates than are asked for."""
    try:
        manifest: Any = json.loads((Path(name) / MANIFEST).read_text(encoding="utf-8"))
        study, replicates = str(manifest["study"]), int(manifest["replicates"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return  # damaged: it is written anew, and every part says itself where it belongs
    if study != _hash(job):
        raise MixedsimError(
            f"{name!r} holds the results of another study (its hash is {study[:8]}…, this one's is "
            f"{_hash(job)[:8]}…): choose another folder."
        )
    if replicates > _total(job):
        raise MixedsimError(
            f"{name!r} holds a run of {replicates:,} replicates of this study, and {_total(job):,} are asked "
            f"for: ask for {replicates:,} or more, or choose another folder."
        )


def _write(path: Path, data: bytes) -> None:
    """Put a file in its place, whole; OSError if that fails, with nothing left behind."""
    try:
        with draft(str(path), force=True) as new:
            new.write_bytes(data)
    except MixedsimError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None  # the caller says which folder, and what is safe
        raise


def _hash(job: Job) -> str:
    return hashlib.sha256(f"{FORMAT} {job.fingerprint}".encode()).hexdigest()


def _total(job: Job) -> int:
    return sum(map(job.replicates, range(job.blocks)))
