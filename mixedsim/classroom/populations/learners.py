"""Exercise 20: people who learn a language in the evening, and give it up."""

from mixedsim.simulate import Assigned, Dropout, Population


def evening() -> Population:
    """Learners with five tests, half of them with a partner to talk to; the others give up after a bad test.

    .. math::

        \\text{words}_{it} = 40 + 3\\,t + 2\\,t\\,\\text{partner}_i + u_{0i} + u_{1i} t + e_{it}, \\quad
        u_{0i} \\sim N(0, 4),\\ u_{1i} \\sim N(0, 3),\\ e_{it} \\sim N(0, 3)

    in months t = 0, …, 4, for 160 learners. Without a partner one gives up after a test with the probability
    logistic((42 - words) / 2), with a partner with 0.1, whatever the test says. Leaving depends on what was seen, so
    the mixed model of all rows is right and finds 2. Complete cases say about 0.8, for those without a partner who
    stay are those who learn fast. The last value carried forward says about 2.9, for those who left are taken to stay
    as bad as they were. Of those who are left in month 4, the ones with a partner are 1.4 words *worse*; had all
    stayed, they would be 8 words better.
    """
    return Population(
        "words ~ month * partner + (1 + month | learner)",
        clusters={"learner": 160},
        size=5,
        variables={
            "month": Assigned([0, 1, 2, 3, 4]),
            "partner": Assigned([0, 1], level="learner", shuffle=True),
        },
        fixef={"Intercept": 40, "month": 3, "partner": 0, "month:partner": 2},
        ranef={"learner": {"sd": [4, 3], "corr": 0}},
        sigma=3,
        problems=[
            Dropout("(partner == 0) * logistic((42 - words) / 2) + (partner == 1) * 0.1", over="month", leaves="after")
        ],
    )
