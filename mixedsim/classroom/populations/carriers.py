"""Exercise 7: rounds and the letter carriers who walk them."""

from typing import Final

from mixedsim.simulate import Integers, Population, Sizes

# Rounds of each carrier: the fifth has walked three.
_ROUNDS: Final = [12, 8, 20, 6, 3, 15, 10, 7, 18, 9, 14, 5, 11, 16, 8, 13]


def rounds() -> Population:
    """Rounds within letter carriers, who are quick or slow.

    .. math::

        \\text{bags}_{ij} \\sim \\text{Integers}(2, 10), \\quad
        \\text{minutes}_{ij} = 40 + 4\\,\\text{bags}_{ij} + u_j + e_{ij}, \\quad
            u_j \\sim N(0, 8),\\ e_{ij} \\sim N(0, 12)

    16 carriers have walked 3 to 20 rounds. At 9 bags the line has a standard error of about √(8² / 16 + …) = 2.5, the
    mean of a new carrier one of √(2.5² + 8²) = 8.4, and a round of a new carrier one of √(2.5² + 8² + 12²) = 15.
    """
    return Population(
        "minutes ~ bags + (1 | carrier)",
        clusters={"carrier": 16},
        size=Sizes(_ROUNDS),
        variables={"bags": Integers(2, 10)},
        fixef={"Intercept": 40, "bags": 4},
        ranef={"carrier": {"sd": [8]}},
        sigma=12,
        lesson="icc() > 0.15",
    )


def hired() -> Population:
    """New carriers of the year after, and what each of them needs on average for 9 bags, after a whole year of rounds.

    .. math:: \\text{usual}_j = 40 + 4 \\cdot 9 + u_j, \\quad u_j \\sim N(0, 8)

    40 carriers, one row each. The interval of the line holds about 4 in 10 of them, that for a new carrier 95 %.
    """
    return Population(
        "usual ~ 1",
        clusters={"carrier": 40},
        size=1,
        fixef={"Intercept": 76},
        sigma=8,
    )
