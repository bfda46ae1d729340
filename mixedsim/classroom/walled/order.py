"""What the outside of the sandbox tells the inside: one notebook, and how it is to be executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, Literal

from mixedsim.classroom.walled.limits import Limits

Wall = Literal["namespaces", "bubblewrap", "landlock", "limits", "plain"]


@dataclass(frozen=True)
class Order:
    """One notebook and how it is to be executed; nothing in it that its own student must not know.

    Attributes
    ----------
    notebook : in format 4, as parsed JSON.
    names : the variables to report.
    environment : variables of the environment, all there are.
    limits : what it may use.
    wall : what separates it from the rest.
    folder : an empty folder to work in, with ``work`` and ``home`` below it.
    """

    notebook: Mapping[str, Any]
    names: tuple[str, ...]
    environment: Mapping[str, str]
    limits: Limits
    wall: Wall
    folder: str

    def write(self, file: IO[bytes]) -> None:
        """Write the order to `file` and go back to its beginning."""
        file.write(json.dumps(asdict(self)).encode())
        file.seek(0)


def read(file: IO[bytes]) -> Order:
    """The order that `Order.write` wrote."""
    fields = json.loads(file.read())
    return Order(**{**fields, "limits": Limits(**fields["limits"]), "names": tuple(fields["names"])})
