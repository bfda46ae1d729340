"""Exercise 18: a breathing exercise for choirs."""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import special

import mixedsim as ms
from mixedsim.classroom.marking import Assignment, Choice, Design, Number, Own, Ranking
from mixedsim.formula import parse
from mixedsim.simulate import Assigned, Population

PLANS = pd.DataFrame({"choirs": [16, 24, 48, 12], "singers": [30, 10, 4, 15]}, index=list("ABCD"))
EFFECT = 2.5
PLANNED = "hold ~ exercise + (1 | choir)"
ALARMS = 0.15

PLAN = Population(
    PLANNED,
    clusters={"choir": 24},
    size=10,
    variables={"exercise": Assigned([0, 1], level="choir")},
    fixef={"Intercept": 18, "exercise": EFFECT},
    ranef={"choir": {"sd": 3}},
    sigma=6,
)
SMALL = PLAN.with_(clusters={"choir": 6}, fixef={"Intercept": 18, "exercise": 1})
CLEVER = PLAN.with_(variables={"exercise": Assigned([0, 1])}, fixef={"Intercept": 18, "exercise": 0})
BROKEN = CLEVER.with_(formula="hold ~ exercise + (exercise | choir)", ranef={"choir": {"sd": [3, 6], "corr": 0}})


def variances(own: Own, reml: bool = True) -> tuple[float, float]:
    """Between choirs and within, in the records."""

    def found() -> tuple[float, float]:
        fit = own.fit("hold ~ 1 + (1 | choir)", reml=reml)
        return float(fit.varcorr["variance"].iloc[0]), fit.sigma**2

    return own.once(("variances", reml), found)


def error(own: Own, reml: bool = True) -> float:
    between, within = variances(own, reml)
    return 2 * ((between + within / 10) / 24) ** 0.5


def error_of_rows(own: Own) -> float:
    return 2 * (sum(variances(own)) / 240) ** 0.5


def error_without_n(own: Own) -> float:
    return 2 * (sum(variances(own)) / 24) ** 0.5


def error_of_sds(own: Own) -> float:
    between, within = np.sqrt(variances(own))
    return float(2 * ((between + within / 10) / 24) ** 0.5)


def power_of(error: float, df: float) -> float:
    limit = special.stdtrit(df, 0.975)
    shift = EFFECT / error
    return float(1 - special.nctdtr(df, shift, limit) + special.nctdtr(df, shift, -limit))


def powers(own: Own) -> "pd.Series[float]":
    between, within = variances(own)
    errors = 2 * np.sqrt((between + within / PLANS["singers"]) / PLANS["choirs"])
    return pd.Series({name: power_of(errors[name], PLANS.loc[name, "choirs"] - 2) for name in PLANS.index})


def rows(_: Own) -> "pd.Series[float]":
    """How many singers a plan needs."""
    return PLANS["choirs"] * PLANS["singers"]


@lru_cache(maxsize=512)
def small_studies(seed: int) -> tuple[float, float, float, float]:
    """Of the significant ones: mean size and share of the wrong sign; the same of all."""
    runs = ms.study(SMALL, n=1000, seed=seed).replicates
    runs = runs[runs["parameter"] == "exercise"]
    estimate, found = runs["estimate"].to_numpy(float), (runs["p"] < 0.05).to_numpy()
    kept = estimate[found]
    return abs(kept).mean(), (kept < 0).mean(), abs(estimate).mean(), (estimate < 0).mean()


@lru_cache(maxsize=512)
def recovered(seed: int) -> tuple[float, float]:
    """Estimate of the exercise and its standard error."""
    row = ms.recover(PLAN, seed=seed).table.loc["exercise"]
    return float(row["estimate"]), float(row["se"])


def off(own: Own) -> float:
    estimate, se = recovered(len(own.data))
    return (estimate - EFFECT) / se


@lru_cache(maxsize=512)
def found_out(text: str) -> tuple[float, bool]:
    """Of a population's text: how often the planned analysis has p < 0.05, and whether choirs are treated by halves."""
    population = Population.from_yaml(text)
    data = population.draw(seed=1).data
    if not {"hold", "exercise", "choir"} <= set(data.columns) or data["exercise"].nunique() != 2:
        return 0.0, False
    treated = data["exercise"] == data["exercise"].max()
    share = treated.groupby(data["choir"], observed=True).mean()
    summary = ms.study(population, {"planned": PLANNED}, n=300, seed=1).summary()
    return float(summary.loc[("planned", "exercise"), "power"]), bool(share.between(0.25, 0.75).mean() > 0.9)


