"""The reference has an entry for every public name."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup

import mixedsim as ms

ROOMS = {"classroom", "datasets", "explore", "plot", "scenarios"}


def anchors(pages: dict[str, BeautifulSoup]) -> set[str]:
    return {str(tag["id"]) for tag in pages["book/api.html"].select(".api-entry[id]")}


def anchor(name: str) -> str:
    return "api-" + re.sub(r"[^\w]+", "-", name).lower()


def test_every_public_name_has_an_entry(pages: dict[str, BeautifulSoup]) -> None:
    wanted = set(ms.__all__) - ROOMS
    wanted |= {f"plot.{name}" for name in ms.plot.__all__} | {f"scenarios.{name}" for name in ms.scenarios.names()}
    wanted |= {f"datasets.{name}" for name in ms.datasets.__all__}
    assert {name for name in wanted if anchor(name) not in anchors(pages)} == set()


def test_every_name_of_a_fit_has_an_entry(pages: dict[str, BeautifulSoup]) -> None:
    fits = (ms.LinearMixedModel, ms.GeneralizedLinearMixedModel, ms.CumulativeLinkMixedModel)
    wanted = {name for owner in fits for name in dir(owner) if not name.startswith("_")}
    assert {name for name in wanted if anchor(f"fit.{name}") not in anchors(pages)} == set()


def test_every_entry_says_what_you_get(pages: dict[str, BeautifulSoup]) -> None:
    entries = pages["book/api.html"].select(".api-entry")
    assert [entry["id"] for entry in entries if entry.find("p") is None] == []
    assert len({str(entry["id"]) for entry in entries}) == len(entries), "an anchor stands twice"
