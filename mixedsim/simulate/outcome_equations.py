"""The equations of the outcome and of what varies at random around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixedsim.equation import Equation, indexed
from mixedsim.simulate.covariance import covariances
from mixedsim.simulate.families import Gaussian, family_of
from mixedsim.simulate.family import Family
from mixedsim.simulate.links import written
from mixedsim.simulate.notation import Letters, digits
from mixedsim.simulate.ordinal import Ordinal
from mixedsim.simulate.shapes import Shape, shape_of
from mixedsim.simulate.sums import Sum

if TYPE_CHECKING:
    from mixedsim.simulate.population import Population


def response(population: Population, letters: Letters, summed: Sum) -> list[Equation]:
    """How the response arises: in one line where it is its linear predictor plus a residual, else in several.

    `summed` writes the linear predictor in one of the notations.
    """
    family, index = family_of(population.family), letters.index(None)
    own = indexed(population.plan.response.name, index)
    residual = indexed("e", index)
    if isinstance(family, Gaussian) and family.link == "identity":
        return [Equation(own, "=", summed(population, letters, residual))]
    mean = indexed(letters.unused(family.symbol), index)
    sums = summed(population, letters, _log_exposure(family, letters))
    if isinstance(family, Ordinal):
        cuts = zip(family.names(), family.thresholds, strict=False)
        up_to = [(written(family.link, f"P({own} ≤ {label})"), f"{digits(cut)} − {mean}") for label, cut in cuts]
        lines = [Equation(left, "=", (right,)) for left, right in up_to]
        return [Equation(own, ":", (" < ".join(family.names()),)), *lines, Equation(mean, "=", sums)]
    below = Equation(written(family.link, mean), "=", sums)
    if isinstance(family, Gaussian):
        return [Equation(own, "=", (mean, f"+ {residual}")), below]
    return [Equation(own, "~", (family.equation(mean, _trials(population, letters)),)), below]


def random(population: Population, letters: Letters) -> list[Equation]:
    """What the random effects and the residuals are drawn from."""
    known = covariances(population.ranef)
    block = []
    for term in population.plan.terms:
        q, these = len(term.names), known[term.group]
        at = range(term.first, term.first + q)
        sds = [digits(these.sd[i]) for i in at]
        sd = " and ".join([", ".join(sds[:-1])] * (q > 1) + sds[-1:])
        pairs = [these.corr[i][j] for i in at for j in at if i < j]
        corr = [f"correlation{'s' * (len(pairs) > 1)} {', '.join(map(digits, pairs))}"] if pairs else []
        left = ", ".join(letters.effect(term, position) for position in range(q))
        block.append(Equation(left, "~", _distribution(these.shape, sd, corr)))
    return [*block, *_residual(population, letters)]


def _residual(population: Population, letters: Letters) -> list[Equation]:
    if population.sigma is None:
        return []
    entry = population.residual or {}
    shape = shape_of(entry.get("shape"))
    remark = ""
    if "ar1" in entry:
        unit = entry["by"].replace(":", " × ")
        remark = f"AR(1) in each {unit}: correlation {digits(entry['ar1'])} from row to row"
    if "exact" in entry:
        unit = entry["by"].replace(":", " × ")
        others = "".join(f", cor with {letters.variable(name)} 0" for name in entry["exact"])
        remark = f"exactly in each {unit}: mean 0, sd as given{others}"
    right = _distribution(shape, letters.write(population.sigma), [])
    return [Equation(indexed("e", letters.index(None)), "~", right, remark)]


def _distribution(shape: Shape, sd: str, corr: list[str]) -> tuple[str, ...]:
    """``Normal(0, sd 1 and 0.5, correlation 0.3)`` in the parts between which a line may end."""
    parts = [f"{shape.name}(0, sd {sd}", *corr, *shape.tail()]
    return (*(f"{part}," for part in parts[:-1]), f"{parts[-1]})")


def _log_exposure(family: Family, letters: Letters) -> str:
    name = getattr(family, "exposure", None)
    return f"log({letters.variable(name)})" if name else ""


def _trials(population: Population, letters: Letters) -> str:
    trials = population.plan.response.trials
    if trials is None:
        return ""
    return letters.variable(trials) if isinstance(trials, str) else str(trials)
