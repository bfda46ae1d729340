"""How much longer a draw takes than the bare random numbers in it, and how much memory data of any length take.

Run ``python benchmarks/draw_speed.py [--therapists 20000] [--rounds 15] [--rows 1e7] [--files 1e8]``. For every
therapist population it times, turn by turn in one process, a draw and nothing but the NumPy generator calls that the
population needs, and prints the median of the ratios. Turn by turn, because a machine that is busy slows both. Then it
writes files with the command, in processes of their own whose largest memory is asked for when they end.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import mixedsim as ms
from mixedsim.simulate import Population, scenarios

PATIENTS = 50


def bare(population: Population, rows: int) -> Callable[[], None]:
    """The generator calls of a population, results thrown away."""
    therapists = rows // PATIENTS
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


def in_chunks(population: Population, rows: float) -> None:
    """A draw in chunks, each thrown away when the next one comes."""
    for _ in population.draw_chunks(seed=1, rows=rows):
        pass


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compared(name: str, what: str, draw: Callable[[], object], numbers: Callable[[], None], rounds: int) -> list[str]:
    """One row of the table: medians in ms, and the median of the ratios."""
    draw()
    pairs = [(seconds(numbers), seconds(draw)) for _ in range(rounds)]
    without, with_ = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    ratios = sorted(whole / alone for alone, whole in pairs)
    return [name, what, f"{without:.0f}", f"{with_:.0f}", f"{statistics.median(ratios):.2f}"]


def speeds(rounds: int, rows: int, long: int) -> list[list[str]]:
    """Every therapist population in memory, the last of them in chunks too."""
    table = []
    for name in scenarios.names():
        if name.startswith("therapist_"):
            population = getattr(scenarios, name)(therapists=rows // PATIENTS, patients=PATIENTS)
            draw = partial(population.draw, seed=1)
            table.append(compared(name, f"{rows:,} rows in memory", draw, bare(population, rows), rounds))
    population = scenarios.therapist_intervention()
    chunked = partial(in_chunks, population, long)
    what = f"{long:,} rows in chunks"
    return [*table, compared("therapist_intervention", what, chunked, bare(population, long), max(rounds // 3, 3))]


def files(rows: int) -> list[list[str]]:
    """The command writes `rows` rows, and a tenth and a hundredth of them: seconds, size, largest memory."""
    kinds = ["csv", "parquet"] if importlib.util.find_spec("pyarrow") else ["csv"]
    table = []
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.yml"
        scenarios.therapist_intervention().to_yaml(spec)
        for kind in kinds:
            for many in (rows // 100, rows // 10, rows):
                target = Path(folder) / f"data.{kind}"
                command = ["-m", "mixedsim.cli", "draw", str(spec), "--rows", str(many), "-o", str(target)]
                start = time.perf_counter()
                pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *command])
                _, status, used = os.wait4(pid, 0)
                if status:
                    raise SystemExit(f"{' '.join(command)} failed")
                took = time.perf_counter() - start
                size = target.stat().st_size / 1e6
                table.append([kind, f"{many:,}", f"{took:.0f}", f"{size:,.0f}", f"{used.ru_maxrss / 1024:.0f}"])
                target.unlink()
    return table


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--therapists", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--files", type=float, default=1e8)
    given = parser.parse_args()
    fast = speeds(given.rounds, given.therapists * PATIENTS, int(given.rows))
    written = files(int(given.files))
    text = (
        f"# Speed of drawing\n\n`python benchmarks/draw_speed.py`: median of {given.rounds} rounds, one thread; bare: "
        f"the NumPy generator calls\nthat the population needs, and nothing else. mixedsim {ms.__version__}, NumPy "
        f"{np.__version__}.\n\n"
        + markdown(["population", "drawn", "bare, ms", "draw, ms", "ratio"], fast)
        + "\n## Into files, a chunk at a time\n\n`mixedsim draw spec.yml --rows … -o data.…`, therapist_intervention, "
        "one process. Memory: the largest resident set,\nPython and its libraries included.\n\n"
        + markdown(["file", "rows", "seconds", "MB written", "MB of memory"], written)
    )
    sys.stdout.write(text)
    (Path(__file__).parent / "results" / "draw_speed.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
