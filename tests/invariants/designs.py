"""Random designs, small and awkward, and what it means that two fits say the same.

A case is drawn by hypothesis: one grouping factor, two nested or two crossed ones, unbalanced, with 0–2 varying slopes,
0–3 predictors of which one may be categorical, with or without intercept, weights and offset, by REML or ML; the true
variances may be zero, so that a good share of the fits is singular.

``MIXEDSIM_EXAMPLES=20 pytest tests/invariants`` looks at 20 times as many cases, other ones at every run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

import mixedsim as ms

_TIMES = int(os.environ.get("MIXEDSIM_EXAMPLES", "1"))

# Searches stop where one more step would lower the deviance by less than 1e-10. Around an optimum the deviance rises by
# the square of the distance in standard errors, so that two searches end within 1e-5 standard errors of each other;
# what follows from θ smoothly is as close in its own standard errors. Ten times that leaves room for curved valleys.
CLOSE = 1e-4
DEVIANCE = 1e-6  # what is promised of every optimum: a search down a bent valley may stop some 1e-8 above its end


def thorough(examples: int):
    """Settings of a property: so many cases, the same in every run unless MIXEDSIM_EXAMPLES asks for a hunt."""
    return settings(
        max_examples=examples * _TIMES,
        deadline=None,
        derandomize=_TIMES == 1,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.explicit, Phase.generate],  # a smaller seed is no simpler case, and `Case.made` makes it again
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )


@dataclass(frozen=True)
class Case:
    """A data set with the model for it.

    Attributes
    ----------
    data : y, x1, x2 (numbers), c (three categories), a, b (groups), w (weights), o (offset).
    fixed, random : right-hand side, without and with bars.
    reml, weighted, shifted : REML or ML; whether weights and an offset take part.
    made : how, to make it again.
    """

    data: pd.DataFrame
    fixed: str
    random: str
    reml: bool
    weighted: bool
    shifted: bool
    made: str

    def __repr__(self) -> str:
        return f"<{self.formula}; {'REML' if self.reml else 'ML'}, {self.weighted=}, {self.shifted=}; {self.made}>"

    @property
    def formula(self) -> str:
        return f"y ~ {self.fixed} + {self.random}"

    def fit(self, data=None, formula=None, **changes):
        """The model fitted to these data, or to changed ones."""
        asked = {
            "reml": self.reml,
            "weights": "w" if self.weighted else None,
            "offset": "o" if self.shifted else None,
        }
        return ms.lmer(formula or self.formula, self.data if data is None else data, **(asked | changes))

    def with_(self, **changes):
        return replace(self, **changes)


def _groups(rng, layout, rows):
    """Labels of a and b: every level occurs."""
    if layout == "nested":
        inner = int(rng.integers(6, 13))
        b = np.concatenate([np.arange(inner), np.arange(inner), rng.integers(0, inner, rows - 2 * inner)])
        return b * int(rng.integers(3, 6)) // inner, b
    levels = int(rng.integers(4, 11))
    others = int(rng.integers(3, 7))
    a = np.concatenate([np.arange(levels), rng.integers(0, levels, rows - levels)])
    b = np.concatenate([np.arange(others), rng.integers(0, others, rows - others)])
    return a, rng.permutation(b)


def table(layout, seed, sd=0.5, varying=()):
    """The data of a `Case`, made again from what a failure prints."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(45, 90))
    a, b = _groups(rng, layout, rows)
    x = {"x1": rng.normal(size=rows), "x2": rng.normal(size=a.max() + 1)[a] + rng.normal(size=rows)}
    y = 1 + x["x1"] + 0.5 * x["x2"] + rng.normal(size=rows) + sd * rng.normal(size=a.max() + 1)[a]
    y += sd * rng.normal(size=b.max() + 1)[b] * (layout != "one")
    for name in varying:
        y += 0.5 * sd * rng.normal(size=a.max() + 1)[a] * x[name]
    c = rng.permutation(np.resize(["lo", "mid", "hi"], rows))
    data = pd.DataFrame(x | {"y": y, "c": c, "a": a, "b": b, "w": rng.uniform(0.5, 2.0, rows)})
    data["o"] = rng.normal(size=rows)
    return data.iloc[rng.permutation(rows)].reset_index(drop=True)


