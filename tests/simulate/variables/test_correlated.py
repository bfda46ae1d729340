"""Variables drawn together: their correlations, inside clusters and between them, and how a population holds them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mixedsim as ms
from mixedsim.simulate.variables import Member
from tests.simulate.variables.populations import NESTED, data, population

N = 100_000
STANDARD_ERRORS = 4.5  # as in test_moments
TWO = [ms.Normal(0, 1), ms.Normal(10, 3)]
THREE = [ms.Normal(0, 1), ms.Normal(0, 2), ms.Normal(5, 0.5)]
MATRIX = [[1, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 1]]


def close_correlation(x: np.ndarray, z: np.ndarray, r: float, n: int | None = None) -> None:
    """The sample correlation is r to within its standard error, (1 − r²) / √n for normal variables."""
    error = (1 - r**2) / np.sqrt(n or len(x))
    assert abs(np.corrcoef(x, z)[0, 1] - r) <= STANDARD_ERRORS * error + 1e-12


def rows(key: object, block: ms.Correlated) -> pd.DataFrame:
    return data({key: block}, {"g": N // 10}, size=10)


class TestOneLevel:
    @pytest.mark.parametrize("r", [0, 0.5, -0.9, 1, -1])
    def test_normals_have_exactly_this_correlation(self, r: float) -> None:
        table = rows("x, z", ms.Correlated(TWO, corr=r))
        close_correlation(table["x"], table["z"], r)
        assert abs(table["z"].mean() - 10) < STANDARD_ERRORS * 3 / np.sqrt(N)
        assert abs(table["z"].std() - 3) < STANDARD_ERRORS * 3 / np.sqrt(2 * N)

    def test_a_matrix(self) -> None:
        table = rows(("a", "b", "c"), ms.Correlated(THREE, corr=MATRIX))
        for i, x in enumerate("abc"):
            for j, z in enumerate("abc"[:i]):
                close_correlation(table[x], table[z], MATRIX[i][j])

    def test_one_number_is_meant_for_every_pair(self) -> None:
        table = rows("a, b, c", ms.Correlated(THREE, corr=0.4))
        for x, z in ["ab", "ac", "bc"]:
            close_correlation(table[x], table[z], 0.4)

    @pytest.mark.parametrize("r", [0.5, -0.8])
    def test_ranks_of_continuous_variables(self, r: float) -> None:
        """Spearman's correlation is 6/π · arcsin(r / 2) whatever the marginals are."""
        table = rows("x, z", ms.Correlated([ms.LogNormal(0, 1), ms.Beta(2, 5)], corr=r))
        spearman = np.corrcoef(stats.rankdata(table["x"]), stats.rankdata(table["z"]))[0, 1]
        assert abs(spearman - 6 / np.pi * np.arcsin(r / 2)) < STANDARD_ERRORS / np.sqrt(N)

    def test_two_coins(self) -> None:
        table = rows("x, z", ms.Correlated([ms.Bernoulli(0.5), ms.Bernoulli(0.5)], corr=0.5))
        assert abs(table["x"].corr(table["z"]) - 2 / np.pi * np.arcsin(0.5)) < STANDARD_ERRORS / np.sqrt(N)

    def test_lognormals_have_the_correlation_of_the_formula(self) -> None:
        table = rows("x, z", ms.Correlated([ms.LogNormal(0, 0.3), ms.LogNormal(1, 0.4)], corr=0.7))
        expected = (np.exp(0.7 * 0.3 * 0.4) - 1) / np.sqrt((np.exp(0.09) - 1) * (np.exp(0.16) - 1))
        assert abs(table["x"].corr(table["z"]) - expected) < 0.01

    def test_higher_scores_are_later_levels(self) -> None:
        block = ms.Correlated([ms.Normal(0, 1), ms.Categorical(["low", "middle", "high"])], corr=0.9)
        means = rows("x, z", block).groupby("z", observed=True)["x"].mean()
        assert means["low"] < -0.8 < means["middle"] < 0.8 < means["high"]

    def test_expressions_are_met_first(self) -> None:
        table = data(
            {"s": ms.Normal(0, 1), "x, z": ms.Correlated([ms.Normal("2 * s", 1), ms.Normal("s", "exp(s)")], corr=0.5)},
            {"g": N // 10},
            size=10,
        )
        s = table["s"]
        close_correlation(table["x"] - 2 * s, (table["z"] - s) / np.exp(s), 0.5)
        close_correlation(table["x"] - 2 * s, s, 0)

    def test_members_of_a_cluster_are_constant_in_it(self) -> None:
        members = [ms.Normal(0, 1, level="school"), ms.Normal(0, 1, level="school")]
        one = population({"x, z": ms.Correlated(members, corr=0.8)}, {**NESTED, "school": 2000}, size=1)
        assert one.plan.levels == {"x": "school", "z": "school"}
        table = one.draw(1).data
        assert table.groupby("school", observed=True)[["x", "z"]].nunique().eq(1).all(axis=None)
        schools = table.drop_duplicates("school")
        close_correlation(schools["x"], schools["z"], 0.8)

    def test_a_hidden_member_stays_in_the_truth(self) -> None:
        members = [ms.Normal(0, 1), ms.Normal(0, 1, observed=False)]
        sample = population({"x, u": ms.Correlated(members, corr=0.9)}, size=200).draw(1)
        assert "u" not in sample.data
        close_correlation(sample.data["x"], sample.truth.hidden["u"], 0.9)


class TestTwoLevels:
    J, M = 4000, 10
    ICC = (0.3, 0.1)
    WITHIN, BETWEEN = 0.4, -0.5

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls) -> pd.DataFrame:
        block = ms.Correlated(TWO, within=cls.WITHIN, between=cls.BETWEEN, by="g", icc=cls.ICC)
        return data({"x, z": block}, {"g": cls.J}, size=cls.M)

    def test_the_sd_of_each_stays(self, table: pd.DataFrame) -> None:
        for name, sd, icc in [("x", 1, 0.3), ("z", 3, 0.1)]:
            effective = self.J * self.M / (1 + (self.M - 1) * icc)
            assert abs(table[name].std() / sd - 1) < STANDARD_ERRORS / np.sqrt(2 * effective)

    def test_intraclass_correlations(self, table: pd.DataFrame) -> None:
        """ANOVA estimator; its standard error by Fisher (1925): √(2 / J(m − 1)m) · (1 − ρ)(1 + (m − 1)ρ)."""
        for name, icc in zip("xz", self.ICC, strict=True):
            groups = table.groupby("g", observed=True)[name]
            between, within = self.M * groups.mean().var(), groups.var().mean()
            found = (between - within) / (between + (self.M - 1) * within)
            error = np.sqrt(2 / (self.J * self.M * (self.M - 1))) * (1 - icc) * (1 + (self.M - 1) * icc)
            assert abs(found - icc) < STANDARD_ERRORS * error

    def test_correlation_inside(self, table: pd.DataFrame) -> None:
        inside = table[["x", "z"]] - table.groupby("g", observed=True)[["x", "z"]].transform("mean")
        close_correlation(inside["x"], inside["z"], self.WITHIN, n=self.J * (self.M - 1))

    def test_correlation_between(self, table: pd.DataFrame) -> None:
        """Means of m rows still hold a share of what varies inside: add it to what is expected."""
        means = table.groupby("g", observed=True)[["x", "z"]].mean()
        above, below = np.sqrt(np.prod(self.ICC)), np.sqrt(np.prod(np.subtract(1, self.ICC)))
        covariance = above * self.BETWEEN + below * self.WITHIN / self.M
        variances = [icc + (1 - icc) / self.M for icc in self.ICC]
        close_correlation(means["x"], means["z"], covariance / np.sqrt(np.prod(variances)))

    def test_correlation_of_all(self, table: pd.DataFrame) -> None:
        above, below = np.sqrt(np.prod(self.ICC)), np.sqrt(np.prod(np.subtract(1, self.ICC)))
        close_correlation(table["x"], table["z"], above * self.BETWEEN + below * self.WITHIN, n=self.J)

    def test_what_a_unit_has_is_independent_of_what_its_rows_have(self, table: pd.DataFrame) -> None:
        """Also of the rows that are as many-eth as the unit, which the same random numbers would make."""
        means = table.groupby("g", observed=True)["x"].mean().to_numpy()
        inside = (table["x"] - table.groupby("g", observed=True)["x"].transform("mean")).to_numpy()
        close_correlation(means, inside[: self.J], 0)
        close_correlation(means, inside[:: self.M], 0)

    def test_everything_between(self) -> None:
        block = ms.Correlated(TWO, within=0.4, between=-0.5, icc=1)
        table = data({"x, z": block}, {"g": 2000}, size=3)
        assert table.groupby("g", observed=True)["x"].nunique().eq(1).all()
        close_correlation(table["x"], table["z"], -0.5, n=2000)

    def test_nothing_between(self) -> None:
        table = data({"x, z": ms.Correlated(TWO, within=0.4, between=-0.5, icc=0)}, {"g": 2000}, size=10)
        close_correlation(table["x"], table["z"], 0.4)
        means = table.groupby("g", observed=True)["x"].mean()
        assert abs(means.std() * np.sqrt(10) - 1) < STANDARD_ERRORS / np.sqrt(2 * 2000)

    def test_classes_in_schools(self) -> None:
        members = [ms.Normal(0, 1, level="class"), ms.Normal(0, 1, level="class")]
        block = ms.Correlated(members, within=0.8, between=-0.8, by="school", icc=0.5)
        table = data({"x, z": block}, {"school": 3000, "class": {"in": "school", "n": 4}}, size=2)
        classes = table.drop_duplicates("class")
        assert table.groupby("class", observed=True)["x"].nunique().eq(1).all()
        inside = classes[["x", "z"]] - classes.groupby("school", observed=True)[["x", "z"]].transform("mean")
        close_correlation(inside["x"], inside["z"], 0.8, n=9000)

    def test_other_marginals_keep_their_distribution(self) -> None:
        block = ms.Correlated([ms.Poisson(3), ms.Beta(2, 2)], within=0.5, between=0.5, icc=0.2)
        table = data({"k, b": block}, {"g": 4000}, size=10)
        effective = 40_000 / (1 + 9 * 0.2)
        assert abs(table["k"].mean() - 3) < STANDARD_ERRORS * np.sqrt(3 / effective)
        assert abs(table["b"].mean() - 0.5) < STANDARD_ERRORS * np.sqrt(0.05 / effective)
        assert abs((table["k"] == 0).mean() - np.exp(-3)) < STANDARD_ERRORS * np.sqrt(0.05 / effective)


