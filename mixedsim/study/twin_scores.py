"""The score equations that make a given covariance the estimate, and the smallest change of a response that meets them.

At σ = 1 let V = I + Σ_f Z_f S_f Z_f', with S_f = R_f R_f' the covariance that every level of factor f is to have, and
P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹. A response whose random part is r has its maximum of the restricted likelihood at
these S_f and σ = 1 only if the scores vanish (Harville 1977, J. Am. Stat. Assoc. 72:320, section 4):

    (Σ_j h_j h_j' − T_f) R_f = 0,    h = Z_f'Pr, one q-vector a level,    T_f = Σ_j (Z_f'PZ_f)_jj
    r'Pr = ν,                         ν = n − p

Maximum likelihood has V⁻¹ in place of P in T_f, and ν = n. Where S_f has full rank the first line says Σ h h' = T_f;
where it has not (a standard deviation of 0, a correlation of ±1), a covariance at the boundary asks for no more.

A drawn r₀ meets them only on average. So r = s r₀ + Σ_f Z_f(H_f R_f C_f'), where row j of H_f is the h_j of r₀: every
level's effects change in proportion to what the data say of that level, by a small matrix C_f (q × k) that is free. The
equations are then quadratic in the few numbers τ = (C, s), Newton's method begins at r₀ itself, and of all steps that
solve the linear equations the shortest is taken. (Effects drawn anew, in place of H_f, serve as well where variances
are large; where they are small beside σ², they cannot undo what the residuals happen to say of the levels.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixedsim.engine import CrossProducts, Problem, arrange
from mixedsim.engine.structure import Absorbed, Blocks
from mixedsim.inference.responses import Rows

Floats = NDArray[np.float64]
_STEPS = 60
_EXACT, _ENOUGH = 1e-13, 1e-10  # relative errors of the equations: where to stop, and what will do
_SHORTEST = 1e-3  # share of a step below which it is no use halving it further
_RANK = 1e-8  # share of the largest singular value below which one is rounding
_NOTHING = 1e-10  # share of the sums as drawn below which what the fixed effects leave of them is rounding
_DEPENDENT = 1e-10  # relative singular value below which two equations say the same


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be estimated, in the engine's standardised basis of the random effects and for σ = 1.

    Attributes
    ----------
    theta : K elements, the lower triangles of the covariance factors.
    roots : for each factor R_f, q × k with ``R_f R_f' = S_f``; k is the rank of S_f, each column belongs to one term.
    free : factor, column of R and effect for every free element of C: a term's columns move that term's effects, since
        the covariance between terms is no parameter.
    reml : restricted maximum likelihood, or maximum likelihood.
    """

    theta: Floats
    roots: tuple[Floats, ...]
    free: tuple[tuple[int, int, int], ...]
    reml: bool

    @classmethod
    def of(cls, problem: Problem, factors: Sequence[Floats], reml: bool) -> Target:
        """The target from one square root of Σ_f/σ² a factor (lower triangular, in the units of the data)."""
        roots: list[Floats] = []
        free: list[tuple[int, int, int]] = []
        shapes = problem.layout.factors
        for f, (t, factor, shape) in enumerate(zip(problem.varying, factors, shapes, strict=True)):
            solid = np.flatnonzero(np.abs(factor).max(axis=0, initial=0.0) > 0)
            roots.append(np.asarray(np.linalg.solve(t, factor[:, solid])))
            term = np.repeat(np.arange(len(shape.terms)), shape.terms)
            free += [(f, k, int(i)) for k, j in enumerate(solid) for i in np.flatnonzero(term == term[j])]
        theta = problem.standard_theta(problem.layout.theta(factors))
        return cls(theta, tuple(roots), tuple(free), reml)


@dataclass(frozen=True, eq=False)
class Twinned:
    """A response that meets the equations, at σ = 1.

    Attributes
    ----------
    response : n values, r less its GLS fit.
    scale : s, what effects and residuals of the draw are multiplied by before anything else.
    changes : what is added to the effects of every factor: J_f × q_f each, standardised basis.
    """

    response: Floats
    scale: float
    changes: tuple[Floats, ...]


def twinned(problem: Problem, rows: Rows, target: Target, drawn: Floats) -> Twinned | None:
    """The response nearest to a drawn one that meets the equations; None where Newton's method finds none.

    Parameters
    ----------
    problem, rows : the design (p fixed effects, n rows).
    target : what is to be estimated.
    drawn : n values, the random part of the draw over σ.
    """
    first = _Mixture.of(problem, rows, target, drawn[:, None])
    columns = [*_directions(first.sums, target, rows), drawn]
    sizes = np.array([max(float(np.linalg.norm(column)), 1e-300) for column in columns])
    matrix = np.column_stack(columns) * (sizes[-1] / sizes)
    mixture = _Mixture.of(problem, rows, target, matrix)
    tau = _solve(mixture.equations(target))
    if tau is None:
        return None
    fitted = mixture.gls @ tau
    beside = np.append(tau[:-1], 0.0)
    modes = mixture.absorbed.modes(np.concatenate([-fitted, beside, [0.0]])[:, None])
    return Twinned(
        response=matrix @ tau - rows.x @ fitted,
        scale=float(tau[-1]),
        changes=tuple(b[:, :, 0] for b in modes),
    )


def ranks(problem: Problem, rows: Rows, target: Target, drawn: Floats) -> list[int]:
    """For each factor, how many of its columns of R the levels can tell apart when the fixed effects are taken out.

    Parameters are those of `twinned`. Fewer than R has, and Σ_j h_j h_j' can never be what it should be.
    """
    first = _Mixture.of(problem, rows, target, drawn[:, None])
    known = []
    for z, along, root in zip(rows.z, _along(first.sums, target), target.roots, strict=True):
        # what is nothing but rounding beside the sums before the fixed effects are taken out has no rank at all
        size = float(np.linalg.norm(z.T @ drawn)) * float(np.linalg.norm(root))
        nothing = np.linalg.norm(along) <= _NOTHING * size
        known.append(0 if nothing else int(np.linalg.matrix_rank(along, tol=_RANK * np.linalg.norm(along, 2))))
    return known


