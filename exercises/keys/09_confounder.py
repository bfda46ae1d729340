"""Exercise 9: garden plots and the sites that they lie on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

import mixedsim as ms
from mixedsim.classroom.marking import Assignment, Choice, Design, Number, Own, Ranking, Showcase, Sorting

TRAITS = ["altitude", "fenced", "glass"]
DRAWS = 12


def split(own: Own) -> pd.Series:
    """Coefficients of water beside its site's mean: the slope within, and how much the one between differs."""
    return own.once("split", lambda: with_mean(own.data).fixef)


def with_mean(data: pd.DataFrame) -> ms.LinearMixedModel:
    mean = data.groupby("site", observed=True)["water"].transform("mean")
    return ms.lmer("crop ~ water + water_mean + (1 | site)", data.assign(water_mean=mean))


def of_means(own: Own) -> float:
    """Least squares through the sites' means."""
    return own.once("slope of means", lambda: slope(own.data.groupby("site", observed=True)[["crop", "water"]].mean()))


def slope(table: pd.DataFrame) -> float:
    return float(np.polyfit(table["water"], table["crop"], 1)[0])


def ordinary(own: Own) -> float:
    return float(own.ols("crop ~ water")["estimate"]["water"])


def varying(own: Own) -> float:
    return float(own.fit("crop ~ water + (1 | site)").fixef["water"])


def slopes(own: Own) -> pd.Series:
    """The four slopes of question 5."""
    found = {"within": split(own)["water"], "varying": varying(own), "ordinary": ordinary(own), "means": of_means(own)}
    return pd.Series(found, dtype=float)


def swapped(own: Own, one: str, other: str) -> pd.Series:
    """The slopes, two of them exchanged."""
    found = slopes(own)
    return found.rename({one: other, other: one})


def missing_trait(own: Own) -> str:
    """Of the sites' traits the one that goes with their deviations."""
    return own.once("missing", lambda: closest(own))


def closest(own: Own) -> str:
    u = own.fit("crop ~ plants + (1 | site)", part="others").ranef["site"]["Intercept"]
    traits = own.sample("others").data.groupby("site", observed=True)[TRAITS].first()
    return str(traits.corrwith(u).abs().idxmax())


def pieces(own: Own) -> tuple[float, float, float, float]:
    """With the glass in the model: sd of sites, effect of glass, variance of glass over sites (and by n - 1)."""
    return own.once("pieces", lambda: estimated(own))


def estimated(own: Own) -> tuple[float, float, float, float]:
    fit = own.fit("crop ~ plants + glass + (1 | site)", part="others")
    glass = own.sample("others").data.groupby("site", observed=True)["glass"].first()
    share = float(glass.mean())
    return float(fit.varcorr["sd_or_corr"].iloc[0]), float(fit.fixef["glass"]), share * (1 - share), float(glass.var())


def expected_sd(own: Own) -> float:
    tau, effect, variance, _ = pieces(own)
    return float(np.sqrt(tau**2 + effect**2 * variance))


def expected_sd_of_sample(own: Own) -> float:
    tau, effect, _, variance = pieces(own)
    return float(np.sqrt(tau**2 + effect**2 * variance))


def sds_added(own: Own) -> float:
    tau, effect, variance, _ = pieces(own)
    return float(tau + effect * np.sqrt(variance))


def effect_not_squared(own: Own) -> float:
    tau, effect, variance, _ = pieces(own)
    return float(np.sqrt(tau**2 + effect * variance))


@lru_cache(maxsize=256)
def tried(world: ms.Population) -> tuple[float, float]:
    """How far the slope within is from the truth on average, and the share of draws in which the alarm rings."""
    if "water" not in world.fixef:
        raise ms.PopulationError("water must have a coefficient.")
    off, rings = [], 0
    for seed in range(1, DRAWS + 1):
        data = world.draw(seed=seed).data
        for name in ("crop", "water", "site"):
            if name not in data or (name != "site" and not pd.api.types.is_numeric_dtype(data[name])):
                raise ms.DataError(f"{name} must be a column of the data.")
        table = with_mean(data).coefficients()
        off.append(table["estimate"]["water"] - world.fixef["water"])
        rings += abs(table["t"].get("water_mean", np.inf)) > 2
    return float(np.mean(off)), rings / DRAWS


def enough(world: ms.Population) -> bool:
    return world.draw(seed=1).data["site"].nunique() >= 30


def is_wrong(world: ms.Population) -> bool:
    return abs(tried(world)[0]) >= 1


def is_silent(world: ms.Population) -> bool:
    return tried(world)[1] <= 0.25


