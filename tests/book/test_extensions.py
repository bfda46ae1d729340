"""The extensions of book/_ext that can be tried without building anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
pytest.importorskip("sphinx", reason="the extensions are Sphinx's")


@pytest.fixture(scope="module", autouse=True)
def _found() -> Iterator[None]:
    sys.path.insert(0, str(EXTENSIONS))
    yield
    sys.path.remove(str(EXTENSIONS))


@pytest.fixture(scope="module")
def hidden_cells() -> ModuleType:
    import hidden_cells

    return hidden_cells


@pytest.fixture(scope="module")
def cached() -> ModuleType:
    import cached

    return cached


def test_checks_leave_and_what_only_they_needed(hidden_cells: ModuleType) -> None:
    cells = [
        hidden_cells.Cell("from myst_nb import glue\nimport numpy as np", hidden=True),
        hidden_cells.Cell("x = 2", hidden=False),
        hidden_cells.Cell("rate = x / 3\nassert rate < 1\nglue('rate', f'{rate:.1f}')\nfactor = 10", hidden=True),
        hidden_cells.Cell("y = np.sqrt(factor * x)", hidden=False),
    ]
    assert hidden_cells.pruned(cells) == ["import numpy as np", "x = 2", "factor = 10", "y = np.sqrt(factor * x)"]


def test_a_function_that_only_checks_is_a_check(hidden_cells: ModuleType) -> None:
    source = 'def near(a, b):\n    """Close."""\n    assert abs(a - b) < 1\nlimit = 3\nnear(limit, 3)'
    assert hidden_cells.pruned([hidden_cells.Cell(source, hidden=True)]) == [""]


def test_a_name_that_is_made_anew_is_not_needed_from_before(hidden_cells: ModuleType) -> None:
    cells = [
        hidden_cells.Cell("rows = 1\nkept = 2", hidden=True),
        hidden_cells.Cell("rows = kept\ndef f(kept):\n    inside = kept\n    return inside", hidden=False),
        hidden_cells.Cell("inside = 3", hidden=True),
        hidden_cells.Cell("def g():\n    inside = 1\n    return inside + later", hidden=False),
    ]
    assert [bool(source) for source in hidden_cells.pruned(cells)] == [True, True, False, True]
    assert hidden_cells.pruned(cells)[0] == "kept = 2"


def test_what_a_function_reads_from_outside_is_needed(hidden_cells: ModuleType) -> None:
    used = hidden_cells.Cell("def g():\n    return [later + k for k in range(3)]", hidden=False)
    assert hidden_cells.pruned([hidden_cells.Cell("later = 1\nk = 2", hidden=True), used])[0] == "later = 1"


def test_options_and_columns_stay(hidden_cells: ModuleType) -> None:
    source = "plt.rcParams['figure.dpi'] = 80\ndata['x'] = 1\nplt.close('all')"
    assert hidden_cells.pruned([hidden_cells.Cell(source, hidden=True)]) == [source]


def test_a_visible_call_of_glue_gets_a_stand_in(hidden_cells: ModuleType) -> None:
    (told,) = hidden_cells.pruned([hidden_cells.Cell("glue('a', 1)", hidden=False)])
    names: dict[str, object] = {}
    exec(told, names)
    assert told.startswith("def glue(")


def test_the_hash_sees_what_a_file_holds_and_how_it_is_called(cached: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1", encoding="utf-8")
    (tmp_path / "page.md").write_text("1", encoding="utf-8")
    before = cached.digest([tmp_path])
    (tmp_path / "page.md").write_text("2", encoding="utf-8")
    assert cached.digest([tmp_path]) == before, "text is no code"
    (tmp_path / "a.py").write_text("2", encoding="utf-8")
    changed = cached.digest([tmp_path])
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({before, changed, cached.digest([tmp_path]), cached.digest([tmp_path], "3.12")}) == 4
