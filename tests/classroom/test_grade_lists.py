"""Grades as Moodle and Canvas import them, after their own exports."""

import csv
import io
import shutil

import pandas as pd
import pytest

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.grade_lists import of_gradebook
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.score import load
from mixedsim.errors import MixedsimError
from tests.classroom.conftest import NAME
from tests.classroom.test_gradebook import graded

CALLED = "Exercise 1: Pupils and their tutors"


@pytest.fixture
def kept(course, tmp_path):
    """The course with a gradebook: anna has 3 points, ben 4 of which 1.5 were given by hand, the others none."""
    shutil.copytree(course.folder, tmp_path / "course")
    copied = Course.load(tmp_path / "course")
    with Gradebook(copied.gradebook) as book:
        run = book.begin("submissions")
        book.add(run, graded("anna/x.ipynb", "anna", NAME))
        book.add(run, graded("ben/x.ipynb", "ben", NAME, points=(0.5, 2.5)))
        book.add(run, graded("stranger/x.ipynb", "stranger", NAME))
        book.adjust("ben", NAME, "q1", 1.5, "So.")
    return copied


def as_read(table):
    """The cells of a table's CSV, as a platform reads them."""
    return list(csv.reader(io.StringIO(table.to_csv(index=False, float_format="%g"))))


def test_moodle_finds_people_by_its_own_columns(kept):
    assert as_read(of_gradebook(kept, kept.gradebook, "moodle")) == [
        ["Identifier", "Email address", "Full name", CALLED],
        ["Participant 101", "anna@uni.example", "Anna Li", "3"],
        ["Participant 102", "ben@uni.example", "Ben de Vries", "4"],
        ["Participant 103", "zoe@uni.example", "Zoë Young", ""],
        ["", "", "", ""],
    ]


def test_canvas_wants_five_columns_and_what_each_assignment_is_worth(kept):
    worth = sum(load(kept.built, NAME).points.values())
    assert as_read(of_gradebook(kept, kept.gradebook, "canvas")) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", CALLED],
        ["    Points Possible", "", "", "", "", f"{worth:g}"],
        ["Li, Anna", "4711", "", "", "A", "3"],
        ["Vries, Ben de", "4712", "", "", "B", "4"],
        ["Young, Zoë", "4713", "", "", "A", ""],
        ["carla", "", "", "", "", ""],
    ]


def test_without_columns_of_the_platform_the_id_stands_in(kept):
    kept.roster_file.write_text("student\nanna\nben\n")
    plain = Course.load(kept.folder)
    assert as_read(of_gradebook(plain, plain.gradebook, "moodle"))[:2] == [["ID number", CALLED], ["anna", "3"]]
    canvas = as_read(of_gradebook(plain, plain.gradebook, "canvas"))
    assert canvas[2] == ["anna", "", "", "anna", "", "3"]


def test_the_plain_list_has_everybody_of_the_roster(kept):
    assert as_read(of_gradebook(kept, kept.gradebook)) == [
        ["student", "name", NAME, "total"],
        ["anna", "Anna Li", "3", "3"],
        ["ben", "Ben de Vries", "4", "4"],
        ["zoë-3", "Zoë Young", "", "0"],
        ["carla", "", "", "0"],
    ]


def test_points_are_those_of_the_marks_that_count(kept):
    with Gradebook(kept.gradebook) as book:
        marks = book.marks()
        expected = marks[marks["student"] == "ben"]["points"].sum()
    table = of_gradebook(kept, kept.gradebook, "moodle")
    assert isinstance(table, pd.DataFrame)
    assert table[CALLED][1] == expected == 4.0


def test_nothing_built_is_said(kept):
    shutil.rmtree(kept.built)
    with pytest.raises(MixedsimError, match="nothing is built in"):
        of_gradebook(kept, kept.gradebook)
