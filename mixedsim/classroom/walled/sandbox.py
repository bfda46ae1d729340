"""The sandbox: runs a notebook of somebody unknown, and brings back its answers and one phrase on what happened.

The walls are described in `mixedsim.classroom.walled.walls`; `walls()` says which stand on this machine. How the parts
belong together, from the outside to the inside:

========================= ==========================================================================================
`sandbox`, `runs`         hand over one order and listen
`nursery`                 a warm process with all libraries, which is copied for each notebook
`separate`, `refusals`    the walls: namespaces, or Landlock and seccomp; `view` lists what can be seen behind them
`warden`, `limits`        count what is used, and leave nothing running
`execute`                 runs the cells, and reports through a pipe
`record`                  reads the report as mere data, and finds the words
========================= ==========================================================================================

A notebook could forge its report, since whoever reports lives in the same process. It gains nothing: a report holds
answers and no points, and answers are compared with what the grader computes from the student's id outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from mixedsim.classroom.walled.limits import Limits
from mixedsim.classroom.walled.order import Wall
from mixedsim.classroom.walled.record import Outcome, outcome
from mixedsim.classroom.walled.runs import run
from mixedsim.classroom.walled.walls import walls
from mixedsim.errors import MixedsimError

__all__ = ["Limits", "Outcome", "run_notebook", "walls"]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_USUAL: Final = Limits()


def run_notebook(
    notebook: Mapping[str, Any],
    *,
    names: Iterable[str],
    timeout: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
    limits: Limits = _USUAL,
    environment: Mapping[str, str] = _NOTHING,
    wall: Wall | None = None,
) -> Outcome:
    """Execute `notebook` and return what the variables called `names` hold afterwards.

    A cell that raises does not stop the ones after it, as in Otter: whoever fails one question can still get the
    points of the others. When a limit is reached, all that the notebook has started is ended; answers given until
    then count.

    Parameters
    ----------
    notebook : a notebook in format 4, as parsed JSON.
    names : the variables to report.
    timeout : seconds for the whole notebook, in place of those in `limits`.
    stopped : asked a few times a second whether to give up.
    limits : what the notebook may use.
    environment : variables of the environment that the notebook gets beside the few that are always there, such as
        the student's own key; never the course's secret.
    wall : a kind of wall, in place of the strongest that stands on this machine.

    Raises
    ------
    KeyboardInterrupt
        When `stopped` said so; nothing that the notebook started is left running.
    MixedsimError
        If the walls could not be built, or the course's secret was to be passed on.
    """
    if timeout is not None:
        limits = replace(limits, seconds=timeout)
    kind = walls().wall if wall is None else wall
    record, verdict = run(notebook, names, wall=kind, limits=limits, environment=environment, stopped=stopped)
    if verdict is not None and verdict.end == "failed":
        raise MixedsimError(f"the walls ({kind}) around a notebook could not be built: {verdict.words}.")
    return outcome(record, verdict, limits)
