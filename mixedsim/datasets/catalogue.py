"""What is bundled: for every data set its rows, columns with units, source and licence."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

LME4 = "R package lme4 1.1-31 (GPL-2 or later)"
MASS = "R package MASS 7.3-58.2 (GPL-2 or GPL-3)"
PSCL = "R package pscl 1.5.5 (GPL-2)"
DAVIES = (
    "Davies, O. L. and Goldsmith, P. L., eds. (1972). Statistical Methods in Research and Production, "
    "4th edition. Oliver and Boyd"
)


@dataclass(frozen=True)
class Description:
    """One bundled data set in words.

    `columns` says what each column holds, with its unit; `dtypes` names the columns that are not factors:
    counts and scores are integers, measurements are floats.
    """

    name: str
    title: str
    row: str
    columns: dict[str, str]
    dtypes: dict[str, str]
    source: str
    package: str
    remark: str = ""

    def text(self) -> str:
        """All of it as a short page of plain text."""
        width = max(map(len, self.columns))
        columns = [_wrapped(f"  {name:<{width}}  {what}", indent=width + 4) for name, what in self.columns.items()]
        paragraphs = [
            _wrapped(f"{self.name}: {self.title}"),
            _wrapped(f"One row is {self.row}."),
            "\n".join(columns),
            _wrapped(self.remark),
            _wrapped(f"Source: {self.source}.", indent=2) + f"\nTaken from: {self.package}.",
        ]
        return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _wrapped(line: str, *, indent: int = 0) -> str:
    return textwrap.fill(line, 100, subsequent_indent=" " * indent, break_on_hyphens=False)


CATALOGUE = {
    description.name: description
    for description in (
        Description(
            name="sleepstudy",
            title="reaction times of 18 people whose nights were cut to three hours in bed",
            row="one person on one day",
            columns={
                "Reaction": "mean reaction time over that day's tests (ms)",
                "Days": "day of the study, 0 to 9 (days); 0 and 1 were training, 2 was the baseline, and sleep was "
                "restricted from the night that followed it",
                "Subject": "the person (18 levels)",
            },
            dtypes={"Reaction": "float64", "Days": "int64"},
            source="Belenky, G., Wesensten, N. J., Thorne, D. R., Thomas, M. L., Sing, H. C., Redmond, D. P., Russo, "
            "M. B. and Balkin, T. J. (2003). Patterns of performance degradation and restoration during sleep "
            "restriction and subsequent recovery: a sleep dose-response study. Journal of Sleep Research 12, 1–12",
            package=LME4,
            remark='load("sleepstudy", extended=True) adds two made-up people of whom hardly anything is known: 374 '
            "with two days and 373 with one.",
        ),
        Description(
            name="nlschools",
            title="language scores of 2,287 Dutch pupils of about eleven years",
            row="one pupil",
            columns={
                "lang": "score in a language test (points)",
                "IQ": "verbal IQ (points on the test's own scale, 4 to 18 here)",
                "class": "the school class (133 levels)",
                "GS": "size of the class: pupils of grade 8 recorded in it (pupils)",
                "SES": "socio-economic status of the family (points, 10 to 50)",
                "COMB": "1 where grades 7 and 8 were taught together, else 0",
            },
            dtypes={"lang": "int64", "IQ": "float64", "GS": "int64", "SES": "int64"},
            source="Snijders, T. A. B. and Bosker, R. J. (1999). Multilevel Analysis: An Introduction to Basic and "
            "Advanced Multilevel Modeling. London: Sage",
            package=MASS,
        ),
        Description(
            name="Dyestuff",
            title="how much the batch of an intermediate product matters to the yield of a dye",
            row="one laboratory preparation of the dye",
            columns={
                "Batch": "batch of the intermediate product, H-acid (6 levels)",
                "Yield": "yield (grams of standard colour)",
            },
            dtypes={"Yield": "float64"},
            source=f"{DAVIES}, section 6.4",
            package=LME4,
        ),
        Description(
            name="Dyestuff2",
            title="made-up yields in the layout of Dyestuff, in which the batches differ less than chance alone would "
            "make them: the estimate of their variance is zero",
            row="one preparation",
            columns={"Batch": "batch (6 levels)", "Yield": "yield (no unit: the numbers were constructed)"},
            dtypes={"Yield": "float64"},
            source="Box, G. E. P. and Tiao, G. C. (1973). Bayesian Inference in Statistical Analysis. Addison-Wesley, "
            "section 5.1.2",
            package=LME4,
        ),
        Description(
            name="Penicillin",
            title="an assay in which each of six samples meets each of 24 plates: two fully crossed factors",
            row="one sample on one plate",
            columns={
                "diameter": "diameter of the zone in which no bacteria grew (mm)",
                "plate": "the assay plate (24 levels)",
                "sample": "the penicillin sample (6 levels)",
            },
            dtypes={"diameter": "float64"},
            source=f"{DAVIES}, section 6.6",
            package=LME4,
        ),
        Description(
            name="Pastes",
            title="strength of a chemical paste, casks within delivery batches: nested factors",
            row="one analysis; every cask was analysed twice",
            columns={
                "strength": "strength of the paste (%)",
                "batch": "delivery batch (10 levels)",
                "cask": "cask within its batch (3 levels): cask a of batch A is not cask a of batch B",
                "sample": "batch and cask together (30 levels)",
            },
            dtypes={"strength": "float64"},
            source=f"{DAVIES}, section 6.5",
            package=LME4,
        ),
        Description(
            name="cake",
            title="at what angle chocolate cakes break, by recipe and baking temperature: a split plot",
            row="one cake; in each replicate, one batch of dough per recipe was divided among the six temperatures",
            columns={
                "replicate": "replicate, probably in order of time (15 levels)",
                "recipe": "recipe (3 levels)",
                "temperature": "baking temperature (°F) as an ordered factor (6 levels)",
                "angle": "angle at which the cake broke (degrees)",
                "temp": "baking temperature (°F) as a number",
            },
            dtypes={"angle": "float64", "temp": "float64"},
            source="Cook, F. E. (1938). Chocolate cake, I. Optimum baking temperature. Master's thesis, Iowa State "
            "College; printed in Cochran, W. G. and Cox, G. M. (1957). Experimental Designs, 2nd edition. Wiley, "
            "p. 300",
            package=LME4,
        ),
        Description(
            name="cbpp",
            title="new cases of contagious bovine pleuropneumonia in 15 Ethiopian herds, four times a year",
            row="one herd in one period",
            columns={
                "herd": "the herd (15 levels)",
                "incidence": "new serological cases in the period (animals)",
                "size": "animals in the herd when the period began (animals)",
                "period": "quarter of the follow-up (4 levels)",
            },
            dtypes={"incidence": "int64", "size": "int64"},
            source="Lesnoff, M., Laval, G., Bonnet, P., Abdicho, S., Workalemahu, A., Kifle, D., Peyraud, A., "
            "Lancelot, R. and Thiaucourt, F. (2004). Within-herd spread of contagious bovine pleuropneumonia in "
            "Ethiopian highlands. Preventive Veterinary Medicine 64, 27–40",
            package=LME4,
        ),
        Description(
            name="grouseticks",
            title="ticks on the heads of red grouse chicks: counts, chicks within broods within places",
            row="one chick",
            columns={
                "INDEX": "the chick (403 levels)",
                "TICKS": "ticks on its head (ticks)",
                "BROOD": "the brood (118 levels)",
                "HEIGHT": "height above sea level (m)",
                "YEAR": "the year: 95, 96 or 97 (3 levels)",
                "LOCATION": "the place (63 levels)",
                "cHEIGHT": "the height less its mean over the chicks (m)",
            },
            dtypes={"TICKS": "int64", "HEIGHT": "int64", "cHEIGHT": "float64"},
            source="Elston, D. A., Moss, R., Boulinier, T., Arrowsmith, C. and Lambin, X. (2001). Analysis of "
            "aggregation, a worked example: numbers of ticks on red grouse chicks. Parasitology 122, 563–569",
            package=LME4,
        ),
        Description(
            name="batting",
            title="18 baseball players of 1970: their first 45 at-bats, and what became of them",
            row="one player",
            columns={
                "player": "the player, best start first (18 levels)",
                "hits": "hits in the first at-bats of the season (hits)",
                "at_bats": "how many these were: 45 for everybody (at-bats)",
                "later_at_bats": "at-bats in the rest of the season (at-bats)",
                "later_average": "hits per at-bat in the rest of the season, to three digits (share)",
            },
            dtypes={"hits": "int64", "at_bats": "int64", "later_at_bats": "int64", "later_average": "float64"},
            source="Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its generalizations. "
            "Journal of the American Statistical Association 70, 311–319, table 1",
            package=PSCL,
            remark="The example with which James and Stein's estimator became famous: averages of 45 at-bats, shrunk "
            "towards their mean, predict the rest of the season better than as they are.",
        ),
    )
}
