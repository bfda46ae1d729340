"""Exercise 10: cooks and the kitchens that they work in."""

from mixedsim.simulate import ClusterMean, Integers, Normal, Population


def crews() -> Population:
    """Cooks within kitchens, where the experience of the whole crew helps each of its cooks.

    .. math::

        \\text{past}_j \\sim N(0, 1), \\quad \\text{years}_{ij} \\sim N(8 + 1.5\\,\\text{past}_j,\\ 2)

        \\text{plates}_{ij} = 10 + 1.5\\,\\text{years}_{ij} + 3\\,\\overline{\\text{years}}_j + u_j + e_{ij}, \\quad
            u_j \\sim N(0, 2),\\ e_{ij} \\sim N(0, 5)

    60 kitchens have crews of 3 to 9; neither ``past`` nor the crew's mean is in the data. A year is worth 1.5 plates
    within kitchens; the slope between kitchens is 1.5 + 3 = 4.5. Varying intercepts lie between the two.
    """
    return Population(
        "plates ~ years + years_mean + (1 | kitchen)",
        clusters={"kitchen": 60},
        size=(3, 9),
        variables={
            "past": Normal(0, 1, level="kitchen", observed=False),
            "years": Normal("8 + 1.5 * past", 2),
            "years_mean": ClusterMean("years", by="kitchen", observed=False),
        },
        fixef={"Intercept": 10, "years": 1.5, "years_mean": 3},
        ranef={"kitchen": {"sd": [2]}},
        sigma=5,
        lesson="between(years) > 1.5 * within(years) > 0",
    )


def tipped() -> Population:
    """Cooks within kitchens that share tips in one of three ways, which makes a year of experience worth more.

    .. math::

        \\text{plates}_{ij} = 40 + (1 + 1.5\\,\\text{tips}_j + u_{1j})\\,\\text{years}_{ij} + 2\\,\\text{tips}_j
            + u_{0j} + e_{ij}, \\quad u_{0j} \\sim N(0, 2),\\ u_{1j} \\sim N(0, 0.8),\\ e_{ij} \\sim N(0, 5)

    45 kitchens have 8 to 16 cooks; ``tips`` is 0, 1 or 2, and ``years`` is experience less eight years. Without the
    interaction the slope is about 1 + 1.5 = 2.5, and slopes have a standard deviation of
    sqrt(0.8² + 1.5² · 2/3) = 1.46: the tips explain 1.5 / 2.14 = 70 % of their variance.
    """
    return Population(
        "plates ~ years * tips + (years | kitchen)",
        clusters={"kitchen": 45},
        size=(8, 16),
        variables={"years": Normal(0, 2.5), "tips": Integers(0, 2, level="kitchen")},
        fixef={"Intercept": 40, "years": 1, "tips": 2, "years:tips": 1.5},
        ranef={"kitchen": {"sd": [2, 0.8], "corr": [[1, 0.2], [0.2, 1]]}},
        sigma=5,
    )
