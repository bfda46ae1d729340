"""The placement quiz: second-hand bicycles, an ordinary regression, and shops that it does not know of."""

from mixedsim.simulate import Assigned, Categorical, Population, Uniform


def second_hand() -> Population:
    """Prices of used bicycles in a town; bicycles of one shop have something in common.

    With i for bicycles, j for shops:

    .. math::

        \\text{price}_{ij} = 600 - 45\\,\\text{age}_{ij} + 120\\,[\\text{mountain}]_{ij} + 300\\,[\\text{road}]_{ij}
            + 20\\,[\\text{serviced}]_{ij} + 25\\,\\text{age}_{ij}\\,[\\text{serviced}]_{ij} + u_j + e_{ij}

        u_j \\sim N(0, 70), \\quad e_{ij} \\sim N(0, 80)

    14 shops have 12 to 30 bicycles each. Road bicycles are 3 to 9 years old, others 1 to 7; half of all were
    serviced; half of the shops give a guarantee, which does nothing. So the means of road and mountain bicycles differ
    by about 180 − 2 · 32.5 = 115, and the regression with age finds 180. Its residual standard deviation is about
    √(70² + 80² + 67²) = 126: what shops share is noise to it, and so is service, which makes a bicycle of 4.6 years
    dearer by 20 + 25 · 4.6 = 135, to both sides of the mean by half of that.
    """
    return Population(
        "price ~ kind + age * serviced + guarantee + (1 | shop)",
        clusters={"shop": 14},
        size=(12, 30),
        variables={
            "guarantee": Assigned(["no", "yes"], level="shop", shuffle=True),
            "kind": Categorical(["city", "mountain", "road"], probs=[0.4, 0.3, 0.3]),
            "age": Uniform("where(kind == 'road', 3, 1)", "where(kind == 'road', 9, 7)"),
            "serviced": Categorical(["no", "yes"]),
        },
        fixef={
            "Intercept": 600,
            "kind[T.mountain]": 120,
            "kind[T.road]": 300,
            "age": -45,
            "serviced[T.yes]": 20,
            "age:serviced[T.yes]": 25,
            "guarantee[T.yes]": 0,
        },
        ranef={"shop": {"sd": 70}},
        sigma=80,
    )
