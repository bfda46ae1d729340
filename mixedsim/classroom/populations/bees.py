"""Exercise 12: frames in hives in apiaries, and tasters who all taste the same jars."""

from mixedsim.simulate import Assigned, Derived, Population


def hives() -> Population:
    """Frames within hives within apiaries, where the hives' numbers start again in each apiary.

    .. math::

        \\text{honey}_{ijk} = 1800 + 150\\,\\text{syrup}_{jk} + u_k + v_{jk} + e_{ijk}, \\quad
        u_k \\sim N(0, 100),\\ v_{jk} \\sim N(0, 200),\\ e_{ijk} \\sim N(0, 250)

    for frame i of hive j in apiary k, in grams. 14 apiaries keep 3 to 5 hives of 5 to 9 frames each, and half of the
    hives got ``syrup`` in autumn. The standard error of ``syrup`` is about
    √(4 (200² + 250²/7) / 56) = 59. Without the hives it comes to √(4 · (250² + 200²) / 392) = 32, half of that; so it
    does with ``(1 | apiary) + (1 | hive)``, to which hive 1 of all apiaries is one hive.
    """
    return Population(
        "honey ~ syrup + (1 | apiary) + (1 | apiary:hive)",
        clusters={"apiary": 14, "hive": {"n": 5, "sample": (3, 5)}},
        size=(5, 9),
        variables={
            "frame": Assigned([1, 2, 3, 4, 5, 6, 7, 8, 9]),
            "turn": Assigned([0, 1], level="apiary", shuffle=True, observed=False),
            "odd": Assigned([0, 1], level="hive", observed=False),
            "syrup": Derived("turn == odd"),
        },
        fixef={"Intercept": 1800, "syrup": 150},
        ranef={"apiary": {"sd": [100]}, "apiary:hive": {"sd": [200]}},
        sigma=250,
    )


def tasting() -> Population:
    """Tasters and jars of honey, wholly crossed; half of the jars are heather honey.

    .. math::

        \\text{points}_{jk} = 60 + 4\\,\\text{heather}_k + u_j + v_k + e_{jk}, \\quad
        u_j \\sim N(0, 7),\\ v_k \\sim N(0, 6),\\ e_{jk} \\sim N(0, 10)

    24 tasters taste 16 jars once each. The comparison of heather with other honeys has the variance
    4 · 6²/16 + 4 · 10²/384 = 9 + 1: nearly all of it is the luck of the jars. For the mean of all points the 384 rows
    are worth (7² + 6² + 10²) / (7²/24 + 6²/16 + 10²/384) = 41 (a little less, since heather adds to what the jars
    differ by).
    """
    return Population(
        "points ~ heather + (1 | taster) + (1 | jar)",
        clusters={"taster": 24, "jar": 16},
        size=1,
        variables={"heather": Assigned([0, 1], level="jar")},
        fixef={"Intercept": 60, "heather": 4},
        ranef={"taster": {"sd": [7]}, "jar": {"sd": [6]}},
        sigma=10,
    )
