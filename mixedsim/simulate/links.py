"""Links: how the linear predictor η of an outcome becomes its mean μ.

========== ===================== ===============================
link       η                     μ
========== ===================== ===============================
identity   μ                     η
log        log μ                 exp η
inverse    1/μ                   1/η
logit      log(μ/(1 − μ))        1/(1 + exp(−η))
probit     Φ⁻¹(μ)                Φ(η)
cloglog    log(−log(1 − μ))      1 − exp(−exp η)
========== ===================== ===============================

Source: McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, sections 2.2.4 and 4.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

Array = NDArray[np.float64]


def mean_of(link: str, predictor: Array) -> Array:
    """The mean μ that a linear predictor η stands for; infinite or 0 where that leaves what a number can hold."""
    with np.errstate(over="ignore", divide="ignore", under="ignore"):
        return _INVERSES[link](predictor)


def written(link: str, mean: str) -> str:
    """The link of a mean as print shows it: ``logit(p)``, ``1/μ``."""
    return {"identity": mean, "inverse": f"1/{mean}"}.get(link, f"{link}({mean})")


def _complementary(predictor: Array) -> Array:
    hazard: Array = np.exp(predictor)
    return -np.expm1(-hazard)


_INVERSES: Mapping[str, Callable[[Array], Array]] = {
    "identity": lambda predictor: predictor,
    "log": np.exp,
    "inverse": np.reciprocal,
    "logit": expit,
    "probit": ndtr,
    "cloglog": _complementary,
}
