"""What of the file system a notebook's process gets to see: the system's programs, Python, and this package.

Named one by one, so that all else is not there: home folders, the course, the built exercises, other submissions.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path
from typing import Final

import mixedsim

PACKAGE: Final = Path(mixedsim.__file__).parent
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_SETTINGS: Final = (  # not all of /etc: it holds passwords
    "alternatives",
    "fonts",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "ssl",
)
DEVICES: Final = ("null", "zero", "full", "random", "urandom")


def readable() -> list[str]:
    """Absolute paths of the folders and files that a notebook may read, those within another left out.

    Examples
    --------
    >>> str(PACKAGE) in readable() or any(str(PACKAGE).startswith(path) for path in readable())
    True
    """
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    libraries = {*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])}
    paths = {*_SYSTEM, *(f"/etc/{name}" for name in _SETTINGS), *prefixes, *libraries, *_added(), str(PACKAGE)}
    there = {path for path in paths if os.path.exists(path) and path != "/"}
    there |= {os.path.realpath(path) for path in there}
    return sorted(path for path in there if not any(path.startswith(f"{other}/") for other in there - {path}))


def _added() -> set[str]:
    """The folders of ``PYTHONPATH``, but not the one around a checkout of this package: exercises lie beside it."""
    added = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    return added - {str(PACKAGE.parent)}
