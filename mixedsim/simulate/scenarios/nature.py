"""Plants, animals and fields: treatments that are given to whole trays and plots, and years that everybody shares."""

from __future__ import annotations

from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, LogNormal, Poisson


@scenario(stars=3)
def ferns(*, trays: int = 12, seedlings: int = 20, days: int = 5) -> Population:
    """Ferns under three lights: trays are lit, seedlings are measured, again and again.

    Story: 240 fern seedlings grow in 12 trays of 20. Each tray stands in shade, in half light or in full sun, four
    trays each, and chance says which. The height of every seedling is measured on five days. Ferns like shade.

    Questions: Does growth depend on the light? How many units of what were treated? What would ten trays in place of
    twelve mean for three lights?

    Equations, with i for measurements, j for seedlings, k for trays::

        height_ijk = 30 + 1.5 day_i + 0 [half]_k + 0 [full]_k − 0.4 day_i [half]_k − 0.9 day_i [full]_k
                     + u0_k + u1_k day_i + v_jk + e_ijk
        u0_k, u1_k ~ Normal(0, sd 1.5 and 0.2, correlation 0.3)
        v_jk       ~ Normal(0, sd 3)
        e_ijk      ~ Normal(0, sd 1)

    Truth: a day adds 1.5 mm in shade, 1.1 in half light and 0.6 in full sun. On day 0 the lights do not differ.

    What the naive models show: the standard error of day × full with four trays a light is
    √(2/4 · (0.2² + 1² / (20 · 10))) = 0.15, since five days have a sum of squares of 10: trays count, and 20 seedlings
    more in each of them would hardly help. ``height ~ light * day + (1 | seedling)`` knows of no trays and takes 80
    seedlings a light for the sample: about √(2 · 1.05 / (80 · 10)) = 0.05, a third of it. A model that knows of trays
    but not of seedlings counts 1,200 heights where 240 plants were measured five times.

    Fit: ``height ~ light * day + (1 + day | tray) + (1 | seedling)``

    Parameters
    ----------
    trays : how many, best a multiple of three.
    seedlings : in each tray.
    days : measurements of each seedling, on the days 1, 2, ….

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.ferns().draw(seed=1).data
    >>> len(data), data["seedling"].nunique()
    (1200, 240)
    >>> data.groupby("light", observed=True)["tray"].nunique().to_dict()
    {'shade': 4, 'half': 4, 'full': 4}
    """
    return Population(
        "height ~ light * day + (1 + day | tray) + (1 | seedling)",
        clusters={"tray": trays, "seedling": {"in": "tray", "n": seedlings}},
        size=days,
        variables={
            "light": Assigned(["shade", "half", "full"], level="tray", shuffle=True),
            "day": Assigned(range(1, days + 1)),
        },
        fixef={
            "Intercept": 30,
            "light[T.half]": 0,
            "light[T.full]": 0,
            "day": 1.5,
            "light[T.half]:day": -0.4,
            "light[T.full]:day": -0.9,
        },
        ranef={"tray": {"sd": [1.5, 0.2], "corr": 0.3}, "seedling": {"sd": 3}},
        sigma=1,
        about={
            "tray": "tray of seedlings",
            "seedling": "seedling, its number the same on all days",
            "light": "light over the tray: shade, half or full",
            "day": "days since planting",
            "height": "height of the seedling in mm",
        },
        name="ferns",
    )


