"""Three published studies, as populations with the parameters that were estimated in them.

The data of these studies belong to others; their designs and tables are enough. ``ms.twin(ms.scenarios.leg_press())``
has the participants, rows and estimates of the study, and therefore its standard errors, with people who never lived.
"""

from __future__ import annotations

from mixedsim.simulate.counts import Sizes
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned

# Fourteen of 36 days, from infection on, two or three days apart: with these the standard errors are the published ones
_DAYS = (0, 2, 5, 8, 10, 12, 15, 18, 20, 23, 26, 29, 32, 35)


@scenario(stars=1)
def leg_press() -> Population:
    """Two groups train their legs, with heavy or with light loads; some are not there when it is measured again.

    Story: 27 participants press as much as they can before (``pre``) and after (``post``) some weeks of training:
    ``load``, in kg. Fourteen train with loads they can lift ten times (``RM10``), thirteen with loads they can lift
    thirty times (``RM30``). One of the first and two of the second group have no second measurement: 51 rows.

    Questions: Which coefficient is the difference between the groups in what they gained? What do participants with one
    measurement add? How much more exact is the comparison within people?

    Equations, with i for measurements and j for participants::

        load_ij = 273.93 + 77.10 [time_ij = post] + 7.61 [group_j = RM30]
                  − 39.43 [time_ij = post] [group_j = RM30] + u_j + e_ij
        u_j     ~ Normal(0, sd 67.79)
        e_ij    ~ Normal(0, sd 28.79)

    Truth: the estimand is the interaction. Heavy training adds 77 kg, light training 39 kg less than that. The
    intraclass correlation is 67.79² / (67.79² + 28.79²) = 0.85.

    What the naive model shows: ordinary regression does not know that the same people were measured twice. Its standard
    error of the interaction is about √(67.79² + 28.79²) · √(1/14 + 1/13 + 1/13 + 1/11) = 41.4, so that the difference
    of 39 kg cannot be told from chance. In the mixed model it is 16.61: the change within each person counts, and
    √2 · 28.79 · √(1/13 + 1/11) = 16.68 is what the 24 complete pairs alone would give.

    Fit: ``load ~ time * group + (1 | participant)``; in a twin its standard errors are 19.68, 11.26, 28.37 and 16.61,
    those of the study.

    Examples
    --------
    >>> import mixedsim as ms
    >>> twin = ms.twin(ms.scenarios.leg_press(), seed=1)
    >>> fit = ms.lmer("load ~ time * group + (1 | participant)", twin.data)
    >>> fit.coefficients()[["estimate", "se"]].round(2)
                                estimate     se
    Intercept                     273.93  19.68
    time[T.post]                   77.10  11.26
    group[T.RM30]                   7.61  28.37
    time[T.post]:group[T.RM30]    -39.43  16.61
    """
    return Population(
        "load ~ time * group + (1 | participant)",
        clusters={"participant": 27},
        size=Sizes([*[2] * 13, 1, *[2] * 11, 1, 1]),
        variables={
            "time": Assigned(["pre", "post"]),
            "group": Assigned([*["RM10"] * 14, *["RM30"] * 13], level="participant"),
        },
        fixef={
            "Intercept": 273.93,
            "time[T.post]": 77.10,
            "group[T.RM30]": 7.61,
            "time[T.post]:group[T.RM30]": -39.43,
        },
        ranef={"participant": {"sd": 67.79}},
        sigma=28.79,
        about={
            "participant": "participant",
            "time": "before or after the training: pre or post",
            "group": "loads: RM10 (heavy) or RM30 (light)",
            "load": "heaviest load pressed, in kg",
        },
        name="leg_press",
    )


