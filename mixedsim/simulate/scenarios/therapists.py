"""One hundred therapists and their patients, told five times, each time with one thing more.

In all of them a row is a patient, ``anxiety`` is a score in points (higher is worse), ``depression`` a score in points,
``sex`` 0 or 1, and i counts patients, j therapists.
"""

from __future__ import annotations

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.scenarios.therapy import therapists_with
from mixedsim.simulate.variables import ClusterMean, Integers, Normal, Uniform


@scenario(stars=1)
def therapist_plain(*, therapists: int = 100, patients: Count | Integers = 50) -> Population:
    """Patients of many therapists, where the therapist hardly matters.

    Story: anxiety depends on depression and sex. Therapists differ a little in the anxiety of their patients, and in
    nothing else; who goes to whom is chance.

    Questions: What does one point of depression add? Does it matter here that patients have therapists? How alike are
    two patients of one therapist?

    Equations::

        anxiety_ij    = 45 + 3 depression_ij + 10 sex_ij + u_j + e_ij
        depression_ij ~ Normal(5, sd 2)
        sex_ij        ~ Bernoulli(0.5)
        u_j           ~ Normal(0, sd 1)
        e_ij          ~ Normal(0, sd 8)

    Truth: one point of depression adds 3 points of anxiety. The intraclass correlation given depression and sex is
    1² / (1² + 8²) = 0.015: two patients of one therapist have almost nothing in common.

    What the naive model shows: ordinary regression is unbiased, slope 3, and its standard error of the slope is right
    too, because depression varies within therapists. Only for a predictor that belongs to the therapist would it be too
    small, by the factor √(1 + (n − 1) 0.015) = 1.32 with n = 50 patients each.

    Fit: ``anxiety ~ depression + sex + (1 | therapist)``

    Parameters
    ----------
    therapists : how many.
    patients : rows a therapist: a number, a pair (low, high), or a distribution.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.therapist_plain().draw(seed=1).data
    >>> list(data.columns), len(data)
    (['therapist', 'depression', 'sex', 'anxiety'], 5000)
    """
    return therapists_with("therapist_plain", therapists, patients)


@scenario(stars=2)
def therapist_price(*, therapists: int = 100, patients: Count | Integers = 50) -> Population:
    """A predictor of the second level, left out, turns into differences between therapists.

    Story: as `therapist_plain`, and sessions have a price, in tens of euros, which is the therapist's own: uniform from
    0 to 5 and rounded. Dear therapists have less anxious patients. Price has nothing to do with depression, so
    it confounds nothing.

    Questions: What are the differences between therapists made of? Does leaving out price bias the slope of depression?
    What does an sd between therapists mean once price is known?

    Equations::

        anxiety_ij    = 45 + 3 depression_ij + 10 sex_ij − 3 price_j + u_j + e_ij
        price_j       ~ Uniform(0, 5) rounded to whole numbers
        depression_ij ~ Normal(5, sd 2)
        sex_ij        ~ Bernoulli(0.5)
        u_j           ~ Normal(0, sd 1)
        e_ij          ~ Normal(0, sd 8)

    Truth: slope of depression 3, of price −3, therapist sd 1. The rounded price has variance 2.25 (0 and 5 are half as
    likely as the others).

    What the naive model shows: ``anxiety ~ depression + sex + (1 | therapist)`` is right about the slope, 3. All that
    price does to anxiety now looks like the therapists' own: their sd is √(1² + 3² · 2.25) = 4.61 in place of 1, and
    the intercept is 45 − 3 · 2.5 = 37.5.

    Fit: ``anxiety ~ depression + sex + price + (1 | therapist)``

    Parameters
    ----------
    therapists, patients : how many, and rows each, as in `therapist_plain`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.therapist_price(therapists=20_000).draw(seed=1).data
    >>> rest = data.anxiety - 3 * data.depression - 10 * data.sex
    >>> between = rest.groupby(data.therapist, observed=True).mean()
    >>> float(round((between.var() - 8**2 / 50) ** 0.5, 1))
    4.6
    """
    return therapists_with(
        "therapist_price",
        therapists,
        patients,
        before={"price": Uniform(0, 5, level="therapist", decimals=0)},
        fixef={"price": -3.0},
    )


