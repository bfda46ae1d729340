"""The project's own promises: few dependencies, a reason for each, one exact set that fits the ranges."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PYPROJECT = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
EXACT = [
    line
    for line in (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_core_depends_on_seven_packages_none_of_which_needs_a_compiler() -> None:
    names = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert names == {"numpy", "scipy", "pandas", "formulaic", "matplotlib", "seaborn", "threadpoolctl"}


def test_every_dependency_has_a_reason_beside_it() -> None:
    for requirement in PROJECT["dependencies"] + [line for extra in EXTRAS.values() for line in extra]:
        assert re.search(rf'^ *"{re.escape(requirement)}", *# \w', PYPROJECT, re.MULTILINE), requirement


def test_the_exact_set_is_exact_and_names_no_address() -> None:
    assert [line for line in EXACT if not re.fullmatch(r"[\w.-]+==[\w.!+]+", line)] == []


def test_the_exact_set_fits_every_range_it_is_made_for() -> None:
    exact = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in EXACT}
    extras = (EXTRAS[extra] for extra in ("book", "classroom", "test", "dev"))
    used = sum(extras, start=PROJECT["dependencies"])
    for requirement in map(Requirement, used):
        assert requirement.specifier.contains(exact[canonicalize_name(requirement.name)]), requirement
