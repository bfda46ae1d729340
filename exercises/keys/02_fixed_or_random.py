"""Exercise 2: fixed or random?"""

import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Formula, Number, Own, Sorting

FIXED = "weight ~ feed * week"
GROWTH = f"{FIXED} + (1 + week | coop) + (1 | hen)"
LEVELS = f"{FIXED} + (1 | coop) + (1 | hen)"
EFFECT = "feed[T.new]:week"


def se(own: Own, formula: str, name: str = EFFECT) -> float:
    table = own.once(("table", formula), lambda: own.fit(formula).coefficients())
    return float(table["se"][name])


def worth(own: Own, groups: str, **settings: bool) -> float:
    fit = own.fit(f"strength ~ 1 + {groups}", part="shells", **settings)
    return float(fit.effective_n()["n_eff"]["Intercept"])


def egg(own: Own, interval: str) -> pd.Series:
    """What is expected of an egg of week 4 in a new coop with the new feed."""
    new = pd.DataFrame({"feed": ["new"], "week": [4]})
    return own.once(("egg", interval), lambda: own.fit(GROWTH).predict(new, random=False, interval=interval).iloc[0])


def width(own: Own, interval: str) -> float:
    found = egg(own, interval)
    return float(found["upper"] - found["lower"])


KEY = Assignment(
    "02-fixed-or-random",
    "Fixed or random?",
    chapters=[2],
    questions=[
        Sorting(
            name="q1", variable="kinds", points=2, level=1, among=["fixed", "random"],
            look="Shuffle the labels of each column in your mind: is anything lost? Then it is fixed.",
            answer={
                "tray": "random", "seedling": "random", "light": "fixed", "day": "fixed",
                "park": "random", "year": "random", "wolves": "fixed",
                "school": "random", "class": "random", "family": "random", "ses": "fixed",
            },
            wrong={
                "treatment-as-random": ("light", "random"),
                "predictor-as-group": [("wolves", "random"), ("ses", "random")],
                "not-exchangeable": ("day", "random"),
                "forgotten-level": [("seedling", "fixed"), ("class", "fixed"), ("family", "fixed")],
                "group-as-fixed": [("tray", "fixed"), ("park", "fixed"), ("year", "fixed"), ("school", "fixed")],
            },
        ),
        Sorting(
            name="q2", variable="letters", points=2, level=1, among=["fixed", "random"],
            look="Read what each study asks: would the question survive if the labels were shuffled?",
            answer={
                "a": "fixed", "b": "random", "c": "fixed", "d": "random", "e": "fixed", "f": "random", "g": "random",
            },
            wrong={
                "not-exchangeable": ("a", "random"),
                "treatment-as-random": ("c", "random"),
                "predictor-as-group": ("e", "random"),
                "rule-of-five": ("f", "fixed"),
                "group-as-fixed": [("b", "fixed"), ("d", "fixed"), ("g", "fixed")],
            },
        ),
        Choice(
            name="q3", variable="left", points=1, level=1, among=["feed", "week", "both", "neither"],
            look="Which of the two changes within a coop, and which does not?",
            answer="week",
            wrong={"absorbed": "both"},
        ),
        Formula(
            name="q4", variable="model", points=2, level=2, columns=["coop", "hen", "feed", "week", "weight"],
            look="Which term says that growth depends on the feed, and for which two groupings are rows alike?",
            answer=GROWTH,
            also=[f"{FIXED} + (1 + week | coop) + (1 | coop:hen)"],
            wrong={
                "no-slopes": [LEVELS, f"{FIXED} + (1 | coop / hen)", f"{FIXED} + (1 | coop) + (1 + week | hen)"],
                "forgotten-level": [
                    f"{FIXED} + (1 + week | coop)", f"{FIXED} + (1 | coop)", f"{FIXED} + (1 | hen)",
                    f"{FIXED} + (1 + week | hen)", f"{FIXED} + (1 + week || coop)", f"{FIXED} + (1 | coop:hen)",
                ],
                "no-interaction": [
                    "weight ~ feed + week + (1 + week | coop) + (1 | hen)", "weight ~ feed + week + (1 | coop / hen)",
                    "weight ~ feed + week + (1 | coop) + (1 | hen)", "weight ~ feed + (1 | coop) + (1 | hen)",
                    "weight ~ feed + week + (1 + week | coop / hen)",
                ],
                "no-correlation": [
                    f"{FIXED} + (1 + week || coop) + (1 | hen)", f"{FIXED} + (1 + week || coop) + (1 | coop:hen)",
                ],
                "extra-slope": [
                    f"{FIXED} + (1 + feed | coop) + (1 | hen)", f"{FIXED} + (1 + feed * week | coop) + (1 | hen)",
                    f"{FIXED} + (1 + feed + week | coop) + (1 | hen)",
                ],
            },
        ),
        Number(
            name="q5", variable="error", points=2, level=2, low=0, high=5,
            look="It stands beside the coefficient that speaks of feed and week together.",
            answer=lambda own: se(own, GROWTH),
            wrong={
                "no-slopes": lambda own: se(own, LEVELS),
                "estimate-for-se": lambda own: own.fit(GROWTH).fixef[EFFECT],
                "main-effect-for-interaction": lambda own: se(own, GROWTH, "feed[T.new]"),
                "wrong-coefficient": lambda own: se(own, GROWTH, "week"),
            },
        ),
        Formula(
            name="q6", variable="crossed", points=2, level=2, columns=["hen", "week", "lime", "strength"],
            look="What do eggs of one hen share, and what do eggs of one week share?",
            answer="strength ~ lime + (1 | hen) + (1 | week)",
            also=["strength ~ lime + (1 | hen) + (1 + lime | week)"],
            wrong={
                "group-as-fixed": ["strength ~ lime + week + (1 | hen)", "strength ~ lime * week + (1 | hen)"],
                "forgotten-level": ["strength ~ lime + (1 | hen)", "strength ~ lime + (1 | week)"],
                "crossed-as-nested": [
                    "strength ~ lime + (1 | hen / week)", "strength ~ lime + (1 | week / hen)",
                    "strength ~ lime + (1 | hen:week)",
                ],
            },
        ),
        Number(
            name="q7", variable="worth", points=3, level=3, low=1, high=160,
            look="Ask the fit of the mean what its rows are worth.",
            answer=lambda own: worth(own, "(1 | hen) + (1 | week)"),
            wrong={
                "rows-as-n": 160,
                "forgotten-level": lambda own: worth(own, "(1 | hen)"),
            },
        ),
        Number(
            name="q8", variable="width", points=3, level=3, low=0, high=100,
            look="What scatters from one new coop, hen and egg to the next belongs into it.",
            answer=lambda own: width(own, "prediction"),
            also=[lambda own: 2 * 1.96 * float(egg(own, "prediction")["se"])],
            wrong={
                "mean-for-prediction": lambda own: width(own, "confidence"),
                "no-group-variance": lambda own: 2 * 1.96 * float(own.fit(GROWTH).sigma),
            },
        ),
    ],
    showcase=(GROWTH, EFFECT),
)  # fmt: skip