@scenario(stars=3)
def therapist_confounder(*, therapists: int = 100, patients: Count | Integers = 50) -> Population:
    """An unmeasured cause of both price and depression biases the slope itself.

    Story: districts differ in socio-economic status, ``ses``, a standard normal score that nobody recorded. In
    well-off districts a session costs more (price in tens of euros, on average 6), and people come with more
    depression, since more of them can afford a long treatment. Price lowers anxiety as before.

    Questions: Which slope of depression is causal? Why does the bias shrink as clusters grow? Which variable closes the
    path?

    Equations::

        anxiety_ij    = 45 + 3 depression_ij + 10 sex_ij − 3 price_j + u_j + e_ij
        ses_j         ~ Normal(0, sd 1), not observed
        price_j       ~ Normal(6 + 1.5 ses_j, sd 0.5)
        depression_ij ~ Normal(5 + 1.2 ses_j, sd 2)
        sex_ij        ~ Bernoulli(0.5)
        u_j           ~ Normal(0, sd 1)
        e_ij          ~ Normal(0, sd 8)

    Truth: slope of depression 3. Depression has variance 1.2² = 1.44 between therapists and 2² = 4 within; its
    covariance with price is 1.5 · 1.2 = 1.8.

    What the naive models show when price is left out:

    - Ordinary regression ascribes to depression what price does along with it:
      3 − 3 · 1.8 / (1.44 + 4) = 2.01, whatever the size of the clusters.
    - Between therapists, with n patients each, the slope of mean anxiety on mean depression is
      b_B = 3 − 3 · 1.8 / (1.44 + 4 / n); within therapists it is 3.
    - Varying intercepts, ``anxiety ~ depression + sex + (1 | therapist)``, average the two:
      (w_W · 3 + w_B · b_B) / (w_W + w_B), with w_W = (n − 1) 4 / σ², w_B = (n · 1.44 + 4) / (σ² + n τ²), and the σ and
      τ that the model itself reports: 8.13 and 4.05 for n = 3, 8.00 and 4.77 for n = 50. So the slope is 2.27 for n = 3
      and 2.93 for n = 50: the smaller the clusters, the worse.

    Fit: ``anxiety ~ depression + sex + price + (1 | therapist)``; price closes the path from ses to anxiety. Where
    price is not known either, the therapist's mean of depression beside depression does the same for the slope.

    Parameters
    ----------
    therapists, patients : how many, and rows each, as in `therapist_plain`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> import numpy as np
    >>> data = ms.scenarios.therapist_confounder(therapists=20_000).draw(seed=1).data
    >>> float(round(np.polyfit(data.depression, data.anxiety, deg=1)[0], 1))
    2.0
    >>> centred = data.depression - data.groupby("therapist", observed=True).depression.transform("mean")
    >>> float(round(np.polyfit(centred, data.anxiety, deg=1)[0], 1))
    3.0
    """
    return therapists_with(
        "therapist_confounder",
        therapists,
        patients,
        before={
            "ses": Normal(0, 1, level="therapist", observed=False),
            "price": Normal("6 + 1.5 * ses", 0.5, level="therapist"),
        },
        depression=Normal("5 + 1.2 * ses", 2),
        fixef={"price": -3.0},
    )


