"""Shrinkage: where every group's own estimate is moved to when groups lend each other strength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixedsim.errors import MixedsimError, nearest
from mixedsim.models import GeneralizedLinearMixedModel, LinearMixedModel
from mixedsim.plot.curves import TruthLike, checked_truth
from mixedsim.plot.shrinkage_plane import draw_plane, true_coefficients
from mixedsim.plot.shrinkage_sizes import draw_sizes
from mixedsim.plot.style import figure_of, look, picture, say
from mixedsim.study import Pooling
from mixedsim.study.shrinking import Shrinkage, shrinkage_of

Kind = Literal["plane", "size"]
_GENERALISED: Final = (
    "a generalised model has no least squares of each group to shrink from, whose odds may be infinite: "
    "ms.plot.caterpillar draws its random effects."
)


def shrinkage(
    pooling_or_fit: Pooling | LinearMixedModel,
    *,
    kind: Kind | None = None,
    group: str | None = None,
    terms: str | Sequence[str] | None = None,
    truth: TruthLike | None = None,
    ellipses: Sequence[float] = (0.5, 0.95),
    labels: int = 5,
    units: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Return arrows from every group's own estimate to the partially pooled one, or the share that each group keeps.

    ``kind="plane"``: one arrow a group in the plane of two effects, from no pooling (green ring) to partial pooling
    (filled), around the fixed effects (cross), with ellipses that hold 50 % and 95 % of the groups of the estimated
    population. A group without least squares of its own has a square and no arrow.

    ``kind="size"``: for each group, against its number of rows, the share of its own distance from the mean that it
    keeps. With one varying effect that is λ = τ² / (τ² + σ²/n), the curve (not drawn where weights differ). With
    several, each borrows from the others: what is kept is the actual ratio, below 0 or above 1 where an effect is
    carried away, and the grey dash at each group is its effect's reliability, τ² / (τ² + its sampling variance).

    Of what `mixedsim.pooling` returned, the estimates are those of its tables. Of a fit, a group's own least squares
    take all that does not vary by it from the mixed model; the figure says so.

    Parameters
    ----------
    pooling_or_fit : what `mixedsim.pooling` returned, or a linear mixed model.
    kind : ``"plane"`` or ``"size"``; the plane if two effects or more vary and `terms` names not just one.
    group : grouping factor of a fit; the one with most levels if None.
    terms : the effects: two for the plane (across, up), any for the sizes; those that come first if None.
    truth : the sample that was fitted, its truth, or a DataFrame of true coefficients (groups × names): ghost diamonds.
    ellipses : shares of the population that ellipses hold.
    labels : how many of the groups that move most are named.
    units : units of the variables, ``{"Reaction": "ms", "Days": "days"}``.
    ax : axes to draw on (sizes: for one effect); a new figure if None.

    Raises
    ------
    MixedsimError
        If it is neither, for an effect or group that does not vary, or a plane with other than two effects.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import mixedsim as ms
    >>> pooled = ms.pooling("Reaction ~ Days", ms.datasets.load("sleepstudy"), group="Subject")
    >>> figure = ms.plot.shrinkage(pooled, units={"Reaction": "ms", "Days": "days"})
    >>> figure.alt.split(":")[0]
    'Intercept and Days of 18 levels of Subject, from no pooling to partial pooling'
    >>> plt.close(figure)
    """
    found = _checked(pooling_or_fit, group)
    truth = checked_truth(truth)
    chosen, kind = _chosen(found, kind, terms)
    _check_shares(ellipses)
    if isinstance(labels, bool) or not isinstance(labels, int) or labels < 0:
        raise MixedsimError(f"labels must be a whole number of 0 or more, found {labels!r}.")
    if ax is not None and kind == "size" and len(chosen) > 1:
        raise MixedsimError(f"ax has room for one effect, found {len(chosen)}: name one by terms=, or leave ax out.")
    ghost = None if truth is None or kind == "size" else true_coefficients(truth, found, chosen)
    width = 5.6 if kind == "plane" or len(chosen) == 1 else 6.8
    height = 4.8 if kind == "plane" else 0.9 + 2.5 * -(-len(chosen) // 2)
    figure = picture(width, height) if ax is None else figure_of(ax)
    with look():
        if kind == "plane":
            complete = pooling_or_fit.complete if isinstance(pooling_or_fit, Pooling) else None
            said = draw_plane(figure, ax, found, (chosen[0], chosen[1]), complete, ghost, ellipses, labels, units)
        else:
            said = draw_sizes(figure, ax, found, chosen)
    say(figure, said)
    return figure


def _checked(source: Any, group: str | None) -> Shrinkage:
    if isinstance(source, GeneralizedLinearMixedModel):
        raise MixedsimError(f"plot.shrinkage draws a linear mixed model: {_GENERALISED}")
    if not isinstance(source, Pooling | LinearMixedModel):
        found = type(source).__name__
        raise MixedsimError(
            f"plot.shrinkage draws what mixedsim.pooling returns, or a linear mixed model, found {found}."
        )
    return shrinkage_of(source, group)


def _chosen(found: Shrinkage, kind: Any, terms: str | Sequence[str] | None) -> tuple[list[str], Kind]:
    """Effects and kind, where either may decide about the other."""
    known = [str(name) for name in found.centre.index]
    names = None if terms is None else [terms] if isinstance(terms, str) else list(terms)
    for name in names or ():
        if name not in known:
            raise MixedsimError(f"{name!r} does not vary by {found.group!r}: {nearest(name, known)}")
    if kind is not None and kind not in get_args(Kind):
        raise MixedsimError(f"kind must be 'plane' or 'size', found {kind!r}.")
    if kind is None:
        kind = "plane" if len(known if names is None else names) > 1 else "size"
    if names is None:
        names = known[:2] if kind == "plane" else known
    if kind == "plane" and (len(names) != 2 or names[0] == names[1]):
        hint = (
            f"only {known[0]!r} varies by {found.group!r}; kind='size' draws one effect."
            if len(known) == 1
            else "name two by terms=."
        )
        raise MixedsimError(f"the plane needs two different effects, found {len(set(names))}: {hint}")
    if not names:
        raise MixedsimError("terms is empty: name effects, or leave it out.")
    return names, kind


def _check_shares(ellipses: Sequence[float]) -> None:
    for share in ellipses:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise MixedsimError(f"ellipses hold shares between 0 and 1, such as 0.95, found {share!r}.")
