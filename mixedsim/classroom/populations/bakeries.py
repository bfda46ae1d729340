"""Exercise 22: loaves of apprentices, the bakeries they learn in, and the judges who taste them."""

from mixedsim.simulate import Assigned, Bernoulli, ClusterMean, Normal, Population, Uniform


def fair() -> Population:
    """Loaves that cross bakeries with judges, where the company of an apprentice matters and some ovens burn wood.

    .. math::

        \\text{habit}_j \\sim N(8, 1.5), \\quad \\text{hours}_{ijk} \\sim N(\\text{habit}_j, 2)

        \\text{points}_{ijk} = 30 + \\text{hours}_{ijk} + 2.5\\,\\overline{\\text{hours}}_j - 4\\,\\text{rye}_{ijk}
            + 7\\,\\text{wood}_j + u_j + v_k + e_{ijk}, \\quad
        u_j \\sim N(0, 2),\\ v_k \\sim N(0, 4),\\ e_{ijk} \\sim N(0, 5)

    for the loaf of apprentice i of bakery j, tasted by judge k. 36 bakeries send 5 to 12 loaves each; 14 judges taste
    one loaf of some of them. Within a bakery an hour is worth 1 point, between bakeries 3.5; the regression of all rows
    finds about 2, and without wood the standard deviation of the bakeries comes to about (2² + 7²/4)^½ = 4.
    ``age`` and ``tourists`` of a bakery play no part.
    """
    return Population(
        "points ~ hours + hours_mean + rye + wood + (1 | bakery) + (1 | judge)",
        clusters={"bakery": 36, "judge": {"n": 14, "sample": (5, 12)}},
        size=1,
        variables={
            "habit": Normal(8, 1.5, level="bakery", observed=False),
            "hours": Normal("habit", 2),
            "hours_mean": ClusterMean("hours", by="bakery", observed=False),
            "rye": Bernoulli(0.4),
            "wood": Assigned([0, 1], level="bakery", shuffle=True),
            "age": Uniform(2, 90, level="bakery", decimals=0),
            "tourists": Bernoulli(0.4, level="bakery"),
        },
        fixef={"Intercept": 30, "hours": 1, "hours_mean": 2.5, "rye": -4, "wood": 7},
        ranef={"bakery": {"sd": [2]}, "judge": {"sd": [4]}},
        sigma=5,
    )
