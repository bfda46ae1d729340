"""Exercise 6: cheeses and the dairies that make them."""

from typing import Final

from mixedsim.simulate import Normal, Population, Sizes

# Cheeses of each dairy: many dairies have few, and one of them has the fewest.
_CHEESES: Final = [
    *(9, 40, 5, 16, 6, 30, 4, 10, 20, 7, 12, 25, 3, 8, 18, 35, 6, 11, 4, 14, 22, 5, 8, 28, 15, 7),
]  # fmt: skip


def tasted() -> Population:
    """Cheeses within dairies, with what each dairy reaches in the year after.

    .. math::

        \\text{skill}_j \\sim N(0, 1), \\quad \\text{points}_{ij} = 60 + 3.3\\,\\text{skill}_j + e_{ij}, \\quad
            e_{ij} \\sim N(0, 7)

        \\text{later}_j \\sim N(60 + 3.3\\,\\text{skill}_j,\\ 0.7)

    26 dairies have 3 to 40 cheeses each; ``skill`` is not in the data, and so dairies differ with a standard deviation
    of 3.3. Of its distance from the mean a dairy with n cheeses keeps 10.9 / (10.9 + 49 / n): 0.40 of 3, 0.90 of 40.
    ``later`` is a mean of a hundred cheeses. The best dairies of the list fall back by (1 - λ) of their distance.
    """
    return Population(
        "points ~ skill",
        clusters={"dairy": 26},
        size=Sizes(_CHEESES),
        variables={
            "skill": Normal(0, 1, level="dairy", observed=False),
            "later": Normal("60 + 3.3 * skill", 0.7, level="dairy"),
        },
        fixef={"Intercept": 60, "skill": 3.3},
        sigma=7,
        lesson="sd(later) > 2.5",
    )
