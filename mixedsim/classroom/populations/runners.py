"""Exercise 4: runners on warm days, whose levels and slopes belong to a zero."""

from mixedsim.simulate import Derived, Population, Uniform


def heat() -> Population:
    """The same course, run by the same people at different temperatures.

    With i for runs, j for runners, and the temperature in °C:

    .. math::

        \\text{time}_{ij} = 45 + u_{0j} + (0.4 + u_{1j})\\,(\\text{temp}_{ij} - 20) + e_{ij}

        \\text{temp}_{ij} \\sim U(10, 30), \\quad u_{0j} \\sim N(0, 4), \\quad u_{1j} \\sim N(0, 0.3), \\quad
        \\operatorname{corr}(u_{0j}, u_{1j}) = 0.2, \\quad e_{ij} \\sim N(0, 2)

    24 runners have 5 to 15 runs each. The correlation of levels and slopes is 0.2 at 20 °C. At 0 °C, where nobody ran,
    it is (0.24 − 20 · 0.09) / (0.3 √(16 − 40 · 0.24 + 400 · 0.09)) = −0.80, and at 30 °C it is
    (0.24 + 10 · 0.09) / (0.3 √(16 + 20 · 0.24 + 100 · 0.09)) = 0.70. The standard error of the mean slope with slopes
    that vary is √((0.3² + 2² / 333) / 24) = 0.065, with ten runs a runner; varying intercepts alone claim half of it.
    """
    return Population(
        "time ~ heat + (1 + heat | runner)",
        clusters={"runner": 24},
        size=(5, 15),
        variables={"temp": Uniform(10, 30), "heat": Derived("temp - 20", observed=False)},
        fixef={"Intercept": 45, "heat": 0.4},
        ranef={"runner": {"sd": [4, 0.3], "corr": 0.2}},
        sigma=2,
    )
