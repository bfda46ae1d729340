"""Drawing into files of any length: CSV, Parquet, folders, several processes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import mixedsim as ms
from mixedsim.cli import main
from mixedsim.simulate import streaming

CLINIC = ms.scenarios.therapist_intervention().with_(
    clusters={"therapist": 30, "class": {"in": "therapist", "n": (1, 3)}}
)
CLINIC = CLINIC.with_(size=(5, 15))


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BLOCK_ROWS", 200)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "spec.yml"
    CLINIC.to_yaml(path)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def expected(rows: float, seed: int = 1) -> pd.DataFrame:
    return pd.concat(list(CLINIC.draw_chunks(seed, rows)))


def test_a_csv_is_written_chunk_by_chunk(spec: Path, out: Path) -> None:
    run("draw", spec, "--rows", "2e3", "--seed", 7, "--chunk", 300, "-o", out / "data.csv")
    text = (out / "data.csv").read_text(encoding="utf-8")
    assert text == expected(2000, seed=7).to_csv(index=False, lineterminator="\n")
    run("draw", spec, "--rows", "2000", "--seed", 7, "-o", out / "one.csv")
    assert (out / "one.csv").read_text(encoding="utf-8") == text
    assert sorted(path.name for path in out.iterdir()) == ["data.csv", "one.csv"]


def test_a_csv_goes_to_the_screen(spec: Path) -> None:
    said = run("draw", spec, "--rows", 500, "--chunk", 100)
    assert said.stdout == expected(500).to_csv(index=False, lineterminator="\n")


def test_several_processes_write_the_same_file(spec: Path, out: Path) -> None:
    for processes in (1, 2):
        options = ["--rows", 2000, "--chunk", 300, "--processes", processes]
        run("draw", spec, *options, "-o", out / f"{processes}.csv")
    assert (out / "1.csv").read_bytes() == (out / "2.csv").read_bytes()


def test_without_rows_it_is_the_draw_of_the_seed(spec: Path, out: Path) -> None:
    run("draw", spec, "--seed", 3, "-o", out / "data.csv")
    data = pd.read_csv(out / "data.csv")
    assert data.anxiety.tolist() == pytest.approx(CLINIC.draw(3).data.anxiety.tolist())
    assert not data.equals(expected(len(data), seed=3))


@pytest.mark.parametrize("option", ["--chunk", "--processes"])
def test_what_is_about_chunks_needs_rows(spec: Path, option: str) -> None:
    assert "--chunk and --processes need --rows." in run("draw", spec, option, 2, code=2).stderr


@pytest.mark.parametrize(
    ("rows", "says"),
    [("0", "rows must be at least 1, found 0."), ("2.5", "rows must be a whole number, found 2.5.")],
)
def test_rows_that_cannot_be(spec: Path, out: Path, rows: str, says: str) -> None:
    assert run("draw", spec, "--rows", rows, "-o", out / "x.csv", code=1).stderr == f"Error: {says}\n"
    assert list(out.iterdir()) == []


def test_what_needs_all_rows_is_refused_in_one_sentence(spec: Path, out: Path) -> None:
    CLINIC.with_(variables={**CLINIC.variables, "c": ms.Centered("depression")}).to_yaml(spec)
    said = run("draw", spec, "--rows", 1e4, "-o", out / "x.csv", code=1).stderr
    assert said.startswith("Error: variables.c takes the mean of all rows")
    assert said.count("\n") == 1


def test_an_error_in_the_middle_leaves_nothing(spec: Path, out: Path) -> None:
    risky = {**CLINIC.variables, "b": ms.Bernoulli("0.5 + 0.06 * depression")}  # beyond 1 at 4.2 sds
    CLINIC.with_(variables=risky).to_yaml(spec)
    said = run("draw", spec, "--rows", 1e6, "--chunk", 500, "-o", out / "x.csv", code=1).stderr
    assert "variables.b.p must lie between 0 and 1" in said
    assert list(out.iterdir()) == []


def test_an_existing_file_is_kept_unless_forced(spec: Path, out: Path) -> None:
    (out / "data.csv").write_text("precious")
    said = run("draw", spec, "--rows", 500, "-o", out / "data.csv", code=1).stderr
    assert "exists: choose another name, or use --force" in said
    assert (out / "data.csv").read_text() == "precious"
    run("draw", spec, "--rows", 500, "-o", out / "data.csv", "--force")
    assert len(pd.read_csv(out / "data.csv")) == len(expected(500))


class TestParquet:
    @pytest.fixture(autouse=True)
    def needs_pyarrow(self) -> None:
        pytest.importorskip("pyarrow")

    def test_a_file_holds_the_chunks_as_row_groups(self, spec: Path, out: Path) -> None:
        from pyarrow.parquet import ParquetFile

        run("draw", spec, "--rows", 2000, "--chunk", 300, "-o", out / "data.parquet")
        data = pd.read_parquet(out / "data.parquet")
        pd.testing.assert_frame_equal(data, expected(2000), check_exact=True)
        with ParquetFile(out / "data.parquet") as file:
            assert file.num_row_groups == len(list(CLINIC.draw_chunks(1, 2000, 300))) > 3

    def test_a_folder_holds_a_part_for_every_chunk(self, spec: Path, out: Path) -> None:
        run("draw", spec, "--rows", 2000, "--chunk", 300, "-o", f"{out / 'parts'}/")
        parts = sorted((out / "parts").iterdir())
        assert [path.name for path in parts][:2] == ["part-00001.parquet", "part-00002.parquet"]
        for path, chunk in zip(parts, CLINIC.draw_chunks(1, 2000, 300), strict=True):
            pd.testing.assert_frame_equal(pd.read_parquet(path), chunk.reset_index(drop=True), check_exact=True)
        assert [path.name for path in out.iterdir()] == ["parts"]

    def test_categories_stay_categories(self, spec: Path, out: Path) -> None:
        arms = {**CLINIC.variables, "arm": ms.Categorical(["old", "new"])}
        CLINIC.with_(variables=arms).to_yaml(spec)
        run("draw", spec, "--rows", 2000, "--chunk", 300, "-o", out / "data.parquet")
        arm = pd.read_parquet(out / "data.parquet").arm
        assert arm.cat.categories.tolist() == ["old", "new"]

    def test_a_draw_in_memory(self, spec: Path, out: Path) -> None:
        run("draw", spec, "--seed", 3, "-o", out / "data.PARQUET")
        data, drawn = pd.read_parquet(out / "data.PARQUET"), CLINIC.draw(3).data
        assert data.astype(dict.fromkeys(CLINIC.clusters, str)).equals(
            drawn.astype(dict.fromkeys(CLINIC.clusters, str))
        )
        run("draw", spec, "--seed", 3, "-o", f"{out / 'folder'}/")
        assert pd.read_parquet(out / "folder" / "part-00001.parquet").equals(data)

    def test_several_processes_write_the_same_parts(self, spec: Path, out: Path) -> None:
        written = []
        for processes in (1, 2):
            target = out / str(processes)
            run("draw", spec, "--rows", 2000, "--chunk", 300, "--processes", processes, "-o", f"{target}/")
            written.append([path.read_bytes() for path in sorted(target.iterdir())])
        assert written[0] == written[1]

    def test_an_error_in_the_middle_leaves_nothing(self, spec: Path, out: Path) -> None:
        risky = {**CLINIC.variables, "b": ms.Bernoulli("0.5 + 0.06 * depression")}
        CLINIC.with_(variables=risky).to_yaml(spec)
        for target in (out / "x.parquet", f"{out / 'x'}/"):
            run("draw", spec, "--rows", 1e6, "--chunk", 500, "-o", target, code=1)
            assert list(out.iterdir()) == []


def test_without_pyarrow_it_says_what_to_install(spec: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return import_module(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    for target in (out / "data.parquet", f"{out / 'folder'}/"):
        said = run("draw", spec, "--rows", 500, "-o", target, code=1).stderr
        assert said == (
            "Error: Parquet files need the package pyarrow: install it with  pip install 'mixedsim[scale]', or write a "
            "CSV.\n"
        )
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("spec.yml/", "it exists and is no folder."),
        ("nowhere/parts/", "there is no folder"),
        ("full/", "is not empty: choose another name, or empty it."),
    ],
)
def test_a_folder_that_cannot_be_made(spec: Path, target: str, says: str) -> None:
    (spec.parent / "full").mkdir()
    (spec.parent / "full" / "thesis.txt").write_text("precious")
    assert says in run("draw", spec, "--rows", 500, "-o", f"{spec.parent}/{target}", code=1).stderr
    assert (spec.parent / "full" / "thesis.txt").read_text() == "precious"
