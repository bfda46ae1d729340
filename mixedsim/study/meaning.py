"""What an analysis does, in plain values: two with the same are one, so that results in a folder can be told apart."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mixedsim.errors import MixedsimError
from mixedsim.study.analysis import Analysis

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def meaning_of(name: str, analysis: Any) -> tuple[Any, ...]:
    """The meaning of one analysis.

    That of a function is its code, its defaults, and whatever it uses of what stands around it: numbers and texts by
    their values, functions of the same file likewise, what was imported by its name.

    Raises
    ------
    MixedsimError
        If it uses something of which nobody can tell whether it will be the same.

    Examples
    --------
    >>> from mixedsim.study.meaning import meaning_of
    >>> means = [lambda data, k=k: {"mean": k * data["y"].mean()} for k in (1, 1, 2)]
    >>> one, same, other = (meaning_of("f", mean) for mean in means)
    >>> one == same, one == other
    (True, False)
    """
    if isinstance(analysis, Analysis):
        return analysis.meaning()
    if not isinstance(analysis, FunctionType):
        raise MixedsimError(
            f"the analysis {name!r} is a {type(analysis).__name__}, and a folder of results cannot tell it from "
            "another one: make it a function, or leave out out=."
        )
    return "function", *_function(name, analysis, {})


def _function(name: str, function: FunctionType, seen: dict[int, int]) -> tuple[Any, ...]:
    """A function in plain values; one that calls itself, or the one before it, is there once."""
    if id(function) in seen:
        return "again", seen[id(function)]
    seen[id(function)] = len(seen)
    defaults = [*enumerate(function.__defaults__ or ()), *sorted((function.__kwdefaults__ or {}).items())]
    used = [*_globals(function), *_enclosed(function)]
    return (
        _digits(function.__code__),
        tuple((str(key), _value(name, f"the default {key}", value, function, seen)) for key, value in defaults),
        tuple((key, _value(name, key, value, function, seen)) for key, value in used),
    )


def _globals(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What it finds in its file, by name; what is Python's own counts by its name, which stands in the code."""
    for name in sorted(set(_loaded(function.__code__))):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _loaded(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _loaded(constant)


def _enclosed(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What it takes from the function in which it was made."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def _value(name: str, called: str, value: Any, user: FunctionType, seen: dict[int, int]) -> Any:
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, tuple | list):
        return type(value).__name__, tuple(_value(name, called, one, user, seen) for one in value)
    if isinstance(value, dict):
        return "dict", tuple((repr(key), _value(name, called, one, user, seen)) for key, one in value.items())
    if isinstance(value, Analysis):
        return value.meaning()
    if isinstance(value, ModuleType):
        return "module", value.__name__
    home = getattr(value, "__module__", None)
    if isinstance(value, FunctionType) and home == user.__module__:
        return _function(name, value, seen)
    if callable(value) and isinstance(home, str) and home != user.__module__ and hasattr(value, "__qualname__"):
        return "imported", home, value.__qualname__
    raise MixedsimError(
        f"the analysis {name!r} uses {called}, a {type(value).__name__}, of which a folder of results cannot tell "
        "whether it is the same next time: make it inside the function, or leave out out=."
    )


def _digits(code: CodeType) -> tuple[Any, ...]:
    """What a piece of code does: the same in every process of one version of Python."""
    return code.co_code.hex(), tuple(map(_constant, code.co_consts)), code.co_names, code.co_varnames


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _digits(value)
    return tuple(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)
