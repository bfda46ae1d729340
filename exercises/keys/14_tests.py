"""Exercise 14: dogs in shelters, dogs in new homes."""

from functools import lru_cache

import pandas as pd
from scipy import special

import mixedsim as ms
from mixedsim.classroom.marking import Assignment, Design, Number, Own, Sorting
from mixedsim.simulate import Population

SHELTERS = "stress ~ garden + walks + build + (1 | shelter)"
ALIKE, UNLIKE = "calm ~ week + (1 | dog)", "calm ~ week + (week || dog)"
WITH_AGE = "calm ~ week + age + (1 | dog)"
FLOORS = "stress ~ heated + (1 | shelter)"


def table(own: Own, ddf: str = "satterthwaite") -> pd.DataFrame:
    return own.once(("table", ddf), lambda: own.fit(SHELTERS).coefficients(ddf))


def p_garden(own: Own, ddf: str = "satterthwaite") -> float:
    return float(table(own, ddf).loc["garden", "p"])


def p_of_rows(own: Own) -> float:
    """As if t had rows less coefficients for degrees of freedom."""
    return float(2 * special.stdtr(len(own.data) - 5, -abs(table(own).loc["garden", "t"])))


def f_build(own: Own) -> float:
    return float(own.once("F", lambda: own.fit(SHELTERS).anova(type=3)).loc["build", "F"])


def ratio(own: Own, reml: bool = False) -> float:
    """Likelihood ratio of the slopes' variance; two fits at the edge may differ by less than nothing."""
    larger, smaller = (own.fit(formula, part="homes", reml=reml).loglik for formula in (UNLIKE, ALIKE))
    return max(0.0, 2 * (larger - smaller))


def p_slopes(own: Own, reml: bool = False, df: int = 1, half: bool = True) -> float:
    found = ratio(own, reml)
    return float(special.chdtrc(df, found)) * (0.5 if half and found > 0 else 1.0)


def change(own: Own, criterion: str = "aic", reml: bool = False) -> float:
    """AIC, or BIC, with age minus that without."""
    larger, smaller = (own.fit(formula, part="homes", reml=reml) for formula in (WITH_AGE, ALIKE))
    return float(getattr(larger, criterion) - getattr(smaller, criterion))


def r2(own: Own, kind: str = "marginal", reml: bool = True) -> float:
    fit = own.fit(WITH_AGE, part="homes", reml=reml)
    return float(own.once(("r2", reml), fit.r2)[kind])


@lru_cache(maxsize=256)
def alarms(world: Population) -> tuple[float, float]:
    """How often 1,000 draws of a world find an effect of the floor: by z, by t."""
    analyses = {"z": ms.Analysis(FLOORS, ddf="wald"), "t": ms.Analysis(FLOORS)}
    power = ms.study(world, analyses, n=1000, seed=14).summary()["power"]
    of = power[power.index.get_level_values("parameter").str.startswith("heated")].groupby(level="analysis").max()
    return float(of["z"]), float(of["t"])


def without_effect(world: Population) -> bool:
    of_floor = [value for name, value in world.fixef.items() if name.startswith("heated")]
    return bool(of_floor) and not any(of_floor)


def with_effect(world: Population) -> bool:
    return not without_effect(world)


def z_fails(world: Population) -> bool:
    return without_effect(world) and world.plan.structure.expected_rows() >= 200 and alarms(world)[0] >= 0.10


def t_holds(world: Population) -> bool:
    """Where z does not fail, t is not needed."""
    return z_fails(world) and alarms(world)[1] <= 0.09


def few_rows(world: Population) -> bool:
    return world.plan.structure.expected_rows() < 200


def world(shelters: int = 4, dogs: int = 60, of_shelters: float = 10, heated: float = 0) -> str:
    return f"""formula: stress ~ heated + (1 | shelter)
clusters: {{shelter: {shelters}}}
size: {dogs}
variables:
  heated: {{kind: Assigned, values: [0, 1], level: shelter}}
fixef: {{Intercept: 50, heated: {heated}}}
ranef:
  shelter: {{sd: {of_shelters}}}
sigma: 9
"""


