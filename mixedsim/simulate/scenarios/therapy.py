"""What the five therapist populations have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.variables import Bernoulli, Integers, Normal, Variable

_INTERCEPT, _DEPRESSION, _SEX = 45.0, 3.0, 10.0  # points; points a point of depression; points between the sexes
_SIGMA = 8.0  # points between patients of one therapist who are alike in everything else
_ABOUT = {
    "therapist": "therapist",
    "ses": "socio-economic status of the district, a score of mean 0 and sd 1",
    "price": "price of a session in tens of euros",
    "intervention": "intervention that the therapist gives: 0, 1 or 2",
    "depression": "depression score in points; higher is worse",
    "sex": "sex of the patient, 0 or 1",
    "depression_mean": "mean depression score of the therapist's patients",
    "anxiety": "anxiety score in points; higher is worse",
}


def therapists_with(
    name: str,
    therapists: int,
    patients: Count | Integers,
    *,
    before: Mapping[str, Variable] | None = None,
    depression: Normal = Normal(5, 2),  # noqa: B008 (a frozen value)
    after: Mapping[str, Variable] | None = None,
    fixed: str | None = None,
    fixef: Mapping[str, float] | None = None,
    varying: str = "1",
    sd: tuple[float, ...] = (1.0,),
) -> Population:
    """A population of therapists, with variables `before` and `after` depression and their coefficients `fixef`."""
    own: dict[str, Any] = dict(fixef or {})
    variables = {**(before or {}), "depression": depression, "sex": Bernoulli(0.5), **(after or {})}
    predictors = fixed or " + ".join(["depression", "sex", *own])
    return Population(
        f"anxiety ~ {predictors} + ({varying} | therapist)",
        clusters={"therapist": therapists},
        size=patients,
        variables=variables,
        fixef={"Intercept": _INTERCEPT, "depression": _DEPRESSION, "sex": _SEX, **own},
        ranef={"therapist": {"sd": sd}},
        sigma=_SIGMA,
        about={name: what for name, what in _ABOUT.items() if name in ("therapist", *variables, "anxiety")},
        name=name,
    )
