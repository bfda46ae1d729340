"""What a student reads of one assignment: a page for each, which holds no right answer unless that is asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.desk.gradebook import Gradebook
from mixedsim.classroom.marking import MISCONCEPTIONS, Assignment, Own
from mixedsim.classroom.marking.question import shown as as_text
from mixedsim.classroom.reporting.pages import Html, page, prose, tag, together
from mixedsim.classroom.reporting.question_titles import question_titles
from mixedsim.classroom.reporting.wording import outcome_words, pointer, points_of, stars, without_pointer
from mixedsim.classroom.roster import file_names
from mixedsim.classroom.score import built, load
from mixedsim.classroom.seeds import student_key
from mixedsim.errors import MixedsimError, nearest
from mixedsim.files import draft


@dataclass(frozen=True)
class Paper:
    """What the pages of one assignment have in common.

    Attributes
    ----------
    name, title : of the assignment.
    chapters : that it belongs to; none where the assignment was not built here.
    titles : of the questions.
    key : the key, if right answers are shown; None if not.
    course, secret : the course's title and secret.
    book : address of the built book; ``""`` if pages shall only name chapters.
    """

    name: str
    title: str
    chapters: tuple[int, ...]
    titles: dict[str, str]
    key: Assignment | None
    course: str
    secret: str
    book: str


def write_feedback(
    gradebook: Gradebook,
    course: Course,
    folder: Path | str,
    *,
    assignment: str | None = None,
    solutions: bool = False,
    book: str = "",
    progress: bool = False,
) -> list[Path]:
    """Write a page for every student and assignment with marks, ``folder/ID/NAME.html``; pages that exist are replaced.

    A page says of every question what was given, what it got, and why; it tells the right answer only with `solutions`.

    Parameters
    ----------
    gradebook : whose marks count.
    course : for the titles of course and questions, and the students' names.
    folder : where to write; made if need be.
    assignment : only this one.
    solutions : whether to show right answers, once everybody has handed in.
    book : address of the built book, such as ``"https://example.org/book"``: mistakes then link to their section.
    progress : whether to show a progress bar on stderr when it takes longer than a second.

    Returns
    -------
    list of Path
        The pages, by assignment and student.

    Raises
    ------
    MixedsimError
        If there are no marks (of that assignment), solutions are asked for an assignment that is not built, or two ids
        would have one folder.
    """
    marks = gradebook.marks()
    names = sorted(marks["assignment"].unique())
    if assignment is not None and assignment not in names:
        raise MixedsimError(f"nobody has marks for {assignment!r}; {nearest(assignment, names)}")
    if not names:
        raise MixedsimError("the gradebook has no marks yet: run `mixedsim grade` first.")
    wanted = names if assignment is None else [assignment]
    folders = file_names(sorted(set(marks["student"]) | set(course.roster)))
    groups = marks[marks["assignment"].isin(wanted)].groupby(["assignment", "student"], sort=True)
    papers = {name: _paper(name, course, solutions=solutions, book=book) for name in wanted}
    people, written = course.names, []
    shown = tqdm(groups, desc="feedback", unit="page", delay=1, file=sys.stderr, disable=not progress)
    for which, mine in shown:
        name, student = map(str, which)
        target = Path(folder) / folders[student] / f"{name}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = feedback_page(mine, papers[name], student, people.get(student, ""))
        with draft(str(target), force=True) as file:
            file.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def _paper(name: str, course: Course, *, solutions: bool, book: str) -> Paper:
    known = name in built(course.built)
    if solutions and not known:
        raise MixedsimError(
            f"the right answers of {name!r} are not known: build it first (`mixedsim exercises build`)."
        )
    key = load(course.built, name).key if known else None
    return Paper(
        name=name,
        title=key.title if key else name,
        chapters=tuple(key.chapters) if key else (),
        titles=question_titles(course.built, name),
        key=key if solutions else None,
        course=course.title,
        secret=course.secret,
        book=book,
    )


def feedback_page(marks: pd.DataFrame, paper: Paper, student: str, name: str = "") -> str:
    """The page of one student.

    Parameters
    ----------
    marks : the student's rows of `Gradebook.marks` for the assignment.
    paper : the assignment.
    student, name : id, and what the roster calls the student.
    """
    status = str(marks["status"].iloc[0])
    own = Own(paper.name, student, student_key(student, secret=paper.secret)) if paper.key else None
    what_happened = (
        tag("p", "Of the notebook as a whole the grader says: ", tag("strong", status)) if status != "graded" else ""
    )
    return page(
        f"{paper.title}: feedback for {name or student}",
        tag("header", tag("p", paper.course, class_="small"), tag("h1", paper.title)),
        tag("p", f"{name} ({student})" if name else student, ". Notebook: ", tag("code", marks["file"].iloc[0])),
        tag("p", tag("strong", points_of(marks["points"].sum(), marks["max"].sum())), class_="total"),
        what_happened,
        *(_question(row, paper, own) for row in _records(marks)),
        _where_to_read(paper),
        note="Everybody has other data, and so other right answers."
        + ("" if paper.key else " Right answers are not shown here."),
    )


def _records(marks: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(column): value for column, value in row.items()} for row in marks.to_dict("records")]


def _question(mark: dict[str, Any], paper: Paper, own: Own | None) -> Html:
    number = mark["question"][1:]
    title = paper.titles.get(mark["question"], "")
    heading = together(f"Question {number}", ": " if title else "", prose(title))
    facts = []
    if mark["given"]:
        facts += [tag("dt", "Your answer"), tag("dd", tag("code", mark["given"]))]
    if paper.key is not None and own is not None:
        facts += [tag("dt", "Right for your data"), tag("dd", tag("code", _right(mark, paper.key, own)))]
    return tag(
        "article",
        tag("h2", heading),
        stars(int(mark["level"])),
        tag("p", outcome_words(mark["outcome"]), " · ", points_of(mark["points"], mark["max"]), class_="verdict"),
        tag("dl", *facts, class_="facts") if facts else "",
        _said(mark, paper.book),
        tag("p", "These points were set by hand: ", mark["reason"]) if mark["adjusted"] else "",
        class_=mark["outcome"],
    )


def _right(mark: dict[str, Any], key: Assignment, own: Own) -> str:
    """From the mark; what had no answer, or none that could be read, was not compared with any."""
    return str(mark["right"] or as_text(key.question(mark["question"]).right_answer(own)))


def _said(mark: dict[str, Any], book: str) -> Html:
    """The feedback; after a mistake with a name, where to read."""
    if not mark["feedback"]:
        return Html("")
    known = MISCONCEPTIONS.get(mark["misconception"])
    said = prose(without_pointer(mark["feedback"], mark["misconception"]))
    return tag("p", said, " ", pointer(known, book)) if known else tag("p", said)


def _where_to_read(paper: Paper) -> Html:
    if not paper.chapters:
        return Html("")
    listed = [str(chapter) for chapter in paper.chapters]
    several = len(listed) > 1
    numbers = f"{', '.join(listed[:-1])} and {listed[-1]}" if several else listed[0]
    return tag("p", f"This assignment belongs to chapter{'s' if several else ''} {numbers} of the workbook.")
