"""Every error that mixedsim raises on purpose.

All are `MixedsimError`, which is a `ValueError`, so that ``except ValueError`` keeps working for people who
do not care which kind it was. The message is one sentence that names the culprit, what was found and how to mend it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MixedsimError(ValueError):
    """Something that the caller can mend: the base of all errors that mixedsim raises on purpose."""


class FormulaError(MixedsimError):
    """The formula cannot be read, or asks for something that lme4's grammar does not have."""


class DataError(MixedsimError):
    """The data cannot carry the model: a missing column, an infinite value, a factor with one level."""


class PopulationError(MixedsimError):
    """A population's description contradicts itself; the message names the field."""


class ConvergenceError(MixedsimError):
    """An optimisation has no answer to give, not even a poor one."""


def shown(value: object) -> str:
    """A value of the data as Python writes it, without NumPy's wrapping: 3.0, not np.float64(3.0)."""
    item = getattr(value, "item", None)
    return repr(item() if callable(item) else value)


def nearest(name: str, known: Iterable[object]) -> str:
    """The tail of an error sentence: the known name most like `name`, or the list of what is known."""
    names = [str(k) for k in known]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    folded = [k for k in names if k.casefold() == name.casefold()]
    if folded:
        return f"did you mean {folded[0]!r}?"
    listed = ", ".join(repr(k) for k in names[:12])
    return f"known are {listed}{', …' if len(names) > 12 else ''}."
