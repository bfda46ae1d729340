"""What pictures of a study are drawn from: its replicates, sorted into one cell an analysis and parameter.

Monte-Carlo errors: Morris, T. P., White, I. R. and Crowther, M. J. (2019). Using simulation studies to evaluate
statistical methods. Statistics in Medicine 38, 2074–2102, table 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mixedsim.errors import MixedsimError, nearest
from mixedsim.listing import listed
from mixedsim.plot.style import LINES, SEVERAL, rung_colour

Floats = NDArray[np.float64]
_NEEDED = ("analysis", "replicate", "parameter", "kind", "truth", "estimate", "se", "lower", "upper", "p", "converged")
_COLOURS: Final = (*SEVERAL, "#7a5230", "#000000", "#4d4d4d")


@dataclass(frozen=True, eq=False)
class Cell:
    """The replicates of one parameter in one analysis: r rows, in the order of replicates.

    Attributes
    ----------
    analysis, parameter, kind : which.
    truth : the true value; NaN where there is none.
    estimate, se, lower, upper, p : r values each; NaN where the fit failed or did not converge, or has none.
    failed : in how many it did.
    """

    analysis: str
    parameter: str
    kind: str
    truth: float
    estimate: Floats = field(repr=False)
    se: Floats = field(repr=False)
    lower: Floats = field(repr=False)
    upper: Floats = field(repr=False)
    p: Floats = field(repr=False)
    failed: int = 0

    @property
    def known(self) -> Floats:
        """The estimates that exist."""
        return self.estimate[np.isfinite(self.estimate)]

    @property
    def mean(self) -> float:
        """Mean estimate; NaN where there is none."""
        return float(self.known.mean()) if len(self.known) else float("nan")

    @property
    def sd(self) -> float:
        """Empirical standard error: the standard deviation of the estimates; NaN for fewer than two."""
        return float(self.known.std(ddof=1)) if len(self.known) > 1 else float("nan")

    @property
    def mean_mcse(self) -> float:
        """Monte-Carlo error of the mean: sd / √n."""
        return self.sd / float(np.sqrt(len(self.known))) if len(self.known) else float("nan")

    @property
    def claimed(self) -> float:
        """The standard error that the fits claim, √(mean of se²)."""
        known = self.se[np.isfinite(self.se)]
        return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")

    def covers(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which replicates have an interval, and which of these hold the truth: r values each."""
        has = np.isfinite(self.lower) & np.isfinite(self.upper) & np.isfinite(self.truth)
        return has, has & (self.lower <= self.truth) & (self.truth <= self.upper)


def share(hits: NDArray[np.bool_]) -> tuple[float, float]:
    """A share with its Monte-Carlo error √(p (1 − p) / n); NaN where there is nothing to count."""
    n = len(hits)
    if not n:
        return float("nan"), float("nan")
    value = float(hits.mean())
    return value, float(np.sqrt(value * (1.0 - value) / n))


def with_error(value: float, error: float) -> str:
    """``"94.6 ± 0.7 %"``: a share and its Monte-Carlo error, which that of all or none has not."""
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f} ± {100 * error:.1f} %" if error > 0 else f"{100 * value:.1f} %"


def replicates_of(source: Any, who: str) -> pd.DataFrame:
    """The replicates of a study, or of whatever has them.

    Raises
    ------
    MixedsimError
        If there are none, or columns are missing; `who` is the picture that was asked for.
    """
    found = source if isinstance(source, pd.DataFrame) else getattr(source, "replicates", None)
    if not isinstance(found, pd.DataFrame):
        raise MixedsimError(f"plot.{who} draws a study, as mixedsim.study returns it, found {type(source).__name__}.")
    missing = [name for name in _NEEDED if name not in found.columns]
    if missing:
        raise MixedsimError(
            f"plot.{who} draws a study or its replicates, and this table has no column {listed(map(repr, missing))}."
        )
    if not len(found):
        raise MixedsimError(f"plot.{who} has no replicates to draw: the study is empty.")
    return found


