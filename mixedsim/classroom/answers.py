"""What the visible checks of an exercise say about the form of an answer.

They look at form and plausibility and know no right answer; what is right only the grader knows (`mixedsim.classroom.
marking`). Each raises `Hint`, one sentence that says what was found and where to look.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import Any

from mixedsim.errors import FormulaError, MixedsimError, nearest
from mixedsim.formula import Formula, fixed_terms, parse
from mixedsim.simulate import Population

LONGEST_DESIGN = 5000  # characters of a population's text
LONGEST_FORMULA = 500  # characters; far more than any exercise asks for
# Interactions multiply the number of terms: a short line could keep a grader busy for ever.
MOST_INTERACTIONS = 12
LARGEST_POWER = 3


class Hint(AssertionError):
    """What is amiss with an answer, and where to look; its name is what a student sees before the sentence."""


def number(name: str, value: Any, *, low: float = -math.inf, high: float = math.inf, look: str = "") -> float:
    """The answer `value` as a float, if it is one finite number between `low` and `high`.

    Parameters
    ----------
    name : the variable in which the student wrote the answer.
    value : what the variable holds: a number, or an array or Series with exactly one.
    low, high : bounds of what is plausible, both allowed.
    look : where to look when the number is out of bounds, one sentence.

    Raises
    ------
    Hint
        If there is no answer yet, if it is no number, or if it is out of bounds.

    Examples
    --------
    >>> number("icc", 0.31, low=0, high=1)
    0.31
    >>> number("icc", 31, low=0, high=1, look="It is a share, not a percentage.")
    Traceback (most recent call last):
    mixedsim.classroom.answers.Hint: `icc` is 31, but must lie between 0 and 1. It is a share, not a percentage.
    """
    _answered(name, value, "your number")
    if getattr(value, "size", None) == 1 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str):
        raise Hint(f"`{name}` is text, {value!r}: write the number without quotes.")
    if isinstance(value, (tuple, list)) and len(value) == 2:
        raise Hint(f"`{name}` holds two numbers, {value!r}: decimals take a point, not a comma.")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise Hint(f"`{name}` must be one number, found {_kind(value)}.")
    try:
        answer = float(value)
    except OverflowError:  # a whole number too large for a float
        answer = math.inf
    if not math.isfinite(answer):
        raise Hint(f"`{name}` is {answer}: something went wrong on the way; look at each step of the calculation.")
    if not low <= answer <= high:
        bounds = _bounds(low, high)
        raise Hint(f"`{name}` is {answer:.6g}, but must {bounds}. {look}".rstrip())
    return answer


def formula(name: str, value: Any, *, columns: Collection[str]) -> Formula:
    """The answer `value` as a parsed formula, if it can be read and uses only `columns`.

    Raises
    ------
    Hint
        If there is no answer yet, if it is not text, if the formula cannot be read, or names an unknown column.

    Examples
    --------
    >>> formula("model", "y ~ x + (1 | g)", columns=["y", "x", "g"]).groups
    ('g',)
    """
    _answered(name, value, "your formula between quotes")
    if not isinstance(value, str):
        raise Hint(f"`{name}` must be a formula between quotes, found {_kind(value)}.")
    if len(value) > LONGEST_FORMULA:
        raise Hint(f"`{name}` has {len(value)} characters; a formula for this question needs fewer than 100.")
    powers = [int(power) for power in re.findall(r"(?:\*\*|\^)\s*(\d+)", value)]
    if len(re.findall(r"[*:^]", value)) > MOST_INTERACTIONS or max(powers, default=0) > LARGEST_POWER:
        raise Hint(f"`{name}` has far more interactions than this question needs.")
    try:
        parsed = parse(value)
    except FormulaError as error:
        raise Hint(f"`{name}` cannot be read: {error}") from None
    if not parsed.terms:
        raise Hint(f"`{name}` has no term that varies by cluster, such as (1 | group).")
    for unknown in sorted(parsed.variables - set(columns)):
        raise Hint(f"`{name}` uses {unknown!r}, which is no column of the data: {nearest(unknown, columns)}")
    return parsed


def choice(name: str, value: Any, *, among: Sequence[str]) -> str:
    """The answer `value`, if it is one of the words in `among` (capitals and outer blanks do not matter).

    Examples
    --------
    >>> choice("kind", "Random ", among=["fixed", "random"])
    'random'
    """
    _answered(name, value, "one of " + ", ".join(repr(word) for word in among))
    words = {word.casefold(): word for word in among}
    if not isinstance(value, str) or value.strip().casefold() not in words:
        shown = ", ".join(repr(word) for word in among)
        raise Hint(f"`{name}` must be one of {shown}, found {value!r}.")
    return words[value.strip().casefold()]


def tolerance(truth: float, *, digits: int = 2) -> float:
    """How far from `truth` an answer may lie and still be right to `digits` significant digits.

    Half a unit of the last of those digits, so that whoever rounds correctly to `digits` or more is right, and
    so is whoever rounded a little on the way. 0.3166 to two digits: 0.32, and every answer from 0.3116 to 0.3216.

    Examples
    --------
    >>> tolerance(0.3166), tolerance(42.5, digits=3)
    (0.005, 0.05)
    """
    place = math.floor(math.log10(abs(truth))) if truth else 0
    return 0.5 * 10.0 ** (place - digits + 1)


def means_the_same(one: str, other: str) -> bool:
    """Whether two formulas describe the same model, however they are written.

    The order of terms, ``1 +``, ``(x || g)`` for ``(1 | g) + (0 + x | g)`` and ``x * z`` for ``x + z + x:z`` do not
    matter. The formulas are only parsed: nothing of them is ever evaluated.

    Examples
    --------
    >>> means_the_same("y ~ (x | g) + x", "y ~ 1 + x + (1 + x | g)")
    True
    """
    return _meaning(parse(one)) == _meaning(parse(other))


def sorting(name: str, value: Any, *, items: Sequence[str], among: Sequence[str]) -> dict[str, str]:
    """The answer `value`, a dictionary that gives each of `items` one of the words in `among`.

    Raises
    ------
    Hint
        If it is no dictionary, lacks an item or has another, or if a word is none of `among`.

    Examples
    --------
    >>> sorting("kinds", {"tray": "Random", "light": "fixed"}, items=["tray", "light"], among=["fixed", "random"])
    {'tray': 'random', 'light': 'fixed'}
    """
    shape = "a dictionary such as {" + f"{items[0]!r}: {among[0]!r}, …" + "}"
    _answered(name, value, shape)
    if not isinstance(value, Mapping):
        raise Hint(f"`{name}` must be {shape}, found {_kind(value)}.")
    for item in items:
        if item not in value or value[item] is None or value[item] is ...:
            raise Hint(f"`{name}` says nothing of {item!r} yet.")
    for item in value:
        if item not in items:
            raise Hint(f"`{name}` speaks of {str(item)!r}, which was not asked; asked are {', '.join(items)}.")
    return {item: choice(f"{name}[{item!r}]", value[item], among=among) for item in items}


def ranking(name: str, value: Any, *, count: int) -> list[str]:
    """The answer `value`, a list of `count` different labels, as text.

    Examples
    --------
    >>> ranking("pulled", [308, 335], count=2)
    ['308', '335']
    """
    _answered(name, value, f"a list of {count}")
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | Mapping) or not isinstance(value, list | tuple):
        raise Hint(f"`{name}` must be a list of {count} labels, the first one first, found {_kind(value)}.")
    labels = [_label(label) for label in value]
    if len(labels) != count:
        raise Hint(f"`{name}` has {len(labels)} labels; asked are {count}.")
    if len(set(labels)) < len(labels):
        raise Hint(f"`{name}` names a label twice.")
    return labels


def design(name: str, value: Any, *, rows: int) -> Population:
    """The answer `value`, a population or its YAML text (``population.to_yaml()``), of at most about `rows` rows.

    Raises
    ------
    Hint
        If it is neither, if it cannot be read (in the words of `mixedsim.PopulationError`), or if it is too large.
    """
    _answered(name, value, "your population's text, as population.to_yaml() writes it")
    if isinstance(value, Population):
        found = value
    elif not isinstance(value, str):
        raise Hint(f"`{name}` must be a population's text, as population.to_yaml() writes it, found {_kind(value)}.")
    elif len(value) > LONGEST_DESIGN or re.search(r":\s*[&*]\w|-\s+[&*]\w", value):
        raise Hint(f"`{name}` is longer than this question needs, or uses YAML's anchors.")
    else:
        try:
            found = Population.from_yaml(value if "\n" in value else value + "\n")
        except MixedsimError as error:
            raise Hint(f"`{name}` cannot be read: {error}") from None
    expected = found.plan.structure.expected_rows()
    if expected > rows:
        raise Hint(f"`{name}` would have about {expected:,.0f} rows; at most {rows:,} are drawn here.")
    return found


def _meaning(parsed: Formula) -> tuple[object, object, object]:
    """What makes two formulas the same model: response, fixed terms, and effects by grouping factors."""
    random = {(_terms(term.effects), frozenset(term.factors)) for term in parsed.terms}
    return "".join(parsed.response.split()), _terms(parsed.fixed), frozenset(random)


def _terms(rhs: str) -> frozenset[frozenset[str]]:
    return frozenset(frozenset("".join(factor.expr.split()) for factor in term.factors) for term in fixed_terms(rhs))


def _label(label: Any) -> str:
    if isinstance(label, float) and label.is_integer():
        return str(int(label))  # 308.0 is person 308
    return str(label).strip()


def _answered(name: str, value: Any, what: str) -> None:
    if value is None or value is ...:
        raise Hint(f"`{name}` has no answer yet: replace the three dots by {what}.")


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


def _bounds(low: float, high: float) -> str:
    if math.isinf(low):
        return f"be at most {high:g}"
    if math.isinf(high):
        return f"be at least {low:g}"
    return f"lie between {low:g} and {high:g}"
