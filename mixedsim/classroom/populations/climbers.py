"""Exercise 13: climbers before and after training, and both hands of other climbers."""

from mixedsim.simulate import Assigned, Derived, Dropout, Population


def groups() -> Population:
    """Two groups of climbers, tested twice; weak ones of the board group stay away from the second test.

    .. math::

        \\text{grip}_{ij} = 40 + 2\\,\\text{post}_i + 1\\,\\text{board}_j + 4\\,\\text{post}_i\\,\\text{board}_j
            + u_j + e_{ij}, \\quad u_j \\sim N(0, 7),\\ e_{ij} \\sim N(0, 4)

    for test i of climber j, in kilograms. The estimand is the difference of gains, 4. 56 climbers; with the board the
    chance to leave after the first test is one half at 37 kg and more below. Stayers start about 3 kg above all who
    began, so that least squares, which subtracts all of those, finds about 7; complete pairs forget (1 − 0.75) of these
    3 kg, which is luck of the first test, and find about 3.3.
    """
    return Population(
        "grip ~ time * group + (1 | climber)",
        clusters={"climber": 56},
        size=2,
        variables={
            "time": Assigned(["pre", "post"]),
            "group": Assigned(["usual", "board"], level="climber", shuffle=True),
        },
        fixef={"Intercept": 40, "time[T.post]": 2, "group[T.board]": 1, "time[T.post]:group[T.board]": 4},
        ranef={"climber": {"sd": [7]}},
        sigma=4,
        problems=[Dropout("(group == 'board') / (1 + exp((grip - 37) / 3))", by="climber", leaves="after")],
    )


def hands() -> Population:
    """Both hands of 36 climbers before and after: one hand trains on the board, the other as usual.

    .. math::

        \\text{grip}_{ihj} = 38 + (2 + w_j)\\,\\text{post}_i + 3\\,\\text{post}_i\\,\\text{board}_{hj}
            + u_j + v_{hj} + e_{ihj}, \\quad u_j \\sim N(0, 6),\\ w_j \\sim N(0, 3),\\ v_{hj} \\sim N(0, 3),\\
            e_{ihj} \\sim N(0, 2)

    for hand h of climber j at time i; v belongs to the hand, w is how well the climber responds. From the difference of
    gains u, v and w cancel: its standard error is √(4 · 2² / 36) = 0.67. With ``(1 | climber)`` alone v and w count as
    noise, and about twice as much is claimed.
    """
    return Population(
        "grip ~ time * board + (1 + time | climber) + (1 | climber:hand)",
        clusters={"climber": 36, "hand": 2},
        size=2,
        variables={
            "time": Assigned(["pre", "post"]),
            "lot": Assigned([0, 1], level="climber", shuffle=True, observed=False),
            "side": Assigned([0, 1], level="hand", observed=False),
            "board": Derived("lot == side"),
        },
        fixef={"Intercept": 38, "time[T.post]": 2, "board": 0, "time[T.post]:board": 3},
        ranef={"climber": {"sd": [6, 3], "corr": 0}, "climber:hand": {"sd": [3]}},
        sigma=2,
    )
