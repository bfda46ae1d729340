"""Exercise 2: feed that is given to coops, and the shells of eggs a year later."""

from mixedsim.simulate import Assigned, Population


def flock() -> Population:
    """Eggs of hens in coops: the feed belongs to coops, and the growth of eggs differs among them.

    With i for eggs, j for hens, k for coops:

    .. math::

        \\text{weight}_{ijk} = 50 + 1.2\\,\\text{week}_i + 0.5\\,\\text{week}_i\\,[\\text{new}]_k
            + u_{0k} + u_{1k}\\,\\text{week}_i + v_{jk} + e_{ijk}

        u_{0k} \\sim N(0, 1.5), \\quad u_{1k} \\sim N(0, 0.5), \\quad v_{jk} \\sim N(0, 2.5), \\quad
        e_{ijk} \\sim N(0, 1.2)

    16 coops have 3 to 9 hens each; every hen's egg is weighed in the weeks 0 to 4. Half of the coops get the new feed.
    With about 6 hens a coop the standard error of the difference in growth is
    √(2/8 · (0.5² + 1.2² / (6 · 10))) = 0.26. A model whose coops have intercepts alone puts their growth into the
    residual and takes all rows for news: about √(2/8 · 1.5² / (6 · 10)) = 0.10.
    """
    return Population(
        "weight ~ feed * week + (1 + week | coop) + (1 | hen)",
        clusters={"coop": 16, "hen": {"in": "coop", "n": (3, 9)}},
        size=5,
        variables={
            "feed": Assigned(["old", "new"], level="coop", shuffle=True),
            "week": Assigned(range(5)),
        },
        fixef={"Intercept": 50, "feed[T.new]": 0, "week": 1.2, "feed[T.new]:week": 0.5},
        ranef={"coop": {"sd": [1.5, 0.5], "corr": 0}, "hen": {"sd": 2.5}},
        sigma=1.2,
    )


def shells() -> Population:
    """Shells of grown hens, tested in the same weeks: weeks are a grouping, and it crosses hens.

    With j for hens, k for weeks:

    .. math::

        \\text{strength}_{jk} = 34 + 2\\,[\\text{lime}]_j + u_j + v_k + e_{jk}, \\quad
        u_j \\sim N(0, 2), \\quad v_k \\sim N(0, 2.5), \\quad e_{jk} \\sim N(0, 1.5)

    20 hens in 8 weeks are 160 rows. For the mean they are worth about (2² + 1² + 2.5² + 1.5²) /
    ((2² + 1²)/20 + 2.5²/8 + 1.5²/160) = 13 independent ones; 1² is what lime adds to the variance between hens. Who
    knows of hens alone believes in about 13.5 / (5/20 + 8.5/160) = 45.
    """
    return Population(
        "strength ~ lime + (1 | hen) + (1 | week)",
        clusters={"hen": 20, "week": 8},
        size=1,
        variables={"lime": Assigned(["no", "yes"], level="hen", shuffle=True)},
        fixef={"Intercept": 34, "lime[T.yes]": 2},
        ranef={"hen": {"sd": 2}, "week": {"sd": 2.5}},
        sigma=1.5,
    )
