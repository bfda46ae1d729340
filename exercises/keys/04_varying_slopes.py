"""Exercise 4: runners in the heat."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mixedsim import Population, Uniform, study
from mixedsim.classroom.marking import Assignment, Choice, Design, Formula, Number, Own, Showcase, Sorting

MODEL = "time ~ temp + (1 + temp | runner)"
WORLD = Population(
    MODEL, clusters={"runner": 24}, size=6, variables={"temp": Uniform(-10, 10)}, fixef={"Intercept": 45, "temp": 0},
    ranef={"runner": {"sd": [4, 0.1]}}, sigma=2,
)  # fmt: skip
STUDIES = 400


class Spread(NamedTuple):
    """Variances of levels and slopes, and their covariance, with zero at 0 °C."""

    level: float
    slope: float
    covariance: float

    def at(self, temp: float) -> float:
        """The variance between runners at a temperature."""
        return self.level + 2 * temp * self.covariance + temp**2 * self.slope

    def covariance_at(self, temp: float) -> float:
        """The covariance of levels and slopes, if that temperature is called zero."""
        return self.covariance + temp * self.slope

    def correlation_at(self, temp: float) -> float:
        """Their correlation."""
        return self.covariance_at(temp) / (self.at(temp) * self.slope) ** 0.5


def spread(own: Own) -> Spread:
    def read() -> Spread:
        found = own.fit(MODEL).covariances["runner"].to_numpy()
        return Spread(float(found[0, 0]), float(found[1, 1]), float(found[0, 1]))

    return own.once("spread", read)


def upper(own: Own, sd: float, times: float = 1.96) -> float:
    return float(own.fit(MODEL).fixef["temp"] + times * sd)


def errors(own: Own) -> np.ndarray:
    """What is known of the two fixed effects: their covariances."""
    return own.once("errors", lambda: own.fit(MODEL).vcov.to_numpy())


def no_effect(plan: Population) -> bool:
    return dict(plan.fixef) == dict(WORLD.fixef)


def same_world(plan: Population) -> bool:
    """All but the numbers of runners and runs is as it was given."""
    return plan.with_(clusters=WORLD.clusters, size=WORLD.size, fixef=WORLD.fixef).to_yaml() == WORLD.to_yaml()


@lru_cache(maxsize=64)
def alarms(plan: str) -> float:
    """How often varying intercepts alone find an effect of temperature."""
    found = study(Population.from_yaml(plan), "time ~ temp + (1 | runner)", n=STUDIES, seed=4).summary()
    return float(found.xs("temp", level="parameter")["power"].item())


def fooled(plan: Population) -> bool:
    return alarms(plan.to_yaml()) >= 0.25


def more_runners(plan: Population) -> bool:
    data = plan.draw(seed=1).data
    return "runner" in data and data["runner"].nunique() > 24 and len(data) < 12 * data["runner"].nunique()


KEY = Assignment(
    "04-varying-slopes",
    "Runners in the heat",
    chapters=[4],
    questions=[
        Choice(
            name="q1", variable="varies", points=1, level=1, among=["level", "slope", "both"],
            look="Are the lines parallel? Do they all go through one point?",
            answer="both",
            wrong={"no-slopes": "level", "no-intercepts": "slope"},
        ),
        Formula(
            name="q2", variable="model", points=2, level=1, columns=["runner", "temp", "time"],
            look="What stands left of the bar varies from runner to runner.",
            answer=MODEL,
            wrong={
                "no-slopes": "time ~ temp + (1 | runner)",
                "no-intercepts": "time ~ temp + (0 + temp | runner)",
                "no-correlation": "time ~ temp + (temp || runner)",
                "no-mean-slope": ["time ~ 1 + (1 + temp | runner)", "time ~ 0 + (1 + temp | runner)"],
            },
        ),
        Number(
            name="q3", variable="worst", points=2, level=2, low=-5, high=5,
            look="Which line of “Random effects” is about slopes? How many of it lie between the mean and the bound?",
            answer=lambda own: upper(own, spread(own).slope ** 0.5),
            also=[lambda own: upper(own, spread(own).slope ** 0.5, times=2)],
            wrong={
                "se-for-sd": lambda own: own.once("upper", lambda: own.fit(MODEL).coefficients()["upper"]["temp"]),
                "variance-for-sd": lambda own: upper(own, spread(own).slope),
                "one-sd": lambda own: upper(own, spread(own).slope ** 0.5, times=1),
                "mean-for-all": lambda own: upper(own, 0),
            },
        ),
        Sorting(
            name="q4", variable="zero", points=2, level=2, among=["changes", "stays"],
            look="Which of them speak of the runners at the point that is called zero?",
            answer={
                "a": "stays", "b": "changes", "c": "changes", "d": "stays", "e": "changes", "f": "stays", "g": "stays",
                "h": "stays",
            },
            wrong={
                "uncentred": [("c", "stays"), ("e", "stays")],
                "intercept": ("b", "stays"),
                "moving-zero-moves-all": [(letter, "changes") for letter in "adfgh"],
            },
        ),
        Number(
            name="q5", variable="together", points=2, level=2, low=-1, high=1,
            look="Subtract something from the temperature and fit again.",
            answer=lambda own: spread(own).correlation_at(30),
            wrong={
                "uncentred": lambda own: spread(own).correlation_at(0),
                "other-zero": lambda own: spread(own).correlation_at(float(own.data["temp"].mean())),
                "correlation-of-estimates": lambda own: (
                    errors(own)[0, 1] / (errors(own)[0, 0] * errors(own)[1, 1]) ** 0.5
                ),
            },
        ),
        Choice(
            name="q6", variable="claim", points=2, level=3, among=["a", "b", "c", "d"],
            look="What do all runners share where the predictor is zero, and where is that?",
            answer="b",
            wrong={"slope-only": ["a", "d"], "other-zero": "c"},
        ),
        Number(
            name="q7", variable="spread", points=3, level=3, low=0, high=100,
            look="It is the root of the variance of a sum: the level, and 25 times the slope.",
            answer=lambda own: spread(own).at(25) ** 0.5,
            wrong={
                "no-correlation": lambda own: (spread(own).level + 625 * spread(own).slope) ** 0.5,
                "added-sds": lambda own: spread(own).level ** 0.5 + 25 * spread(own).slope ** 0.5,
                "covariance-once": lambda own: (spread(own).at(25) - 25 * spread(own).covariance) ** 0.5,
                "variance-for-sd": lambda own: spread(own).at(25),
                "uncentred": lambda own: spread(own).level ** 0.5,
            },
        ),
        Design(
            name="q8", variable="plan", points=3, level=3, rows=2000,
            look="What does the model with varying intercepts take for news that is none?",
            demands={
                "the mean effect of temperature must stay 0": no_effect,
                "levels, slopes, residuals and temperatures must be those of the given world": same_world,
                "varying intercepts alone must find an effect in at least one of four studies": fooled,
            },
            example=WORLD.with_(size=60).to_yaml(),
            signs={
                "power-is-type-one": lambda plan: not no_effect(plan),
                "more-groups": more_runners,
            },
            wrong={
                "power-is-type-one": WORLD.with_(fixef={"Intercept": 45, "temp": 0.4}).to_yaml(),
                "more-groups": WORLD.with_(clusters={"runner": 300}).to_yaml(),
            },
        ),
    ],
    showcase=(Showcase(MODEL, "temp", truth=0.4),),
)  # fmt: skip
