"""What people do day after day and word after word: sleep, moods, reading, and what they say of their home."""

from __future__ import annotations

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, Bernoulli, ClusterMean, Normal, Within


@scenario(stars=1)
def sleep_like(*, people: int = 18, days: int = 10) -> Population:
    """Short nights and slow reactions: everybody gets slower, but not everybody equally.

    Story: 18 people spend three hours a night in bed, and their reaction time is measured on the days 0 to 9. The
    design is that of a well-known study (data set ``sleepstudy``), with round numbers as its truth.

    Questions: By how much does a day slow down the average person? How differently do people react? What does the
    model say of somebody who was measured on three days only?

    Equations, with i for days, j for people::

        reaction_ij = 250 + 10 day_i + u0_j + u1_j day_i + e_ij
        u0_j, u1_j  ~ Normal(0, sd 25 and 6, correlation 0.1)
        e_ij        ~ Normal(0, sd 25)

    Truth: 10 ms a day; 95 % of all people between −1.8 and 21.8.

    What the naive models show: the standard error of the slope is √(6²/18 + 25² / (18 · 82.5)) = 1.56, where 82.5 is
    the sum of squares of the days. With varying intercepts alone, ``reaction ~ day + (1 | person)``, the slopes go into
    the residual, 25² + 6² · 82.5/9 = 955 as a variance, and the standard error is √(955 / (18 · 82.5)) = 0.80, half of
    it. Ordinary regression has about 1.3.

    Fit: ``reaction ~ day + (1 + day | person)``

    Parameters
    ----------
    people : how many.
    days : measurements of each, on the days 0, 1, ….

    Examples
    --------
    >>> import mixedsim as ms
    >>> sample = ms.scenarios.sleep_like().draw(seed=1)
    >>> sample.data["day"].unique().tolist(), len(sample.data)
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 180)
    """
    return Population(
        "reaction ~ day + (1 + day | person)",
        clusters={"person": people},
        size=days,
        variables={"day": Assigned(range(days))},
        fixef={"Intercept": 250, "day": 10},
        ranef={"person": {"sd": [25, 6], "corr": 0.1}},
        sigma=25,
        about={
            "person": "participant",
            "day": "days of short nights before the measurement",
            "reaction": "mean reaction time of the day in ms",
        },
        name="sleep_like",
    )


@scenario(stars=3)
def daily_diary(*, people: int = 80, days: int = 28) -> Population:
    """A diary of four weeks: the stress of a day, the stress of a person, and moods that last.

    Story: 80 people note every evening for 28 days how stressed (0 to 10) and in what mood (0 to 100) they were. On a
    day that is more stressful than their others the mood is worse; and people with a stressful life are in a worse mood
    anyway. A bad mood lasts: what is left over goes on to the next day.

    Questions: What does a stressful day do? How do people with a stressful life differ from others? Which of the two
    answers a question about causes?

    Equations, with i for days, j for people::

        mood_ij          = 80 − 2 stress_within_ij − 5 stress_mean_j + u0_j + u1_j stress_within_ij + e_ij
        stress_ij        ~ Normal(life_j, sd 1.2)
        life_j           ~ Normal(4, sd 1), not observed
        stress_mean_j    = mean of stress_ij of person j
        stress_within_ij = stress_ij − stress_mean_j
        u0_j, u1_j       ~ Normal(0, sd 8 and 1, correlation 0)
        e_ij             ~ Normal(0, sd 9), AR(1) from day to day with correlation 0.4

    Truth: −2 within people, −5 between them.

    What the naive models show: ordinary regression of mood on stress blends both:
    −2 − 3 · (1 + 1.44/28) / 2.44 = −3.29. A model with independent residuals is right about both slopes, because stress
    itself does not go on to the next day; but it takes lasting moods for differences between people: their sd comes out
    as about √(8² + 3.7) = 8.2, since a mean of 28 such residuals has the variance 6.6 and not 81/28 = 2.9.

    Fit: ``mood ~ stress_within + stress_mean + (1 + stress_within | person)``

    Parameters
    ----------
    people : how many.
    days : of the diary.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.daily_diary().draw(seed=1, lesson=True).data
    >>> list(data.columns)
    ['person', 'day', 'stress', 'stress_mean', 'stress_within', 'mood']
    """
    return Population(
        "mood ~ stress_within + stress_mean + (1 + stress_within | person)",
        clusters={"person": people},
        size=days,
        variables={
            "day": Assigned(range(1, days + 1)),
            "life": Normal(4, 1, level="person", observed=False),
            "stress": Normal("life", 1.2),
            "stress_mean": ClusterMean("stress"),
            "stress_within": Within("stress"),
        },
        fixef={"Intercept": 80, "stress_within": -2, "stress_mean": -5},
        ranef={"person": {"sd": [8, 1], "corr": 0}},
        sigma=9,
        residual={"ar1": 0.4, "by": "person"},
        lesson="between(stress) < pooled(stress) < within(stress) < 0",
        about={
            "person": "participant",
            "day": "day of the diary, from 1",
            "life": "how stressful the person's life is, in points of stress",
            "stress": "stress of the day, a score of mean 4",
            "stress_mean": "the person's mean stress",
            "stress_within": "stress of the day minus the person's mean",
            "mood": "mood in the evening, a score of mean 60; higher is better",
        },
        name="daily_diary",
    )


