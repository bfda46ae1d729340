"""Keys of students: who can draw which data, and what is said to whom cannot."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.classroom.enrolment import KEY_FILE, KEYS_VARIABLE, find_key, key_file_of, keys_for
from mixedsim.classroom.seeds import SECRET_VARIABLE, course_mark, student_key
from mixedsim.errors import MixedsimError

NAME = "01-therapists"
SECRET = "not to be guessed"
MARK = course_mark(SECRET)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A student's folder, and an environment that knows of no course."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    monkeypatch.delenv(KEYS_VARIABLE, raising=False)
    return tmp_path


def test_without_a_course_everybody_can_draw():
    pd.testing.assert_frame_equal(ms.classroom.data(NAME, student="anna"), ms.classroom.data(NAME, student="Anna "))


def test_a_key_file_draws_what_the_secret_draws(alone, monkeypatch):
    open_course = ms.classroom.data(NAME, student="anna")
    (alone / KEY_FILE).write_text(json.dumps(key_file_of("anna", SECRET)))
    below = alone / "week 1"
    below.mkdir()
    monkeypatch.chdir(below)
    mine = ms.classroom.data(NAME, student="Anna", course=MARK)
    (alone / KEY_FILE).unlink()
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    pd.testing.assert_frame_equal(mine, ms.classroom.data(NAME, student="anna", course=MARK))
    assert not mine.equals(open_course)


def test_a_grader_gives_keys_of_some_ids_and_not_the_secret(monkeypatch):
    monkeypatch.setenv(KEYS_VARIABLE, keys_for(["anna", "ben"], SECRET))
    assert find_key("ben", MARK) == student_key("ben", secret=SECRET)
    with pytest.raises(MixedsimError, match="belongs to 'anna', not to 'carla'"):
        find_key("carla", MARK)


def test_without_a_key_one_sentence_says_what_to_do():
    with pytest.raises(MixedsimError, match=f"put the file {KEY_FILE} that you were given into the folder"):
        ms.classroom.data(NAME, student="anna", course=MARK)


def test_another_students_key_does_not_open_ones_data(alone):
    (alone / KEY_FILE).write_text(json.dumps(key_file_of("ben", SECRET)))
    with pytest.raises(MixedsimError, match=r"belongs to 'ben', not to 'anna': write your own id"):
        ms.classroom.data(NAME, student="anna", course=MARK)


def test_a_key_of_another_course_is_told(alone):
    (alone / KEY_FILE).write_text(json.dumps(key_file_of("anna", "another secret")))
    with pytest.raises(MixedsimError, match="belongs to another course"):
        ms.classroom.data(NAME, student="anna", course=MARK)


@pytest.mark.parametrize("text", ["", "{}", '{"course": "a", "student": "b", "key": "xyz"}', "[1]"])
def test_a_damaged_key_file_is_told(alone, text):
    (alone / KEY_FILE).write_text(text)
    with pytest.raises(MixedsimError, match="not as it was handed out: ask for it again"):
        ms.classroom.data(NAME, student="anna", course=MARK)


def test_the_mark_of_a_course_tells_nothing_of_its_secret():
    assert course_mark("") == ""
    assert len(MARK) == 8
    assert course_mark(SECRET + " ") != MARK
