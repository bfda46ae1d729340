"""Studies whose replicates were made up, so that every number in a picture is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

EIGHT = {
    "Intercept": 45.0,
    "x": 3.0,
    "z": 0.0,
    "x:z": 1.0,
    "sd(Intercept | g)": 1.0,
    "sd(x | g)": 0.3,
    "corr(Intercept, x | g)": 0.2,
    "sigma": 8.0,
}


@dataclass
class MadeUp:
    """What a picture needs of a study."""

    replicates: pd.DataFrame
    alpha: float = 0.05


def kind_of(parameter):
    for kind in ("sd", "corr"):
        if parameter.startswith(f"{kind}("):
            return kind
    return "sigma" if parameter == "sigma" else "fixed"


def made_up(analyses=("naive", "mixed"), truth=None, n=200, bias=(), claim=(), failed=0, seed=1):
    """A study; `bias` in standard errors and `claim` (claimed over real standard error) by analysis."""
    rng = np.random.default_rng(seed)
    truth = {"x": 3.0} if truth is None else truth
    parts = []
    for analysis in analyses:
        for parameter, true in truth.items():
            se = 0.2 * max(abs(true), 0.5)
            estimate = true + se * (dict(bias).get(analysis, 0.0) + rng.standard_normal(n))
            claimed = se * dict(claim).get(analysis, 1.0) * rng.uniform(0.9, 1.1, n)
            kind = kind_of(parameter)
            part = pd.DataFrame(
                {
                    "analysis": analysis,
                    "replicate": np.arange(n),
                    "seed": np.arange(n) + 7,
                    "parameter": parameter,
                    "kind": kind,
                    "group": "g" if kind in ("sd", "corr") else "",
                    "truth": true,
                    "estimate": estimate,
                    "se": claimed,
                    "df": np.inf,
                    "p": 2 * special.ndtr(-np.abs(estimate / claimed)) if kind == "fixed" else np.nan,
                    "lower": estimate - 1.96 * claimed,
                    "upper": estimate + 1.96 * claimed,
                    "converged": True,
                    "singular": False,
                    "error": None,
                }
            )
            part.loc[part["replicate"] < failed, ["estimate", "se", "df", "p", "lower", "upper"]] = np.nan
            part.loc[part["replicate"] < failed, "converged"] = False
            parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    return MadeUp(frame.astype(dict.fromkeys(("analysis", "parameter", "kind", "group"), "category")))


def rows(study, analysis, parameter="x"):
    """The replicates of one cell."""
    frame = study.replicates
    return frame[(frame["analysis"] == analysis) & (frame["parameter"] == parameter)]