def cells_of(
    frame: pd.DataFrame, analyses: str | Sequence[str] | None, parameters: str | Sequence[str] | None, *, most: int = 0
) -> dict[tuple[str, str], Cell]:
    """The cells that were asked for, by analysis and parameter; all analyses if None.

    Parameters
    ----------
    parameters : names; if None all, or with `most` the first so many that are no intercept (see `leading`).
    """
    names = _chosen(analyses, frame["analysis"], "analysis")
    if parameters is None and most:
        parameters = leading(frame[frame["analysis"].isin(names)])[:most]
    wanted = _chosen(parameters, frame["parameter"], "parameter")
    out = {}
    for (analysis, parameter), rows in frame.groupby(["analysis", "parameter"], sort=False, observed=True):
        if analysis in names and parameter in wanted:
            out[str(analysis), str(parameter)] = _cell(str(analysis), str(parameter), rows)
    return {(a, p): out[a, p] for a in names for p in wanted if (a, p) in out}


def leading(frame: pd.DataFrame) -> list[str]:
    """Parameters in the order of interest: coefficients, after them the intercept, then whatever else there is."""
    kinds = frame.drop_duplicates("parameter").set_index("parameter")["kind"]
    fixed = [str(name) for name in kinds.index[kinds == "fixed"]]
    slopes = [name for name in fixed if name != "Intercept"]
    return [*slopes, *(name for name in fixed if name == "Intercept"), *map(str, kinds.index[kinds != "fixed"])]


def colours_of(source: Any) -> dict[str, str]:
    """A colour for every analysis: that of its name on a ladder, or of its kind if no other is of it, or a new one.

    Complete pooling (no varying effects) is black, varying intercepts blue, varying slopes red.
    """
    whole = getattr(source, "study", source)  # of a sampling distribution, which may have lost what varies
    frame = whole if isinstance(whole, pd.DataFrame) else whole.replicates
    names = [str(name) for name in frame["analysis"].drop_duplicates()]
    kinds = frame.drop_duplicates(["analysis", "parameter"])
    known = {name: rung_colour(name) or _kind_colour(kinds[kinds["analysis"] == name]) for name in names}
    taken = [colour for colour in known.values() if colour is not None]
    settled = {name: colour for name, colour in known.items() if colour is not None and taken.count(colour) == 1}
    if len(names) == 1:
        return settled or dict.fromkeys(names, LINES["intercepts"].colour)
    free = [colour for colour in _COLOURS if colour not in settled.values()]
    others = [name for name in names if name not in settled]
    return {name: settled.get(name) or free[others.index(name) % len(free)] for name in names}


def several_axes(ax: Axes | None, count: int, what: str) -> None:
    """Raise `MixedsimError` if one pair of axes is to hold several drawings."""
    if ax is not None and count > 1:
        raise MixedsimError(f"ax has room for one {what}, found {count}: name one, or leave ax out.")


def _kind_colour(rows: pd.DataFrame) -> str | None:
    kinds = rows["kind"].astype(str)
    if (kinds == "sd").any():
        varying = rows.loc[(kinds == "sd").to_numpy(), "parameter"].astype(str)
        slopes = not varying.str.startswith("sd(Intercept ").all()
        return LINES["slopes" if slopes else "intercepts"].colour
    return LINES["complete"].colour if (kinds == "sigma").any() else None


def _chosen(wanted: str | Sequence[str] | None, column: pd.Series[Any], what: str) -> list[str]:
    known = [str(name) for name in column.drop_duplicates()]
    if wanted is None:
        return known
    names = list(wanted) if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]
    for name in names:
        if name not in known:
            raise MixedsimError(f"the study has no {what} {name!r}: {nearest(name, known)}")
    if not names:
        raise MixedsimError(f"no {what} was named: give one of {listed(known)}, or leave it out.")
    return names


def _cell(analysis: str, parameter: str, rows: pd.DataFrame) -> Cell:
    rows = rows.sort_values("replicate", kind="stable")
    true = rows["truth"].to_numpy(dtype=np.float64)
    true = true[np.isfinite(true)]
    fitted = rows["converged"].to_numpy(dtype=np.bool_)
    numbers = {
        name: np.where(fitted, rows[name].to_numpy(dtype=np.float64), np.nan)
        for name in ("estimate", "se", "lower", "upper", "p")
    }
    return Cell(
        analysis,
        parameter,
        kind=str(rows["kind"].iloc[0]),
        truth=float(true[0]) if len(true) else float("nan"),
        failed=int((~fitted).sum()),
        **numbers,
    )
