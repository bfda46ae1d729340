"""Random populations: whatever clusters, variables, outcomes and mishaps can be said together.

`populations()` draws such as `lmer` can fit: a gaussian outcome with one sigma, normal random effects, nothing hidden.
`populations(wild=True)` has the rest too: families, shapes, residuals that follow each other, hidden variables,
problems. All of them are possible: whoever gets a `PopulationError` for one has found a mistake.

``MIXEDSIM_EXAMPLES=20 pytest tests/simulate/test_recovery_at_random.py`` looks at 20 times as many.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

import mixedsim as ms

_TIMES = int(os.environ.get("MIXEDSIM_EXAMPLES", "1"))

NAMES = ("x", "z", "w", "v")
LEVELS = ("low", "mid", "a b")
WHOLE_SIZES: tuple[Any, ...] = (2, 5)
RANDOM_SIZES: tuple[Any, ...] = ((1, 6), (2, 5), ms.Poisson(4), ms.Normal(4, 3), ms.Uniform(1, 6))


def tried(examples: int) -> Any:
    """Settings of a property: so many cases, the same in every run unless MIXEDSIM_EXAMPLES asks for a hunt."""
    return settings(
        max_examples=examples * _TIMES,
        deadline=None,
        derandomize=_TIMES == 1,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@st.composite
def structures(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    """The fields `clusters` and `size`."""
    n = draw(st.integers(2, 8))
    size = draw(st.sampled_from([*WHOLE_SIZES, *RANDOM_SIZES]))
    manner = draw(st.sampled_from(["one", "nested", "nested unequally", "crossed", "sampled", "by turns"]))
    if manner == "one":
        values = draw(st.lists(st.integers(1, 7), min_size=n, max_size=n))
        return {"g": n}, draw(st.sampled_from([size, ms.Sizes(values)]))
    entry: Any = {
        "nested": {"in": "g", "n": 3},
        "nested unequally": {"in": "g", "n": (1, 4)},
        "crossed": 4,
        "sampled": {"n": 6, "sample": draw(st.sampled_from([2, (1, 4)]))},
        "by turns": {"n": 5, "rotate": 2},
    }[manner]
    return {"g": n, "h": entry}, size


def distribution(draw: st.DrawFn, level: str | None, mean: Any, observed: bool) -> ms.Variable:
    """A variable of any kind that is drawn; `mean` is a number, or an expression in earlier variables."""
    where = {"level": level, "observed": observed}
    p = draw(st.sampled_from([0.0, 0.3, 1.0, f"logistic({mean})"]))
    weights = [0, 1, f"exp({mean})"] if isinstance(mean, str) else [0.5, 0.5, 0]
    kinds: dict[str, Any] = {
        "Normal": lambda: ms.Normal(mean, draw(st.sampled_from([0.0, 1.0, 30.0])), **where),
        "LogNormal": lambda: ms.LogNormal(0, 0.5, **where),
        "Uniform": lambda: ms.Uniform(-1, 4, **where),
        "Integers": lambda: ms.Integers(-2, 5, **where),
        "Bernoulli": lambda: ms.Bernoulli(p, **where),
        "Binomial": lambda: ms.Binomial(draw(st.integers(0, 6)), p, **where),
        "Poisson": lambda: ms.Poisson(f"exp(min({mean}, 3))", **where),
        "Beta": lambda: ms.Beta(2, 0.5, **where),
        "StudentT": lambda: ms.StudentT(3, mean, 1, **where),
        "Categorical": lambda: ms.Categorical(LEVELS, draw(st.sampled_from([None, [1, 0, 0], weights])), **where),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()  # type: ignore[no-any-return]


@st.composite
def variables_in(draw: st.DrawFn, clusters: Mapping[str, Any], wild: bool) -> dict[Any, Any]:
    """The field `variables`: up to three, each reading earlier ones where it may."""
    made: dict[Any, Any] = {}
    levels: dict[str, str | None] = {}  # of those that are numbers
    for name in NAMES[: draw(st.integers(0, 3))]:
        level = draw(st.sampled_from([None, None, *clusters]))
        observed = not wild or draw(st.integers(0, 3)) > 0
        inside = [one for one, at in levels.items() if at in (None, level) and (at is None) <= (level is None)]
        rows = [one for one, at in levels.items() if at is None]
        mean: Any = f"1 + 0.5 * {inside[-1]}" if inside and draw(st.booleans()) else draw(st.sampled_from([0.0, -3.0]))
        manner = draw(st.sampled_from(["drawn", "drawn", "assigned", "computed", "correlated"]))
        if manner == "assigned":
            values = draw(st.sampled_from([[0, 1], [0.5, 1, 2], ["pre", "post"]]))
            made[name] = ms.Assigned(values, level, shuffle=draw(st.booleans()), observed=observed)
        elif manner == "computed" and rows:
            made[name] = computed(draw, rows[-1], observed)
            level = "g" if isinstance(made[name], ms.ClusterMean) else None
        elif manner == "correlated" and not made:
            members = [ms.Normal(mean, 1, level), ms.LogNormal(0, 0.4, level)]
            made["x, v"] = ms.Correlated(members, **together(draw, level))
            levels["v"] = level
        else:
            made[name] = distribution(draw, level, mean, observed)
        if name not in made or made[name].categories() is None:
            levels[name] = level
    return made


def computed(draw: st.DrawFn, of: str, observed: bool) -> ms.Variable:
    """A variable that follows from an earlier one of rows."""
    return draw(  # type: ignore[no-any-return]
        st.sampled_from(
            [
                ms.Derived(f"abs({of}) ** 0.5 - 1", observed),
                ms.Derived(f"{of} > 0", observed),
                ms.ClusterMean(of, "g", observed),
                ms.Within(of, "g", observed=observed),
                ms.Within(of, "g", scale=True, observed=observed),
                ms.Centered(of, observed=observed),
                ms.Lag(of, "g", observed=observed),
            ]
        )
    )


def together(draw: st.DrawFn, level: str | None) -> dict[str, Any]:
    """How two variables are correlated."""
    r = draw(st.sampled_from([-1.0, 0.0, 0.6, 1.0]))
    if level is None and draw(st.booleans()):
        return {"within": r, "between": -r, "by": "g", "icc": draw(st.sampled_from([0.0, 0.3, (1.0, 0.5)]))}
    return {"corr": r}


def parts_of(variables: Mapping[Any, Any]) -> dict[str, ms.Variable]:
    """Every variable by its own name, those of a block too."""
    parts = {name: one for name, one in variables.items() if not isinstance(one, ms.Correlated)}
    for block in (one for one in variables.values() if isinstance(one, ms.Correlated)):
        parts |= dict(zip(("x", "v"), block.members, strict=True))
    return parts


def coefficients(parts: Mapping[str, ms.Variable]) -> list[str]:
    """The names that formulaic gives to the coefficients of these variables."""
    names = ["Intercept"]
    for name, one in parts.items():
        levels = one.categories()
        names += [name] if levels is None else [f"{name}[T.{level}]" for level in levels[1:]]
    return names


@st.composite
def populations(draw: st.DrawFn, wild: bool = False) -> ms.Population:
    """A population; see the top of this file."""
    clusters, size = draw(structures())
    variables = draw(variables_in(clusters, wild))
    parts = parts_of(variables)
    numeric = [name for name, one in parts.items() if one.categories() is None]
    slope = draw(st.sampled_from([None, *numeric]))
    groups = ["g"] if len(clusters) == 1 else draw(st.sampled_from([["g"], ["g", "h"], ["g", "g:h"], ["h"], ["g:h"]]))
    effects = {groups[0]: 2 if slope else 1, **dict.fromkeys(groups[1:], 1)}
    terms = [f"(1 + {slope} | {g})" if slope and q == 2 else f"(1 | {g})" for g, q in effects.items()]
    terms += [f"(1 | {g})" for g in groups[1:] if g not in effects]
    sds = st.sampled_from([0.0, 0.5, 2.0])
    ranef: dict[str, dict[str, Any]] = {g: {"sd": [draw(sds) for _ in range(q)]} for g, q in effects.items()}
    if slope:
        ranef[groups[0]]["corr"] = draw(st.sampled_from([-1.0, 0.0, 0.5]))
    fields: dict[str, Any] = {
        "formula": " + ".join(["y ~ 1", *parts, *terms]),
        "clusters": clusters,
        "size": size,
        "variables": variables,
        "fixef": {name: draw(st.sampled_from([-1.0, 0.0, 0.25])) for name in coefficients(parts)},
        "ranef": ranef,
        "sigma": draw(st.sampled_from([0.0, 1.0, 1.0, 1e3])),
    }
    if wild:
        draw(wildness(fields, numeric))
    return ms.Population(fields.pop("formula"), **fields)


@st.composite
def wildness(draw: st.DrawFn, fields: dict[str, Any], numeric: list[str]) -> None:
    """Replace fields by what no linear mixed model expects."""
    shapes = st.sampled_from(["normal", {"kind": "t", "df": 3}, "skewed", "bimodal"])
    for entry in fields["ranef"].values():
        entry["shape"] = draw(shapes)
    families: list[Any] = ["gaussian", "gaussian", "binomial", ("binomial", "cloglog"), {"kind": "gamma", "cv": 0.5}]
    families += [{"kind": "ordinal", "thresholds": [-1, 1], "labels": ["no", "so so", "yes"]}]
    fields["family"] = family = draw(st.sampled_from(families))
    if family == "gaussian":
        ar1 = st.sampled_from([None, {"ar1": 0.7, "by": "g"}, {"shape": "skewed"}])
        fields["residual"] = draw(ar1)
        fields["sigma"] = draw(st.sampled_from([1.0, *(f"1 + abs({name})" for name in numeric)]))
    else:
        del fields["sigma"]
    if isinstance(family, dict) and family["kind"] == "ordinal":
        del fields["fixef"]["Intercept"]
    if isinstance(family, dict) and family["kind"] == "gamma":  # whose mean must stay finite, whatever x
        fields["fixef"] = dict.fromkeys(fields["fixef"], 0.1)
        fields["ranef"] = {g: {"sd": [0.1] * len(entry["sd"])} for g, entry in fields["ranef"].items()}
    seen = [name for name, one in parts_of(fields["variables"]).items() if one.observed]
    fields["problems"] = draw(st.lists(problems([*seen, "y"], [n for n in numeric if n in seen]), max_size=3))


def problems(columns: list[str], numbers: list[str]) -> st.SearchStrategy[ms.Problem]:
    """Something that goes wrong with one of these columns."""
    anywhere = st.sampled_from(columns)
    made = [
        st.builds(ms.Missing, anywhere, st.sampled_from([0.0, 0.2, 1.0])),
        st.builds(ms.Missing, anywhere, st.just(0.3), st.just("g")),
        st.builds(
            ms.Dropout, st.sampled_from([0.0, 0.3, 1.0]), st.just("g"), leaves=st.sampled_from(["before", "after"])
        ),
        st.builds(ms.Duplicated, st.sampled_from([0.0, 0.3, 1.0])),
        st.builds(ms.Miscoded, st.just("g"), st.sampled_from([0.3, 1.0])),
    ]
    if numbers:
        number = st.sampled_from(numbers)
        made += [
            st.builds(ms.MeasurementError, number, st.sampled_from([0.0, 2.0])),
            st.builds(ms.Outliers, number, st.just(0.2), st.just(8.0)),
            st.builds(ms.Rounded, number, st.just(0.5)),
            st.builds(ms.Limits, number, st.just(-1.0), st.just(1.0)),
            st.builds(ms.Shifted, number, st.just(0.3)),
        ]
    return st.one_of(made)