@scenario(stars=2)
def wolves(*, parks: int = 6, years: int = 10) -> Population:
    """Wolves and floods in the same parks in the same years: two groupings that cross.

    Story: wolves keep deer away from the banks, willows grow back, and rivers flood less. In 6 national parks packs of
    wolves are counted in each of 10 years, and so is how much land the spring flood covers. A wet year is wet in all
    parks; a flat park floods every year. So 60 rows, one for each park and year, but neither 60 parks nor 60 years.

    Questions: How much less flood does one more pack go with? Is n 60? Are years nested in parks?

    Equations, with j for parks, k for years::

        flood_jk = 30 − 0.8 wolves_jk + u_j + v_k + e_jk
        wolves_jk ~ Poisson(packs_j)
        packs_j   ~ LogNormal(1.4, sd of logs 0.4)
        u_j       ~ Normal(0, sd 6)
        v_k       ~ Normal(0, sd 5)
        e_jk      ~ Normal(0, sd 3)

    Truth: one more pack goes with 0.8 km² less.

    What the naive models show: ``flood ~ wolves + (1 | park)`` leaves the weather to the residual, whose sd is then
    √(3² + 5²) = 5.83, not 3, and the standard error of wolves grows with it, nearly twofold. Ordinary regression has
    the parks there too, √(3² + 5² + 6²) = 8.37; and its standard error of the intercept, about 8.37 / √60 = 1.1 at the
    average number of packs, is less than half of √(6²/6 + 5²/10 + 3²/60) = 2.94.

    Fit: ``flood ~ wolves + (1 | park) + (1 | year)``

    Parameters
    ----------
    parks, years : how many; every park in every year.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.wolves().draw(seed=1).data
    >>> data.groupby(["park", "year"], observed=True).size().unique().tolist(), len(data)
    ([1], 60)
    """
    return Population(
        "flood ~ wolves + (1 | park) + (1 | year)",
        clusters={"park": parks, "year": years},
        size=1,
        variables={"packs": LogNormal(1.4, 0.4, level="park", observed=False), "wolves": Poisson("packs")},
        fixef={"Intercept": 30, "wolves": -0.8},
        ranef={"park": {"sd": 6}, "year": {"sd": 5}},
        sigma=3,
        about={
            "park": "national park",
            "year": "year of the study, from 1",
            "packs": "packs of wolves that a park has on average",
            "wolves": "packs of wolves in the park that year",
            "flood": "land under water in spring, in km²",
        },
        name="wolves",
    )


@scenario(stars=2)
def split_plot(*, fields: int = 6, varieties: int = 4) -> Population:
    """A split-plot trial on a farm: water is given to plots, varieties are sown in strips of them.

    Story: each of 6 fields has three plots, and chance gives one of them no irrigation, one a little and one much.
    Each plot is divided into four strips for four varieties of wheat, again by chance: 72 strips are harvested.

    Questions: Which effect is known better, that of water or that of the variety, and why? How many plots were treated?
    What are the two error terms of this design?

    Equations, with i for strips, j for plots, k for fields::

        harvest_ijk = 5 + 0.5 [low]_jk + 0.9 [high]_jk + 0.2 [B]_ijk + 0.4 [C]_ijk + 0.6 [D]_ijk + u_k + v_jk + e_ijk
        u_k         ~ Normal(0, sd 0.6)
        v_jk        ~ Normal(0, sd 0.5)
        e_ijk       ~ Normal(0, sd 0.4)

    Truth: much water adds 0.9 tonnes a hectare; variety D brings 0.6 more than A.

    What the naive model shows: the standard error of a difference between two waterings is
    √(2/6 · (0.5² + 0.4²/4)) = 0.31, that between two varieties √(2/18 · 0.4²) = 0.13. The model
    ``harvest ~ irrigation + variety + (1 | field)`` knows one error only, a blend of both, (10 · 1.16 + 51 · 0.16) / 61
    = 0.324 as a variance: 0.16 for water, half of what it should be, and 0.19 for varieties, which is too much.

    Fit: ``harvest ~ irrigation + variety + (1 | field) + (1 | plot)``

    Parameters
    ----------
    fields : how many, with three plots each.
    varieties : from 2 to 4, one strip of each in every plot.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.split_plot().draw(seed=1).data
    >>> data.groupby(["irrigation", "variety"], observed=True).size().unique().tolist()
    [6]
    """
    gains = {"A": 0.0, "B": 0.2, "C": 0.4, "D": 0.6}
    sown = list(gains)[:varieties]
    return Population(
        "harvest ~ irrigation + variety + (1 | field) + (1 | plot)",
        clusters={"field": fields, "plot": {"in": "field", "n": 3}},
        size=len(sown),
        variables={
            "irrigation": Assigned(["none", "low", "high"], level="plot", shuffle=True),
            "variety": Assigned(sown, shuffle=True),
        },
        fixef={
            "Intercept": 5,
            "irrigation[T.low]": 0.5,
            "irrigation[T.high]": 0.9,
            **{f"variety[T.{name}]": gains[name] for name in sown[1:]},
        },
        ranef={"field": {"sd": 0.6}, "plot": {"sd": 0.5}},
        sigma=0.4,
        about={
            "field": "field, three plots each",
            "plot": "plot, watered as a whole",
            "irrigation": "irrigation of the plot: none, low or high",
            "variety": "variety of wheat in the strip",
            "harvest": "harvest of the strip in tonnes a hectare",
        },
        name="split_plot",
    )