def _along(sums: list[Floats], target: Target) -> list[Floats]:
    """``H_f R_f`` of every factor: J_f × k_f each."""
    return [h[:, :, 0] @ root for h, root in zip(sums, target.roots, strict=True)]


def _directions(sums: list[Floats], target: Target, rows: Rows) -> list[Floats]:
    """The columns that the free elements of C multiply, n values each: Z_f with HR's column k for effect i alone."""
    along = _along(sums, target)
    out = []
    for f, k, i in target.free:
        effects = np.zeros(sums[f].shape[:2])
        effects[:, i] = along[f][:, k]
        out.append(np.asarray(rows.z[f] @ effects.ravel()))
    return out


@dataclass(frozen=True, eq=False)
class _Mixture:
    """m columns of rows in the metric of V, with the p fixed effects taken out.

    ``gls`` are their GLS coefficients, p × m; ``inner`` is A'PA, m × m; ``sums`` are Z_f'PA, J_f × q_f × m each;
    ``expected`` are the T_f, q_f × q_f each; ``nu`` is ν.
    """

    absorbed: Absorbed
    gls: Floats
    inner: Floats
    sums: list[Floats]
    expected: list[Floats]
    nu: int

    @classmethod
    def of(cls, problem: Problem, rows: Rows, target: Target, columns: Floats) -> _Mixture:
        p, m = problem.cp.p, columns.shape[1]
        cp = _beside_x(problem.cp, rows, columns)
        blocks = arrange(cp)
        absorbed = blocks.absorb(problem.layout.lambdas(target.theta))
        w = absorbed.ww[:p, :p]
        w_inverse = np.linalg.inv(w)
        gls = w_inverse @ absorbed.ww[:p, p : p + m]
        contrasts = np.concatenate([-gls, np.eye(m), np.zeros((1, m))])
        metric = np.zeros_like(absorbed.ww)
        if target.reml:
            metric[:p, :p] = w_inverse
        return cls(
            absorbed=absorbed,
            gls=gls,
            inner=absorbed.ww[p : p + m, p : p + m] - gls.T @ w @ gls,
            sums=_marginal(cp, blocks, absorbed, contrasts),
            expected=absorbed.scores(metric),
            nu=cp.n - p if target.reml else cp.n,
        )

    def equations(self, target: Target) -> _Equations:
        """The score equations for a response that is a combination of the columns."""
        forms, values = [self.inner / self.nu], [1.0]
        for f, k, i in target.free:
            root, expected = target.roots[f][:, k], self.expected[f]
            form = self.sums[f][:, i].T @ np.einsum("jqm,q->jm", self.sums[f], root)
            size = np.sqrt(expected[i, i] * (root @ expected @ root))
            forms.append((form + form.T) / (2.0 * size))
            values.append(float(expected[i] @ root / size))
        return _Equations(np.array(forms), np.array(values))


@dataclass(frozen=True, eq=False)
class _Equations:
    """``τ'Q_k τ = t_k`` for every k: symmetric m × m forms and their values, scaled to be of order 1."""

    forms: Floats
    values: Floats

    def error(self, tau: Floats) -> Floats:
        return np.asarray(self.forms @ tau @ tau - self.values)

    def jacobian(self, tau: Floats) -> Floats:
        return np.asarray(2.0 * self.forms @ tau)


def _solve(equations: _Equations) -> Floats | None:
    """Newton's method from the drawn response, by the shortest steps; None if it does not arrive."""
    tau = np.zeros(equations.forms.shape[1])
    tau[-1] = 1.0
    error = equations.error(tau)
    for _ in range(_STEPS):
        size = float(np.abs(error).max())
        if size < _EXACT:
            return tau
        # shortest, because a covariance of deficient rank has more directions than equations that differ
        step = np.linalg.lstsq(equations.jacobian(tau), -error, rcond=_DEPENDENT)[0]
        share = 1.0
        while np.linalg.norm(new := equations.error(tau + share * step)) > (1 - 1e-4 * share) * np.linalg.norm(error):
            share *= 0.5
            if share < _SHORTEST:
                return tau if size < _ENOUGH else None
        tau, error = tau + share * step, new
    return None


def _beside_x(cp: CrossProducts, rows: Rows, columns: Floats) -> CrossProducts:
    """Cross-products with further columns in X, p + m in all, and a response of zeros."""
    p, m = cp.p, columns.shape[1]
    beside = rows.products(columns, cp)
    return replace(
        cp,
        zx=tuple(np.concatenate([x, y], axis=2) for x, y in zip(cp.zx, beside.zy, strict=True)),
        zy=tuple(np.zeros((*z.shape[:2], 1)) for z in cp.zz),
        xx=np.block([[cp.xx, beside.xy], [beside.xy.T, columns.T @ columns]]),
        xy=np.zeros((p + m, 1)),
        yy=np.zeros(1),
    )


def _marginal(cp: CrossProducts, blocks: Blocks, absorbed: Absorbed, contrasts: Floats) -> list[Floats]:
    """``Z'V⁻¹[X y]C`` for the columns of C: what is left of Z'[X y]C when the conditional modes are taken out."""
    modes = blocks.times_zz(absorbed.modes(contrasts))
    return [
        np.concatenate([zx, zy], axis=2) @ contrasts - z for zx, zy, z in zip(cp.zx, cp.zy, modes, strict=True)
    ]
