"""How much longer a draw takes than the bare random numbers in it.

Run ``python benchmarks/draw_speed.py [--therapists 20000] [--rounds 15]``. For every therapist population it times,
turn by turn in one process, `Population.draw` and nothing but the NumPy generator calls that the population needs, and
prints the median of the ratios. Turn by turn, because a machine that is busy slows both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from mixedsim.simulate import Population, scenarios


def bare(population: Population, therapists: int, patients: int) -> Callable[[], None]:
    """The generator calls of a population, results thrown away."""
    rows = therapists * patients
    slopes = "depression" in population.plan.effects["therapist"].names

    def numbers() -> None:
        rng = np.random.default_rng(1)
        rng.normal(5, 2, rows)  # depression
        rng.random(rows)  # sex: the cheapest way to a coin, cheaper than binomial
        rng.normal(0, 8, rows)  # residuals
        rng.standard_normal(therapists * (1 + slopes))
        if "price" in population.variables:
            rng.uniform(0, 5, therapists)
        if "ses" in population.variables:
            rng.standard_normal(therapists)
        if "intervention" in population.variables:
            rng.integers(0, 2, therapists, endpoint=True)

    return numbers


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Print one line a population."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--therapists", type=int, default=20_000)
    parser.add_argument("--patients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    say = sys.stdout.write
    say(f"{given.therapists * given.patients:,} rows, median of {given.rounds} rounds\n")
    say(f"{'population':<24}{'bare, ms':>10}{'draw, ms':>10}{'ratio':>8}\n")
    for name in scenarios.names():
        population = getattr(scenarios, name)(therapists=given.therapists, patients=given.patients)
        numbers = bare(population, given.therapists, given.patients)
        population.draw(seed=1)
        draw = partial(population.draw, seed=1)
        pairs = [(seconds(numbers), seconds(draw)) for _ in range(given.rounds)]
        without, with_ = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
        ratio = statistics.median(whole / alone for alone, whole in pairs)
        say(f"{name:<24}{without:>10.1f}{with_:>10.1f}{ratio:>8.2f}\n")


if __name__ == "__main__":
    main()
