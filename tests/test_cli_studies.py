"""The commands ``mixedsim study`` and ``mixedsim power``, as somebody without Python would use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import mixedsim as ms
from mixedsim.cli import main

SPEC = """
formula: y ~ treated + (1 | group)
clusters: {group: 10}
size: 6
variables:
  treated: {kind: Assigned, values: [0, 1], level: group}
fixef: {Intercept: 1, treated: 2}
ranef: {group: {sd: [1]}}
sigma: 2
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "trial.yml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def run(*arguments: Any, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == code, result.output + result.stderr
    return result


def test_study_prints_the_summary_and_keeps_the_replicates(spec: Path, tmp_path: Path) -> None:
    naive, mixed = "naive=y ~ treated", "y ~ treated + (1 | group)"
    target, picture = tmp_path / "found.csv", tmp_path / "found.png"
    files = ("-o", target, "--plot", picture)
    said = run("study", spec, "--analysis", naive, "--analysis", mixed, "-n", 60, *files).stdout
    expected = ms.study(ms.Population.from_yaml(spec), {"naive": "y ~ treated", mixed: mixed}, 60, seed=1)
    assert said == f"{expected}\n"
    kept = pd.read_csv(target)
    assert len(kept) == len(expected.replicates)
    assert kept["estimate"].to_numpy() == pytest.approx(expected.replicates["estimate"].to_numpy(), rel=1e-12)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*"))


def test_power_writes_its_table_and_draws_it(spec: Path, tmp_path: Path) -> None:
    target, picture = tmp_path / "power.csv", tmp_path / "power.svg"
    said = run("power", spec, "--along", "group=6:18:6", "-n", 100, "-o", target, "--plot", picture).stdout
    expected = ms.power_curve(ms.Population.from_yaml(spec), "group", [6, 12, 18], n=100, seed=1)
    assert said == f"{expected}\n"
    assert pd.read_csv(target)["power"].tolist() == pytest.approx(expected.table["power"].tolist())
    assert "<svg" in picture.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["power.csv", "power.svg", "trial.yml"]


def test_power_along_two_things_and_other_parameters(spec: Path) -> None:
    said = run("power", spec, "--along", "sd(Intercept | group)=0.5,2", "--along", "sigma=1:2:0.5", "-n", 20).stdout
    assert "sd(Intercept | group)  sigma parameter" in said
    assert len([line for line in said.splitlines() if line.split()[2:3] == ["treated"]]) == 6


def test_power_finds_a_size(spec: Path, tmp_path: Path) -> None:
    target = tmp_path / "sizes.csv"
    said = run("power", spec, "--along", "group", "--find", 0.7, "--seed", 3, "-o", target).stdout
    expected = ms.find_size(ms.Population.from_yaml(spec), "group", power=0.7, seed=3)
    assert said == f"{expected}\n"
    assert pd.read_csv(target)["group"].tolist() == expected.table.index.tolist()


def test_to_a_pipe_goes_the_table_alone(spec: Path) -> None:
    said = run("power", spec, "--along", "group=6,8", "-n", 10, "-o", "-").stdout
    assert said.startswith("group,analysis,parameter,truth,power,")
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--along", "group"], "--along 'group' is no name with values: write therapist=10:100:10 (from, to, step)"),
        (["--along", "=5"], "--along '=5' is no name with values"),
        (["--along", "group=10:5"], "--along 'group=10:5' has no values: write from:to:step"),
        (["--along", "group=1:1e9:1e-9"], "has more than 10,000 values"),
        (["--along", "group=6", "--analysis", "y ~ 1"], "treated"),
        (["--along", "group=6", "-o", "power.parquet"], "'power.parquet' does not say: give it a name in .csv."),
        (["--along", "group=6", "-o", "p.png", "--plot", "p.png"], "'p.png' does not say: give it a name in .csv."),
        (["--along", "group=6", "-o", "power/"], "name a file, such as power.csv."),
        (["--along", "group=0"], "clusters.group"),
        (["--along", "groups=5"], "did you mean 'group'?"),
        (["--along", "group=6", "--plot", "power.txt"], "give it a name that ends in .png, .svg or .pdf."),
        (["--along", "group=6", "--analysis", "y ~ dose"], "dose"),
        (["--along", "group=6", "--analysis", "a=y ~ 1", "--analysis", "a=y ~ 1"], "two analyses are called 'a'"),
    ],
)
def test_power_says_what_is_wrong_in_one_sentence(spec: Path, arguments: list[str], sentence: str) -> None:
    said = run("power", spec, "-n", 5, *arguments, code=1).stderr
    assert said.startswith("Error: ")
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_find_takes_no_values_and_no_plot(spec: Path) -> None:
    assert "--find takes one name after --along" in run(
        "power", spec, "--along", "group=5", "--find", 0.8, code=2
    ).stderr
    assert "makes no --plot" in run(
        "power", spec, "--along", "group", "--find", 0.8, "--plot", "a.png", code=2
    ).stderr
    assert "leave out -n" in run("power", spec, "--along", "group", "--find", 0.8, "-n", 50, code=2).stderr


def test_ranges_have_the_decimals_that_were_typed(spec: Path) -> None:
    said = run("power", spec, "--along", "treated=0.1:0.5:0.1", "-n", 5, "-o", "-").stdout
    assert [line.split(",")[0] for line in said.splitlines()[1:]] == ["0.1", "0.2", "0.3", "0.4", "0.5"]


def test_an_interruption_says_what_is_safe(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any, **named: Any) -> Any:
        stop = KeyboardInterrupt()
        stop.add_note("Interrupted: half of it is safe.")
        raise stop

    monkeypatch.setitem(ms.study.power_curve.__globals__, "study", interrupted)
    said = run("power", spec, "--along", "group=6", "-n", 5, code=1).stderr
    assert "Interrupted: half of it is safe.\n" in said
    assert said.endswith("Aborted!\n")


def test_nothing_is_overwritten(spec: Path, tmp_path: Path) -> None:
    target = tmp_path / "power.csv"
    target.write_text("precious", encoding="utf-8")
    assert "exists" in run("power", spec, "--along", "group=6", "-n", 5, "-o", target, code=1).stderr
    assert "exists" in run("study", spec, "-n", 5, "-o", target, code=1).stderr
    assert target.read_text(encoding="utf-8") == "precious"
    run("power", spec, "--along", "group=6", "-n", 5, "-o", target, "--force")
    assert target.read_text(encoding="utf-8") != "precious"


def test_an_interrupted_curve_goes_on(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    target = tmp_path / "power.csv"
    arguments = ("power", spec, "--along", "group=6,8,10", "-n", 40, "-o", target)
    whole = run(*arguments[:-1], "-").stdout
    study, calls = ms.study.power_curve.__globals__["study"], []

    def interrupted(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return study(*given, **named)

    with monkeypatch.context() as context:
        context.setitem(ms.study.power_curve.__globals__, "study", interrupted)
        assert run(*arguments, code=1).stderr.endswith("Aborted!\n")
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert len({path.parent for path in kept}) == 2
    run(*arguments)
    assert target.read_text(encoding="utf-8") == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["power.csv", "trial.yml"]
