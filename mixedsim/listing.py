"""Lists and counts as sentences have them."""

from __future__ import annotations

import re
from collections.abc import Iterable


def listed(names: Iterable[object], most: int = 12) -> str:
    """``"a"``, ``"a and b"``, ``"a, b and c"``; beyond `most` names the rest is counted. Of none, nothing.

    >>> listed("abc"), listed(range(20), most=3)
    ('a, b and c', '0, 1, 2 and 17 more')
    """
    shown = [str(name) for name in names]
    if len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    return " and ".join([", ".join(shown[:-1])] * (len(shown) > 1) + shown[-1:])


def counted(number: int, one: str, many: str = "") -> str:
    """``"1 level"``, ``"2,972 levels"``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def unbroken(text: str) -> str:
    """The same with spaces at which no browser breaks a line, around ± and before %.

    >>> unbroken("95.3 ± 0.7 %") == "95.3\u00a0±\u00a00.7\u00a0%"
    True
    """
    return re.sub(r"(?<=±) | (?=[±%])", "\u00a0", text)


def spread(low: float, middle: float, high: float, one: str, many: str = "") -> str:
    """``"10 rows"`` where all are the same, else ``"4 to 35 rows (median 15)"``."""
    if low == high:
        return counted(int(low), one, many)
    return f"{low:,.0f} to {high:,.0f} {many or one + 's'} (median {middle:,g})"
