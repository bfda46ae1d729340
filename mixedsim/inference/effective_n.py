"""What the rows are worth: how many independent rows would tell as much about each coefficient.

With V the covariance matrix of the n rows under the model, and D its diagonal (the same rows, each with the variance
that it has, but independent),

    n_eff(β_k) = n · [(X'D⁻¹X)⁻¹]_kk / [(X'V⁻¹X)⁻¹]_kk,        design effect = n / n_eff.

The precision of a mean or slope is proportional to the number of independent rows of one kind, so n_eff such rows give
the standard error that the model gives. For J clusters of m rows with intraclass correlation ρ this is

* for the intercept and every predictor of the cluster ``n / (1 + (m − 1) ρ)``, Kish's design effect (Kish 1965, Survey
  Sampling, chapter 5; Snijders & Bosker 2012, Multilevel Analysis, section 3.4), at most J/ρ however large m is;
* for a predictor that varies within clusters only ``n / (1 − ρ)``, more than n: every cluster is its own control
  (Snijders & Bosker 2012, chapter 11);
* between the two for a predictor that does both.

Nothing is assumed about the layout: factors may cross or nest, rows may have weights, and slopes may vary (a predictor
whose slope varies by cluster is worth less than its rows even within clusters: its slope has to be learned anew in
each). Rows are counted, so n_eff is not a number of clusters, and no degrees of freedom.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.design import Design
from mixedsim.engine import Problem, Profile
from mixedsim.inference.effect_sizes import random_variances

Floats = NDArray[np.float64]


def effective_n(design: Design, problem: Problem, at: Profile) -> pd.DataFrame:
    """Return what the rows are worth for each coefficient.

    Parameters
    ----------
    design, problem, at : the rows, their standardised problem, and the optimum.

    Returns
    -------
    DataFrame with index coefficient and columns ``rows`` (n), ``n_eff`` (rows) and ``design_effect`` (n / n_eff, the
    factor by which dependence inflates the squared standard error). ``.attrs["sentence"]`` says it in one sentence,
    ``.attrs["sentences"]`` holds one for each coefficient.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.inference.effective_n import effective_n
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> table = effective_n(fit.design, fit.problem, fit.optimum.profile)
    >>> print(table.attrs["sentence"])
    The 180 rows are worth 112 independent ones for Intercept and 116 for Days.
    """
    names = [design.x.names[j] for j in problem.fixed.kept]
    transform = problem.fixed.transform
    alone = transform @ _independent(design, problem, at) @ transform.T
    together = transform @ at.w_inverse @ transform.T
    worth = design.rows * np.diag(alone) / np.diag(together)
    table = pd.DataFrame(
        {"rows": design.rows, "n_eff": worth, "design_effect": design.rows / worth},
        index=pd.Index(names, name="coefficient", dtype=object),
    )
    table.attrs["sentence"] = _sentence(design.rows, dict(zip(names, worth, strict=True)))
    table.attrs["sentences"] = tuple(_explained(design.rows, name, n) for name, n in zip(names, worth, strict=True))
    return table


def _independent(design: Design, problem: Problem, at: Profile) -> Floats:
    """``(X̃'D⁻¹X̃)⁻¹`` with D the diagonal of V, both over σ²: p × p."""
    variances = random_variances(design.factors, problem, at.theta)
    variances = variances + (1.0 if design.weights is None else 1.0 / design.weights)
    root = 1.0 / np.sqrt(variances)
    x = np.empty((design.rows, len(problem.fixed.columns)))
    for j, column in enumerate(problem.fixed.columns):
        x[:, j] = column * root
    return np.asarray(np.linalg.inv(x.T @ x)) if x.shape[1] else np.empty((0, 0))


def _number(n: float) -> str:
    return f"{n:,.0f}" if n >= 10 else f"{n:.2g}"


def _sentence(rows: int, worth: dict[str, float]) -> str:
    if not worth:
        return "There are no coefficients that the rows could tell about."
    parts = [f"{_number(n)} for {name}" for name, n in worth.items()]
    parts[0] = parts[0].replace(" for ", " independent ones for ", 1)
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"The {rows:,} rows are worth {listed}."


def _explained(rows: int, name: str, n: float) -> str:
    """One coefficient's worth, and what that says of it."""
    head = f"For {name} the {rows:,} rows are worth {_number(n)} independent ones"
    if n > 1.05 * rows:
        return f"{head}: it varies within groups, so that every group is its own control."
    if n < 0.95 * rows:
        return f"{head}: rows of one group repeat each other, and more groups would help more than more rows."
    return f"{head}: grouping hardly matters for it."
