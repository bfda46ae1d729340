"""Exercise 19: swifts and nest boxes."""

import math
from typing import Any

import numpy as np
from scipy.special import expit, logit

from mixedsim.classroom.marking import Assignment, Choice, Number, Own, Showcase, Sorting

FORMULA = "settled ~ call + (1 | village)"
VISITS = "visits ~ call + (1 | village)"


def shares(own: Own) -> tuple[float, float]:
    """Of boxes without and with a call."""

    def found() -> tuple[float, float]:
        share = own.data.groupby("call")["settled"].mean()
        return float(share[0]), float(share[1])

    return own.once("shares", found)


def quadrature(own: Own) -> Any:
    return own.glmer(FORMULA, family="binomial", nagq=11)


def laplace(own: Own) -> Any:
    return own.glmer(FORMULA, family="binomial")


def villages(fit: Any) -> float:
    return float(fit.varcorr["sd_or_corr"].iloc[0])


def with_call(fit: Any) -> float:
    """Log odds in a typical village."""
    return float(fit.fixef["Intercept"] + fit.fixef["call"])


def everywhere(own: Own) -> float:
    return own.once("everywhere", lambda: float(quadrature(own).predict({"call": [1]}, random="average").iloc[0]))


def rate_effect(own: Own, how: str) -> float:
    """Coefficient of the call on visits, with the logarithm of the hours as offset, the hours themselves, or none."""

    def found() -> float:
        data = own.sample("visits").data
        offset = {"log": np.log(data["hours"]), "hours": data["hours"], "none": None}[how]
        return float(own.glmer(VISITS, data=data, family="poisson", offset=offset).fixef["call"])

    return own.once(("visits", how), found)


KEY = Assignment(
    "19-yes-no",
    "Swifts and nest boxes",
    chapters=[19],
    questions=[
        Number(
            name="q1", variable="log_odds", points=1, level=1, low=-10, high=10,
            look="First the share, then its odds, then their logarithm.",
            answer=lambda own: float(logit(shares(own)[0])),
            wrong={
                "chance-for-odds": lambda own: shares(own)[0],
                "odds-for-log-odds": lambda own: shares(own)[0] / (1 - shares(own)[0]),
                "wrong-sign": lambda own: -float(logit(shares(own)[0])),
            },
        ),
        Number(
            name="q2", variable="villages", points=2, level=2, low=0, high=20,
            look="Which approximation is good enough for so few boxes in a village?",
            answer=lambda own: villages(quadrature(own)),
            wrong={
                "laplace": lambda own: villages(laplace(own)),
                "variance-for-sd": lambda own: villages(quadrature(own)) ** 2,
            },
        ),
        Number(
            name="q3", variable="ratio", points=1, level=1, low=0, high=100,
            look="Coefficients of this model are differences of log odds.",
            answer=lambda own: math.exp(quadrature(own).fixef["call"]),
            also=[lambda own: math.exp(laplace(own).fixef["call"])],
            wrong={
                "log-odds-ratio": lambda own: float(quadrature(own).fixef["call"]),
                "marginal-for-conditional": lambda own: math.exp(logit(shares(own)[1]) - logit(shares(own)[0])),
                "risk-ratio": lambda own: shares(own)[1] / shares(own)[0],
            },
        ),
        Number(
            name="q4", variable="typical", points=2, level=2, low=0, high=1,
            look="Add on the scale of the model first. Then go back to chances.",
            answer=lambda own: float(expit(with_call(quadrature(own)))),
            also=[lambda own: float(expit(with_call(laplace(own))))],
            wrong={
                "logit-for-probability": lambda own: with_call(quadrature(own)),
                "odds-for-probability": lambda own: math.exp(with_call(quadrature(own))),
                "marginal-for-conditional": everywhere,
                "intercept": lambda own: float(expit(quadrature(own).fixef["Intercept"])),
            },
        ),
        Number(
            name="q5", variable="everywhere", points=2, level=2, low=0, high=1,
            look="It is an average of chances over villages, not the chance of an average village.",
            answer=everywhere,
            also=[lambda own: float(laplace(own).predict({"call": [1]}, random="average").iloc[0])],
            wrong={"conditional-for-marginal": lambda own: float(expit(with_call(quadrature(own))))},
        ),
        Sorting(
            name="q6", variable="meant", points=2, level=2, among=["conditional", "marginal"],
            look="Does it concern one village, or all of them together?",
            answer={"a": "conditional", "b": "marginal", "c": "conditional", "d": "marginal", "e": "marginal"},
            wrong={
                "marginal-for-conditional": ("c", "marginal"),
                "conditional-for-marginal": ("d", "conditional"),
            },
        ),
        Number(
            name="q7", variable="rate_ratio", points=2, level=2, low=0, high=50,
            look="Which boxes were watched longer? The model must know it.",
            answer=lambda own: math.exp(rate_effect(own, "log")),
            wrong={
                "no-exposure": lambda own: math.exp(rate_effect(own, "none")),
                "log-odds-ratio": lambda own: rate_effect(own, "log"),
                "offset-without-log": lambda own: math.exp(rate_effect(own, "hours")),
            },
        ),
        Choice(
            name="q8", variable="poisson_error", points=1, level=3, among=["too small", "about right", "too large"],
            look="The ratio should be near 1. What does a larger one say of the counts?",
            answer="too small",
            wrong={"bunching": "about right"},
        ),
    ],
    showcase=(Showcase(FORMULA, "call", family="binomial"),),
)  # fmt: skip
