"""The environment variables of a notebook's process: a few that are allowed, and what makes every run the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from mixedsim.classroom.seeds import SECRET_VARIABLE
from mixedsim.classroom.walled.view import PACKAGE
from mixedsim.errors import MixedsimError

# Everything else stays outside: nobody knows which variables of an instructor's hold a password.
_ALLOWED: Final = frozenset(
    ("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "SYSTEMDRIVE")
)
# For the warm process, which runs nothing of a student's: where Matplotlib keeps its list of fonts.
_OF_ONE_SELF: Final = frozenset(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"))


def of_a_notebook(folder: str, extra: Mapping[str, str]) -> dict[str, str]:
    """All variables for a notebook that works below `folder`: allowed ones, fixed ones, and the `extra` ones.

    Raises
    ------
    MixedsimError
        If the course's secret is among them.
    """
    if SECRET_VARIABLE in extra:
        raise MixedsimError(f"{SECRET_VARIABLE} must not reach a student's notebook: pass the student's own key.")
    own = dict.fromkeys(("HOME", "USERPROFILE", "IPYTHONDIR", "TMPDIR", "TEMP", "TMP"), f"{folder}/home")
    return _inherited(_ALLOWED) | _fixed() | own | dict(extra)


def of_the_nursery() -> dict[str, str]:
    """All variables for the warm process that starts the notebooks' own."""
    return _inherited(_ALLOWED | _OF_ONE_SELF) | _fixed()


def _inherited(names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper() in names or name.startswith("LC_")}


def _fixed() -> dict[str, str]:
    inherited = os.environ.get("PYTHONPATH")
    package = str(PACKAGE.parent)
    return {
        "PYTHONPATH": os.pathsep.join([package, inherited] if inherited else [package]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",  # open() without an encoding reads the same on Windows
        "MPLBACKEND": "agg",  # no window ever opens
        # The grader already uses every core: more threads would only wait for each other.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
