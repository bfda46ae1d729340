"""Exercise 7: rounds and the letter carriers who walk them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Number, Own, Ranking, Sorting

MODEL = "minutes ~ bags + (1 | carrier)"
KNOWN, BAGS = "5", 9
# Of whom and of what: the question, and how `predict` is asked it.
ASKED = {
    "mean of all": {"interval": "confidence", "random": False},
    "mean of 5": {"interval": "confidence"},
    "round of 5": {"interval": "prediction"},
    "mean of new": {"interval": "confidence", "allow_new_levels": True},
    "round of new": {"interval": "prediction", "allow_new_levels": True},
}


def predicted(own: Own) -> pd.DataFrame:
    """A row a question: estimate, se, df, lower, upper."""
    return own.once("predicted", lambda: pd.concat({name: ask(own, name) for name in ASKED}).droplevel(1))


def ask(own: Own, name: str) -> pd.DataFrame:
    who = KNOWN if name.endswith("5") else "new"
    rows = pd.DataFrame({"bags": [BAGS], "carrier": [who]})
    table: pd.DataFrame = own.fit(MODEL).predict(rows, **ASKED[name])
    return table


def of(own: Own, name: str, column: str) -> float:
    return float(predicted(own)[column][name])


def widths(own: Own) -> pd.Series:
    """Of the five intervals."""
    return predicted(own)["upper"] - predicted(own)["lower"]


def swapped(own: Own, one: str, other: str) -> pd.Series:
    """The widths, two of them exchanged."""
    return widths(own).rename({one: other, other: one})


def alone(own: Own) -> float:
    """Carrier 5's mean at 9 bags with a dummy for each carrier: own mean, moved along the slope within carriers."""
    data = own.data
    means = data.groupby("carrier", observed=True)[["bags", "minutes"]].transform("mean")
    x, y = data["bags"] - means["bags"], data["minutes"] - means["minutes"]
    rows = data["carrier"].astype(str) == KNOWN
    mean = means[rows].iloc[0]
    return float(mean["minutes"] + (x * y).sum() / (x**2).sum() * (BAGS - mean["bags"]))


def tau(own: Own) -> float:
    return float(own.fit(MODEL).varcorr["sd_or_corr"].iloc[0])


def held(own: Own, name: str) -> int:
    """How many of the newly hired carriers lie in an interval."""
    usual = own.sample("hired").data["usual"]
    return int(usual.between(of(own, name, "lower"), of(own, name, "upper")).sum())


KEY = Assignment(
    "07-prediction",
    "Known and new groups",
    chapters=[7],
    questions=[
        Sorting(
            name="q1", variable="asked", points=3, level=1,
            look="Ask of each: all carriers, a known one, or a new one? And a mean, or a single round?",
            among=list(ASKED),
            answer={
                "office": "mean of all",
                "pension": "mean of 5",
                "monday": "round of 5",
                "contract": "mean of new",
                "first day": "round of new",
            },
            wrong={
                "no-group-variance": ("contract", "mean of all"),
                "mean-for-prediction": ("monday", "mean of 5"),
                "known-for-new": ("contract", "mean of 5"),
                "marginal-for-known": ("pension", "mean of all"),
            },
        ),
        Number(
            name="q2", variable="five", points=2, level=1, digits=3, low=0, high=300,
            look="What is known of this carrier, and does the prediction you took include it?",
            answer=lambda own: of(own, "mean of 5", "estimate"),
            wrong={
                "marginal-for-known": lambda own: of(own, "mean of all", "estimate"),
                "dummies": alone,
            },
        ),
        Ranking(
            name="q3", variable="widest", points=2, level=2, top=5, tie=1e-6,
            look="Which of line, carrier and round are unknown in each of the five?",
            answer=widths,
            wrong={
                "no-group-variance": lambda own: swapped(own, "mean of new", "mean of 5"),
                "mean-for-prediction": lambda own: swapped(own, "mean of new", "round of 5"),
            },
        ),
        Number(
            name="q4", variable="se_new", points=2, level=2, digits=3, low=0, high=100,
            look="What is unknown about the mean of a new carrier? Add up the variances.",
            answer=lambda own: np.hypot(of(own, "mean of all", "se"), tau(own)),
            wrong={
                "no-group-variance": lambda own: of(own, "mean of all", "se"),
                "line-is-known": tau,
                "sds-added": lambda own: of(own, "mean of all", "se") + tau(own),
                "prediction-for-mean": lambda own: of(own, "round of new", "se"),
            },
        ),
        Number(
            name="q5", variable="width", points=2, level=2, digits=3, low=0, high=400,
            look="Is it a known carrier or a new one, a mean or a single round?",
            answer=lambda own: widths(own)["round of new"],
            wrong={
                "no-group-variance": lambda own: widths(own)["mean of all"],
                "mean-for-prediction": lambda own: widths(own)["mean of new"],
                "known-for-new": lambda own: widths(own)["round of 5"],
                "z-for-t": lambda own: 2 * 1.959964 * of(own, "round of new", "se"),
            },
        ),
        Number(
            name="q6", variable="held", points=2, level=3, digits=None, low=0, high=40,
            look="Which of the five intervals is about the mean of one new carrier?",
            answer=lambda own: held(own, "mean of new"),
            wrong={
                "no-group-variance": lambda own: held(own, "mean of all"),
                "known-for-new": lambda own: held(own, "mean of 5"),
            },
        ),
        Choice(
            name="q7", variable="limit", points=1, level=3,
            look="Which of the three unknowns becomes known when there are more carriers?",
            among=["a point", "about 4 tau", "as wide as now"],
            answer="about 4 tau",
            wrong={"no-group-variance": "a point"},
        ),
    ],
)  # fmt: skip
