"""Drawing until the lesson shows: the right sample, counted honestly, and refused where it would be picking."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy.stats import binom

import mixedsim as ms
from mixedsim.simulate.lesson import drawn, shows_lesson
from mixedsim.simulate.lesson.walking import STRIDE
from mixedsim.simulate.rseed import RSeed
from mixedsim.simulate.sample import draw

CLINIC = ms.Population(
    "anxiety ~ depression + (1 | therapist)",
    clusters={"therapist": 5},
    size=4,
    variables={"depression": ms.Normal(5, 2), "sex": ms.Bernoulli(0.5)},
    fixef={"Intercept": 45, "depression": 0},
    ranef={"therapist": {"sd": [1]}},
    sigma=8,
)
HALF = CLINIC.with_(lesson="pooled(depression) > 0")  # holds in every second draw, by symmetry


def rare(share: float) -> ms.Population:
    """A population whose lesson holds in about this share of the draws: the mean of a uniform number lies low."""
    variables = {"depression": ms.Normal(5, 2), "luck": ms.Uniform(0, 1, level="therapist")}
    return CLINIC.with_(clusters={"therapist": 1}, size=2, variables=variables, lesson=f"mean(luck) < {share}")


def test_the_sample_shows_its_lesson_and_is_the_first_that_does() -> None:
    skipped = []
    for seed in range(40):
        sample = HALF.draw(seed, lesson=True)
        assert shows_lesson(sample)
        assert sample.truth.seed == seed + sample.truth.skipped * STRIDE
        pd.testing.assert_frame_equal(sample.data, CLINIC.draw(sample.truth.seed).data, check_exact=True)
        assert not any(shows_lesson(HALF.draw(seed + k * STRIDE)) for k in range(sample.truth.skipped))
        skipped.append(sample.truth.skipped)
    assert 0 < sum(skipped) / 40 < 2.1  # geometric with mean 1 and variance 2: six standard errors
    assert max(skipped) > 1


def test_the_same_seed_gives_the_same_sample_and_neighbours_do_not_share_one() -> None:
    samples = {seed: HALF.draw(seed, lesson=True) for seed in range(20)}
    HALF.draw(3, lesson=True)
    for seed, sample in samples.items():
        pd.testing.assert_frame_equal(HALF.draw(seed, lesson=True).data, sample.data, check_exact=True)
    assert len({sample.truth.seed for sample in samples.values()}) == 20


def test_without_asking_nobody_walks() -> None:
    for seed in range(5):
        sample = HALF.draw(seed)
        assert sample.truth.seed == seed
        assert sample.truth.skipped == 0
        pd.testing.assert_frame_equal(HALF.draw(seed, lesson=False).data, sample.data)


def test_the_truth_says_how_many_were_skipped() -> None:
    sample = next(s for s in (HALF.draw(seed, lesson=True) for seed in range(40)) if s.truth.skipped == 2)
    assert str(sample.truth).splitlines()[0] == (
        f"Truth of population, seed {sample.truth.seed} (2 before it did not show the lesson)"
    )
    again = HALF.draw(sample.truth.seed)
    assert again.truth == sample.truth, "how it was found is no part of what is true"


def test_a_lesson_is_about_the_data_that_the_reader_gets() -> None:
    population = CLINIC.with_(problems=[ms.Missing("anxiety", 0.3)], lesson="missing(anxiety) == 0.25")
    sample = population.draw(1, lesson=True)
    assert sample.data["anxiety"].isna().sum() == 5
    assert sample.truth.complete["anxiety"].notna().all()


def test_a_function_may_say_it() -> None:
    population = CLINIC.with_(lesson=lambda sample: sample.truth.residuals.iloc[0] > 0)
    for seed in range(5):
        assert population.draw(seed, lesson=True).truth.residuals.iloc[0] > 0
    with pytest.raises(ms.PopulationError) as caught:
        CLINIC.with_(lesson=lambda sample: 5).draw(1, lesson=True)
    assert str(caught.value) == "lesson must be a function that returns True or False, found 5."


def test_a_lesson_that_hardly_ever_shows_is_refused_with_the_rate() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        CLINIC.with_(lesson="pooled(depression) > 100").draw(1, lesson=True)
    assert str(caught.value) == (
        "lesson shows in only 0 of the 100 draws of the seeds 0 to 99, and fewer than 1 in 20 would be picked, not "
        "drawn: change the population or the lesson 'pooled(depression) > 100'."
    )


def test_the_verdict_is_that_of_one_hundred_draws_and_the_same_for_all_seeds() -> None:
    let_through = 0
    for share in (0.01, 0.03, 0.05, 0.07, 0.15):
        population = rare(share)
        shown = sum(shows_lesson(population.draw(seed)) for seed in range(100))
        for seed in (0, 7, 12345):
            if shown >= 5:
                assert shows_lesson(population.draw(seed, lesson=True))
                let_through += 1
                continue
            with pytest.raises(
                ms.PopulationError, match=f"^lesson shows in only {shown} of the 100 draws of the seeds"
            ):
                population.draw(seed, lesson=True)
    assert 3 <= let_through <= 12, "some are let through, some are not"
    assert let_through % 3 == 0


def test_a_lesson_must_be_there_to_be_asked_for() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        CLINIC.draw(1, lesson=True)
    assert str(caught.value) == (
        "lesson is missing: say what a sample must show, as in lesson='pooled(x) < 0 < within(x)'."
    )
    with pytest.raises(ms.PopulationError) as caught:
        HALF.draw(1, lesson="pooled(depression) > 0")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "lesson is True or False in a draw, and text in the population; found 'pooled(depression) > 0'."
    )


def test_generators_and_no_seed() -> None:
    import numpy as np

    one, other = (HALF.draw(np.random.default_rng(5), lesson=True) for _ in range(2))
    pd.testing.assert_frame_equal(one.data, other.data, check_exact=True)
    assert shows_lesson(HALF.draw(lesson=True))


def test_numbers_of_another_program_are_not_walked() -> None:
    with pytest.raises(ms.PopulationError) as caught:
        drawn(HALF, RSeed(123), draw, lesson=True)
    assert str(caught.value) == "seed must be an integer where lesson=True walks on from it, found RSeed(123)."


def test_how_often_a_rate_is_refused_is_as_documented() -> None:
    refused = {p: binom.cdf(4, 100, p) for p in (0.01, 0.02, 0.05, 0.1)}
    assert refused == pytest.approx({0.01: 0.997, 0.02: 0.949, 0.05: 0.436, 0.1: 0.024}, abs=6e-4)
