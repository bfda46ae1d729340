"""The same question answered six ways, on the same rows."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mixedsim.errors import DataError, FormulaError, MixedsimError, nearest, shown
from mixedsim.formula import Formula, fixed_terms, parse
from mixedsim.inference.contrasts import check_level
from mixedsim.models import LinearMixedModel, lmer
from mixedsim.simulate import Sample, Truth
from mixedsim.simulate.families import family_of
from mixedsim.simulate.family import outcome
from mixedsim.study import rungs
from mixedsim.study.ordinary import LeastSquares
from mixedsim.study.recover import truths_of
from mixedsim.study.recovery import decimals_of
from mixedsim.study.rungs import Ground, Rung
from mixedsim.study.splitting import within_between
from mixedsim.study.true_values import parameter_key, truth_for


@dataclass(frozen=True, eq=False)
class Ladder:
    """What six analyses of the same rows say about the same coefficients.

    The rungs: ``"OLS"``, ``"group means"``, ``"dummies"``, ``"varying intercepts"``, ``"varying slopes"`` and
    ``"within-between"``. Prints as one table a coefficient.

    Attributes
    ----------
    table : index: rung, coefficient; columns: truth, estimate, se, df, lower, upper, p. Degrees of freedom are n − p
        (less the groups for dummies) of a regression, Satterthwaite's of a mixed model. What a rung cannot tell, and a
        truth that is not known, is NaN. In ``"within-between"`` the row of a predictor is its effect within groups;
        the effect between them has a row of its own, see `between`.
    fits : the fitted models by rung: `LinearMixedModel`, or `LeastSquares` with ``.coefficients()``.
    notes : by rung, what it assumes and what it lost, in sentences.
    between : by coefficient, the name of its group mean in ``"within-between"``.
    truth : the true values, as far as they are known; index: coefficient.
    formula, group, level : what was asked for.
    messages : what was done to the data, in sentences.
    """

    table: pd.DataFrame
    fits: Mapping[str, LeastSquares | LinearMixedModel] = field(repr=False)
    notes: Mapping[str, tuple[str, ...]]
    between: Mapping[str, str]
    truth: pd.Series[float]
    formula: str
    group: str
    level: float
    messages: tuple[str, ...] = ()

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The coefficients that the rungs are compared by, without the group means of ``"within-between"``."""
        return tuple(dict.fromkeys(self.table.loc["OLS"].index))

    def of(self, coefficient: str) -> pd.DataFrame:
        """The rungs' answers about one coefficient.

        Its effect between groups comes last, as rung ``"between"``, if there is one.

        Raises
        ------
        MixedsimError
            If it is none of `coefficients`.
        """
        if coefficient not in self.coefficients:
            known = nearest(coefficient, self.coefficients)
            raise MixedsimError(f"the ladder has no coefficient {coefficient!r}: {known}")
        rows = pd.DataFrame(self.table.xs(coefficient, level="coefficient"))
        if coefficient not in self.between:
            return rows
        last = self.table.loc[[("within-between", self.between[coefficient])]]
        return pd.concat([rows, last.set_axis(["between"], axis=0)]).rename_axis("rung")

    def __str__(self) -> str:
        parts = [self._title()]
        for name in self.coefficients:
            body = _cells(self.of(name)).rename_axis(None).to_string()
            parts.append(f"{self._heading(name)}\n{body}")
        parts.append("\n".join(self._sentences()))
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{html.escape(self._title())}</strong></p>"]
        for name in self.coefficients:
            table = _cells(self.of(name)).rename_axis(None).to_html(border=0)
            parts.append(f"<p><strong>{html.escape(self._heading(name))}</strong></p>{table}")
        parts += [f"<p><em>{html.escape(sentence)}</em></p>" for sentence in self._sentences()]
        return f'<div class="mixedsim-ladder">{"".join(parts)}</div>'

    def _title(self) -> str:
        return f"Ladder of {self.formula.strip()} by {self.group}"

    def _heading(self, name: str) -> str:
        true = self.truth.get(name)
        known = "" if true is None or np.isnan(true) else f", in truth {true:.6g}"
        return f"{name}{known}"

    def _sentences(self) -> list[str]:
        said = [f"{rung}: {sentence}" for rung, sentences in self.notes.items() for sentence in sentences]
        return [*said, *(f"Note: {message}" for message in self.messages)]


