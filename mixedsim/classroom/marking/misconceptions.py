"""The usual mistakes: what each is called, what to tell who makes it, and where the book treats it.

A question's key says which wrong answer each of them leads to on a student's own data; an answer that equals it is the
mark of that mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mixedsim.errors import MixedsimError, nearest


@dataclass(frozen=True)
class Misconception:
    """A mistake that many make.

    Attributes
    ----------
    name : what keys and reports call it.
    title : a few words, for the instructor's table: "31 of 187 took z for t".
    tells : one or two sentences for the student: what was done, and what that answers instead.
    chapter : the file in ``book/`` that treats it, without ``.md``.
    section : the heading there.
    """

    name: str
    title: str
    tells: str
    chapter: str
    section: str

    @property
    def advice(self) -> str:
        """What the student reads."""
        return f"{self.tells} See chapter {int(self.chapter[:2])}, “{self.section}”."


def _all(*known: Misconception) -> Mapping[str, Misconception]:
    return MappingProxyType({one.name: one for one in known})


MISCONCEPTIONS: Final[Mapping[str, Misconception]] = _all(
    Misconception(
        "ols",
        "took rows for independent",
        "This is what ordinary least squares says, which does not know of the groups: it mixes differences "
        "within groups with differences between them.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "rows-as-n",
        "counted rows where groups count",
        "The rows were counted as if each were news of its own. Rows of one group repeat each other; what "
        "counts here is how many groups there are.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "groups-as-n",
        "counted groups where rows count",
        "The groups were counted, but this question is about rows: within a group every row adds something.",
        "01-why-clusters-matter",
        "When clusters help",
    ),
    Misconception(
        "no-design-effect",
        "forgot the design effect",
        "Rows of one group are alike, so they are worth fewer independent ones: divide by the design effect.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "group-means",
        "averaged the groups first",
        "This comes from the means of the groups: it answers how groups differ, not how members of one group do.",
        "10-contextual-effects",
        "Two slopes",
    ),
    Misconception(
        "dummies",
        "gave every group a coefficient of its own",
        "Here every group has a fixed coefficient of its own, as with dummies. That is no pooling: nobody "
        "borrows from the others.",
        "05-pooling",
        "A line for each",
    ),
    Misconception(
        "complete-pooling",
        "gave everybody the same line",
        "This is complete pooling: it ignores which group a row belongs to.",
        "05-pooling",
        "One line for all",
    ),
    Misconception(
        "raw-mean",
        "took the group's own mean for its prediction",
        "This is the group's own mean, or deviation, without shrinkage: it believes all of what a few rows say.",
        "06-shrinkage",
        "Why: luck and skill",
    ),
    Misconception(
        "grand-mean",
        "took the overall mean for everybody",
        "This is the overall mean: it believes nothing of what the group's own rows say.",
        "05-pooling",
        "One line for all",
    ),
    Misconception(
        "lambda-complement",
        "took 1 − λ for λ",
        "This is the part that is pulled in, 1 − λ; asked was the other part.",
        "06-shrinkage",
        "What moves λ",
    ),
    Misconception(
        "forgot-n",
        "left out the number of rows",
        "The residual variance of a group's mean shrinks with the number of its rows: divide it by n.",
        "06-shrinkage",
        "What moves λ",
    ),
    Misconception(
        "ml",
        "fitted by ML where REML was asked",
        "This comes from a fit by maximum likelihood; asked was REML, which does not forget that the fixed "
        "effects are estimated too.",
        "15-comparing-models",
        "Why: two likelihoods",
    ),
    Misconception(
        "reml",
        "compared fits by REML",
        "REML likelihoods of models with different fixed effects cannot be compared: fit both by ML, as "
        "`ms.anova` does.",
        "15-comparing-models",
        "Why: two likelihoods",
    ),
    Misconception(
        "variance-for-sd",
        "gave the variance for the standard deviation",
        "This is the variance; the standard deviation is its root.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "sd-for-variance",
        "gave the standard deviation for the variance",
        "This is the standard deviation; the variance is its square.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "sd-ratio",
        "made a share of standard deviations",
        "Standard deviations do not add up; variances do. Take the share of the variances.",
        "01-why-clusters-matter",
        "Alike within, different between",
    ),
    Misconception(
        "residual-share",
        "took the other share",
        "This is the share within groups; asked was the share between them.",
        "01-why-clusters-matter",
        "Alike within, different between",
    ),
    Misconception(
        "between-over-within",
        "divided by the wrong sum",
        "Between was divided by within. A share is a part of the whole: of both together.",
        "01-why-clusters-matter",
        "Alike within, different between",
    ),
    Misconception(
        "percent",
        "gave per cent for a share",
        "This looks like per cent: a share lies between 0 and 1.",
        "01-why-clusters-matter",
        "Alike within, different between",
    ),
    Misconception(
        "wrong-sign",
        "has the wrong sign",
        "The size is right, but the sign is not: look at what is subtracted from what.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "wrong-coefficient",
        "read another line of the summary",
        "This is another coefficient of the same fit: read which line answers the question.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "intercept",
        "took the intercept",
        "This is the intercept, the expected value where all predictors are zero.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "uncentred",
        "did not mind where zero is",
        "The intercept, and all that varies with it, is about the point where the predictor is zero. Centre "
        "the predictor where the question asks for another point.",
        "04-varying-slopes",
        "The trap: where is zero?",
    ),
    Misconception(
        "no-slopes",
        "left out slopes that vary",
        "The slope is the same for every group here. If slopes differ, their differences end up in the "
        "residual, and the error of the mean slope is too small.",
        "04-varying-slopes",
        "The tempting analysis",
    ),
    Misconception(
        "no-intercepts",
        "left out intercepts that vary",
        "Groups start at the same level here. Without varying intercepts their levels go into the slopes or "
        "into the residual.",
        "04-varying-slopes",
        "Slopes without intercepts",
    ),
    Misconception(
        "no-correlation",
        "left out the correlation",
        "Intercepts and slopes are taken for unrelated here: `||` or two terms leave their correlation out.",
        "04-varying-slopes",
        "The trap: where is zero?",
    ),
    Misconception(
        "extra-slope",
        "let vary what cannot",
        "A predictor that is the same in all rows of a group has no slope within the group: it cannot vary by group.",
        "11-slopes-for-a-reason",
        "The tempting analysis",
    ),
    Misconception(
        "wrong-reference",
        "took another reference level",
        "The coefficients compare with the reference level, the first one. This is right for another reference.",
        "13-repeated-measures",
        "The estimand first",
    ),
    Misconception(
        "main-effect-for-interaction",
        "read a main effect for the interaction",
        "With an interaction in the model a main effect holds where the other predictor is zero. The question"
        " is about the difference of differences.",
        "13-repeated-measures",
        "The estimand first",
    ),
    Misconception(
        "difference-of-ends",
        "compared only the last values",
        "This compares the groups at the end and forgets where they began.",
        "13-repeated-measures",
        "The estimand first",
    ),
    Misconception(
        "no-interaction",
        "left out the interaction",
        "Without the interaction the model says that the effect is the same everywhere, which is what was to "
        "be found out.",
        "11-slopes-for-a-reason",
        "The repair",
    ),
    Misconception(
        "no-random",
        "left out the random effects",
        "The formula has no term that varies by group: it takes all rows for independent.",
        "01-why-clusters-matter",
        "Two repairs",
    ),
    Misconception(
        "group-as-fixed",
        "took a sample of groups for fixed",
        "These groups are a sample from many, and others could have been drawn. What is asked is about all of them.",
        "02-fixed-or-random",
        "When may levels be random? Exchangeability",
    ),
    Misconception(
        "treatment-as-random",
        "took a treatment for random",
        "Its levels were chosen and are what the question is about; they are not a sample from many.",
        "02-fixed-or-random",
        "When may levels be random? Exchangeability",
    ),
    Misconception(
        "predictor-as-group",
        "took a predictor for a grouping",
        "It is a measurement, not a list of who belongs together.",
        "02-fixed-or-random",
        "Words",
    ),
    Misconception(
        "forgotten-level",
        "forgot a level",
        "A grouping is missing: rows that belong together there are taken for independent.",
        "12-crossed-and-nested",
        "The missing level",
    ),
    Misconception(
        "nested-as-crossed",
        "took nested groups for crossed",
        "Ids that start again in every group are taken for the same group here: number 1 of one place is not "
        "number 1 of another.",
        "12-crossed-and-nested",
        "Ids that start again",
    ),
    Misconception(
        "crossed-as-nested",
        "took crossed groups for nested",
        "The same level occurs together with several of the others: it crosses them. Nesting makes a new "
        "level of each pair.",
        "12-crossed-and-nested",
        "Crossed or nested? The table knows",
    ),
    Misconception(
        "smallest-unit",
        "gave every row a group of its own",
        "With one row in each group nothing separates the group from the residual.",
        "12-crossed-and-nested",
        "Claim on trial: `(1 | School/Class/Student)`",
    ),
    Misconception(
        "z-for-t",
        "took z for t",
        "This takes the normal distribution where the error itself is estimated from few groups: the p-value "
        "is too small, the interval too narrow.",
        "14-degrees-of-freedom",
        "Why: the yardstick is made of rubber",
    ),
    Misconception(
        "residual-df",
        "took the residual degrees of freedom",
        "These degrees of freedom count rows. The effect is estimated from the groups, which are far fewer.",
        "14-degrees-of-freedom",
        "Why: the yardstick is made of rubber",
    ),
    Misconception(
        "one-sided",
        "halved the p-value",
        "This is half of the two-sided p-value.",
        "14-degrees-of-freedom",
        "A question",
    ),
    Misconception(
        "boundary",
        "forgot that a variance cannot be negative",
        "Under the null hypothesis the variance lies on the edge of what is possible: half of the χ² "
        "distribution belongs to zero, so the p-value is too large.",
        "15-comparing-models",
        "A variance cannot be negative",
    ),
    Misconception(
        "extra-df",
        "miscounted the parameters",
        "The two models differ by another number of parameters: count variances and correlations, too.",
        "15-comparing-models",
        "The likelihood ratio",
    ),
    Misconception(
        "lower-is-better",
        "read AIC or BIC the wrong way round",
        "Smaller AIC and BIC are better.",
        "15-comparing-models",
        "AIC and BIC are likelihood ratios, too",
    ),
    Misconception(
        "chisq-for-deviance",
        "took a deviance for the test statistic",
        "The test statistic is the difference of two deviances.",
        "15-comparing-models",
        "The likelihood ratio",
    ),
    Misconception(
        "conditional-r2",
        "took the conditional R² for the marginal one",
        "This counts what the groups explain, too. Asked was what the predictors explain.",
        "15-comparing-models",
        "R²: how much is explained?",
    ),
    Misconception(
        "marginal-r2",
        "took the marginal R² for the conditional one",
        "This leaves out what the groups explain. Asked was what predictors and groups explain together.",
        "15-comparing-models",
        "R²: how much is explained?",
    ),
    Misconception(
        "pooled-slope",
        "mixed the slope within with that between",
        "One slope for both: a mixture of what happens within groups and between them.",
        "10-contextual-effects",
        "Three coefficients, one name",
    ),
    Misconception(
        "between-for-context",
        "took the between slope for the contextual effect",
        "The slope between groups contains the slope within. The contextual effect is their difference.",
        "10-contextual-effects",
        "Three coefficients, one name",
    ),
    Misconception(
        "context-for-between",
        "took the contextual effect for the between slope",
        "This is the difference of the two slopes; asked was the slope between groups.",
        "10-contextual-effects",
        "Three coefficients, one name",
    ),
    Misconception(
        "within-for-between",
        "took the slope within for that between",
        "This is what happens within a group when one member's value changes; asked was how groups differ.",
        "10-contextual-effects",
        "Two slopes",
    ),
    Misconception(
        "confounded",
        "left out a cause of both",
        "Something that moves predictor and response is not in the model, and part of its effect is counted "
        "as the predictor's.",
        "09-confounders",
        "World two: a true confounder",
    ),
    Misconception(
        "left-out-is-harmless",
        "took any left-out variable for a confounder",
        "What moves the response alone makes estimates less exact; it biases a coefficient only if it moves "
        "the predictor as well.",
        "09-confounders",
        "World one: something is left out",
    ),
    Misconception(
        "adjusted-mediator",
        "adjusted for what lies on the way",
        "The variable lies between cause and effect: with it in the model the part of the effect that goes "
        "through it is gone.",
        "09-confounders",
        "Break the repair",
    ),
    Misconception(
        "no-group-variance",
        "left the differences between groups out of a prediction",
        "For a group that nobody has seen the differences between groups are part of what is not known: the "
        "interval is too narrow.",
        "07-prediction",
        "Why: it answers another question",
    ),
    Misconception(
        "mean-for-prediction",
        "took the error of the mean for that of a prediction",
        "This is how well the mean is known. A new observation also has its own residual.",
        "07-prediction",
        "The repair: five questions",
    ),
    Misconception(
        "marginal-for-known",
        "forgot what is known of this group",
        "This is right for a group that nobody has seen; this one has rows, and they tell something.",
        "07-prediction",
        "The repair: five questions",
    ),
    Misconception(
        "known-for-new",
        "used a known group for a new one",
        "The effect of a group from the data was added, but the question is about another group.",
        "07-prediction",
        "The repair: five questions",
    ),
    Misconception(
        "winner",
        "took the largest estimate for the truth",
        "The largest of many estimates is partly luck: expect less of it the next time.",
        "06-shrinkage",
        "Who is at the top of a ranking?",
    ),
    Misconception(
        "rank-by-deviation",
        "ranked by deviation alone",
        "How far a group is pulled in depends on its number of rows, too: ranked was its distance from the mean alone.",
        "06-shrinkage",
        "What moves λ",
    ),
    Misconception(
        "rank-by-size",
        "ranked by size alone",
        "How far a group is pulled in depends on its distance from the mean, too: ranked was its number of rows alone.",
        "06-shrinkage",
        "What moves λ",
    ),
    Misconception(
        "not-significant-is-zero",
        "took “not significant” for “no effect”",
        "That a difference was not found is no sign that there is none: look at the interval.",
        "18-planning-a-study",
        "What a significant result says",
    ),
    Misconception(
        "power-of-rows",
        "added rows where groups were wanted",
        "More rows in the same groups hardly help once the groups themselves are the smallest sample.",
        "18-planning-a-study",
        "Clusters or rows?",
    ),
    Misconception(
        "power-is-type-one",
        "took the wrong rate",
        "Power is how often a true effect is found; this is how often an absent one is.",
        "18-planning-a-study",
        "A question",
    ),
    Misconception(
        "exaggerated",
        "believed the pilot's estimate",
        "What is significant in a small study is too large on average: plan for less.",
        "18-planning-a-study",
        "What a pilot study knows",
    ),
    Misconception(
        "odds-for-probability",
        "took odds for a probability",
        "These are odds: p / (1 − p). A probability is odds / (1 + odds).",
        "19-yes-no-and-counts",
        'Three ways to say "likely"',
    ),
    Misconception(
        "logit-for-probability",
        "took log odds for a probability",
        "This is on the scale of log odds: bring it back with the inverse of the logit.",
        "19-yes-no-and-counts",
        'Three ways to say "likely"',
    ),
    Misconception(
        "log-odds-ratio",
        "forgot to take the exponential",
        "This is the coefficient, a difference of logarithms; the ratio is its exponential.",
        "19-yes-no-and-counts",
        'Three ways to say "likely"',
    ),
    Misconception(
        "conditional-for-marginal",
        "took a typical group for the average of all",
        "This holds for a group whose effect is zero. The average over all groups is nearer to one half, "
        "because the curve bends.",
        "19-yes-no-and-counts",
        "Two averages",
    ),
    Misconception(
        "no-exposure",
        "forgot the time under observation",
        "Counts were compared that were collected over different times: the model needs an offset.",
        "19-yes-no-and-counts",
        "Counts",
    ),
    Misconception(
        "complete-cases",
        "dropped everybody with a gap",
        "People with a missing value were left out altogether, and those who stay are not like those who go.",
        "20-missing-data",
        "Complete cases, and the last one carried forward",
    ),
    Misconception(
        "locf",
        "carried the last value forward",
        "The last value was put where a value is missing: it freezes whoever leaves.",
        "20-missing-data",
        "Complete cases, and the last one carried forward",
    ),
    Misconception(
        "singular-is-broken",
        "took a singular fit for a failed one",
        "Singular says that a variance is estimated as zero or a correlation as ±1: a finding, with its reasons.",
        "17-when-mixed-models-fail",
        "Why: the edge of what is allowed",
    ),
    Misconception(
        "noise-not-checked",
        "looked at the wrong picture",
        "This picture shows another assumption.",
        "16-may-i-trust-this-fit",
        "The repair: look, one assumption at a time",
    ),
    Misconception(
        "unmodelled-curve",
        "left a curve in the residuals",
        "The residuals still bend: the mean is curved, and a line was fitted.",
        "16-may-i-trust-this-fit",
        "The mean is curved",
    ),
    Misconception(
        "log-scale-for-scale",
        "forgot to go back from the logarithm",
        "This is on the scale of the logarithm.",
        "19-yes-no-and-counts",
        "Counts",
    ),
    Misconception(
        "average-deviation",
        "took the standard deviation for the average deviation",
        "The standard deviation is not the mean distance from the mean, which is a fifth smaller.",
        "03-varying-intercepts",
        'Claim on trial: "The standard deviation is the average deviation"',
    ),
)


def misconception(name: str) -> Misconception:
    """The misconception of that name; raises `MixedsimError` if there is none."""
    if name not in MISCONCEPTIONS:
        raise MixedsimError(f"there is no misconception {name!r}; {nearest(name, list(MISCONCEPTIONS))}")
    return MISCONCEPTIONS[name]
