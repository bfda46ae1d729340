"""Broken YAML files, each with the one sentence that a person sees, and whether an editor sees it too.

An editor sees by the schema what has a wrong name, type, kind or range; what does not fit together only the population
can say.
"""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

import mixedsim as ms
from mixedsim.simulate import yaml_text

SCHOOLS = """\
name: schools
formula: passed / 10 ~ hours + arm + (1 | school) + (1 | class)
clusters:
  school: 6
  class: {in: school, n: 2}
  item: {n: 8, sample: 4}
size: 3
variables:
  wealth: {kind: LogNormal, meanlog: 0, sdlog: 0.5, level: school, observed: false}
  arm: {kind: Assigned, values: [usual, new], level: class, shuffle: true}
  iq, drive: {kind: Correlated, members: [{kind: Normal, mean: 100, sd: 15}, {kind: Beta, a: 2, b: 2}], corr: 0.3}
  hours: {kind: Poisson, mean: 2 + wealth}
  hours_mean: {kind: ClusterMean, of: hours, by: class}
  before: {kind: Lag, of: hours, by: class}
  busy: {kind: Derived, expr: hours > 3}
fixef:
  Intercept: -1
  hours: 0.2
  arm[T.new]: 0.5
ranef:
  school: {sd: 1, shape: {kind: t, df: 4}}
  class: {sd: 0.5}
family: [binomial, logit]
about:
  hours: hours of homework a week
problems:
  - {kind: Missing, column: hours, share: 0.1}
  - {kind: Dropout, hazard: 0.05, by: class}
  - {kind: Limits, column: iq, low: 70, high: 130}
lesson: pooled(hours) > 0
"""

GROWTH = """\
formula: y ~ x + (1 + x | g)
clusters: {g: 20}
size: 5
variables:
  x: {kind: Normal, mean: 0, sd: 1}
  z: {kind: Uniform, low: 0, high: 1, decimals: 2}
fixef: {Intercept: 1, x: 2}
ranef:
  g: {cov: [[4, 1], [1, 2]]}
sigma: 1 + z
residual: {shape: {kind: skewed, skewness: 1}, ar1: 0.4, by: g}
"""

SCHEMA = jsonschema.Draft202012Validator(ms.Population.schema())

