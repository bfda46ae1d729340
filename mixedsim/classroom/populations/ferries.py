"""Exercise 16: the fuel that ferries burn, in five worlds of which each has a fault of its own."""

from typing import Any

from mixedsim.simulate import Assigned, Derived, Normal, Population, Uniform


def _trips(**change: Any) -> Population:
    """Thirty ferries with twelve trips each, in the order of the days, and nothing amiss."""
    return Population(
        "fuel ~ wind + trip + painted + (1 | ferry)",
        clusters={"ferry": 30},
        size=12,
        variables={
            "trip": Assigned([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
            "wind": Uniform(0, 12),
            "painted": Assigned([0, 1], level="ferry", shuffle=True),
        },
        fixef={"Intercept": 400, "wind": 6, "trip": 0, "painted": -15},
        ranef={"ferry": {"sd": [20]}},
        sigma=30,
    ).with_(**change)


def curved() -> Population:
    """Table A: fuel has a valley over the wind, and a straight line misses it.

    .. math::

        \\text{fuel}_{ij} = 400 + 6\\,\\text{wind}_{ij} + 3\\,(\\text{wind}_{ij} - 6)^2 - 15\\,\\text{painted}_j
            + u_j + e_{ij}, \\quad u_j \\sim N(0, 20),\\ e_{ij} \\sim N(0, 30)

    for trip i of ferry j, in litres, with wind from 0 to 12 m/s. In a parabola in wind the coefficient of wind is
    6 − 2 · 3 · 6 = −30 and that of its square 3. The straight line finds a slope of 6.
    """
    plain = _trips()
    return plain.with_(
        formula="fuel ~ wind + bend + trip + painted + (1 | ferry)",
        variables={**plain.variables, "bend": Derived("(wind - 6) ** 2", observed=False)},
        fixef={**plain.fixef, "bend": 3},
    )


def fan() -> Population:
    """Table B: the noise grows with the wind, from a standard deviation of 12 in calm weather to 48 at 12 m/s.

    .. math::

        \\text{fuel}_{ij} = 400 + 6\\,\\text{wind}_{ij} - 15\\,\\text{painted}_j + u_j + e_{ij}, \\quad
        e_{ij} \\sim N(0, 12 + 3\\,\\text{wind}_{ij})
    """
    return _trips(sigma="12 + 3 * wind")


def drift() -> Population:
    """Table C: the noise of a trip correlates with that of the trip before by 0.75, and trip does nothing.

    .. math::

        e_{ij} = 0.75\\,e_{i-1,j} + \\varepsilon_{ij}, \\quad \\operatorname{sd} e_{ij} = 30

    The standard error of ``trip`` is claimed to be half of what it is; with ``(1 + trip | ferry)`` it is honest.
    """
    return _trips(residual={"ar1": 0.75})


def tails() -> Population:
    """Table D: the noise has a t distribution with 2.5 degrees of freedom, scaled to a standard deviation of 30."""
    return _trips(residual={"shape": {"kind": "t", "df": 2.5}})


def slip() -> Population:
    """Table E: one captain notes the load in tenths of tons, so that all of this ferry's loads are ten times too large.

    .. math::

        \\text{fuel}_{ij} = 400 + 1.5\\,\\text{tons}_{ij} + u_j + e_{ij}, \\quad
        \\text{load}_{ij} = \\text{tons}_{ij} \\cdot (1 + 9\\,\\text{slip}_j)

    with slip = 1 for one ferry of 30. The slope on ``load`` is far below 1.5, and the residuals look normal.
    """
    plain = _trips()
    return plain.with_(
        formula="fuel ~ tons + (1 | ferry)",
        variables={
            "trip": plain.variables["trip"],
            "slip": Assigned([1] + 29 * [0], level="ferry", shuffle=True, observed=False),
            "tons": Normal(60, 15, observed=False),
            "load": Derived("tons * (1 + 9 * slip)"),
        },
        fixef={"Intercept": 400, "tons": 1.5},
    )
