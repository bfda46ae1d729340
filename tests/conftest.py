"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.engine.cases import by_elimination

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(params=["dense where small", "by elimination"])
def shape(request: pytest.FixtureRequest) -> Iterator[str]:
    """A test that asks for it runs twice: models of several factors with few effects can be computed in two ways."""
    with by_elimination() if request.param == "by elimination" else nullcontext():
        yield request.param


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of R's answers and the data they belong to; it lies outside the repository."""
    folder = Path(os.environ.get("MIXEDSIM_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"R's reference answers are not at {folder}; MIXEDSIM_REFERENCE may say where they are")
    return folder
