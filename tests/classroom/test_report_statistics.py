"""The report's numbers, by hand and by simulation."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixedsim.classroom.marking import Own, load_key
from mixedsim.classroom.marking.showcase import Showcase
from mixedsim.classroom.reporting.class_sampling import ClassIntervals, binomial_range, class_picture
from mixedsim.classroom.reporting.item_statistics import item_statistics, reliability
from mixedsim.classroom.reporting.known_answers import showcases_of
from mixedsim.errors import MixedsimError

RNG = np.random.default_rng(20)


def class_of(n, difficulties, *, loading=1.0, rng=RNG):
    """Right and wrong by the Rasch model."""
    ability = loading * rng.standard_normal((n, 1))
    right = rng.random((n, len(difficulties))) < 1 / (1 + np.exp(-(ability - np.asarray(difficulties))))
    return pd.DataFrame(right.astype(float), columns=[f"q{k + 1}" for k in range(len(difficulties))])


def ones(points):
    return pd.Series(1.0, index=points.columns)


def test_a_small_class_by_hand():
    """Six students, three questions worth 1, 1 and 4."""
    points = pd.DataFrame({"q1": [1, 1, 1, 1, 0, 0], "q2": [1, 0, 1, 0, 0, 0], "q3": [4, 4, 2, 0, 2, 0]}, dtype=float)
    found = item_statistics(points, pd.Series({"q1": 1.0, "q2": 1.0, "q3": 4.0}))
    assert found["n"].to_list() == [6, 6, 6]
    assert found["difficulty"].to_numpy() == pytest.approx([4 / 6, 2 / 6, 12 / 24])
    # q1 against q2 + q3 = 5 4 3 0 2 0: by the definition of the correlation
    rest = np.array([5, 4, 3, 0, 2, 0])
    assert found.loc["q1", "item_rest"] == pytest.approx(np.corrcoef(points["q1"], rest)[0, 1])
    # totals 6 5 4 1 2 0; 27 % are 1.62 students: the first and 0.62 of the second, the last and 0.62 of the next (1)
    assert found.loc["q2", "index"] == pytest.approx((1 + 0.62 * 0) / 1.62 - 0)
    assert found.loc["q3", "index"] == pytest.approx((1 + 0.62) / 1.62 - 0)


def test_equal_students_share_the_places_at_the_border_whatever_their_order():
    points = pd.DataFrame({"q1": [1, 0, 1, 0, 1, 0, 1, 0], "q2": [0, 1, 0, 1, 0, 1, 0, 1.0]})
    assert item_statistics(points.assign(q3=0.0), pd.Series(1.0, index=["q1", "q2", "q3"]))["index"].isna().all()
    points["q3"] = [1, 1, 1, 1, 0, 0, 0, 0.0]
    shuffled = points.sample(frac=1, random_state=1)
    one, other = (item_statistics(table, ones(table)) for table in (points, shuffled))
    pd.testing.assert_frame_equal(one, other)
    assert one.loc["q1", "index"] == pytest.approx(0.0)
    assert one.loc["q3", "index"] == pytest.approx(1.0)


def test_the_jackknife_leaves_out_one_student_after_the_other():
    points = class_of(25, [-0.5, 0.0, 0.7])
    found = item_statistics(points, ones(points))["item_rest_se"]
    for name in points:
        rest = points.drop(columns=name).sum(axis=1)
        without = np.array(
            [np.corrcoef(points[name].drop(i), rest.drop(i))[0, 1] for i in points.index]
        )  # fmt: skip
        assert found[name] == pytest.approx(np.sqrt(24 / 25 * ((without - without.mean()) ** 2).sum()))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("points", [[[1.0, 0.0]], [[1.0, 1.0]] * 5, np.empty((0, 2))])
def test_what_cannot_be_told_is_not_told(points):
    table = pd.DataFrame(points, columns=["q1", "q2"])
    found = item_statistics(table, ones(table))
    assert found[["item_rest", "index"]].isna().all(axis=None)
    assert np.isnan(reliability(table).alpha)


def test_known_difficulty_and_standard_errors_are_recovered():
    """400 classes of 100: the mean difficulty is the true one, and standard errors are as large as the scatter."""
    true = np.array([0.2, 0.5, 0.8])
    tables = [pd.DataFrame((RNG.random((100, 3)) < true).astype(float), columns=["q1", "q2", "q3"]) for _ in range(400)]
    found = [item_statistics(table, ones(table)) for table in tables]
    for column, expected in (("difficulty", true), ("item_rest", np.zeros(3))):
        values = np.array([one[column] for one in found])
        claimed = np.array([one[f"{column}_se"] for one in found]).mean(axis=0)
        scatter = values.std(axis=0, ddof=1)
        # the jackknife errs a little upwards, the scatter of 400 is known to 3.5 %
        assert claimed == pytest.approx(scatter, rel=0.15)
        assert np.abs(values.mean(axis=0) - expected).max() < 4 * scatter.max() / 20


def test_questions_that_measure_the_same_discriminate_and_one_that_does_not_does_not():
    points = class_of(2000, [-1, 0, 1, 0], loading=1.5)
    points["q4"] = (RNG.random(2000) < 0.5).astype(float)
    found = item_statistics(points, ones(points))
    assert (found["item_rest"].iloc[:3] > 0.2).all()
    assert abs(found.loc["q4", "item_rest"]) < 4 * found.loc["q4", "item_rest_se"]


def test_alpha_of_parallel_questions_and_its_interval():
    """Parallel normal questions: α = kρ / (1 + (k − 1)ρ), and 95 of 100 intervals hold it (600: ± 0.9 % each s.e.)."""
    k, rho = 5, 0.3
    true, hits = k * rho / (1 + (k - 1) * rho), 0
    for _ in range(600):
        x = np.sqrt(rho) * RNG.standard_normal((40, 1)) + np.sqrt(1 - rho) * RNG.standard_normal((40, k))
        found = reliability(pd.DataFrame(x))
        hits += found.lower <= true <= found.upper
    assert abs(hits / 600 - 0.95) < 4 * 0.009


@pytest.mark.parametrize("n", [1, 10, 60, 187, 500])
def test_the_binomial_range_against_sums_of_the_probabilities(n):
    p = np.array([comb(n, k) * 0.95**k * 0.05 ** (n - k) for k in range(n + 1)])
    low, high = binomial_range(n, 0.95)
    assert p[:low].sum() <= 0.025 < p[: low + 1].sum()
    assert p[high + 1 :].sum() <= 0.025 + 1e-12
    assert p[high:].sum() > 0.025


def intervals(n, *, share=0.95, seed=1, skipped=0):
    """Intervals of known normal estimates: `share` of them hold the truth, 2."""
    rng = np.random.default_rng(seed)
    half = {0.95: 1.959964, 0.7: 1.036433}[share]
    estimate = 2 + rng.standard_normal(n)
    table = pd.DataFrame({"estimate": estimate, "lower": estimate - half, "upper": estimate + half})
    table = table.assign(truth=2.0, skipped=float(skipped)).set_axis([f"s{k}" for k in range(n)])
    return ClassIntervals(Showcase("y ~ x + (1 | g)", "x"), table)


def test_hits_are_counted_and_compared_with_the_binomial():
    found = intervals(187)
    inside = found.table["lower"].le(2) & found.table["upper"].ge(2)
    assert found.hits == inside.sum()
    assert set(found.missers.index) == set(found.table.index[~inside])
    assert (found.missers["side"] == np.where(found.missers["estimate"] < 2, "below", "above")).all()
    said = " ".join(found.sentences())
    assert f"{found.hits} hold the truth, 2; {187 - found.hits} miss it" in said
    assert "171 to 183 hold the truth in 95 of 100 classes. So it is here." in said
    assert "Here they are fewer." in " ".join(intervals(187, share=0.7).sentences())
    assert "drawn more than once" in " ".join(intervals(20, skipped=2).sentences())


def test_classes_leave_the_range_as_rarely_as_it_says():
    """At most 5 % (of 2,000 classes; four Monte-Carlo errors)."""
    low, high = binomial_range(60, 0.95)
    hits = np.random.default_rng(3).binomial(60, 0.95, 2000)
    assert np.mean((hits < low) | (hits > high)) < 0.05 + 4 * 0.005


def test_a_fit_that_failed_is_counted_not_hidden():
    found = intervals(30)
    found.table.loc["s3", ["estimate", "lower", "upper"]] = np.nan
    assert "29 students have an interval each." in found.sentences()[0]
    assert "1 more have no interval" in " ".join(found.sentences())
    nobody = ClassIntervals(found.showcase, found.table.assign(lower=np.nan))
    assert nobody.sentences() == ["No student's data gave an interval for x."]


def test_the_picture_marks_missers_by_colour_and_shape_and_says_what_it_shows():
    found = intervals(187)
    sheet = class_picture(found)
    ax = sheet.axes[0]
    shapes = {line.get_marker(): len(line.get_xdata()) for line in ax.lines}
    assert shapes["^"] + shapes["v"] == 187 - found.hits
    assert [len(one.get_segments()) for one in ax.collections] == [found.hits, 187 - found.hits]
    assert f"{found.hits} hold the truth, 2, and {187 - found.hits} miss it." in sheet.alt


def test_a_showcase_that_is_wrong_says_so():
    own = Own("01-therapists", "ab123")
    with pytest.raises(MixedsimError, match=r"has no coefficient 'hour'; did you mean 'hours'\?"):
        Showcase("score ~ hours + (1 | tutor)", "hour").interval(own)
    with pytest.raises(MixedsimError, match=r"the truth of 'hour' is not known: name it with truth=; did you mean"):
        Showcase("score ~ hours + (1 | tutor)", "hour").true_value(own.truth)
    assert Showcase("score ~ hours + (1 | tutor)", "hour", truth=1.5).true_value(own.truth) == 1.5


KEYS = sorted((Path(__file__).parents[2] / "exercises" / "keys").glob("*.py"))


@pytest.mark.parametrize("path", KEYS, ids=lambda path: path.stem)
def test_every_assignment_shows_a_parameter_whose_truth_is_known(path):
    """Eight students: that more than half of right intervals miss has a probability of 2 in 100,000."""
    key = load_key(path)
    shown = showcases_of(key)
    assert shown
    for showcase in shown:
        hits = 0
        for number in range(8):
            own = Own(key.name, f"x{number}")
            estimate, lower, upper = showcase.interval(own)
            assert lower < estimate < upper
            hits += lower <= showcase.true_value(own.sample(showcase.part).truth) <= upper
        assert hits >= 4