class TestStreams:
    def test_the_first_is_as_it_would_be_alone(self) -> None:
        alone = data({"x": ms.Normal(2, 3)})["x"]
        np.testing.assert_allclose(data({"x, z": ms.Correlated([ms.Normal(2, 3), TWO[0]], corr=0.5)})["x"], alone)

    def test_one_member_more_leaves_the_others_as_they_were(self) -> None:
        two = data({"a, b": ms.Correlated(TWO, corr=0.6)})
        three = data({"a, b, c": ms.Correlated([*TWO, ms.Poisson(3)], corr=MATRIX)})
        np.testing.assert_allclose(three[["a", "b"]], two[["a", "b"]])

    def test_other_variables_stay(self) -> None:
        before = data({"w": ms.Normal(0, 1), "v": ms.Bernoulli("logistic(w)")})
        after = data({"w": ms.Normal(0, 1), "x, z": ms.Correlated(TWO, corr=0.6), "v": ms.Bernoulli("logistic(w)")})
        pd.testing.assert_frame_equal(after[before.columns], before)


class TestInAPopulation:
    ONE = population({"w": ms.Normal(0, 1), "x, z": ms.Correlated(TWO, corr=0.5), "d": ms.Derived("x + z")})

    def test_each_has_its_own_name(self) -> None:
        assert list(self.ONE.variables) == ["w", "x", "z", "d"]
        assert isinstance(self.ONE.variables["z"], Member)
        assert self.ONE.variables["z"].marginal == TWO[1]
        assert self.ONE.variables["z"].observed
        assert list(self.ONE.draw(1).data.columns) == ["g", "w", "x", "z", "d", "y"]

    @pytest.mark.parametrize("key", ["x,z", " x , z ", ("x", "z")])
    def test_the_key_can_be_written_in_several_ways(self, key: object) -> None:
        variables = {"w": ms.Normal(0, 1), key: ms.Correlated(TWO, corr=0.5), "d": ms.Derived("x + z")}
        assert population(variables) == self.ONE

    def test_its_variables_make_it_again(self) -> None:
        assert self.ONE.with_(variables=self.ONE.variables) == self.ONE
        assert hash(self.ONE.with_(variables=dict(self.ONE.variables))) == hash(self.ONE)
        assert eval(repr(self.ONE), vars(ms)) == self.ONE

    def test_members_stay_together_whatever_the_order(self) -> None:
        v = self.ONE.variables
        other = self.ONE.with_(variables={"z": v["z"], "w": v["w"], "x": v["x"], "d": v["d"]})
        assert list(other.variables) == ["x", "z", "w", "d"]

    def test_all_can_be_replaced_at_once(self) -> None:
        new = ms.Correlated(TWO, corr=-0.5)
        other = self.ONE.with_(variables={**self.ONE.variables, "x, z": new})
        assert list(other.variables) == ["w", "x", "z", "d"]
        assert other.variables["x"].block == new
        assert other != self.ONE

    def test_the_others_can_be_replaced_around_them(self) -> None:
        other = self.ONE.with_(variables={**self.ONE.variables, "w": ms.Poisson(2)})
        assert other.variables["x"] == self.ONE.variables["x"]

    def test_yaml(self) -> None:
        text = self.ONE.to_yaml()
        line = "  x, z: {kind: Correlated, members: [{kind: Normal, mean: 0, sd: 1}, {kind: Normal, mean: 10, sd: 3}], "
        assert line + "corr: 0.5}\n" in text
        assert ms.Population.from_yaml(text) == self.ONE

    def test_equations(self) -> None:
        assert re.search(r"\n  xᵢⱼ +~ Normal\(0, sd 1\)\n", str(self.ONE))
        assert "  corr(xᵢⱼ, zᵢⱼ) = 0.5\n" in str(self.ONE)
        block = ms.Correlated([*TWO, ms.Poisson(3)], within=MATRIX, between=0, icc=[0.1, 0.2, 0.3])
        lines = str(population({"a, b, c": block})).splitlines()
        written = [line.split(" = ")[1] for line in lines if "ICC(" in line or "corr(" in line]
        assert written == [
            "0.1 by g",
            "0.2 by g",
            "0.3 by g",
            "0.6 in each g, 0 between them (of normal scores)",
            "−0.3 in each g, 0 between them (of normal scores)",
            "0.2 in each g, 0 between them (of normal scores)",
        ]

    def test_the_only_cluster_is_understood(self) -> None:
        block = ms.Correlated(TWO, within=0, between=0.5, icc=0.2)
        explicit = ms.Correlated(TWO, within=0, between=0.5, icc=0.2, by="g")
        assert population({"x, z": block}) == population({"x, z": explicit})


