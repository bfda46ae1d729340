"""Two formulas side by side: what the second adds and drops, whether they are nested, which test compares them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixedsim.columns import model_columns
from mixedsim.listing import counted, listed
from mixedsim.words.anatomy import Anatomy
from mixedsim.words.counting import parameters_of

_SPAN = 1e-8  # relative size of what is left of a column that others explain


@dataclass(frozen=True)
class Parts:
    """What a formula has a parameter for.

    Attributes
    ----------
    fixed : names of the columns.
    varying : pairs of column and grouping factor.
    correlated : pairs of columns, and the grouping factor.
    """

    fixed: frozenset[str]
    varying: frozenset[tuple[str, str]]
    correlated: frozenset[tuple[frozenset[str], str]]

    def __le__(self, other: Parts) -> bool:
        return self.fixed <= other.fixed and self.varying <= other.varying and self.correlated <= other.correlated


def parts(model: Anatomy) -> Parts:
    """The `Parts` of a formula; names of a grouping factor and of a product do not depend on their order."""
    varying, correlated = set(), set()
    for group in model.groups:
        by = ":".join(sorted(group.factors))
        for block in group.blocks:
            names = [_sorted(column.factors) for column in block.columns]
            varying |= {(name, by) for name in names}
            correlated |= {(frozenset((a, b)), by) for i, a in enumerate(names) for b in names[i + 1 :]}
    fixed = frozenset(_sorted(column.factors) for column in model.fixed)
    return Parts(fixed, frozenset(varying), frozenset(correlated))


def listed_differences(more: Parts, less: Parts) -> list[str]:
    """What `more` has and `less` has not, in words."""
    said = [f"the fixed effect {_shown(name)}" for name in sorted(more.fixed - less.fixed)]
    for name, by in sorted(more.varying - less.varying):
        what = "an intercept" if name == "1" else f"a slope of {_shown(name)}"
        said.append(f"{what} for every {by} (1 standard deviation)")
    for pair, by in sorted(more.correlated - less.correlated, key=lambda one: (one[1], sorted(one[0]))):
        names = listed(["the intercept" if name == "1" else f"the slope of {name}" for name in sorted(pair)])
        said.append(f"the correlation of {names} between levels of {by}")
    return said


def comparable(first: Anatomy, second: Anatomy) -> bool:
    """Whether both explain the same outcome."""
    return _outcome(first) == _outcome(second)


def nesting(first: Anatomy, second: Anatomy) -> str:
    """``same``, ``first`` or ``second`` (the smaller one, which the other contains), or ``neither``."""
    one, two = parts(first), parts(second)
    fixed = _fixed_within(first, second), _fixed_within(second, first)
    in_second = fixed[0] and one.varying <= two.varying and one.correlated <= two.correlated
    in_first = fixed[1] and two.varying <= one.varying and two.correlated <= one.correlated
    if in_second and in_first:
        return "same"
    return "first" if in_second else "second" if in_first else "neither"


def advice(first: Anatomy, second: Anatomy) -> list[str]:
    """Which test compares two models, and what to mind."""
    if not comparable(first, second):
        return ["They explain different outcomes, and nothing compares their likelihoods."]
    relation = nesting(first, second)
    if relation == "same":
        return ["They are the same model, and there is nothing to test."]
    linear = first.family == "gaussian"
    by_likelihood = " fitted by maximum likelihood (not REML)" if linear and not _same_fixed(first, second) else ""
    if relation == "neither":
        return [f"No likelihood-ratio test compares them; AIC or BIC do, of models{by_likelihood or ' fitted alike'}."]
    small, large = (first, second) if relation == "first" else (second, first)
    return _tests(small, large)


def _tests(small: Anatomy, large: Anatomy) -> list[str]:
    few, many = parameters_of(small), parameters_of(large)
    difference = sum(many.values()) - sum(few.values())
    sds = many["standard deviations"] - few["standard deviations"]
    fixed = many["fixed"] - few["fixed"]
    degrees = f"{counted(difference, 'degree')} of freedom"
    said = [f"A likelihood-ratio test compares them: χ² with {degrees}; ms.anova does it."]
    if not small.groups and large.groups:
        said.append("The smaller one has no random term: it is fitted by ordinary least squares, the larger by lmer.")
    if large.family == "gaussian":
        if not _same_fixed(small, large):
            said.append(
                "Fit both by maximum likelihood: REML likelihoods of different fixed effects cannot be compared "
                "(ms.anova refits and says so)."
            )
            if not sds and large.groups:
                said.append("In small samples an F test of the larger one is more exact: fit.anova().")
        elif small.groups:
            said.append("The fixed effects are the same, so REML likelihoods can be compared too.")
    if sds:
        said.append(_boundary(sds, difference, fixed))
    return said


def _boundary(sds: int, difference: int, fixed: int) -> str:
    """What becomes of χ² where standard deviations are at the edge of what they can be.

    Source: Stram & Lee (1994), Biometrics 50:1171, cases 1–4.
    """
    reason = f"A standard deviation cannot be below 0, so that p from χ² with {difference} df is too large"
    if sds == 1 and not fixed:
        first = "χ² with 0" if difference == 1 else f"χ² with {difference - 1}"
        return f"{reason}: an even mixture of {first} and {difference} df is right (Stram & Lee, 1994)."
    return f"{reason}: compare in several steps, or by a parametric bootstrap (ms.anova(…, test='bootstrap'))."


def _same_fixed(first: Anatomy, second: Anatomy) -> bool:
    return _fixed_within(first, second) and _fixed_within(second, first)


def _fixed_within(small: Anatomy, large: Anatomy) -> bool:
    """Whether one fixed part can say all that the other says: by its columns if there are data, else by its terms."""
    if small.frame is None or large.frame is None:
        return parts(small).fixed <= parts(large).fixed
    if not small.fixed or not large.fixed:
        return not small.fixed
    shared = small.frame.index.intersection(large.frame.index)
    x = model_columns(large.formula.fixed, large.frame.loc[shared]).matrix()
    z = model_columns(small.formula.fixed, small.frame.loc[shared]).matrix()
    scale = np.linalg.norm(x, axis=0)
    x = x / np.where(scale > 0, scale, 1.0)
    left = z - x @ np.linalg.lstsq(x, z, rcond=None)[0]
    return bool((np.linalg.norm(left, axis=0) <= _SPAN * np.linalg.norm(z, axis=0)).all())


def _outcome(model: Anatomy) -> tuple[str, str | None, str]:
    return model.response.replace(" ", ""), model.trials, model.family


def _sorted(factors: tuple[str, ...]) -> str:
    return ":".join(sorted(factors)) or "1"


def _shown(name: str) -> str:
    return "of the intercept" if name == "1" else name


def joined(items: list[str]) -> str:
    """Items in a sentence; ``nothing`` if there are none."""
    return listed(items, most=len(items)) if items else "nothing"
