"""Explorers as a reader has them: a browser without a network, arrow keys, a phone, no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixedsim.explore import Explorer

NAMES = ["shrinkage", "random_slopes", "confounder", "p_values"]
PICTURE = "document.querySelector('.explorer-picture')"
Small = dict[str, Explorer]


@pytest.fixture(scope="module")
def files(small: Small, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("explorers")
    for name, explorer in small.items():
        explorer.to_html(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in small}


def opened(browser: Any, file: Path, width: int = 1100, **options: Any) -> tuple[Any, list[str]]:
    """A page that shows the file, and a list in which all that goes wrong, or out, will stand."""
    page = browser.new_context(viewport={"width": width, "height": 800}, offline=True, **options).new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text))
    page.on("request", lambda asked: faults.append(asked.url) if asked.url != file.as_uri() else None)
    page.goto(file.as_uri())
    return page, faults


def drawn(page: Any, layer: int, key: str) -> list[Any]:
    return page.evaluate(f"Array.from({PICTURE}.data[{layer}].{key})")


def check(page: Any, explorer: Explorer, settings: dict[str, Any]) -> None:
    """Traces, sentence and table are those of the setting."""
    numbers = explorer.at(**settings)
    for k, layer in enumerate(explorer.layers):
        for path, name in layer.bound.items():
            found, expected = drawn(page, k, path), numbers[name]
            expected = expected if isinstance(expected, list) else [expected]
            if isinstance(expected[0], str):
                assert found == expected
            else:
                values = [np.nan if one is None else one for one in found]
                np.testing.assert_allclose(values, np.array(expected, float), rtol=1e-5, atol=1e-12)
    assert page.locator(".explorer-said").inner_text() == explorer.said(**settings)
    assert page.locator(".explorer-picture").get_attribute("aria-label") == explorer.said(**settings)
    shown = page.locator("tbody tr").first.locator("td").all_text_contents()
    first = explorer.table(**settings).iloc[0]
    for text, value, column in zip(shown, first, explorer.columns, strict=True):
        assert as_shown(text, value, column.digits), (column.heading, text, value)


def as_shown(text: str, value: Any, digits: int) -> bool:
    """Whether the text is the value, rounded once to six significant digits and once to so many decimals."""
    if isinstance(value, str):
        return text == value
    return abs(float(text.replace("−", "-")) - value) <= 0.5001 * 10.0**-digits + 1e-5 * abs(value)


@pytest.mark.parametrize("name", NAMES)
def test_every_slider_moves_by_arrow_keys_to_the_numbers_of_the_fitter_and_fits_a_phone(
    small: Small, browser: Any, files: dict[str, Path], name: str
) -> None:
    explorer, (page, faults) = small[name], opened(browser, files[name])
    page.wait_for_selector(".explorer-picture svg")
    check(page, explorer, {})
    settings: dict[str, Any] = {}
    for control in explorer.controls:
        page.locator(f"input[name={control.name}]").focus()
        step = -1 if control.start == len(control.stops) - 1 else 1
        page.keyboard.press("ArrowRight" if step > 0 else "ArrowLeft")
        settings[control.name] = control.stops[control.start + step]
        check(page, explorer, settings)
        said = page.locator(f"label:has(input[name={control.name}]) output").inner_text()
        assert said == control.texts[control.start + step]
    page.locator(".explorer-back").press("Enter")
    check(page, explorer, {})
    on_a_phone(page)
    assert faults == []
    page.context.close()


def on_a_phone(page: Any) -> None:
    """Nothing sticks out, panels stand below each other, fingers find the sliders."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(f"{PICTURE}._fullLayout.yaxis2.domain[1] < {PICTURE}._fullLayout.yaxis.domain[0]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("input").first.evaluate("(one) => one.getBoundingClientRect().height") >= 32


def test_marks_on_the_screen_stand_where_the_axis_has_the_number(
    small: Small, browser: Any, files: dict[str, Path]
) -> None:
    """Not only what plotly was told: the places of the drawn circles, turned back into scores by the axis' own ends."""
    explorer, (page, faults) = small["shrinkage"], opened(browser, files["shrinkage"])
    page.wait_for_selector(".explorer-picture svg")
    layer = next(k for k, one in enumerate(explorer.layers) if one.bound.get("x") == "partial")
    axis = explorer.panels[0].x
    for key, settings in [(None, {}), ("ArrowLeft", {"tau": 0})]:
        if key:
            page.locator("input[name=tau]").press(key)
        wide, places = page.evaluate(
            f"""() => {{
              const picture = {PICTURE};
              const trace = picture.calcdata[{layer}][0].trace;
              const marks = picture.querySelectorAll(`.scatterlayer .trace${{trace.uid}} .point`);
              const at = (mark) => Number(mark.getAttribute('transform').match(/translate\\(([-\\d.]+)/)[1]);
              return [picture._fullLayout.xaxis._length, Array.from(marks).map(at)];
            }}"""
        )
        scores = axis.low + np.array(places) / wide * (axis.high - axis.low)
        pixel = (axis.high - axis.low) / wide
        np.testing.assert_allclose(scores, explorer.at(**settings)["partial"], atol=0.01 * pixel + 1e-3)
    assert faults == []
    page.context.close()


def test_on_a_dark_page_it_lies_on_paper_and_without_script_it_speaks(
    small: Small, browser: Any, files: dict[str, Path]
) -> None:
    page, _ = opened(browser, files["shrinkage"], color_scheme="dark")
    colours = "(one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
    assert page.locator(".mixedsim-explorer").evaluate(colours) == ["rgb(255, 255, 255)", "rgb(31, 31, 31)"]
    page.context.close()
    page, faults = opened(browser, files["shrinkage"], java_script_enabled=False)
    assert page.locator("noscript p").is_visible()
    assert page.locator(".explorer-said").inner_text() == small["shrinkage"].alt
    assert page.locator("input").first.is_disabled()
    page.locator("summary").click()
    assert page.locator("tbody tr").count() == 8
    assert faults == []
    page.context.close()


def test_a_notebooks_frame_takes_the_height_of_its_page(small: Small, browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "notebook.html"
    file.write_text(f"<!DOCTYPE html><body>{small['confounder']._repr_html_()}</body>", encoding="utf-8")
    page, faults = opened(browser, file, width=600)
    frame = page.frame_locator("iframe")
    frame.locator(".explorer-picture svg").first.wait_for()
    page.wait_for_function("document.querySelector('iframe').style.height !== '760px'")
    height = page.locator("iframe").evaluate("(one) => one.clientHeight")
    inner = page.frames[1].evaluate("document.documentElement.scrollHeight")
    assert abs(height - inner) <= 2
    assert [fault for fault in faults if fault not in ("about:srcdoc", "data:,")] == []
    page.context.close()
