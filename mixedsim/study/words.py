"""Lists as sentences have them."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: Iterable[object], most: int = 12) -> str:
    """``"a"``, ``"a and b"``, ``"a, b and c"``; beyond `most` names the rest is counted.

    >>> listed("abc"), listed(range(20), most=3)
    ('a, b and c', '0, 1, 2 and 17 more')
    """
    shown = [str(name) for name in names]
    if len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
