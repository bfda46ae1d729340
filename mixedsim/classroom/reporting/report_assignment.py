"""One assignment in the instructor's report."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from mixedsim.classroom.reporting.class_material import Material
from mixedsim.classroom.reporting.class_sampling import ClassIntervals, class_picture
from mixedsim.classroom.reporting.copied_answers import FEWEST_STUDENTS
from mixedsim.classroom.reporting.item_statistics import SMALL
from mixedsim.classroom.reporting.pages import Html, bars, escaped, figure, prose, table, tag, together
from mixedsim.classroom.reporting.report_pictures import score_picture
from mixedsim.classroom.reporting.wording import stars, title_of

_EASY, _HARD, _POOR = 0.95, 0.1, 0.2
_UNKNOWN = "?"


def assignment_section(material: Material, names: Mapping[str, str]) -> Html:
    """The section: scores, questions, mistakes, the class as a sampling distribution, pairs of students.

    Parameters
    ----------
    material : of the assignment.
    names : what the roster calls the students.
    """
    return tag(
        "section",
        tag("h2", material.title, id=f"a-{material.name}"),
        _scores(material),
        tag("h3", "Questions"),
        *_questions(material),
        tag("h3", "Mistakes with a name"),
        _mistakes(material),
        tag("h3", "The class as a sampling distribution"),
        *_sampling(material),
        tag("h3", "Answers that fit a classmate's data", id=f"c-{material.name}"),
        *_pairs(material, names),
    )


def _scores(material: Material) -> Html:
    totals = material.points.sum(axis=1)
    most = float(material.maximum.sum())
    said = f"{len(totals)} students; on average {totals.mean():.1f} of {most:g} points, {_alpha(material)}"
    return figure(score_picture(totals, "points", maximum=most), caption=said)


def _alpha(material: Material) -> str:
    alpha = material.alpha
    if np.isnan(alpha.alpha):
        return "and no reliability to be told."
    told = f"Cronbach's alpha {alpha.alpha:.2f} (95 % interval {alpha.lower:.2f} to {alpha.upper:.2f})."
    return told.replace("-", "−")


def _questions(material: Material) -> list[Html]:
    head = [
        "Question", "Right", "Partly", "Wrong", "No answer", "Difficulty", "Item–rest",
        "Upper − lower", "Remark",
    ]  # fmt: skip
    first = material.marks.drop_duplicates("question").set_index("question")
    outcomes = pd.crosstab(material.marks["question"], material.marks["outcome"]).reindex(
        columns=["right", "rounded", "partly", "wrong", "unreadable", "missing"], fill_value=0
    )
    rows = []
    for question, item in zip(map(str, material.items.index), material.items.to_dict("records"), strict=True):
        counts = outcomes.loc[question]
        rows.append(
            (
                _asked(question, material, first),
                counts["right"],
                counts["rounded"] + counts["partly"],
                counts["wrong"] + counts["unreadable"],
                counts["missing"],
                _with_error(item["difficulty"], item["difficulty_se"]),
                _with_error(item["item_rest"], item["item_rest_se"]),
                _with_error(item["index"], item["index_se"]),
                _remark(item),
            )
        )
    few = len(material.points) < SMALL
    said = f"Only {len(material.points)} students: these numbers would be quite different in the next class."
    if len(material.points) == 1:
        said = "One student: these numbers say nothing of the questions."
    return [
        tag("p", tag("strong", said)) if few else Html(""),
        table(head, rows, caption=f"The questions of “{material.title}”", text=(0, 8)),
    ]


def _asked(question: str, material: Material, first: pd.DataFrame) -> Html:
    """Number, title, level and kind of a question."""
    title = material.titles.get(question, "")
    heading = together(question[1:], ". " if title else "", prose(title[:1].upper() + title[1:]))
    kind = tag("small", f" {first['kind'][question]}")
    return together(heading, tag("br"), stars(int(first["level"][question])), kind)


def _with_error(value: float, error: float) -> Html:
    if np.isnan(value):
        return escaped(_UNKNOWN)
    shown = f"{value:.2f}".replace("-", "−")
    return together(shown, tag("small", f" ± {error:.2f}")) if np.isfinite(error) else escaped(shown)


def _remark(item: Mapping[Hashable, float]) -> str:
    """In one line what to think of a question; only what its standard errors allow to say."""
    if item["difficulty"] >= _EASY:
        return "nearly everybody gets it"
    if item["difficulty"] <= _HARD:
        return "hardly anybody gets it"
    if item["item_rest"] + 2 * item["item_rest_se"] < 0:
        return "the weaker get it more often: look at the key"
    if item["index"] + 2 * item["index_se"] < _POOR:
        return "hardly tells strong from weak"
    return ""


def _mistakes(material: Material) -> Html:
    made = material.marks[material.marks["misconception"] != ""]
    if not len(made):
        return tag("p", "No answer is the mark of a mistake that the key knows.")
    counted = made.groupby(["question", "misconception"]).size().rename("count").reset_index()
    counted = counted.sort_values("count", ascending=False, kind="stable")
    rows = [
        (row["count"], len(material.points), f"{title_of(row['misconception'])} (question {row['question'][1:]})")
        for row in counted.to_dict("records")
    ]
    return bars(rows, label="Mistakes, the most frequent first")


def _sampling(material: Material) -> list[Html]:
    if not material.built:
        return [tag("p", f"{material.name} is not built here: build it to see the intervals of the class.")]
    if not material.intervals:
        return [tag("p", "The key of this assignment names no model whose intervals should hold the truth.")]
    said = "Everybody drew from one population. These intervals are computed from the data, not taken from the answers."
    return [tag("p", said), *(_intervals(one) for one in material.intervals)]


def _intervals(found: ClassIntervals) -> Html:
    sentences = [tag("p", sentence) for sentence in found.sentences()]
    if not len(found.known):
        return together(*sentences)
    caption = together(
        "95 % intervals of ", tag("code", found.showcase.coefficient), " in ", tag("code", found.showcase.formula),
        ". Those that miss the truth are red, with a triangle that points to it.",
    )  # fmt: skip
    missers = found.missers[["lower", "upper"]].to_dict("index")
    ends = (f"{student} ({row['lower']:.3g} to {row['upper']:.3g})" for student, row in missers.items())
    listed = tag("p", "; ".join(ends).replace("-", "−"), class_="small")
    more = tag("details", tag("summary", "Whose intervals miss it"), listed) if missers else ""
    return together(*sentences, figure(class_picture(found), caption=caption), more)


def _pairs(material: Material, names: Mapping[str, str]) -> list[Html]:
    pairs = material.pairs
    if not material.built:
        return [tag("p", "Without the key there is nothing to compare.")]
    if len(material.points) < FEWEST_STUDENTS:
        return [tag("p", "The class is too small to tell what chance would do.")]
    if not len(pairs.listed):
        said = f"No pair stands out among the {pairs.compared:,} that were compared."
        return [tag("p", said if pairs.compared else "Every number fits the data of the student who gave it.")]
    rows = [
        (
            _who(row["student"], names),
            _who(row["classmate"], names),
            f"{row['fit']} of {row['answers']}",
            row["own"],
            row["questions"].replace("q", ""),
            f"{row['by_chance']:.2f}",
            _rarity(row["classes"]),
        )
        for row in pairs.listed.to_dict("records")
    ]
    head = [
        "Student", "Classmate", "Fit the classmate alone", "Fit own data", "Questions", "Expected by chance",
        "Such a pair among honest classes",
    ]  # fmt: skip
    said = (
        "For a human to judge. The numbers of these students equal, in all digits typed, what the classmate's data "
        "give, and nothing that their own data give. They may have worked on the other's data by mistake, or together."
    )
    caption = "Answers that fit a classmate's data better than one's own"
    return [
        tag("p", said),
        table(head, rows, caption=caption, text=(0, 1, 4, 6)),
        _matrix(pairs.fits, pairs.listed),
    ]


def _matrix(fits: pd.DataFrame, listed: pd.DataFrame) -> Html:
    """Everybody who is listed, held against everybody who is listed."""
    who = list(dict.fromkeys([*listed["student"], *listed["classmate"]]))
    counts = fits.reindex(index=[student for student in who if student in fits.index], columns=who)
    rows = [
        (student, *("" if other == student else int(count) for other, count in zip(who, row, strict=True)))
        for student, row in zip(counts.index, counts.to_numpy(), strict=True)
    ]
    caption = "How many numbers of the student (row) fit the classmate's data (column) and not the student's own"
    return table(["Student", *who], rows, caption=caption)


def _who(student: str, names: Mapping[str, str]) -> str:
    name = names.get(student, "")
    return f"{name} ({student})" if name else student


def _rarity(classes: float) -> str:
    """``"in less than 1 of 1,000"``, a power of ten on the safe side."""
    power = int(np.floor(-np.log10(max(classes, 1e-6))))
    return f"in less than 1 of {10**power:,}" if power >= 2 else "in less than 1 of 20"