def ladder(
    data: Any,
    formula: str,
    group: str,
    *,
    varying: str | None = None,
    truth: Mapping[str, float] | pd.Series[float] | Sample | Truth | None = None,
    level: float = 0.95,
) -> Ladder:
    """Return the answers of six analyses to one question: from ignoring the groups to splitting within and between.

    1. ``"OLS"``: ordinary least squares on all rows;
    2. ``"group means"``: ordinary least squares on the means of every group, each with the same weight;
    3. ``"dummies"``: an indicator for every group beside the predictors ("fixed effects");
    4. ``"varying intercepts"``: `lmer` with ``(1 | group)``;
    5. ``"varying slopes"``: `lmer` with ``(varying | group)``;
    6. ``"within-between"``: `lmer` with ``(1 | group)`` and every predictor that varies within groups split into its
       group mean and the deviation from it (Mundlak 1978; Bell, Fairbrother & Jones 2019).

    Parameters
    ----------
    data : a `Sample`, whose truth is then known; or a DataFrame with one row an observation.
    formula : response and predictors without a random term, such as ``"anxiety ~ depression + sex"``.
    group : the grouping factor, a column or a combination ``"a:b"``.
    varying : the effects that vary in rung 5, ``"1 + depression"``; the first predictor that varies within groups, and
        the intercept, if None.
    truth : the true coefficients by name, where they are known otherwise: a mapping, a Series, a `Sample` or a `Truth`.
    level : confidence level of the intervals.

    Raises
    ------
    FormulaError, DataError, MixedsimError
        If the formula has a random term or no intercept, if the data cannot carry a model with varying intercepts, if
        a name of `truth` is no coefficient, or the level does not lie between 0 and 1. A higher rung that the data
        cannot carry has NaN in the table and a note that says why.

    Examples
    --------
    A confounder that nobody measured makes therapists with more depressed patients look better than they are.

    >>> import mixedsim as ms
    >>> sample = ms.scenarios.therapist_confounder(patients=5).draw(seed=1)
    >>> ladder = ms.ladder(sample, "anxiety ~ depression + sex", "therapist")
    >>> ladder.of("depression")[["truth", "estimate", "se"]].round(2)
                        truth  estimate    se
    rung
    OLS                   3.0      ...
    """
    check_level(level)
    given = _checked(formula, group)
    frame = data.data if isinstance(data, Sample) else data
    fit = lmer(f"{formula} + (1 | {group})", frame)
    ground = Ground.of(fit, formula, frame, level)
    last, between = within_between(ground)
    steps = [
        rungs.ols(ground),
        rungs.group_means(ground),
        rungs.dummies(ground),
        rungs.varying_intercepts(ground, fit),
        rungs.varying_slopes(ground, varying),
        last,
    ]
    given_truth = truth if truth is not None else data if isinstance(data, Sample) else {}
    elsewhere = _on_another_scale(given_truth)
    known = _truth({} if elsewhere else given_truth, ground, between)
    return Ladder(
        table=_table(steps, known, between),
        fits={step.name: step.fit for step in steps if step.fit is not None},
        notes={step.name: step.notes for step in steps},
        between=between,
        truth=known,
        formula=given.text,
        group=ground.group,
        level=level,
        messages=(*fit.design.messages, *elsewhere),
    )


def _checked(formula: str, group: str) -> Formula:
    """The formula, if it has an intercept and no random term, and there is one grouping factor."""
    if hasattr(formula, "columns") or isinstance(formula, Sample):
        raise FormulaError("ladder takes the data first, then the formula, then the group: change their order.")
    given = parse(formula)
    if given.terms:
        raise FormulaError(
            f"ladder takes {formula!r} without its random term {given.terms[0].text}: say which groups by group=, and "
            "which effects vary by varying=."
        )
    if "1" not in map(str, fixed_terms(given.fixed)):
        raise FormulaError(
            f"the formula {formula!r} has no intercept, and with dummies its coefficients would mean something else: "
            "leave out the 0."
        )
    if not isinstance(group, str):
        raise DataError(f"group must be the name of a column, found {shown(group)}.")
    found = parse(f"{formula} + (1 | {group})").groups
    if len(found) > 1:
        raise FormulaError(f"ladder compares the groups of one factor, found {group!r}: choose {' or '.join(found)}.")
    return given


