"""Seeds: the same everywhere and always, different for every student, assignment and course."""

import pytest

from mixedsim.classroom.seeds import SECRET_VARIABLE, seed_for, student_id, student_key
from mixedsim.errors import MixedsimError

# Written down once: a change would give every student other data than the ones they worked on.
GOLDEN = {
    ("01-therapists", "ab123", ""): 6401732327600222871,
    ("01-therapists", "ab124", ""): 2404777334950510816,
    ("02-other", "ab123", ""): 7640976692015245103,
    ("01-therapists", "ab123", "tea at four"): 9586732042045359497,
    ("01-therapists", "zoë@uni.example", "x" * 200): 10837686505586299911,
}


@pytest.mark.parametrize(("case", "seed"), GOLDEN.items(), ids=lambda value: str(value)[:40])
def test_seeds_never_change(case, seed):
    assignment, student, secret = case
    assert seed_for(assignment, student, secret=secret) == seed


def test_the_golden_seeds_differ_from_each_other():
    assert len(set(GOLDEN.values())) == len(GOLDEN)


@pytest.mark.parametrize("written", ["AB123", " ab123 ", "Ab123\n"])
def test_capitals_and_blanks_of_an_id_do_not_matter(written):
    assert seed_for("01-therapists", written, secret="") == seed_for("01-therapists", "ab123", secret="")


def test_composed_and_decomposed_accents_are_one_person():
    assert student_id("zoe\u0308") == student_id("zo\u00eb")


def test_a_number_is_an_id_too():
    assert student_id(12345) == "12345"


def test_the_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert seed_for("01-therapists", "ab123") == seed_for("01-therapists", "ab123", secret="")
    monkeypatch.setenv(SECRET_VARIABLE, "tea at four")
    assert seed_for("01-therapists", "ab123") == seed_for("01-therapists", "ab123", secret="tea at four")


def test_seeds_of_a_thousand_students_are_all_different():
    assert len({seed_for("01-therapists", f"s{i}", secret="") for i in range(1000)}) == 1000


def test_keys_depend_on_all_of_a_long_secret():
    assert student_key("ab123", secret="x" * 100 + "a") != student_key("ab123", secret="x" * 100 + "b")


@pytest.mark.parametrize(
    ("student", "words"),
    [
        (..., "missing: write your own id between quotes"),
        (None, "missing"),
        ("", "empty"),
        ("  ", "empty"),
        (1.5, "must be text, found float"),
        (True, "must be text, found bool"),
        (["ab123"], "must be text, found list"),
        ("x" * 101, "at most 100 characters"),
        ("a\nb", "one line"),
    ],
)
def test_what_is_no_id_is_refused_in_one_sentence(student, words):
    with pytest.raises(MixedsimError, match=words):
        student_id(student)
