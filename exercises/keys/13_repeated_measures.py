"""Exercise 13: does the board make the grip stronger?"""

import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Formula, Number, Own, Ranking

GROUPS = "grip ~ time * group + (1 | climber)"
BOTH, POST = "time[T.post]:group[T.board]", "time[T.post]"
PERSON = "grip ~ time * board + (1 | climber)"
HAND = f"{PERSON} + (1 | climber:hand)"
DAY = f"{HAND} + (1 | climber:time)"
FIXED = "grip ~ time * board"


def coefficient(own: Own, name: str) -> float:
    return float(own.once("fixef", lambda: own.fit(GROUPS).fixef)[name])


def wide(own: Own) -> pd.DataFrame:
    """One row for each climber: group and climber; pre, post."""
    return own.once("wide", lambda: own.data.set_index(["group", "climber", "time"])["grip"].unstack())  # noqa: PD010


def gains(own: Own, complete: bool) -> dict[str, float]:
    """What each group gained: those who came twice, or mean of all at post minus mean of all at pre."""
    rows = wide(own).dropna() if complete else wide(own)
    means = rows.groupby("group", observed=True).mean()
    return dict(means["post"] - means["pre"])


def difference(own: Own, complete: bool) -> float:
    found = own.once(("gains", complete), lambda: gains(own, complete))
    return float(found["board"] - found["usual"])


def gain(own: Own, complete: bool) -> float:
    return float(own.once(("gains", complete), lambda: gains(own, complete))["board"])


def ends(own: Own) -> float:
    means = wide(own)["post"].groupby("group", observed=True).mean()
    return float(means["board"] - means["usual"])


def sds(own: Own) -> tuple[float, float]:
    """Between climbers and within."""
    fit = own.fit(GROUPS)
    between = own.once("between", lambda: float(fit.varcorr["sd_or_corr"].iloc[0]))
    return between, fit.sigma


def corrected(own: Own, wrong_share: bool = False) -> float:
    """The gain of the board group by hand, with the share ρ, or 1 − ρ by mistake, of what is missing at post."""
    between, within = sds(own)
    rho = between**2 / (between**2 + within**2)
    board = wide(own).loc["board"]
    came = board.dropna()
    missing = board["pre"].mean() - came["pre"].mean()
    return float(came["post"].mean() + (1 - rho if wrong_share else rho) * missing - board["pre"].mean())


def precision(own: Own) -> pd.Series:
    """1 / se² of the five plans, from gains."""
    between, within = sds(own)
    gain = {"A": within**2 / 28, "B": within**2 / 56, "C": within**2 / 40, "D": within**2 / 28}
    return 1 / pd.Series({**{plan: 4 * value for plan, value in gain.items()}, "E": 2 * (between**2 + within**2) / 28})


def by_regression(own: Own) -> pd.Series:
    """The same as if the four cells were four samples of different climbers."""
    between, within = (sd**2 for sd in sds(own))
    plans = {
        "A": (between + within) / 28,
        "B": (between + within / 2) / 28,
        "C": (between + within) / 40,
        "D": (between / 4 + within) / 28,
        "E": (between + within) / 56,
    }
    return 1 / pd.Series(plans)


def se(own: Own, formula: str) -> float:
    fit = own.fit(formula, part="hands")
    return float(own.once(("se", formula), lambda: fit.coefficients("wald"))["se"].iloc[3])


KEY = Assignment(
    "13-repeated-measures",
    "Does the board make the grip stronger?",
    chapters=[13],
    questions=[
        Choice(
            name="q1", variable="estimand", points=1, level=1, among=["A", "B", "C", "D", "E"],
            look="Would the groups have gained without the board, and did they begin at the same height?",
            answer="D",
            wrong={"main-effect-for-interaction": "B", "difference-of-ends": "C"},
        ),
        Choice(
            name="q2", variable="sentence", points=1, level=1, among=["A", "B", "C", "D", "E"],
            look="Write the expected grip of the four cells as sums of coefficients.",
            answer="B",
            wrong={
                "mean-for-change": "A",
                "wrong-reference": "C",
                "reference-for-all": "D",
            },
        ),
        Number(
            name="q3", variable="more", points=2, level=1, low=-50, high=50,
            look="Which line of the table is the answer to question 1, and was the model fitted to all rows?",
            answer=lambda own: coefficient(own, BOTH),
            wrong={
                "main-effect-for-interaction": lambda own: coefficient(own, POST),
                "difference-of-ends": ends,
                "ols": lambda own: difference(own, complete=False),
                "complete-cases": lambda own: difference(own, complete=True),
                "wrong-sign": lambda own: -coefficient(own, BOTH),
            },
        ),
        Ranking(
            name="q4", variable="best_first", points=2, level=2, top=5, tie=1e-9,
            look="What cancels when a climber is compared with himself or herself? What is left in the standard error?",
            answer=precision,
            wrong={"people-as-noise": by_regression},
        ),
        Number(
            name="q5", variable="gain_board", points=2, level=2, low=-50, high=50,
            look="The mean at post lacks some climbers. How different were they at pre, and how much of that lasts?",
            answer=corrected,
            also=[lambda own: coefficient(own, POST) + coefficient(own, BOTH)],
            wrong={
                "complete-cases": lambda own: gain(own, complete=True),
                "ols": lambda own: gain(own, complete=False),
                "residual-share": lambda own: corrected(own, wrong_share=True),
                "reference-for-all": lambda own: coefficient(own, POST),
            },
        ),
        Formula(
            name="q6", variable="model", points=2, level=2, columns=["climber", "hand", "time", "board", "grip"],
            look="Ask of each unit whether it has more than one row: the climber, the hand, the day.",
            answer=DAY,
            also=[
                f"{FIXED} + (1 + time | climber) + (1 | climber:hand)",
                f"{FIXED} + (0 + time | climber) + (1 | climber:hand)",
                # the board says which hand of a climber it is
                f"{PERSON} + (1 | climber:board) + (1 | climber:time)",
                f"{FIXED} + (1 + board | climber) + (1 | climber:time)",
                f"{FIXED} + (0 + board | climber) + (1 | climber:time)",
                f"{FIXED} + (1 + time | climber) + (1 | climber:board)",
                f"{FIXED} + (1 + time + board | climber)",
            ],
            wrong={
                "forgotten-level": [
                    PERSON,
                    HAND,
                    f"{PERSON} + (1 | climber:time)",
                    f"{PERSON} + (1 | hand)",
                    f"{PERSON} + (1 | hand) + (1 | time)",
                    f"{PERSON} + (1 | hand) + (1 | climber:time)",
                    f"{FIXED} + (1 + time | climber) + (1 | hand)",
                ],
                "no-interaction": "grip ~ time + board + (1 | climber) + (1 | climber:hand) + (1 | climber:time)",
                "smallest-unit": [
                    f"{FIXED} + (1 | climber/hand/time)",
                    f"{FIXED} + (1 | climber) + (1 | climber:hand:time)",
                ],
            },
        ),
        Number(
            name="q7", variable="times", points=2, level=3, low=0, high=50,
            look="Take the standard error of the same coefficient twice. Which is divided by which?",
            answer=lambda own: se(own, PERSON) / se(own, DAY),
            wrong={
                "upside-down": lambda own: se(own, DAY) / se(own, PERSON),
                "forgotten-level": lambda own: se(own, PERSON) / se(own, HAND),
                "variance-for-sd": lambda own: (se(own, PERSON) / se(own, DAY)) ** 2,
            },
        ),
    ],
    showcase=(GROUPS, BOTH),
)  # fmt: skip
