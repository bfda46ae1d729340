"""Small populations for the tests of studies."""

from __future__ import annotations

import mixedsim as ms

MIXED = "y ~ x + w + (1 | g)"


def redrawn(**changes):
    """Predictors drawn anew: x within groups, w between them, of which w has no effect."""
    given = {
        "clusters": {"g": 8},
        "size": 5,
        "variables": {"x": ms.Normal(0, 1), "w": ms.Normal(0, 1, level="g")},
        "fixef": {"Intercept": 1, "x": 0.5, "w": 0},
        "ranef": {"g": {"sd": [1]}},
        "sigma": 1,
    }
    return ms.Population(MIXED, **{**given, **changes})


def assigned(**changes):
    """Nothing but effects and residuals is left to chance."""
    variables = {"x": ms.Assigned([0, 1, 2]), "w": ms.Assigned([0, 1], level="g"), "xw": ms.Derived("x * w")}
    return redrawn(variables=variables, **changes)


def slopes(**changes):
    """Crossed factors, slopes that vary, a category, and groups of different sizes."""
    return ms.Population(
        "y ~ x * arm + (1 + x | subject) + (1 | item)",
        **{
            "clusters": {"subject": 9, "item": 4},
            "size": 2,
            "variables": {
                "x": ms.Assigned([0, 1, 2], within="subject"),
                "arm": ms.Assigned(["a", "b"], level="subject"),
            },
            "fixef": {"Intercept": 1, "x": 0.5, "arm[T.b]": 0.3, "x:arm[T.b]": 0},
            "ranef": {"subject": {"sd": [1, 0.5], "corr": 0.3}, "item": {"sd": [0.4]}},
            "sigma": 1,
            **changes,
        },
    )