def _truth(given: Any, ground: Ground, between: Mapping[str, str]) -> pd.Series[float]:
    """The true values of the coefficients, NaN where unknown; and of group means where both parts are known."""
    names = [*ground.asked, *(mean for mean in between.values() if mean not in ground.asked)]
    ours = {_key(name): name for name in names}
    drawn = isinstance(given, Sample | Truth)
    values = _of_sample(given, ground.design.formula) if drawn else given
    if not isinstance(values, Mapping | pd.Series):
        raise MixedsimError(
            f"truth must be a Sample, its truth, or numbers by coefficient, found {type(given).__name__}."
        )
    known = pd.Series(np.nan, index=pd.Index(names, name="coefficient"), name="truth", dtype=float)
    for name, value in values.items():
        own = ours.get(_key(name))
        if own is None and not drawn and name != "Intercept":
            raise MixedsimError(f"truth names {name!r}, which is no coefficient of the ladder: {nearest(name, names)}")
        if not isinstance(value, int | float | np.number):
            raise MixedsimError(f"truth must be numbers, found {shown(value)} for {name!r}.")
        if own is not None:
            known[own] = float(value)
    for one, mean in between.items():
        if drawn and mean not in ground.asked:  # beside the deviation it has both effects, see `_table`
            known[mean] += known[one]
    return known


def _of_sample(given: Sample | Truth, formula: Formula) -> dict[str, float]:
    """The true coefficients of a sample that are coefficients of this formula too."""
    truth = given.truth if isinstance(given, Sample) else given
    known = truth_for(formula, truth.population.plan.formula, truths_of(truth))
    return {name: value for (kind, _, name), value in known.items() if kind == "fixed"}


def _on_another_scale(given: Any) -> tuple[str, ...]:
    """Why the truth of a sample is nothing to hold linear models against, if it is not."""
    if not isinstance(given, Sample | Truth):
        return ()
    family = family_of(given.population.family)
    if (family.kind, family.link) == ("gaussian", "identity"):
        return ()
    return (f"the true coefficients are on the {family.link} scale of {outcome(family.kind)}, and not shown here.",)


def _key(name: object) -> Hashable:
    """What ``x:z`` and ``z:x`` share."""
    return parameter_key(("fixed", "", str(name)))


def _table(steps: list[Rung], known: pd.Series[float], between: Mapping[str, str]) -> pd.DataFrame:
    """All rungs below each other.

    The effect of a group mean that stands in the formula is, beside the deviation, both effects together:
    β x + γ x̄ = β (x − x̄) + (β + γ) x̄.
    """
    table = pd.concat({step.name: step.table for step in steps}, names=["rung"])
    truth = known.reindex(table.index.get_level_values("coefficient")).to_numpy().copy()
    for one, mean in between.items():
        if mean in steps[0].table.index:
            truth[table.index == ("within-between", mean)] = known[one] + known[mean]
    table.insert(0, "truth", truth)
    return table


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """The table as strings: two digits of the smallest standard error, a dash where there is nothing."""
    decimals = decimals_of(table["se"].to_numpy(dtype=np.float64))
    form = dict.fromkeys(("estimate", "se", "lower", "upper"), f".{decimals}f") | {"df": ".1f", "p": ".3f"}
    shown = {
        column: ["–" if np.isnan(value) else format(value, form[column]) for value in table[column]]
        for column in ("estimate", "se", "df", "lower", "upper", "p")
    }
    shown["p"] = ["<0.001" if value < 0.0005 else cell for value, cell in zip(table["p"], shown["p"], strict=True)]
    return pd.DataFrame(shown, index=table.index)