BLOCK = ms.Correlated(TWO, corr=0.5)
WRONG = [
    ({"x, y z": BLOCK}, "variables.x, y z must be a name of letters, digits and underscores, found 'y z'."),
    ({"x, x": BLOCK}, "variables.x, x must name different variables."),
    ({"x,": BLOCK}, "variables.x,  must be a name of letters, digits and underscores, found ''."),
    ({(): BLOCK}, "variables. must name different variables."),
    ({5: BLOCK}, "variables.5 must be a name of letters, digits and underscores, found 5."),
    (
        {"x, z": ms.Derived("w")},
        "variables.x, z must be Correlated, because it names 2 variables, found Derived(expr='w', observed=True).",
    ),
    ({"x, z, w": BLOCK}, "variables.x, z, w names 3 variables, but Correlated has 2 members."),
    ({"x": BLOCK}, "variables.x is Correlated, whose key must name each of its members, as in 'x, z'."),
    (
        {"x": {"kind": "Correlated", "members": [], "corr": 0}},
        "variables.x is Correlated, whose key must name each of its members, as in 'x, z'.",
    ),
    ({"x": ms.Normal(0, 1), "x, z": BLOCK}, "variables.x, z gives 'x' twice: names must differ."),
    ({"x, z": BLOCK, "x,z": BLOCK}, "variables.x, z is given twice."),
    ({"x, z": BLOCK, "z, w": BLOCK}, "variables.z, w gives 'z' twice: names must differ."),
    (
        {"x, z": {"kind": "Correlated", "members": [{"kind": "Normal", "mean": 0, "sd": -1}] * 2, "corr": 0}},
        "variables.x, z.members.1.sd must not be negative, found -1.",
    ),
    ({"x, z": {"kind": "Correlated", "corr": 0}}, "variables.x, z.members is missing."),
    (
        {"x, z": {"kind": "Correlated", "members": [], "cor": 0}},
        "variables.x, z.cor is not a field: did you mean 'corr'?",
    ),
    (
        {"x, z": ms.Correlated([ms.Normal("w", 1), TWO[0]], corr=0)},
        "variables.x, z.members.1.mean uses 'w', which is not an earlier variable: there is none before it.",
    ),
    (
        {"x, z": ms.Correlated([TWO[0], ms.Normal("x", 1)], corr=0)},
        "variables.x, z.members.2.mean uses 'x', which is drawn together with z.",
    ),
    (
        {"x, z": ms.Correlated([ms.Normal("z", 1), TWO[0]], corr=0)},
        "variables.x, z.members.1.mean uses 'z', which is drawn together with x.",
    ),
    (
        {"x, z": ms.Correlated([ms.Normal("x", 1), TWO[0]], corr=0)},
        "variables.x, z.members.1.mean uses 'x' itself.",
    ),
    (
        {"x, z": ms.Correlated(TWO, within=0, between=0, icc=0.1, by="h")},
        "variables.x, z.by must be a cluster, found 'h': known are 'g'.",
    ),
    (
        {"x, z": ms.Correlated([ms.Normal(0, 1, level="g")] * 2, within=0, between=0, icc=0.1)},
        "variables.x, z.by is 'g', but no g holds several units of g.",
    ),
]


