"""The kinds of outcome: measurements, yes or no, counts, positive amounts, ordered categories.

In a description a family is a word, ``binomial``; a pair of word and link, ``("binomial", "probit")``; or a mapping,
``{"kind": "negative-binomial", "theta": 2}``. The linear predictor η goes through the inverse link to the mean μ, and
the outcome is drawn around the mean. A family's first link is the one that is meant where none is given.

`exposure` names a variable (days at risk, square metres): its logarithm is part of η, with the coefficient 1.

Sources: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, chapters 4 (binomial), 6 (counts; section
6.2.3: the negative binomial as a Poisson count whose mean is gamma-distributed) and 8 (constant coefficient of
variation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixedsim.errors import nearest
from mixedsim.simulate.expression import Values
from mixedsim.simulate.family import Array, Family, Trials, outcome
from mixedsim.simulate.fields import FieldError, number, only, shown
from mixedsim.simulate.frozen import Frozen
from mixedsim.simulate.ordinal import Ordinal
from mixedsim.simulate.replay.numbers import replaying
from mixedsim.simulate.variables import Variable

_MEANT = {  # by people who know the distribution or the model under another name
    **dict.fromkeys(("normal", "Gaussian", "linear"), "gaussian"),
    **dict.fromkeys(("bernoulli", "logistic", "logit", "probit", "binary"), "binomial"),
    **dict.fromkeys(("nbinom", "negbin", "negative_binomial", "neg_binomial"), "negative-binomial"),
    **dict.fromkeys(("cumulative", "ordered"), "ordinal"),
    "count": "poisson",
    "Gamma": "gamma",
}
_MOST = 1e9  # mean of a count; a gamma-Poisson mixture then stays within 64-bit integers
_MOST_CV = 5.0  # of amounts that vary more, some are smaller than the smallest double, and 0 is no amount


@dataclass(frozen=True)
class Gaussian(Family):
    """A measurement: its mean plus a residual, see `mixedsim.simulate.residuals`."""

    kind = "gaussian"
    links = ("identity", "log")

    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> Values:
        raise NotImplementedError("residuals have their own field and their own random numbers")


@dataclass(frozen=True)
class Binomial(Family):
    """1 with probability μ, else 0; or the number of successes in so many trials, each with probability μ."""

    kind = "binomial"
    links = ("logit", "probit", "cloglog", "log", "identity")
    means = (0.0, 1.0)
    symbol = "p"

    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> NDArray[np.int64]:
        probability = self.mean(predictor)
        if trials is not None:
            return rng.binomial(trials, probability, len(probability))
        if r := replaying(rng):
            return r.rbinom(len(probability), 1, probability)
        ones: NDArray[np.bool_] = np.less(rng.random(len(probability)), probability)
        return ones.astype(np.int64)

    def equation(self, mean: str, trials: str) -> str:
        return f"Binomial({trials}, {mean})" if trials else f"Bernoulli({mean})"

    def support(self, trials: Trials | str | None) -> str:
        return "0 or 1" if trials is None else f"0 to {trials}"


@dataclass(frozen=True)
class Poisson(Family):
    """A count of independent events; `exposure` names the variable that says how long or how large was looked at."""

    exposure: str | None = None

    kind = "poisson"
    links = ("log", "identity")
    means = (0.0, _MOST)

    def __post_init__(self) -> None:
        _check_exposure(self.exposure, self.kind, self.link)

    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> NDArray[np.int64]:
        return rng.poisson(self.mean(predictor))

    def equation(self, mean: str, trials: str) -> str:
        return f"Poisson({mean})"

    def support(self, trials: Trials | str | None) -> str:
        return "0, 1, 2, …"


@dataclass(frozen=True)
class NegativeBinomial(Family):
    """A count of events that come in bunches: variance μ + μ²/theta, so that a large theta is nearly Poisson."""

    theta: float
    exposure: str | None = None

    kind = "negative-binomial"
    links = ("log", "identity")
    means = (0.0, _MOST)

    def __post_init__(self) -> None:
        _settle_between(self, "theta", 0.001, 1e6)
        _check_exposure(self.exposure, self.kind, self.link)

    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> NDArray[np.int64]:
        mean = self.mean(predictor)
        return rng.negative_binomial(self.theta, self.theta / (self.theta + mean))

    def equation(self, mean: str, trials: str) -> str:
        more = f"{mean}²" if self.theta == 1 else f"{mean}²/{self.theta:g}"
        return f"NegativeBinomial(mean {mean}, variance {mean} + {more})"

    def support(self, trials: Trials | str | None) -> str:
        return "0, 1, 2, …"


@dataclass(frozen=True)
class Gamma(Family):
    """A positive amount whose standard deviation is the share `cv` of its mean."""

    cv: float

    kind = "gamma"
    links = ("log", "inverse", "identity")
    means = (0.0, math.inf)

    def __post_init__(self) -> None:
        _settle_between(self, "cv", 0.001, _MOST_CV)

    def mean(self, predictor: Array) -> Array:
        mean = super().mean(predictor)
        if len(mean) and not mean.min() > 0:
            problem = f"is {self.link!r}, and in this draw a mean is 0; that of {outcome(self.kind)} must be above 0"
            raise FieldError(("family", "link"), f"{problem}: choose other effects.")
        return mean

    def draw(self, predictor: Array, rng: np.random.Generator, trials: Trials | None) -> Array:
        mean = self.mean(predictor)
        values = rng.standard_gamma(1 / self.cv**2, len(mean))
        values *= mean
        values *= self.cv**2
        return values

    def equation(self, mean: str, trials: str) -> str:
        sd = mean if self.cv == 1 else f"{self.cv:g}·{mean}"
        return f"Gamma(mean {mean}, sd {sd})"

    def support(self, trials: Trials | str | None) -> str:
        return "above 0"


KINDS: dict[str, type[Family]] = {
    kind.kind: kind for kind in (Gaussian, Binomial, Poisson, NegativeBinomial, Gamma, Ordinal)
}


def settled_family(given: Any) -> Frozen[str, Any]:
    """The `family` field in its one form: kind, link, and the parameters that are not left out.

    Parameters
    ----------
    given : a word, a pair of word and link, or a mapping with ``kind``, perhaps ``link``, and parameters.

    Raises
    ------
    FieldError
        If there is no such family, it has no such link, or a parameter is missing, unknown or impossible.

    Examples
    --------
    >>> from mixedsim.simulate.families import settled_family
    >>> settled_family(("binomial", "probit"))
    {'kind': 'binomial', 'link': 'probit'}
    """
    entry = _as_mapping(given)
    if "kind" not in entry:
        raise FieldError(("family", "kind"), f"is missing: say which of {', '.join(KINDS)}.")
    kind = KINDS.get(str(entry["kind"]))
    if kind is None:
        called = str(entry["kind"])
        hint = f"did you mean {_MEANT[called]!r}?" if called in _MEANT else nearest(called, KINDS)
        raise FieldError(("family",), f"cannot be {shown(entry['kind'])}: {hint}")
    link = entry.get("link", kind.links[0])
    if link not in kind.links:
        raise FieldError(("family", "link"), f"cannot be {shown(link)} for {kind.kind}: {nearest(link, kind.links)}")
    parameters = [f for f in fields(kind) if f.name != "link"]
    values = {key: value for key, value in entry.items() if key not in ("kind", "link")}
    needed = [f.name for f in parameters if f.default is MISSING]
    only(entry, ["kind", "link", *(f.name for f in parameters)], ("family",))
    for name in needed:
        if name not in values:
            raise FieldError(("family", name), f"is missing, as in {{kind: {kind.kind}, {name}: …}}.")
    try:
        family = kind(link=link, **values)
    except FieldError as error:
        raise error.under("family") from None
    settled = {f.name: value for f in parameters if (value := getattr(family, f.name)) is not None}
    return Frozen({"kind": kind.kind, "link": link, **settled})


def family_of(entry: object) -> Family:
    """The `Family` that the field in its one form stands for."""
    assert isinstance(entry, Mapping)
    return KINDS[entry["kind"]](**{key: value for key, value in entry.items() if key != "kind"})


def words(entry: object) -> str:
    """The family in words, with its link and its parameters: ``negative-binomial, log link, theta 2``."""
    family = family_of(entry)
    values = {f.name: getattr(family, f.name) for f in fields(family) if f.name not in ("link", "labels")}
    lists = {name: one if isinstance(one, tuple) else (one,) for name, one in values.items() if one is not None}
    texts = (f"{name} " + ", ".join(map(_short, one)) for name, one in lists.items())
    return ", ".join([family.kind, f"{family.link} link", *texts])


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def check_exposure(entry: Mapping[str, Any], variables: Mapping[str, Variable]) -> None:
    """Raise `FieldError` if the field in its one form names an exposure that is no numeric variable."""
    name = entry.get("exposure")
    if name is None:
        return
    if name not in variables:
        known = nearest(name, variables) if variables else "there are none."
        raise FieldError(("family", "exposure"), f"must be a variable, found {name!r}: {known}")
    if variables[name].categories() is not None:
        raise FieldError(("family", "exposure"), f"must be a numeric variable; {name} is categorical.")


def expected_fixef(entry: Mapping[str, Any], coefficients: tuple[str, ...], given: object) -> tuple[str, ...]:
    """The coefficients that a population of this family needs: all, but no intercept beside thresholds."""
    if entry["kind"] != Ordinal.kind:
        return coefficients
    if isinstance(given, Mapping) and "Intercept" in given:
        raise FieldError(("fixef", "Intercept"), "has no place in an ordinal outcome: family.thresholds say as much.")
    return tuple(name for name in coefficients if name != "Intercept")


def _as_mapping(given: Any) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    if isinstance(given, str):
        return {"kind": given}
    if isinstance(given, Sequence) and len(given) == 2 and all(isinstance(one, str) for one in given):
        return {"kind": given[0], "link": given[1]}
    example = "or with its link ('binomial', 'probit')"
    raise FieldError(("family",), f"must be one of {', '.join(KINDS)}, {example}, found {shown(given)}.")


def _check_exposure(exposure: object, kind: str, link: str) -> None:
    if exposure is None:
        return
    if not isinstance(exposure, str):
        raise FieldError((kind, "exposure"), f"must be the name of a variable, found {shown(exposure)}.")
    if link != "log":
        raise FieldError((kind, "exposure"), f"multiplies the mean, which needs the link 'log', not {link!r}.")


def _settle_between(family: Family, field: str, low: float, high: float) -> None:
    value = number(getattr(family, field), (family.kind, field), low=low, high=high)
    object.__setattr__(family, field, value)
