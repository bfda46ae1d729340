"""Files that appear whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mixedsim import MixedsimError
from mixedsim.files import draft, draft_folder


def new_file(target: Path) -> AbstractContextManager[Path]:
    return draft(str(target), force=False)


def new_folder(target: Path) -> AbstractContextManager[Path]:
    return draft_folder(f"{target}/")


def fill(path: Path) -> None:
    (path / "part" if path.is_dir() else path).write_text("data")


@pytest.fixture(params=[new_file, new_folder], ids=["a file", "a folder"])
def new(request: pytest.FixtureRequest) -> Callable[[Path], AbstractContextManager[Path]]:
    return request.param


def test_nothing_is_there_before_the_end(tmp_path: Path, new: Callable[[Path], AbstractContextManager[Path]]) -> None:
    target = tmp_path / "out"
    with new(target) as path:
        fill(path)
        assert not target.exists()
        assert path.parent == tmp_path  # on the same disk, so that it can be moved in one step
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    assert (target / "part" if target.is_dir() else target).read_text() == "data"


@pytest.mark.parametrize("reason", [RuntimeError, KeyboardInterrupt, MixedsimError])
def test_nothing_is_left_of_a_failure(
    tmp_path: Path, new: Callable[[Path], AbstractContextManager[Path]], reason: type[BaseException]
) -> None:
    def fails() -> None:
        with new(tmp_path / "out") as path:
            fill(path)
            raise reason

    with pytest.raises(reason):
        fails()
    assert list(tmp_path.iterdir()) == []


def test_what_came_into_being_meanwhile_is_kept(
    tmp_path: Path, new: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    target = tmp_path / "out"

    def writes() -> None:
        with new(target) as path:
            fill(path)
            target.write_text("precious")

    with pytest.raises(MixedsimError):
        writes()
    assert target.read_text() == "precious"
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_one_sentence(tmp_path: Path, new: Callable[[Path], AbstractContextManager[Path]]) -> None:
    with (
        pytest.raises(MixedsimError, match=r"^cannot write '.*out/?': No space left on device\.$"),
        new(tmp_path / "out"),
    ):
        raise OSError(28, "No space left on device")


def test_an_empty_folder_is_filled_and_another_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as path:
        fill(path)
    assert (tmp_path / "empty" / "part").exists()
    with (
        pytest.raises(MixedsimError, match=r"is not empty: choose another name, or empty it\.$"),
        new_folder(tmp_path / "empty") as path,
    ):
        fill(path)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_new_folder_is_as_open_as_any_other(tmp_path: Path) -> None:
    with new_folder(tmp_path / "out"):
        pass
    (tmp_path / "other").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "other").stat().st_mode
