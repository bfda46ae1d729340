"""Many fits at once: one formula and many data sets, or one fitted model and many responses.

What a thousand replicates share is done once. Every number is the one that `lmer` or `glmer` gives for that replicate
alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mixedsim.engine import Control
from mixedsim.errors import DataError, MixedsimError
from mixedsim.formula import check_varies_once, parse
from mixedsim.inference.contrasts import Ddf, check_ddf, check_level
from mixedsim.inference.many_estimates import Estimates
from mixedsim.models.fitting import Request, settle_control, settle_flag, without_start
from mixedsim.models.generalized_estimates import GeneralizedEstimates
from mixedsim.models.generalized_family import settle_kind
from mixedsim.models.generalized_fitting import check_control
from mixedsim.models.generalized_many_alone import fit_glms_alone, refit_glms_alone
from mixedsim.models.generalized_many_together import fit_glms_together, refit_glms_together
from mixedsim.models.linear_estimates import LinearEstimates
from mixedsim.models.many_alone import fit_alone, refit_alone
from mixedsim.models.many_order import ordered
from mixedsim.models.many_portion import Portion, Symbol
from mixedsim.models.many_together import fit_together, refit_together

__all__ = ["Estimates", "ManyFits", "fit_many", "refit_many"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ManyFits:
    """Fits of one model to r data sets, in the units of the data (p fixed effects, K elements of θ, m parameters).

    Attributes
    ----------
    names : of the p fixed effects.
    symbols : (kind, group, term) of all m parameters: coefficients (kind ``"fixed"``), standard deviations (``"sd"``),
        correlations (``"corr"``), σ (``"sigma"``).
    theta : r × K, lower triangles of the relative covariance factors, as lme4 orders them.
    sigma, loglik : r values each.
    converged, singular : r booleans each; a replicate that failed is neither.
    failures : {replicate: one sentence} for those that have no fit; their rows are NaN.
    """

    names: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    theta: Floats
    sigma: Floats
    loglik: Floats
    converged: NDArray[np.bool_]
    singular: NDArray[np.bool_]
    failures: dict[int, str]
    portions: tuple[Portion, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.sigma)

    def coefficients(self, ddf: Ddf = "satterthwaite", level: float = 0.95) -> Estimates:
        """Estimates, tests and intervals of the p fixed effects: r × p arrays, as a fit's ``coefficients(ddf)``.

        Parameters
        ----------
        ddf : ``"satterthwaite"``, ``"kenward-roger"`` (REML only) or ``"wald"``. Those of generalised models are Wald's
            z, whatever it is by default.
        level : confidence level of the intervals.

        Raises
        ------
        MixedsimError
            For an unknown `ddf`, a level that is none, and Kenward-Roger after maximum likelihood.

        Examples
        --------
        >>> import mixedsim as ms
        >>> from mixedsim.models.many import refit_many
        >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
        >>> many = refit_many(fit, fit.simulate(20, seed=1))
        >>> many.coefficients().p.shape, bool((many.coefficients().p[:, 1] < 0.01).all())
        ((20, 2), True)
        """
        check_ddf(ddf)
        check_level(level)
        out = Estimates.empty(len(self), len(self.names))
        for portion in self.portions:
            out.put(portion.replicates, portion.coefficients(ddf, level))
        return out

    def parameters(self, ddf: Ddf = "satterthwaite", level: float = 0.95) -> Estimates:
        """Estimates and intervals of all parameters, in the order of `symbols`: r × m arrays.

        Coefficients as in `coefficients`; standard deviations, correlations and σ as
        `mixedsim.inference.wald.wald_intervals` (NaN where an interval does not exist; of generalised models none
        does).
        """
        check_ddf(ddf)
        check_level(level)
        out = Estimates.empty(len(self), len(self.symbols))
        for portion in self.portions:
            out.put(portion.replicates, portion.parameters(ddf, level))
        return out


def fit_many(
    formula: str,
    datasets: Iterable[Any],
    *,
    reml: bool = True,
    family: str | tuple[str, str] | None = None,
    nagq: int = 1,
    offsets: Sequence[Floats] | None = None,
    control: Control | None = None,
    symbols: Sequence[Symbol] | None = None,
) -> ManyFits:
    """Return the fits of one formula to each of many data sets.

    Parameters
    ----------
    formula, reml, control : as in `mixedsim.lmer`.
    datasets : r tables.
    family, nagq : as in `mixedsim.glmer`, for generalised models; None for linear ones.
    offsets : of generalised models, a known part of the linear predictor: one array a data set, one number a row.
    symbols : the parameters that every fit must have, as `ManyFits.symbols`; those of most data sets if None. A data
        set whose model has others (a category that does not occur in it, a predictor that depends on the rest) is a
        failure that says which: its coefficients would not mean what those of the others do.

    Raises
    ------
    FormulaError
        If the formula cannot be read, or an effect varies by the same factor twice.
    MixedsimError
        If there are no data sets, or one table in place of a list of tables.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.models.many import fit_many
    >>> data = ms.datasets.load("sleepstudy")
    >>> many = fit_many("Reaction ~ Days + (1 | Subject)", [data, data[data["Days"] < 8], data[:0]])
    >>> many.names, many.sigma.round(2).tolist()
    (('Intercept', 'Days'), [30.99, 28.33, nan])
    >>> many.failures
    {2: 'the data have no rows: check how they were read or filtered.'}
    """
    parsed = parse(formula)
    check_varies_once(parsed)
    wanted = settle_control(control)
    is_reml = settle_flag("reml", reml)
    tables = _tables(datasets)
    chosen = None if symbols is None else tuple(symbols)
    _check_kind(family, nagq, offsets, is_reml, len(tables))
    if family is not None:
        kind = settle_kind(family, nagq)
        requests = [Request(data, control=check_control(wanted)) for data in tables]
        if offsets is not None:
            requests = [replace(one, offset=own) for one, own in zip(requests, offsets, strict=True)]
        many, rest = fit_glms_together(parsed, requests, kind, offsets, wanted)
        glms, failures = fit_glms_alone(parsed, requests, kind, rest)
        return _joined(len(tables), [*many, *glms], failures, chosen)
    together, rest = fit_together(parsed, tables, is_reml, wanted)
    fits, failures = fit_alone(parsed, tables, is_reml, wanted, rest)
    return _joined(len(tables), [*together, *fits], failures, chosen)


def refit_many(
    fit: LinearEstimates | GeneralizedEstimates,
    y: ArrayLike,
    *,
    reml: bool | None = None,
    control: Control | None = None,
) -> ManyFits:
    """Return the fits of a fitted model to each of r other responses on the same rows.

    Parameters
    ----------
    fit : a fitted mixed model, linear or generalised.
    y : rows × r numbers in the units of the data, for the rows that were fitted or for all that were given (what
        ``fit.simulate`` returns); categories as 0 and 1.
    reml : the criterion; that of `fit` if None, as it must be for a generalised model.
    control : how each is fitted; as `fit` was if None.

    Raises
    ------
    DataError
        If `y` is no table of numbers with these rows. A single response that is not finite, or constant, is a failure
        with its own sentence.

    Examples
    --------
    >>> import mixedsim as ms
    >>> from mixedsim.models.many import refit_many
    >>> fit = ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))
    >>> many = refit_many(fit, fit.simulate(50, seed=1))
    >>> many.theta.shape, bool(many.converged.all()), many.failures
    ((50, 3), True, {})
    """
    values = _responses(fit, y)
    wanted = without_start(fit.request.control if control is None else settle_control(control))
    if isinstance(fit, GeneralizedEstimates):
        if reml is not None:
            raise MixedsimError("reml is for linear models, and the fit is a generalised one: leave it out.")
        many, rest = refit_glms_together(fit, values, check_control(wanted))
        glms, failures = refit_glms_alone(fit, values, wanted, rest)
        return _joined(values.shape[1], [*many, *glms], failures, None)
    is_reml = fit.reml if reml is None else settle_flag("reml", reml)
    together, rest = refit_together(fit, values, is_reml, wanted)
    fits, failures = refit_alone(fit, values, is_reml, wanted, rest)
    return _joined(values.shape[1], [*together, *fits], failures, None)


def _check_kind(family: object, nagq: object, offsets: Sequence[Floats] | None, reml: bool, count: int) -> None:
    """Raise `MixedsimError` for what the kind of model does not have."""
    if family is None and (offsets is not None or nagq != 1):
        what = f"nagq={nagq!r} is" if offsets is None else "offsets are"
        raise MixedsimError(f"{what} for generalised models: say which, with family=, or leave it out.")
    if family is not None and not reml:
        raise MixedsimError("reml is for linear models, and a family makes the model a generalised one: leave it out.")
    if offsets is not None and len(offsets) != count:
        raise MixedsimError(f"offsets must be one array for each of the {count} data sets, found {len(offsets)}.")


def _tables(datasets: Iterable[Any]) -> list[Any]:
    """The data sets as a list; one table is no list of tables."""
    if not isinstance(datasets, Iterable) or isinstance(datasets, pd.DataFrame | Mapping | str):
        raise MixedsimError(f"datasets must be a list of tables, found {type(datasets).__name__}: put [ ] around it.")
    tables = list(datasets)
    if not tables:
        raise MixedsimError("datasets must hold at least one table, found none.")
    return tables


def _responses(fit: LinearEstimates | GeneralizedEstimates, y: ArrayLike) -> Floats:
    """The responses as rows × r floats, of the rows that were used."""
    try:
        values = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        found = type(y).__name__
        raise DataError(f"the responses must be a table of numbers, rows × replicates, found {found}.") from None
    rows = fit.design.rows
    if values.ndim != 2 or values.shape[0] not in (rows, fit.design.rows_given) or values.shape[1] == 0:
        raise DataError(
            f"the responses must have one row for each of the {rows} rows that were fitted and one column a replicate, "
            f"found shape {values.shape}."
        )
    return values if len(values) == rows else values[fit.design.used]


def _joined(
    count: int, fits: Sequence[Portion], failures: dict[int, str], symbols: tuple[Symbol, ...] | None
) -> ManyFits:
    """All fits side by side; those with other parameters than most (or than `symbols`) become failures."""
    wanted = symbols or _commonest(fits)
    portions = tuple(same for portion in fits if (same := ordered(portion, wanted)) is not None)
    for portion in fits:
        if ordered(portion, wanted) is None:
            failures |= dict.fromkeys(map(int, portion.replicates), _others(portion.symbols, wanted))
    size = sum(kind in ("sd", "corr") for kind, _, _ in wanted)
    theta, sigma, loglik = np.full((count, size), np.nan), np.full(count, np.nan), np.full(count, np.nan)
    converged, singular = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for portion in portions:
        where = portion.replicates
        theta[where], sigma[where], loglik[where] = portion.theta, portion.sigma, portion.loglik
        converged[where], singular[where] = portion.converged, portion.singular
    names = tuple(term for kind, _, term in wanted if kind == "fixed")
    return ManyFits(names, wanted, theta, sigma, loglik, converged, singular, dict(sorted(failures.items())), portions)


def _commonest(fits: Sequence[Portion]) -> tuple[Symbol, ...]:
    """The parameters that most replicates have; the first of equals."""
    found: Counter[tuple[Symbol, ...]] = Counter()
    for portion in fits:
        found[portion.symbols] += len(portion.replicates)
    return found.most_common(1)[0][0] if found else ()


def _others(own: tuple[Symbol, ...], wanted: tuple[Symbol, ...]) -> str:
    """What to say of a data set whose model has other parameters."""
    lacks = [term for kind, _, term in wanted if (kind, _, term) not in own]
    more = [term for kind, _, term in own if (kind, _, term) not in wanted]
    parts = [f"lacks {', '.join(map(repr, lacks))}"] * bool(lacks) + [f"adds {', '.join(map(repr, more))}"] * bool(more)
    return (
        f"the model of this data set {' and '.join(parts) or 'has its parameters in another order'}, unlike those of "
        "the others: a category or a predictor does not vary in it as it does there."
    )
