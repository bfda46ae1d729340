"""Exercise 1: pupils and their tutors."""

from mixedsim.simulate import Bernoulli, Normal, Population


def tutors() -> Population:
    """Pupils within tutors, where the tutor's district moves both the hours of tutoring and the score.

    .. math::

        \\text{district}_j \\sim N(0, 1), \\quad
        \\text{hours}_{ij} \\sim N(6 + 1.2\\,\\text{district}_j,\\ 1.2), \\quad
        \\text{boarding}_{ij} \\sim \\text{Bernoulli}(0.3)

        \\text{score}_{ij} = 40 + 2\\,\\text{hours}_{ij} - 3\\,\\text{boarding}_{ij}
            + 3\\,\\text{district}_j + u_j + e_{ij}, \\quad u_j \\sim N(0, 2),\\ e_{ij} \\sim N(0, 8)

    60 tutors have 5 to 30 pupils each; ``district`` is not in the data. Within tutors an hour is worth 2 points.
    The ordinary regression on ``hours`` is biased by cov(hours, 3 district) / var(hours) = 3.6 / 2.88 = 1.25 and
    comes to 3.25; varying intercepts take most of that away. The empty model's intraclass correlation is about
    ((2 × 1.2 + 3)² + 2²) / (33.2 + 71.7) = 0.32.
    """
    return Population(
        "score ~ hours + boarding + district + (1 | tutor)",
        clusters={"tutor": 60},
        size=(5, 30),
        variables={
            "district": Normal(0, 1, level="tutor", observed=False),
            "hours": Normal("6 + 1.2 * district", 1.2),
            "boarding": Bernoulli(0.3),
        },
        fixef={"Intercept": 40, "hours": 2, "boarding": -3, "district": 3},
        ranef={"tutor": {"sd": [2]}},
        sigma=8,
    )
