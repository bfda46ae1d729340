"""How much each row, and each level of a grouping factor, has to say: leverage, and what happens without it.

Everything is closed form at the estimated variances: nothing is fitted again. In columns multiplied by √weight, with V
over σ² the covariance of the rows, ``W = X'V⁻¹X`` and ``P = V⁻¹ − V⁻¹XW⁻¹X'V⁻¹``:

* Leverage. Fitted values with random effects are ``ŷ = (I − P) y``, so that ``h_i = 1 − P_ii`` is the row's leverage
  (the one of lme4's ``hatvalues``); that of the fixed part alone is the diagonal of ``XW⁻¹X'V⁻¹`` and adds up to p
  (Demidenko & Stukel 2005, Stat. Med. 24:893; Nobre & Singer 2011, J. Appl. Stat. 38:1063).
* Deletion. Without the rows S the generalised least squares estimate is, for the same variances,
  ``β̂ − β̂_(S) = W⁻¹X'V⁻¹E (E'PE)⁻¹ E'e``, with E the columns of the identity for S and ``e = Py`` the conditional
  residuals (Christensen, Pearson & Johnson 1992, Technometrics 34:38; Haslett & Dillane 2004, J. R. Stat. Soc. B
  66:131; Zewotir & Galpin 2005, J. Data Sci. 3:153).
* Cook's distance is ``(β̂ − β̂_(S))'W(β̂ − β̂_(S))/(pσ²)``, DFBETAS the change of one coefficient over its standard error,
  both with the σ and the standard errors of all rows (Cook 1977, Technometrics 19:15; Belsley, Kuh & Welsch 1980,
  section 2.1; for mixed models Demidenko & Stukel 2005; Loy & Hofmann 2014, J. Stat. Softw. 56(5)).

For a level the n_S × n_S matrix is never formed. Let F hold X and the columns of all effects above the level, A =
F'V_S⁻¹F what its rows tell about them in the metric of its own effects and all below, and N the joint covariance of
the errors of their estimates. Then the change of those estimates is ``N (I − AN)⁻¹ F'e``, and with N = RR' symmetric:
``R (I − R'AR)⁻¹ R'F'e``. Where a factor is the only one, or the outermost, F is X and N is W⁻¹.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import Objective, Profile
from mixedsim.engine.nested import NestedAbsorbed
from mixedsim.engine.structure import Absorbed
from mixedsim.inference.influence_crossed import crossed_information
from mixedsim.inference.prediction_variance import joint_of, path_covariances
from mixedsim.inference.whitened import Whitened

Floats = NDArray[np.float64]
_ALONE = 1e-9  # share of what is known about a coefficient that must remain, or it is known by these rows alone


@dataclass(frozen=True, eq=False)
class Influence:
    """What k rows, or the rows of k levels, do (standardised columns, p coefficients).

    Attributes
    ----------
    leverage, leverage_fixed : k values, of fitted values with random effects and of the fixed part.
    change : k × p: coefficients less what they are without the rows; NaN where they are not known without them.
    cook : k of Cook's distances; NaN likewise.
    spread : k × 1 or k × p variances: under the model ``cook`` is distributed as ``Σ_m spread_m χ²_1``, less what
        σ̂ varies.
    """

    leverage: Floats
    leverage_fixed: Floats
    change: Floats
    cook: Floats
    spread: Floats


def row_influence(objective: Objective, at: Profile, rows: Whitened, sigma2: float) -> Influence:
    """Return the `Influence` of every row.

    Parameters
    ----------
    objective, at : the criterion and its optimum, of which θ is kept.
    rows : the rows times the root of their weights, with their conditional residuals.
    sigma2 : the residual variance (standardised).
    """
    p = objective.cp.p
    shares = row_shares(at.absorbed, objective.layout.lambdas(at.theta), at.w_inverse, rows)
    left = 1.0 - shares.random - shares.fixed
    known = left > _ALONE
    safe = np.where(known, left, np.nan)
    change = shares.told * (rows.residual / safe)[:, None]
    spread = shares.fixed / safe
    cook = rows.residual**2 * spread / (safe * sigma2 * max(p, 1))
    fixed = np.einsum("np,np->n", rows.x, shares.told)
    return Influence(1.0 - left, fixed, change, cook, spread[:, None] / max(p, 1))


def level_influence(
    objective: Objective, at: Profile, rows: Whitened, factor: int, sigma2: float, alone: Influence
) -> Influence:
    """Return the `Influence` of every level of a factor: its rows deleted together, its leverages added up.

    Parameters
    ----------
    objective, at, rows, sigma2 : as in `row_influence`.
    factor : the number of the factor.
    alone : the influence of every row, whose leverages are added up.
    """
    levels = objective.cp.zz[factor].shape[0]
    p = objective.cp.p
    if isinstance(at.absorbed, NestedAbsorbed):
        n_joint, told, pull = _nested_information(at, rows, factor)
    else:
        n_joint = at.w_inverse
        told, pull = crossed_information(objective, at, rows, factor, _left_of_x(at.absorbed, rows))
    change, covariance = _without(n_joint, told, pull, p)
    half = np.linalg.cholesky(at.w_inverse) if p else at.w_inverse
    size = np.linalg.solve(half, change.T) if p else change.T
    cook = (size**2).sum(axis=0) / (sigma2 * max(p, 1))
    known = np.isfinite(cook)
    spread = np.full((levels, p), np.nan)
    if p:
        side = np.linalg.solve(half, covariance[known])
        both = np.linalg.solve(half, side.transpose(0, 2, 1))
        spread[known] = np.linalg.eigvalsh(both).clip(min=0.0) / p
    codes = rows.codes[factor]
    leverage, leverage_fixed = (
        np.bincount(codes, one, levels).astype(np.float64) for one in (alone.leverage, alone.leverage_fixed)
    )
    return Influence(leverage, leverage_fixed, change, cook, spread)


@dataclass(frozen=True, eq=False)
class RowShares:
    """Of what ``I − P`` consists, row by row.

    Attributes
    ----------
    inner, told : n × p, ``V⁻¹X`` and ``V⁻¹XW⁻¹``.
    random, fixed : n values that add up to ``1 − P_ii``: ``z'ΛM⁻¹Λ'z`` and the diagonal of ``V⁻¹XW⁻¹X'V⁻¹``.
    """

    inner: Floats
    told: Floats
    random: Floats
    fixed: Floats


def row_shares(absorbed: Absorbed, lambdas: list[Floats], w_inverse: Floats, rows: Whitened) -> RowShares:
    """Return the `RowShares` of rows whose random effects are absorbed."""
    inner = _left_of_x(absorbed, rows)
    told = inner @ w_inverse
    random = joint_of(absorbed, lambdas).quadratic(rows.z, rows.codes)
    return RowShares(inner, told, random, np.einsum("np,np->n", told, inner))


def _left_of_x(absorbed: Absorbed, rows: Whitened) -> Floats:
    """``V⁻¹X``: what is left of every column after its own conditional modes, n × p."""
    p = rows.x.shape[1]
    out = rows.x.copy()
    contrasts = np.eye(len(absorbed.ww))[:, :p]
    for z, codes, modes in zip(rows.z, rows.codes, absorbed.modes(contrasts), strict=True):
        _subtract(out, z, modes, codes)
    return out


def _subtract(out: Floats, z: Floats, modes: Floats, codes: NDArray[np.intp]) -> None:
    """``out −= Z modes``, effect by effect: no n × q × columns array."""
    for k in range(z.shape[1]):
        out -= z[:, k, None] * modes[codes, k]


def _without(n_joint: Floats, told: Floats, pull: Floats, p: int) -> tuple[Floats, Floats]:
    """Change of the p last of f coefficients without each level, k × p, and its covariance over σ², k × p × p.

    Parameters
    ----------
    n_joint : f × f, or k × f × f: covariance of the estimates' errors.
    told : k × f × f, what the level's rows tell about them.
    pull : k × f, ``F'e``.
    """
    values, vectors = np.linalg.eigh(n_joint)
    root = vectors * np.sqrt(values.clip(min=0.0))[..., None, :]
    turned = np.swapaxes(root, -1, -2) @ told @ root
    share, axes = np.linalg.eigh(0.5 * (turned + np.swapaxes(turned, -1, -2)))
    known = share[..., -1] < 1.0 - _ALONE if share.shape[-1] else np.ones(len(told), dtype=bool)
    share = np.where(known[:, None], share.clip(min=0.0), np.nan)
    loading = (root @ axes)[..., root.shape[-2] - p :, :]
    mine = np.einsum("...fg,...f->...g", root @ axes, pull)
    change = np.einsum("kpg,kg->kp", loading, mine / (1.0 - share))
    covariance = (loading * (share / (1.0 - share))[:, None, :]) @ np.swapaxes(loading, -1, -2)
    return change, covariance


def _nested_information(at: Profile, rows: Whitened, factor: int) -> tuple[Floats, Floats, Floats]:
    """N, A and F'e for every level of a factor that nests in all later ones (see the top of this file)."""
    absorbed = at.absorbed
    assert isinstance(absorbed, NestedAbsorbed)
    blocks = absorbed.blocks
    k = blocks.order.index(factor)
    outer = blocks.order[k + 1 :]
    f = np.concatenate([rows.z[g] for g in outer] + [rows.x], axis=1)
    left = f.copy()
    for g, modes in _inner_modes(absorbed, k, f.shape[1]).items():
        _subtract(left, rows.z[g], modes, rows.codes[g])
    codes, levels = rows.codes[factor], len(absorbed.stages[k].d)
    told = np.empty((levels, f.shape[1], f.shape[1]))
    pull = np.empty((levels, f.shape[1]))
    for a in range(f.shape[1]):
        pull[:, a] = np.bincount(codes, f[:, a] * rows.residual, levels)
        for b in range(a + 1):
            told[:, a, b] = told[:, b, a] = np.bincount(codes, f[:, a] * left[:, b], levels)
    if not outer:
        return at.w_inverse, told, pull
    return _joint_errors(at, absorbed, k)[blocks.up[k, k + 1]], told, pull


