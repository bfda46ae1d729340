"""Where the time of a small fit goes: shares of its stages, and how many NumPy and LAPACK calls they are.

Run ``python benchmarks/small_fits.py [--rounds 300]``; the table is printed and written to
``benchmarks/results/small_fits.md``. The stages are timed turn by turn in one process, so that a busy machine slows all
of them alike, and given as shares of the whole `lmer` call. Beside them stands one product
of 30 × 30 matrices, the size of Penicillin's: a stage is many calls of next to no work.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import mixedsim as ms
from mixedsim.design import build
from mixedsim.engine import Objective, minimise, pose
from mixedsim.engine.start import start
from mixedsim.formula import parse

MODELS = {
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "Penicillin": "diameter ~ 1 + (1 | plate) + (1 | sample)",
    "nlschools": "lang ~ IQ + GS + SES + COMB + (IQ | class)",
}
HERE = Path(__file__).parent


def calls_of(stage: Callable[[], object]) -> int:
    """How many functions written in C one run of the stage calls."""
    stage()  # what is imported and remembered at the first call is none of its own
    profile = cProfile.Profile()
    profile.runcall(stage)
    counted = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return sum(calls for (file, _, _), (_, calls, *_) in counted.items() if file == "~")


def medians(stages: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each stage, timed turn by turn."""
    taken: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(rounds):
        for name, stage in stages.items():
            begin = time.perf_counter()
            stage()
            taken[name].append(time.perf_counter() - begin)
    return {name: statistics.median(times) for name, times in taken.items()}


def row(name: str, formula: str, rounds: int) -> str:
    """One line of the table."""
    data, parsed = ms.datasets.load(name), parse(formula)
    design = build(parsed, data)
    problem = pose(design)
    objective = Objective(problem.cp, problem.layout, reml=True)
    begin = start(problem.cp, problem.layout, objective.blocks)
    at = objective.evaluate(begin)
    optimum = minimise(objective)
    small = np.eye(30)
    stages: dict[str, Callable[[], object]] = {
        "whole": lambda: ms.lmer(formula, data),
        "design": lambda: build(parsed, data),
        "cross-products": lambda: pose(design),
        "start": lambda: start(problem.cp, problem.layout, objective.blocks),
        "deviance and gradient": lambda: objective.evaluate(begin),
        "curvature": lambda: objective.curvature(at),
        "product": lambda: small @ small,
    }
    calls = {stage: calls_of(call) for stage, call in stages.items()}
    taken = medians(stages, rounds)
    share = {stage: 100 * seconds / taken["whole"] for stage, seconds in taken.items()}
    n = optimum.evaluations
    cells = [f"{share[s]:.0f} ({calls[s]})" for s in ("design", "cross-products", "start")]
    cells += [f"{n} × {share[s]:.1f} ({calls[s]})" for s in ("deviance and gradient", "curvature")]
    written = formula.replace("|", "\\|")
    return f"| {name}, `{written}` | {' | '.join(cells)} | {calls['whole']} | {share['product']:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    lines = [
        "# Where the time of a small fit goes",
        "",
        "`python benchmarks/small_fits.py`: per cent of one `lmer` call, in brackets the calls of compiled functions.",
        f"mixedsim {ms.__version__}, NumPy {np.__version__}, Python {sys.version.split()[0]}.",
        "",
        "| model | design | cross-products | start | deviance, gradient | curvature | all calls | a 30 × 30 product |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(row(name, formula, rounds) for name, formula in MODELS.items()),
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    (HERE / "results" / "small_fits.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
