"""Exercise 16: what is wrong with these ferries?"""

import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Number, Own, Ranking, Showcase, Sorting

MODEL = "fuel ~ wind + trip + painted + (1 | ferry)"
BENT = "fuel ~ wind + I(wind**2) + trip + painted + (1 | ferry)"
TRENDS = "fuel ~ wind + trip + painted + (1 + trip | ferry)"


def bend(own: Own, name: str = "I(wind ** 2)") -> float:
    return float(own.once("bent", lambda: own.fit(BENT).fixef)[name])


def se(own: Own, coefficient: str = "trip", formula: str = TRENDS) -> float:
    fit = own.fit(formula, part="C")
    return float(own.once(("se", formula), lambda: fit.coefficients("wald"))["se"][coefficient])


def loads(own: Own) -> "pd.Series[float]":
    """The mean load of each ferry: that of the slip is ten times too large."""
    found: pd.Series[float] = own.sample("E").data.groupby("ferry", observed=True)["load"].mean()
    return found


def fuels(own: Own) -> "pd.Series[float]":
    """How far each ferry's mean lies from that of all: which is unusual, but not wrong."""
    means = own.sample("E").data.groupby("ferry", observed=True)["fuel"].mean()
    found: pd.Series[float] = (means - means.mean()).abs()
    return found


KEY = Assignment(
    "16-diagnosis",
    "What is wrong with these ferries?",
    chapters=[16, 17],
    questions=[
        Sorting(
            name="q1", variable="broken", points=2, level=1, among=["mean", "spread", "independence", "shape"],
            look="The data depart where they leave the outer band. What does the picture have on its axes?",
            answer={"A": "mean", "B": "spread", "C": "independence", "D": "shape"},
            wrong={
                "unmodelled-curve": ("A", "spread"),
                "noise-not-checked": ("B", "shape"),
                "ignored-drift": ("C", "shape"),
            },
        ),
        Number(
            name="q2", variable="bend", points=1, level=1, low=-200, high=200,
            look="The bent model has two coefficients with wind in their names: which is that of the square?",
            answer=bend,
            wrong={
                "wrong-coefficient": lambda own: bend(own, "wind"),
                "unmodelled-curve": lambda own: float(own.fit(MODEL).fixef["wind"]),
            },
        ),
        Ranking(
            name="q3", variable="captain", points=1, level=1, top=1,
            look="Ask what the estimates would be without each of the ferries.",
            answer=loads,
            wrong={"noise-not-checked": fuels},
        ),
        Sorting(
            name="q4", variable="verdicts", points=2, level=2, among=["trust", "distrust"],
            look="Does the predictor of this line creep, jump or stay? Or does the line describe single rows?",
            answer={
                "C, trip": "distrust",
                "C, wind": "trust",
                "C, painted": "trust",
                "D, wind": "trust",
                "D, sigma": "distrust",
                "B, painted": "trust",
            },
            wrong={
                "ignored-drift": ("C, trip", "trust"),
                "feared-shape": ("D, wind", "distrust"),
                "shape-of-rows": ("D, sigma", "trust"),
            },
        ),
        Number(
            name="q5", variable="trip_se", points=2, level=2, low=0, high=100,
            look="Every ferry gets a slope of its own: of which predictor, and in which table?",
            answer=se,
            also=[lambda own: se(own, formula="fuel ~ wind + trip + painted + (1 + trip || ferry)")],
            wrong={
                "no-slopes": lambda own: se(own, formula=MODEL),
                "wrong-coefficient": lambda own: se(own, "wind"),
            },
        ),
        Sorting(
            name="q6", variable="failures", points=2, level=2,
            among=["refused", "not determined", "singular", "not arrived"],
            look="Is it the design that cannot tell, is it the edge of what is allowed, or is it the search?",
            answer={
                "Ada": "refused",
                "Ben": "not determined",
                "Cem": "singular",
                "Dora": "not arrived",
                "Eli": "refused",
            },
            wrong={
                "smallest-unit": ("Ada", "singular"),
                "extra-slope": ("Ben", "singular"),
                "singular-is-broken": ("Cem", "not arrived"),
            },
        ),
        Choice(
            name="q7", variable="report", points=2, level=3, among=["A", "B", "C", "D"],
            look="What does singular say of the search, and what of the slopes?",
            answer="D",
            wrong={"drop-if-singular": "A", "edge-is-zero": "B", "another-search": "C"},
        ),
    ],
    showcase=(Showcase(MODEL, "wind", part="C"),),
)  # fmt: skip
