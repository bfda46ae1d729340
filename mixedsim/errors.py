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


_LONGEST = 60  # characters of a value or name that an error repeats


def shown(value: object) -> str:
    """A value of the data as Python writes it, without NumPy's wrapping (3.0, not np.float64(3.0)), cut if long."""
    item = getattr(value, "item", None)
    text = repr(item() if callable(item) and getattr(value, "ndim", 0) == 0 else value)
    text = " ".join(text.split()) if "\n" in text else text  # arrays and tables take several lines
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 11]}…{text[-10:]}"


def nearest(name: object, known: Iterable[object]) -> str:
    """The tail of an error sentence: the known name most like `name`, or the list of what is known."""
    names = list(dict.fromkeys(map(str, known)))
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    folded = [k for k in names if k.casefold() == str(name).casefold()]
    if folded:
        return f"did you mean {folded[0]!r}?"
    if not names:
        return "there are none."
    listed = ", ".join(map(shown, names[:12]))
    return f"known are {listed}{', …' if len(names) > 12 else ''}."
