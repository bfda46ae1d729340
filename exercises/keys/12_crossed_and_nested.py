"""Exercise 12: bees, and those who taste their honey."""

from functools import lru_cache

import pandas as pd

import mixedsim as ms
from mixedsim.classroom.marking import Assignment, Design, Formula, Number, Own, Ranking, Showcase, Sorting
from mixedsim.simulate import Population

NESTED = "honey ~ syrup + (1 | apiary/hive)"
EMPTY = "points ~ 1 + (1 | taster) + (1 | jar)"
HEATHER = "points ~ heather + (1 | taster) + (1 | jar)"
PLANS = {"A": (24, 16), "B": (240, 16), "C": (24, 48), "D": (12, 80), "E": (48, 32)}
TEMPTING, HONEST = "points ~ label + (1 | taster)", "points ~ label + (1 | taster) + (1 | jar)"
DRAWS = 80


def variances(own: Own, formula: str, part: str | None = None) -> dict[str, float]:
    """Group -> variance, and that of the residual, of one of the fits."""
    fit = own.fit(formula, part=part)
    table = own.once(("variances", formula), lambda: fit.varcorr)
    return {**dict(zip(table["group"], table["variance"], strict=True)), "residual": fit.sigma**2}


def sd(own: Own, group: str, formula: str = NESTED) -> float:
    """Standard deviation between groups, by one of the fits to the hives."""
    return variances(own, formula)[group] ** 0.5


def se(own: Own, formula: str = NESTED) -> float:
    return float(own.fit(formula).coefficients("wald").loc["syrup", "se"])


def parts(own: Own) -> tuple[float, float, float]:
    """Variances of tasters, jars and the rest, by the empty model."""
    of = variances(own, EMPTY, "tasting")
    return of["taster"], of["jar"], of["residual"]


def worth(taster: float, jar: float, rest: float) -> float:
    """Effective n of the mean of 24 tasters' points for 16 jars."""
    return (taster + jar + rest) / (taster / 24 + jar / 16 + rest / 384)


def one_sample(own: Own) -> float:
    """As if jars were no sample: their luck is left out of the error of the mean."""
    taster, jar, rest = parts(own)
    return (taster + jar + rest) / (taster / 24 + rest / 384)


def of_sds(own: Own) -> float:
    taster, jar, rest = (part**0.5 for part in parts(own))
    return worth(taster, jar, rest)


def precisions(own: Own) -> pd.Series:
    """Of each plan: 1 / se², with a part of the variance for jars and a part for noise."""
    of = variances(own, HEATHER, "tasting")
    jar, rest = of["jar"], of["residual"]
    return pd.Series({name: 1 / (4 * jar / k + 4 * rest / (j * k)) for name, (j, k) in PLANS.items()})


def rows(_own: Own) -> pd.Series:
    return pd.Series({name: j * k for name, (j, k) in PLANS.items()})


@lru_cache(maxsize=256)
def alarms(world: Population) -> tuple[float, float]:
    """How often 80 draws of a world find an effect of the label: by the tempting analysis, by the honest one."""
    study = ms.study(world, {"tempting": TEMPTING, "honest": HONEST}, n=DRAWS, seed=12)
    power = study.summary()["power"]
    of = power[power.index.get_level_values("parameter").str.startswith("label")].groupby(level="analysis").max()
    return float(of["tempting"]), float(of["honest"])


def without_effect(world: Population) -> bool:
    of_label = [value for name, value in world.fixef.items() if name.startswith("label")]
    return not any(of_label)


def with_effect(world: Population) -> bool:
    return not without_effect(world)


def fooled(world: Population) -> bool:
    return without_effect(world) and alarms(world)[0] >= 0.25


def repaired(world: Population) -> bool:
    """Where nothing fails, nothing is repaired."""
    return fooled(world) and alarms(world)[1] <= 0.15


def world(tasters: int = 40, jars: int = 20, of_jars: float = 6, label: float = 0) -> str:
    return f"""formula: points ~ label + (1 | taster) + (1 | jar)
clusters: {{taster: {tasters}, jar: {jars}}}
size: 1
variables:
  label: {{kind: Assigned, values: [0, 1], level: jar}}
fixef: {{Intercept: 60, label: {label}}}
ranef:
  taster: {{sd: 7}}
  jar: {{sd: {of_jars}}}
sigma: 10
"""


