"""Whose notebook a path says it is."""

import pytest

from mixedsim.classroom.desk.owners import Owners, claimed_in

STUDENTS = {
    "ab123": {"name": "Zoë Young", "email": "z.young@uni.example", "ID": "4711", "Identifier": "Participant 101"},
    "cd456": {"First name": "Ben", "Last name": "de Vries", "canvas_id": "4712", "SIS User ID": "s-9001"},
    "zoe-3": {"name": "Anna Li"},
    "3": {},
    "0012/7": {"name": "Anna Li"},
    "ab1": {},
}
OWNERS = Owners(STUDENTS, ["01-therapists", "03-ferns"])


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("ab123/01-therapists.ipynb", "ab123"),
        ("AB123.ipynb", "ab123"),
        ("01-therapists_ab123.ipynb", "ab123"),
        ("ab123 - 01-therapists (2).ipynb", "ab123"),
        ("week 2/cd456/late/01-therapists-1.ipynb", "cd456"),
        ("all.zip/ab123/x.ipynb", "ab123"),
        ("ab123.zip/x.ipynb", "ab123"),
        ("z.young@uni.example/x.ipynb", "ab123"),
        ("s-9001_exercise.ipynb", "cd456"),
        ("0012_7/x.ipynb", "0012/7"),  # as its folder of handouts is called
        ("zoe-3.ipynb", "zoe-3"),
        ("zoe-3/x (3).ipynb", "zoe-3"),
        ("ab1/x.ipynb", "ab1"),
        ("Zoe\u0308 Young/x.ipynb", "ab123"),
        ("Young, Zoë.ipynb", "ab123"),
        # Moodle
        ("Zoë Young_101_assignsubmission_file_/01-therapists.ipynb", "ab123"),
        ("Zoë Young_101_assignsubmission_file/01-therapists.ipynb", "ab123"),
        ("Zoë Young_101_assignsubmission_file_01-therapists.ipynb", "ab123"),
        ("Somebody_101_assignsubmission_file_/cd456.ipynb", "ab123"),
        ("Ben de Vries_999_assignsubmission_file_/x.ipynb", "cd456"),
        ("export.zip/Ben de Vries_999_assignsubmission_file_/ab123.ipynb", "cd456"),
        ("Participant_4712_assignsubmission_file_/ab123.ipynb", "ab123"),  # 4712 is Canvas's number, not Moodle's
        # Canvas
        ("youngzoe_4711_567_01-therapists.ipynb", "ab123"),
        ("youngzoe_LATE_4711_567_01-therapists-1.ipynb", "ab123"),
        ("devriesben_99_567_01-therapists.ipynb", "cd456"),
        ("nobody_99_4711_01-therapists.ipynb", ""),  # the second number is the file's
        ("nobody_99_567_ab123.ipynb", "ab123"),
    ],
)
def test_a_path_names_its_owner(path, student):
    assert OWNERS.of(path).student == student


@pytest.mark.parametrize(
    "path",
    [
        "01-therapists.ipynb",
        "01-therapists (3).ipynb",
        "01-therapists-3.ipynb",
        "xab123/notebook.ipynb",
        "ab1234.ipynb",
        "03-ferns.ipynb",
        "my solution.ipynb",
    ],
)
def test_a_path_that_names_nobody_is_nobodys(path):
    """Numbers of exercises, of copies, and parts of longer words are no ids."""
    assert OWNERS.of(path).student == ""
    assert OWNERS.of(path).several == ()


def test_of_several_none_is_chosen():
    found = OWNERS.of("ab123 and cd456.ipynb")
    assert (found.student, found.several) == ("", ("ab123", "cd456"))
    assert OWNERS.of("Anna Li/x.ipynb").several == ("0012/7", "zoe-3")  # two people of one name
    assert OWNERS.of("Anna Li/zoe-3.ipynb").several == ("0012/7", "zoe-3")


def test_the_outermost_name_counts_because_files_are_named_by_students():
    assert OWNERS.of("ab123/by cd456.ipynb").student == "ab123"


def test_no_roster_no_owner():
    assert Owners({}).of("ab123.ipynb").student == ""


@pytest.mark.parametrize(
    ("source", "claimed"),
    [
        ('student = "AB123"  # mine', "ab123"),
        ("x = 1\nstudent = 4711\n", "4711"),
        ("student = ...", ""),
        ("student = input()", ""),
        ("student = 'a'\nstudent = 'b'", "b"),
        ("  student = 'a'", ""),
        ("student = " + "(" * 5000, ""),
    ],
)
def test_the_claimed_id_is_read_without_executing_anything(source, claimed):
    cells = [{"cell_type": "markdown", "source": "student = 'c'"}, {"cell_type": "code", "source": source}]
    assert claimed_in({"cells": cells}) == claimed
