"""`fit.check()` of a generalised model: every message as a table, and for a singular fit what simpler models say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mixedsim.inference.boundary import FlatDirection, flat_directions
from mixedsim.inference.glm_boundary import glm_deviance_along
from mixedsim.models.check import Check, boundary_table, simpler_designs
from mixedsim.models.fitting import Request, without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_fitting import fit_design
from mixedsim.models.messages import combination


class GeneralizedCheck(GeneralizedEstimates):
    """The diagnosis of a fit."""

    def check(self) -> Check:
        """Every message as a table: message, evidence, way_out; prints as text.

        For a singular fit ``.boundary`` holds the deviance along what has no variance, and ``.what_if`` is a table of
        simpler models: AIC less that of this one, and the change of each coefficient in standard errors.

        Examples
        --------
        >>> import mixedsim as ms
        >>> ms.glmer("incidence / size ~ period + (1 | herd)", ms.datasets.load("cbpp")).check()
        Nothing to report: the optimiser arrived at a minimum inside the parameter space.
        """
        return check(self)


def check(fit: GeneralizedEstimates) -> Check:
    """The table behind `GeneralizedLinearMixedModel.check`."""
    rows = [(finding.message, finding.evidence, finding.way_out) for finding in fit._findings]
    out = Check(rows, columns=["message", "evidence", "way_out"])
    directions = flat_directions(fit.problem.linear, fit.at)
    out.boundary = _boundary(fit, directions)
    culprits = {(d.factor, d.where.start) for d in directions}
    out.what_if = what_if(fit, culprits) if culprits else pd.DataFrame()
    return out


def _boundary(fit: GeneralizedEstimates, directions: list[FlatDirection]) -> pd.DataFrame:
    rows = []
    for direction in directions:
        factor = fit.design.factors[direction.factor]
        sds, rises = glm_deviance_along(fit.problem, fit.objective, fit.optimum, direction)
        name = combination(factor.effects[direction.where], direction.weights)
        rows += [(factor.name, name, sd, fit.deviance + rise, rise) for sd, rise in zip(sds, rises, strict=True)]
    return boundary_table(rows)


def what_if(fit: GeneralizedEstimates, culprits: set[tuple[int, int]]) -> pd.DataFrame:
    """Simpler models beside this one; at least one grouping factor stays.

    Parameters
    ----------
    fit : the model.
    culprits : number of the grouping factor and first effect of the terms to simplify.

    Returns
    -------
    DataFrame with a row for the model ``"as it is"`` and for each simpler one: npar, delta_aic, then for every
    coefficient its change in standard errors.
    """
    se = np.sqrt(np.diag(fit.vcov))
    request = Request(None, control=without_start(fit.request.control))
    rows: dict[str, list[float]] = {"as it is": [fit.npar, 0.0, *np.zeros(len(se))]}
    for label, design in simpler_designs(fit.design, culprits):
        if not design.factors:
            continue
        there = type(fit)(**fit_design(design, request, fit.kind))
        moved = (there.fixef.to_numpy() - fit.fixef.to_numpy()) / se
        rows[label if there.converged else f"{label} (not converged)"] = [there.npar, there.aic - fit.aic, *moved]
    columns = ["npar", "delta_aic", *fit.coefficient_names]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.astype({"npar": int}).rename_axis("model")
