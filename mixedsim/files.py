"""Files that appear whole or not at all, and never in the place of another unless that was said."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mixedsim.errors import MixedsimError

STDOUT: Final = "-"


def refuse_to_overwrite(target: str, *, force: bool) -> None:
    """Say that `target` cannot be written before any work is done, not after.

    Raises
    ------
    MixedsimError
        If there is no folder to put it in, or it exists and is no file, or exists and `force` is False.
    """
    if target == STDOUT:
        return
    path = Path(target)
    if not path.parent.is_dir():
        raise MixedsimError(f"cannot write {target!r}: there is no folder {str(path.parent)!r}.")
    if path.exists() and not path.is_file():
        raise MixedsimError(f"cannot write {target!r}: it exists and is no file.")
    if path.exists() and not force:
        raise MixedsimError(f"{target!r} exists: choose another name, or use --force to replace it.")


@contextlib.contextmanager
def draft(target: str, *, force: bool) -> Iterator[Path]:
    """A new file beside `target`; when the block ends it is put in its place, if the block fails it is removed.

    So a reader never sees half a file.
    """
    path = Path(target)
    with _told(target):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        try:
            yield Path(name)
            os.chmod(name, _permissions(0o666))
            refuse_to_overwrite(target, force=force)  # it may have come into being meanwhile
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


@contextlib.contextmanager
def draft_folder(target: str) -> Iterator[Path]:
    """As `draft`, for a folder, which must not exist (or be empty)."""
    path = Path(target)
    with _told(target):
        name = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            yield Path(name)
            os.chmod(name, _permissions(0o777))
            refuse_to_fill(target)
            if path.exists():
                path.rmdir()
            os.rename(name, path)
        except BaseException:
            shutil.rmtree(name, ignore_errors=True)
            raise


def refuse_to_fill(target: str) -> None:
    """Say that the folder `target` cannot be made: `MixedsimError` if something of that name is there already."""
    path = Path(target)
    if not path.parent.is_dir():
        raise MixedsimError(f"cannot write {target!r}: there is no folder {str(path.parent)!r}.")
    if path.exists() and not path.is_dir():
        raise MixedsimError(f"cannot write {target!r}: it exists and is no folder.")
    if path.is_dir() and any(path.iterdir()):
        raise MixedsimError(f"{target!r} is not empty: choose another name, or empty it.")


@contextlib.contextmanager
def _told(target: str) -> Iterator[None]:
    """What the operating system complains of, as one sentence."""
    try:
        yield
    except OSError as error:
        raise MixedsimError(f"cannot write {target!r}: {error.strerror or error}.") from error


def _permissions(most: int) -> int:
    """What a new file may be used for by whom; a temporary one is its owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return most & ~mask
