"""Exercise 22: the bread fair."""

from typing import Any

import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Formula, Number, Own, Sorting
from mixedsim.models import lmer
from mixedsim.words import within_between

EMPTY = "points ~ 1 + (1 | bakery) + (1 | judge)"
BLIND = "points ~ hours + hours_mean + rye + (1 | bakery) + (1 | judge)"
FINAL = "points ~ hours + hours_mean + rye + wood + (1 | bakery) + (1 | judge)"
LADDER = {
    "m1": EMPTY,
    "m2": "points ~ hours + rye + wood + (1 | bakery) + (1 | judge)",
    "m3": BLIND,
    "m4": FINAL,
    "m5": "points ~ hours + hours_mean + rye + wood + (hours | bakery) + (1 | judge)",
}
COLUMNS = ["bakery", "judge", "hours", "hours_mean", "hours_within", "rye", "wood", "age", "tourists", "points"]
TRAITS = ["wood", "age", "tourists"]
NEW = {"hours": [10], "hours_mean": [9], "rye": [0], "wood": [0]}


def table(own: Own) -> pd.DataFrame:
    """The data with the mean hours of the bakeries."""
    return own.once("table", lambda: within_between(own.data, "hours", "bakery"))


def fit(own: Own, formula: str, reml: bool = True) -> Any:
    return own.once(("fit", formula, reml), lambda: lmer(formula, table(own), reml=reml))


def variances(own: Own) -> dict[str, float]:
    """Of the empty model: bakery, judge and residual."""

    def found() -> dict[str, float]:
        empty = fit(own, EMPTY)
        return {**empty.varcorr.set_index("group")["variance"].to_dict(), "residual": empty.sigma**2}

    return own.once("variances", found)


def share(own: Own, of: str, power: float = 1.0, without: str = "") -> float:
    """The share of one part in the whole; `power` 1/2 makes it one of standard deviations."""
    parts = {name: value**power for name, value in variances(own).items() if name != without}
    return parts[of] / sum(parts.values())


def slope(own: Own, formula: str, coefficient: str) -> float:
    return float(fit(own, formula).fixef[coefficient])


def means_slope(own: Own) -> float:
    def found() -> float:
        means = table(own).groupby("bakery", observed=True)[["points", "hours", "rye"]].mean()
        return float(own.ols("points ~ hours + rye", data=means)["estimate"]["hours"])

    return own.once("means", found)


def related(own: Own) -> "pd.Series[float]":
    """How closely each trait goes with the bakeries' deviations."""

    def found() -> "pd.Series[float]":
        traits = own.data.groupby("bakery", observed=True)[TRAITS].first()
        return traits.corrwith(fit(own, BLIND).ranef["bakery"]["Intercept"]).abs()

    return own.once("related", found)


def ladder(own: Own) -> pd.DataFrame:
    def climbed() -> pd.DataFrame:
        fits = {name: fit(own, formula, reml=False) for name, formula in LADDER.items()}
        return pd.DataFrame({name: {"aic": one.aic, "loglik": one.loglik} for name, one in fits.items()}).T

    return own.once("ladder", climbed)


def freedom(own: Own, coefficient: str) -> float:
    return float(fit(own, FINAL).coefficients().loc[coefficient, "df"])


def width(own: Own, bakery: str, judge: str, interval: str, **settings: Any) -> float:
    def found() -> float:
        new = pd.DataFrame({**NEW, "bakery": [bakery], "judge": [judge]})
        limits = fit(own, FINAL).predict(new, interval=interval, **settings).iloc[0]
        return float(limits["upper"] - limits["lower"])

    return own.once(("width", bakery, interval, *settings), found)


def width_new(own: Own, interval: str) -> float:
    return width(own, "unknown", "unknown", interval, allow_new_levels=True)


