"""What is done with the data of every replicate: mixed models, least squares, or a function of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from mixedsim.errors import MixedsimError, shown
from mixedsim.formula import Formula, parse
from mixedsim.inference.contrasts import Ddf, check_ddf, check_level
from mixedsim.models.fitting import settle_flag
from mixedsim.models.generalized_family import settle_kind

Estimator = Callable[[pd.DataFrame], Any]


@dataclass(frozen=True)
class Analysis:
    """One analysis of the data of every replicate; a plain formula stands for ``Analysis(formula)``.

    Parameters
    ----------
    formula : with a random term a mixed model, see `family`; without one, ordinary least squares with t
        tests on n − p degrees of freedom (``"y ~ x + therapist"`` gives every therapist an indicator).
    ddf : of the tests and intervals of a mixed model: ``"satterthwaite"``, ``"kenward-roger"`` or ``"wald"``. With
        least squares ``"wald"`` takes the normal distribution in place of t.
    reml : restricted maximum likelihood, or maximum likelihood; of mixed models only.
    aggregate : a cluster (``"therapist"``, ``"class:school"``): the rows of each of its units become one, the means of
        response and numeric predictors, before least squares is done with these. A category must be the same in all
        rows of a unit.
    level : confidence level of the intervals, whose coverage the study counts.
    family : of a mixed model that is fitted by `mixedsim.glmer`, a name or a pair of a name and a link, as there. None
        takes family and link of the population: `mixedsim.lmer` where that is linear, else `mixedsim.glmer`, with the
        logarithm of the population's exposure as offset where the link is ``"log"``. Tests and intervals are Wald's,
        whatever `ddf` is by default, and of coefficients alone.
    nagq : nodes of its quadrature; 1 is Laplace's approximation.

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    MixedsimError
        For an option that does not exist, or that this kind of analysis does not have.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Analysis("anxiety ~ depression + (1 | therapist)", ddf="kenward-roger").label
    'anxiety ~ depression + (1 | therapist), kenward-roger'
    """

    formula: str
    ddf: Ddf = field(default="satterthwaite", kw_only=True)
    reml: bool = field(default=True, kw_only=True)
    aggregate: str | None = field(default=None, kw_only=True)
    level: float = field(default=0.95, kw_only=True)
    family: str | tuple[str, str] | None = field(default=None, kw_only=True)
    nagq: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        parsed = parse(self.formula)
        check_ddf(self.ddf)
        check_level(self.level)
        settle_flag("reml", self.reml)
        if not self.reml and not parsed.terms:
            raise MixedsimError(
                f"reml=False is for mixed models, and {self.formula!r} has no random term: leave reml out."
            )
        if not self.reml and self.ddf == "kenward-roger":
            raise MixedsimError("ddf='kenward-roger' needs reml=True: its correction is one of the REML estimates.")
        self._check_generalized()
        if self.aggregate is None:
            return
        if not isinstance(self.aggregate, str):
            raise MixedsimError(f"aggregate must be the name of a cluster, found {self.aggregate!r}.")
        if parsed.terms:
            raise MixedsimError(
                f"aggregate={self.aggregate!r} leaves one row a unit, in which nothing varies by group: leave "
                f"{parsed.terms[0].text} out."
            )

    def _check_generalized(self) -> None:
        kind = settle_kind("binomial" if self.family is None else self.family, self.nagq)
        if self.family is None and kind.nagq == 1:
            return
        what = f"nagq={self.nagq}" if self.family is None else f"family={self.family!r}"
        if not self.parsed.terms:
            raise MixedsimError(
                f"{what} is for mixed models, and {self.formula!r} has no random term: leave it out, or add one such "
                "as (1 | group)."
            )
        if self.family is None:
            return
        if self.ddf == "kenward-roger":
            raise MixedsimError(f"ddf='kenward-roger' is for linear models, not for {what}: leave ddf out.")
        object.__setattr__(self, "family", (kind.family, kind.link))

    @property
    def family_and_link(self) -> tuple[str, str] | None:
        """The family that was asked for, with its link."""
        return None if self.family is None else (self.family[0], self.family[1])

    @property
    def parsed(self) -> Formula:
        """The formula, read."""
        return parse(self.formula)

    @property
    def is_mixed(self) -> bool:
        """Whether it has random terms."""
        return bool(self.parsed.terms)

    @property
    def label(self) -> str:
        """The formula, and whatever differs from the defaults."""
        parts = [self.formula.strip()]
        parts += [f"means by {self.aggregate}"] * (self.aggregate is not None)
        parts += [] if self.family_and_link is None else [" ".join(self.family_and_link)]
        parts += [f"nagq {self.nagq}"] * (self.nagq != 1)
        parts += [self.ddf] * (self.ddf != "satterthwaite")
        parts += ["ML"] * (not self.reml) + [f"level {self.level:g}"] * (self.level != 0.95)
        return ", ".join(parts)

    @property
    def columns(self) -> frozenset[str]:
        """Every column of the data that it reads."""
        return self.parsed.variables.union(() if self.aggregate is None else self.aggregate.split(":"))

    def meaning(self) -> tuple[object, ...]:
        """What two equal analyses share, in plain values."""
        known = [one for one in fields(self) if one.name not in ("family", "nagq")]
        more = () if self.family is None and self.nagq == 1 else (self.family_and_link, self.nagq)
        return (*(getattr(self, one.name) for one in known), *more)  # so that folders without these keep their meaning


Analyses = Mapping[str, Analysis | Estimator]


def settled_analyses(given: Any, own: object = None) -> dict[str, Analysis | Estimator]:
    """Analyses by name, from whatever was given.

    Parameters
    ----------
    given : {name: formula, `Analysis` or function}; a list of these, which are called as their text says; or a single
        one, which is called ``"mixed"``, ``"ols"`` or ``"means"``, a function as it is called in Python. None stands
        for `own`.
    own : the formula of what is drawn from, or what has one as its ``formula`` (and perhaps ``nagq``).

    Raises
    ------
    MixedsimError
        If there are none, two have one name, or something is no analysis.

    Examples
    --------
    >>> from mixedsim.study.analysis import settled_analyses
    >>> list(settled_analyses("y ~ x")), list(settled_analyses(["y ~ x", "y ~ x + (1 | g)"]))
    (['ols'], ['y ~ x', 'y ~ x + (1 | g)'])
    """
    if given is None:
        given = _own(own)
    if isinstance(given, str | Analysis) or callable(given):
        only = settled_analysis(given)
        return {_kind(only): only}
    if isinstance(given, Mapping):
        pairs: Iterable[tuple[Any, Any]] = given.items()
    elif isinstance(given, Sequence):
        settled = [settled_analysis(one) for one in given]
        pairs = [(one.label if isinstance(one, Analysis) else _called(one), one) for one in settled]
    else:
        hint = "" if isinstance(given, bool) or not isinstance(given, int | float) else f": write n={given}"
        raise MixedsimError(
            f"analyses must be formulas by name, as in {{'mixed': 'y ~ x + (1 | g)'}}, found {_found(given)}{hint}."
        )
    out: dict[str, Analysis | Estimator] = {}
    for name, one in pairs:
        if not isinstance(name, str) or not name.strip():
            raise MixedsimError(f"the name of an analysis must be text, found {name!r}.")
        if name in out:
            raise MixedsimError(f"two analyses are called {name!r}: name them, as in {{'first': …, 'second': …}}.")
        out[name] = settled_analysis(one, name)
    if not out:
        raise MixedsimError("analyses are empty: give at least one formula, as in {'mixed': 'y ~ x + (1 | g)'}.")
    return out


def _own(own: object) -> object:
    """The model of what is drawn from, as an analysis; of a generalised fit with its quadrature."""
    formula = own if isinstance(own, str) else getattr(own, "formula", None)
    nagq = getattr(own, "nagq", 1)
    return formula if nagq == 1 or not isinstance(formula, str) else Analysis(formula, nagq=nagq)


def settled_analysis(given: Any, name: str = "") -> Analysis | Estimator:
    """One analysis, from a formula, an `Analysis` or a function."""
    if isinstance(given, str):
        return Analysis(given)
    if isinstance(given, Analysis):
        return given
    if callable(given):
        function: Estimator = given
        return function
    which = f"the analysis {name!r}" if name else "an analysis"
    raise MixedsimError(f"{which} must be a formula, ms.Analysis or a function of the data, found {_found(given)}.")


def _found(given: object) -> str:
    """What was given in place of an analysis; of a fitted model its formula is meant."""
    formula = getattr(given, "formula", None)
    if isinstance(formula, str):
        return f"a {type(given).__name__}: its formula is {formula.strip()!r}"
    plain = given is None or isinstance(given, bool | int | float | str | list | tuple)
    return shown(given) if plain else type(given).__name__


def _kind(analysis: Analysis | Estimator) -> str:
    if not isinstance(analysis, Analysis):
        return _called(analysis)
    return "mixed" if analysis.is_mixed else "ols" if analysis.aggregate is None else "means"


def _called(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "function" if name == "<lambda>" else str(name)
