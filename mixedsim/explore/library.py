"""plotly, an optional library: imported when an explorer is written, never before."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mixedsim.errors import MixedsimError


def plotly_script() -> str:
    """The text of plotly.min.js, from the plotly that is installed."""
    with _told():
        offline: Any = importlib.import_module("plotly.offline")
    return str(offline.get_plotlyjs())


def graph_objects() -> Any:
    """The module `plotly.graph_objects`."""
    with _told():
        module: Any = importlib.import_module("plotly.graph_objects")
    return module


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise MixedsimError('explorers are drawn by plotly: pip install "mixedsim[book]".') from None
