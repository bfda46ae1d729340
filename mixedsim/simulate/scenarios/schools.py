"""Pupils in classes in schools, with families across the classes and teachers across the essays."""

from __future__ import annotations

from mixedsim.simulate.counts import Count
from mixedsim.simulate.population import Population
from mixedsim.simulate.problems import Missing
from mixedsim.simulate.scenarios.scenario import scenario
from mixedsim.simulate.variables import Assigned, Categorical, ClusterMean, Normal


@scenario(stars=2)
def school(*, schools: int = 60, classes: Count = (2, 4), pupils: Count = (18, 26)) -> Population:
    """Pupils in classes in schools: what a family's means do, and what a school's do beyond them.

    Story: a test is taken in 60 schools, two to four classes each, about 22 pupils a class. ``ses`` is the
    socio-economic status of a pupil's family, a score with mean 0 and sd about 1. Schools draw from different
    neighbourhoods, and company matters: with the same family, a pupil does better among well-off schoolmates.

    Questions: What does one point of SES do within a school? What does a school that is one point better off add? How
    alike are two pupils of one class, and two of different classes of one school?

    Equations, with i for pupils, j for classes, k for schools::

        score_ijk  = 500 + 20 ses_ijk + 30 ses_mean_k + u_k + v_jk + e_ijk
        ses_ijk    ~ Normal(area_k, sd 0.8)
        area_k     ~ Normal(0, sd 0.5), not observed
        ses_mean_k = mean of ses_ijk in school k
        u_k        ~ Normal(0, sd 15)
        v_jk       ~ Normal(0, sd 12)
        e_ijk      ~ Normal(0, sd 60)

    Truth: 20 points within schools, 20 + 30 = 50 between them. Given SES, two pupils of one class correlate by
    (15² + 12²) / (15² + 12² + 60²) = 0.093, two of different classes by 15² / (15² + 12² + 60²) = 0.057.

    What the naive model shows: ordinary regression of score on ses blends the two: 20 + 30 · (0.25 + 0.64/66) / 0.89 =
    28.8 for schools of 66 pupils. ``score ~ ses + (1 | school) + (1 | class)`` stays near 20, but its school sd
    holds the neighbourhood too: about √(15² + 30² · 0.26) = 21.

    Fit: ``score ~ ses + ses_mean + (1 | school) + (1 | class)``

    Parameters
    ----------
    schools : how many.
    classes : in each school.
    pupils : in each class.

    Examples
    --------
    >>> import mixedsim as ms
    >>> sample = ms.scenarios.school().draw(seed=1, lesson=True)
    >>> list(sample.data.columns)
    ['school', 'class', 'ses', 'ses_mean', 'score']
    """
    return Population(
        "score ~ ses + ses_mean + (1 | school) + (1 | class)",
        clusters={"school": schools, "class": {"in": "school", "n": classes}},
        size=pupils,
        variables={
            "area": Normal(0, 0.5, level="school", observed=False),
            "ses": Normal("area", 0.8),
            "ses_mean": ClusterMean("ses", by="school"),
        },
        fixef={"Intercept": 500, "ses": 20, "ses_mean": 30},
        ranef={"school": {"sd": 15}, "class": {"sd": 12}},
        sigma=60,
        lesson="within(ses, school) < pooled(ses) < between(ses, school)",
        about={
            "school": "school",
            "class": "class, its number used only once",
            "area": "what SES is on average in the neighbourhood",
            "ses": "socio-economic status of the pupil's family, a score of mean 0 and sd about 1",
            "ses_mean": "mean of ses in the school",
            "score": "test score in points, on average 500",
        },
        name="school",
    )


