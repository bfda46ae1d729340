"""What the instructor's report says of the course as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from mixedsim.classroom.desk.course import Course
from mixedsim.classroom.reporting.class_material import Material
from mixedsim.classroom.reporting.pages import Html, bars, figure, table, tag, together
from mixedsim.classroom.reporting.report_pictures import score_picture
from mixedsim.classroom.reporting.wording import title_of


def course_sections(
    marks: pd.DataFrame, submissions: pd.DataFrame, course: Course, materials: Sequence[Material]
) -> list[Html]:
    """Heading, scores, mistakes, what to look at, and the table of all students.

    Parameters
    ----------
    marks, submissions : of the gradebook.
    course : its title and its students.
    materials : of the assignments that have marks.
    """
    # Points of every student in every assignment; NaN where nothing was handed in.
    totals = marks.pivot_table(index="student", columns="assignment", values="points", aggfunc="sum")
    return [
        *_heading(totals, course, materials),
        tag("h2", "Scores", id="scores"),
        _scores(totals),
        tag("h2", "Mistakes with a name", id="mistakes"),
        _mistakes(marks, materials),
        tag("h2", "To look at", id="look"),
        *_to_look_at(totals, submissions, course, materials),
        tag("h2", "All students", id="students"),
        _students(totals, course, materials),
    ]


def _heading(totals: pd.DataFrame, course: Course, materials: Sequence[Material]) -> list[Html]:
    links = [("scores", "Scores"), ("mistakes", "Mistakes"), ("look", "To look at"), ("students", "All students")]
    links += [(f"a-{material.name}", material.title) for material in materials]
    items = [tag("li", tag("a", words, href=f"#{at}")) for at, words in links]
    when = f"{datetime.now():%Y-%m-%d, %H:%M}"
    several = "s" if len(materials) > 1 else ""
    said = f"{len(totals)} students have marks in {len(materials)} assignment{several}; "
    return [
        tag("header", tag("p", "Report for the instructor, ", when, class_="small"), tag("h1", course.title)),
        tag("p", said, f"the roster has {len(course.roster)}. Names and marks: not for students."),
        tag("nav", tag("ul", *items), aria_label="Contents"),
    ]


def _scores(totals: pd.DataFrame) -> Html:
    sums = totals.sum(axis=1)
    said = f"All assignments together: on average {sums.mean():.1f} points, from {sums.min():.4g} to {sums.max():.4g}."
    return figure(score_picture(sums, "points in all assignments"), caption=said)


def _mistakes(marks: pd.DataFrame, materials: Sequence[Material]) -> Html:
    """How many students made each, of those who had a question in which it can be seen."""
    made: dict[str, set[str]] = {}
    for name, student in (
        marks.loc[marks["misconception"] != "", ["misconception", "student"]].drop_duplicates().to_numpy()
    ):
        made.setdefault(name, set()).add(student)
    if not made:
        return tag("p", "No answer is the mark of a mistake that the keys know.")
    rows = []
    for name, students in made.items():
        able = students.union(*(one.points.index for one in materials if name in one.known_mistakes))
        rows.append((len(students), len(able), title_of(name)))
    rows.sort(key=lambda row: (-row[0] / row[1], row[2]))
    said = "Of the students who had a question in which it can be seen, so many made it at least once."
    return together(tag("p", said), bars(rows, label="Mistakes, the most frequent first"))


def _to_look_at(
    totals: pd.DataFrame, submissions: pd.DataFrame, course: Course, materials: Sequence[Material]
) -> list[Html]:
    found = [_odd_notebooks(submissions), _copied(materials)]
    silent = [student for student in course.roster if student not in totals.index]
    if silent:
        found.append(tag("p", f"On the roster, but without any mark: {', '.join(silent)}."))
    strange = [student for student in totals.index if student not in set(course.roster)]
    if strange:
        found.append(tag("p", f"With marks, but not on the roster: {', '.join(strange)}."))
    return found


def _odd_notebooks(submissions: pd.DataFrame) -> Html:
    """Those that count, or are nobody's, and were not simply graded; of each file what was said last."""
    last = submissions[submissions["current"] | (submissions["student"] == "")].drop_duplicates("file", keep="last")
    borrowed = (last["claimed"] != "") & (last["student"] != "") & (last["claimed"] != last["student"])
    odd = last.loc[(last["status"] != "graded") | borrowed, ["file", "assignment", "student", "claimed", "status"]]
    if not len(odd):
        return tag("p", "Every notebook was graded, and none names another student's id.")
    head = ["Notebook", "Assignment", "Student", "Id in the notebook", "What happened"]
    return table(head, odd.replace("", "–").to_numpy().tolist(), caption="Notebooks that need a look", text=range(5))


def _copied(materials: Sequence[Material]) -> Html:
    rows = [
        (
            tag("a", material.title, href=f"#c-{material.name}"),
            pair["student"],
            pair["classmate"],
            f"{pair['fit']} of {pair['answers']}",
        )
        for material in materials
        for pair in material.pairs.listed.to_dict("records")
    ]
    if not rows:
        return Html("")
    head = ["Assignment", "Student", "Classmate", "Numbers that fit the classmate's data alone"]
    return table(head, rows, caption="Answers that fit a classmate's data: for a human to judge", text=range(3))


def _students(totals: pd.DataFrame, course: Course, materials: Sequence[Material]) -> Html:
    maximum = {material.name: float(material.maximum.sum()) for material in materials}
    links = [tag("a", name[:2], href=f"#a-{name}", title=name) for name in totals.columns]
    order = [*course.roster, *(student for student in totals.index if student not in set(course.roster))]
    names, every = course.names, totals.reindex(order)
    rows = [
        (
            student,
            names.get(student, ""),
            *("–" if pd.isna(value) else f"{round(value, 2):g}" for value in points),
            f"{round(np.nansum(points), 2):g}",
            f"{100 * np.nansum(points) / sum(maximum.values()):.0f}",
        )
        for student, points in zip(order, every.to_numpy(dtype=float), strict=True)
    ]
    most = "; ".join(f"{name}: {value:g}" for name, value in maximum.items())
    caption = f"Points by assignment (at most {most}); – is nothing handed in, and counts 0"
    return table(["Student", "Name", *links, "Sum", "%"], rows, caption=caption, text=(0, 1), tall=True)
