"""Several fits beside each other, as papers print them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from mixedsim.errors import MixedsimError, nearest
from mixedsim.files import draft, refuse_to_overwrite
from mixedsim.inference.contrasts import Ddf, check_level
from mixedsim.listing import listed
from mixedsim.models.comparable import MixedModel, check_alike, same_fixed
from mixedsim.models.generalized import GeneralizedLinearMixedModel
from mixedsim.models.generalized_means import ratio_of
from mixedsim.models.linear import LinearMixedModel
from mixedsim.models.table_formats import WRITERS, Layout, as_html, as_latex, as_markdown
from mixedsim.models.table_rows import STARS, Spread, TableRow, Uncertainty, Wanted, rows_of

Format = Literal["text", "markdown", "html", "latex"]
_SUFFIXES: Final[Mapping[str, str]] = {
    ".html": "html", ".htm": "html", ".tex": "latex", ".md": "markdown", ".txt": "text", ".csv": "csv",
}  # fmt: skip


@dataclass(frozen=True)
class FitTable:
    """A table of fits: HTML in a notebook, text when printed.

    Attributes
    ----------
    layout : its cells and notes.
    format : what it prints as.
    """

    layout: Layout
    format: Format = "text"

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands below the table, in sentences."""
        return self.layout.notes

    def __str__(self) -> str:
        return WRITERS[self.format](self.layout)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """The table as a fragment of HTML."""
        return as_html(self.layout)

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        r"""A ``tabular`` that needs ``\usepackage{booktabs}``; with a caption within a ``table``."""
        if label is not None and caption is None:
            raise MixedsimError("a label needs a caption to refer to: give one, or leave label out.")
        return as_latex(self.layout, caption, label)

    def to_markdown(self) -> str:
        """A pipe table."""
        return as_markdown(self.layout)

    def to_frame(self) -> pd.DataFrame:
        """All numbers, not rounded: index part and term; columns model and statistic, NaN where there is none."""
        names = ("estimate", "se", "df", "p", "lower", "upper")
        rows = [row for row in self.layout.rows if any(row.numbers)]
        values = [[own.get(name, np.nan) for own in row.numbers for name in names] for row in rows]
        index = pd.MultiIndex.from_tuples([(row.part, row.label) for row in rows], names=["part", "term"])
        columns = pd.MultiIndex.from_product([self.layout.names, names], names=["model", "statistic"])
        return pd.DataFrame(values, index=index, columns=columns, dtype=float).dropna(axis=1, how="all")

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the table to a file, in the format of its ending; returns the path.

        Parameters
        ----------
        path : ending in ``.html``, ``.tex``, ``.md``, ``.txt``, or ``.csv`` (the numbers of `to_frame`).
        force : replace a file that exists.

        Raises
        ------
        MixedsimError
            For another ending, a folder that is not there, or a file that exists, unless `force`.
        """
        target = Path(path)
        kind = _SUFFIXES.get(target.suffix.lower())
        if kind is None:
            raise MixedsimError(f"cannot tell the format of {str(path)!r}: end it in {', '.join(_SUFFIXES)}.")
        if target.is_file() and not force:
            raise MixedsimError(f"{str(path)!r} exists: choose another name, or set force=True to replace it.")
        refuse_to_overwrite(str(target), force=force)
        with draft(str(target), force=force) as new:
            new.write_text(self._document(kind), encoding="utf-8")
        return target

    def _document(self, kind: str) -> str:
        if kind == "csv":
            return str(self.to_frame().to_csv())
        if kind == "html":
            return f'<!doctype html>\n<meta charset="utf-8">\n<title>Fits</title>\n{self.to_html()}\n'
        return f"{WRITERS[kind](self.layout)}\n"


def table(
    *fits: MixedModel | Mapping[str, MixedModel],
    names: Sequence[str] | None = None,
    uncertainty: Uncertainty = "se",
    df: bool = False,
    p: bool = False,
    stars: bool = False,
    spread: Spread = "sd",
    icc: bool = False,
    r2: bool = False,
    exponentiate: bool = False,
    ddf: Ddf = "satterthwaite",
    level: float = 0.95,
    digits: int = 3,
    labels: Mapping[str, str] | None = None,
    format: Format | None = None,
) -> FitTable:
    """Return a table of fits beside each other, ready for a paper.

    Rows: fixed effects, standard deviations and correlations of the random effects, then numbers of rows and levels,
    how each was fitted, its dependent variable, log-likelihood, AIC and BIC. Linear and generalised models may stand in
    one table. What cannot be compared is left out, and a note says so.

    Parameters
    ----------
    fits : fitted models; or one mapping of them by name.
    names : one for each; ``(1)``, ``(2)``, … if None.
    uncertainty : of fixed effects: ``"se"`` or ``"interval"``.
    df, p, stars : show degrees of freedom, p-values, stars for them.
    spread : random effects as ``"sd"`` (with correlations) or ``"variance"`` (with covariances).
    icc, r2 : show the adjusted intraclass correlation, marginal and conditional R².
    exponentiate : fixed effects of generalised models as ratios (odds ratios, rate ratios, …) with the standard errors
        of the delta method, where the link is a logarithm; of other models as they are.
    ddf, level : of tests and intervals of linear models, as in their `coefficients`; others have Wald's.
    digits : how many digits of a standard error (or standard deviation) are shown; estimates have its decimals.
    labels : other words for rows, ``{"Days": "days without sleep"}``.
    format : what it prints as: ``"text"`` (the default), ``"markdown"``, ``"html"``, ``"latex"``.

    Returns
    -------
    A `FitTable` with ``.to_html()``, ``.to_latex()``, ``.to_markdown()``, ``.to_frame()`` and ``.save(path)``.

    Raises
    ------
    MixedsimError
        If something is no fitted model, names do not fit or are not distinct, or an option is none that there is.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.datasets.load("sleepstudy")
    >>> ms.table(ms.lmer("Reaction ~ Days + (Days | Subject)", data), names=["slopes vary"])
                                                   slopes vary
                                                  estimate    se
    ────────────────────────────────────────────────────────────
    Fixed effects
      Intercept                                     251.41  6.82
      Days                                           10.47  1.55
    Random effects
      Subject: sd of Intercept                       24.7
      Subject: sd of Days                             5.92
      Subject: correlation of Intercept and Days      0.07
      residual: sd                                   25.6
    Model
      rows                                          180
      levels of Subject                              18
      fitted by                                        REML
      dependent variable                             Reaction
      log-likelihood (REML: restricted)            -871.8
      AIC                                          1755.6
      BIC                                          1774.8
    ────────────────────────────────────────────────────────────
    """
    given = _given(fits, names)
    _check(uncertainty, spread, format, digits, level)
    wanted = Wanted(uncertainty, ddf, level, df, p, stars, spread, icc, r2, exponentiate, digits)
    models = list(given.values())
    criteria, notes = _comparable(models)
    rows = rows_of(models, wanted, criteria=criteria)
    notes += _remarks(given, wanted)
    shown = tuple(_relabelled(rows, {} if labels is None else labels))
    return FitTable(Layout(tuple(given), wanted.heads, shown, tuple(notes)), format or "text")


def _given(fits: Sequence[Any], names: Sequence[str] | None) -> dict[str, MixedModel]:
    """Models by name."""
    if len(fits) == 1 and isinstance(fits[0], Mapping):
        if names is not None:
            raise MixedsimError("the models have names already: leave names out, or pass the models alone.")
        names, fits = [str(name) for name in fits[0]], list(fits[0].values())
    for fit in fits:
        if not isinstance(fit, LinearMixedModel | GeneralizedLinearMixedModel):
            raise MixedsimError(f"ms.table takes fits of ms.lmer and ms.glmer, found {type(fit).__name__}.")
    if not fits:
        raise MixedsimError("ms.table takes fits of ms.lmer and ms.glmer, found none.")
    if names is None:
        names = [f"({k})" for k in range(1, len(fits) + 1)]
    if isinstance(names, str) or len(names) != len(fits):
        raise MixedsimError(f"names must be one for each of the {len(fits)} models, found {names!r}.")
    if len(set(map(str, names))) < len(fits):
        raise MixedsimError(f"names must differ from each other, found {list(names)!r}.")
    return {str(name): fit for name, fit in zip(names, fits, strict=True)}


def _check(uncertainty: str, spread: str, format: str | None, digits: Any, level: float) -> None:
    check_level(level)
    for name, value, known in (
        ("uncertainty", uncertainty, get_args(Uncertainty)),
        ("spread", spread, get_args(Spread)),
        ("format", format, (*get_args(Format), None)),
    ):
        if value not in known:
            raise MixedsimError(f"{name} must be one of {', '.join(map(repr, known))}, found {value!r}.")
    if not isinstance(digits, int) or not 1 <= digits <= 8:
        raise MixedsimError(f"digits must be a whole number from 1 to 8, found {digits!r}.")


def _comparable(fits: Sequence[MixedModel]) -> tuple[bool, list[str]]:
    """Whether AIC and BIC are shown, and what there is to say about comparing them."""
    if len(fits) < 2:
        return True, []
    linear = [fit for fit in fits if isinstance(fit, LinearMixedModel)]
    restricted = sum(fit.reml for fit in linear)
    if restricted and (restricted < len(linear) or not _one_mean(linear)):
        why = "REML fits with different fixed effects" if restricted == len(linear) else "REML and ML fits"
        return False, [
            f"AIC and BIC are left out, for those of {why} cannot be compared (nor can their log-likelihoods); "
            "ms.compare refits by maximum likelihood."
        ]
    try:
        check_alike(fits, "table")
    except MixedsimError as error:  # a table of models that cannot be compared is no mistake, but has to say so
        reason = re.split(r", so|, whose|: fit", str(error))[0].rstrip(".")
        return True, [f"Log-likelihood, AIC and BIC are not to be compared: {reason}."]
    return True, []


def _one_mean(fits: Sequence[LinearMixedModel]) -> bool:
    """Whether all have the same fixed effects; of other rows, by name."""
    if len({fit.nobs for fit in fits}) > 1:
        return len({frozenset(fit.coefficient_names) for fit in fits}) == 1
    return same_fixed(fits)


def _remarks(given: Mapping[str, MixedModel], wanted: Wanted) -> list[str]:
    """Which tests these are, what stars mean, on which scale coefficients are, and what went wrong."""
    notes = []
    linear = [name for name, fit in given.items() if isinstance(fit, LinearMixedModel)]
    others = [name for name in given if name not in linear]
    if wanted.df or wanted.p or wanted.stars or wanted.uncertainty == "interval":
        method = {"satterthwaite": "Satterthwaite’s", "kenward-roger": "Kenward and Roger’s", "wald": "infinite"}
        if linear:
            notes.append(f"Tests and intervals of linear models take {method[wanted.ddf]} degrees of freedom.")
        if others:
            notes.append("Tests and intervals of generalised models are Wald’s.")
    if others:
        notes.append(_scales({name: given[name] for name in others}, exponentiate=wanted.exponentiate))
    if wanted.stars:
        notes.append(f"{', '.join(f'{mark} p < {bound:g}' for bound, mark in reversed(STARS))}.")
    notes += [f"{name} is singular: a combination of its random effects has no variance." for name, fit in given.items()
              if fit.singular]  # fmt: skip
    notes += [f"{name} did not converge." for name, fit in given.items() if not fit.converged]
    return notes


def _scales(given: Mapping[str, MixedModel], *, exponentiate: bool) -> str:
    """What the numbers of generalised models are."""
    ratios: dict[str, list[str]] = {}
    for name, fit in given.items():
        kind = None if isinstance(fit, LinearMixedModel) or not exponentiate else ratio_of(fit)
        if kind is not None:
            ratios.setdefault(kind.replace("ratio", "ratios", 1), []).append(name)
    if not ratios:
        return "Coefficients and random effects of generalised models are on the scale of the link."
    said = "; ".join(f"those of {listed(names)} are {kind}" for kind, names in ratios.items())
    return (
        "Random effects of generalised models are on the scale of the link. Fixed effects: "
        f"{said} (the intercept what they multiply); all others are as estimated."
    )


def _relabelled(rows: Sequence[TableRow], labels: Mapping[str, str]) -> list[TableRow]:
    known = [row.label for row in rows]
    for name in labels:
        if name not in known:
            raise MixedsimError(f"labels names {name!r}, which is no row of the table: {nearest(name, known)}")
    return [replace(row, label=str(labels.get(row.label, row.label))) for row in rows]
