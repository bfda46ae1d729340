"""The bundled data are R's: same rows, same values, same levels in the same order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from mixedsim import datasets
from mixedsim.datasets.catalogue import CATALOGUE
from mixedsim.errors import DataError

ROWS = {
    "sleepstudy": 180,
    "nlschools": 2287,
    "Dyestuff": 30,
    "Dyestuff2": 30,
    "Penicillin": 144,
    "Pastes": 60,
    "cake": 270,
    "cbpp": 56,
    "grouseticks": 403,
    "batting": 18,
}
every_data_set = pytest.mark.parametrize("name", ROWS)


def as_r_has_it(reference: Path, name: str) -> pd.DataFrame:
    """The reference's CSV file with the levels that R declares."""
    levels = json.loads((reference / "levels.json").read_text())[name]
    data = pd.read_csv(reference / "data" / f"{name}.csv", dtype=dict.fromkeys(levels, "str"))
    for column, factor in levels.items():
        data[column] = pd.Categorical(data[column], factor["levels"], ordered=factor["ordered"])
    return data


def test_names_lists_all_data_sets() -> None:
    assert datasets.names() == list(ROWS)


@pytest.mark.parametrize("name", [name for name in ROWS if name != "batting"])
def test_every_value_and_level_is_that_of_r(name: str, reference: Path) -> None:
    assert_frame_equal(datasets.load(name), as_r_has_it(reference, name), check_dtype=False, check_exact=True)


def test_batting_gives_the_results_of_the_article() -> None:
    """Efron & Morris (1975): on the arcsine scale, total squared errors of 17.56 and 5.01, up to their rounding."""
    data = datasets.load("batting")
    first, later = (
        np.sqrt(45) * np.arcsin(2 * average - 1) for average in (data.hits / data.at_bats, data.later_average)
    )
    mean, spread = first.mean(), np.sum((first - first.mean()) ** 2)
    shrunken = mean + (1 - 15 / spread) * (first - mean)
    errors = [np.sum((estimate - later) ** 2) for estimate in (first, shrunken)]
    np.testing.assert_allclose(errors, [17.56, 5.01], atol=0.02)
    assert round(errors[0] / errors[1], 1) == 3.5


def test_later_averages_of_batting_are_whole_hits_to_three_digits() -> None:
    data = datasets.load("batting")
    hits = (data.later_average * data.later_at_bats).round()
    assert_series_equal((hits / data.later_at_bats).round(3), data.later_average, check_names=False)


@every_data_set
def test_rows_are_complete(name: str) -> None:
    data = datasets.load(name)
    assert len(data) == ROWS[name]
    assert not data.isna().any(axis=None)


@every_data_set
def test_factors_are_categoricals_of_strings_and_numbers_have_the_declared_dtype(name: str) -> None:
    data = datasets.load(name)
    numbers = CATALOGUE[name].dtypes
    assert data[list(numbers)].dtypes.astype(str).to_dict() == numbers
    for column in data.columns.difference(list(numbers)):
        levels = data[column].cat.categories
        assert all(isinstance(level, str) for level in levels)
        assert set(levels) == set(data[column]), "a level without rows"


def test_only_the_baking_temperature_is_ordered() -> None:
    ordered = [
        (name, column)
        for name in datasets.names()
        for column, values in datasets.load(name).items()
        if isinstance(values.dtype, pd.CategoricalDtype) and values.cat.ordered
    ]
    assert ordered == [("cake", "temperature")]


def test_sleepstudy_extended_is_that_of_the_reference(reference: Path) -> None:
    extended = datasets.load("sleepstudy", extended=True)
    assert_frame_equal(extended, as_r_has_it(reference, "sleepstudy_plus"), check_dtype=False, check_exact=True)


def test_sleepstudy_extended_adds_three_rows_behind_the_others() -> None:
    extended = datasets.load("sleepstudy", extended=True)
    assert extended.dtypes.drop("Subject").equals(datasets.load("sleepstudy").dtypes.drop("Subject"))
    assert list(extended.Subject[180:]) == ["374", "374", "373"]
    assert list(extended.Reaction[180:]) == [286, 288, 245]


def test_only_sleepstudy_has_an_extended_version() -> None:
    with pytest.raises(DataError, match=r"^cake has no extended version: only sleepstudy has one"):
        datasets.load("cake", extended=True)


def test_a_loaded_frame_can_be_changed_without_changing_the_next() -> None:
    data = datasets.load("Dyestuff")
    data.loc[0, "Yield"] = 0
    assert datasets.load("Dyestuff").Yield[0] == 1545


def test_capitals_do_not_matter() -> None:
    assert_frame_equal(datasets.load("PENICILLIN"), datasets.load("Penicillin"))


@pytest.mark.parametrize("ask", [datasets.load, datasets.info, datasets.path])
def test_an_unknown_name_gets_the_nearest(ask: Callable[[str], object]) -> None:
    with pytest.raises(DataError, match=r"^there is no bundled data set 'sleepstdy': did you mean 'sleepstudy'\?$"):
        ask("sleepstdy")


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(DataError, match=r"^there is no bundled data set 'iris': known are 'sleepstudy', "):
        datasets.load("iris")


@every_data_set
def test_info_describes_every_column_and_names_the_source_and_licence(name: str) -> None:
    text = datasets.info(name)
    description = CATALOGUE[name]
    assert set(description.columns) == set(datasets.load(name).columns)
    assert all(f"\n  {column} " in text for column in description.columns)
    assert "Source: " in text
    assert "(GPL-2" in text


@every_data_set
def test_the_docstring_of_load_names_the_source_and_the_package_with_its_licence(name: str) -> None:
    """In short, what `info` says at length: its author, year and package."""
    description = CATALOGUE[name]
    (line,) = re.findall(rf"^ *{name}  .*$", str(datasets.load.__doc__), re.MULTILINE)
    author, year = re.match(r"(\w+), .*?\((\d{4})\)", description.source).groups()
    package, licence = re.fullmatch(r"R package (\w+) \S+ \((.*)\)", description.package).groups()
    assert author in line
    assert f"({year})" in line
    assert line.endswith(f"  {package}")
    assert re.search(rf"\b{package} {licence}", str(datasets.load.__doc__))


@every_data_set
def test_the_licence_page_lists_the_file(name: str) -> None:
    assert f"`{datasets.path(name).name}`" in (datasets.FOLDER / "LICENSES.md").read_text(encoding="utf-8")


def test_nothing_but_these_is_in_the_folder() -> None:
    files = {file.name for file in datasets.FOLDER.iterdir()}
    assert files == {f"{name}.csv" for name in ROWS} | {"LICENSES.md", "levels.json"}
