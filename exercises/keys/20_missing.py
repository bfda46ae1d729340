"""Exercise 20: who gave up the language course."""

import pandas as pd

from mixedsim.classroom.marking import Assignment, Choice, Number, Own, Sorting

FORMULA = "words ~ month * partner + (1 + month | learner)"
SIMPLE = "words ~ month * partner + (1 | learner)"
EFFECT = "month:partner"


def tests(own: Own) -> pd.Series:
    """How many tests the learner of each row has taken."""
    return own.once("tests", lambda: own.data.groupby("learner", observed=True)["month"].transform("size"))


def worth(own: Own, data: pd.DataFrame | None = None) -> float:
    """How many words a month a partner is worth, in the student's data or in what was made of them."""
    return float(own.fit(FORMULA, data=data).fixef[EFFECT])


def complete(own: Own) -> float:
    return float((tests(own) == 5).sum() / 5 / 160)


def worth_complete(own: Own) -> float:
    return own.once("complete", lambda: worth(own, own.data[tests(own) == 5]))


def worth_carried(own: Own) -> float:
    def found() -> float:
        index = ["learner", "partner"]
        wide = own.data.pivot_table(index=index, columns="month", values="words", observed=True).ffill(axis=1)
        return worth(own, wide.reset_index().melt(id_vars=index, var_name="month", value_name="words"))

    return own.once("carried", found)


def at_the_end(own: Own) -> float:
    means = own.data[own.data["month"] == 4].groupby("partner")["words"].mean()
    return float(means[1] - means[0])


def leaver(own: Own) -> pd.Series:
    """The row of the learner without a partner who took one test and had the lowest score."""
    data = own.data
    rows = data[(tests(own) == 1) & (data["partner"] == 0)]
    return rows.loc[rows["words"].idxmin()]


def expected(own: Own, random: bool = True, reml: bool = True) -> float:
    new = pd.DataFrame({"learner": [leaver(own)["learner"]], "month": [4], "partner": [0]})
    fit = own.fit(FORMULA) if reml else own.fit(FORMULA, reml=False)
    return float((fit.predict(new) if random else fit.predict(new, random=False)).iloc[0])


KEY = Assignment(
    "20-missing",
    "Who gave up the language course",
    chapters=[20],
    questions=[
        Number(
            name="q1", variable="complete", points=1, level=1, low=0, high=1,
            look="It is a share of learners, not of tests.",
            answer=complete,
            wrong={
                "rows-as-n": lambda own: len(own.data) / 800,
                "percent": lambda own: 100 * complete(own),
            },
        ),
        Sorting(
            name="q2", variable="mechanisms", points=2, level=1, among=["MCAR", "MAR", "MNAR"],
            look="Ask twice: does it depend on the score, and is this score in the data?",
            answer={"a": "MAR", "b": "MNAR", "c": "MCAR", "d": "MAR", "e": "MNAR"},
            wrong={"at-random-by-name": ("c", "MAR"), "seen-for-unseen": ("a", "MNAR")},
        ),
        Choice(
            name="q3", variable="carried", points=1, level=2, among=["too small", "about right", "too large"],
            look="What does a score that is carried forward say of the words that are learned after it?",
            answer="too large",
            wrong={"locf": "about right"},
        ),
        Number(
            name="q4", variable="worth", points=2, level=2, digits=3, low=-20, high=20,
            look="Words a month: the difference of two slopes, from all rows that are there.",
            answer=worth,
            also=[lambda own: float(own.fit(FORMULA, reml=False).fixef[EFFECT])],
            wrong={
                "complete-cases": worth_complete,
                "locf": worth_carried,
                "available-means": at_the_end,
                "simple-random-part": lambda own: float(own.fit(SIMPLE).fixef[EFFECT]),
                "ols": lambda own: float(own.ols("words ~ month * partner")["estimate"][EFFECT]),
                "wrong-coefficient": lambda own: float(own.fit(FORMULA).fixef["month"]),
            },
        ),
        Number(
            name="q5", variable="expected", points=2, level=3, digits=3, low=0, high=100,
            look="The model knows the mean of people without a partner, and one score of this learner.",
            answer=expected,
            also=[lambda own: expected(own, reml=False)],
            wrong={
                "locf": lambda own: float(leaver(own)["words"]),
                "marginal-for-known": lambda own: expected(own, random=False),
            },
        ),
        Choice(
            name="q6", variable="refuted", points=1, level=3, among=["MCAR", "MAR", "MNAR"],
            look="Which of the three says that leaving has nothing to do with the score?",
            answer="MCAR",
            wrong={"at-random-by-name": "MAR", "untestable": "MNAR"},
        ),
    ],
    showcase=(FORMULA, EFFECT),
)  # fmt: skip
