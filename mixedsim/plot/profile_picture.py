"""Profile likelihoods: how straight ζ is, which values are likely, and how two parameters hang together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtr

from mixedsim.errors import MixedsimError, nearest
from mixedsim.inference.contrasts import check_level
from mixedsim.inference.profile import LikelihoodProfile
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.parameter_panels import TruthLike, true_values
from mixedsim.plot.profile_curves import draw_curves
from mixedsim.plot.profile_pairs import draw_pairs
from mixedsim.plot.style import figure_of, say

Kind = Literal["zeta", "density", "pairs"]
Fit = LinearMixedModel | GeneralizedLinearMixedModel
_MOST_PAIRS: Final = 6
_TRACED: Final = 0.99  # level to which a fit is profiled, unless intervals need more


def profile(
    profile_or_fit: LikelihoodProfile | Fit,
    kind: Kind = "zeta",
    *,
    which: str | Sequence[str] | None = None,
    levels: Sequence[float] = (0.5, 0.8, 0.95),
    truth: TruthLike | None = None,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return the profile likelihood of parameters, one panel each, or one panel a pair.

    ``"zeta"``: the signed root of the rise of the deviance, against the parameter. Upright lines cut off the profile
    intervals. Where the curve lies on the dashed line through the estimate, a Wald interval would do as well; where it
    bends, the interval is lopsided. A curve that stops short ends where the scale does (a standard deviation of 0).

    ``"density"``: φ(ζ) ζ', the density of which every profile interval holds its level.

    ``"pairs"``: the joint confidence regions of two parameters, sketched from their profiles (Bates & Watts 1988,
    Nonlinear Regression Analysis, appendix 6), with both profile traces: where one is best as the other is moved. The
    traces of parameters that the data tell apart cross at a right angle.

    Parameters
    ----------
    profile_or_fit : what `fit.profile()` returned, or a fit, linear or generalised, that is profiled first.
    kind : ``"zeta"``, ``"density"`` or ``"pairs"``.
    which : parameters or kinds of them, as in `fit.profile`; all if None (for pairs the first six).
    levels : of the intervals, or joint regions.
    truth : the sample that was fitted, its truth, or true values by name: a dashed grey line, or diamond.
    units : units of the parameters, by name.
    ax : axes for one parameter (pairs: for two); a new figure if None.

    Raises
    ------
    MixedsimError
        If it is neither, has no such parameter, or was not profiled as far as a level asks for.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff"))
    >>> figure = ms.plot.profile(fit, which="sigma", levels=[0.95])
    >>> figure.alt.split(";")[0]
    'Profile of sigma: 95 % interval 38.23 to 67.66'
    >>> plt.close(figure)
    """
    if kind not in get_args(Kind):
        raise MixedsimError(f"kind must be 'zeta', 'density' or 'pairs', found {kind!r}.")
    shares = _checked_levels(levels)
    if ax is not None:
        figure_of(ax)
    found = _profiled(profile_or_fit, which, shares, joint=kind == "pairs")
    names = _names(found, which)
    known = true_values(truth)
    if kind == "pairs":
        drawn = names[:_MOST_PAIRS]
        figure, said = draw_pairs(found, drawn, len(names), shares, known, units, ax)
    else:
        figure, said = draw_curves(found, names, kind, shares, known, units, ax)
    say(figure, said)
    return figure


def _checked_levels(levels: Sequence[float]) -> list[float]:
    for level in levels:
        check_level(level)
    if not len(levels):
        raise MixedsimError("levels is empty: name one, such as 0.95.")
    return sorted(float(level) for level in levels)


def _profiled(source: Any, which: Any, levels: list[float], *, joint: bool) -> LikelihoodProfile:
    if isinstance(source, LikelihoodProfile):
        return source
    if not isinstance(source, Fit):
        raise MixedsimError(f"plot.profile draws a profile, or a fitted mixed model, found {type(source).__name__}.")
    needed = 2.0 * float(ndtr(np.sqrt(-2.0 * np.log1p(-levels[-1])))) - 1.0 if joint else levels[-1]
    return source.profile(which, level=max(_TRACED, min(needed + 1e-6, 1.0 - 1e-9)))


def _names(found: LikelihoodProfile, which: str | Sequence[str] | None) -> list[str]:
    """The parameters to draw: by name, or by the kind that their names begin with."""
    known = list(found.parameters)
    if not known:
        raise MixedsimError("the profile has no parameter to draw.")
    if which is None:
        return known
    names: list[str] = []
    for one in [which] if isinstance(which, str) else list(which):
        kinds = {"fixed": [n for n in known if "(" not in n and n != "sigma"], "sigma": ["sigma"]}
        kinds |= {kind: [n for n in known if n.startswith(f"{kind}(")] for kind in ("sd", "corr")}
        mine = [one] if one in known else [name for name in kinds.get(one, []) if name in known]
        if not mine:
            raise MixedsimError(f"the profile has no parameter {one!r}: {nearest(one, known)}")
        names += [name for name in mine if name not in names]
    return names
