"""What makes `mixedsim.study`, a room of this house, something that can be called."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import numpy as np

from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.simulate import Population
from mixedsim.study import draws, studying, summarising
from mixedsim.study.draws import Redraw
from mixedsim.study.progress import Progress
from mixedsim.study.study_result import Study


class StudyModule(ModuleType):
    """The module `mixedsim.study`: ``ms.study(…)`` is a whole study, ``ms.study.draw(…)`` one of its verbs."""

    draw = staticmethod(draws.draw)
    fit = staticmethod(studying.fit)
    summarise = staticmethod(summarising.summarise)

    def __call__(
        self,
        source: Population | LinearMixedModel | GeneralizedLinearMixedModel,
        analyses: Any = None,
        n: int = 1000,
        seed: int | np.random.Generator | None = None,
        *,
        redraw: Redraw | None = None,
        alpha: float = 0.05,
        executor: Any = None,
        chunk: int | None = None,
        out: str | os.PathLike[str] | None = None,
        progress: Progress = None,
        resume: bool = True,
    ) -> Study:
        return studying.study(
            source,
            analyses,
            n,
            seed,
            redraw=redraw,
            alpha=alpha,
            executor=executor,
            chunk=chunk,
            out=out,
            progress=progress,
            resume=resume,
        )

    __call__.__doc__ = studying.study.__doc__
    __call__.__qualname__ = "study"  # as which errors about its arguments name it