@st.composite
def cases(draw, layouts=("one", "nested", "crossed"), intercept=None, predictors=("x1", "x2", "c"), slopes=2,
          double_bar=True, weighted=None, shifted=None, reml=None):  # fmt: skip
    """A `Case`; arguments fix or limit what is drawn."""
    layout, seed = draw(st.sampled_from(layouts)), draw(st.integers(0, 2**32 - 1))
    sd = draw(st.sampled_from([0.0, 0.5, 2.0]))
    chosen = [x for x in predictors if draw(st.booleans())]
    varying = [x for x in ("x1", "x2") if draw(st.booleans())][:slopes]
    bar = "||" if double_bar and varying and draw(st.booleans()) else "|"
    crossing = "*" if len(chosen) > 1 and draw(st.booleans()) else "+"
    fixed = f" {crossing} ".join(chosen) or "1"
    if not (draw(st.booleans()) or draw(st.booleans()) if intercept is None else intercept):
        fixed = f"0 + {fixed}" if chosen else "0"
    return Case(
        table(layout, seed, sd, varying),
        fixed,
        f"({' + '.join(['1', *varying])} {bar} a)" + ("" if layout == "one" else " + (1 | b)"),
        draw(st.booleans()) if reml is None else reml,
        draw(st.booleans()) if weighted is None else weighted,
        draw(st.booleans()) if shifted is None else shifted,
        f"table({layout!r}, {seed}, {sd}, {varying})",
    )


def term_columns(fit):
    """{group: n × q columns of all terms of a factor}, in the data's units."""
    return {
        factor.name: np.column_stack(
            [np.broadcast_to(column, fit.nobs) for term in factor.terms for column in term.columns.columns]
        )
        for factor in fit.design.factors
    }


def spread(fit):
    """{group: sd that each effect brings about, the residual's included}: the scale to measure effects by."""
    return {
        name: np.sqrt(np.diag(fit.covariances[name]) + fit.sigma**2 / (z**2).mean(axis=0))
        for name, z in term_columns(fit).items()
    }


def assert_same(one, other, *, scale=1.0, shift=None, a=None, t=None, labels=None):
    """`other` says of carried data what `one` says of the data themselves.

    Parameters
    ----------
    one, other : fits.
    scale : s, where the other's response (and offset) is s times the one's.
    shift : p values that were added to the one's coefficients before that.
    a, t : p × p matrix, and one q × q matrix a group: the other's X is X a, its Z is Z t.
    labels : {group: function from the one's labels to the other's}.
    """
    p = len(one.fixef)
    a = np.eye(p) if a is None else a
    names = [factor.name for factor in one.design.factors]
    assert sorted(names) == sorted(other.ranef)
    assert one.converged
    assert other.converged
    nu = one.nobs - p * one.reml
    expected = one.loglik - nu * np.log(abs(scale)) - (np.linalg.slogdet(a)[1] if one.reml else 0.0)
    assert abs(other.loglik - expected) < DEVIANCE
    assert abs(other.sigma / (abs(scale) * one.sigma) - 1) < CLOSE
    se = np.sqrt(np.diag(one.vcov))
    back = a @ other.fixef.to_numpy() / scale
    before = one.fixef.to_numpy() + (0.0 if shift is None else shift)
    assert (np.abs(back - before) < CLOSE * se + 1e-10 * np.abs(before)).all()
    vcov = a @ other.vcov.to_numpy() @ a.T / scale**2
    assert (np.abs(vcov - one.vcov.to_numpy()) < 10 * CLOSE * np.outer(se, se)).all()
    sizes = spread(one)
    for name in names:
        size = sizes[name]
        own = np.eye(len(size)) if t is None else t[name]
        sigma = own @ other.covariances[name].to_numpy() @ own.T / scale**2
        assert (np.abs(sigma - one.covariances[name].to_numpy()) < 10 * CLOSE * np.outer(size, size)).all()
        effects = other.ranef[name]
        index = one.ranef[name].index
        effects = effects.loc[index if labels is None else [labels[name](label) for label in index]]
        assert (np.abs(effects.to_numpy() @ own.T / scale - one.ranef[name].to_numpy()) < 10 * CLOSE * size).all()
