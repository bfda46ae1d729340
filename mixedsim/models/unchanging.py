"""Objects that never change once they are made."""

from __future__ import annotations

from typing import Any, NoReturn


class Unchanging:
    """What a fitted model is: nothing of it can be set, replaced or taken away.

    Values that are computed when first asked for are kept beside it, not set.
    """

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"a fitted model never changes, so its {name!r} cannot be set: make another one, as by update() or refit()."
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a fitted model never changes, so its {name!r} cannot be taken away.")
