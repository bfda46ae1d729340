"""Randomised trials, by what was randomised: clinics, patients within hospitals, times, and who was left at the end."""

from __future__ import annotations

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.problems import Dropout
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, Derived


@scenario(stars=1)
def cluster_trial(*, clinics: int = 24, patients: Count = 30) -> Population:
    """A programme for whole clinics: 720 patients, but only 24 coins were tossed.

    Story: 12 of 24 clinics are chosen by lot for a programme against high blood pressure; all of their patients take
    part. The systolic pressure of 30 patients each is measured a year later.

    Questions: What does the programme do? How many patients is a trial of 720 worth if they come in 24 clinics? Should
    one ask for more patients or for more clinics?

    Equations, with i for patients, j for clinics::

        pressure_ij = 145 − 6 programme_j + u_j + e_ij
        u_j         ~ Normal(0, sd 4)
        e_ij        ~ Normal(0, sd 14)

    Truth: 6 mmHg less. The intraclass correlation is 4² / (4² + 14²) = 0.075, and the design effect
    1 + 29 · 0.075 = 3.19: 720 patients are worth 226.

    What the naive model shows: ordinary regression has the standard error √(4 · 212 / 720) = 1.09; it is
    √(4/24 · (4² + 14²/30)) = 1.94.

    Fit: ``pressure ~ programme + (1 | clinic)``

    Parameters
    ----------
    clinics : how many.
    patients : measured in each.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.cluster_trial().draw(seed=1).data
    >>> data.groupby("programme")["clinic"].nunique().tolist()
    [12, 12]
    """
    return Population(
        "pressure ~ programme + (1 | clinic)",
        clusters={"clinic": clinics},
        size=patients,
        variables={"programme": Assigned([0, 1], level="clinic", shuffle=True)},
        fixef={"Intercept": 145, "programme": -6},
        ranef={"clinic": {"sd": 4}},
        sigma=14,
        about={
            "clinic": "clinic",
            "programme": "whether the clinic has the programme: 0 or 1",
            "pressure": "systolic blood pressure after a year in mmHg",
        },
        name="cluster_trial",
    )


@scenario(stars=2)
def multisite_trial(*, hospitals: int = 20, patients: int = 40) -> Population:
    """The same trial in twenty hospitals: an average effect, and how far to trust it elsewhere.

    Story: in each of 20 hospitals half of 40 patients get a new rehabilitation. How far they can walk in six minutes is
    measured after a month. Hospitals differ in their patients, and also in what the new programme achieves.

    Questions: What does the programme do on average? In how many hospitals does it do harm? What should the 21st
    hospital expect?

    Equations, with i for patients, j for hospitals::

        walk_ij    = 380 + 25 new_ij + u0_j + u1_j new_ij + e_ij
        u0_j, u1_j ~ Normal(0, sd 30 and 20, correlation −0.3)
        e_ij       ~ Normal(0, sd 70)

    Truth: 25 metres on average, between −14 and 64 in 95 % of all hospitals; in 11 % of them the effect is negative.

    What the naive model shows: ``walk ~ new + (1 | hospital)`` asks about these 20 hospitals: its standard error is
    √(4 · (70² + 20²/4) / 800) = 5.0. For hospitals like these, it is √(20²/20 + 4 · 70² / 800) = 6.7.

    Fit: ``walk ~ new + (1 + new | hospital)``

    Parameters
    ----------
    hospitals : how many.
    patients : in each, half of them treated.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.multisite_trial().draw(seed=1).data
    >>> data.groupby("hospital", observed=True)["new"].sum().unique().tolist()
    [20]
    """
    return Population(
        "walk ~ new + (1 + new | hospital)",
        clusters={"hospital": hospitals},
        size=patients,
        variables={"new": Assigned([0, 1], shuffle=True)},
        fixef={"Intercept": 380, "new": 25},
        ranef={"hospital": {"sd": [30, 20], "corr": -0.3}},
        sigma=70,
        about={
            "hospital": "hospital",
            "new": "whether the patient has the new rehabilitation: 0 or 1",
            "walk": "distance walked in six minutes, in metres",
        },
        name="multisite_trial",
    )


