"""Jobs that other processes can import: quick ones, slow ones, and some that kill whoever runs them."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mixedsim import MixedsimError


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@dataclass(frozen=True)
class Toy:
    """Two rows a replicate, with numbers, gaps, text, categories and sentences."""

    n: int = 50
    size: int = 4
    seed: int = 1

    @property
    def blocks(self) -> int:
        return -(-self.n // self.size)

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.size} {self.seed}".encode()).hexdigest()

    def replicates(self, block: int) -> int:
        return min(self.n, (block + 1) * self.size) - block * self.size

    def run(self, block: int) -> pd.DataFrame:
        numbers = np.arange(self.replicates(block)) + block * self.size
        drawn = np.array([np.random.default_rng([self.seed, number]).normal(size=2) for number in numbers])
        failed = np.repeat(numbers % 7 == 3, 2)
        return pd.DataFrame(
            {
                "replicate": np.repeat(numbers, 2),
                "parameter": pd.Categorical(["Days", "Intercept"] * len(numbers), ["Intercept", "Days", "never"]),
                "estimate": np.where(failed, np.nan, drawn.ravel()),
                "converged": ~failed,
                "error": pd.Series(["no luck; déjà vu" if one else None for one in failed], dtype=object),
            }
        )


@dataclass(frozen=True)
class Slow(Toy):
    """Takes its time, and says in a folder which blocks it has begun."""

    seconds: float = 0.05
    begun: str = ""

    def run(self, block: int) -> pd.DataFrame:
        if self.begun:
            (Path(self.begun) / f"{block}-{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(self.seconds)
        return super().run(block)


@dataclass(frozen=True)
class Deadly(Toy):
    """Kills the process that runs block `deadly`: once if a file `once` is named, else each time."""

    deadly: int = 5
    once: str = ""

    def run(self, block: int) -> pd.DataFrame:
        if block == self.deadly and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(block)


@dataclass(frozen=True)
class Failing(Toy):
    """Block `failing` raises `error`."""

    failing: int = 5
    error: type[BaseException] = MixedsimError

    def run(self, block: int) -> pd.DataFrame:
        if block == self.failing:
            raise self.error("the moon is in the way.")
        return super().run(block)


@dataclass(frozen=True)
class Threads(Toy):
    """How many threads BLAS uses where a block is run."""

    def run(self, block: int) -> pd.DataFrame:
        from threadpoolctl import threadpool_info

        most = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return pd.DataFrame({"threads": [most] * self.replicates(block), "process": os.getpid()})
