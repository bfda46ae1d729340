"""Blocks as Parquet files: what is read is what was written, or it is said that it is not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixedsim import MixedsimError
from mixedsim.study.parts import Damaged, Part, packed, read_frames, read_part
from tests.study.test_running import same

pytest.importorskip("pyarrow")

KINDS = {
    "numbers with gaps": np.array([1.5, np.nan, -np.inf]),
    "small numbers": np.array([1.5, 2, 3], dtype=np.float32),
    "whole numbers": np.array([2**62, -1, 0]),
    "bytes": np.array([1, 2, 255], dtype=np.uint8),
    "yes or no": np.array([True, False, True]),
    "text": pd.Series(["déjà vu", "", "\x00"], dtype=object),
    "text with gaps": pd.Series([None, "x", None], dtype=object),
    "nothing but gaps": pd.Series([None, None, None], dtype=object),
    "pandas' text": pd.Series(["x", None, "y"], dtype="string"),
    "pandas' own text": pd.Series(["x", None, "y"], dtype=pd.StringDtype(na_value=np.nan)),
    "categories": pd.Categorical(["b", "a", None], categories=["b", "never", "a"]),
    "ordered categories": pd.Categorical(["b", "a", "b"], categories=["b", "a"], ordered=True),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "one.parquet"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_column_comes_back(path, kind):
    frame = pd.DataFrame({kind: KINDS[kind], "y": [1.0, 2.0, 3.0]})
    path.write_bytes(packed(Part("a", {7: 3}), [frame]))
    assert read_part(path) == Part("a", {7: 3})
    (found,) = read_frames(path, [0])
    same(found, frame)


def test_text_without_a_value_is_none_again(path):
    path.write_bytes(packed(Part("a", {0: 3}), [pd.DataFrame({"x": KINDS["text with gaps"]})]))
    assert next(read_frames(path, [0])).x.tolist() == [None, "x", None]


def test_every_block_is_read_by_itself_in_any_order(path):
    frames = [pd.DataFrame({"x": np.arange(float(k + 1))}) for k in range(5)]
    part = Part("a", {10 + k: k + 1 for k in range(5)})
    path.write_bytes(packed(part, iter(frames)))
    assert read_part(path) == part
    for found, k in zip(read_frames(path, [4, 0, 2]), [4, 0, 2], strict=True):
        same(found, frames[k])


def test_a_block_of_many_rows_is_one_row_group(path):
    frame = pd.DataFrame({"x": np.zeros(1_200_000, dtype=bool)})  # more than Arrow puts into one by itself
    path.write_bytes(packed(Part("a", {0: 1, 1: 1}), [frame, frame[:1]]))
    assert read_part(path).replicates == {0: 1, 1: 1}
    assert next(read_frames(path, [1])).shape == (1, 1)


def test_the_same_rows_are_the_same_bytes_whatever_their_index(path):
    frame = pd.DataFrame(KINDS)
    shuffled = frame.set_axis([5, 3, 9])
    assert packed(Part("a", {0: 3}), [frame]) == packed(Part("a", {0: 3}), [shuffled])


@pytest.mark.parametrize("values", [[1 + 2j], pd.to_datetime(["2026-01-01"]), pd.array([1], dtype="Int64")])
def test_columns_that_results_cannot_hold_are_named(values):
    frame = pd.DataFrame({"when": values})
    sentence = f"column 'when' holds {frame.dtypes.iloc[0]}, which results cannot: make it numbers or text."
    with pytest.raises(MixedsimError, match=f"^{re.escape(sentence)}$"):
        packed(Part("a", {0: 1}), [frame])


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (pd.DataFrame({"x": [1], "y": ["a"]}), "x"),
        (pd.DataFrame({"x": [1.0], "z": ["a"]}), "z"),
        (pd.DataFrame({"x": [1.0], "y": ["a"], "z": [1]}), "z"),
        (pd.DataFrame({"x": [1.0]}), "y"),
    ],
)
def test_blocks_with_other_columns_are_refused(other, name):
    frame = pd.DataFrame({"x": [1.0], "y": ["a"]})
    with pytest.raises(
        MixedsimError, match=rf"^a block's columns differ from those of the blocks before, first in '{name}'\.$"
    ):
        packed(Part("a", {0: 1, 1: 1}), [frame, other])


def test_a_file_of_another_origin_belongs_to_no_study(path):
    pd.DataFrame({"x": [1]}).to_parquet(path)
    assert read_part(path) == Part("", {})


def test_no_altered_byte_changes_a_number_unnoticed(path):
    """Each byte of a file in turn, one bit of it: noticed, or without consequence."""
    frame = pd.DataFrame({name: KINDS[name] for name in ("numbers with gaps", "text with gaps", "categories")})
    part = Part("a" * 64, {0: 3, 1: 1})
    whole = packed(part, [frame, frame[:1]])
    noticed = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0b100]) + whole[place + 1 :])
        try:
            found = read_part(path)
        except Damaged:
            noticed += 1
            continue
        if found.study != part.study:
            noticed += 1  # another origin: the folder is refused
            continue
        assert found == part
        for one, other in zip(read_frames(path, [0, 1]), [frame, frame[:1]], strict=True):
            same(one, other)
    assert noticed > len(whole) / 3 / 2
