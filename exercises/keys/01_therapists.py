"""Exercise 1: pupils and their tutors."""

from mixedsim.classroom.marking import Assignment, Choice, Formula, Number, Own


def variances(own: Own) -> tuple[float, float]:
    """Between tutors and within, by the empty model."""
    fit = own.fit("score ~ 1 + (1 | tutor)")
    return own.once("variances", lambda: (float(fit.varcorr["variance"].iloc[0]), fit.sigma**2))


def icc(own: Own) -> float:
    between, within = variances(own)
    return between / (between + within)


def kept(own: Own) -> float:
    between, within = variances(own)
    return between / (between + within / fewest(own))


def fewest(own: Own) -> int:
    return int(own.data["tutor"].value_counts().min())


def over_within(own: Own) -> float:
    between, within = variances(own)
    return between / within


def of_sds(own: Own) -> float:
    between, within = variances(own)
    return between**0.5 / (between**0.5 + within**0.5)


def of_means(own: Own) -> float:
    """The slope of the tutors' mean scores on their mean hours."""
    means = own.data.groupby("tutor", observed=True)[["score", "hours"]].mean()
    return float(own.ols("score ~ hours", data=means)["estimate"]["hours"])


def effect(share: float, pupils: int = 10) -> float:
    """The design effect of a study with so many pupils a tutor."""
    return 1 + (pupils - 1) * share


KEY = Assignment(
    "01-therapists",
    "Pupils and their tutors",
    chapters=[1, 3],
    questions=[
        Number(
            name="q1", variable="icc", points=2, level=1, low=0, high=1,
            look="It is a share of a whole: which variance is divided by which sum?",
            answer=icc,
            wrong={
                "residual-share": lambda own: 1 - icc(own),
                "between-over-within": over_within,
                "sd-ratio": of_sds,
                "percent": lambda own: 100 * icc(own),
            },
        ),
        Number(
            name="q2", variable="slope", points=2, level=1, low=-10, high=10,
            look="It is a number of points for one hour, not the intercept.",
            answer=lambda own: own.fit("score ~ hours + (1 | tutor)").fixef["hours"],
            also=[lambda own: own.fit("score ~ hours + (1 | tutor)", reml=False).fixef["hours"]],
            wrong={
                "ols": lambda own: own.ols("score ~ hours")["estimate"]["hours"],
                "intercept": lambda own: own.fit("score ~ hours + (1 | tutor)").fixef["Intercept"],
                "group-means": lambda own: own.once("of-means", lambda: of_means(own)),
            },
        ),
        Formula(
            name="q3", variable="model", points=2, level=2, columns=["score", "hours", "boarding", "tutor"],
            look="Read the three points one by one: which term says each of them?",
            answer="score ~ hours + boarding + (1 + hours | tutor)",
            wrong={
                "no-slopes": "score ~ hours + boarding + (1 | tutor)",
                "no-intercepts": "score ~ hours + boarding + (0 + hours | tutor)",
                "no-correlation": "score ~ hours + boarding + (hours || tutor)",
            },
        ),
        Number(
            name="q4", variable="kept", points=2, level=2, low=0, high=1,
            look="It is a part of a whole: 1 would mean no pull at all.",
            answer=kept,
            wrong={
                "lambda-complement": lambda own: 1 - kept(own),
                "forgot-n": icc,
            },
        ),
        Number(
            name="q5", variable="effect", points=2, level=2, low=1, high=100,
            look="It takes the correlation of two pupils of one tutor, and how many pupils a tutor has.",
            answer=lambda own: effect(icc(own)),
            wrong={
                "off-by-one": lambda own: effect(icc(own), 11),
                "cluster-size": lambda own: effect(icc(own), 40),
                "root-of-design-effect": lambda own: effect(icc(own)) ** 0.5,
                "residual-share": lambda own: effect(1 - icc(own)),
                "sd-ratio": lambda own: effect(of_sds(own)),
            },
        ),
        Number(
            name="q6", variable="distance", points=2, level=2, low=0, high=200,
            look="Look under “Random effects”: which line is about tutors, and which column is in points?",
            answer=lambda own: variances(own)[0] ** 0.5,
            wrong={
                "variance-for-sd": lambda own: variances(own)[0],
                "residual-for-between": lambda own: variances(own)[1] ** 0.5,
                "se-for-sd": lambda own: own.fit("score ~ 1 + (1 | tutor)").vcov.iloc[0, 0] ** 0.5,
                "average-deviation": lambda own: 0.8 * variances(own)[0] ** 0.5,
            },
        ),
        Choice(
            name="q7", variable="guess", points=2, level=3, among=["larger", "smaller", "equal"],
            look="Do differences between tutors count as noise when pupils of the same tutor are compared?",
            answer="larger",
            wrong={"clusters-always-hurt": "smaller"},
        ),
        Number(
            name="q8", variable="ceiling", points=3, level=3, low=1, high=100_000,
            look="Divide the number of rows by the design effect, and let the rows of a tutor grow without end.",
            answer=lambda own: 60 / icc(own),
            wrong={
                "groups-as-n": 60,
                "rows-as-n": lambda own: len(own.data),
                "no-limit": lambda own: len(own.data) / effect(icc(own), len(own.data) // 60),
                "residual-share": lambda own: 60 / (1 - icc(own)),
            },
        ),
    ],
    showcase=("score ~ boarding + (1 | tutor)", "boarding"),
)  # fmt: skip
