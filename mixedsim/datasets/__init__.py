"""Real data: ten small classics of the field, with their levels in R's order.

`names()` lists them, `load(name)` gives a data frame, `info(name)` says what a row is, what the columns hold in
which unit, where the data come from and under which licence, `path(name)` is the CSV file itself.

Factors are categoricals of strings, so that a subject's number is never taken for a quantity. The data keep the
licences of the R packages they are taken from: see `data/LICENSES.md` in this folder.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from mixedsim.datasets.catalogue import CATALOGUE, Description
from mixedsim.errors import DataError, nearest

__all__ = ["info", "load", "names", "path"]

FOLDER = Path(__file__).parent / "data"

# Two people of whom hardly anything is known, to show how partial pooling treats them. The values and the order
# (374 before 373) are those of tutorials that use them.
HARDLY_KNOWN = pd.DataFrame({"Reaction": [286.0, 288.0, 245.0], "Days": [0, 1, 0], "Subject": ["374", "374", "373"]})


def names() -> list[str]:
    """The names of the bundled data sets.

    Examples
    --------
    >>> names()[:3]
    ['sleepstudy', 'nlschools', 'Dyestuff']
    """
    return list(CATALOGUE)


def load(name: str, *, extended: bool = False) -> pd.DataFrame:
    """A bundled data set as a new data frame; its factors are categoricals with R's levels in R's order.

    Parameters
    ----------
    name : one of these; capitals do not matter. `info` describes each, column by column.

        ============  =================================================================  ================
        name          source                                                             taken from
        ============  =================================================================  ================
        sleepstudy    Belenky et al. (2003), Journal of Sleep Research 12, 1–12          lme4
        nlschools     Snijders and Bosker (1999), Multilevel Analysis                    MASS
        Dyestuff      Davies and Goldsmith (1972), Statistical Methods, section 6.4      lme4
        Dyestuff2     Box and Tiao (1973), Bayesian Inference, section 5.1.2             lme4
        Penicillin    Davies and Goldsmith (1972), section 6.6                           lme4
        Pastes        Davies and Goldsmith (1972), section 6.5                           lme4
        cake          Cook (1938), Chocolate cake; Cochran and Cox (1957), p. 300        lme4
        cbpp          Lesnoff et al. (2004), Preventive Veterinary Medicine 64, 27–40    lme4
        grouseticks   Elston et al. (2001), Parasitology 122, 563–569                    lme4
        batting       Efron and Morris (1975), J. Amer. Statist. Assoc. 70, 311–319      pscl
        ============  =================================================================  ================

        Licence: those from the R package lme4 GPL-2 or later, that from MASS GPL-2 or GPL-3, that from
        pscl GPL-2, as the packages have it.
    extended : only for sleepstudy: also the two made-up people 374 (two days) and 373 (one day).

    Raises
    ------
    DataError
        If there is no such data set, or no extended version of it.

    Examples
    --------
    >>> data = load("sleepstudy")
    >>> data.shape, list(data.Subject.cat.categories[:3])
    ((180, 3), ['308', '309', '310'])
    """
    description = _find(name)
    levels = json.loads((FOLDER / "levels.json").read_text(encoding="utf-8"))[description.name]
    data = pd.read_csv(path(name), dtype={**description.dtypes, **dict.fromkeys(levels, "str")})
    if extended:
        if description.name != "sleepstudy":
            raise DataError(f"{description.name} has no extended version: only sleepstudy has one; leave extended out.")
        data = pd.concat([data, HARDLY_KNOWN], ignore_index=True)
        levels["Subject"]["levels"] += list(HARDLY_KNOWN.Subject.unique())
    return data.assign(
        **{
            column: pd.Categorical(data[column], categories=factor["levels"], ordered=factor["ordered"])
            for column, factor in levels.items()
        }
    )


def info(name: str) -> str:
    """What a row is, every column with its unit, source and licence of a bundled data set.

    Raises
    ------
    DataError
        If there is no such data set.

    Examples
    --------
    >>> print(info("Dyestuff").splitlines()[2])
    One row is one laboratory preparation of the dye.
    """
    return _find(name).text()


def path(name: str) -> Path:
    """The CSV file of a bundled data set.

    Raises
    ------
    DataError
        If there is no such data set.

    Examples
    --------
    >>> path("dyestuff").name
    'Dyestuff.csv'
    """
    return FOLDER / f"{_find(name).name}.csv"


def _find(name: str) -> Description:
    by_folded_name = {known.casefold(): description for known, description in CATALOGUE.items()}
    try:
        return by_folded_name[str(name).casefold()]
    except KeyError:
        raise DataError(f"there is no bundled data set {name!r}: {nearest(str(name), CATALOGUE)}") from None