KEY = Assignment(
    "14-tests",
    "Dogs in shelters, dogs in new homes",
    chapters=[14, 15],
    questions=[
        Number(
            name="q1", variable="df_garden", points=1, level=1, low=1, high=1000, digits=None,
            look="What is the garden compared between: dogs or shelters? And how many means are compared?",
            answer=10,
            wrong={
                "residual-df": lambda own: len(own.data) - 3,
                "one-mean-too-few": 11,
                "rows-as-n": lambda own: len(own.data) - 2,
            },
        ),
        Sorting(
            name="q2", variable="tests", points=2, level=1,
            among=["z", "t", "F", "chi2", "half chi2", "AIC", "calibrate"],
            look="Ask of each test what it takes for known, and whether it can do what is wanted here.",
            answer={
                "one coefficient": "t",
                "four levels": "F",
                "one variance": "half chi2",
                "disagreement": "calibrate",
                "not nested": "AIC",
            },
            wrong={
                "z-for-t": ("one coefficient", "z"),
                "boundary": ("one variance", "chi2"),
                "not-nested": ("not nested", "chi2"),
            },
        ),
        Number(
            name="q3", variable="p_garden", points=2, level=1, low=0, high=1,
            look="It is a p-value of one line of the coefficients: which line, and by which distribution?",
            answer=lambda own: p_garden(own, "kenward-roger"),
            also=[lambda own: p_garden(own, "kenward-roger" if own.fit(SHELTERS).singular else "satterthwaite")],
            wrong={
                "z-for-t": lambda own: p_garden(own, "wald"),
                "residual-df": p_of_rows,
                "one-sided": lambda own: p_garden(own) / 2,
                "ols": lambda own: own.ols("stress ~ garden + walks + build").loc["garden", "p"],
            },
        ),
        Number(
            name="q4", variable="chi2_build", points=1, level=2, low=0, high=1000,
            look="How many coefficients does the test look at? That number joins F and χ².",
            answer=lambda own: 2 * f_build(own),
            wrong={
                "f-for-chisq": f_build,
                "extra-df": lambda own: 3 * f_build(own),
            },
        ),
        Number(
            name="q5", variable="p_slopes", points=2, level=2, low=0, high=1,
            look="Can the parameter that is tested miss the truth on both sides? And is there just one parameter more?",
            answer=p_slopes,
            also=[lambda own: p_slopes(own, reml=True), lambda own: p_slopes(own) if ratio(own) > 1e-4 else 0.5],
            wrong={
                "boundary": lambda own: p_slopes(own, half=False),
                "extra-df": lambda own: p_slopes(own, df=2, half=False),
            },
        ),
        Number(
            name="q6", variable="aic_change", points=2, level=2, low=-500, high=500,
            look="Which likelihood may be compared between models with different predictors?",
            answer=change,
            wrong={
                "reml": lambda own: change(own, reml=True),
                "wrong-sign": lambda own: -change(own),
                "bic-for-aic": lambda own: change(own, "bic"),
                "forgot-penalty": lambda own: change(own) - 2,
            },
        ),
        Number(
            name="q7", variable="r2", points=1, level=2, low=0, high=1,
            look="There are two kinds of R². Which of them leaves the dogs out?",
            answer=r2,
            also=[lambda own: r2(own, reml=False)],
            wrong={
                "conditional-r2": lambda own: r2(own, "conditional"),
                "between-over-within": lambda own: r2(own) / (1 - r2(own)),
            },
        ),
        Design(
            name="q8", variable="design", points=3, level=3, rows=2000,
            look="Of what does z believe that it is known? Make a study that knows little of just that.",
            demands={
                "with no effect and at least 200 rows, z must call at least 10 % of the draws significant": z_fails,
                "while it does, Satterthwaite's t must call at most 9 % of the same draws significant": t_holds,
            },
            example=world(),
            wrong={
                "effect-not-zero": world(shelters=40, dogs=6, of_shelters=5, heated=8),
                "rows-as-n": world(shelters=20, dogs=3, of_shelters=5),
            },
            signs={
                "effect-not-zero": with_effect,
                "rows-as-n": lambda world: few_rows(world) and world.draw(seed=1).data["shelter"].nunique() >= 12,
            },
        ),
    ],
)  # fmt: skip
