"""The third verb of a study: summarise. How good the estimates are, and how well n replicates tell.

For a parameter θ with estimates θ̂ᵢ, i = 1 … n, their mean θ̄, standard errors sᵢ and p-values pᵢ:

==============  ================================  =================================================================
performance     estimate                          Monte-Carlo standard error
==============  ================================  =================================================================
mean            θ̄                                 se_empirical / √n
bias            θ̄ − θ                             se_empirical / √n
rmse            √MSE, MSE = Σ (θ̂ᵢ − θ)² / n       √(Σ ((θ̂ᵢ − θ)² − MSE)² / (n (n − 1))) / (2 rmse)
se_empirical    √(Σ (θ̂ᵢ − θ̄)² / (n − 1))          se_empirical / √(2 (n − 1))
se_model        √(Σ sᵢ² / n)                      √(var(sᵢ²) / (4 n se_model²))
coverage        share of intervals that hold θ    √(c (1 − c) / n)
power           share of pᵢ < alpha               √(p (1 − p) / n)
==============  ================================  =================================================================

Source: Morris, White & Crowther (2019), Using simulation studies to evaluate statistical methods, Statistics in
Medicine 38:2074, table 6; that of the rmse is the delta method from their MSE. Where θ = 0, "power" is the type I
error, and the column `test` says so.

Among the estimates with p < alpha, where θ ≠ 0: ``type_s`` is the share with the wrong sign, and ``type_m`` the mean of
|θ̂| / |θ|, how much larger than the truth what is significant looks (Gelman & Carlin 2014, Beyond power calculations,
Perspectives on Psychological Science 9:641); their errors are those of a share and of a mean.

The error of se_empirical is that of normal estimates: with heavier tails, as those of few groups have, it is larger.

Each n counts what exists: replicates that failed have no estimate, standard deviations have no p, and at the boundary
no interval. Nothing of that kind is ever counted as "not significant", or as an interval that misses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError
from mixedsim.listing import listed
from mixedsim.models.power import check_alpha
from mixedsim.study.moments import Codes, Moments

Floats = NDArray[np.float64]
Key = tuple[str, str]
_READ = ("analysis", "parameter", "truth", "estimate", "se", "p", "lower", "upper", "converged", "singular")


def summarise(
    replicates: pd.DataFrame | Iterable[pd.DataFrame], *, alpha: float = 0.05, type_sm: bool = False
) -> pd.DataFrame:
    """Return how well every analysis estimates every parameter, with the Monte-Carlo error of each number.

    Parameters
    ----------
    replicates : the rows of a study (`Study.replicates`), or parts of them one after the other, of which only one has
        to be in memory.
    alpha : level of the tests.
    type_sm : add ``type_s`` and ``type_m``.

    Returns
    -------
    DataFrame with index analysis, parameter; columns truth, then mean, bias, rmse, se_empirical, se_model, coverage,
    power (see the top of this file), each followed by its Monte-Carlo standard error, ``mean_mcse``; then n
    (replicates with an estimate), failed (replicates whose fit failed or did not converge, which count nowhere
    else), singular, and test: ``"power"``, ``"type I error"`` where the truth is 0, ``"rejections"`` where it is not
    known, missing where there is no test. What does not exist is NaN.

    Raises
    ------
    MixedsimError
        If there are no rows, a column is missing, or alpha is none.

    Examples
    --------
    >>> import mixedsim as ms
    >>> study = ms.study(ms.scenarios.therapist_plain(therapists=10, patients=5), n=50, seed=1)
    >>> table = ms.study.summarise(study.replicates)
    >>> table.loc[("mixed", "depression"), ["truth", "mean", "mean_mcse"]].astype(float).round(1).tolist()
    [3.0, 3.1, 0.1]
    """
    check_alpha(alpha)
    parts = [replicates] if isinstance(replicates, pd.DataFrame) else replicates
    if not isinstance(parts, Iterable) or isinstance(parts, str | Mapping):
        hint = ": pass its replicates" if hasattr(parts, "replicates") else ""
        raise MixedsimError(f"summarise needs the replicates of a study, found {type(parts).__name__}{hint}.")
    counted = (_Tally.of(part, alpha) for part in parts if len(part))
    first = next(counted, None)
    if first is None:
        raise MixedsimError("there are no replicates to be summarised.")
    return _table(reduce(_Tally.__add__, counted, first), type_sm)


@dataclass(frozen=True, eq=False)
class _Tally:
    """What is counted and averaged for G pairs of analysis and parameter.

    Attributes
    ----------
    keys : the pairs.
    truth : G values.
    estimate, error2, se2 : of the estimates, their squared distances from the truth, and squared standard errors.
    covered, rejected, wrong : of zeros and ones: intervals that hold the truth, p below alpha, and of these the wrong
        signs.
    size : of |estimate| / |truth| where p is below alpha.
    failed, singular : of zeros and ones for all replicates.
    """

    keys: tuple[Key, ...]
    truth: Floats
    estimate: Moments
    error2: Moments
    se2: Moments
    covered: Moments
    rejected: Moments
    wrong: Moments
    size: Moments
    failed: Moments
    singular: Moments

    @classmethod
    def of(cls, frame: pd.DataFrame, alpha: float) -> _Tally:
        absent = [name for name in _READ if name not in frame]
        if absent:
            found = listed(frame.columns, most=30)
            raise MixedsimError(f"the replicates of a study must have a column {absent[0]!r}, found {found}.")
        keys, codes, first = _pairs(frame)
        column = {name: frame[name].to_numpy(dtype=np.float64) for name in _READ[2:]}
        truth, groups = column["truth"], len(keys)
        fitted = column["converged"] == 1.0
        estimate, se, p, lower, upper = (
            np.where(fitted, column[name], np.nan) for name in ("estimate", "se", "p", "lower", "upper")
        )
        covered = _where(np.isfinite(truth + lower + upper), (lower <= truth) & (truth <= upper))
        significant = p < alpha
        told = significant & (truth != 0) & np.isfinite(truth)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(told, np.abs(estimate / truth), np.nan)
        values: Mapping[str, Floats] = {
            "estimate": estimate,
            "error2": (estimate - truth) ** 2,
            "se2": se**2,
            "covered": covered,
            "rejected": _where(np.isfinite(p), significant),
            "wrong": _where(told, np.sign(estimate) != np.sign(truth)),
            "size": size,
            "failed": 1.0 - fitted,
            "singular": column["singular"],
        }
        return cls(keys, truth[first], **{name: Moments.of(one, codes, groups) for name, one in values.items()})

    def __add__(self, other: _Tally) -> _Tally:
        if self.keys != other.keys:
            keys = tuple(dict.fromkeys((*self.keys, *other.keys)))
            if self.keys != keys or other.keys != keys:
                return self._with(keys) + other._with(keys)
        joined = {name: getattr(self, name) + getattr(other, name) for name in _MOMENTS}
        return replace(self, truth=np.where(np.isnan(self.truth), other.truth, self.truth), **joined)

    def _with(self, keys: tuple[Key, ...]) -> _Tally:
        """The same for more pairs."""
        known = {key: place for place, key in enumerate(self.keys)}
        places = np.array([known.get(key, -1) for key in keys], dtype=np.intp)
        truth = np.where(places < 0, np.nan, self.truth[places])
        return _Tally(keys, truth, **{name: getattr(self, name).at(places) for name in _MOMENTS})


_MOMENTS = tuple(one.name for one in fields(_Tally) if one.name not in ("keys", "truth"))


def _pairs(frame: pd.DataFrame) -> tuple[tuple[Key, ...], Codes, Codes]:
    """The pairs of analysis and parameter as they appear, the pair of every row, and the first row of each."""
    (a, analyses), (b, parameters) = (pd.factorize(frame[name]) for name in ("analysis", "parameter"))
    codes, found = pd.factorize(a * len(parameters) + b)
    first = np.full(len(found), len(frame), dtype=np.intp)
    np.minimum.at(first, codes, np.arange(len(frame)))
    pairs = (divmod(one, len(parameters)) for one in found.tolist())
    keys = tuple((str(analyses[left]), str(parameters[right])) for left, right in pairs)
    return keys, codes, first


def _where(known: NDArray[np.bool_], yes: NDArray[np.bool_]) -> Floats:
    """1 and 0; NaN where it is not known."""
    return np.where(known, yes.astype(np.float64), np.nan)


def _table(tally: _Tally, type_sm: bool) -> pd.DataFrame:
    estimate, n = tally.estimate, tally.estimate.n
    spread = estimate.sd()
    rmse, se_model = np.sqrt(tally.error2.average()), np.sqrt(tally.se2.average())
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "truth": tally.truth,
            "mean": estimate.average(),
            "mean_mcse": estimate.error(),
            "bias": estimate.average() - tally.truth,
            "bias_mcse": np.where(np.isnan(tally.truth), np.nan, estimate.error()),
            "rmse": rmse,
            "rmse_mcse": tally.error2.error() / (2.0 * rmse),
            "se_empirical": spread,
            "se_empirical_mcse": spread / np.sqrt(2.0 * (n - 1.0)),
            "se_model": se_model,
            "se_model_mcse": tally.se2.error() / (2.0 * se_model),
            **_share("coverage", tally.covered),
            **_share("power", tally.rejected),
        }
        if type_sm:
            columns |= _share("type_s", tally.wrong)
            columns |= {"type_m": tally.size.average(), "type_m_mcse": tally.size.error()}
    counts = {
        "n": n,
        "failed": np.rint(tally.failed.n * tally.failed.mean),
        "singular": np.rint(tally.singular.n * tally.singular.mean),
    }
    index = pd.MultiIndex.from_tuples(tally.keys, names=["analysis", "parameter"])
    test = np.where(tally.truth == 0, "type I error", np.where(np.isnan(tally.truth), "rejections", "power"))
    tests = pd.Series(test, dtype=object).where(tally.rejected.n > 0, None)
    whole = {name: values.astype(np.int64) for name, values in counts.items()}
    return pd.DataFrame({**columns, **whole, "test": tests.to_numpy()}, index=index)


def _share(name: str, of: Moments) -> dict[str, Floats]:
    share = of.average()
    with np.errstate(invalid="ignore"):
        return {name: share, f"{name}_mcse": np.sqrt((share * (1.0 - share)).clip(min=0.0) / np.maximum(of.n, 1.0))}