HIDDEN_IN_PLOTS = """
formula: crop ~ water + sun + (1 | site)
clusters: {site: 60}
size: 5
variables:
  sun: {kind: Normal, mean: 0, sd: 1, observed: false}
  water: {kind: Normal, mean: 8 + 1.5 * sun, sd: 1.5}
fixef: {Intercept: 18, water: 1.5, sun: 4}
ranef: {site: {sd: [1.5]}}
sigma: 4
"""
HIDDEN_IN_SITES = HIDDEN_IN_PLOTS.replace("sd: 1, observed", "sd: 1, level: site, observed")
HARMLESS = HIDDEN_IN_PLOTS.replace("8 + 1.5 * sun, sd: 1.5", "8, sd: 2")

KEY = Assignment(
    "09-confounder",
    "Left-out variables and true confounders",
    chapters=[8, 9],
    questions=[
        Choice(
            name="q1", variable="changes", points=1, level=1,
            look="What do all plots of a site share, and between whom does it make a difference?",
            among=["slope of plants", "sd between sites", "sd within sites"],
            answer="sd between sites",
            wrong={"left-out-is-harmless": "slope of plants", "wrong-level": "sd within sites"},
        ),
        Choice(
            name="q2", variable="missing", points=2, level=2,
            look="First the picture: even, or in heaps? Then the correlation of each candidate with the deviations.",
            among=TRAITS,
            answer=missing_trait,
            wrong={"degree-for-yes-no": "altitude", "chance-relation": "fenced"},
        ),
        Number(
            name="q3", variable="sd_without", points=2, level=2, low=0, high=100,
            look="Which two variances make up the variance between sites when the trait is left out?",
            answer=expected_sd,
            also=[expected_sd_of_sample],
            wrong={
                "variance-for-sd": lambda own: expected_sd(own) ** 2,
                "sds-added": sds_added,
                "effect-not-squared": effect_not_squared,
            },
        ),
        Sorting(
            name="q4", variable="biased", points=3, level=2,
            look="Ask of each: does it move both, water and crop? And do all plots of a site share it?",
            among=["none", "varying intercepts", "both"],
            answer={
                "soil": "varying intercepts",
                "dung": "none",
                "sun": "both",
                "hose": "none",
                "club": "varying intercepts",
                "snails": "none",
            },
            wrong={
                "trusts-varying-intercepts": ("soil", "none"),
                "within-not-safe": ("soil", "both"),
                "left-out-is-harmless": ("dung", "varying intercepts"),
                "centring-cures-all": ("sun", "varying intercepts"),
            },
        ),
        Ranking(
            name="q5", variable="order", points=2, level=2, top=4,
            look="Which answers compare plots of one site, which compare sites, and which mix the two?",
            answer=slopes,
            wrong={
                "trusts-varying-intercepts": lambda own: swapped(own, "varying", "within"),
                "group-means": lambda own: swapped(own, "means", "ordinary"),
            },
        ),
        Number(
            name="q6", variable="slope_within", points=2, level=2, low=-20, high=20,
            look="Compare plots of one site only: what must be subtracted from the water?",
            answer=lambda own: split(own)["water"],
            wrong={
                "ols": ordinary,
                "trusts-varying-intercepts": varying,
                "group-means": of_means,
            },
        ),
        Number(
            name="q7", variable="alarm", points=2, level=3, low=-20, high=20,
            look="Which two slopes are compared, and which of them is subtracted from which?",
            answer=lambda own: split(own)["water_mean"],
            also=[lambda own: of_means(own) - split(own)["water"]],
            wrong={
                "wrong-sign": lambda own: -split(own)["water_mean"],
                "between-for-context": lambda own: split(own)["water_mean"] + split(own)["water"],
                "wrong-coefficient": lambda own: split(own)["water"],
            },
        ),
        Choice(
            name="q8", variable="remedy", points=1, level=3,
            look="Is it chance that makes this slope wrong? And which of its two parts must get more weight?",
            among=["more sites", "more plots in each site", "either of them", "neither of them"],
            answer="more plots in each site",
            wrong={"more-groups-for-bias": "more sites"},
        ),
        Design(
            name="q9", variable="world", points=3, level=3, rows=2000,
            look="Who must carry the confounder, so that it does not cancel when plots of one site are compared?",
            demands={
                "The slope of water within at least 30 sites is off by 1 or more on average": lambda world: (
                    enough(world) and is_wrong(world)
                ),
                "While it is, the alarm is silent in most draws": lambda world: is_wrong(world) and is_silent(world),
            },
            example=HIDDEN_IN_PLOTS,
            wrong={"within-not-safe": HIDDEN_IN_SITES, "left-out-is-harmless": HARMLESS},
            signs={
                "within-not-safe": lambda world: not is_wrong(world) and not is_silent(world),
                "left-out-is-harmless": lambda world: not is_wrong(world) and is_silent(world),
            },
        ),
    ],
    showcase=(
        Showcase(
            "crop ~ water + water_mean + (1 | site)", "water",
            data=lambda own: own.data.assign(
                water_mean=own.data.groupby("site", observed=True)["water"].transform("mean")
            ),
        ),
    ),
)  # fmt: skip
