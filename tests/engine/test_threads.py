"""Small fits keep to one thread: idle helpers that spin between tiny products slow everybody down."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, time
import numpy as np, pandas as pd
import mixedsim as ms

def spent():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime

rng = np.random.default_rng(1)
a, b, rep = (v.ravel() for v in np.meshgrid(np.arange(24), np.arange(int(sys.argv[1])), np.arange(2)))
x = rng.normal(size=a.size)
y = rng.normal(size=24)[a] + rng.normal(size=b.max() + 1)[b] + x + rng.normal(size=a.size)
data = pd.DataFrame({"y": y, "x": x, "a": a.astype(str), "b": b.astype(str)})
formula = sys.argv[2]
ms.lmer(formula, data)
time.sleep(0.3)  # helpers that earlier work woke have gone to sleep
whole, own = spent(), time.thread_time()
for _ in range(40):
    ms.lmer(formula, data)
own = time.thread_time() - own
print((spent() - whole) / own)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the time of a process's threads is read by POSIX's getrusage")
@pytest.mark.parametrize(
    ("formula", "levels"),
    [
        ("y ~ x + (x | a)", 6),
        ("y ~ x + (x | a)", 40),
        ("y ~ x + (1 | a) + (1 | b)", 6),
        ("y ~ x + (1 | a) + (1 | b)", 37),  # the most effects that stand in one matrix
        ("y ~ x + (1 | a) + (1 | b)", 40),
        ("y ~ x + (x | a) + (x | b)", 6),  # the same with slopes
    ],
)
def test_a_small_fit_is_the_work_of_one_thread(formula, levels):
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(levels), formula],
        capture_output=True,
        text=True,
        check=True,
        env={"OPENBLAS_NUM_THREADS": "4", "PATH": ""},
    )
    # all threads of the process together spent what the one that fits spent; a spinning helper would double it
    assert float(run.stdout) < 1.3
