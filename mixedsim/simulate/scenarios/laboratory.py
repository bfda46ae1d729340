"""Where nothing happens, where noise grows, and where a shop's price says where the shop is."""

from __future__ import annotations

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, ClusterMean, Normal, Within


@scenario(stars=1)
def null(*, classes: int = 40, pupils: Count = 12) -> Population:
    """Nothing at all: neither does practice help, nor do classes differ.

    Story: 40 classes of 12 pupils guess the cards that somebody thinks of in another room, after some hours of practice
    each. All scores are luck.

    Questions: How large does the variance between classes look if there is none? How often is practice significant?
    What does a singular fit mean, and is it wrong?

    Equations, with i for pupils, j for classes::

        score_ij    = 50 + 0 practice_ij + u_j + e_ij
        practice_ij ~ Normal(5, sd 2)
        u_j         = 0
        e_ij        ~ Normal(0, sd 10)

    Truth: slope 0, sd between classes 0.

    What the naive analysis shows: means of 12 scores vary with sd 10 / √12 = 2.9 by chance alone, so that the best of
    40 classes is about 56 and the worst about 44, every time anew. A mixed model finds no variance between classes in
    about half of all draws; ordinary regression is right here.

    Fit: ``score ~ practice + (1 | class)``

    Parameters
    ----------
    classes : how many.
    pupils : in each.

    Examples
    --------
    >>> import mixedsim as ms
    >>> sample = ms.scenarios.null().draw(seed=1)
    >>> bool((sample.truth.ranef["class"] == 0).all().all())
    True
    """
    return Population(
        "score ~ practice + (1 | class)",
        clusters={"class": classes},
        size=pupils,
        variables={"practice": Normal(5, 2)},
        fixef={"Intercept": 50, "practice": 0},
        ranef={"class": {"sd": 0}},
        sigma=10,
        about={
            "class": "school class",
            "practice": "hours of practice",
            "score": "score in points, on average 50",
        },
        name="null",
    )


@scenario(stars=2)
def lab_batches(*, batches: int = 20) -> Population:
    """An assay in batches whose error grows with what it measures.

    Story: a laboratory measures samples of known content, six contents twice in each of 20 batches. Each batch has its
    own shift, from reagents and temperature. Large contents are measured less exactly than small ones.

    Questions: How large is the shift from batch to batch? How exact is a measurement of a small content? What does one
    residual sd for all say of it?

    Equations, with i for measurements, j for batches::

        reading_ij = 0 + 1 content_ij + u_j + e_ij
        content_ij = 2, 5, 10, 20, 40 or 80
        u_j        ~ Normal(0, sd 1)
        e_ij       ~ Normal(0, sd 0.5 + 0.05 content_ij)

    Truth: readings are right on average. The residual sd is 0.6 at a content of 2 and 4.5 at 80.

    What the naive model shows: one residual sd for all, √5.11 = 2.26. So intervals for a content of 2 are 3.8 times as
    wide as they should be and those for 80 half as wide; the standard error of the slope is too small, 0.0054 where it
    is 0.0088. Residuals against fitted values open like a fan.

    Fit: ``reading ~ content + (1 | batch)``, with weights 1 / (0.5 + 0.05 content)².

    Parameters
    ----------
    batches : how many.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.lab_batches().draw(seed=1).data
    >>> (data["reading"] - data["content"]).groupby(data["content"]).std().round(0).astype(int).tolist()
    [1, 1, 1, 2, 3, 4]
    """
    return Population(
        "reading ~ content + (1 | batch)",
        clusters={"batch": batches},
        size=12,
        variables={"content": Assigned([2, 5, 10, 20, 40, 80])},
        fixef={"Intercept": 0, "content": 1},
        ranef={"batch": {"sd": 1}},
        sigma="0.5 + 0.05 * content",
        about={
            "batch": "batch of measurements",
            "content": "true content in mg a litre",
            "reading": "measured content in mg a litre",
        },
        name="lab_batches",
    )


@scenario(stars=3)
def shop_prices(*, shops: int = 40, weeks: int = 30) -> Population:
    """Dear shops sell as much as cheap ones, and yet a higher price sells less: elasticity in forty shops.

    Story: 40 shops sell the same chocolate for 30 weeks, at prices that change from week to week. Shops in a good
    location are dearer and sell more: location drives both, and nobody recorded it. Logarithms make the slope an
    elasticity, the percentage by which sales change with one per cent of price.

    Questions: What do sales do if this shop raises its price by one per cent? Why do dear shops not sell less? How
    different are shops' elasticities?

    Equations, with i for weeks, j for shops::

        log_sales_ij = 5 − 1.8 log_price_ij + 0.4 location_j + u0_j + u1_j log_price_ij + e_ij
        location_j   ~ Normal(0, sd 1), not observed
        log_price_ij ~ Normal(0.7 + 0.15 location_j, sd 0.1)
        u0_j, u1_j   ~ Normal(0, sd 0.2 and 0.3, correlation 0)
        e_ij         ~ Normal(0, sd 0.15)

    Truth: the elasticity is −1.8 in the typical shop.

    What the naive model shows: over all shops the slope is −1.8 + 0.4 · 0.15 / (0.15² + 0.1²) = 0.05, as if prices did
    not matter. The price split into the shop's mean and the week's deviation brings back −1.8 for the latter; location
    is confounded with the former alone.

    Fit: ``log_sales ~ price_within + price_mean + (1 + price_within | shop)``

    Parameters
    ----------
    shops : how many.
    weeks : of each.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.shop_prices().draw(seed=1, lesson=True).data
    >>> bool(data["log_price"].corr(data["log_sales"]) > -0.3)
    True
    """
    return Population(
        "log_sales ~ log_price + location + (1 + log_price | shop)",
        clusters={"shop": shops},
        size=weeks,
        variables={
            "location": Normal(0, 1, level="shop", observed=False),
            "log_price": Normal("0.7 + 0.15 * location", 0.1),
            "price_mean": ClusterMean("log_price"),
            "price_within": Within("log_price"),
        },
        fixef={"Intercept": 5, "log_price": -1.8, "location": 0.4},
        ranef={"shop": {"sd": [0.2, 0.3], "corr": 0}},
        sigma=0.15,
        lesson="within(log_price) < -1 < pooled(log_price)",
        about={
            "shop": "shop",
            "location": "how good the location is, a score of mean 0 and sd 1",
            "log_price": "logarithm of the price in euros",
            "price_mean": "the shop's mean of log_price",
            "price_within": "log_price minus the shop's mean",
            "log_sales": "logarithm of the bars sold in the week",
        },
        name="shop_prices",
    )
