"""The folder of a study by itself: who holds it, and what it asks for."""

from __future__ import annotations

import pytest

from mixedsim import MixedsimError
from mixedsim.study.running import run_blocks
from mixedsim.study.store import opened
from tests.study.toy_jobs import Toy, contents

pytest.importorskip("pyarrow")


def test_two_runs_in_one_folder_are_refused_and_the_first_one_goes_on(tmp_path):
    with opened(tmp_path / "out", Toy(), resume=True) as store:
        store.add(0, Toy().run(0))
        with pytest.raises(MixedsimError, match=r"^'.*out' is in use by another run \(process \d+ on .+\): wait"):
            run_blocks(Toy(), out=tmp_path / "out")
        store.add(1, Toy().run(1))
    assert sorted(contents(tmp_path / "out")) == ["_study.json", "block-0000000.parquet", "block-0000001.parquet"]


def test_a_refused_folder_is_not_held(tmp_path):
    run_blocks(Toy(), out=tmp_path / "out")
    with pytest.raises(MixedsimError, match="another study"):
        run_blocks(Toy(seed=2), out=tmp_path / "out")
    run_blocks(Toy(), out=tmp_path / "out")


def test_blocks_may_come_in_any_order(tmp_path):
    run_blocks(Toy(n=200), out=tmp_path / "in order")
    with opened(tmp_path / "backwards", Toy(n=200), resume=True) as store:
        for block in reversed(range(50)):
            store.add(block, Toy(n=200).run(block))
    assert contents(tmp_path / "backwards") == contents(tmp_path / "in order")


def test_what_is_safe_is_told_in_words(tmp_path):
    with opened(tmp_path / "out", Toy(n=5000), resume=True) as store:
        for block in range(300):
            if block % 2:
                store.add(block, Toy(n=5000).run(block))
        assert store.safe == (
            f"600 of 5,000 replicates are safe in {str(tmp_path / 'out')!r}, and the same call goes on from them"
        )