KEY = Assignment(
    "22-final-case",
    "The bread fair",
    chapters=[2, 7, 9, 10, 12, 14, 15, 22],
    questions=[
        Choice(
            name="q1", variable="structure", points=1, level=1,
            among=["crossed", "judges nested in bakeries", "bakeries nested in judges"],
            look="Look along one row of the picture, and then along one column.",
            answer="crossed",
            wrong={"crossed-as-nested": "judges nested in bakeries"},
        ),
        Sorting(
            name="q2", variable="kinds", points=2, level=1, among=["fixed", "random"],
            look="Ask of each: are its values a sample from many, or what the question is about?",
            answer={"bakery": "random", "judge": "random", "hours": "fixed", "rye": "fixed", "wood": "fixed"},
            wrong={
                "group-as-fixed": ("judge", "fixed"),
                "predictor-as-group": ("hours", "random"),
                "treatment-as-random": ("wood", "random"),
            },
        ),
        Number(
            name="q3", variable="of_judges", points=1, level=1, low=0, high=1,
            look="A share of the whole: of how many variances is the whole made?",
            answer=lambda own: share(own, "judge"),
            wrong={
                "forgotten-level": lambda own: share(own, "judge", without="bakery"),
                "wrong-coefficient": lambda own: share(own, "bakery"),
                "sd-ratio": lambda own: share(own, "judge", power=0.5),
                "residual-share": lambda own: share(own, "residual"),
            },
        ),
        Formula(
            name="q4", variable="formula", points=2, level=2, columns=COLUMNS,
            look="Read the three points one by one: which term says each of them?",
            answer="points ~ hours * rye + hours_mean + (1 | bakery) + (1 | judge)",
            also=[
                "points ~ hours_within * rye + hours_mean + (1 | bakery) + (1 | judge)",
                "points ~ hours * rye + hours_within + (1 | bakery) + (1 | judge)",
                "points ~ hours_within + hours_mean + rye + hours:rye + (1 | bakery) + (1 | judge)",
                "points ~ hours + hours_mean + rye + hours_within:rye + (1 | bakery) + (1 | judge)",
                "points ~ hours_within * rye + hours + (1 | bakery) + (1 | judge)",
            ],
            wrong={
                "no-interaction": [
                    BLIND,
                    "points ~ hours_within + hours_mean + rye + (1 | bakery) + (1 | judge)",
                    "points ~ hours + hours_within + rye + (1 | bakery) + (1 | judge)",
                ],
                "pooled-slope": "points ~ hours * rye + (1 | bakery) + (1 | judge)",
                "forgotten-level": [
                    "points ~ hours * rye + hours_mean + (1 | bakery)",
                    "points ~ hours * rye + hours_mean + (1 | judge)",
                    "points ~ hours_within * rye + hours_mean + (1 | bakery)",
                ],
                "crossed-as-nested": [
                    "points ~ hours * rye + hours_mean + (1 | bakery/judge)",
                    "points ~ hours * rye + hours_mean + (1 | judge/bakery)",
                    "points ~ hours_within * rye + hours_mean + (1 | bakery/judge)",
                ],
            },
        ),
        Number(
            name="q5", variable="practice", points=2, level=2, low=-20, high=20,
            look="Both learn in the same bakery: which coefficient compares them?",
            answer=lambda own: slope(own, BLIND, "hours"),
            wrong={
                "ols": lambda own: float(own.ols("points ~ hours + rye")["estimate"]["hours"]),
                "pooled-slope": lambda own: slope(own, "points ~ hours + rye + (1 | bakery) + (1 | judge)", "hours"),
                "group-means": means_slope,
                "wrong-coefficient": lambda own: slope(own, BLIND, "hours_mean"),
            },
        ),
        Number(
            name="q6", variable="company", points=2, level=2, low=-20, high=20,
            look="Their own hours are equal. What differs?",
            answer=lambda own: slope(own, BLIND, "hours_mean"),
            wrong={
                "between-for-context": lambda own: slope(own, BLIND, "hours") + slope(own, BLIND, "hours_mean"),
                "wrong-coefficient": lambda own: slope(own, BLIND, "hours"),
            },
        ),
        Choice(
            name="q7", variable="missing", points=2, level=2, among=TRAITS,
            look="Compare how closely each of the three goes with the deviations.",
            answer=lambda own: str(related(own).idxmax()),
            wrong={"chance-relation": lambda own: str(related(own).drop(related(own).idxmax()).idxmax())},
        ),
        Choice(
            name="q8", variable="best", points=2, level=2, among=list(LADDER),
            look="Fit all five by maximum likelihood, or let `ms.compare` do it.",
            answer=lambda own: str(ladder(own)["aic"].idxmin()),
            wrong={
                "lower-is-better": lambda own: str(ladder(own)["aic"].idxmax()),
                "no-price": lambda own: str(ladder(own)["loglik"].idxmax()),
            },
        ),
        Number(
            name="q9", variable="freedom", points=1, level=3, low=1, high=1000,
            look="Which row of the table of coefficients, and which column?",
            answer=lambda own: freedom(own, "hours_mean"),
            wrong={
                "residual-df": lambda own: len(own.data) - 5.0,
                "wrong-coefficient": lambda own: freedom(own, "hours"),
            },
        ),
        Number(
            name="q10", variable="width", points=2, level=3, low=0, high=200,
            look="Bakery, judge and loaf are all unknown: each adds to what is not known. So does the line itself.",
            answer=lambda own: width_new(own, "prediction"),
            wrong={
                "mean-for-prediction": lambda own: width_new(own, "confidence"),
                "no-group-variance": lambda own: width(own, "1", "1", "confidence", random=False),
                "known-for-new": lambda own: width(own, "1", "1", "prediction"),
            },
        ),
        Choice(
            name="q11", variable="conclusion", points=2, level=3, among=["A", "B", "C", "D"],
            look="Which coefficient is the sentence about, and was anybody sent to a bakery by lot?",
            answer="B",
            wrong={"group-means": "A", "context-is-cause": "C"},
        ),
    ],
    showcase=(LADDER["m2"], "rye"),
)  # fmt: skip
