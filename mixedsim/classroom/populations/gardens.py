"""Exercise 9: garden plots and the sites that they lie on."""

from mixedsim.simulate import Bernoulli, Integers, Normal, Population, Uniform


def watered() -> Population:
    """Plots within sites, where the soil of a site moves both the water that plots get and their crop.

    .. math::

        \\text{soil}_j \\sim N(0, 1), \\quad \\text{water}_{ij} \\sim N(8 - 1.5\\,\\text{soil}_j,\\ 1.5)

        \\text{crop}_{ij} = 18 + 1.5\\,\\text{water}_{ij} + 6\\,\\text{soil}_j + u_j + e_{ij}, \\quad
            u_j \\sim N(0, 1.5),\\ e_{ij} \\sim N(0, 4)

    90 sites have 2 to 7 plots each; ``soil`` is not in the data. Poor soil gets more water and bears less. Within sites
    a can of water is worth 1.5 kg. The ordinary regression is biased by cov(water, 6 soil) / var(water) = -9 / 4.5 = -2
    and comes to -0.5; the slope of the means of n plots by -9 / (2.25 + 2.25 / n), and comes to about -1.8. Varying
    intercepts lie between the slope within and the ordinary one.
    """
    return Population(
        "crop ~ water + soil + (1 | site)",
        clusters={"site": 90},
        size=(2, 7),
        variables={
            "soil": Normal(0, 1, level="site", observed=False),
            "water": Normal("8 - 1.5 * soil", 1.5),
        },
        fixef={"Intercept": 18, "water": 1.5, "soil": 6},
        ranef={"site": {"sd": [1.5]}},
        sigma=4,
        lesson="pooled(water) < 0 < within(water)",
    )


def under_glass() -> Population:
    """Plots within sites, half of which are under glass; that has nothing to do with the number of plants.

    .. math::

        \\text{plants}_{ij} \\sim \\text{Integers}(6, 14), \\quad \\text{glass}_j \\sim \\text{Bernoulli}(0.5)

        \\text{crop}_{ij} = 5 + 2\\,\\text{plants}_{ij} + 10\\,\\text{glass}_j + u_j + e_{ij}, \\quad
            u_j \\sim N(0, 1),\\ e_{ij} \\sim N(0, 4)

    40 sites have 14 to 22 plots each; ``altitude`` and ``fenced`` do nothing. A model without the glass finds a
    standard deviation of sites of about sqrt(1² + 10² / 4) = 5.1, and two heaps of deviations.
    """
    return Population(
        "crop ~ plants + glass + (1 | site)",
        clusters={"site": 40},
        size=(14, 22),
        variables={
            "plants": Integers(6, 14),
            "altitude": Uniform(200, 900, level="site", decimals=0),
            "fenced": Bernoulli(0.5, level="site"),
            "glass": Bernoulli(0.5, level="site"),
        },
        fixef={"Intercept": 5, "plants": 2, "glass": 10},
        ranef={"site": {"sd": [1]}},
        sigma=4,
        lesson="0.3 < mean(glass) < 0.7 and abs(cor(glass, fenced)) < 0.3",
    )