@scenario(stars=3)
def therapist_context(*, therapists: int = 100, patients: Count | Integers = 50) -> Population:
    """The company matters: the mean depression of a therapist's patients, beyond one's own.

    Story: as `therapist_plain`, and patients meet in groups. One more point of *mean* depression around a patient adds
    12 points of anxiety to what one's own depression does. Therapists' patients differ in depression by chance alone.

    Questions: What does one's own depression do, and what that of the others? Which slope do the therapists' means
    show? Does a larger coefficient mean a more important variable?

    Equations::

        anxiety_ij        = 45 + 3 depression_ij + 10 sex_ij + 12 depression_mean_j + u_j + e_ij
        depression_ij     ~ Normal(5, sd 2)
        depression_mean_j = mean of depression_ij over the patients of therapist j
        sex_ij            ~ Bernoulli(0.5)
        u_j               ~ Normal(0, sd 1)
        e_ij              ~ Normal(0, sd 8)

    Truth: slope within therapists 3, contextual effect 12, slope between therapists 3 + 12 = 15. The means vary with
    variance 2² / n, 0.08 for n = 50 patients.

    What the naive models show when the mean is left out, with n = 50:

    - Varying intercepts: the slope is nearly right, 3.02, and the therapist sd is √(1² + 12² · 2² / n) = 3.54.
    - Ordinary regression: each patient is a part of the mean, so the slope is 3 + 12 / n = 3.24.

    A coefficient of 12 beside one of 3 does not make the mean more important: it varies 0.28 where depression varies 2.

    Fit: ``anxiety ~ depression + sex + depression_mean + (1 | therapist)``

    Parameters
    ----------
    therapists, patients : how many, and rows each, as in `therapist_plain`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> import numpy as np
    >>> data = ms.scenarios.therapist_context(therapists=20_000).draw(seed=1).data
    >>> means = data.groupby("therapist", observed=True)[["depression", "anxiety"]].mean()
    >>> float(round(np.polyfit(means.depression, means.anxiety, deg=1)[0]))
    15.0
    """
    return therapists_with(
        "therapist_context",
        therapists,
        patients,
        after={"depression_mean": ClusterMean("depression", by="therapist")},
        fixef={"depression_mean": 12.0},
    )


@scenario(stars=3)
def therapist_intervention(*, therapists: int = 100, patients: Count | Integers = 50) -> Population:
    """Slopes that vary by therapist, and partly for a reason: an intervention that each therapist gives.

    Story: ``depression`` is centred, 0 for the average patient. Every therapist works with one of three interventions,
    0, 1 or 2, each with chance 1/3. A step of intervention adds 4 to the slope of depression, and nothing to
    anxiety at average depression. Beyond that, intercepts and slopes differ by therapist for reasons unknown.

    Questions: For whom does depression matter how much? How much of the variation of slopes does the intervention
    explain? What is the slope of a model without it?

    Equations::

        anxiety_ij     = 45 + 3 depression_ij + 0 intervention_j + 10 sex_ij + 4 depression_ij intervention_j
                         + u0_j + u1_j depression_ij + e_ij
        intervention_j ~ Integers(0, …, 2)
        depression_ij  ~ Normal(0, sd 2)
        sex_ij         ~ Bernoulli(0.5)
        u0_j, u1_j     ~ Normal(0, sd 2.5 and 2, correlation 0)
        e_ij           ~ Normal(0, sd 8)

    Truth: the slope is 3, 7 or 11 under intervention 0, 1 or 2, and around that it varies with sd 2.

    What the naive model shows: ``anxiety ~ depression + sex + (1 + depression | therapist)`` finds the slope of the
    average intervention, 3 + 4 · 1 = 7, not 3; and slopes that vary with sd √(2² + 4² · 2/3) = 3.83, not 2, since the
    intervention (variance 2/3) passes for unexplained.

    Fit: ``anxiety ~ depression * intervention + sex + (1 + depression | therapist)``

    Parameters
    ----------
    therapists, patients : how many, and rows each, as in `therapist_plain`.

    Examples
    --------
    >>> import mixedsim as ms
    >>> sample = ms.scenarios.therapist_intervention().draw(seed=1)
    >>> float(sample.truth.fixef["depression:intervention"])
    4.0
    >>> sample.truth.ranef["therapist"].shape
    (100, 2)
    """
    return therapists_with(
        "therapist_intervention",
        therapists,
        patients,
        fixed="depression * intervention + sex",
        before={"intervention": Integers(0, 2, level="therapist")},
        depression=Normal(0, 2),
        fixef={"intervention": 0.0, "depression:intervention": 4.0},
        varying="1 + depression",
        sd=(2.5, 2.0),
    )