@scenario(stars=3)
def primary_schools(*, schools: int = 12, families: int = 45, classes: int = 6) -> Population:
    """Twelve primary schools, and two groupings that nobody thinks of: the class and the family.

    Story: in 12 schools 45 families each have two children, who go to two different ones of the school's 6 classes. So
    children are nested in families and in classes, and these two cross. Boys gain more from a well-off family than
    girls. Four families in ten did not say who they are: their children's ``family`` is missing.

    Questions: Which groupings are there beside the school? What is too small if families are forgotten: the standard
    error of SES or that of gender? Is it better to fit all children without families, or fewer with them?

    Equations, with j for classes, k for families, l for schools::

        score_jkl  = 100 + 4 ses_kl + 0 [boy]_jkl + 1.5 ses_kl [boy]_jkl + u_l + v_jl + w_kl + e_jkl
        ses_kl     ~ Normal(0, sd 1)
        u_l        ~ Normal(0, sd 6)
        v_jl       ~ Normal(0, sd 5)
        w_kl       ~ Normal(0, sd 10)
        e_jkl      ~ Normal(0, sd 9)

    Truth: one sd of SES adds 4 points for girls and 5.5 for boys. Siblings correlate by (6² + 10²) / 242 = 0.56, given
    SES; classmates by (6² + 5²) / 242 = 0.25, other children of one school by 6² / 242 = 0.15.

    What the naive model shows: ``score ~ ses * gender + (1 | school)`` puts classes and families into the residual,
    whose sd is √(9² + 5² + 10²) = 14.4. For what differs between families, siblings are half a repetition: its
    standard error of the mean slope of SES is too small by √(1 + 100 / 206) = 1.22; for what differs within them, it is
    too large.

    Fit: ``score ~ ses * gender + (1 | school) + (1 | class) + (1 | family)``

    Parameters
    ----------
    schools : how many.
    families, classes : in each school.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.primary_schools().draw(seed=1).data
    >>> len(data), data["class"].nunique(), float(round(data["family"].isna().mean(), 1))
    (1080, 72, 0.4)
    """
    return Population(
        "score ~ ses * gender + (1 | school) + (1 | class) + (1 | family)",
        clusters={
            "school": schools,
            "family": {"in": "school", "n": families},
            "class": {"in": "school", "n": classes, "sample": 2},
        },
        size=1,
        variables={"ses": Normal(0, 1, level="family"), "gender": Categorical(["girl", "boy"])},
        fixef={"Intercept": 100, "ses": 4, "gender[T.boy]": 0, "ses:gender[T.boy]": 1.5},
        ranef={"school": {"sd": 6}, "class": {"sd": 5}, "family": {"sd": 10}},
        sigma=9,
        problems=[Missing("family", 0.4, level="family", grouping=True)],
        about={
            "school": "primary school",
            "class": "class, its number used only once",
            "family": "family, its number used only once; missing where the family did not say",
            "ses": "socio-economic status of the family, a score of mean 0 and sd 1",
            "gender": "girl or boy",
            "score": "reading score in points, on average 100",
        },
        name="primary_schools",
    )


@scenario(stars=2)
def essay_ratings(*, essays: int = 90, teachers: int = 15, readers: int = 3) -> Population:
    """Essays graded by three teachers each: mild teachers, severe teachers, and who got whom.

    Story: 90 essays are graded from 0 to 100, each by three of 15 teachers, by turns, so that each teacher grades 18.
    Half of the essays are written by hand, the others typed. Essays differ in quality and teachers in severity.

    Questions: Does handwriting cost points? How much of a grade is the essay, how much the teacher, how much the day?
    How well do three teachers together know an essay?

    Equations, with j for essays, k for teachers::

        grade_jk = 62 − 4 [hand]_j + u_j + v_k + e_jk
        u_j      ~ Normal(0, sd 8)
        v_k      ~ Normal(0, sd 5)
        e_jk     ~ Normal(0, sd 5)

    Truth: handwriting costs 4 points. One grade is reliable by 8² / (8² + 5² + 5²) = 0.56, the mean of three by
    8² / (8² + (5² + 5²) / 3) = 0.79; of teachers whose severity is known, by 8² / (8² + 5² / 3) = 0.88.

    What the naive model shows: ``grade ~ writing + (1 | essay)`` calls the teachers' severity chance: its residual sd
    is √(5² + 5²) = 7.1, not 5. Ordinary regression takes 270 grades for 270 essays: its standard error of writing is
    2 √(114 / 270) = 1.3, while essays alone make it 2 √((8² + 50/3) / 90) = 1.9.

    Fit: ``grade ~ writing + (1 | essay) + (1 | teacher)``

    Parameters
    ----------
    essays, teachers : how many.
    readers : teachers who grade each essay.

    Examples
    --------
    >>> import mixedsim as ms
    >>> data = ms.scenarios.essay_ratings().draw(seed=1).data
    >>> data["essay"].value_counts().unique().tolist(), data["teacher"].value_counts().unique().tolist()
    ([3], [18])
    """
    return Population(
        "grade ~ writing + (1 | essay) + (1 | teacher)",
        clusters={"essay": essays, "teacher": {"n": teachers, "rotate": readers}},
        size=1,
        variables={"writing": Assigned(["typed", "hand"], level="essay", shuffle=True)},
        fixef={"Intercept": 62, "writing[T.hand]": -4},
        ranef={"essay": {"sd": 8}, "teacher": {"sd": 5}},
        sigma=5,
        about={
            "essay": "essay",
            "teacher": "teacher who grades it",
            "writing": "how the essay is written: typed or hand",
            "grade": "grade in points, 0 to 100; more is better",
        },
        name="essay_ratings",
    )
