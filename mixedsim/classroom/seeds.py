"""From a student's id to a seed: the same on every machine, different for every student and assignment."""

from __future__ import annotations

import os
import unicodedata
from hashlib import blake2b

from mixedsim.errors import MixedsimError

SECRET_VARIABLE = "MIXEDSIM_COURSE_SECRET"
LONGEST_ID = 100


def student_id(student: object) -> str:
    """`student` as it is hashed and reported: text without outer blanks, in small letters.

    Ids differ in case and blanks from one list to the next (``"AB123 "``, ``"ab123"``); they are one person.

    Raises
    ------
    MixedsimError
        If `student` is still ``...``, empty, longer than 100 characters, or neither text nor a whole number.

    Examples
    --------
    >>> student_id(" AB123 ")
    'ab123'
    """
    if student is None or student is ...:
        raise MixedsimError('the student id is missing: write your own id between quotes, as in student = "ab123".')
    if isinstance(student, bool) or not isinstance(student, (str, int)):
        raise MixedsimError(
            f'the student id must be text, found {type(student).__name__}: write it as in student = "ab123".'
        )
    text = unicodedata.normalize("NFC", str(student)).strip().casefold()
    if not text:
        raise MixedsimError('the student id is empty: write your own id between the quotes, as in student = "ab123".')
    if len(text) > LONGEST_ID or not text.isprintable():
        raise MixedsimError(f"the student id must be one line of at most {LONGEST_ID} characters.")
    return text


def course_secret() -> str:
    """The course's secret from the environment variable ``MIXEDSIM_COURSE_SECRET``; without one, ``""``."""
    return os.environ.get(SECRET_VARIABLE, "")


def student_key(student: object, *, secret: str) -> bytes:
    """32 bytes that stand for one student of one course.

    The key is a keyed hash, so it tells nothing about the secret or about any other student's key.
    """
    # blake2b takes keys of at most 64 bytes; hashing first lets a secret have any length.
    key = blake2b(secret.encode(), digest_size=64, person=b"mixedsim-course").digest()
    return blake2b(student_id(student).encode(), key=key, digest_size=32, person=b"mixedsim-student").digest()


def course_mark(secret: str) -> str:
    """Eight characters that tell two secrets apart and tell neither; ``""`` for a course without a secret."""
    return blake2b(secret.encode(), digest_size=4, person=b"mixedsim-which").hexdigest() if secret else ""


def seed_for(assignment: str, student: object, *, secret: str | None = None, key: bytes | None = None) -> int:
    """The seed (a whole number below 2**64) with which `student`'s data for `assignment` are drawn.

    Two steps, so that a key can be handed to a student without handing out the secret: the course's secret
    makes the student's key, the student's key makes the seed of each assignment. A keyed hash and not
    ``hash()``, which differs from one Python process to the next.

    Parameters
    ----------
    assignment : name such as ``"01-therapists"``.
    student : the student's id; see `student_id` for how it is read.
    secret : the course's secret; by default that of the environment, see `course_secret`.
    key : the student's key, where that is known and the secret is not.

    Examples
    --------
    >>> seed_for("01-therapists", "ab123", secret="") == seed_for("01-therapists", "AB123 ", secret="")
    True
    >>> seed_for("01-therapists", "ab123", secret="") == seed_for("01-therapists", "ab124", secret="")
    False
    """
    if key is None:
        key = student_key(student, secret=course_secret() if secret is None else secret)
    digest = blake2b(assignment.encode(), key=key, digest_size=8, person=b"mixedsim-draw").digest()
    return int.from_bytes(digest, "little")
