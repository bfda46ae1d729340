"""Exercise 6: cheeses and the dairies that make them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

import mixedsim as ms
from mixedsim.classroom.answers import means_the_same
from mixedsim.classroom.marking import Assignment, Choice, Design, Number, Own, Ranking, Showcase, Sorting

EMPTY = "points ~ 1 + (1 | dairy)"
FORMULA = "points ~ mountain + (1 | dairy)"
BEST = 5
DRAWS = 12


def variances(own: Own) -> tuple[float, float]:
    """Between dairies and within."""
    return own.once("variances", lambda: read(own))


def read(own: Own) -> tuple[float, float]:
    fit = own.fit(EMPTY)
    return float(fit.varcorr["variance"].iloc[0]), float(fit.sigma**2)


def dairies(own: Own) -> pd.DataFrame:
    """A row a dairy: cheeses, own mean, its distance from the common mean, the share kept, the year after."""
    return own.once("dairies", lambda: table(own))


def table(own: Own) -> pd.DataFrame:
    by_dairy = own.data.groupby("dairy", observed=True)
    rows = pd.DataFrame({"n": by_dairy.size(), "mean": by_dairy["points"].mean(), "later": by_dairy["later"].first()})
    between, within = variances(own)
    off = rows["mean"] - own.fit(EMPTY).fixef["Intercept"]
    return rows.assign(off=off, kept=between / (between + within / rows["n"]))


def icc(own: Own) -> float:
    between, within = variances(own)
    return between / (between + within)


def kept(own: Own) -> float:
    """The share that the dairy with the fewest cheeses keeps."""
    return float(dairies(own)["kept"].loc[dairies(own)["n"].idxmin()])


def over_luck(own: Own) -> float:
    between, within = variances(own)
    return between / (within / dairies(own)["n"].min())


def leader(own: Own) -> pd.Series:
    """The row of the dairy with the highest mean."""
    return dairies(own).loc[dairies(own)["mean"].idxmax()]


def effect(own: Own) -> float:
    return float(leader(own)["kept"] * leader(own)["off"])


def pulled(own: Own) -> pd.Series:
    """By how many points each dairy is moved."""
    return ((1 - dairies(own)["kept"]) * dairies(own)["off"]).abs()


def needed(own: Own, share: float = 0.75) -> float:
    """Cheeses that it takes until a dairy keeps `share`."""
    between, within = variances(own)
    return share / (1 - share) * within / between


def fallen(own: Own) -> float:
    """By how much the best of the list fall back."""
    top = dairies(own).nlargest(BEST, "mean")
    return float(top["mean"].mean() - top["later"].mean())


def down_to_the_mean(own: Own) -> float:
    top = dairies(own).nlargest(BEST, "mean")
    return float(top["mean"].mean() - dairies(own)["later"].mean())


@lru_cache(maxsize=256)
def tried(world: ms.Population) -> pd.DataFrame:
    """Mean squared errors: rows kind (mountain 0 and 1), columns own mean, shrunken."""
    if not means_the_same(world.formula, FORMULA):
        raise ms.PopulationError(f"the formula must stay as it is: {FORMULA}.")
    mountain = world.draw(seed=1).data["mountain"]
    if not pd.api.types.is_numeric_dtype(mountain) or set(mountain) != {0, 1}:
        raise ms.PopulationError("mountain must be 0 for some dairies and 1 for others.")
    errors = [one_draw(world, seed) for seed in range(1, DRAWS + 1)]
    return pd.concat(errors).groupby("mountain").mean()


def one_draw(world: ms.Population, seed: int) -> pd.DataFrame:
    sample = world.draw(seed=seed)
    by_dairy = sample.data.groupby("dairy", observed=True)
    mountain = by_dairy["mountain"].first()
    special = sample.truth.ranef["dairy"]["Intercept"].to_numpy()
    true = world.fixef["Intercept"] + world.fixef["mountain"] * mountain + special
    shrunken = ms.lmer(EMPTY, sample.data).coef["dairy"]["Intercept"]
    errors = {"own": (by_dairy["points"].mean() - true) ** 2, "shrunken": (shrunken - true) ** 2}
    return pd.DataFrame({"mountain": mountain.astype(int), **errors})


def enough(world: ms.Population) -> bool:
    data = world.draw(seed=1).data
    return data.loc[data["mountain"] == 0, "dairy"].nunique() >= 19


def loses(world: ms.Population) -> bool:
    return bool(tried(world).loc[1, "shrunken"] > 1.2 * tried(world).loc[1, "own"])


def gains(world: ms.Population) -> bool:
    return bool(tried(world).loc[0, "shrunken"] < 0.9 * tried(world).loc[0, "own"])


def keeps_nearly_all(world: ms.Population) -> bool:
    """Whether its dairies are too large to be moved."""
    return not loses(world) and bool(world.draw(seed=1).data["dairy"].value_counts().median() >= 20)


TOWN = """
formula: points ~ mountain + (1 | dairy)
clusters: {dairy: 40}
size: 6
variables:
  mountain: {kind: Assigned, values: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], level: dairy, within: whole dataset}
