"""Finds the notebooks that were handed in, in folders, files and zip archives, and reads them."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mixedsim.errors import MixedsimError

LARGEST_NOTEBOOK: Final = 20_000_000  # bytes; an exercise with its figures has less than one million
MOST_CELLS: Final = 2000  # an exercise has some dozens
MOST_MEMBERS: Final = 20_000  # files in one archive; that of a whole class has some hundreds
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for gigabytes before the first byte
# Notebooks that say nothing about their language are taken for Python; editors drop what they do not know.
_KERNELS: Final = {"ir": "R", "xr": "R", "rpy2": "R", "bash": "Bash", "julia": "Julia", "octave": "Octave"}


_LINK: Final = "a link to a file, not the file itself"


class Unreadable(Exception):
    """A submission that is no notebook; the message says why in a few words."""


@dataclass(frozen=True, order=True)
class Submission:
    """One notebook that was handed in.

    Attributes
    ----------
    name : how the gradebook calls it: its path within what was handed in.
    path : the notebook, or the archive that holds it.
    member : its name within the archive; ``""`` for a plain file.
    """

    name: str
    path: Path
    member: str = ""

    def read(self) -> dict[str, Any]:
        """The notebook as parsed JSON, checked to be a notebook in format 4, of sensible size and in Python.

        Raises
        ------
        Unreadable
            With a phrase that says what is wrong.
        """
        content = self._bytes()
        if not content.strip():
            raise Unreadable("the file is empty")
        try:
            notebook = json.loads(content.decode("utf-8-sig"))  # some editors put a byte order mark in front
        except UnicodeDecodeError:
            raise Unreadable("the file is not text") from None
        except json.JSONDecodeError as error:
            raise Unreadable(f"not a notebook: broken JSON in line {error.lineno}") from None
        except ValueError:  # the only other one: Python reads no number of more than 4300 digits
            raise Unreadable("not a notebook: a number has thousands of digits") from None
        except RecursionError:
            raise Unreadable("not a notebook: JSON nested too deeply") from None
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
            raise Unreadable("not a notebook: it has no list of cells")
        for cell in notebook["cells"]:
            if not _is_cell(cell):
                raise Unreadable("not a notebook: a cell has no type or no source")
        if len(notebook["cells"]) > MOST_CELLS:
            raise Unreadable(f"the notebook has {len(notebook['cells'])} cells; at most {MOST_CELLS} are executed")
        language = _language(notebook.get("metadata"))
        if language.casefold() not in ("", "python", "ipython"):
            raise Unreadable(f"the notebook's language is {language[:40]!r}; only Python is graded")
        return notebook

    def _bytes(self) -> bytes:
        try:
            if not self.member:
                if self.path.is_symlink():  # it might lead to somebody else's notebook, or to the solution
                    raise Unreadable(_LINK)
                if self.path.suffix.casefold() == ".zip":
                    raise Unreadable(_no_members(self.path))
                _check_size(self.path.stat().st_size)
                return self.path.read_bytes()
            if PurePosixPath(self.member).suffix.casefold() == ".zip":
                raise Unreadable("an archive within an archive: unpack the outer one")
            with zipfile.ZipFile(self.path) as archive:
                member = archive.getinfo(self.member)
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise Unreadable(_LINK)
                if member.compress_type not in _PACKED:
                    raise Unreadable("packed in an unusual way: make an ordinary zip archive")
                _check_size(member.file_size)
                with archive.open(self.member) as file:
                    # What an archive says about a size may be wrong: never read more than is allowed.
                    content = file.read(LARGEST_NOTEBOOK + 1)
            _check_size(len(content))
            return content
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise Unreadable(f"the file cannot be opened: {error}") from None


def find(path: Path) -> list[Submission]:
    """Every notebook in `path`, in the order of their names.

    Parameters
    ----------
    path : a notebook, a zip archive with notebooks, or a folder with any of these, however deep.

    Raises
    ------
    MixedsimError
        If `path` does not exist or holds no notebook and no archive.
    """
    if not path.exists():
        raise MixedsimError(f"there is no file or folder {str(path)!r}.")
    if path.is_dir():
        files = [file for file in path.rglob("*") if _is_wanted(PurePosixPath(file.relative_to(path)))]
        found = [hit for file in files if file.is_file() for hit in _in_file(file, file.relative_to(path).as_posix())]
    else:
        found = list(_in_file(path.resolve(), path.name))  # whoever names a link wants the file
    if not found:
        raise MixedsimError(f"{str(path)!r} holds no notebook (.ipynb) and no zip archive.")
    return sorted(found)


def _in_file(path: Path, name: str) -> Iterator[Submission]:
    if path.suffix.casefold() != ".zip":
        yield Submission(name, path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        names = []
    members = [m for m in names if not m.endswith("/") and _is_wanted(PurePosixPath(m))]
    if path.is_symlink() or len(names) > MOST_MEMBERS:
        members = []
    if not members:
        yield Submission(name, path)
    for member in members:
        yield Submission(f"{name}/{member}", path, member)


def _no_members(path: Path) -> str:
    """Why nothing was taken out of the archive at `path`."""
    try:
        with zipfile.ZipFile(path) as archive:
            n_files = len(archive.namelist())
    except zipfile.BadZipFile:
        n_files = 0
    if n_files > MOST_MEMBERS:
        return f"the archive has {n_files} files; at most {MOST_MEMBERS} are read"
    return "not a zip archive, or one without a notebook"


def _is_wanted(path: PurePosixPath) -> bool:
    """Notebooks and archives, but not the copies that Jupyter and macOS leave beside them."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.casefold() in (".ipynb", ".zip") and not hidden


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    source = cell.get("source")
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _language(metadata: object) -> str:
    """What a notebook says about its language; ``""`` if nothing."""
    if not isinstance(metadata, dict):
        return ""
    kernel, language = metadata.get("kernelspec"), metadata.get("language_info")
    kernel = kernel if isinstance(kernel, dict) else {}
    language = language if isinstance(language, dict) else {}
    known = _KERNELS.get(str(kernel.get("name", "")).split("-")[0].casefold(), "")
    return str(kernel.get("language") or language.get("name") or known)


def _check_size(size: int) -> None:
    if size > LARGEST_NOTEBOOK:
        raise Unreadable(f"the notebook has {size / 1e6:.0f} MB; at most {LARGEST_NOTEBOOK / 1e6:.0f} MB are read")
