"""General-purpose optimisers in Newton's place, to see whether they agree.

The deviance is even in the sign of each column of Λ, so none of them needs bounds. SciPy runs them; what they found is
judged where Newton's answer is judged (`optimise`), not by their own exit codes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from mixedsim.engine.objective import Profile
from mixedsim.engine.optimise import Control

Floats = NDArray[np.float64]
_STEP = 1e-7  # change of θ at which the methods without a gradient stop: a decrease of some 1e-12


def search(evaluate: Callable[[Floats], Profile], at: Profile, control: Control, noise: float) -> None:
    """Let `control.optimizer` search from `at`; `evaluate` keeps the best it is asked for.

    Parameters
    ----------
    evaluate : the profiled deviance with its gradient at one θ.
    at : where to begin.
    control : which optimiser, its tolerance and limit.
    noise : change of the deviance that rounding alone can make.
    """
    uses_gradient = control.optimizer in ("bfgs", "l-bfgs-b")

    def value(theta: Floats) -> float | tuple[float, Floats]:
        with np.errstate(all="ignore"):  # far from the optimum a trial may overflow: then it is no candidate
            try:
                profile = evaluate(np.array(theta))
            except np.linalg.LinAlgError:
                return (np.inf, np.zeros_like(theta)) if uses_gradient else np.inf
        deviance = profile.deviance if np.isfinite(profile.deviance) else np.inf
        return (deviance, profile.gradient) if uses_gradient else deviance

    with np.errstate(all="ignore"):
        optimize.minimize(
            value,
            at.theta,
            jac=uses_gradient,
            method=control.optimizer,
            options=_options(control, max(control.tolerance, noise), abs(at.deviance), len(at.theta)),
        )


def _options(control: Control, change: float, size: float, parameters: int) -> dict[str, Any]:
    """Tolerances in each method's own words: `change` is the deviance below which a step is not worth taking."""
    relative = max(change / max(size, 1.0), 1e-15)
    if control.optimizer == "bfgs":
        own: dict[str, Any] = {"gtol": 1e-7}
    elif control.optimizer == "l-bfgs-b":
        own = {"gtol": 1e-7, "ftol": relative, "maxcor": 20, "maxfun": 15_000}
    elif control.optimizer == "nelder-mead":
        own = {"xatol": _STEP, "fatol": change, "maxfev": 2000 * parameters, "adaptive": parameters > 3}
    else:
        own = {"xtol": _STEP, "ftol": relative, "maxfev": 2000 * parameters}
    limit = {} if control.max_iterations is None else {"maxiter": control.max_iterations}
    return own | limit