@scenario(stars=3)
def reading_times(*, subjects: int = 40, items: int = 48, read: int = 24) -> Population:
    """Readers and sentences: two samples at once, and every effect varies over both.

    Story: 40 subjects read 24 of 48 sentences each, half of them in a simple and half in a complex wording. ``log_rt``
    is the logarithm of the reading time of the decisive word, in ms: times are positive and skewed, their logarithms
    nearly normal. Sentences are a sample too; who wants to speak of language must not speak of 48 sentences only.

    Questions: By how many per cent does complexity slow down reading? Does the effect hold for new readers, for new
    sentences, for both? Which sentences are odd?

    Equations, with j for subjects, k for items::

        log_rt_jk  = 6 + 0.08 [complex]_jk + u0_j + u1_j [complex]_jk + v0_k + v1_k [complex]_jk + e_jk
        u0_j, u1_j ~ Normal(0, sd 0.25 and 0.06, correlation 0.3)
        v0_k, v1_k ~ Normal(0, sd 0.1 and 0.12, correlation −0.2)
        e_jk       ~ Normal(0, sd 0.3)

    Truth: reading is slower by exp(0.08) − 1 = 8.3 %. The median of a simple sentence is exp(6) = 403 ms.

    What the naive model shows: the standard error of complexity is
    √(0.06²/40 + 0.12²/48 + 4 · 0.3² / 960) = 0.028. Without varying slopes, ``log_rt ~ condition + (1 | subject) +
    (1 | item)``, they go into the residual, and it is √(4 · (0.09 + (0.06² + 0.12²) / 4) / 960) = 0.020: an effect of
    nothing is then found significant far more often than it should.

    Fit: ``log_rt ~ condition + (1 + condition | subject) + (1 + condition | item)``

    Parameters
    ----------
    subjects, items : how many.
    read : items that each subject reads.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.reading_times().draw(seed=1).data
    >>> len(data), data.groupby("subject", observed=True)["condition"].value_counts().unique().tolist()
    (960, [12])
    """
    return Population(
        "log_rt ~ condition + (1 + condition | subject) + (1 + condition | item)",
        clusters={"subject": subjects, "item": {"n": items, "sample": read}},
        size=1,
        variables={"condition": Assigned(["simple", "complex"], within="subject", shuffle=True)},
        fixef={"Intercept": 6, "condition[T.complex]": 0.08},
        ranef={"subject": {"sd": [0.25, 0.06], "corr": 0.3}, "item": {"sd": [0.1, 0.12], "corr": -0.2}},
        sigma=0.3,
        about={
            "subject": "reader",
            "item": "sentence",
            "condition": "wording of the sentence: simple or complex",
            "log_rt": "logarithm of the reading time in ms",
        },
        name="reading_times",
    )


@scenario(stars=3)
def satisfaction(*, homes: int = 40, residents: Count = 20) -> Population:
    """What residents say of their nursing home: answers in words, which have an order and no distances.

    Story: in 40 nursing homes 20 residents each say how satisfied they are, in five words. Some have a room of their
    own, and homes differ.

    Questions: What does a room of one's own change? How much do homes differ? Why not give the words numbers, 1 to 5?

    Equations, with i for residents, j for homes::

        logit P(answer_ij ≤ c) = threshold_c − (0.8 own_room_ij + u_j), thresholds −2.5, −1, 0.3, 2
        own_room_ij            ~ Bernoulli(0.5)
        u_j                    ~ Normal(0, sd 0.9)

    Truth: a room of one's own multiplies the odds of any better answer by exp(0.8) = 2.2 in the same home. On the scale
    behind the words, two residents of one home correlate by 0.9² / (0.9² + π²/3) = 0.20.

    What the naive model shows: without homes, odds are averaged over all homes, and the coefficient shrinks to about
    0.8 / √(1 + 0.346 · 0.9²) = 0.71 (Zeger, Liang & Albert 1988, Biometrics 44:1049–1060).

    Fit: ``answer ~ own_room + (1 | home)`` as a cumulative logit model.

    Parameters
    ----------
    homes : how many.
    residents : asked in each.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.scenarios.satisfaction().draw(seed=1).data["answer"].cat.categories.tolist()
    ['very bad', 'bad', 'fair', 'good', 'very good']
    """
    return Population(
        "answer ~ own_room + (1 | home)",
        clusters={"home": homes},
        size=residents,
        variables={"own_room": Bernoulli(0.5)},
        fixef={"own_room": 0.8},
        ranef={"home": {"sd": 0.9}},
        family={
            "kind": "ordinal",
            "thresholds": [-2.5, -1, 0.3, 2],
            "labels": ["very bad", "bad", "fair", "good", "very good"],
        },
        about={
            "home": "nursing home",
            "own_room": "whether the resident has a room of one's own: 0 or 1",
            "answer": "how the resident finds the home, from very bad to very good",
        },
        name="satisfaction",
    )
