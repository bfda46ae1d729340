"""The linear mixed model that a generalised one is at its optimum: working responses with Fisher's weights.

``z = η + r/W`` with r the score and W the weights at the modes, residual variance φ and the estimated θ. Leverage and
deletion in this model are the generalised model's to first order: one step of penalised least squares from the
optimum (Pregibon 1981, Ann. Stat. 9:705; for mixed models Xiang, Tse & Lee 2002, Comput. Stat. Data Anal. 40:759).
Weights and variances stay where they are, so that a group with very much to say changes less here than in a refit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Grouping, Objective, Profile, cross_products
from mixedsim.engine.glm_estimates import dispersion
from mixedsim.engine.glm_laplace import GlmEvaluation, GlmObjective
from mixedsim.inference.responses import Rows
from mixedsim.inference.whitened import Whitened, side_by_side, whitened

Floats = NDArray[np.float64]


def working_model(glm: GlmObjective, at: GlmEvaluation) -> tuple[Objective, Profile, Whitened, float]:
    """Return criterion, profile and rows of the working model, and φ (standardised columns)."""
    rows, point = glm.rows, at.mode.point
    weights = np.asarray(point.fisher)
    known = weights > 0
    safe = np.where(known, weights, np.finfo(float).tiny)  # such a row has a mean without doubt, and tells nothing
    y = at.mode.eta - rows.offset + np.where(known, point.score / safe, 0.0)
    width = sum(q for _, q in rows.shapes)
    columns = rows.z.data.reshape(rows.n, width)
    ends = np.cumsum([q for _, q in rows.shapes])
    z = [columns[:, end - q : end] for end, (_, q) in zip(ends, rows.shapes, strict=True)]
    levels = [count for count, _ in rows.shapes]
    groups = [Grouping(codes, count, tuple(own.T)) for own, codes, count in zip(z, rows.codes, levels, strict=True)]
    objective = Objective(cross_products(groups, list(rows.x.T), y, safe), glm.layout, reml=False)
    profile = objective.evaluate(at.theta)
    parts = tuple(side_by_side(own, codes, count) for own, codes, count in zip(z, rows.codes, levels, strict=True))
    return objective, profile, whitened(Rows(rows.x, parts, safe), objective, profile, y), dispersion(glm, at)
