"""Blood, visits and growth: counts that vary more than chance allows, and curves that are no lines."""

from __future__ import annotations

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, Bernoulli, Derived, Normal, Uniform


@scenario(stars=3)
def blood_cells(*, herds: int = 12, cows: int = 8) -> Population:
    """Cells counted under a microscope: treated cows lose them week by week, and every cow has her own level.

    Story: eosinophils are blood cells that become many with parasites. In 12 herds of 8 cows half of each herd is
    treated, and the cells in a fixed volume of blood are counted in the weeks 0, 2, 4 and 6.

    Questions: By how many per cent a week does treatment reduce the count? Why is the variance larger than the mean?
    Is a rate ratio for one cow the same as one for the average of all?

    Equations, with i for counts, j for cows, k for herds::

        cells_ijk ~ Poisson(μ_ijk)
        log μ_ijk = 3.4 + 0 treated_jk − 0.02 week_i − 0.1 treated_jk week_i + u_k + v_jk
        u_k       ~ Normal(0, sd 0.2)
        v_jk      ~ Normal(0, sd 0.4)

    Truth: untreated counts fall by 2 % a week, treated ones by exp(−0.12): 11 %.

    What the naive analysis shows: the mean count in week 0 is exp(3.4 + (0.2² + 0.4²) / 2) = 33.1, not exp(3.4) = 30.0,
    and the variance is not 33.1 but 33.1 + 33.1² · (exp(0.2) − 1) = 276: Poisson regression without cows has standard
    errors that are far too small for everything that differs between cows.

    Fit: ``cells ~ treated * week + (1 | herd) + (1 | cow)`` as a Poisson model with logarithmic link.

    Parameters
    ----------
    herds : how many.
    cows : in each.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.blood_cells().draw(seed=1).data
    >>> data["week"].unique().tolist(), len(data)
    ([0, 2, 4, 6], 384)
    """
    return Population(
        "cells ~ treated * week + (1 | herd) + (1 | cow)",
        clusters={"herd": herds, "cow": {"in": "herd", "n": cows}},
        size=4,
        variables={"treated": Assigned([0, 1], level="cow", shuffle=True), "week": Assigned([0, 2, 4, 6])},
        fixef={"Intercept": 3.4, "treated": 0, "week": -0.02, "treated:week": -0.1},
        ranef={"herd": {"sd": 0.2}, "cow": {"sd": 0.4}},
        family="poisson",
        about={
            "herd": "herd",
            "cow": "cow, her number used only once",
            "treated": "whether the cow is treated: 0 or 1",
            "week": "weeks since the start of the treatment",
            "cells": "eosinophils in the volume counted",
        },
        name="blood_cells",
    )


@scenario(stars=3)
def gp_visits(*, practices: int = 30, patients: Count = 40) -> Population:
    """Visits to the doctor: people are watched for different times, and some come again and again.

    Story: in 30 practices the records of 40 patients each are read: how often they came in the months that they have
    been there, from half a year to three years. The chronically ill come more often, and so do the old. Some people
    come often for reasons that no record holds, and practices ask patients back more or less readily.

    Questions: How many visits a year does a chronic illness add? What is wrong with visits divided by months? Where is
    it seen that counts are not Poisson?

    Equations, with i for patients, j for practices::

        visits_ij ~ NegativeBinomial(mean μ_ij, variance μ_ij + μ_ij² / 1.5)
        log μ_ij  = log(years_ij) + 1.1 + 0.15 age10_ij + 0.6 chronic_ij + u_j
        years_ij   ~ Uniform(0.5, 3)
        age10_ij   ~ Normal(0, sd 1.5)
        chronic_ij ~ Bernoulli(0.3)
        u_j        ~ Normal(0, sd 0.25)

    Truth: a chronic illness multiplies visits by exp(0.6) = 1.82, ten years of age by exp(0.15) = 1.16. A person of
    average age without such an illness comes exp(1.1) = 3 times a year in the typical practice.

    What the naive analysis shows: without years as exposure, the mean number is a mixture of times: 1.75 years on
    average. With Poisson in place of negative binomial the standard errors ignore the factor 1 + μ / 1.5 in the
    variance, which is 4.5 for somebody with a mean of 5.25 visits: they are too small by half.

    Fit: ``visits ~ age10 + chronic + (1 | practice)`` as a negative binomial model with log(years) as offset.

    Parameters
    ----------
    practices : how many.
    patients : in each.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.gp_visits().draw(seed=1).data
    >>> list(data.columns)
    ['practice', 'years', 'age10', 'chronic', 'visits']
    """
    return Population(
        "visits ~ age10 + chronic + (1 | practice)",
        clusters={"practice": practices},
        size=patients,
        variables={"years": Uniform(0.5, 3), "age10": Normal(0, 1.5), "chronic": Bernoulli(0.3)},
        fixef={"Intercept": 1.1, "age10": 0.15, "chronic": 0.6},
        ranef={"practice": {"sd": 0.25}},
        family={"kind": "negative-binomial", "theta": 1.5, "exposure": "years"},
        about={
            "practice": "practice",
            "years": "years for which the patient has been there",
            "age10": "age in decades from the average",
            "chronic": "whether the patient is chronically ill: 0 or 1",
            "visits": "visits in that time",
        },
        name="gp_visits",
    )


@scenario(stars=2)
def growth_curves(*, children: int = 80, months: int = 13) -> Population:
    """Weights of babies in their first year: a curve for everybody, and a line that bends it for each.

    Story: 80 babies are weighed every month from birth to the first birthday. They grow fast at first and then more
    slowly. Some are born heavier, some grow faster, and who is above his own curve this month (a good week, a cold) is
    still a little above it the next.

    Questions: How fast does the average baby grow at birth, and at twelve months? How different are babies at birth and
    later? What does a straight line miss?

    Equations, with i for months, j for babies::

        weight_ij  = 3.5 + 0.85 month_i − 0.03 month2_i + u0_j + u1_j month_i + e_ij
        month2_i   = month_i²
        u0_j, u1_j ~ Normal(0, sd 0.45 and 0.08, correlation 0.2)
        e_ij       ~ Normal(0, sd 0.25), AR(1) from month to month with correlation 0.5

    Truth: 0.85 kg a month at birth, 0.85 − 2 · 0.03 · 12 = 0.13 kg at twelve months.

    What the naive model shows: a straight line has the slope 0.85 − 0.03 · 12 = 0.49 kg a month for the whole year, and
    its residuals bend: below at both ends, above in between. With independent residuals the curve is still right, but
    what lasts from month to month is taken for differences between babies.

    Fit: ``weight ~ month + month2 + (1 + month | child)``

    Parameters
    ----------
    children : how many.
    months : measurements of each, from month 0 on.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.growth_curves().draw(seed=1).data
    >>> data.groupby("month")["weight"].mean().round(1).iloc[[0, 6, 12]].tolist()
    [3.5, 7.5, 9.4]
    """
    return Population(
        "weight ~ month + month2 + (1 + month | child)",
        clusters={"child": children},
        size=months,
        variables={"month": Assigned(range(months)), "month2": Derived("month ** 2")},
        fixef={"Intercept": 3.5, "month": 0.85, "month2": -0.03},
        ranef={"child": {"sd": [0.45, 0.08], "corr": 0.2}},
        sigma=0.25,
        residual={"ar1": 0.5, "by": "child"},
        about={
            "child": "baby",
            "month": "age in months",
            "month2": "square of the age in months",
            "weight": "weight in kg",
        },
        name="growth_curves",
    )
