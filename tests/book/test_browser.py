"""Every built page as a browser shows it, from disk and without a network, wide and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

sync_api = pytest.importorskip("playwright.sync_api", reason="driving a browser needs playwright")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Fetched by a browser for itself, not by the page.
OWN = ("data:", "blob:", "about:", "chrome:", "chrome-extension:")
CHOICES = ".quiz-question:not([data-kind=number])"


@pytest.fixture(scope="module")
def context() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser on the path: one of {', '.join(BROWSERS)} shows the pages")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_context(viewport=WIDE, color_scheme="dark", offline=True)
        browser.close()


def test_every_page_works_in_a_browser(html: Path, pages: dict[str, BeautifulSoup], context: Any) -> None:
    """One pass over all pages: opening them is what takes the time."""
    staying = sorted(name for name, page in pages.items() if not page.select("meta[http-equiv=Refresh]"))
    faults = {name: told for name in staying if (told := faults_of(context, (html / name).resolve().as_uri()))}
    assert faults == {}


def faults_of(context: Any, address: str) -> list[str]:
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("request", lambda asked: faults.append(f"asks for {asked.url}") if _outside(asked.url) else None)
    page.on("requestfailed", lambda asked: faults.append(f"did not get {asked.url}"))
    page.goto(address, wait_until="load")
    page.evaluate("async () => { await window.MathJax?.startup?.promise; }")
    if page.locator(".math").count():
        faults += [] if page.locator("mjx-container").count() else ["its formulas are not set"]
    faults += page.evaluate(
        "() => [...document.querySelectorAll('mjx-merror')].map((one) => 'formula: ' + one.textContent)"
    )
    faults += _quizzes(page) + _sliders(page)
    page.set_viewport_size(PHONE)
    faults += page.evaluate(TOO_WIDE)
    page.close()
    return faults


def _outside(address: str) -> bool:
    return not address.startswith(("file:", *OWN))


# What sticks out of a phone's screen, unless something around it scrolls by itself.
TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth;
  if (wide <= innerWidth) return [];
  const scrolls = (e) => e.tagName !== 'ARTICLE'
    && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement));
  const out = [...document.querySelectorAll('article *')].filter(
    (e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement));
  return [`on a phone it is ${wide} pixels wide: ` + out.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(' … ')];
}"""


def _quizzes(page: Any) -> list[str]:
    """Each question is answered wrongly and then rightly, by keyboard alone."""
    faults: list[str] = []
    for quiz in page.locator(".quiz").all():
        questions = quiz.locator(".quiz-question").all()
        for place, question in enumerate(questions, start=1):
            tries = _numbers if question.get_attribute("data-kind") == "number" else _choices
            faults += [f"quiz, question {place}: {fault}" for fault in tries(page, question)]
        score = quiz.locator(".quiz-score").inner_text()
        if score != f"{len(questions)} of {len(questions)} right.":
            faults.append(f"quiz: all answered rightly, it says {score!r}")
    return faults


def _choices(page: Any, question: Any) -> list[str]:
    faults, inputs = [], question.locator("input").all()
    correct = [one.get_attribute("data-correct") == "true" for one in question.locator(".quiz-verdict").all()]
    several = question.get_attribute("data-kind") == "several"

    def answer(chosen: list[int], expected: str) -> None:
        for place, one in enumerate(inputs):
            if one.is_checked() != (place in chosen) and (several or place in chosen):
                one.focus()
                page.keyboard.press("Space")
        inputs[chosen[0]].focus()
        page.keyboard.press("Enter")
        told = question.locator(".quiz-feedback").inner_text()
        if question.get_attribute("data-state") != expected or len(told.split()) < 3:
            faults.append(f"answers {chosen} gave {question.get_attribute('data-state')} and {told!r}")

    for place in (place for place, right in enumerate(correct) if not right):
        answer([place], "wrong")
    answer([place for place, right in enumerate(correct) if right], "right")
    return faults


def _numbers(page: Any, question: Any) -> list[str]:
    faults, field = [], question.locator("input")
    right, *wrong = [one.get_attribute("data-number") for one in question.locator(".quiz-verdict[data-number]").all()]
    for number, expected in [("", None), ("x", None), *((one, "wrong") for one in wrong), (right, "right")]:
        field.fill(number)
        field.press("Enter")
        told = question.locator(".quiz-feedback").inner_text()
        if question.get_attribute("data-state") != expected or len(told.split()) < 3:
            faults.append(f"{number!r} gave {question.get_attribute('data-state')} and {told!r}")
    return faults


def _sliders(page: Any) -> list[str]:
    """An arrow key moves a slider, and what it says moves with it."""
    faults = []
    for slider in page.locator(".mixedsim-explorer input[type=range]").all():
        before = slider.get_attribute("aria-valuetext")
        slider.focus()
        page.keyboard.press("ArrowLeft" if slider.input_value() == slider.get_attribute("max") else "ArrowRight")
        if slider.get_attribute("aria-valuetext") == before:
            faults.append(f"the slider {slider.get_attribute('aria-label')!r} does not move")
    return faults