# file, what is edited, into what, the sentence, whether the schema sees it
BROKEN: list[tuple[str, str, str, str, bool]] = [
    (
        SCHOOLS,
        "{in: school, n: 2}",
        "{in: [school, item], n: 2}",
        "line 5: clusters.class.in must be one cluster, found ['school', 'item']: a unit of several parents "
        "(multiple membership) cannot be simulated; cross the clusters, and let rows choose with 'sample'.",
        True,
    ),
    (
        SCHOOLS,
        "{in: school, n: 2}",
        "{within: school, n: 2}",
        "line 5: clusters.class.within is not a field: did you mean 'in'?",
        True,
    ),
    (
        SCHOOLS,
        "{n: 8, sample: 4}",
        "{n: 8, sample: 9}",
        "line 6: clusters.item.sample must be at most n, 8, found 9.",
        False,
    ),
    (
        SCHOOLS,
        "{n: 8, sample: 4}",
        "{n: 8, sample: 4, rotate: 4}",
        "line 6: clusters.item has both sample and rotate: units are met at random or by turns, choose one.",
        True,
    ),
    (
        SCHOOLS,
        "{n: 8, sample: 4}",
        "{n: 8, rotate: [2, 4]}",
        "line 6: clusters.item.rotate must be one whole number, found [2, 4]: turns are equally long.",
        True,
    ),
    (
        SCHOOLS,
        "{in: school, n: 2}",
        "{in: school, n: {kind: Sizes, values: [2, 2]}}",
        "line 5: clusters.class.n must hold one number for each of 6, found 2.",
        False,
    ),
    (
        SCHOOLS,
        "school: 6\n",
        "school: {n: 6, sample: 3}\n",
        "line 4: clusters.school says how many of them are met, but no cluster before it is there to meet "
        "them: move school down.",
        False,
    ),
    (
        SCHOOLS,
        "size: 3",
        "size: {kind: Sizes, values: [2, x]}",
        "line 7: size.values must be a number, found 'x'.",
        True,
    ),
    (
        SCHOOLS,
        "size: 3",
        "size: {kind: Bernoulli, p: hours}",
        "line 7: size must be a whole number, a pair (low, high), Sizes, or a distribution such as Normal, "
        "found Bernoulli(p='hours', level=None, observed=True).",
        False,
    ),
    (
        SCHOOLS,
        "size: 3",
        "size: [2, 3, 4]",
        "line 7: size must be one number or a pair (low, high), or Sizes with one number each, found [2, 3, 4].",
        True,
    ),
    (SCHOOLS, "sdlog: 0.5", "sdlog: -0.5", "line 9: variables.wealth.sdlog must not be negative, found -0.5.", True),
    (
        SCHOOLS,
        "kind: LogNormal, meanlog: 0",
        "kind: LogNormal, mean: 0",
        "line 9: variables.wealth.mean is not a field: did you mean 'meanlog'?",
        True,
    ),
    (
        SCHOOLS,
        "values: [usual, new]",
        "values: [usual, usual]",
        "line 10: variables.arm.values must hold at least two different ones, found ['usual', 'usual'].",
        False,
    ),
    (
        SCHOOLS,
        "values: [usual, new]",
        "values: [usual, 5]",
        "line 10: variables.arm.values must be all numbers or all texts, found 'usual' and 5.",
        True,
    ),
    (
        SCHOOLS,
        "level: class, shuffle: true",
        "level: class, shuffle: true, within: item",
        "line 10: variables.arm.within is 'item', but no item holds several units of class.",
        False,
    ),
    (
        SCHOOLS,
        "shuffle: true",
        "shuffle: at random",
        "line 10: variables.arm.shuffle must be true or false, found 'at random'.",
        True,
    ),
    (
        SCHOOLS,
        "iq, drive: {kind: Correlated",
        "iq: {kind: Correlated",
        "line 11: variables.iq is Correlated, whose key must name each of its members, as in 'x, z'.",
        True,
    ),
    (
        SCHOOLS,
        "iq, drive: {kind: Correlated",
        "iq, drive, nerve: {kind: Correlated",
        "line 11: variables.iq, drive, nerve names 3 variables, but Correlated has 2 members.",
        False,
    ),
    (
        SCHOOLS,
        "corr: 0.3}",
        "corr: 1.3}",
        "line 11: variables.iq, drive.corr must lie between -1 and 1, found 1.3.",
        False,
    ),
    (
        SCHOOLS,
        "corr: 0.3}",
        "within: 0.3}",
        "line 11: variables.iq, drive.between is missing: within, between and icc belong together.",
        False,
    ),
    (
        SCHOOLS,
        ", corr: 0.3}",
        "}",
        "line 11: variables.iq, drive.corr is missing: one number for every pair, or a matrix.",
        False,
    ),
    (
        SCHOOLS,
        "{kind: Beta, a: 2, b: 2}",
        "{kind: Derived, expr: hours}",
        "line 11: variables.iq, drive.members.2 must be a distribution such as Normal(5, 2), found Derived.",
        True,
    ),
    (
        SCHOOLS,
        "{kind: Beta, a: 2, b: 2}",
        "{kind: Beta, a: 2, b: 0}",
        "line 11: variables.iq, drive.members.2.b must lie between 0.001 and 1e+09, found 0.",
        True,
    ),
    (
        SCHOOLS,
        "{kind: Beta, a: 2, b: 2}",
        "{kind: Normal, mean: 0, sd: 1, level: school}",
        "line 11: variables.iq, drive.members.2 has one value a school, the first has one value a row: "
        "variables drawn together live at one level.",
        False,
    ),
    (
        SCHOOLS,
        "mean: 2 + wealth",
        "mean: 2 + arm",
        "line 12: variables.hours.mean calculates with arm, which is categorical: write (arm == 'usual').",
        False,
    ),
    (
        SCHOOLS,
        "mean: 2 + wealth",
        "mean: 2 + weath",
        "line 12: variables.hours.mean uses 'weath', which is not an earlier variable: did you mean 'wealth'?",
        False,
    ),
    (
        SCHOOLS,
        "mean: 2 + wealth",
        "mean: mean(wealth)",
        "line 12: variables.hours.mean calls 'mean' in 'mean(wealth)', which is no function here: known are "
        "'exp', 'log', 'sqrt', 'abs', 'floor', 'round', 'min', 'max', 'logistic', 'where'.",
        False,
    ),
    (
        SCHOOLS,
        "of: hours, by: class}\n  before",
        "of: hours, by: klass}\n  before",
        "line 13: variables.hours_mean.by must be a cluster, found 'klass': did you mean 'class'?",
        False,
    ),
    (
        SCHOOLS,
        "{kind: Lag, of: hours, by: class}",
        "{kind: Lag, of: hours, by: class, n: 0}",
        "line 14: variables.before.n must be at least 1, found 0.",
        False,
    ),
    (
        SCHOOLS,
        "{kind: Lag, of: hours, by: class}",
        "{kind: Lag, of: hours}",
        "line 14: variables.before.by must be given: which of school, class, item?",
        False,
    ),
    (
        SCHOOLS,
        "expr: hours > 3",
        "expr: 3 > 2",
        "line 15: variables.busy.expr must read an earlier variable, found '3 > 2'.",
        False,
    ),
    (
        SCHOOLS,
        "expr: hours > 3",
        "expr: hours >> 3",
        "line 15: variables.busy.expr contains 'hours >> 3', which is not arithmetic: use numbers, variables, "
        "+ - * / % **, one comparison at a time, and, or, not, exp, log, sqrt, abs, floor, round, min, max, "
        "logistic, where.",
        False,
    ),
    (
        SCHOOLS,
        "{kind: Derived, expr: hours > 3}",
        "{kind: Custom, function: f}",
        "line 15: variables.busy.function must be a function of (rng, size, **columns), which no file can "
        "hold, found 'f'.",
        True,
    ),
    (GROWTH, "decimals: 2", "decimals: -2.5", "line 6: variables.z.decimals must be a whole number, found -2.5.", True),
    (GROWTH, "high: 1,", "high: -1,", "line 6: variables.z.high must be at least low, 0, found -1.", False),
    (
        SCHOOLS,
        "shape: {kind: t, df: 4}",
        "shape: {kind: t, df: 2}",
        "line 21: ranef.school.shape.df must be above 2, or there is no variance, found 2.",
        False,
    ),
    (
        SCHOOLS,
        "shape: {kind: t, df: 4}",
        "shape: t",
        "line 21: ranef.school.shape.df is missing, as in {kind: t, df: …}.",
        True,
    ),
    (
        SCHOOLS,
        "shape: {kind: t, df: 4}",
        "shape: {kind: cauchy}",
        "line 21: ranef.school.shape cannot be 'cauchy': known are 'normal', 't', 'skewed', 'bimodal'.",
        True,
    ),
    (
        SCHOOLS,
        "[binomial, logit]",
        "[binomial, inverse]",
        "line 23: family.link cannot be 'inverse' for binomial: known are 'logit', 'probit', 'cloglog', 'log', "
        "'identity'.",
        True,
    ),
    (SCHOOLS, "[binomial, logit]", "poison", "line 23: family cannot be 'poison': did you mean 'poisson'?", True),
    (
        SCHOOLS,
        "[binomial, logit]",
        "poisson",
        "line 2: formula counts successes in 'passed / 10', which a poisson outcome does not: say family 'binomial'.",
        False,
    ),
    (
        SCHOOLS,
        "[binomial, logit]",
        "{kind: binomial, theta: 2}",
        "line 23: family.theta is not a field: known are 'kind', 'link'.",
        True,
    ),
    (
        SCHOOLS,
        "family: [binomial, logit]\n",
        "",
        "line 2: formula counts successes in 'passed / 10', which a gaussian outcome does not: say family 'binomial'.",
        False,
    ),
    (
        SCHOOLS,
        "passed / 10",
        "passed / tried",
        "line 2: formula uses 'tried', which is not among the variables: did you mean 'drive'?",
        False,
    ),
    (SCHOOLS, "passed / 10", "passed / 0", "line 2: formula must have at least 1 trial, found 'passed / 0'.", False),
    (
        SCHOOLS,
        "family: [binomial, logit]",
        "family: [binomial, logit]\nsigma: 2",
        "line 24: sigma is the sd of residuals, which a binomial outcome has not: leave it out.",
        False,
    ),
    (
        SCHOOLS,
        "family: [binomial, logit]",
        "family: [binomial, logit]\nresidual: {ar1: 0.2}",
        "line 24: residual describes residuals, which a binomial outcome has not: leave it out.",
        False,
    ),
    (
        GROWTH,
        "cov: [[4, 1], [1, 2]]",
        "cov: [[4, 3], [1, 2]]",
        "line 9: ranef.g.cov must be symmetric: Intercept and x have 3 and 1.",
        False,
    ),
    (
        GROWTH,
        "cov: [[4, 1], [1, 2]]",
        "cov: [[4, 4], [4, 2]]",
        "line 9: ranef.g.cov is impossible: no effects vary together like this (a negative eigenvalue).",
        False,
    ),
    (
        GROWTH,
        "cov: [[4, 1], [1, 2]]",
        "cov: [[4, 1], [1, 2]], sd: [1, 2]",
        "line 9: ranef.g.cov says what sd says too: give one of the two.",
        True,
    ),
    (
        GROWTH,
        "cov: [[4, 1], [1, 2]]",
        "sd: {Intercept: 1, z: 2}",
        "line 9: ranef.g.sd.z is not a field: known are 'Intercept', 'x'.",
        False,
    ),
    (GROWTH, "ar1: 0.4", "ar1: 1", "line 11: residual.ar1 must lie between -1 and 1, without either, found 1.", True),
    (
        GROWTH,
        "ar1: 0.4, by: g",
        "by: g",
        "line 11: residual.by says in whose rows ar1 runs, but there is no ar1.",
        False,
    ),
    (GROWTH, "by: g}", "by: h}", "line 11: residual.by must be a cluster, found 'h': known are 'g'.", False),
    (
        GROWTH,
        "skewness: 1",
        "skewness: 0",
        "line 11: residual.shape.skewness must be at least 0.001 and at most 10, up or down (no skewness is "
        "the shape 'normal'), found 0.",
        False,
    ),
    (
        GROWTH,
        "sigma: 1 + z",
        "sigma: 1 + u",
        "line 10: sigma uses 'u', which is not among the variables: known are 'x', 'z'.",
        False,
    ),
    (
        GROWTH,
        "sigma: 1 + z",
        "sigma: 2\nfamily: {kind: ordinal, thresholds: [1, 0]}",
        "line 11: family.thresholds must rise, found 1 before 0.",
        False,
    ),
    (
        GROWTH,
        "sigma: 1 + z",
        "family: negative-binomial",
        "line 10: family.theta is missing, as in {kind: negative-binomial, theta: …}.",
        True,
    ),
    (
        GROWTH,
        "sigma: 1 + z",
        "sigma: {kind: Normal, mean: 1, sd: 1}",
        "line 10: sigma must be a number, found {'kind': 'Normal', 'mean': 1, 'sd': 1}.",
        True,
    ),
    (
        SCHOOLS,
        "kind: Missing, column: hours",
        "kind: Mising, column: hours",
        "line 27: problems.1.kind cannot be 'Mising': did you mean 'Missing'?",
        True,
    ),
    (
        SCHOOLS,
        "column: hours, share: 0.1",
        "column: wealth, share: 0.1",
        "line 27: problems.1.column is 'wealth', which is not observed: nothing of it is in the data.",
        False,
    ),
    (
        SCHOOLS,
        "column: hours, share: 0.1",
        "column: school, share: 0.1",
        "line 27: problems.1.column is the cluster 'school', without which a row belongs to nobody: say "
        "grouping=True if it is meant.",
        False,
    ),
    (
        SCHOOLS,
        "column: hours, share: 0.1",
        "column: hours, share: 10",
        "line 27: problems.1.share must lie between 0 and 1, found 10.",
        True,
    ),
    (
        SCHOOLS,
        "column: hours, share: 0.1",
        "column: hours, share: logistic(ours)",
        "line 27: problems.1.share uses 'ours', which is no variable of the population: did you mean 'hours'?",
        False,
    ),
    (SCHOOLS, "column: hours, share: 0.1", "column: hours", "line 27: problems.1.share is missing.", True),
    (
        SCHOOLS,
        "hazard: 0.05, by: class",
        "hazard: 0.05",
        "line 28: problems.2.by must be given: which of school, class, item?",
        False,
    ),
    (
        SCHOOLS,
        "hazard: 0.05, by: class",
        "hazard: 0.05, by: class, leaves: during",
        "line 28: problems.2.leaves must be 'before' or 'after', found 'during'.",
        False,
    ),
    (
        SCHOOLS,
        "low: 70, high: 130",
        "low: 130, high: 70",
        "line 29: problems.3.low must be below high, 70, found 130.",
        False,
    ),
    (
        SCHOOLS,
        "low: 70, high: 130",
        "minimum: 70",
        "line 29: problems.3.minimum is not a field: known are 'column', 'low', 'high'.",
        True,
    ),
    (
        SCHOOLS,
        ", low: 70, high: 130",
        "",
        "line 29: problems.3.low or high must be given, or both; found neither.",
        False,
    ),
    (
        SCHOOLS,
        "kind: Limits, column: iq, low: 70, high: 130",
        "kind: MeasurementError, column: iq, sd: 3, reliability: 0.9",
        "line 29: problems.3.sd or reliability must be given, one of the two; found both.",
        False,
    ),
    (
        SCHOOLS,
        "kind: Limits, column: iq, low: 70, high: 130",
        "kind: Rounded, column: arm, to: 5",
        "line 29: problems.3.column must be a numeric column; arm is categorical.",
        False,
    ),
    (
        SCHOOLS,
        "kind: Limits, column: iq, low: 70, high: 130",
        "kind: Miscoded, cluster: arm, share: 0.1",
        "line 29: problems.3.cluster must be a cluster, found 'arm': known are 'school', 'class', 'item'.",
        False,
    ),
    (
        SCHOOLS,
        "problems:\n  - {kind: Missing, column: hours, share: 0.1}\n  - {kind: Dropout, hazard: 0.05, by: "
        "class}\n  - {kind: Limits, column: iq, low: 70, high: 130}\n",
        "problems: {kind: Missing, column: hours, share: 0.1}\n",
        "line 26: problems must be a list such as [Missing('x', 0.1)], in YAML lines that begin with '-', "
        "found {'kind': 'Missing', 'column': 'hours', 'share': 0.1}.",
        True,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: pooled(hours)",
        "line 30: lesson must be true or false, as 'pooled(x) < 0 < within(x)' is, found pooled(hours).",
        False,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: pooled(wealth) > 0",
        "line 30: lesson uses 'wealth', which is not observed: a lesson is about what the data show.",
        False,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: within(hours) > 0",
        "line 30: lesson must name the cluster in within(hours): which of school, class, item?",
        False,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: slope(hours) > 0",
        "line 30: lesson calls 'slope', which is no statistic here: known are 'pooled', 'within', 'between', "
        "'mean', 'sd', 'cor', 'share', 'missing', 'rows', 'icc', 'abs', 'sqrt', ….",
        False,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: mean(arm) > 0",
        "line 30: lesson calculates with arm, which is categorical: write mean(arm == 'usual').",
        False,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: true",
        "line 30: lesson must be text such as 'pooled(x) < 0 < within(x)', or a function, found True.",
        True,
    ),
    (
        SCHOOLS,
        "lesson: pooled(hours) > 0",
        "lesson: hours > 0",
        "line 30: lesson has 'hours' outside of a statistic: write mean(hours), for instance.",
        False,
    ),
    (
        SCHOOLS,
        "hours: hours of homework a week",
        "ours: hours of homework a week",
        "line 25: about.ours is no cluster, variable or response of this population: did you mean 'hours'?",
        False,
    ),
    (
        SCHOOLS,
        "hours: hours of homework a week",
        "hours: 5",
        "line 25: about.hours must be text such as 'weight in kg', found 5.",
        True,
    ),
    (
        SCHOOLS,
        "hours: hours of homework a week",
        "hours:",
        "line 25: about.hours must be text such as 'weight in kg', found None.",
        True,
    ),
    (
        SCHOOLS,
        "about:\n  hours: hours of homework a week\n",
        "about: hours of homework\n",
        "line 24: about must hold words by name, as in {'x': 'weight in kg'}, found 'hours of homework'.",
        True,
    ),
    (
        SCHOOLS,
        "hours: hours of homework a week",
        "'arm[T.new]': the new one",
        "line 25: about.arm[T.new] is no cluster, variable or response of this population: known are 'school', "
        "'class', 'item', 'wealth', 'arm', 'iq', 'drive', 'hours', 'hours_mean', 'before', 'busy', 'trials', ….",
        False,
    ),
]


@pytest.mark.parametrize("text", [SCHOOLS, GROWTH], ids=["schools", "growth"])
def test_unbroken_they_are_populations(text: str) -> None:
    population = ms.Population.from_yaml(text)
    assert ms.Population.from_yaml(population.to_yaml()) == population
    assert SCHEMA.is_valid(yaml_text.read(text, "")[0])


@pytest.mark.parametrize(
    ("text", "old", "new", "message", "seen"), BROKEN, ids=[f"{i} {case[3][:50]}" for i, case in enumerate(BROKEN)]
)
def test_a_broken_file_says_what_where_and_how_to_mend_it(
    text: str, old: str, new: str, message: str, seen: bool, tmp_path: Path
) -> None:
    assert text.count(old) == 1
    path = tmp_path / "spec.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ms.PopulationError) as caught:
        ms.Population.from_yaml(path)
    assert str(caught.value) == f"{path}, {message}"
    assert SCHEMA.is_valid(yaml_text.read(path.read_text(encoding="utf-8"), "")[0]) is not seen


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 60
