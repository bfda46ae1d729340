"""Simpson's paradox with moments that are exact: whatever the seed, every fit prints the same numbers."""

from __future__ import annotations

import math

from mixedsim.errors import PopulationError
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, Derived, Normal, Within


@scenario(stars=1)
def simpson(r: float = 0.95, groups: int = 5, difference: float = 1.0, *, size: int = 100) -> Population:
    """In every group y rises with x; over all groups it falls.

    Story: runners train (x) and race (y), both as scores. Within each of five age groups, those who train more race
    better. But from group to group training goes up by a step and performance down by a step, as people get older.
    The groups are equally spaced and no random sample of groups: good for a picture, and no test of normal random
    effects.

    Questions: What does one more point of x do to the same group? Why do the slopes within and over groups differ?
    Which of them would you publish?

    Equations, with i for members, j for groups, d for the difference and place_j = 1, 2, …, the number of groups::

        y_ij = r x_ij − (1 + r) d place_j + e_ij
        x_ij = d place_j + z_ij
        z_ij ~ Normal(0, sd 1)
        e_ij ~ Normal(0, sd √(1 − r²))

    with nothing left to chance in the moments: in every group z has mean 0 and sd 1 (with n − 1), e has mean 0 and its
    sd, and their correlation is 0. So within every group x and y have sd 1 and correlation r, their means are d place_j
    and −d place_j, and only the points themselves differ from seed to seed.

    Truth: the slope is r in every group.

    What the naive model shows: over all, with v = (groups² − 1) / 12 and f = (n − 1) / n, the slope is
    (r f − d² v) / (f + d² v), which is −0.354 for r = 0.95, five groups of 100 and d = 1. It has the wrong sign as soon
    as d² v > r f.

    Fit: ``y ~ x + (1 | group)``; with the default numbers it gives −5.84879 (se 1.37925) and 0.94960 (se 0.01405),
    variances 9.5018 and 0.0977, and groups from 3.8988 to −3.8988, for every seed. The slope is a little less than r,
    because a model with varying intercepts still listens a little to the differences between groups.

    Parameters
    ----------
    r : the correlation within groups, above 0 and below 1.
    groups : how many, at least 2.
    difference : the step from group to group, up in x and down in y, in sds within groups.
    size : members of each group, at least 3.

    Raises
    ------
    PopulationError
        If r is not in that range, or the difference is too small to turn the slope over.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.simpson().draw(seed=1).data
    >>> fit = ms.lmer("y ~ x + (1 | group)", data)
    >>> fit.coefficients()[["estimate", "se"]].round(5)
               estimate       se
    Intercept  -5.84879  1.37925
    x           0.94960  0.01405
    >>> data.groupby("group", observed=True)[["x", "y"]].corr().iloc[0::2, 1].round(10).tolist()
    [0.95, 0.95, 0.95, 0.95, 0.95]
    >>> float(round(data["x"].corr(data["y"]), 3))
    -0.354
    """
    if not isinstance(r, int | float) or not 0 < r < 1:
        raise PopulationError(f"r is the correlation within groups, between 0 and 1 without either, found {r!r}.")
    needed = math.sqrt(12 * r * (size - 1) / size / (groups**2 - 1)) if groups > 1 and size > 2 else math.inf
    if not difference > needed:
        least = "two groups and three members each" if math.isinf(needed) else f"a difference above {needed:.3g}"
        raise PopulationError(f"the slope over all groups turns negative only from {least} on, found {difference!r}.")
    return Population(
        "y ~ x + place + (1 | group)",
        clusters={"group": groups},
        size=size,
        variables={
            "place": Assigned(range(1, groups + 1), level="group", observed=False),
            "raw": Normal(0, 1, observed=False),
            "z": Within("raw", by="group", scale=True, observed=False),
            "x": Derived(f"{float(difference)!r} * place + z"),
        },
        fixef={"Intercept": 0, "x": r, "place": -(1 + r) * difference},
        ranef={"group": {"sd": 0}},
        sigma=math.sqrt(1 - r**2),
        residual={"exact": ["x"], "by": "group"},
        lesson="pooled(x) < 0 < within(x)",
        about={
            "group": "age group",
            "place": "number of the age group, 1 for the youngest",
            "raw": "what z is made of",
            "z": "how much more than others of the age group somebody trains, in sds",
            "x": "training, a score in sds within age groups",
            "y": "performance, a score in sds within age groups",
        },
        name="simpson",
    )