@scenario(stars=2)
def training_volume() -> Population:
    """Everybody trains one leg much and the other little: each person is compared with himself or herself.

    Story: 39 participants train one leg with a single set of each exercise and the other with multiple sets; which leg
    it is, is left to chance. The strength of both legs, in newton metres, is measured before (``pre``) and, in 36 of
    them, after (``post``) the training: 150 rows.

    Questions: What do multiple sets add to a single one? Why are the legs of one person a fair comparison? What would
    it take to compare people in place of legs?

    Equations, with i for measurements, j for legs and k for participants::

        strength_ijk = 182.46 + 14.16 [time_ijk = post] + 0.44 [sets_jk = multiple]
                       + 13.76 [time_ijk = post] [sets_jk = multiple] + u_k + e_ijk
        u_k          ~ Normal(0, sd 50.07)
        e_ijk        ~ Normal(0, sd 18.76)

    Truth: a single set adds 14 Nm, multiple sets 14 Nm more. Two measurements of one person correlate by
    50.07² / (50.07² + 18.76²) = 0.88.

    What the naive model shows: ordinary regression compares legs as if they were people; its standard error of the
    interaction is about √(50.07² + 18.76²) · √(1/39 + 1/39 + 1/36 + 1/36) = 17.5. In the mixed model everything about
    the interaction lies within people, and it is 18.76 · √(1/39 + 1/39 + 1/36 + 1/36) = 6.13: as good as eight times as
    many people.

    Fit: ``strength ~ time * sets + (1 | participant)``; in a twin its standard errors are 8.56, 4.38, 4.25 and 6.13,
    those of the study. The two measurements of a leg would be more alike than those of two legs: try
    ``(1 | participant/leg)`` on other data, here legs have nothing of their own.

    Examples
    --------
    >>> import mixedsim as ms
    >>> twin = ms.twin(ms.scenarios.training_volume(), seed=1)
    >>> fit = ms.lmer("strength ~ time * sets + (1 | participant)", twin.data)
    >>> fit.coefficients()[["estimate", "se"]].round(2)
                                   estimate    se
    Intercept                        182.46  8.56
    time[T.post]                      14.16  4.38
    sets[T.multiple]                   0.44  4.25
    time[T.post]:sets[T.multiple]     13.76  6.13
    """
    return Population(
        "strength ~ time * sets + (1 | participant)",
        clusters={"participant": 39, "leg": {"in": "participant", "n": 2}},
        size=Sizes([*[2] * 72, *[1] * 6]),
        variables={
            "time": Assigned(["pre", "post"]),
            "sets": Assigned(["single", "multiple"], level="leg", shuffle=True),
        },
        fixef={
            "Intercept": 182.46,
            "time[T.post]": 14.16,
            "sets[T.multiple]": 0.44,
            "time[T.post]:sets[T.multiple]": 13.76,
        },
        ranef={"participant": {"sd": 50.07}},
        sigma=18.76,
        about={
            "participant": "participant",
            "leg": "leg, its number used only once",
            "time": "before or after the training: pre or post",
            "sets": "sets of each exercise for this leg: single or multiple",
            "strength": "strength of the leg in newton metres",
        },
        name="training_volume",
    )


@scenario(stars=2)
def packed_cell_volume() -> Population:
    """Animals that are alike on the day of infection and lose blood cells at different speeds: slopes alone vary.

    Story: the blood of 12 infected animals is tested on 14 days within five weeks. ``pcv`` is the packed cell volume,
    the share of the blood that is red cells, in per cent; ``day`` counts from the infection.

    Questions: How fast does the average animal lose blood cells, and how differently do animals? When is a model
    without varying intercepts right? What does it say if days are counted from elsewhere?

    Equations, with i for tests and j for animals::

        pcv_ij = 34.64 − 0.345 day_ij + v_j day_ij + e_ij
        v_j    ~ Normal(0, sd 0.1159)
        e_ij   ~ Normal(0, sd 2.768)

    Truth: the average animal loses 0.345 points a day; 95 % of all animals lose between 0.12 and 0.57. There is no
    varying intercept, since before the disease has begun there is nothing in which it could make animals differ. Such
    a model depends on where zero is: with days counted from the middle, ``(0 + day | animal)`` would say something
    else, that all animals are alike halfway.

    What the naive model shows: ordinary regression has the standard error 2.768 / √(12 · 1636) = 0.0198 for the slope,
    and a larger one for larger residuals; what counts is how much animals differ, √(0.0198² + 0.1159² / 12) = 0.0389.

    Fit: ``pcv ~ day + (0 + day | animal)``; in a twin its standard errors are 0.394 and 0.039, those of the study.

    Examples
    --------
    >>> import mixedsim as ms
    >>> twin = ms.twin(ms.scenarios.packed_cell_volume(), seed=1)
    >>> fit = ms.lmer("pcv ~ day + (0 + day | animal)", twin.data)
    >>> fit.coefficients()[["estimate", "se"]].round(3)
               estimate     se
    Intercept    34.640  0.394
    day          -0.345  0.039
    >>> float(fit.varcorr["sd_or_corr"].round(4)[0]), round(fit.sigma, 3)
    (0.1159, 2.768)
    """
    return Population(
        "pcv ~ day + (0 + day | animal)",
        clusters={"animal": 12},
        size=len(_DAYS),
        variables={"day": Assigned(_DAYS)},
        fixef={"Intercept": 34.64, "day": -0.345},
        ranef={"animal": {"sd": 0.1159}},
        sigma=2.768,
        about={
            "animal": "animal",
            "day": "days since the infection",
            "pcv": "packed cell volume in per cent of the blood",
        },
        name="packed_cell_volume",
    )
