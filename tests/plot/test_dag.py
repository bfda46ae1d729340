"""The causal diagram: the right arrows, nothing on top of anything, lanes by level."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.causes import causes_of
from mixedsim.plot.dag import _BOX, _width
from mixedsim.plot.layered import layered

SCHOOL = ms.Population(
    "score ~ iq * arm + ses + effort + sleep + years + (1 + iq | class) + (1 | school) + (1 | item)",
    clusters={"school": 5, "class": {"in": "school", "n": 3}, "item": 4},
    size=3,
    variables={
        "wealth": ms.Normal(0, 1, level="school", observed=False),
        "years": ms.Poisson("exp(1 + 0.3 * wealth)", level="class"),
        "arm": ms.Assigned(["usual", "new"], level="class", shuffle=True),
        "ses, iq": ms.Correlated([ms.Normal("0.3 * wealth", 1), ms.Normal(100, 15)], corr=0.3),
        "sleep": ms.Normal(7, 1),
        "effort": ms.Normal("0.4 * ses + 0.1 * sleep + 0.02 * years", 1),
        "ses_mean": ms.ClusterMean("ses", by="class"),
    },
    fixef={
        "Intercept": 0, "iq": 0, "arm[T.new]": 0, "iq:arm[T.new]": 0.5, "ses": 1, "effort": 1, "sleep": 0, "years": 0.1,
    },
    ranef={"class": {"sd": [1, 0.1]}, "school": {"sd": 1}, "item": {"sd": 1}},
    sigma="1 + 0.1 * years",
)  # fmt: skip
EVERY = {"school": SCHOOL, **{name: getattr(ms.scenarios, name)() for name in ms.scenarios.names()}}


def arrows(population, random=False):
    return {(edge.source, edge.target) for edge in causes_of(population, random=random).edges}


def test_arrows_are_what_is_read_and_what_has_a_coefficient():
    assert arrows(SCHOOL) == {
        ("wealth", "years"), ("wealth", "ses"), ("ses", "effort"), ("sleep", "effort"), ("years", "effort"),
        ("ses", "ses_mean"), ("ses", "score"), ("effort", "score"), ("years", "score"), ("iq", "score"),
        ("arm", "arm × iq"), ("iq", "arm × iq"), ("arm × iq", "score"),
    }  # fmt: skip


def test_what_is_drawn_together_and_what_varies():
    causes = causes_of(SCHOOL, random=True)
    assert causes.together == (("ses", "iq"),)
    effects = {node.name: node.lane for node in causes.nodes if node.kind == "effect"}
    assert effects == {"effects of class": "class", "effects of school": "school", "effects of item": "item"}
    assert causes.lanes == ("school", "class", "item", "row")


def test_sigma_trials_and_exposure_are_causes():
    wards = ms.Population(
        "cured / treated ~ 1 + (1 | ward)",
        clusters={"ward": 4},
        size=2,
        variables={"treated": ms.Poisson("9 + 0")} | {"days": ms.Integers(1, 9)},
        fixef={"Intercept": 0},
        ranef={"ward": {"sd": 1}},
        family="binomial",
    )
    assert arrows(wards) == {("treated", "cured")}
    counts = wards.with_(formula="cured ~ 1 + (1 | ward)", family={"kind": "poisson", "exposure": "days"})
    assert arrows(counts) == {("days", "cured")}


@pytest.mark.parametrize("random", [True, False])
@pytest.mark.parametrize("name", EVERY)
def test_causes_stand_left_and_nothing_overlaps(name, random):
    causes = causes_of(EVERY[name], random=random)
    widths = {node.name: _width(node) for node in causes.nodes}
    placed = layered(causes, widths, _BOX)
    for edge in causes.edges:
        assert placed.at[edge.source][0] + widths[edge.source] / 2 < placed.left[edge.target]
    for one, other in itertools.combinations(causes.nodes, 2):
        (x, y), (v, w) = placed.at[one.name], placed.at[other.name]
        assert abs(x - v) >= (widths[one.name] + widths[other.name]) / 2 or abs(y - w) >= _BOX / 2
    for node in causes.nodes:
        bottom, top = placed.lanes[node.lane]
        assert bottom < placed.at[node.name][1] < top
        assert placed.left[node.name] > 0
        assert placed.at[node.name][0] + widths[node.name] / 2 < placed.width
    assert placed.width < 14


@pytest.mark.parametrize("name", EVERY)
def test_no_line_runs_through_a_box(name):
    causes = causes_of(EVERY[name], random=True)
    widths = {node.name: _width(node) for node in causes.nodes}
    placed = layered(causes, widths, _BOX)
    for (source, target), route in placed.routes.items():
        for (x0, y0), (x1, y1) in itertools.pairwise(route):
            for node in causes.nodes:
                if node.name in (source, target) or node.kind == "dot":
                    continue
                x, y = placed.at[node.name]
                left, right = x - widths[node.name] / 2, x + widths[node.name] / 2
                level = abs(y0 - y1) < 1e-9  # what is not level lies between two layers
                assert not (level and abs(y0 - y) < _BOX / 2 and x0 < right - 1e-6 and x1 > left + 1e-6), (source, node)
                assert level or x1 <= left + 1e-6 or x0 >= right - 1e-6, (source, target, node.name)


def test_the_figure_has_a_box_a_node_and_a_line_an_edge():
    figure = SCHOOL.dag()
    (ax,) = figure.axes
    causes = causes_of(SCHOOL, random=True)
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    lines = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(boxes) == sum(node.kind != "dot" for node in causes.nodes)
    assert len(lines) == len(causes.edges) + 1
    dashed = [box for box in boxes if box.get_linestyle() not in ("-", "solid")]
    assert len(dashed) == 4  # wealth and three factors


def test_it_says_what_it_shows():
    said = SCHOOL.dag(random=False).alt
    assert "wealth (not observed) causes years and ses" in said
    assert "arm and iq act together" in said
    assert "ses and iq are drawn together" in said
    assert said.endswith(
        "Of the school: wealth; of the class: years, arm, ses_mean; of the row: ses, iq, sleep, effort, score."
    )


def test_what_varies_by_nothing_has_no_arrow():
    flat = SCHOOL.with_(ranef={"class": {"sd": [0, 0]}, "school": {"sd": 1}, "item": {"sd": 0}})
    assert [node.name for node in causes_of(flat, random=True).nodes if node.kind == "effect"] == ["effects of school"]
    assert ("iq", "score") not in arrows(flat)


def test_a_null_has_no_arrows():
    null = ms.scenarios.therapist_plain().with_(fixef={"Intercept": 0, "depression": 0, "sex": 0})
    assert arrows(null) == set()
    assert "no arrows" in null.dag(random=False).alt


def test_what_is_no_population():
    with pytest.raises(ms.MixedsimError, match=r"^plot\.dag draws a Population, found str\.$"):
        plot.dag("y ~ x")


GAPS = ms.scenarios.therapist_confounder().with_(
    problems=[
        ms.Missing("price", 0.05),
        ms.Missing("sex", "logistic(depression - 9)"),
        ms.Missing("anxiety", "logistic(0.1 * (anxiety - 70) + ses)"),
        ms.MeasurementError("depression", sd=1),
    ]
)


def test_what_decides_about_missing_values_has_an_arrow():
    causes = causes_of(GAPS, random=False, gaps=True)
    gaps = {node.name: node.lane for node in causes.nodes if node.kind == "gap"}
    assert gaps == {"R_price": "therapist", "R_sex": "row", "R_anxiety": "row"}
    into = {(edge.source, edge.target) for edge in causes.edges if edge.target in gaps}
    assert into == {("depression", "R_sex"), ("anxiety", "R_anxiety"), ("ses", "R_anxiety")}


def test_missing_values_stand_right_of_the_response_and_only_when_asked_for():
    causes = causes_of(GAPS, random=True, gaps=True)
    placed = layered(causes, {node.name: _width(node) for node in causes.nodes}, _BOX)
    response = placed.at["anxiety"][0]
    assert all(placed.at[name][0] > response for name in ("R_price", "R_sex", "R_anxiety"))
    assert not any(node.kind == "gap" for node in causes_of(GAPS, random=True).nodes)


def test_alt_text_says_what_missing_values_depend_on():
    said = plot.dag(GAPS, missing=True).alt
    assert "whether price is missing depends on nothing" in said
    assert "whether anxiety is missing depends on ses and anxiety" in said
    assert "causes R_" not in said
    assert "dropout depends on score" in plot.dag(ms.scenarios.dropout_trial(), missing=True).alt


@pytest.mark.parametrize("name", ms.scenarios.names())
def test_every_scenario_draws_with_its_missing_values(name):
    population = getattr(ms.scenarios, name)()
    causes = causes_of(population, random=True, gaps=True)
    placed = layered(causes, {node.name: _width(node) for node in causes.nodes}, _BOX)
    places = list(placed.at.values())
    assert len({(round(x, 6), round(y, 6)) for x, y in places}) == len(places)
