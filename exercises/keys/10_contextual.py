"""Exercise 10: cooks and the kitchens that they work in."""

from __future__ import annotations

import numpy as np
import pandas as pd

import mixedsim as ms
from mixedsim.classroom.marking import Assignment, Choice, Formula, Number, Own, Showcase, Sorting

KNOWN = "plates ~ years * tips + (years | kitchen)"
UNKNOWN = "plates ~ years + tips + (years | kitchen)"


def split(own: Own) -> pd.Series:
    """Coefficients of years (within) and, beside it, of the kitchen's mean (contextual)."""
    return own.once("split", lambda: with_mean(own.data))


def with_mean(data: pd.DataFrame) -> pd.Series:
    mean = data.groupby("kitchen", observed=True)["years"].transform("mean")
    return ms.lmer("plates ~ years + years_mean + (1 | kitchen)", data.assign(years_mean=mean)).fixef


def between(own: Own) -> float:
    return float(split(own)["years"] + split(own)["years_mean"])


def of_means(own: Own) -> float:
    """Least squares through the kitchens' means."""
    return own.once(
        "slope of means", lambda: slope(own.data.groupby("kitchen", observed=True)[["years", "plates"]].mean())
    )


def slope(table: pd.DataFrame) -> float:
    return float(np.polyfit(table["years"], table["plates"], 1)[0])


def varying(own: Own) -> float:
    return float(own.fit("plates ~ years + (1 | kitchen)").fixef["years"])


def tips(own: Own) -> pd.Series:
    """Coefficients of the model with the interaction."""
    return own.fit(KNOWN, part="tips").fixef


def at_two(own: Own) -> float:
    return float(tips(own)["years"] + 2 * tips(own)["years:tips"])


def of_slopes(own: Own, formula: str) -> float:
    """The variance of the slopes of years."""
    return own.once(("of slopes", formula), lambda: float(own.fit(formula, part="tips").varcorr["variance"].iloc[1]))


def explained(own: Own, without: str = UNKNOWN) -> float:
    return 1 - of_slopes(own, KNOWN) / of_slopes(own, without)


KEY = Assignment(
    "10-contextual",
    "Within, between, contextual, and slopes for a reason",
    chapters=[10, 11],
    questions=[
        Number(
            name="q1", variable="slope_of_means", points=1, level=1, digits=None, low=-100, high=100,
            look="Two cooks of two kitchens whose means differ by a year: in how many ways do they differ?",
            answer=-4,
            wrong={"context-for-between": -6, "within-for-between": 2, "wrong-sign": 4},
        ),
        Sorting(
            name="q2", variable="which", points=3, level=1,
            look="Ask of each: does the cook's own experience differ, does that of the crew differ, or both?",
            among=["within", "contextual", "between", "mixture"],
            answer={
                "colleagues": "within",
                "twins": "contextual",
                "move": "contextual",
                "owners": "between",
                "all": "mixture",
            },
            wrong={
                "between-for-context": ("move", "between"),
                "context-for-between": ("owners", "contextual"),
                "within-for-between": ("owners", "within"),
                "pooled-slope": ("all", "within"),
            },
        ),
        Number(
            name="q3", variable="context", points=2, level=2, low=-50, high=50,
            look="Which of the two spellings has this number as a coefficient of its own?",
            answer=lambda own: split(own)["years_mean"],
            also=[lambda own: of_means(own) - split(own)["years"]],
            wrong={
                "between-for-context": between,
                "wrong-coefficient": lambda own: split(own)["years"],
                "wrong-sign": lambda own: -split(own)["years_mean"],
            },
        ),
        Number(
            name="q4", variable="between", points=2, level=2, low=-50, high=50,
            look="Their cooks differ in two ways: add up what both of them do.",
            answer=between,
            also=[of_means],
            wrong={
                "context-for-between": lambda own: split(own)["years_mean"],
                "within-for-between": lambda own: split(own)["years"],
                "pooled-slope": varying,
                "ols": lambda own: own.ols("plates ~ years")["estimate"]["years"],
            },
        ),
        Formula(
            name="q5", variable="model", points=2, level=2, columns=["kitchen", "years", "tips", "plates"],
            look="Read the three points one by one: which term says each of them?",
            answer=KNOWN,
            wrong={
                "no-interaction": UNKNOWN,
                "no-slopes": "plates ~ years * tips + (1 | kitchen)",
                "no-intercepts": "plates ~ years * tips + (0 + years | kitchen)",
                "no-correlation": "plates ~ years * tips + (years || kitchen)",
                "extra-slope": [
                    "plates ~ years * tips + (years * tips | kitchen)",
                    "plates ~ years * tips + (years + tips | kitchen)",
                    "plates ~ years * tips + (tips | kitchen)",
                ],
            },
        ),
        Number(
            name="q6", variable="slope_at_two", points=2, level=2, low=-50, high=50,
            look="Collect everything that stands beside years, and put 2 for the tips.",
            answer=at_two,
            also=[lambda own: own.fit(KNOWN, part="tips", reml=False).fixef @ [0, 1, 0, 2]],
            wrong={
                "slope-at-zero": lambda own: tips(own)["years"],
                "step-for-slope": lambda own: tips(own)["years:tips"],
                "average-slope": lambda own: own.fit(UNKNOWN, part="tips").fixef["years"],
            },
        ),
        Choice(
            name="q7", variable="sentence", points=1, level=2,
            look="The interaction is a difference of slopes: which sentence speaks of two slopes?",
            among=["A", "B", "C", "D"],
            answer="B",
            wrong={"no-interaction": "A", "main-effect-for-interaction": "C", "slope-at-zero": "D"},
        ),
        Number(
            name="q8", variable="explained", points=2, level=3, low=-1, high=100,
            look="Compare what the slopes differ by, with the interaction in the model and without it.",
            answer=explained,
            also=[lambda own: explained(own, "plates ~ years + (years | kitchen)")],
            wrong={
                "left-for-explained": lambda own: 1 - explained(own),
                "sd-ratio": lambda own: 1 - (1 - explained(own)) ** 0.5,
                "percent": lambda own: 100 * explained(own),
            },
        ),
        Choice(
            name="q9", variable="alarms", points=1, level=3,
            look="How many slopes are there to be compared, and how many does the shorter model believe in?",
            among=["too often", "too seldom", "in 5 of 100 draws"],
            answer="too often",
            wrong={"no-slopes": "in 5 of 100 draws"},
        ),
    ],
    showcase=(
        Showcase(
            "plates ~ years + years_mean + (1 | kitchen)", "years",
            data=lambda own: own.data.assign(
                years_mean=own.data.groupby("kitchen", observed=True)["years"].transform("mean")
            ),
        ),
        Showcase(KNOWN, "years:tips", part="tips"),
    ),
)  # fmt: skip
