"""Is the mean right everywhere, and the spread the same? Curves through the residuals, judged by `envelopes`.

* Mean: the cubic that follows the residuals best, along the fitted values and along each numeric predictor. In a right
  model it is flat but for chance (and, along fitted values, for the shrinkage of random effects, which drawn responses
  share). One test for all these curves, as Tukey's and Ramsey's tests are for one (Ramsey 1969, J. R. Stat. Soc. B
  31:350), so that looking along many predictors raises no more alarms.
* Spread: the same for ``√|residual|`` with a parabola, and with means for the levels of a category (a scale-location
  plot: Cleveland 1993, Visualizing Data, chapter 2). √|r| is taken over its own standard deviation in each response,
  so that heavy tails are not read as unequal variances (as Koenker 1981, J. Econom. 17:107, did for squares).
* Groups: the typical size of the residuals of each level, in order of size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.inference.envelopes import LEVEL, Envelope, envelope
from mixedsim.inference.verdict import Verdict, judged, nothing

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
FITTED = "fitted values"
ROOT_NORMAL = 0.8221789586624  # E√|z| of a standard normal z: 2^(1/4) Γ(3/4)/√π
_POINTS = np.linspace(0.01, 0.99, 25)  # shares of rows at which a curve is looked at
_CATEGORIES = 20
_RIDGE = 1e-9


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve through the residuals along one variable.

    Attributes
    ----------
    name : of the variable.
    x : k places; numbers of the levels of a category.
    labels : of these levels, or empty.
    envelope : of the curve; p holds together with those along other variables.
    verdict : along this variable, in words.
    """

    name: str
    x: Floats
    labels: tuple[str, ...]
    envelope: Envelope
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Curves:
    """The same question along several variables, judged at once.

    Attributes
    ----------
    curves : by variable; ``"fitted values"`` first. None where nothing varies.
    worst : the variable along which most departs.
    verdict : in words.
    """

    curves: Mapping[str, Curve]
    worst: str
    verdict: Verdict


def mean_check(residual: Floats, fitted: Floats, numbers: Mapping[str, Floats], level: float = LEVEL) -> Curves:
    """Return whether the residuals have mean zero along the fitted values and each numeric predictor.

    Parameters
    ----------
    residual, fitted : n × m, the data in column 0.
    numbers : n values of each numeric predictor.
    level : of the test.
    """
    curves = {FITTED: _along_each(residual, fitted, 3)} if _varies(fitted) else {}
    for name, values in numbers.items():
        degree = min(3, len(np.unique(values)) - 1)
        if degree >= 2:
            curves[name] = _along(residual, values, degree)
    return _judged("mean", curves, {}, level, _bend)


def spread_check(
    residual: Floats,
    fitted: Floats,
    numbers: Mapping[str, Floats],
    categories: Mapping[str, tuple[Codes, tuple[str, ...]]],
    level: float = LEVEL,
) -> Curves:
    """Return whether residuals are of one size everywhere; curves are of √|residual|.

    Parameters
    ----------
    residual, fitted, numbers, level : as in `mean_check`.
    categories : level numbers and labels of each categorical predictor.
    """
    root = np.sqrt(np.abs(residual))
    centre, size = root.mean(axis=0), root.std(axis=0)
    size[size == 0] = 1.0
    root = (root - centre) / size
    curves = {FITTED: _along_each(root, fitted, 2)} if _varies(fitted) else {}
    for name, values in numbers.items():
        if len(np.unique(values)) > 1:
            curves[name] = _along(root, values, min(2, len(np.unique(values)) - 1))
    labels = {}
    for name, (codes, names) in categories.items():
        count = np.bincount(codes, minlength=len(names))
        if 1 < len(names) <= _CATEGORIES and count.min() > 0:
            curves[name] = np.arange(len(names), dtype=float), _means(root, codes, len(names))
            labels[name] = names
    found = _judged("spread", curves, labels, level, _widening)
    own = {
        name: replace(one, envelope=one.envelope.mapped(lambda c: centre[0] + size[0] * c))
        for name, one in found.curves.items()
    }
    return Curves(own, found.worst, found.verdict)


@dataclass(frozen=True, eq=False)
class GroupSizes:
    """The typical size of the residuals of each level, smallest first.

    Attributes
    ----------
    order : J numbers of levels.
    envelope : of the sizes, in standard deviations.
    verdict : in words.
    """

    order: Codes
    envelope: Envelope | None
    verdict: Verdict


def group_check(residual: Floats, codes: Codes, labels: list[str], group: str, level: float = LEVEL) -> GroupSizes:
    """Return whether residuals are as large in one group as in the next.

    Parameters
    ----------
    residual : n × m, the data in column 0.
    codes : n level numbers; all occur.
    labels : J names.
    group : name of the factor.
    level : of the test.
    """
    count = np.bincount(codes, minlength=len(labels))
    several = np.flatnonzero(count > 1)
    if len(several) < 2:
        return GroupSizes(several, None, nothing("groups", f"no level of {group} has two rows to compare"))
    root = np.sqrt(np.abs(residual))
    centre, size = root.mean(axis=0), root.std(axis=0)
    size[size == 0] = 1.0
    means = (_means(root, codes, len(labels))[several] - centre) / size
    order = several[np.argsort(means[:, 0], kind="stable")]
    found = envelope(np.sort(means, axis=0), level)
    ratio = (centre[0] + size[0] * means[:, 0]) / max(float(centre[0]), 1e-300)
    # the end of the curve that leaves the band most
    last = bool(found.worst >= len(order) / 2)
    name = labels[order[-1] if last else order[0]]
    times = float((ratio.max() if last else ratio.min()) ** 2)

    def as_sd(curve: Floats) -> Floats:
        """Means of √|r| as the standard deviation of normal residuals that have them."""
        return np.asarray(np.maximum((centre[0] + size[0] * curve) / ROOT_NORMAL, 0.0) ** 2)

    how = f"residuals of {group} {name} are {times:.1f} times as large as most"
    verdict = judged("groups", found.departs, found.p, how)
    return GroupSizes(order, found.mapped(as_sd), verdict)


