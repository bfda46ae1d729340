"""Records that travel light."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class Lean:
    """A dataclass that pickles as its fields, without what was computed from them: another process does that again."""

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]