def within_choirs(population: Population) -> bool:
    """Whether about half of the singers of nearly every choir do the exercise."""
    return found_out(population.to_yaml())[1]


def alarms(population: Population) -> bool:
    return found_out(population.to_yaml())[0] > ALARMS


def nothing_on_average(population: Population) -> bool:
    return float(dict(population.fixef).get("exercise", 0)) == 0


def same_effect_everywhere(population: Population) -> bool:
    return not any("exercise" in term.effects for term in parse(population.formula).terms)


KEY = Assignment(
    "18-planning",
    "A breathing exercise for choirs",
    chapters=[8, 18],
    questions=[
        Number(
            name="q1", variable="error", points=1, level=1, low=0, high=20,
            look="Choirs stand below the whole fraction. What do singers stand below?",
            answer=error,
            also=[lambda own: error(own, reml=False)],
            wrong={
                "rows-as-n": error_of_rows,
                "forgot-n": error_without_n,
                "sds-added": error_of_sds,
                "variance-for-sd": lambda own: error(own) ** 2,
            },
        ),
        Ranking(
            name="q2", variable="order", points=2, level=2, top=4, tie=0.01,
            look="Compute the standard error of each plan with the formula of question 1.",
            answer=powers,
            wrong={"power-of-rows": rows},
        ),
        Number(
            name="q3", variable="power", points=2, level=2, low=0, high=1,
            look="Which standard error has the plan, and how many groups are compared, less how many means?",
            answer=lambda own: power_of(error(own), 22),
            also=[lambda own: power_of(error(own, reml=False), 22)],
            wrong={
                "rows-as-n": lambda own: power_of(error_of_rows(own), 238),
                "residual-df": lambda own: power_of(error(own), 238),
                "forgot-n": lambda own: power_of(error_without_n(own), 22),
            },
        ),
        Choice(
            name="q4", variable="friend", points=1, level=1, among=["Ada", "Ben", "Cleo", "Dan"],
            look="First cross out who does not keep the promise. Then compare power.",
            answer="Ben",
            wrong={"uncalibrated": "Ada"},
        ),
        Number(
            name="q5", variable="exaggeration", points=2, level=2, low=0, high=50,
            look="The mean size of which estimates, divided by what?",
            answer=lambda own: small_studies(len(own.data))[0],
            wrong={"unfiltered": lambda own: small_studies(len(own.data))[2]},
        ),
        Number(
            name="q6", variable="wrong_sign", points=2, level=2, low=0, high=1,
            look="A share of what? Only significant studies count.",
            answer=lambda own: small_studies(len(own.data))[1],
            wrong={"unfiltered": lambda own: small_studies(len(own.data))[3]},
        ),
        Number(
            name="q7", variable="off", points=2, level=2, low=-6, high=6,
            look="Three columns of the row are needed: estimate, truth and se.",
            answer=off,
            wrong={
                "wrong-sign": lambda own: -off(own),
                "no-yardstick": lambda own: recovered(len(own.data))[0] - EFFECT,
                "zero-for-truth": lambda own: recovered(len(own.data))[0] / recovered(len(own.data))[1],
            },
        ),
        Design(
            name="q8", variable="broken", points=3, level=3, rows=1000,
            look="What can differ between choirs and does not cancel within them?",
            demands={
                "the planned analysis finds an effect in more than 15 % of the studies": alarms,
                "it does so although the exercise is given to half of the singers of every choir": (
                    lambda population: alarms(population) and within_choirs(population)
                ),
                "it does so although on average the exercise does nothing": (
                    lambda population: alarms(population) and nothing_on_average(population)
                ),
            },
            example=BROKEN.to_yaml(),
            wrong={
                "between-clusters": BROKEN.with_(variables={"exercise": Assigned([0, 1], level="choir")}).to_yaml(),
                "effect-not-zero": CLEVER.with_(fixef={"Intercept": 18, "exercise": 3}).to_yaml(),
                "no-slopes": CLEVER.with_(ranef={"choir": {"sd": 9}}).to_yaml(),
            },
            signs={
                "between-clusters": lambda population: not within_choirs(population),
                "effect-not-zero": lambda population: not nothing_on_average(population),
                "no-slopes": same_effect_everywhere,
            },
        ),
    ],
    showcase=("hold ~ 1 + (1 | choir)", "Intercept"),
)  # fmt: skip
