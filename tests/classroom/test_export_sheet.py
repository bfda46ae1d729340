"""Texts of exercises on their way to a learning platform."""

import re
from pathlib import Path

import pytest

from mixedsim.classroom.export.markup import code, html, inline
from mixedsim.classroom.export.sheet import read_sheet
from mixedsim.classroom.export.variants import read_exam
from mixedsim.classroom.marking import Assignment, Choice, Number, load_key
from mixedsim.errors import MixedsimError

EXERCISES = Path(__file__).parents[2] / "exercises"
KEYS = EXERCISES / "keys"
SOURCES = [one for one in sorted(EXERCISES.glob("[0-9]*.md")) if (KEYS / f"{one.stem.replace('-', '_')}.py").exists()]
HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
SHEET = (
    HEAD
    + """# Exercise 1: a title

The *story*.

Run the cell with `grader.check`. It says little. Fit by REML, as `ms.lmer` does: always.
Numbers need two
significant digits. More do no harm.

## The pupils

They are *many*.

**First write your student id into the next cell.**

```{code-cell} ipython3
student = "reference"  # SOLUTION
pupils = ms.classroom.data("01-therapists", student=student)
other = ms.classroom.data("01-therapists", student=student, part="more")
pupils.head(3)
```

One row is one pupil.

## Question 1: how *much*?

Take $\\tau^2 < 1$ and compute it. Call it `much`.

| a | b |
|---|---|
| 1 | 2 |

```{code-cell} ipython3
picture = draw(pupils) < 3
```

```{code-cell} ipython3
# BEGIN SOLUTION NO PROMPT
secret = 41
# END SOLUTION
much = secret + 1  # SOLUTION
```

## Question 2: which?

One of `"a"` and `"b"`.

```{code-cell} ipython3
which = "a"  # SOLUTION
```

## Hand in

Save the notebook.
"""
)
KEY = Assignment(
    "01-therapists",
    "Made up",
    chapters=[1],
    questions=[
        Number(name="q1", variable="much", answer=42, wrong={"ols": 7}),
        Choice(name="q2", variable="which", answer="a", among=["a", "b"]),
    ],
)


def sheet_of(tmp_path, text=SHEET):
    source = tmp_path / "01-therapists.md"
    source.write_text(text, encoding="utf-8")
    return read_sheet(source, KEY)


def test_the_story_is_what_makes_sense_without_a_notebook(tmp_path):
    sheet = sheet_of(tmp_path)
    assert sheet.story == (
        "<p>The <em>story</em>.</p>\n<p>Fit by REML, as <code>ms.lmer</code> does: always.</p>\n"
        "<h2>The pupils</h2>\n<p>They are <em>many</em>.</p>\n<p>One row is one pupil.</p>\n"
    )
    assert sheet.tables == {None: "pupils", "more": "other"}


def test_a_question_keeps_text_and_given_code_and_loses_its_answer(tmp_path):
    asked = sheet_of(tmp_path).asked
    assert asked["q1"].heading == "Question 1: how <em>much</em>?"
    assert r"Take \(\tau^2 &lt; 1\) and compute it." in asked["q1"].body
    assert "<pre><code>picture = draw(pupils) &lt; 3</code></pre>" in asked["q1"].body
    assert "<td>2</td>" in asked["q1"].body
    assert not re.search(r"secret|SOLUTION|41", asked["q1"].body)
    assert asked["q2"].body == "<p>One of <code>&quot;a&quot;</code> and <code>&quot;b&quot;</code>.</p>\n"
    assert "Hand in" not in asked["q2"].body


def test_what_was_asked_before_is_told_without_answers(tmp_path):
    sheet = sheet_of(tmp_path)
    assert sheet.so_far("q1") == ""
    assert sheet.so_far("q2").startswith("<h4>Question 1: how <em>much</em>?</h4>\n<p>Take")


def test_a_question_that_only_one_of_source_and_key_has_is_named(tmp_path):
    with pytest.raises(MixedsimError, match=r"^01-therapists\.md: the source asks q1, its key q1, q2\.$"):
        sheet_of(tmp_path, SHEET.split("## Question 2")[0])


@pytest.mark.parametrize("text", ["```{note}\nMind the gap.\n```", "See {ref}`there`."])
def test_what_only_the_book_can_show_is_refused(text):
    with pytest.raises(
        MixedsimError, match=r"cannot be exported, only the book can show it: write it as plain Markdown"
    ):
        html(text)


def test_html_in_markdown_is_shown_and_not_obeyed():
    assert html("<script>x</script>") == "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"
    assert inline("1 < 2 & *so*") == "1 &lt; 2 &amp; <em>so</em>"
    assert code("a < b") == "<pre><code>a &lt; b</code></pre>\n"


def test_displayed_mathematics_keeps_its_tex():
    assert html("$$\na < b\n$$") == "<p>\\[a &lt; b\\]</p>\n"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_nothing_of_a_notebook_or_of_an_answer_is_left_in_a_real_sheet(source):
    sheet = read_sheet(source, load_key(KEYS / f"{source.stem.replace('-', '_')}.py"))
    text = sheet.story + "".join(asked.heading + asked.body for asked in sheet.asked.values())
    for trace in ("grader.check", "SOLUTION", "classroom.data", "student id", "```", "{code-cell}"):
        assert trace not in text, trace
    assert len(sheet.story) > 100


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_question_of_a_real_assignment_is_exported_or_said_to_be_left_out(source):
    exam = read_exam(source)
    assert set(exam.exported) | set(exam.left_out) == set(exam.key.points)
    assert not set(exam.exported) & set(exam.left_out)
    kinds = {name: exam.key.question(name).kind for name in exam.left_out}
    assert set(kinds.values()) <= {"formula", "ranking", "design", "sorting"}
