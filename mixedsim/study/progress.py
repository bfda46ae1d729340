"""How far a long run is: a bar with the time left, a function of the caller's, or nothing."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, TypeAlias

from mixedsim.errors import MixedsimError, shown

_DELAY: Final = 1.0  # seconds before a bar appears

Progress: TypeAlias = "bool | Callable[[int, int], object] | None"


def check_progress(progress: object) -> None:
    """Raise `MixedsimError` unless `progress` is True, False, None or can be called."""
    if progress is None or isinstance(progress, bool) or callable(progress):
        return
    raise MixedsimError(f"progress must be True, False, None or a function of done and total, found {shown(progress)}.")


class Tally:
    """Counts replicates as they are done and shows them; a context, so that a bar is closed whatever happens.

    Parameters
    ----------
    progress : None shows a bar in terminals and notebooks, once a second has passed; True always, False never; a
        function is called with the numbers done and in all, at the beginning and whenever some came in.
    done : those that were there before.
    total : all.
    """

    def __init__(self, progress: Progress, *, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._tell = progress if callable(progress) else None
        wanted = progress is True or (progress is None and _is_watched())
        self._bar = _bar(done, total, required=progress is True) if wanted else None

    def __enter__(self) -> Tally:
        if self._tell is not None:
            self._tell(self.done, self.total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, replicates: int) -> None:
        """Some more are done."""
        self.done += replicates
        if self._tell is not None:
            self._tell(self.done, self.total)
        if self._bar is not None:
            self._bar.update(replicates)


def _is_watched() -> bool:
    """Whether somebody looks on: in a terminal or a notebook, not in a log file, nor where bars are switched off."""
    if os.environ.get("TQDM_DISABLE"):  # tqdm's own switch, to which its bars in notebooks do not listen
        return False
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")  # whoever sits in a notebook has loaded it
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _bar(done: int, total: int, *, required: bool) -> Any:
    """A bar of tqdm; None if tqdm is not installed and nobody asked for a bar."""
    widgets = _in_notebook() and importlib.util.find_spec("ipywidgets") is not None
    try:
        bars = importlib.import_module("tqdm.notebook") if widgets else importlib.import_module("tqdm")
    except ImportError:
        if not required:
            return None
        raise MixedsimError(
            "a progress bar needs the package tqdm: install it with  pip install 'mixedsim[classroom]', or leave out "
            "progress=True."
        ) from None
    # Replicates that were there before count as done but not as done just now: the time left is that of the others.
    return bars.tqdm(total=total, initial=done, desc="replicates", unit="", delay=_DELAY, dynamic_ncols=True)
