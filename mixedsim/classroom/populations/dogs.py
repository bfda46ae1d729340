"""Exercise 14: dogs in shelters, and the same dogs in their new homes."""

from mixedsim.simulate import Assigned, Categorical, Integers, Normal, Population


def shelters() -> Population:
    """Dogs within shelters, half of which have a garden.

    .. math::

        \\text{stress}_{ij} = 60 - 9\\,\\text{garden}_j - 3\\,\\text{walks}_{ij} + b_{ij} + u_j + e_{ij}, \\quad
        u_j \\sim N(0, 5),\\ e_{ij} \\sim N(0, 9)

    with b = 0, −2, 3 for small, medium and large dogs. 12 shelters keep 6 to 18 dogs, 6 of them have a garden. Its
    effect has a standard error of about √(4 (5² + 9²/12) / 12) = 3.3 and 12 − 2 = 10 degrees of freedom: with t = −2.8
    p is 0.02, and 0.005 if t is taken for z.
    """
    return Population(
        "stress ~ garden + walks + build + (1 | shelter)",
        clusters={"shelter": 12},
        size=(6, 18),
        variables={
            "garden": Assigned([0, 1], level="shelter", shuffle=True),
            "walks": Normal(2, 0.8),
            "build": Categorical(["small", "medium", "large"], [0.4, 0.35, 0.25]),
        },
        fixef={"Intercept": 60, "garden": -9, "walks": -3, "build[T.medium]": -2, "build[T.large]": 3},
        ranef={"shelter": {"sd": [5]}},
        sigma=9,
    )


def homes() -> Population:
    """Weekly visits to dogs in their new homes, where some calm down faster than others.

    .. math::

        \\text{calm}_{ij} = 50 + (1.5 + v_j)\\,\\text{week}_{ij} - 0.08\\,\\text{age}_j + u_j + e_{ij}, \\quad
        u_j \\sim N(0, 6),\\ v_j \\sim N(0, 1),\\ e_{ij} \\sim N(0, 5)

    40 dogs, visited 4 to 9 times; ``age`` in months. The likelihood ratio of the slopes' variance is about 15. AIC
    falls by about 5 with ``age`` if fitted by ML; by REML it falls by about 5 less, since age is in months.
    """
    return Population(
        "calm ~ week + age + (1 + week | dog)",
        clusters={"dog": 40},
        size=(4, 9),
        variables={
            "week": Assigned([0, 1, 2, 3, 4, 5, 6, 7, 8]),
            "age": Integers(6, 120, level="dog"),
        },
        fixef={"Intercept": 50, "week": 1.5, "age": -0.08},
        ranef={"dog": {"sd": [6, 1], "corr": 0}},
        sigma=5,
    )
