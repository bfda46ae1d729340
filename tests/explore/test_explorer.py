"""The object: its sentences, its tables, its page, and what happens without plotly."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

import mixedsim as ms
from mixedsim.explore import Explorer
from mixedsim.explore.explorer import SHARED
from mixedsim.explore.fragment import fragment

NAMES = ["shrinkage", "random_slopes", "confounder", "p_values"]
Small = dict[str, Explorer]


def data_of(html: str) -> dict[str, object]:
    (script,) = BeautifulSoup(html, "html.parser").select("script.explorer-data")
    return json.loads(script.get_text())


@pytest.mark.parametrize("name", NAMES)
def test_the_page_holds_every_setting_with_the_numbers_of_the_fitter(small: Small, name: str) -> None:
    explorer, data = small[name], data_of(fragment(small[name]))
    assert len(data["states"]) == explorer.states.size == math.prod(len(one.stops) for one in explorer.controls)
    for kept, state in zip(data["states"], explorer.states.ravel(), strict=True):
        assert kept["alt"] == state.alt
        for number, place in zip(data["names"], kept["numbers"], strict=True):
            values, drawn = data["pool"][place], list(state.numbers[number])
            if drawn and isinstance(drawn[0], str):
                assert values == drawn
            else:
                numbers = [math.nan if value is None else value for value in values]
                np.testing.assert_allclose(numbers, np.array(drawn, float), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_can_be_asked_for_and_is_what_plotly_takes(small: Small, name: str) -> None:
    explorer = small[name]
    last = {control.name: control.stops[-1] for control in explorer.controls}
    figure = explorer.figure(**last)  # plotly checks every word of it
    assert len(figure.data) == len(explorer.layers)
    for trace, layer in zip(figure.data, explorer.layers, strict=True):
        for path, number in layer.bound.items():
            drawn = explorer.at(**last)[number]
            found = list(trace[path.replace(".", "_")] if path in ("x", "y") else _inside(trace, path))
            assert [*map(str, found)] == [*map(str, drawn if isinstance(drawn, list) else [drawn])]


def _inside(trace, path):
    for key in path.split("."):
        trace = trace[key]
    return trace


@pytest.mark.parametrize("name", NAMES)
def test_alt_text_is_computed_from_the_numbers_of_the_setting(small: Small, name: str) -> None:
    explorer = small[name]
    said = {state.alt for state in explorer.states.flat}
    assert len(said) > explorer.states.size / 2, "one sentence for many settings"
    assert explorer.alt == explorer.said()
    numbers = explorer.at()
    expected = {
        "shrinkage": lambda: f"Estimated τ is {numbers['tau']:.1f} and σ {numbers['sigma']:.1f}",
        "random_slopes": lambda: f"climb by {min(numbers['slope']):.1f} to {max(numbers['slope']):.1f} ms a day",
        "confounder": lambda: f"OLS {numbers['ols']:.2f}, varying intercepts {numbers['vi']:.2f}".replace("-", "−"),
        "p_values": lambda: f"rows, without groups (OLS) {100 * numbers['ols']:.1f}\N{NO-BREAK SPACE}%",
    }
    assert expected[name]() in explorer.alt


@pytest.mark.parametrize("name", NAMES)
def test_without_a_script_the_page_says_the_same_in_a_sentence_and_a_table(small: Small, name: str) -> None:
    explorer, page = small[name], BeautifulSoup(fragment(small[name]), "html.parser")
    assert "JavaScript" in page.select_one("noscript").get_text()
    assert page.select_one(".explorer-said").get_text() == explorer.alt
    assert page.select_one("[role=img]")["aria-label"] == explorer.alt
    table = explorer.table()
    assert table.columns.is_unique
    assert [cell.get_text() for cell in page.select("th")] == list(table.columns)
    rows = [[cell.get_text() for cell in row.select("td")] for row in page.select("tbody tr")]
    assert len(rows) == len(table)
    for row, (_, cells) in zip(rows, table.iterrows(), strict=True):
        for text, value, column in zip(row, cells, explorer.columns, strict=True):
            assert text == (value if isinstance(value, str) else f"{value:.{column.digits}f}".replace("-", "−"))
    for slider in page.select("input"):
        assert slider["type"] == "range"
        assert slider.has_attr("disabled")  # until the script runs
        assert slider["aria-valuetext"]


def test_colours_are_those_of_the_house(small: Small) -> None:
    colours = {layer.label: layer.colour for layer in small["shrinkage"].layers if layer.label}
    lines = ms.plot.style.LINES
    assert colours["its own mean (no pooling)"] == lines["none"].colour
    assert colours["partially pooled"] == colours["λ of the estimates"] == lines["intercepts"].colour
    assert colours["mean of all"] == lines["complete"].colour == "#000000"
    slopes = {layer.label: layer.colour for layer in small["random_slopes"].layers if layer.label}
    assert slopes["in the model"] == slopes["a person's line in the model"] == lines["slopes"].colour


def test_a_page_of_its_own_has_plotly_once_and_asks_for_nothing(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    small["shrinkage"].to_html(path)
    html = path.read_text(encoding="utf-8")
    assert html.count("* plotly.js v") == 1
    assert 4e6 < len(html) < 8e6
    page = BeautifulSoup(html.replace("* plotly.js v", ""), "html.parser")
    assert page.select("[src]") == []
    assert [link["href"] for link in page.select("link")] == ["data:,"]
    assert page.html["lang"] == "en"
    assert page.select_one("meta[name=viewport]")["content"].startswith("width=device-width")
    small["shrinkage"].to_html(path)  # again, in its own place
    assert path.read_text(encoding="utf-8") == html


def test_a_page_that_cannot_be_written_is_one_sentence(small: Small, tmp_path: Path) -> None:
    with pytest.raises(ms.MixedsimError, match=r"^cannot write '.*none.page\.html': No such file or directory\.$"):
        small["shrinkage"].to_html(tmp_path / "none" / "page.html")


def test_a_notebook_gets_a_frame_and_the_workbook_the_explorer_alone(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SHARED, raising=False)
    bundle = small["shrinkage"]._repr_mimebundle_()
    frame = BeautifulSoup(bundle["text/html"], "html.parser").iframe
    assert "* plotly.js v" in frame["srcdoc"]
    assert frame["title"] == small["shrinkage"].title
    assert bundle["text/plain"].endswith(small["shrinkage"].alt)
    monkeypatch.setenv(SHARED, "page")
    alone = small["shrinkage"]._repr_html_()
    assert "plotly.js" not in alone
    assert len(alone) < 300_000


def test_text_cannot_end_the_script_that_it_stands_in(small: Small) -> None:
    html = fragment(small["shrinkage"])
    inside = re.search(r'class="explorer-data">(.*?)</script>', html, re.DOTALL)
    assert inside
    assert "<" not in inside[1]
    assert html.endswith("</script></section>")


def test_settings_that_are_none_are_one_sentence(small: Small) -> None:
    with pytest.raises(ms.MixedsimError, match=r"^the explorer has no control 'taus': did you mean 'tau'\?$"):
        small["shrinkage"].at(taus=3)
    with pytest.raises(ms.MixedsimError, match=r"^tau can stand at 0, 3, found 2\.$"):
        small["shrinkage"].table(tau=2)


def test_without_plotly_numbers_are_there_and_drawing_says_what_to_install(
    small: Small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("plotly", "plotly.offline", "plotly.graph_objects"):
        monkeypatch.setitem(sys.modules, name, None)
    sentence = r'^explorers are drawn by plotly: pip install "mixedsim\[book\]"\.$'
    assert len(small["shrinkage"].table()) == 8
    with pytest.raises(ms.MixedsimError, match=sentence):
        small["shrinkage"].figure()
    with pytest.raises(ms.MixedsimError, match=sentence):
        small["shrinkage"].to_html(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_plotly_is_never_imported_by_the_core() -> None:
    code = "import sys, mixedsim as ms; ms.lmer, ms.plot.pooling, ms.study.draw, ms.explore.shrinkage; "
    code += "print('plotly' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
