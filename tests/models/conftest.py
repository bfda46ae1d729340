"""Fixtures of the tests of fitted models."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from tests.models.reference import TOOL


@pytest.fixture(scope="session")
def parity() -> ModuleType:
    """The reference's own tool, which holds the tolerances and their units."""
    spec = importlib.util.spec_from_file_location("parity", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
