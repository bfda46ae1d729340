"""Training and games: before and after, left and right, and how much a season's start says of a player."""

from __future__ import annotations

from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned


@scenario(stars=1)
def training_trial(*, participants: int = 40) -> Population:
    """Two groups train in two ways and are measured before and after: who gained more?

    Story: 40 people are divided by chance into a group that trains as usual and one that trains with more volume. The
    heaviest weight that they can press is measured before (``pre``) and after (``post``) twelve weeks.

    Questions: Which coefficient answers the question? Why is the group's own coefficient not the effect of training?
    How much more precise does it get by measuring everybody twice?

    Equations, with i for measurements, j for participants::

        press_ij = 110 + 6 [post]_i + 0 [more]_j + 8 [post]_i [more]_j + u_j + e_ij
        u_j      ~ Normal(0, sd 25)
        e_ij     ~ Normal(0, sd 7)

    Truth: the estimand is the interaction: more volume adds 8 kg to the 6 kg that all gain. The intraclass correlation
    is 25² / (25² + 7²) = 0.93.

    What the naive model shows: ordinary regression compares people who differ by 25 kg: its standard error of the
    interaction is √(4 · (25² + 7²) / 20) = 11.6. What counts is the change within people, √(4 · 7² / 20) = 3.13.

    Fit: ``press ~ time * volume + (1 | participant)``

    Parameters
    ----------
    participants : how many.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.training_trial().draw(seed=1).data
    >>> data.groupby(["volume", "time"], observed=True).size().unique().tolist()
    [20]
    """
    return Population(
        "press ~ time * volume + (1 | participant)",
        clusters={"participant": participants},
        size=2,
        variables={
            "time": Assigned(["pre", "post"]),
            "volume": Assigned(["usual", "more"], level="participant", shuffle=True),
        },
        fixef={"Intercept": 110, "time[T.post]": 6, "volume[T.more]": 0, "time[T.post]:volume[T.more]": 8},
        ranef={"participant": {"sd": 25}},
        sigma=7,
        about={
            "participant": "participant",
            "time": "before or after twelve weeks of training: pre or post",
            "volume": "how much the participant trains: usual or more",
            "press": "heaviest weight pressed, in kg",
        },
        name="training_trial",
    )


@scenario(stars=3)
def two_legs(*, participants: int = 30) -> Population:
    """One leg trains much and the other little: when a varying intercept is not enough.

    Story: 30 people train one leg with a single set of each exercise and the other with three sets; chance says which.
    Both legs are measured before and after. People differ in strength, and in how well they respond to any training;
    and in everybody one leg is stronger than the other.

    Questions: What do three sets add? What is shared by the two legs of a person, what by the two measurements of a
    leg? Which terms does the comparison within people remove by itself?

    Equations, with i for measurements, j for legs, k for people::

        strength_ijk = 180 + 14 [post]_i + 0 [three]_jk + 8 [post]_i [three]_jk + u0_k + u1_k [post]_i + v_jk + e_ijk
        u0_k, u1_k   ~ Normal(0, sd 45 and 8, correlation 0)
        v_jk         ~ Normal(0, sd 12)
        e_ijk        ~ Normal(0, sd 10)

    Truth: a single set adds 14 newton metres, three sets 8 more.

    What the naive model shows: ``strength ~ time * sets + (1 | participant)`` puts legs and responses into the
    residual: 10² + (2 · 12² + 8²) / 3 = 217 as a variance, and 5.4 = √(4 · 217 / 30) as the standard error of time ×
    sets. It should be √(4 · 10² / 30) = 3.65, because differences between legs and in response cancel. The wrong model
    is not always the bold one.

    Fit: ``strength ~ time * sets + (1 + time | participant) + (1 | leg)``

    Parameters
    ----------
    participants : how many.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.two_legs().draw(seed=1).data
    >>> data["leg"].nunique(), len(data)
    (60, 120)
    """
    return Population(
        "strength ~ time * sets + (1 + time | participant) + (1 | leg)",
        clusters={"participant": participants, "leg": {"in": "participant", "n": 2}},
        size=2,
        variables={
            "time": Assigned(["pre", "post"]),
            "sets": Assigned(["single", "three"], level="leg", shuffle=True),
        },
        fixef={"Intercept": 180, "time[T.post]": 14, "sets[T.three]": 0, "time[T.post]:sets[T.three]": 8},
        ranef={"participant": {"sd": [45, 8], "corr": 0}, "leg": {"sd": 12}},
        sigma=10,
        about={
            "participant": "participant",
            "leg": "leg, its number used only once",
            "time": "before or after the training: pre or post",
            "sets": "sets of each exercise for this leg: single or three",
            "strength": "strength of the leg in newton metres",
        },
        name="two_legs",
    )


@scenario(stars=2)
def baseball(*, players: int = 18, at_bats: int = 45) -> Population:
    """Batting averages after 45 at-bats: the best of April will not be the best of September.

    Story: of 18 players it is known how many hits they had in their first 45 at-bats. Players differ, but 45 at-bats
    differ more. Efron & Morris (1977, Scientific American 236:119–127) told the story with the players of 1970.

    Questions: Who is the best player? How should a first average be corrected? What would 450 at-bats change?

    Equations, with j for players::

        hits_j    ~ Binomial(45, p_j)
        logit p_j = −1.02 + u_j
        u_j       ~ Normal(0, sd 0.15)

    Truth: the typical player hits with probability logistic(−1.02) = 0.265, and players differ with an sd of about
    0.15 · 0.265 · 0.735 = 0.029. ``truth.ranef`` knows who is good.

    What the naive analysis shows: the raw averages vary with √(0.029² + 0.265 · 0.735 / 45) = 0.072, two and a half
    times as much. Only 0.029² / 0.072² = 16 % of that is the players: a first average should be moved by 84 % of the
    way towards the mean of all.

    Fit: ``hits / trials ~ 1 + (1 | player)`` as a logistic model.

    Parameters
    ----------
    players : how many.
    at_bats : of each; the data show them as ``trials``.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.baseball().draw(seed=1).data
    >>> list(data.columns), len(data)
    (['player', 'trials', 'hits'], 18)
    """
    return Population(
        f"hits / {at_bats} ~ 1 + (1 | player)",
        clusters={"player": players},
        size=1,
        fixef={"Intercept": -1.02},
        ranef={"player": {"sd": 0.15}},
        family="binomial",
        about={"player": "player", "trials": "at-bats so far", "hits": "hits among them"},
        name="baseball",
    )
