"""A picture with sliders, whose every position was computed beforehand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, nearest, shown
from mixedsim.explore.fragment import fragment
from mixedsim.explore.layout import layout
from mixedsim.explore.library import graph_objects
from mixedsim.explore.page import framed, page
from mixedsim.explore.parts import Cell, Column, Control, Layer, Panel, State
from mixedsim.files import draft

# Set where every page brings plotly.js and explorer.js along itself, as those of the workbook do: a notebook's output
# is then the explorer without 5 MB of script.
SHARED: Final = "MIXEDSIM_EXPLORER_SCRIPTS"


@dataclass(frozen=True, eq=False)
class Explorer:
    """A picture with sliders, as the functions of `mixedsim.explore` return it. A notebook shows it.

    Attributes
    ----------
    title, lead : what it is, and what to try.
    controls : what a reader can move.
    states : an array of `State`, one axis a control: all that was computed.
    panels, layers, columns : how it is drawn, and told as a table.

    Examples
    --------
    >>> import mixedsim as ms
    >>> explorer = ms.explore.random_slopes(corr=(0, 0.5), sd_slope=(2, 6))
    >>> explorer.at(corr=0.5)["corr"] > explorer.at(corr=0)["corr"]
    True
    """

    title: str
    lead: str
    controls: tuple[Control, ...]
    panels: tuple[Panel, ...]
    layers: tuple[Layer, ...]
    columns: tuple[Column, ...]
    states: np.ndarray[Any, np.dtype[np.object_]] = field(repr=False)

    @property
    def alt(self) -> str:
        """What the picture shows before anything is moved, in words computed from its numbers."""
        return self._state({}).alt

    def at(self, **settings: Cell) -> dict[str, Any]:
        """The numbers drawn at a setting: name → number or list. A control that is not named stands at its start.

        Raises
        ------
        MixedsimError
            For a control that there is not, or a value at which it cannot stand.
        """
        state = self._state(settings)
        plain = {name: np.asarray(some).tolist() for name, some in state.numbers.items()}
        return {name: some if len(some) != 1 else some[0] for name, some in plain.items()}

    def said(self, **settings: Cell) -> str:
        """The sentence under the picture at a setting; settings as in `at`."""
        return self._state(settings).alt

    def table(self, **settings: Cell) -> pd.DataFrame:
        """The picture's numbers as a table; settings as in `at`."""
        numbers = self._state(settings).numbers
        return pd.DataFrame({column.heading: list(numbers[column.numbers]) for column in self.columns})

    def figure(self, **settings: Cell) -> Any:
        """A `plotly.graph_objects.Figure` of one setting, to restyle or to save; settings as in `at`.

        Raises
        ------
        MixedsimError
            If plotly is not installed.
        """
        numbers = self._state(settings).numbers
        traces = [layer.filled(numbers) for layer in self.layers]
        return graph_objects().Figure(data=traces, layout=layout(self.panels, narrow=False))

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page that needs nothing else, no network either: about 5 MB, nearly all of it plotly's script.

        Parameters
        ----------
        path : of the file; one that exists is replaced.

        Raises
        ------
        MixedsimError
            If it cannot be written there, or plotly is not installed.
        """
        html = page(self)
        with draft(os.fspath(path), force=True) as file:
            Path(file).write_text(html, encoding="utf-8")

    def _repr_html_(self) -> str:
        """The explorer alone where the page has the scripts, else a frame with a page of its own."""
        return fragment(self) if os.environ.get(SHARED) else framed(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": f"{self.title}. {self.alt}", "text/html": self._repr_html_()}

    def _state(self, settings: Mapping[str, Cell]) -> State:
        for name in settings:
            if name not in (known := [control.name for control in self.controls]):
                raise MixedsimError(f"the explorer has no control {name!r}: {nearest(name, known)}")
        place = tuple(_position(control, settings) for control in self.controls)
        state = self.states[place]
        assert isinstance(state, State)
        return state


def _position(control: Control, settings: Mapping[str, Cell]) -> int:
    if control.name not in settings:
        return control.start
    if (value := settings[control.name]) not in control.stops:
        known = ", ".join(map(shown, control.stops))
        raise MixedsimError(f"{control.name} can stand at {known}, found {shown(value)}.")
    return control.stops.index(value)