@scenario(stars=3)
def stepped_wedge(*, wards: int = 12, patients: Count = 15) -> Population:
    """Every ward gets the programme, one group of wards after the other, while everything gets better anyway.

    Story: twelve wards introduce a programme that makes patients move more. In the first of five quarters no ward has
    it; then three more each quarter, in an order left to chance, until all have it. In each quarter 15 patients of each
    ward are rated. Wards get better over time anyhow.

    Questions: What does the programme do? What would have happened without it? Why may ``time`` not be left out,
    although chance decided who came when?

    Equations, with i for patients, j for quarters of a ward, k for wards::

        mobility_ijk = 50 + 2 time_jk + 5 treated_jk + u_k + v_jk + e_ijk
        time_jk      = 1, …, 5
        step_k       = 2, 3, 4 or 5, for three wards each
        treated_jk   = [time_jk ≥ step_k]
        u_k          ~ Normal(0, sd 6)
        v_jk         ~ Normal(0, sd 2)
        e_ijk        ~ Normal(0, sd 12)

    Truth: the programme adds 5 points, each quarter 2.

    What the naive models show: treated quarters are late quarters, 4.0 on average, and untreated ones early, 2.0. So
    ordinary regression without time has 5 + 2 · (4 − 2) = 9 for the programme; within wards alone it is worse,
    5 + 2 · 2.5 = 10.

    Fit: ``mobility ~ time + treated + (1 | ward) + (1 | quarter)``

    Parameters
    ----------
    wards : how many, best a multiple of four.
    patients : in each ward and quarter.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.stepped_wedge().draw(seed=1).data
    >>> data.groupby("time")["treated"].mean().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    return Population(
        "mobility ~ time + treated + (1 | ward) + (1 | quarter)",
        clusters={"ward": wards, "quarter": {"in": "ward", "n": 5}},
        size=patients,
        variables={
            "time": Assigned(range(1, 6), level="quarter"),
            "step": Assigned([2, 3, 4, 5], level="ward", shuffle=True),
            "treated": Derived("time >= step"),
        },
        fixef={"Intercept": 50, "time": 2, "treated": 5},
        ranef={"ward": {"sd": 6}, "quarter": {"sd": 2}},
        sigma=12,
        lesson="pooled(treated) > 7",
        about={
            "ward": "ward",
            "quarter": "quarter of one ward, its number used only once",
            "time": "quarter of the study, 1 to 5",
            "step": "quarter in which the ward begins with the programme",
            "treated": "whether the ward has the programme in that quarter: 0 or 1",
            "mobility": "mobility score in points, on average 60; higher is better",
        },
        name="stepped_wedge",
    )


@scenario(stars=3)
def dropout_trial(*, patients: int = 200, leaves: str = "after") -> Population:
    """A trial of an antidepressant whose patients leave when it does not help: who is left looks better.

    Story: 200 patients, half of them with the drug and half with a placebo, are rated in the weeks 0, 2, 4, 6 and 8;
    ``score`` is a depression score (higher is worse). Whoever is rated badly is likely not to come again.

    Questions: What does a week of the drug do? Why do those who completed the study look better than all did? When is a
    mixed model of all data right in spite of dropout, and when not?

    Equations, with i for weeks, j for patients::

        score_ij   = 24 − 0.8 week_i + 0 drug_j − 0.6 week_i drug_j + u0_j + u1_j week_i + e_ij
        u0_j, u1_j ~ Normal(0, sd 4 and 0.5, correlation 0)
        e_ij       ~ Normal(0, sd 3)
        leaves after a visit with probability logistic(0.3 score_ij − 9.7)

    Truth: the drug takes 0.6 points a week more than the placebo; after 8 weeks the mean is 17.6 with placebo and 12.8
    with the drug.

    What the naive analysis shows: the mean of those who are still there after 8 weeks is too low in both groups, and
    lower by more with placebo, where there was more to leave for: 16.2 and 11.7, and a difference of 4.5 in place of
    4.8 (from 200,000 simulated patients). The mixed model with all visits is right, because leaving depends on what was
    seen: missing at random. With ``leaves="before"`` it depends on the visit that nobody saw: the slope of the placebo
    comes out as −0.87, not −0.8, and no analysis of these data alone can know.

    Fit: ``score ~ week * drug + (1 + week | patient)``

    Parameters
    ----------
    patients : how many.
    leaves : ``"after"`` the visit that was bad (at random), or ``"before"`` it is recorded (not at random).

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.dropout_trial().draw(seed=1).data
    >>> bool(data.groupby("week").size().is_monotonic_decreasing)
    True
    """
    return Population(
        "score ~ week * drug + (1 + week | patient)",
        clusters={"patient": patients},
        size=5,
        variables={
            "week": Assigned([0, 2, 4, 6, 8]),
            "drug": Assigned([0, 1], level="patient", shuffle=True),
        },
        fixef={"Intercept": 24, "week": -0.8, "drug": 0, "week:drug": -0.6},
        ranef={"patient": {"sd": [4, 0.5], "corr": 0}},
        sigma=3,
        problems=[Dropout("logistic(0.3 * score - 9.7)", over="week", leaves=leaves)],
        about={
            "patient": "patient",
            "week": "weeks since the start",
            "drug": "whether the patient has the drug: 0 (placebo) or 1",
            "score": "depression score in points; higher is worse",
        },
        name="dropout_trial",
    )
