"""The parts that every chapter has: what the reader will be able to do, key points, exercises, a quiz."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup, Tag


@pytest.fixture(scope="module")
def chapters(pages: dict[str, BeautifulSoup]) -> dict[str, Tag]:
    found = {name: page.select_one("article") for name, page in pages.items() if re.match(r"book/\d\d-", name)}
    assert found, "the contents list no chapter"
    return {name: article for name, article in found.items() if article is not None}


def test_a_chapter_opens_with_what_the_reader_will_be_able_to_do(chapters: dict[str, Tag]) -> None:
    without = [
        name for name, article in chapters.items() if "After this chapter you can" not in article.get_text()[:600]
    ]
    assert without == []


def test_a_chapter_has_one_box_of_key_points(chapters: dict[str, Tag]) -> None:
    odd = {name: n for name, article in chapters.items() if (n := len(article.select(".admonition.key-points"))) != 1}
    assert odd == {}


def test_a_chapter_has_two_to_four_exercises_that_rise(chapters: dict[str, Tag]) -> None:
    for name, article in chapters.items():
        levels = [len(stars.get_text()) for stars in article.select(".exercise .stars")]
        assert 2 <= len(article.select(".exercise")) <= 4, name
        assert len(levels) == len(article.select(".exercise")), f"{name}: an exercise without stars"
        assert levels == sorted(levels), name


def test_every_exercise_has_a_folded_solution(chapters: dict[str, Tag]) -> None:
    for name, article in chapters.items():
        assert len(article.select(".solution.dropdown")) == len(article.select(".exercise")), name


def test_a_chapter_ends_with_a_quiz_of_five(chapters: dict[str, Tag]) -> None:
    asked = {name: len(article.select(".quiz-question")) for name, article in chapters.items()}
    assert {name: number for name, number in asked.items() if number != 5} == {}
