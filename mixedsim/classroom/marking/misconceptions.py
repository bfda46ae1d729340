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
        "treated-only",
        "counted the treated alone",
        "These are the treated ones. To get none was decided as well: count both arms.",
        "01-why-clusters-matter",
        "The tempting analysis",
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
        "off-by-one",
        "counted a row among its own neighbours",
        "In a cluster of m rows a row has m − 1 neighbours, and only they repeat it: the design effect takes m − 1.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "cluster-size",
        "took another number for the size of a cluster",
        "The m of the design effect is how many rows one cluster has. It is not how many clusters there are, nor how "
        "many rows in all.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "root-of-design-effect",
        "took the root of the design effect",
        "This is the factor of the standard error. The design effect is its square, the factor of the variance.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "clusters-always-hurt",
        "thought that ignored clusters always make errors too small",
        "That holds for what belongs to whole clusters. A comparison within clusters is the other way round: the "
        "ordinary regression counts the differences between clusters as noise.",
        "01-why-clusters-matter",
        "When clusters help",
    ),
    Misconception(
        "no-limit",
        "took clusters as large as they are",
        "This is what clusters of the present size are worth. Asked was where it ends when they grow without end.",
        "01-why-clusters-matter",
        'Claim on trial: "Many patients per clinic will do"',
    ),
    Misconception(
        "sd-for-se",
        "took the scatter of rows for the error of an estimate",
        "This is how much single rows scatter. An estimate rests on all of them and scatters far less from study to "
        "study.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "divided-twice",
        "divided a standard error by the root of n again",
        "A standard error is the scatter of an estimate already. The number of rows is in it.",
        "01-why-clusters-matter",
        "What the regression believes",
    ),
    Misconception(
        "p-is-probability",
        "took p for the probability that there is no effect",
        "A p-value says how often data like these come about where there is no effect. How probable it is that there "
        "is none, it does not say.",
        "01-why-clusters-matter",
        "How often does it go wrong?",
    ),
    Misconception(
        "p-is-replication",
        "took 1 − p for the chance of finding it again",
        "Whether the next study finds it, too, depends on the size of the true effect and of that study. The p-value "
        "of this one does not say.",
        "18-planning-a-study",
        "What a significant result says",
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
        "This is the variance, or a ratio of variances; the standard deviation, or their ratio, is its root.",
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
        "The share within groups was used, 1 − ICC, where the share between them belongs, the ICC.",
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
        "residual-for-between",
        "took the scatter within groups for that between them",
        "This is the residual standard deviation: how much rows of one group scatter. Asked was how much groups do.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "one-unit",
        "took one unit where more were asked",
        "A coefficient belongs to a step of one unit. For a larger step it has to be multiplied.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "total-for-residual",
        "took the scatter of all rows for that around the line",
        "This is how much the response scatters in all. The residual standard deviation is what the predictors leave "
        "over.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "se-for-sd",
        "took a standard error for a standard deviation",
        "This is a standard error: how well a mean is known. It says nothing of how much groups, or rows, scatter.",
        "03-varying-intercepts",
        "Every line of the summary",
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
        "estimate-for-se",
        "took the estimate for its standard error",
        "This is the estimate itself. Its standard error stands in the next column and says how well it is known.",
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
        "no-mean-slope",
        "left out the mean slope",
        "A slope that varies needs a mean to vary about: without the predictor in the fixed part the mean slope is "
        "declared to be zero.",
        "04-varying-slopes",
        'Claim on trial: "Classes differ in slope only"',
    ),
    Misconception(
        "one-sd",
        "went one standard deviation where two were asked",
        "One standard deviation to both sides holds two in three groups, two hold nineteen in twenty.",
        "03-varying-intercepts",
        'Claim on trial: "The standard deviation is the average deviation"',
    ),
    Misconception(
        "mean-for-all",
        "took the mean slope for everybody's",
        "This is the mean. Slopes scatter about it, and their standard deviation says how far.",
        "04-varying-slopes",
        "The repair: everybody has a slope",
    ),
    Misconception(
        "other-zero",
        "put zero somewhere else",
        "This is right where another point is called zero. Levels, and all that is said of them, belong to the point "
        "that the question names.",
        "04-varying-slopes",
        "The trap: where is zero?",
    ),
    Misconception(
        "added-sds",
        "added standard deviations",
        "Standard deviations do not add up. Variances do, and the covariance joins them twice.",
        "04-varying-slopes",
        "The trap: where is zero?",
    ),
    Misconception(
        "covariance-once",
        "took the covariance once",
        "The variance of a sum is both variances and twice the covariance.",
        "04-varying-slopes",
        "The trap: where is zero?",
    ),
    Misconception(
        "slope-only",
        "misread a model without varying intercepts",
        "Without the 1 left of the bar no group has a level of its own: where the predictor is zero, all are declared "
        "equal. Their slopes still vary.",
        "04-varying-slopes",
        "Slopes without intercepts",
    ),
    Misconception(
        "moving-zero-moves-all",
        "thought that moving zero changes the model",
        "To move the zero of a predictor asks for the levels somewhere else. Slopes, residuals, the criterion and all "
        "predictions stay as they are, as long as intercepts vary and may be correlated with slopes.",
        "04-varying-slopes",
        "The trap: where is zero?",
    ),
    Misconception(
        "correlation-of-estimates",
        "took the correlation of the estimates",
        "This is how the two estimates move together from sample to sample. How the levels and slopes of groups go "
        "together stands under “Random effects”.",
        "03-varying-intercepts",
        "Every line of the summary",
    ),
    Misconception(
        "more-groups",
        "added groups where rows do the harm",
        "More groups do not make a wrong standard error more wrong: it shrinks as the real scatter does. What makes it "
        "worse is many rows in each group, all of which are taken for news.",
        "04-varying-slopes",
        "The tempting analysis",
    ),
    Misconception(
        "extra-slope",
        "let vary what cannot",
        "A predictor that is the same in all rows of a group has no slope within the group: "
        "the data cannot tell how it varies between groups.",
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
        "slope-for-difference",
        "took the slope of one group for the difference of slopes",
        "This is the slope in one of the groups, main effect and interaction together. The interaction is how much "
        "the slopes differ.",
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
        "not-exchangeable",
        "shuffled what has an order",
        "Its levels have an order, or a name that says what to expect: shuffle them, and the question is lost. That "
        "belongs into the fixed part.",
        "02-fixed-or-random",
        "When may levels be random? Exchangeability",
    ),
    Misconception(
        "absorbed",
        "controlled for groups by dummies",
        "A dummy for every group takes up all that is the same in every row of a group. Only what changes within "
        "groups keeps a coefficient.",
        "02-fixed-or-random",
        "The tempting analysis",
    ),
    Misconception(
        "rule-of-five",
        "took five groups for a threshold",
        "There is no cliff at five groups. What belongs to whole groups can only be compared with how much groups "
        "differ, so they must be random, however few they are.",
        "02-fixed-or-random",
        "The rule of five on trial",
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
        "no-price",
        "took the model that fits best",
        "A larger model never fits worse than one that is nested in it. Each parameter has its price.",
        "15-comparing-models",
        "AIC and BIC are likelihood ratios, too",
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
        "context-is-cause",
        "took a contextual coefficient for what the company does",
        "The coefficient is the same whether the company acts or something else about such groups does. Only a "
        "design can tell the two apart.",
        "10-contextual-effects",
        "Contextual, or confounded?",
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
        "unfiltered",
        "counted all studies, not the significant ones",
        "This looks at all studies. Asked was about those that are significant, which are a selection.",
        "18-planning-a-study",
        "What a significant result says",
    ),
    Misconception(
        "uncalibrated",
        "compared power before false alarms",
        "A test that rings every day finds every fire. First see how often it finds an effect that is not there.",
        "18-planning-a-study",
        "Calibrate first",
    ),
    Misconception(
        "no-yardstick",
        "gave a difference without its yardstick",
        "This is the difference itself. Whether it is large tells the standard error: divide by it.",
        "08-simulate",
        "Set, simulated, estimated",
    ),
    Misconception(
        "zero-for-truth",
        "compared with zero, not with the truth",
        "This is how far the estimate lies from zero. Asked was how far it lies from the number that was set.",
        "08-simulate",
        "Set, simulated, estimated",
    ),
    Misconception(
        "between-clusters",
        "gave the treatment to whole groups",
        "Here whole groups are treated, so nothing is compared within a group, and whether the effect varies between "
        "groups cannot be seen.",
        "18-planning-a-study",
        "A cheaper repair: give it within clusters",
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
        "marginal-for-conditional",
        "took the average of all groups for a typical one",
        "This is about all groups together. Within one group the odds ratio lies further from 1, and a typical group's "
        "chance further from one half.",
        "19-yes-no-and-counts",
        "Two averages",
    ),
    Misconception(
        "chance-for-odds",
        "took a chance for odds",
        "This is a chance, p. Its odds are p / (1 − p), and the log odds are their logarithm.",
        "19-yes-no-and-counts",
        'Three ways to say "likely"',
    ),
    Misconception(
        "odds-for-log-odds",
        "forgot to take the logarithm",
        "These are the odds. The log odds are their logarithm.",
        "19-yes-no-and-counts",
        'Three ways to say "likely"',
    ),
    Misconception(
        "offset-without-log",
        "took the time itself for the offset",
        "The offset stands where effects add up, which is the scale of the logarithm: it is the logarithm of the time.",
        "19-yes-no-and-counts",
        "Counts",
    ),
    Misconception(
        "risk-ratio",
        "made a ratio of chances, not of odds",
        "This is a ratio of chances. An odds ratio compares p / (1 − p).",
        "19-yes-no-and-counts",
        'Three ways to say "likely"',
    ),
    Misconception(
        "laplace",
        "trusted Laplace where groups are small",
        "This comes from Laplace's approximation, which misses a part where a group has few rows of yes or no: use "
        "more points.",
        "19-yes-no-and-counts",
        "One coin too few: Laplace or quadrature",
    ),
    Misconception(
        "bunching",
        "trusted Poisson where counts bunch",
        "Counts that vary more than their mean are not Poisson: its standard errors are too small.",
        "19-yes-no-and-counts",
        "Counts",
    ),
    Misconception(
        "no-exposure",
        "forgot the time under observation",
        "Counts were compared that were collected over different times: the model needs an offset.",
        "19-yes-no-and-counts",
        "Counts",
    ),
    Misconception(
        "available-means",
        "compared those who are left",
        "This compares those who are still there. Who stays is not like who started, so the means of the two differ.",
        "20-missing-data",
        "The tempting analysis",
    ),
    Misconception(
        "at-random-by-name",
        "took “at random” by its name",
        "“Missing at random” does not mean by chance. It means that what was seen explains who leaves.",
        "20-missing-data",
        "Three ways of being missing",
    ),
    Misconception(
        "seen-for-unseen",
        "did not ask whether the reason was recorded",
        "What counts is whether the reason is in the data. If it was recorded, leaving is missing at random; if "
        "nobody saw it, it is not.",
        "20-missing-data",
        "Three ways of being missing",
    ),
    Misconception(
        "untestable",
        "asked the data for what they cannot tell",
        "Missing at random and missing not at random look alike in the data. What would tell them apart is what nobody "
        "has seen.",
        "20-missing-data",
        "Can the data tell?",
    ),
    Misconception(
        "simple-random-part",
        "took too simple a random part where rows are missing",
        "Slopes vary here, and the model has levels only. With gaps the random part tells how much a bad start says "
        "about the end, so the estimate itself is wrong.",
        "20-missing-data",
        "Break the repair",
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
    Misconception(
        "one-sample-of-two",
        "counted one of two samples",
        "Two samples stand behind this. Each that does not cancel has a part of its own in the error, and more of the "
        "other does not make up for it.",
        "12-crossed-and-nested",
        "Why: two samples in one table",
    ),
    Misconception(
        "effect-not-zero",
        "put in the effect that should be absent",
        "A false alarm finds an effect that is not there. In this world it is there, so whoever finds it is right.",
        "12-crossed-and-nested",
        "A truth",
    ),
    Misconception(
        "wrong-level",
        "looked for it at the wrong level",
        "What all members of a group share makes no difference within the group: it goes to the differences "
        "between groups.",
        "09-confounders",
        "World one: something is left out",
    ),
    Misconception(
        "sds-added",
        "added standard deviations",
        "Standard deviations do not add up; variances do: square, add, and take the root.",
        "09-confounders",
        "World one: something is left out",
    ),
    Misconception(
        "effect-not-squared",
        "forgot to square the coefficient",
        "A coefficient multiplies a standard deviation as it is, but a variance by its square.",
        "09-confounders",
        "World one: something is left out",
    ),
    Misconception(
        "degree-for-yes-no",
        "took a yes or no for a matter of degree",
        "What is a matter of degree spreads the deviations evenly. Two heaps with a jump between them are a "
        "matter of yes and no.",
        "09-confounders",
        "Exercises",
    ),
    Misconception(
        "chance-relation",
        "took a relation by chance for a cause",
        "Any two columns go together a little by chance. Compare how closely each candidate goes with the deviations.",
        "09-confounders",
        "Exercises",
    ),
    Misconception(
        "trusts-varying-intercepts",
        "expected varying intercepts to remove a confounder",
        "Varying intercepts assume that what is special about a group has nothing to do with the predictors. "
        "Where it has, their slope is a mixture of that within groups and that between them.",
        "09-confounders",
        "Why",
    ),
    Misconception(
        "within-not-safe",
        "did not see what cancels",
        "What is the same for all members of a group cancels when they are compared with each other.",
        "09-confounders",
        "Why",
    ),
    Misconception(
        "centring-cures-all",
        "took the comparison within groups for safe from everything",
        "The comparison within groups is safe from what the members of one group share. A confounder that "
        "differs within groups fools it, too.",
        "09-confounders",
        "Break the repair",
    ),
    Misconception(
        "more-groups-for-bias",
        "expected more groups to remove a bias",
        "With more groups chance goes away. A mistake stays, and looks more certain.",
        "08-simulate",
        "Ten thousand therapists",
    ),
    Misconception(
        "one-mean-too-few",
        "counted one mean where there are two",
        "Groups were counted, less one mean. But there are two means, one for each arm, and each costs a "
        "degree of freedom.",
        "14-degrees-of-freedom",
        "Why: the yardstick is made of rubber",
    ),
    Misconception(
        "f-for-chisq",
        "took F for χ²",
        "This is F. The χ² of the same term is df1 times as large, and takes the noise for known.",
        "14-degrees-of-freedom",
        "F and χ²",
    ),
    Misconception(
        "bic-for-aic",
        "took BIC for AIC",
        "This is BIC, which charges log n for a parameter. AIC charges 2.",
        "15-comparing-models",
        "AIC and BIC are likelihood ratios, too",
    ),
    Misconception(
        "not-nested",
        "tested models that are not nested",
        "A likelihood-ratio test needs two models of which one is a special case of the other.",
        "15-comparing-models",
        "The likelihood ratio",
    ),
    Misconception(
        "zero-is-no-pooling",
        "took effects around zero for no pooling",
        "A random effect always has a centre. Without a fixed effect the centre is zero, and the model pulls there.",
        "05-pooling",
        "Claim on trial: without fixed effects there is no pooling",
    ),
    Misconception(
        "large-keeps-less",
        "pulled the large group in further",
        "The more rows a group has, the less of its distance is luck, and the more of it is kept.",
        "06-shrinkage",
        "What moves λ",
    ),
    Misconception(
        "forgot-penalty",
        "forgot what AIC charges",
        "This is the difference of −2ℓ alone. AIC also charges 2 for each parameter.",
        "15-comparing-models",
        "AIC and BIC are likelihood ratios, too",
    ),
    Misconception(
        "mean-for-change",
        "read a change as a mean",
        "This coefficient is a change of the reference group, not a mean. Means of cells are sums of coefficients.",
        "13-repeated-measures",
        'Claim on trial: "timepost is the mean at post"',
    ),
    Misconception(
        "reference-for-all",
        "took the reference group for everybody",
        "With an interaction in the model, a coefficient of time speaks of the reference group alone, not of "
        "everybody.",
        "13-repeated-measures",
        'Claim on trial: "timepost is the mean at post"',
    ),
    Misconception(
        "upside-down",
        "divided the wrong way round",
        "The two numbers are right, but divided the wrong way round.",
        "13-repeated-measures",
        'Claim on trial: "A random intercept is enough"',
    ),
    Misconception(
        "slope-at-zero",
        "took the slope at zero for that elsewhere",
        "With an interaction the coefficient of a predictor is its slope where the other predictor is zero. For "
        "another value of that one, add the interaction times this value.",
        "11-slopes-for-a-reason",
        "The repair",
    ),
    Misconception(
        "step-for-slope",
        "took the change of a slope for the slope",
        "The interaction says how much steeper the slope is one step further. It is not the slope itself.",
        "11-slopes-for-a-reason",
        "The repair",
    ),
    Misconception(
        "average-slope",
        "left out the reason why slopes differ",
        "A slope without its moderator is the average over the groups of this population, not that under one value of "
        "the moderator.",
        "11-slopes-for-a-reason",
        "Why",
    ),
    Misconception(
        "left-for-explained",
        "took what is left for what is explained",
        "This share of the variance is left when the reason is in the model; asked was the share that it explains.",
        "11-slopes-for-a-reason",
        "The repair",
    ),
    Misconception(
        "feared-shape",
        "feared a shape that hardly matters",
        "A coefficient is a sum over many rows, and such a sum is nearly normal whatever the shape of each. "
        "Ask how far it scatters, not what shape the noise has.",
        "16-may-i-trust-this-fit",
        "Why",
    ),
    Misconception(
        "ignored-drift",
        "took drifting noise for independent",
        "Noise that drifts looks like a trend. Neighbouring rows push in the same direction, and the error "
        "of whatever creeps is too small.",
        "16-may-i-trust-this-fit",
        "The noise drifts",
    ),
    Misconception(
        "shape-of-rows",
        "forgot what describes single rows",
        "The shape of the noise hardly matters for coefficients, but it does for σ and for predictions of single rows.",
        "16-may-i-trust-this-fit",
        "The noise has heavy tails",
    ),
    Misconception(
        "another-search",
        "called for another search",
        "Another search arrives at the same place: it is the top of what is allowed.",
        "17-when-mixed-models-fail",
        "Why: the edge of what is allowed",
    ),
    Misconception(
        "edge-is-zero",
        "took an estimate of zero for evidence of zero",
        "Zero was estimated, but larger values go with the data as well: look how far.",
        "17-when-mixed-models-fail",
        "Why: the edge of what is allowed",
    ),
    Misconception(
        "drop-if-singular",
        "dropped slopes because the fit was singular",
        "Slopes that are dropped leave a standard error that is too small if they do vary after all, and the singular "
        "fit does not rule that out: false alarms follow.",
        "17-when-mixed-models-fail",
        "The tempting analysis",
    ),
    Misconception(
        "line-is-known",
        "took the line for known",
        "The line was estimated, too: its squared standard error belongs in the sum.",
        "07-prediction",
        "Why: it answers another question",
    ),
    Misconception(
        "prediction-for-mean",
        "took one new observation for a mean",
        "This is for a single new observation, with its own residual. Asked was a mean, in which residuals average "
        "out.",
        "07-prediction",
        "The repair: five questions",
    ),
    Misconception(
        "people-as-noise",
        "counted differences between people as noise",
        "What belongs to a person cancels from a gain. Only what differs between two tests of one person is "
        "left in the error.",
        "13-repeated-measures",
        "Why: everybody is his own control",
    ),
)


def misconception(name: str) -> Misconception:
    """The misconception of that name; raises `MixedsimError` if there is none."""
    if name not in MISCONCEPTIONS:
        raise MixedsimError(f"there is no misconception {name!r}; {nearest(name, list(MISCONCEPTIONS))}")
    return MISCONCEPTIONS[name]
