"""Exercise 1: pupils and their tutors."""

from mixedsim.classroom.marking import Assignment, Formula, Number, Own


def variances(own: Own) -> tuple[float, float]:
    """Between tutors and within, by the empty model."""
    fit = own.fit("score ~ 1 + (1 | tutor)")
    return float(fit.varcorr["variance"].iloc[0]), fit.sigma**2


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
                "group-means": lambda own: own.ols(
                    "score ~ hours", data=own.data.groupby("tutor", observed=True)[["score", "hours"]].mean()
                )["estimate"]["hours"],
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
    ],
)  # fmt: skip
