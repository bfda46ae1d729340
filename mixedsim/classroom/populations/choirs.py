"""Exercise 18: singers, choirs, and a breathing exercise that is yet to be tried."""

from mixedsim.simulate import Integers, Population


def records() -> Population:
    """Old records of singers within choirs, from which a trial is to be planned.

    .. math::

        \\text{hold}_{ij} = 18 + u_j + e_{ij}, \\quad u_j \\sim N(0, 3),\\ e_{ij} \\sim N(0, 6)

    for singer i of choir j, in seconds. 40 choirs have 4 to 14 singers. A trial with 24 choirs of 10, half of them
    treated, has a standard error of 2 √((9 + 36/10) / 24) = 1.45 seconds; who counts singers believes in
    2 √(45 / 240) = 0.87. An effect of 2.5 seconds is found in 38 % of such trials, and not in 82 %. ``age`` plays no
    part.
    """
    return Population(
        "hold ~ 1 + (1 | choir)",
        clusters={"choir": 40},
        size=(4, 14),
        variables={"age": Integers(20, 70)},
        fixef={"Intercept": 18},
        ranef={"choir": {"sd": [3]}},
        sigma=6,
        lesson="icc() > 0.1",
    )