@pytest.mark.parametrize(("variables", "message"), WRONG, ids=[message[:60] for _, message in WRONG])
def test_a_block_that_cannot_be(variables: dict[object, object], message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population(variables)
    assert str(caught.value) == message


def test_with_several_clusters_one_must_be_chosen() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        population({"x, z": ms.Correlated(TWO, within=0, between=0, icc=0.1)}, NESTED)
    assert str(caught.value) == "variables.x, z.by must be given: which of school, class?"


@pytest.mark.parametrize("gone", ["x", "z"])
def test_one_member_cannot_be_replaced_alone(gone: str) -> None:
    one = TestInAPopulation.ONE
    left = "z" if gone == "x" else "x"
    with pytest.raises(ms.PopulationError) as caught:
        one.with_(variables={**one.variables, gone: ms.Normal(0, 1)})
    assert str(caught.value) == (
        f"variables.{left} is drawn together with others: replace 'x, z' as a whole, under that key."
    )


def test_a_parameter_that_leaves_its_bounds_in_a_draw() -> None:
    one = population({"w": ms.Normal(3, 1), "x, z": ms.Correlated([TWO[0], ms.Normal(0, "w")], corr=0.5)}, size=1000)
    with pytest.raises(ms.PopulationError, match=r"^variables\.z\.sd must not be negative, but 'w' reaches -[\d.]+\.$"):
        one.draw(1)


def test_correlations_may_miss_symmetry_by_rounding() -> None:
    members = [ms.Normal(0, 1), ms.Normal(0, 1)]
    assert ms.Correlated(members, corr=[[1, 0.3], [0.3 + 1e-16 * 3, 1]]).corr == pytest.approx(0.3)
    assert 0.3 + 1e-16 * 3 != 0.3
