"""Where do you stand? What one course in regression gives, and two questions that look ahead."""

import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Number, Own

PLAIN = "price ~ age + kind"
INTERACTION = "price ~ kind + age * serviced"


def table(own: Own) -> pd.DataFrame:
    return own.ols(PLAIN)


def estimate(own: Own, name: str, formula: str = PLAIN) -> float:
    return float(own.ols(formula)["estimate"][name])


def sigma(own: Own) -> float:
    return own.once("sigma", lambda: own.ols_sigma(PLAIN))


def means_apart(own: Own) -> float:
    """How much the mean prices of road and mountain bicycles differ, whatever their age."""
    means = own.data.groupby("kind", observed=True)["price"].mean()
    return float(means["road"] - means["mountain"])


KEY = Assignment(
    "00-placement",
    "Where do you stand?",
    chapters=[1],
    questions=[
        Number(
            name="q1", variable="cheaper", points=1, level=1, low=0, high=2000,
            look="Find the line of age. For how many years is its number?",
            answer=lambda own: -2 * estimate(own, "age"),
            wrong={
                "one-unit": lambda own: -estimate(own, "age"),
                "wrong-sign": lambda own: 2 * estimate(own, "age"),
                "intercept": lambda own: estimate(own, "Intercept"),
            },
        ),
        Number(
            name="q2", variable="around", points=1, level=1, low=0, high=10_000,
            look="It is a standard deviation of what is left over once age and kind are known.",
            answer=sigma,
            wrong={
                "total-for-residual": lambda own: float(own.data["price"].std()),
                "variance-for-sd": lambda own: sigma(own) ** 2,
                "se-for-sd": lambda own: float(table(own)["se"]["Intercept"]),
            },
        ),
        Number(
            name="q3", variable="dearer", points=2, level=1, low=-2000, high=2000,
            look="Both lines of kind compare with the same kind, which has no line of its own.",
            answer=lambda own: estimate(own, "kind[T.road]") - estimate(own, "kind[T.mountain]"),
            wrong={
                "wrong-reference": lambda own: estimate(own, "kind[T.road]"),
                "wrong-sign": lambda own: estimate(own, "kind[T.mountain]") - estimate(own, "kind[T.road]"),
                "confounded": means_apart,
            },
        ),
        Number(
            name="q4", variable="saved", points=2, level=2, low=-1000, high=1000,
            look="Which line speaks of age and service together?",
            answer=lambda own: estimate(own, "age:serviced[T.yes]", INTERACTION),
            wrong={
                "main-effect-for-interaction": lambda own: estimate(own, "age", INTERACTION),
                "slope-for-difference": lambda own: (
                    estimate(own, "age", INTERACTION) + estimate(own, "age:serviced[T.yes]", INTERACTION)
                ),
                "wrong-coefficient": lambda own: estimate(own, "serviced[T.yes]", INTERACTION),
            },
        ),
        Number(
            name="q5", variable="slopes", points=2, level=2, low=0, high=2000,
            look="Which column of the table says how much an estimate differs from study to study?",
            answer=lambda own: float(table(own)["se"]["age"]),
            wrong={
                "sd-for-se": sigma,
                "divided-twice": lambda own: float(table(own)["se"]["age"]) / len(own.data) ** 0.5,
                "estimate-for-se": lambda own: abs(estimate(own, "age")),
            },
        ),
        Choice(
            name="q6", variable="meaning", points=2, level=2, among=["a", "b", "c", "d"],
            look="A p-value looks at one coefficient, and at studies in which nothing is to be found.",
            answer="b",
            wrong={"p-is-probability": "a", "p-is-replication": "c"},
        ),
        Choice(
            name="q7", variable="broken", points=1, level=3, among=["curve", "spread", "independent"],
            look="What would the right panel look like if shops did not matter?",
            answer="independent",
            wrong={"noise-not-checked": ["curve", "spread"]},
        ),
        Number(
            name="q8", variable="decisions", points=1, level=3, digits=None, low=1, high=10_000,
            look="What is it that gets a guarantee or gets none?",
            answer=lambda own: int(own.data["shop"].nunique()),
            wrong={
                "rows-as-n": lambda own: len(own.data),
                "treated-only": lambda own: int(own.data.loc[own.data["guarantee"] == "yes", "shop"].nunique()),
            },
        ),
    ],
    showcase=(f"{INTERACTION} + (1 | shop)", "age:serviced[T.yes]"),
)  # fmt: skip
