"""Exercise 19: swifts that settle in nest boxes, and how often they feed."""

from mixedsim.simulate import Assigned, Bernoulli, Population, Uniform


def boxes() -> Population:
    """Nest boxes within villages; beside half of the boxes a loudspeaker plays the call of swifts.

    .. math::

        \\operatorname{logit} P(\\text{settled}_{ij} = 1) = -1.8 + 1.1\\,\\text{call}_{ij} + u_j, \\quad
        u_j \\sim N(0, 2)

    150 villages have 2 to 4 boxes, so Laplace's approximation finds too small a standard deviation. The conditional
    odds ratio is exp(1.1) = 3.0, the marginal one about 2.0; of boxes with a call 33 % are settled in a typical village
    and 40 % in all of them. ``shade`` does nothing.
    """
    return Population(
        "settled ~ call + (1 | village)",
        clusters={"village": 150},
        size=(2, 4),
        variables={"call": Assigned([0, 1]), "shade": Bernoulli(0.4)},
        fixef={"Intercept": -1.8, "call": 1.1},
        ranef={"village": {"sd": [2]}},
        family="binomial",
        lesson="pooled(call) > 0.08",
    )


def visits() -> Population:
    """Feeding visits at settled boxes, which were watched for different times.

    .. math::

        \\log \\operatorname{E}(\\text{visits}_{ij}) = \\log \\text{hours}_{ij} + 1.5 - 0.4\\,\\text{call}_{ij}
            + u_j, \\quad u_j \\sim N(0, 0.3), \\quad
        \\text{hours}_{ij} \\sim U(1 + 2\\,\\text{call}_{ij}, 3 + 4\\,\\text{call}_{ij})

    and counts that bunch (negative binomial, θ = 4). In an hour, parents at boxes with a call come exp(-0.4) = 0.67
    times as often. But those boxes were watched for 5 hours on average and the others for 2: without hours the ratio
    comes to 0.67 × 2.5 = 1.7.
    """
    return Population(
        "visits ~ call + log(hours) + (1 | village)",
        clusters={"village": 25},
        size=(3, 9),
        variables={
            "call": Assigned([0, 1]),
            "hours": Uniform("1 + 2 * call", "3 + 4 * call", decimals=1),
        },
        fixef={"Intercept": 1.5, "call": -0.4, "log(hours)": 1},
        ranef={"village": {"sd": [0.3]}},
        family={"kind": "negative-binomial", "theta": 4},
    )
