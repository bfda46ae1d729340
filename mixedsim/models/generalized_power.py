"""Power of a test in data like those of a generalised fit, and how often its tests reject a true null.

A generalised model has no shortcut: another effect makes other responses. So responses are drawn twice, with the effect
and without it, and the model is fitted to all of them. A likelihood ratio takes a second fit, with the coefficient
held at its null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mixedsim.errors import MixedsimError
from mixedsim.inference.contrasts import two_sided
from mixedsim.inference.glm_refits import Drawn, Refits, held_deviances, refits
from mixedsim.inference.glm_responses import generalized_responses
from mixedsim.listing import listed
from mixedsim.models.calibration import Calibration, rate_row
from mixedsim.models.fitting import without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_fitting import family_of_response
from mixedsim.models.power import (
    PowerEstimate,
    assumed_effect,
    check_alpha,
    notes_of,
    position_of,
    share_below,
)
from mixedsim.models.simulation import whole
from mixedsim.simulate.streams import settle_seed

Floats = NDArray[np.float64]
GlmTest = Literal["wald", "lrt"]


def power(
    fit: GeneralizedEstimates, parameter: str, n: int, seed: Any, effect: float | None, test: GlmTest, alpha: float
) -> PowerEstimate:
    """The estimate behind `GeneralizedLinearMixedModel.power`."""
    check_alpha(alpha)
    _check_test(test)
    j = position_of(fit, parameter)
    assumed, n, settled = assumed_effect(fit, parameter, effect), whole(n, "n"), settle_seed(seed)
    at_effect, singular = _p_values(fit, j, assumed, 0.0, n, settled, test)
    at_null, _ = _p_values(fit, j, 0.0, 0.0, n, settled, test)
    rejected, false = share_below([at_effect], alpha), share_below([at_null], alpha)
    failed = n - rejected.n
    return PowerEstimate(
        parameter, assumed, rejected, false, alpha, test, n, failed, singular, settled,
        tuple(notes_of(fit, parameter, effect, failed, singular, n)),
    )  # fmt: skip


def calibrate(
    fit: GeneralizedEstimates, n: int, seed: Any, tests: Sequence[GlmTest] | None, alpha: float
) -> Calibration:
    """The table behind `GeneralizedLinearMixedModel.calibrate`."""
    check_alpha(alpha)
    wanted, n, settled = _wanted(fit, tests), whole(n, "n"), settle_seed(seed)
    model, names = _drawn(fit), fit.coefficient_names
    p: dict[tuple[int, GlmTest], list[Floats]] = {(j, test): [] for j in range(len(names)) for test in wanted}
    singular = 0
    for y in generalized_responses(model.objective, model.at, model.trials, n, settled):
        found = refits(model, y)
        singular += int(found.singular.sum())
        for (j, test), values in p.items():
            values.append(_tested(model, found, y, j, float(fit.fixef.iloc[j]), test))
    rows = [rate_row(names[j], test, np.concatenate(values), alpha) for (j, test), values in p.items()]
    table = pd.DataFrame(rows).set_index(["coefficient", "test"])
    return Calibration(table, alpha, n, singular, settled, fit.formula)


def _p_values(
    fit: GeneralizedEstimates, j: int, truth: float, null: float, n: int, seed: int, test: GlmTest
) -> tuple[Floats, int]:
    """P-values of coefficient j being `null` where it is `truth`, and how many fits are singular."""
    model = _drawn(fit).moved(j, truth)
    p, singular = [], 0
    for y in generalized_responses(model.objective, model.at, model.trials, n, seed):
        found = refits(model, y)
        singular += int(found.singular.sum())
        p.append(_tested(model, found, y, j, null, test))
    return np.concatenate(p), singular


def _tested(model: Drawn, found: Refits, y: Floats, j: int, null: float, test: GlmTest) -> Floats:
    """P-values of one test of every response; NaN where a fit did not converge."""
    if test == "wald":
        z = np.where(found.converged, (found.estimate[:, j] - null) / found.se[:, j], np.nan)
        return two_sided(z, np.full_like(z, np.inf))
    ratio = np.where(found.converged, held_deviances(model, y, j, null) - found.deviance, np.nan)
    return np.asarray(special.chdtrc(1, np.maximum(ratio, 0.0)))


def _drawn(fit: GeneralizedEstimates) -> Drawn:
    """The fit as what responses are drawn from."""
    return Drawn(
        problem=fit.problem,
        objective=fit.objective,
        at=fit.at,
        make=family_of_response(fit.design, fit.kind),
        trials=fit.design.trials,
        control=without_start(fit.request.control),
    )


def _check_test(test: object) -> None:
    if test not in get_args(GlmTest):
        known = " or ".join(map(repr, get_args(GlmTest)))
        raise MixedsimError(f"test must be {known} for a generalised model, found {test!r}.")


def _wanted(fit: GeneralizedEstimates, tests: Sequence[GlmTest] | None) -> list[GlmTest]:
    if not fit.coefficient_names:
        raise MixedsimError("calibrate is about tests of fixed effects, and this model has none: add one.")
    if tests is None:
        return list(get_args(GlmTest))
    given: Sequence[GlmTest] = tests if isinstance(tests, list | tuple) else [tests]  # type: ignore[list-item]
    for test in given:
        _check_test(test)
    if not given:
        raise MixedsimError(f"tests must name at least one of {listed(map(repr, get_args(GlmTest)))}.")
    return list(dict.fromkeys(given))