KEY = Assignment(
    "12-crossed-and-nested",
    "Bees, and those who taste their honey",
    chapters=[12],
    questions=[
        Sorting(
            name="q1", variable="relations", points=1, level=1, among=["nested", "crossed", "partly crossed"],
            look="Take one level of A: does it meet one level of B, all of them, or some?",
            answer={
                "hive, apiary": "nested",
                "taster, jar": "crossed",
                "keeper, course": "partly crossed",
                "bee, hive": "nested",
                "apiary, month": "crossed",
                "shop, apiary": "partly crossed",
            },
            wrong={
                "nested-as-crossed": ("hive, apiary", "crossed"),
                "crossed-as-nested": ("taster, jar", "nested"),
            },
        ),
        Formula(
            name="q2", variable="model", points=1, level=1, columns=["apiary", "hive", "frame", "syrup", "honey"],
            look="Is hive 1 of one apiary the same box as hive 1 of another?",
            answer=NESTED,
            also=["honey ~ syrup + (1 | apiary) + (1 | apiary:hive)"],
            wrong={
                "nested-as-crossed": [
                    "honey ~ syrup + (1 | apiary) + (1 | hive)", "honey ~ syrup + (1 | hive/apiary)",
                ],
                "forgotten-level": [
                    "honey ~ syrup + (1 | apiary)", "honey ~ syrup + (1 | hive)", "honey ~ syrup + (1 | apiary:hive)",
                ],
                "smallest-unit": [
                    "honey ~ syrup + (1 | apiary/hive/frame)",
                    "honey ~ syrup + (1 | apiary) + (1 | hive) + (1 | frame)",
                ],
                "extra-slope": ["honey ~ syrup + (syrup | apiary/hive)"],
            },
        ),
        Number(
            name="q3", variable="hive_sd", points=2, level=1, low=0, high=2000,
            look="Which line of the variances belongs to hives, and is it in grams or in grams squared?",
            answer=lambda own: sd(own, "hive:apiary"),
            wrong={
                "nested-as-crossed": lambda own: sd(own, "hive", "honey ~ syrup + (1 | apiary) + (1 | hive)"),
                "wrong-coefficient": lambda own: sd(own, "apiary"),
                "variance-for-sd": lambda own: sd(own, "hive:apiary") ** 2,
            },
        ),
        Number(
            name="q4", variable="syrup_se", points=2, level=2, low=0, high=500,
            look="Syrup was given to whole hives. Does your model know which frames belong to one hive?",
            answer=se,
            also=[lambda own: own.fit(NESTED).coefficients("kenward-roger").loc["syrup", "se"]],
            wrong={
                "forgotten-level": lambda own: se(own, formula="honey ~ syrup + (1 | apiary)"),
                "ols": lambda own: own.ols("honey ~ syrup").loc["syrup", "se"],
            },
        ),
        Number(
            name="q5", variable="worth", points=2, level=2, low=1, high=2000,
            look="Divide the variance of a row by that of the mean, where each part is averaged over its own number.",
            answer=lambda own: worth(*parts(own)),
            wrong={
                "no-design-effect": 384,
                "one-sample-of-two": one_sample,
                "sds-added": of_sds,
            },
        ),
        Ranking(
            name="q6", variable="best_first", points=2, level=2, top=5,
            look="The squared standard error has a part for jars and a part for noise: what is each divided by?",
            answer=precisions,
            wrong={"one-sample-of-two": rows},
        ),
        Design(
            name="q7", variable="design", points=3, level=3, rows=1000,
            look="The tempting analysis takes the luck of one list of jars for an effect. What makes it certain of it?",
            demands={
                "the tempting analysis must find an effect that is not there in at least 25 of 100 draws": fooled,
                "and there the honest analysis must find one in at most 15 of 100 draws": repaired,
            },
            example=world(),
            wrong={"effect-not-zero": world(tasters=8, jars=60, of_jars=1, label=8)},
            signs={"effect-not-zero": with_effect},
        ),
    ],
    showcase=(
        Showcase(NESTED, "syrup"), Showcase("points ~ heather + (1 | taster) + (1 | jar)", "heather", part="tasting"),
    ),
)  # fmt: skip
