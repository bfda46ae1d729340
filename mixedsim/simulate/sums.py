"""The linear predictor of an outcome as a sum: all addends in one line, or with coefficients that vary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from mixedsim.equation import Equation, indexed
from mixedsim.simulate.notation import Letters, column, digits
from mixedsim.simulate.plan import Varying

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population

Sum: TypeAlias = "Callable[[Population, Letters, str], tuple[str, ...]]"


def scalar_sum(population: Population, letters: Letters, last: str) -> tuple[str, ...]:
    """Fixed part, random effects and one addend more ("" for none), each but the first with its sign."""
    addends = [_times(value, column(name, letters)) for name, value in population.fixef.items()]
    for name, term, position in _effects(population):
        addends.append(_product(letters.effect(term, position), column(name, letters)))
    return _signed([*addends, last])


def varying_sum(population: Population, letters: Letters, last: str) -> tuple[str, ...]:
    """The same with one coefficient, ``β₀ⱼ``, for everything that is multiplied by the same column and varies."""
    symbols = _symbols(population, letters)
    addends = [
        _product(symbols[name], column(name, letters)) if name in symbols else _times(value, column(name, letters))
        for name, value in population.fixef.items()
    ]
    addends += [_product(symbols[name], column(name, letters)) for name in symbols if name not in population.fixef]
    return _signed([*addends, last])


def varying_coefficients(population: Population, letters: Letters) -> list[Equation]:
    """What every coefficient that varies is: its mean and how far a cluster is from it."""
    block = []
    for name, symbol in _symbols(population, letters).items():
        mean = [digits(population.fixef[name])] if name in population.fixef else []
        own = [letters.effect(term, position) for one, term, position in _effects(population) if one == name]
        block.append(Equation(symbol, "=", _signed(mean + own)))
    return block


def _symbols(population: Population, letters: Letters) -> dict[str, str]:
    """``β₁ⱼ`` for every column whose coefficient varies, numbered as the coefficients are."""
    units: dict[str, set[str]] = {}
    for name, term, _ in _effects(population):
        units.setdefault(name, set()).update(letters.index(term.factors))
    numbers = {name: number for number, name in enumerate(dict.fromkeys([*population.fixef, *units]))}
    beta = letters.unused("β")
    inside_out = list(letters.of.values())
    index = {name: "".join(letter for letter in inside_out if letter in own) for name, own in units.items()}
    return {name: indexed(beta, f"{numbers[name]}{index[name]}") for name in sorted(units, key=numbers.__getitem__)}


def _effects(population: Population) -> Iterator[tuple[str, Varying, int]]:
    """Every random effect: its column, its term, its place there."""
    for term in population.plan.terms:
        for position, name in enumerate(term.names):
            yield name, term, position


def _times(value: float, variables: str) -> str:
    return _product(digits(value), variables)


def _product(factor: str, variables: str) -> str:
    return f"{factor}·{variables}" if variables else factor


def _signed(addends: list[str]) -> tuple[str, ...]:
    """Addends with their signs, a space after each but the first; ``0`` if there are none."""
    kept = [addend for addend in addends if addend]
    later = (f"− {one[1:]}" if one.startswith("−") else f"+ {one}" for one in kept[1:])
    return (*kept[:1], *later) or ("0",)