fixef: {Intercept: 60, mountain: 0}
ranef: {dairy: {sd: [3]}}
sigma: 8
"""
SPECIAL = TOWN.replace("mountain: 0}", "mountain: 10}")
LARGE = SPECIAL.replace("size: 6", "size: 48").replace("sigma: 8", "sigma: 2")

KEY = Assignment(
    "06-shrinkage",
    "Pooling and shrinkage",
    chapters=[5, 6],
    questions=[
        Choice(
            name="q1", variable="further", points=1, level=1,
            look="Of whose mean do you believe less?",
            among=["A", "B", "both equally"],
            answer="A",
            wrong={"large-keeps-less": "B", "rank-by-deviation": "both equally"},
        ),
        Sorting(
            name="q2", variable="pooling", points=3, level=1,
            look="Ask of each: does a dairy listen to the others, and does it listen to its own cheeses?",
            among=["complete", "none", "partial"],
            answer={
                "everybody": "complete",
                "dummies": "none",
                "mixed": "partial",
                "no intercept": "partial",
                "own mean": "none",
                "stranger": "partial",
            },
            wrong={
                "zero-is-no-pooling": ("no intercept", "none"),
                "dummies": ("dummies", "partial"),
                "raw-mean": ("own mean", "partial"),
            },
        ),
        Number(
            name="q3", variable="kept", points=2, level=2, low=0, high=1,
            look="It is a part of a whole: which two variances does the distance of a mean consist of?",
            answer=kept,
            wrong={
                "lambda-complement": lambda own: 1 - kept(own),
                "forgot-n": icc,
                "between-over-within": over_luck,
            },
        ),
        Number(
            name="q4", variable="special", points=2, level=2, low=-50, high=50,
            look="How far is this dairy's mean from the common one, and which share of it is kept?",
            answer=effect,
            wrong={
                "raw-mean": lambda own: leader(own)["off"],
                "lambda-complement": lambda own: leader(own)["off"] - effect(own),
                "forgot-n": lambda own: icc(own) * leader(own)["off"],
                "wrong-sign": lambda own: -effect(own),
            },
        ),
        Ranking(
            name="q5", variable="moved", points=2, level=2, top=4, tie=0.02,
            look="Two things decide together how far a dairy is moved, in points.",
            answer=pulled,
            wrong={
                "rank-by-deviation": lambda own: dairies(own)["off"].abs(),
                "rank-by-size": lambda own: -dairies(own)["n"],
            },
        ),
        Number(
            name="q6", variable="cheeses", points=2, level=3, low=0, high=1000,
            look="Write down the share for n cheeses, set it to 0.75, and solve for n.",
            answer=needed,
            also=[lambda own: np.ceil(needed(own))],
            wrong={
                "lambda-complement": lambda own: needed(own, 0.25),
                "sd-ratio": lambda own: 3 * (variances(own)[1] / variances(own)[0]) ** 0.5,
            },
        ),
        Number(
            name="q7", variable="fallen", points=2, level=3, low=-30, high=30,
            look="The same five dairies, this year and later: which mean is subtracted from which?",
            answer=fallen,
            wrong={
                "wrong-sign": lambda own: -fallen(own),
                "grand-mean": down_to_the_mean,
            },
        ),
        Design(
            name="q8", variable="world", points=3, level=3, rows=3000,
            look="What must be true of the mountain dairies, so that the others say something wrong about them?",
            demands={
                "Of mountain dairies the shrunken means miss by clearly more than own means": loses,
                "While they do, the shrunken means of at least 19 other dairies miss by less": lambda world: (
                    enough(world) and loses(world) and gains(world)
                ),
            },
            example=SPECIAL,
            wrong={"large-keeps-less": LARGE},
            signs={"large-keeps-less": keeps_nearly_all},
        ),
    ],
    showcase=(Showcase(EMPTY, "Intercept", truth=60.0),),
)  # fmt: skip
