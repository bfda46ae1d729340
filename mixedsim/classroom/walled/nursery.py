"""A warm process that knows how to execute notebooks, and starts one process for each.

Importing NumPy, pandas and IPython takes longer than most notebooks. Here it is done once; every notebook then gets a
copy of this process (a fork), which goes behind its walls before it runs a line of the student's. This process itself
never runs any, and knows no secret: its environment is the short one of `mixedsim.classroom.walled.surroundings`.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import sys
from typing import Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import mixedsim
from mixedsim.classroom.walled import kernel
from mixedsim.classroom.walled.inside import carry_out
from mixedsim.classroom.walled.warden import end_all, reap

_TIDY: Final = 0.5  # seconds between two looks for processes that have ended
# What most notebooks use: named here, so that it is loaded.
LOADED: Final = (np, pd, plt, mixedsim.lmer, mixedsim.glmer, mixedsim.Population, mixedsim.classroom, mixedsim.plot)


def serve(control: socket.socket) -> None:
    """Execute every order that comes, each in a process of its own, until the other side closes `control`."""
    kernel.shield()
    kernel.adopt_orphans()  # of wardens that have been killed
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the copies
    at_work: set[int] = set()
    while True:
        ready, _, _ = select.select([control], [], [], _TIDY)
        if ready:
            said, files, _, _ = socket.recv_fds(control, 16, 3)
            if not said:
                break
            pid = os.fork()
            if pid == 0:
                control.close()
                carry_out(*files)
            at_work.add(pid)
            for file in files:
                os.close(file)
        at_work -= reap().keys()
        at_work -= end_all(spare=frozenset(at_work))
    end_all()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