def _judged(
    check: str, curves: Mapping[str, tuple[Floats, Floats]], labels: Mapping[str, tuple[str, ...]], level: float,
    how: Callable[[str, tuple[str, ...], Envelope], str],
) -> Curves:  # fmt: skip
    """One test for all curves, and where each of them stands in it."""
    if not curves:
        why = "all fitted values are alike, and there is no predictor to look along"
        return Curves({}, FITTED, nothing(check, why))
    ends = np.cumsum([len(x) for x, _ in curves.values()])
    found = envelope(np.concatenate([values for _, values in curves.values()]), level)
    out = {}
    for end, (name, (x, _)) in zip(ends.tolist(), curves.items(), strict=True):
        own = found.part(slice(end - len(x), end))
        own_words = how(name, labels.get(name, ()), own)
        out[name] = Curve(name, x, labels.get(name, ()), own, judged(check, own.departs, own.p, own_words))
    worst = max(out, key=lambda name: abs(out[name].envelope.departure))
    return Curves(out, worst, out[worst].verdict)


def _bend(name: str, _: tuple[str, ...], found: Envelope) -> str:
    away = found.observed - found.centre
    third = max(1, len(away) // 3)
    first, middle, last = away[:third].mean(), away[third:-third].mean(), away[-third:].mean()
    if first * last > 0 and first * middle < 0:
        return f"residuals curve along {name}, {'low' if middle < 0 else 'high'} in the middle"
    k = int(np.argmax(np.abs(away)))
    place = "at small" if k < third else "at large" if k >= len(away) - third else "amid"
    return f"residuals lie {'above' if away[k] > 0 else 'below'} zero {place} {name}"


def _widening(name: str, labels: tuple[str, ...], found: Envelope) -> str:
    values = found.observed - found.centre
    if labels:
        return f"residuals are largest where {name} is {labels[int(np.argmax(values))]}"
    third = max(1, len(values) // 3)
    first, last = values[:third].mean(), values[-third:].mean()
    middle = values[third:-third].mean() if len(values) > 2 else 0.5 * (first + last)
    if (middle - first) * (middle - last) > 0 and min(abs(middle - first), abs(middle - last)) > 0.5 * abs(
        last - first
    ):
        return f"residuals are {'largest' if middle > first else 'smallest'} amid {name}"
    return f"the spread of residuals {'grows' if last > first else 'shrinks'} with {name}"


def _varies(fitted: Floats) -> bool:
    """Whether the data's fitted values differ by more than rounding."""
    own = fitted[:, 0]
    return bool(np.ptp(own) > 1e-9 * (1.0 + np.abs(own).max()))


def _along(residual: Floats, values: Floats, degree: int) -> tuple[Floats, Floats]:
    """Places, and the values there of the polynomial through each set of residuals: k, k × m."""
    distinct = np.unique(values)
    x = distinct if len(distinct) <= len(_POINTS) else np.quantile(values, _POINTS)
    centre, size = values.mean(), values.std()
    q, r = np.linalg.qr(np.vander((values - centre) / size, degree + 1, increasing=True))
    basis = np.linalg.solve(r.T, np.vander((x - centre) / size, degree + 1, increasing=True).T)
    return x, basis.T @ (q.T @ residual)


def _along_each(residual: Floats, values: Floats, degree: int) -> tuple[Floats, Floats]:
    """The same where the variable differs between sets: at the same shares of its rows, named by those of the data."""
    centre, size = values.mean(axis=0), values.std(axis=0)
    z = (values - centre) / np.where(size > 0, size, 1.0)
    degree = min(degree, len(np.unique(z[:, 0].round(9))) - 1)
    powers = [np.ones_like(z)]
    for _ in range(degree):
        powers.append(powers[-1] * z)
    sums = [power.sum(axis=0) for power in powers]
    sums += [np.einsum("nm,nm->m", powers[degree], power) for power in powers[1:]]
    left = np.array([[sums[a + b] for b in range(degree + 1)] for a in range(degree + 1)]).transpose(2, 0, 1)
    # values that nearly repeat a few would leave no unique polynomial
    left += _RIDGE * len(z) * np.eye(degree + 1)
    right = np.array([np.einsum("nm,nm->m", power, residual) for power in powers]).T
    coefficients = np.linalg.solve(left, right[:, :, None])[:, :, 0]
    shape = _at_shares(z)[:, :, None] ** np.arange(degree + 1)
    return np.quantile(values[:, 0], _POINTS), np.einsum("kmd,md->km", shape, coefficients)


def _at_shares(z: Floats) -> Floats:
    """Quantiles of every column, by order statistics of its first rows where there are very many."""
    if len(z) > 4000:
        z = z[:: len(z) // 2000]
    return np.asarray(np.quantile(z, _POINTS, axis=0))


def _means(values: Floats, codes: Codes, levels: int) -> Floats:
    """Means by level, J × m; every level occurs."""
    order = np.argsort(codes, kind="stable")
    count = np.bincount(codes, minlength=levels)
    return np.asarray(np.add.reduceat(values[order], np.cumsum(count) - count, axis=0) / count[:, None])