def _inner_modes(absorbed: NestedAbsorbed, k: int, width: int) -> dict[int, Floats]:
    """Modes of the `width` columns after stage k, with stages 0 … k absorbed and no others: {factor: J × q × width}."""
    blocks = absorbed.blocks
    out: dict[int, Floats] = {}
    for m in range(k, -1, -1):
        stage = absorbed.stages[m]
        end = stage.kc.shape[2] - 1  # the last column is y
        b = stage.kc[:, :, end - width : end].copy()
        for later in range(m + 1, k + 1):
            b -= stage.kc[:, :, blocks._columns(m, later)] @ out[blocks.order[later]][blocks.up[m, later]]
        out[blocks.order[m]] = b
    return out


def _joint_errors(at: Profile, absorbed: NestedAbsorbed, k: int) -> Floats:
    """Covariance of the errors of all effects above stage k along each path, then of β̂, over σ²: J_{k+1} × f × f.

    Henderson (1975): ``Var(b̂ − b) = K + BW⁻¹B'``, ``Cov(b̂ − b, β̂) = −BW⁻¹``, with B the modes of X.
    """
    blocks = absorbed.blocks
    p = len(at.beta)
    of_factor = absorbed.modes(np.eye(p + 1)[:, :p])
    path = path_covariances(absorbed)[k + 1]
    ups = [of_factor[blocks.order[k + 1]]]
    ups += [of_factor[blocks.order[m]][blocks.up[k + 1, m]] for m in range(k + 2, len(blocks.order))]
    b = np.concatenate(ups, axis=1)
    beside = -b @ at.w_inverse
    own = path - beside @ b.transpose(0, 2, 1)
    below = np.broadcast_to(at.w_inverse, (len(b), p, p))
    return np.concatenate(
        [np.concatenate([own, beside], axis=2), np.concatenate([beside.transpose(0, 2, 1), below], axis=2)], axis=1
    )
