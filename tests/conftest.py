"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of R's answers and the data they belong to; it lies outside the repository."""
    folder = Path(os.environ.get("MIXEDSIM_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"R's reference answers are not at {folder}; MIXEDSIM_REFERENCE may say where they are")
    return folder
